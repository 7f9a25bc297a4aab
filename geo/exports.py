"""Exports: kinds of records as files, through WRITERS.

The database is read by COPY as fast as it gives: CSV is what it sends, every other format is
written from a temporary file after the database is free again. Text that a spreadsheet would run
as a formula is made safe in CSV and XLSX. Rows of demo data carry demo = 1.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pyarrow import csv as arrow_csv
from sqlalchemy import Connection

from geo import area_figures, copying_out, export_columns, indicators, metrics
from geo.areas import Area
from geo.errors import UsageError
from geo.export_columns import RECORDS
from geo.writing import MEDIA_TYPES as MEDIA_TYPES
from geo.writing import TABLES, WRITERS
from geo.writing.csv_files import BOM
from geo.writing.extract import Extract, of_batches, of_rows
from geo.writing.whole import room, whole

Step = Callable[[str, int, int], None]
"""Told how far it is: read or write, rows done, rows in all."""
Begun = Callable[[int | None], None]
"""Told before the first byte how many rows there are, None where nobody has counted."""

FIGURES: dict[str, Callable[[Connection, Area], Extract]] = {
    "progress": lambda conn, area: progress_extract(conn, area),
    "statistics": indicators.extract,
    "areas": area_figures.extract,
}
KINDS = (*RECORDS, *FIGURES)
_BLOCK = 2 * 1024 * 1024


def _silent(_stage: str, _done: int, _total: int) -> None:
    pass


def _unheard(_rows: int | None) -> None:
    pass


class Export:
    """One export of a kind of records: counted, then read from the database, then written.

    total: how many rows there are; demo: whether some are demo data. `filters` are those of the
    kind's listing; None means not given. Raises UsageError for an unknown kind or format.
    """

    def __init__(
        self, conn: Connection, kind: str, area: Area, format: str, **filters: Any
    ) -> None:
        check(kind, format)
        self.kind, self.format = kind, format
        of = RECORDS[kind]
        self._spool: BinaryIO | None = None
        self.total, self.demo = conn.execute(of.counted(conn, area, **filters)).one()
        self._columns = of.columns
        self._joined = of.joins(self.total, **filters)
        self._query = of.selected(conn, area, joined=self._joined, **filters)

    def read(
        self,
        conn: Connection,
        out: BinaryIO,
        *,
        bom: bool = False,
        step: Step = _silent,
        folder: Path | None = None,
    ) -> None:
        """Read all rows, in the transaction that counted them: CSV to `out`, others aside.

        bom: for Excel. folder: where the temporary file lies. Raises UnavailableError.
        """
        if self.format == "csv":
            header = ",".join(column.name for column in self._columns)
            end = b"\r\n" if bom else b"\n"
            with room():
                out.write((BOM if bom else b"") + header.encode() + end)
            query, into = export_columns.for_csv(self._columns, self._query), out
        else:
            end = b"\n"
            with room():
                self._spool = cast(BinaryIO, tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
            query, into = export_columns.plain(self._columns, self._query), self._spool
        try:
            self.total = copying_out.copy(
                conn,
                query,
                into,
                end,
                lambda done: step("read", done, self.total),
                nested=not self._joined,
            )
        except BaseException:
            if self._spool is not None:
                self._spool.close()
            raise

    def write(self, out: BinaryIO, *, bom: bool = False, step: Step = _silent) -> int:
        """Write what was read to `out`; the number of rows. Raises UnavailableError."""
        if self._spool is None:
            return self.total
        with self._spool, room():
            extract = of_batches(self.kind, self._columns, self._batches, demo=self.demo)
            return WRITERS[self.format](
                extract, out, bom, lambda done: step("write", done, self.total)
            )

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if not self.total or self._spool is None:
            return
        self._spool.seek(0)
        schema = Extract(self.kind, self._columns, tuple).schema
        reader = arrow_csv.open_csv(
            self._spool,
            arrow_csv.ReadOptions(column_names=schema.names, block_size=_BLOCK, use_threads=False),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        yield from reader


def check(kind: str, format: str) -> None:
    """Raise UsageError for an unknown kind or format, or one that the kind does not have."""
    if format not in WRITERS:
        raise UsageError(f"{format!r} is no format; there are: {', '.join(WRITERS)}.")
    if kind not in KINDS:
        raise UsageError(f"{kind!r} cannot be exported; there are: {', '.join(KINDS)}.")
    if kind == "areas":
        if format not in area_figures.FORMATS:
            choice = " or ".join(area_figures.FORMATS)
            raise UsageError(f"{kind} are polygons with figures; choose {choice}.")
    elif kind not in RECORDS and format not in TABLES:
        raise UsageError(f"{kind} has no positions of its own; choose {' or '.join(TABLES)}.")


def export(
    conn: Connection,
    kind: str,
    area: Area,
    format: str,
    out: BinaryIO | Path,
    *,
    bom: bool = False,
    step: Step = _silent,
    begun: Begun = _unheard,
    **filters: Any,
) -> int:
    """Write the area's records of a kind; returns the number of rows.

    A path gets its file only when all of it is written. `bom` marks CSV as UTF-8 for Excel.
    `filters` are those of the kind's listing; None means not given.
    Raises UsageError for an unknown kind or format, or one that the kind does not have.
    """
    check(kind, format)
    if isinstance(out, Path):
        with whole(out) as file:
            return _export(conn, kind, area, format, file, bom, step, begun, out.parent, filters)
    return _export(conn, kind, area, format, out, bom, step, begun, None, filters)


def _export(
    conn: Connection,
    kind: str,
    area: Area,
    format: str,
    out: BinaryIO,
    bom: bool,
    step: Step,
    begun: Begun,
    folder: Path | None,
    filters: dict[str, Any],
) -> int:
    if kind not in RECORDS:
        begun(None)
        return WRITERS[format](FIGURES[kind](conn, area), out, bom, lambda _done: None)
    made = Export(conn, kind, area, format, **filters)
    begun(made.total)
    made.read(conn, out, bom=bom, step=step, folder=folder)
    return made.write(out, bom=bom, step=step)


def progress_extract(conn: Connection, area: Area) -> Extract:
    """The figures of the area's children and of itself, to be written."""
    columns = ("code", "full_name", "level", *metrics.METRICS)
    kinds = {"count": "int", "money": "int", "ratio": "float", "time": "time"}
    return of_rows(
        "progress",
        columns,
        progress_rows(conn, area),
        demo=export_columns.any_demo(conn, area),
        kinds=dict.fromkeys(columns[:3], "text")
        | {key: kinds[metric.kind] for key, metric in metrics.METRICS.items()},
    )


def progress_rows(conn: Connection, area: Area) -> list[dict[str, Any]]:
    """The area's children and, last, the area itself, with all METRICS."""
    own = {"code": area.code, "full_name": area.full_name, "level": area.level}
    return [*metrics.children_figures(conn, area), {**own, **metrics.figures(conn, area)}]
