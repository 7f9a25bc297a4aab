"""Extracts: what is written into files, row by row or in batches of columns."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

DEMO_NOTE = "Dữ liệu thử nghiệm, không có thật. Synthetic data: no real household is described."
BATCH = 20_000
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

SHAPE = "geometry"
"""The column of polygons, in extracts of areas."""

Cell = str | int | float | bytes | None
Row = Mapping[str, Any]
Advance = Callable[[int], None]
"""Told how many rows are written so far."""


def unheard(_done: int) -> None:
    """An `Advance` for nobody."""


def value(found: object) -> Cell:
    """A stored value as files hold it: times in Viet Nam's zone, lists by `;`, yes as 1."""
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, datetime):
        return found.astimezone(_ZONE).isoformat(timespec="seconds")
    if isinstance(found, date):
        return found.isoformat()
    if isinstance(found, list | tuple):
        return ";".join(map(str, found))
    if found is None or isinstance(found, int | float | str):
        return found
    return str(found)


def safe(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula: such text gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def for_xml(text: str) -> str:
    """The text without the characters that no XML document may hold."""
    return _NOT_XML.sub("", text)


@dataclass(frozen=True)
class Column:
    """One column of an extract.

    kind: text, int, float; flag (0 or 1); time (ISO 8601 with zone) and day (ISO 8601) as text;
    shape (a multipolygon as WKB); any where cells differ in kind.
    """

    name: str
    kind: str = "any"


_ARROW = {
    "int": pa.int64(),
    "float": pa.float64(),
    "flag": pa.int8(),
    "text": pa.string(),
    "time": pa.string(),
    "day": pa.string(),
    "shape": pa.binary(),
}


@dataclass(frozen=True)
class Extract:
    """Columns in order, and their rows; `located` ones have lon and lat (EPSG:4326).

    cells: gives the rows as cells in the order of the columns, anew with each call. batches: the
    same as Arrow batches of `schema`. demo: some rows are demo data.
    """

    name: str
    columns: tuple[Column, ...]
    cells: Callable[[], Iterable[Sequence[Cell]]]
    located: bool = False
    demo: bool = False
    arrow: Callable[[], Iterator[pa.RecordBatch]] | None = field(default=None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def shaped(self) -> bool:
        """Whether rows are polygons, in the column SHAPE, and no points."""
        return any(column.kind == "shape" for column in self.columns)

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow types; times and days are text."""
        return pa.schema([(c.name, _ARROW[c.kind]) for c in self.columns])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as batches of columns."""
        if self.arrow is not None:
            yield from self.arrow()
            return
        rows = iter(self.cells())
        while taken := list(islice(rows, BATCH)):
            columns = zip(*taken, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, self.schema, strict=True)]
            yield pa.record_batch(arrays, schema=self.schema)


def of_rows(
    name: str,
    columns: Iterable[str],
    rows: Iterable[Row],
    *,
    demo: bool = False,
    kinds: Mapping[str, str] | None = None,
) -> Extract:
    """An extract of rows at hand; `kinds` of columns are needed for Parquet only."""
    known = kinds or {}
    chosen = tuple(Column(one, known.get(one, "any")) for one in columns)
    names = [column.name for column in chosen]
    return Extract(
        name, chosen, lambda: ([value(row[one]) for one in names] for row in rows), demo=demo
    )


def of_batches(
    name: str,
    columns: Sequence[Column],
    batches: Callable[[], Iterator[pa.RecordBatch]],
    *,
    demo: bool,
) -> Extract:
    """An extract of located rows that come as Arrow batches."""

    def cells() -> Iterator[Sequence[Cell]]:
        for batch in batches():
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    return Extract(name, tuple(columns), cells, located=True, demo=demo, arrow=batches)
