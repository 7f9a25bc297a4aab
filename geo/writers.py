"""WRITERS: rows into a file of one format."""

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast
from zoneinfo import ZoneInfo

import geopandas
import openpyxl
import orjson
import pandas as pd
import shapely
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from geo.errors import UsageError

DEMO_NOTE = "Dữ liệu thử nghiệm, không có thật. Synthetic data: no real household is described."
XLSX_ROWS = 1_048_576
_BATCH = 20_000
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = dict[str, Any]


@dataclass(frozen=True)
class Extract:
    """What is written: columns in order, rows, whether rows have a place (lon, lat; EPSG:4326).

    `numbers` names the columns that hold numbers; `demo` tells that some rows are demo data.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Row]
    located: bool
    demo: bool
    numbers: frozenset[str]


def value(found: object) -> str | int | float | None:
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


def safe(cell: str | int | float | None) -> str | int | float | None:
    """A cell that no spreadsheet takes for a formula: such text gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_csv(extract: Extract, out: BinaryIO, bom: bool) -> int:
    """UTF-8 with a header; `bom` puts the mark in front by which Excel knows UTF-8."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig" if bom else "utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n" if bom else "\n")
    writer.writerow(extract.columns)
    count = 0
    for row in extract.rows:
        writer.writerow([safe(value(row[name])) for name in extract.columns])
        count += 1
    text.flush()
    text.detach()
    return count


def write_xlsx(extract: Extract, out: BinaryIO, _bom: bool) -> int:
    """One sheet, and one that says so where rows are demo data.

    Raises UsageError when there are more rows than a sheet holds.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(extract.name)
    if extract.demo:
        book.create_sheet("DEMO").append([DEMO_NOTE])
    sheet.append(list(extract.columns))
    count = 0
    for row in extract.rows:
        count += 1
        if count >= XLSX_ROWS:
            raise UsageError(f"An XLSX sheet holds {XLSX_ROWS} rows; choose csv or a smaller area.")
        sheet.append([_xlsx(safe(value(row[name]))) for name in extract.columns])
    book.save(out)
    return count


def _xlsx(cell: str | int | float | None) -> str | int | float | None:
    return ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell


def write_geojson(extract: Extract, out: BinaryIO, _bom: bool) -> int:
    """A FeatureCollection in EPSG:4326 (RFC 7946); a record without a point has geometry null."""
    head: dict[str, str] = {"type": "FeatureCollection", "name": extract.name}
    if extract.demo:
        head["note"] = DEMO_NOTE
    out.write(orjson.dumps(head)[:-1] + b',"features":[')
    count = 0
    for row in extract.rows:
        out.write((b",\n" if count else b"\n") + orjson.dumps(feature(row, extract.columns)))
        count += 1
    out.write(b"\n]}\n")
    return count


def feature(row: Row, columns: Iterable[str]) -> dict[str, Any]:
    """One GeoJSON feature; lon and lat become the geometry, the other columns properties."""
    point = None
    if row["lon"] is not None:
        point = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
    properties = {name: value(row[name]) for name in columns if name not in ("lon", "lat")}
    return {"type": "Feature", "geometry": point, "properties": properties}


def write_gpkg(extract: Extract, out: BinaryIO, _bom: bool) -> int:
    """A GeoPackage with one layer of points in EPSG:4326, written batch by batch."""
    rows = iter(extract.rows)
    count = 0
    with tempfile.TemporaryDirectory(prefix="ancu-") as folder:
        path = Path(folder, "export.gpkg")
        while (batch := list(islice(rows, _BATCH))) or not count:
            _frame(extract, batch).to_file(
                path,
                layer=extract.name,
                driver="GPKG",
                engine="pyogrio",
                geometry_type="Point",
                append=count > 0,
            )
            count += len(batch)
            if not batch:
                break
        with path.open("rb") as made:
            shutil.copyfileobj(made, out)
    return count


def _frame(extract: Extract, batch: list[Row]) -> geopandas.GeoDataFrame:
    def column(name: str) -> pd.Series:
        found = [value(row[name]) for row in batch]
        return pd.Series(found, dtype="float64" if name in extract.numbers else "object")

    names = [name for name in extract.columns if name not in ("lon", "lat")]
    points = [
        None if row["lon"] is None else shapely.Point(row["lon"], row["lat"]) for row in batch
    ]
    return geopandas.GeoDataFrame(
        {name: column(name) for name in names},
        geometry=geopandas.GeoSeries(points, crs="EPSG:4326"),
    )


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name only when the block ends well; raises UsageError."""
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    temporary = Path(name)
    try:
        with os.fdopen(number, "w+b") as file:
            yield cast(BinaryIO, file)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)


WRITERS: dict[str, Callable[[Extract, BinaryIO, bool], int]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "geojson": write_geojson,
    "gpkg": write_gpkg,
}
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
}
