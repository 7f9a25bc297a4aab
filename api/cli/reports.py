"""`ancu progress`: figures out."""

import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.database import database
from geo import areas, exports, metrics
from geo.areas import COUNTRY
from geo.errors import UsageError
from geo.writing.whole import whole

SHOWN = (
    "households",
    "surveyed",
    "coverage",
    "verified_coverage",
    "outside",
    "approved",
    "started",
    "completed",
    "handed_over",
    "completion",
    "overdue",
)


@click.command()
@click.option("--area", default=COUNTRY, help="Code of the area; the country by default.")
@click.option(
    "--format",
    type=click.Choice(["table", "csv", "json", "xlsx"]),
    default="table",
    show_default=True,
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write instead of stdout.")
def progress(area: str, format: str, out: Path | None) -> None:
    """Coverage and completion of an area and of its children, which add up to it."""
    if format == "xlsx" and out is None:
        raise UsageError("XLSX needs a file: --out FILE.xlsx.")
    if format == "table" and out is not None:
        raise UsageError("A table is for the screen; with --out choose csv, json or xlsx.")
    with database() as conn:
        of = areas.get(conn, area)
        if format == "table":
            _print(exports.progress_rows(conn, of))
        elif format == "json":
            rows = exports.progress_rows(conn, of)
            _write(orjson.dumps({"area": rows[-1], "children": rows[:-1]}) + b"\n", out)
        else:
            exports.export(conn, "progress", of, format, out or _stdout())


def _stdout() -> BinaryIO:
    return cast(BinaryIO, sys.stdout.buffer)


def _write(body: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(body)
        return
    with whole(out) as file:
        file.write(body)


def _print(rows: list[dict[str, Any]]) -> None:
    """A table for people; the names are data and never markup."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for key in SHOWN:
        table.add_column(metrics.METRICS[key].en, justify="right")
    for row in rows:
        own = row is rows[-1]
        name = Text(f"{row['code']} {row['full_name']}".strip(), style="bold" if own else "")
        table.add_row(name, *(_cell(key, row[key]) for key in SHOWN), end_section=own)
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False, markup=False).print(table)


def _cell(key: str, found: float | None) -> str:
    if found is None:
        return "–"
    if metrics.METRICS[key].kind == "ratio":
        return f"{found:.1%}"
    return f"{found:,}"
