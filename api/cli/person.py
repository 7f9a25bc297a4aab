"""`ancu person`: what a data subject may ask for: the record, a correction, the removal."""

import getpass
import os
import sys
from pathlib import Path

import click
import orjson
from sqlalchemy import Connection

from api.cli.database import database
from geo import personal_ids, trail
from geo.errors import UsageError
from geo.intake.session import Key
from geo.persons import correcting, history, record, removing
from geo.photos import files
from geo.photos import storing as photos
from geo.trail import Entry

_REASON = click.option("--reason", required=True, help="Why, in 10 characters and more.")
_COMMUNE = click.option("--commune", help="Its commune, where the code stands for several.")


@click.group(name="person")
def group() -> None:
    """Requests of data subjects about their household; each leaves an entry in the access log."""


@group.command(name="record")
@click.argument("province")
@click.argument("code")
@_COMMUNE
@_REASON
@click.option("--full-ids", is_flag=True, help="Tell personal IDs in full instead of masked.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write instead of stdout.")
def record_(
    province: str, code: str, commune: str | None, reason: str, full_ids: bool, out: Path | None
) -> None:
    """Write everything that is stored about the household CODE of PROVINCE as JSON."""
    why = history.checked(reason)
    with database() as conn:
        made = record.record(conn, province, code, commune, full_ids=full_ids)
        found = (province, made["household"]["commune_code"], code)
        _log(conn, "person.export", found, why, record.rows(made))
    written = orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n"
    if out is None:
        sys.stdout.buffer.write(written)
        return
    try:
        # Nobody else's to read.
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(written)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None


@group.command()
@click.argument("province")
@click.argument("code")
@click.argument("field", type=click.Choice(correcting.FIELDS))
@click.argument("value")
@_COMMUNE
@_REASON
@click.option("--year", type=int, help="The year of a status.")
def correct(
    province: str, code: str, field: str, value: str, commune: str | None, reason: str,
    year: int | None,
) -> None:  # fmt: skip
    """Correct FIELD of a household to VALUE; '' is none, - reads it from stdin (for an ID)."""
    given = sys.stdin.readline().strip() if value == "-" else value
    with database() as conn:
        found = correcting.correct(conn, (province, code, commune), field, given, reason, year)
        _log(conn, "person.correct", found, f"{field}: {reason}", 1)
    click.echo(f"{field} of {code} (commune {found[1] or 'unresolved'}) is corrected.", err=True)


@group.command()
@click.argument("province")
@click.argument("code")
@_COMMUNE
@_REASON
@click.option("--confirm", help="The household's code once more; asked for without it.")
def remove(province: str, code: str, commune: str | None, reason: str, confirm: str | None) -> None:
    """Take all that is personal out of a household; figures stay as they are. Cannot be undone."""
    if confirm is None:
        if not sys.stdin.isatty():
            raise UsageError("Confirm the removal by --confirm and the household's code.")
        confirm = click.prompt(f"Type {code} to remove the household's personal data")
    with database() as conn:
        pictures = photos.ids_of_household(conn, province, code, commune)
        new = removing.remove(conn, (province, code, commune), reason, str(confirm))
        _log(conn, "person.remove", (province, new[1], code), reason, 1)
    files.drop(pictures)
    click.echo(f"The personal data of {code} are removed.", err=True)


def _log(conn: Connection, action: str, key: Key, reason: str, rows: int) -> None:
    entry = Entry(
        via="command",
        action=action,
        login=f"os:{getpass.getuser()}",
        route="ancu person",
        subject="household",
        subject_id=key[2],
        province_code=key[0],
        commune_code=key[1],
        rows=rows,
        reason=personal_ids.hidden(reason),
    )
    trail.append(conn, entry)
