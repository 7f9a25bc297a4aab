"""`ancu export`: records out, with an entry in the access log before the first byte."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode

import click
from pydantic import ValidationError

from api.cli.bars import bar
from api.cli.database import database
from api.cli.giving_way import give_way
from geo import areas, exports, trail
from geo.areas import COUNTRY
from geo.db import transaction
from geo.errors import AncuError, UnavailableError, UsageError
from geo.scope import OPERATOR
from geo.trail import Entry
from geo.writing import WRITERS, format_of

FILTERS: dict[str, str] = {
    "status": "Households: poor, near_poor, average or none.",
    "surveyed": "Households: yes or no; no leaves those still to be visited.",
    "stage": "Sites: the stage that they have reached.",
    "verdict": "Surveys, sites, findings: inside, uncertain, outside, unlocated or doubtful.",
    "rule": "Surveys, sites, findings: what this audit rule doubts.",
    "state": "Findings: open, confirmed, explained, repaired, revisit or decided.",
    "enumerator": "Surveys, findings: who made the visit.",
    "device": "Findings: the device of the visit.",
    "since": "From a day or moment on: of the visit; of households and sites, when received.",
    "until": "Up to a day or moment, which is included.",
    "bbox": "Households, surveys, sites: minlon,minlat,maxlon,maxlat.",
}


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for name, told in reversed(FILTERS.items()):
        command = click.option(f"--{name}", name, help=told)(command)
    return command


@click.command()
@click.argument("kind")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--area", default=COUNTRY, help="Code of the area; the country by default.")
@click.option("--format", help=f"One of {', '.join(WRITERS)}; by default as OUT ends.")
@_filters
def export(kind: str, out: Path, area: str, format: str | None, **asked: str | None) -> None:
    """Write records of KIND to the file OUT; - is stdout.

    KIND is households, surveys, sites (with the findings about them), findings (about surveys),
    progress, statistics or areas. Records take the filters of their page.
    """
    to_stdout = str(out) == "-"
    if out.is_dir():
        raise UsageError(f"{out} is a directory; name a file.")
    chosen = format or ("csv" if to_stdout else format_of(out.name))
    exports.check(kind, chosen)
    given = {name: value for name, value in asked.items() if value is not None}
    filters = _understood(kind, given)
    told = _Told(kind, {"area": area, "format": chosen, **given}, to_stdout=to_stdout)
    give_way()
    with database() as conn, bar(f"export {kind}") as advance, told.to_the_end():
        target = sys.stdout.buffer if to_stdout else out
        count = exports.export(
            conn,
            kind,
            areas.get(conn, area),
            chosen,
            cast(BinaryIO | Path, target),
            step=lambda _stage, done, total: advance(done, total),
            begun=told.begun,
            **filters,
        )
        if to_stdout:
            sys.stdout.buffer.flush()
    click.echo(f"{count} rows{'' if to_stdout else f' in {out}'}", err=True)


def _understood(kind: str, given: dict[str, str]) -> dict[str, Any]:
    """The filters as the kind's listing understands them; raises UsageError."""
    if not given:
        return {}
    # The web's modules take their time to load: only who filters waits for them.
    from api.findings import FindingQuery
    from api.households import HouseholdQuery
    from api.params import Listing
    from api.sites import SiteQuery
    from api.surveys import SurveyQuery

    queries: dict[str, type[Listing]] = {
        "households": HouseholdQuery,
        "surveys": SurveyQuery,
        "sites": SiteQuery,
        "findings": FindingQuery,
    }
    query = queries.get(kind)
    known = [name for name in FILTERS if query and name in query.model_fields]
    if unknown := [f"--{name}" for name in given if name not in known]:
        choice = ", ".join(f"--{name}" for name in known) or "none but --area"
        raise UsageError(f"{kind} cannot be filtered by {', '.join(unknown)}; there are: {choice}.")
    try:
        return cast(type[Listing], query).model_validate(given).filters()
    except ValidationError as error:
        wrong = [
            f"--{one['loc'][0]}: {str(one['msg']).removeprefix('Value error, ')}"
            for one in error.errors()
        ]
        raise UsageError("; ".join(wrong) + ".") from None


class _Told:
    """What the access log is told of one export, each time in a transaction of its own."""

    def __init__(self, kind: str, asked: dict[str, str], *, to_stdout: bool) -> None:
        self._to_stdout = to_stdout
        self._entry = Entry(
            via="command",
            action="records.export",
            login=f"os:{getpass.getuser()}",
            route="ancu export",
            subject=kind,
            query=urlencode(asked, safe=",:/@;"),
        )
        self._begun = False

    def begun(self, rows: int | None) -> None:
        """The first byte follows; `rows` are those counted before it."""
        self._leave(replace(self._entry, rows=rows))
        self._begun = True

    def _leave(self, entry: Entry) -> None:
        with transaction(scope=OPERATOR) as conn:
            trail.append(conn, entry)

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """Tells when the block does not end well, whatever ended it."""
        try:
            yield
        except BaseException as error:
            if self._begun:
                cut = replace(self._entry, outcome="failed", reason=f"cut: {_reason(error)}"[:500])
                self._leave(cut)
            if self._to_stdout and (lost := _lost_output(error)):
                # Else what is left in Python's own buffer fails once more when it ends.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise lost from None
            raise


def _lost_output(error: BaseException) -> AncuError | None:
    """What to say where the output takes no more; None for other errors."""
    cause = error.__cause__ or error
    if isinstance(cause, BrokenPipeError):
        return UnavailableError("What reads the output went away before its end.")
    if isinstance(cause, OSError):
        return UnavailableError(f"The output cannot be written: {cause.strerror}.")
    return None


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, BrokenPipeError):
        return "the reader went away"
    if isinstance(cause, OSError):
        return str(cause.strerror)
    if isinstance(error, AncuError):
        return str(error)
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "an error in the service"
