"""`ancu log`: read the access log, and prove it whole."""

import getpass
from pathlib import Path

import click
from sqlalchemy import ColumnElement, Connection

from api.cli.database import database
from geo import areas, trail, trail_proof
from geo.errors import RejectedError, UsageError
from geo.metrics import TIME_ZONE
from geo.paging import MAX_LIMIT, Record
from geo.trail import Entry

_NAMED = ("address", "area", "record", "rows", "query", "reason")


@click.group(name="log")
def group() -> None:
    """The access log: show, verify."""


@group.command()
@click.option("--account", "login", help="What was done or tried under this login.")
@click.option("--household", help="Who looked at a household: PROVINCE/COMMUNE/CODE.")
@click.option("--area", "code", help="What concerned this area and all below it (its code).")
@click.option("--denied", is_flag=True, help="Only what was refused.")
@click.option("--text", "wanted", help="Entries that hold this text.")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=50, show_default=True)
def show(
    login: str | None,
    household: str | None,
    code: str | None,
    denied: bool,
    wanted: str | None,
    limit: int,
) -> None:
    """The newest entries that meet all of the options, with times of Viet Nam."""
    conditions: list[ColumnElement[bool]] = []
    if login:
        conditions.append(trail.by_login(login))
    if household:
        conditions.append(_about_household(household))
    if denied:
        conditions.append(trail.denied())
    if wanted:
        conditions.append(trail.matching(wanted))
    with database() as conn:
        if code:
            conditions.append(trail.in_area(areas.get(conn, code)))
        found = trail.page(conn, *conditions, limit=limit)
        _leave_entry(conn, "show", len(found.items))
    for entry in found.items:
        click.echo(_line(entry))
    if found.next_cursor:
        click.echo(f"There are more; these are the newest {limit}.", err=True)


@group.command()
@click.option(
    "--anchors",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Anchors kept elsewhere, instead of this machine's own.",
)
def verify(file: Path | None) -> None:
    """Read every entry and prove that none was changed, added, taken out or put elsewhere."""
    own = trail_proof.anchors_file()
    anchors = trail_proof.read_anchors(file or own)
    with database() as conn:
        found = trail_proof.verify(conn, anchors)
        if found.whole:
            trail_proof.anchor(conn, own)
        _leave_entry(conn, "verify", found.entries)
    click.echo(f"Entries: {found.entries:,}")
    if found.entries:
        click.echo(f"Last:    {found.head_id} {found.head_hash}")
    click.echo(f"Anchors: {len(anchors):,}")
    if not found.whole:
        many = len(found.problems)
        raise RejectedError(
            f"The access log is not whole: {many} problem{'' if many == 1 else 's'}.",
            [(None, problem) for problem in found.problems],
        )
    click.echo("The log is whole.")


def _about_household(text: str) -> ColumnElement[bool]:
    province, _, rest = text.partition("/")
    commune, _, code = rest.partition("/")
    if not (province and code):
        raise UsageError(
            f"--household needs PROVINCE/COMMUNE/CODE, such as 19/00101/H1, not {text!r}."
        )
    return trail.about_subject("household", code, province, commune)


def _leave_entry(conn: Connection, command: str, rows: int) -> None:
    """Who reads the log is in the log, too."""
    entry = Entry(
        via="command",
        action="log.read",
        login=f"os:{getpass.getuser()}",
        route=f"ancu log {command}",
        subject="log",
        rows=rows,
    )
    trail.append(conn, entry)


def _line(entry: Record) -> str:
    """An entry on one line.

    Guests' text stands in it: it must not steer the terminal, nor look like another field, which
    two spaces would make it do.
    """
    at = entry["at"].astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M:%S")
    told = entry | {
        "area": "/".join(filter(None, (entry["province_code"], entry["commune_code"]))),
        "record": " ".join(filter(None, (entry["subject"], entry["subject_id"]))),
    }
    first = (entry["entry_id"], at, entry["outcome"], entry["login"] or "-", entry["via"])
    named = [f"{name}: {told[name]}" for name in _NAMED if told[name] not in (None, "")]
    parts = (*first, entry["action"], entry["route"] or "-", *named)
    line = "  ".join(" ".join(str(part).split()) for part in parts)
    return "".join(c if c.isprintable() else "\ufffd" for c in line)
