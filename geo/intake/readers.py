"""READERS: file format → rows. The content decides the format, not the name."""

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyogrio
import shapely

from geo.errors import RejectedError, UsageError
from geo.intake.csv_reader import encoding_of, read_csv
from geo.intake.json_rows import read_geojson
from geo.intake.source import PROBLEM, Source
from geo.intake.xlsx_reader import read_xlsx

_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls); save it as .xlsx or CSV UTF-8"),
    (b"%PDF", "a PDF; the table itself is needed, as XLSX or CSV"),
    (b"\x1f\x8b", "compressed (gzip); unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"\x00\x00\x27\x0a", "a shapefile; save it as GeoPackage or GeoJSON"),
    (b"PAR1", "a Parquet file; save it as GeoPackage or CSV"),
    (b"\xff\xfe\x00\x00", "text in UTF-32; save it as CSV UTF-8"),
    (b"\x00\x00\xfe\xff", "text in UTF-32; save it as CSV UTF-8"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89PNG", "a picture"),
)


def read_gpkg(path: Path) -> Source:
    """Open the only layer of a GeoPackage; `line` is the feature's number, from 1.

    Points in another CRS than EPSG:4326 carry it in the column `crs`. Raises RejectedError for a
    damaged file and for several layers.
    """
    with path.open("rb") as file:
        if file.read(72)[68:70] != b"GP":
            raise RejectedError(f"{path.name} is an SQLite database but no GeoPackage.")
    try:
        with _named_gpkg(path) as named:
            layers = [str(name) for name, _kind in pyogrio.list_layers(named)]
            if len(layers) != 1:
                raise RejectedError(
                    f"{path.name} must hold one layer and holds {len(layers)}: {', '.join(layers)}."
                )
            info = pyogrio.read_info(named, layer=layers[0])
    except pyogrio.errors.DataSourceError:
        raise RejectedError(f"{path.name} is not a readable GeoPackage.") from None
    fields = tuple(str(name).strip().lower() for name in info["fields"])
    return Source(_gpkg_rows(path, layers[0]), fields, info["features"])


@contextmanager
def _named_gpkg(path: Path) -> Generator[Path]:
    """The file under a name that makes GDAL take it for what it is."""
    with tempfile.TemporaryDirectory(prefix="ancu-gpkg-") as folder:
        link = Path(folder) / "file.gpkg"
        link.symlink_to(path.absolute())
        yield link


def _gpkg_rows(path: Path, layer: str) -> Iterator[tuple[int, dict[str, object]]]:
    number = 0
    try:
        with (
            _named_gpkg(path) as named,
            pyogrio.open_arrow(named, layer=layer, batch_size=10_000, use_pyarrow=True) as opened,
        ):
            meta, batches = opened
            shape_column = meta["geometry_name"] or "wkb_geometry"
            crs = meta["crs"] if meta["crs"] not in ("EPSG:4326", "OGC:CRS84") else None
            for batch in batches:
                for feature in batch.to_pylist():
                    number += 1
                    yield number, _gpkg_row(feature, shape_column, crs)
    except pyogrio.errors.DataSourceError as error:
        raise RejectedError(
            f"{path.name} cannot be read behind feature {number}: {error}"
        ) from None


def _gpkg_row(feature: dict[str, object], shape_column: str, crs: str | None) -> dict[str, object]:
    wkb = feature.pop(shape_column, None)
    row = {
        name.strip().lower(): value
        for name, value in feature.items()
        if value is not None and value != ""
    }
    shape = shapely.from_wkb(wkb) if wkb is not None else None
    if shape is None or shape.is_empty:
        return row
    if shape.geom_type != "Point":
        return row | {PROBLEM: f"the geometry is a {shape.geom_type}, a Point is needed"}
    row.update(lon=shape.x, lat=shape.y)
    if crs and "crs" not in row:
        row["crs"] = crs
    return row


READERS: dict[str, Callable[[Path], Source]] = {
    "csv": read_csv,
    "xlsx": read_xlsx,
    "geojson": read_geojson,
    "gpkg": read_gpkg,
}


def open_source(path: Path) -> Source:
    """The rows of a file of any of the READERS' formats.

    Raises UsageError when there is no such readable file, RejectedError when it is no such format.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name one file.")
    try:
        return READERS[format_of(path)](path)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.") from None
    except PermissionError:
        raise UsageError(f"{path} may not be read by this user.") from None


def format_of(path: Path) -> str:
    """Which of READERS reads the file, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise RejectedError(f"{path.name} is empty: it has no header and no rows.")
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            raise RejectedError(f"{path.name} is {what}.")
    if start.startswith(b"PK"):
        return "xlsx"
    if start.startswith(b"SQLite format 3\x00"):
        return "gpkg"
    if b"\x00" in start and encoding_of(path) != "utf-16":
        if _looks_like_utf16(start):
            raise RejectedError(
                f"{path.name} looks like UTF-16 without a byte order mark. Save it as CSV UTF-8."
            )
        raise RejectedError(
            f"{path.name} is neither text nor a format that is read here: {', '.join(READERS)}."
        )
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"["):
        raise RejectedError(f"{path.name} is a JSON list; a GeoJSON FeatureCollection is needed.")
    return "geojson" if text.startswith(b"{") else "csv"


def _looks_like_utf16(start: bytes) -> bool:
    """Whether most of every other byte is zero, as in UTF-16 that is mostly ASCII."""
    zeros = sorted((start[0::2].count(0), start[1::2].count(0)))
    return zeros[1] > len(start) / 5 and zeros[0] * 10 < zeros[1]
