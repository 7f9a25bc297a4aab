"""Shapefiles, zipped: .shp, .shx, .dbf, .prj, .cpg (UTF-8), and a table of the columns' names."""

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from geo.writing import ogr
from geo.writing.extract import DEMO_NOTE, Advance, Extract, unheard

WIDEST = 254
PART_BYTES = 2_000_000_000
_NAME = 10
_NUMBER_WIDTH = {"int": 18, "float": 24, "flag": 4}
_README = "columns.csv"


def write(
    extract: Extract,
    out: BinaryIO,
    _bom: bool,
    advance: Advance = unheard,
    part_bytes: int = PART_BYTES,
) -> int:
    """Points in EPSG:4326; several shapefiles where one would be too large for the format.

    Names have at most 10 characters and texts 254 bytes: `columns.csv` in the zip leads from the
    short names to the columns and tells how many texts were cut.
    """
    short = short_names([name for name in extract.names if name not in ("lon", "lat")])
    widths = _widths(extract)
    a_part = max(1, part_bytes // (1 + sum(widths.values())))
    cut = dict.fromkeys(short, 0)
    count = number = 0
    batches = _short(extract, short, widths, cut)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        pending: pa.RecordBatch | None = next(batches, None)
        while pending is not None or not number:
            number += 1
            name = extract.name if number == 1 else f"{extract.name}_{number}"
            part = _Part(pending, batches, a_part, advance, count)
            _store(archive, name, _schema(extract, short, widths), part)
            pending, count = part.left, part.count
        archive.writestr(_README, _table(short, cut))
        if extract.demo:
            archive.writestr("DEMO.txt", f"{DEMO_NOTE}\n")
    advance(count)
    return count


def short_names(names: list[str]) -> dict[str, str]:
    """Column → name of at most 10 ASCII characters, each once whatever its case."""
    taken: dict[str, str] = {}
    for name in names:
        plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
        one, number = plain[:_NAME], 1
        while one.lower() in {given.lower() for given in taken.values()}:
            number += 1
            one = f"{plain[: _NAME - len(str(number))]}{number}"
        taken[name] = one
    return taken


def _widths(extract: Extract) -> dict[str, int]:
    """Bytes that each column takes in the .dbf, found by reading all rows once."""
    widths = {c.name: _NUMBER_WIDTH.get(c.kind, 1) for c in extract.columns}
    texts = [c.name for c in extract.columns if c.kind not in _NUMBER_WIDTH]
    for batch in extract.batches():
        for name in texts:
            longest = pc.max(pc.binary_length(batch[name])).as_py() or 0
            widths[name] = min(WIDEST, max(widths[name], longest))
    return {name: width for name, width in widths.items() if name not in ("lon", "lat")}


def _schema(extract: Extract, short: dict[str, str], widths: dict[str, int]) -> pa.Schema:
    fields = []
    for field in ogr.schema_of(extract):
        if field.name == ogr.GEOMETRY:
            fields.append(field)
            continue
        width = (
            {"GDAL:OGR:width": str(widths[field.name])} if pa.types.is_string(field.type) else {}
        )
        fields.append(pa.field(short[field.name], field.type, metadata=width or None))
    return pa.schema(fields)


def _short(
    extract: Extract, short: dict[str, str], widths: dict[str, int], cut: dict[str, int]
) -> Iterator[pa.RecordBatch]:
    """The batches as the format holds them; `cut` counts texts that were too long."""
    schema, inner = _schema(extract, short, widths), ogr.schema_of(extract)
    for batch in extract.batches():
        columns = []
        for field, column in zip(inner, ogr.shaped(batch, inner).columns, strict=True):
            if pa.types.is_string(field.type):
                column, shortened = _cut(column)
                cut[field.name] += shortened
            columns.append(column)
        yield pa.record_batch(columns, schema=schema)


def _cut(column: pa.Array) -> tuple[pa.Array, int]:
    """The texts cut to 254 bytes between characters, and how many were."""
    long = pc.greater(pc.binary_length(column), WIDEST)
    number = pc.sum(long).as_py() or 0
    if not number:
        return column, 0
    texts = [
        None if one is None else one.encode()[:WIDEST].decode(errors="ignore")
        for one in column.to_pylist()
    ]
    return pa.array(texts, column.type), number


class _Part:
    """The batches of one shapefile: up to `limit` rows; what is left of the last batch after."""

    def __init__(
        self,
        first: pa.RecordBatch | None,
        more: Iterator[pa.RecordBatch],
        limit: int,
        advance: Advance,
        count: int,
    ) -> None:
        self.left, self.more, self.limit = first, more, limit
        self.advance, self.count = advance, count

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches, once."""
        room = self.limit
        while self.left is not None and room:
            batch = self.left.slice(0, room)
            rest = self.left.slice(room)
            self.left = rest if len(rest) else next(self.more, None)
            room -= len(batch)
            self.count += len(batch)
            yield batch
            self.advance(self.count)


def _store(archive: zipfile.ZipFile, name: str, schema: pa.Schema, part: _Part) -> None:
    with tempfile.TemporaryDirectory(prefix="ancu-") as folder:
        path = Path(folder, f"{name}.shp")
        ogr.store(name, path, schema, part.batches, driver="ESRI Shapefile", ENCODING="UTF-8")
        for file in sorted(Path(folder).iterdir()):
            with file.open("rb") as made, archive.open(file.name, "w", force_zip64=True) as kept:
                shutil.copyfileobj(made, kept, 1 << 20)
            file.unlink()


def _table(short: dict[str, str], cut: dict[str, int]) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["name", "column", "texts_cut"])
    writer.writerows((one, name, cut[name]) for name, one in short.items())
    return table.getvalue()
