"""`ancu photos`: many photos at once, and files that no row speaks of."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import Connection

from api.cli.audit import catch_up
from api.cli.bars import bar
from api.cli.database import database
from geo import cluster, trail
from geo.accounts import sealing
from geo.db import transaction
from geo.photos import sets, storing
from geo.scope import OPERATOR
from geo.trail import Entry

_TOLD = 20


@click.group(name="photos")
def group() -> None:
    """Photos of visits and building stages: add, sweep."""


@group.command()
@click.argument("source", metavar="FOLDER|ZIP", type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV: file and survey_id, or file, province_code, site_code and stage.",
)
def add(source: Path, mapping: Path | None) -> None:
    """Store the photos of a folder or ZIP; those refused are listed, the others are stored.

    Files of the mapping that are not there are listed, too.
    """
    with cluster.available():
        with database() as conn:
            sealing.check_keys(conn)
        with bar("Storing photos") as progress:
            report = sets.add(_begin, source, mapping, progress)
        with _begin() as conn:
            _log(conn, report.added)
        catch_up(quiet=True)
    click.echo(
        f"{report.added:,} added, {report.unchanged:,} known already, "
        f"{len(report.refused):,} refused; {report.left_out:,} files are no photos."
    )
    _list([f"{name}: {reason}" for name, reason in report.refused])
    if report.unfound:
        click.echo(f"{len(report.unfound):,} files of the mapping are not there:", err=True)
        _list(report.unfound)
    if report.refused or report.unfound:
        sys.exit(1)


@group.command()
@click.option("--all", "everything", is_flag=True, help="Also where most files would go.")
def sweep(everything: bool) -> None:
    """Delete files of photos that are not stored any more; tell of photos without their file."""
    with database() as conn:
        swept = storing.sweep(conn, everything=everything)
    click.echo(f"{len(swept.deleted):,} files deleted that no photo had.")
    if swept.missing:
        click.echo(f"{len(swept.missing):,} photos lack their file:", err=True)
        for photo_id in swept.missing[:_TOLD]:
            click.echo(f"  {photo_id}", err=True)
        sys.exit(1)


def _list(lines: list[str]) -> None:
    for line in lines[:_TOLD]:
        click.echo(f"  {line}", err=True)
    if len(lines) > _TOLD:
        click.echo(f"  … and {len(lines) - _TOLD:,} more.", err=True)


@contextmanager
def _begin() -> Iterator[Connection]:
    with transaction(scope=OPERATOR) as conn:
        yield conn


def _log(conn: Connection, added: int) -> None:
    entry = Entry(
        via="command",
        action="surveys.send",
        login=f"os:{getpass.getuser()}",
        route="ancu photos add",
        subject="photos",
        rows=added,
    )
    trail.append(conn, entry)
