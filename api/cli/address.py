"""`ancu address`: what an address text means today."""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from api.cli.database import database
from geo import addresses, areas
from geo.errors import RejectedError, UsageError

_COLUMNS = ("address", "recorded_address", "dia_chi")
_HEADER = ("address", "commune_code", "era", "confidence", "candidates")


@click.group(name="address")
def group() -> None:
    """Addresses: resolve."""


@group.command()
@click.argument("source", metavar="TEXT|FILE.csv")
@click.option("--out", type=click.Path(path_type=Path), help="Write the CSV to this file.")
def resolve(source: str, out: Path | None) -> None:
    """Write the commune that an address, or each address of a file, means today, as CSV."""
    texts = _from_file(Path(source)) if source.lower().endswith(".csv") else [source]
    with database() as conn:
        areas.load_gazetteer(conn)
        resolver = addresses.resolver(conn)
        with _target(out) as stream:
            _write(stream, texts, resolver)


def _write(stream: TextIO, texts: Iterable[str], resolver: addresses.Resolver) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEADER)
    for text in texts:
        found = resolver.resolve(text)
        writer.writerow(
            (
                text,
                found.commune_code or "",
                found.era or "",
                found.confidence,
                ";".join(found.candidates),
            )
        )


@contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None


def _from_file(path: Path) -> list[str]:
    """The addresses of a UTF-8 CSV: its address column, or its only one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise RejectedError(f"{path} is not UTF-8; save it as CSV UTF-8.") from None
    except csv.Error as error:
        raise RejectedError(f"{path} is not a CSV file: {error}.") from None
    if not rows:
        raise RejectedError(f"{path} is empty.")
    column = _column(path, [name.strip().lower() for name in rows[0]])
    return [row[column] for row in rows[1:] if len(row) > column and row[column].strip()]


def _column(path: Path, header: list[str]) -> int:
    for name in _COLUMNS:
        if name in header:
            return header.index(name)
    if len(header) == 1:
        return 0
    raise RejectedError(
        f"{path} has no address column: name it address, recorded_address or dia_chi, "
        f"or leave it the only column. Its columns are: {', '.join(header)[:200]}."
    )
