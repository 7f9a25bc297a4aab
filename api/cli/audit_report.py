"""`ancu audit report`: the audit report of an area, to print (PDF) or to work with (XLSX)."""

import getpass
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from api.cli.database import database
from geo import areas, trail
from geo.errors import UsageError
from geo.report import writing
from geo.report.gather import Asked
from geo.trail import Entry

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.argument("area")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--since", type=_DAY, help="First day, such as 2026-01-01.")
@click.option("--until", type=_DAY, help="Last day.")
@click.option("--language", type=click.Choice(writing.LANGUAGES), default="vi", show_default=True)
def report(
    area: str, out: Path, since: datetime | None, until: datetime | None, language: str
) -> None:
    """Write the audit report of AREA (its code) to the file OUT, which ends in .pdf or .xlsx."""
    format = out.suffix.removeprefix(".").lower()
    if format not in writing.FORMATS:
        raise UsageError(f"{out} must end in .{' or .'.join(writing.FORMATS)}.")
    days = (one.date() if one else None for one in (since, until))
    user = f"os:{getpass.getuser()}"
    with database() as conn:
        asked = Asked(areas.get(conn, area), *days)
        rows = writing.write(conn, asked, user, format, language, out)
        _leave_entry(conn, user, asked, rows)
    click.echo(f"{rows} rows in {out}", err=True)


def _leave_entry(conn: Connection, user: str, asked: Asked, rows: int) -> None:
    entry = Entry(
        via="command",
        action="records.export",
        login=user,
        route="ancu audit report",
        subject="report",
        subject_id=asked.area.code,
        rows=rows,
    )
    trail.append(conn, entry)
