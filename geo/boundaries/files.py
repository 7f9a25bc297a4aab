"""Reads boundary files, and repairs or refuses their polygons one by one."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyogrio
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from geo.errors import RejectedError, UsageError
from geo.text import clean

COUNTRY_BOX = (102.0, 6.0, 118.0, 24.0)
"""Longitudes and latitudes that hold the mainland and the islands; degrees, EPSG:4326."""

DEFAULT_ACCURACY_M = 25.0
"""1 σ of a border where the source states none: half a millimetre on a map of 1:50,000."""

SUFFIXES = (".parquet", ".geoparquet", ".gpkg", ".geojson", ".json", ".shp", ".zip")
"""What boundary files are called."""

_CODE_COLUMNS = ("code", "ma_xa", "maxa", "ward_code", "ma")
_NAME_COLUMNS = ("full_name", "name", "ten_xa", "tenxa", "ten")
_PARENT_COLUMNS = ("province_code", "parent_code", "ma_tinh", "matinh")
_DIGITS = {"commune": 5, "province": 2}
_AUTHALIC = Transformer.from_crs("EPSG:4326", "+proj=cea +ellps=WGS84", always_xy=True)


@dataclass(frozen=True)
class LoadOptions:
    """What the caller knows about a file: its columns, source, licence and accuracy (1 σ, m)."""

    level: str = "commune"
    code_column: str | None = None
    name_column: str | None = None
    parent_column: str | None = None
    valid_from: date | None = None
    accuracy_m: float = DEFAULT_ACCURACY_M
    source: str = ""
    licence: str = ""
    layer: str | None = None
    sketch: bool = False


@dataclass(frozen=True)
class Polygons:
    """What a source offers: n rows with code, name, parent code ('' = none) and shape, EPSG:4326.

    `repaired` says for a position what was wrong and how much area changed.
    """

    codes: list[str]
    names: list[str]
    parents: list[str]
    shapes: np.ndarray
    notes: list[str] = field(default_factory=list)
    repaired: dict[int, str] = field(default_factory=dict)


def read(path: Path, options: LoadOptions) -> Polygons:
    """Read GeoParquet, GeoPackage, GeoJSON or Shapefile (also zipped) into usable polygons.

    Raises UsageError for a wrong path, option or column, and RejectedError that names every row
    that cannot be used.
    """
    frame = _read_frame(path, options.layer)
    notes: list[str] = []
    if frame.crs is None:
        raise RejectedError(
            f"{path.name} does not say its coordinate system. Add it to the file "
            "(for a Shapefile: the .prj file)."
        )
    shapes = _in_wgs84(np.asarray(frame.geometry, dtype=object), frame.crs, notes)
    digits = _DIGITS[options.level]
    codes = _column(frame, "--code-column", options.code_column, _CODE_COLUMNS, digits, notes)
    if codes is None:
        raise UsageError(
            f"{path.name} has no column of codes that is known by its name; give --code-column. "
            f"Its columns: {', '.join(map(str, frame.columns))}."
        )
    nothing = [""] * len(frame)
    names = _column(frame, "--name-column", options.name_column, _NAME_COLUMNS, 0, notes)
    parents = _column(frame, "--parent-column", options.parent_column, _PARENT_COLUMNS, 2, notes)
    return usable(Polygons(codes, names or nothing, parents or nothing, shapes, notes))


def usable(polygons: Polygons) -> Polygons:
    """The same rows with valid multipolygons; raises RejectedError naming each unusable row."""
    shapes = shapely.force_2d(polygons.shapes)
    if len(shapes) == 0:
        raise RejectedError("There is no polygon to load.")
    problems = [(i + 1, problem) for i, problem in _problems(polygons.codes, shapes)]
    repaired: dict[int, str] = {}
    if not problems:
        for i in np.flatnonzero(~shapely.is_valid(shapes)):
            shapes[i], repaired[int(i)] = repair(shapes[i])
            if shapely.is_empty(shapes[i]):
                problems.append((int(i) + 1, f"nothing is left of it: {repaired[int(i)]}"))
    if problems:
        named: list[tuple[int | None, str]] = [
            (row, f"{_label(polygons, row - 1)}: {reason}") for row, reason in problems
        ]
        raise RejectedError(
            f"{len(named)} of {len(shapes)} rows cannot be used; nothing was stored.", named[:20]
        )
    return Polygons(
        polygons.codes,
        polygons.names,
        polygons.parents,
        as_multi(shapes),
        polygons.notes,
        repaired,
    )


def repair(shape: shapely.Geometry) -> tuple[shapely.Geometry, str]:
    """Make one polygon valid, keeping only its areas; says what was wrong and what changed."""
    wrong = shapely.is_valid_reason(shape)
    before = areas_m2(np.array([shape]))[0]
    fixed = polygons_only(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    after = areas_m2(np.array([fixed]))[0]
    return fixed, f"{wrong}; area {before / 1e4:.2f} ha became {after / 1e4:.2f} ha"


def polygons_only(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """The polygons of a geometry as one multipolygon; lines and points are dropped."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon(list(parts[shapely.get_type_id(parts) == 3]))


def as_multi(shapes: np.ndarray) -> np.ndarray:
    """Every polygon as a multipolygon."""
    return np.array([polygons_only(s) for s in shapes], dtype=object)


def areas_m2(shapes: np.ndarray) -> np.ndarray:
    """Areas on the WGS 84 ellipsoid in m², by the cylindrical equal-area projection."""
    flat = shapely.transform(
        shapes, lambda xy: np.column_stack(_AUTHALIC.transform(xy[:, 0], xy[:, 1]))
    )
    return shapely.area(flat)


def digest(*paths: Path) -> str:
    """SHA-256 of the files' contents, in the order given."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _read_frame(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise UsageError(f"{path} is not a file.")
    try:
        if suffix in (".parquet", ".geoparquet"):
            return geopandas.read_parquet(path)
        if suffix not in SUFFIXES:
            raise UsageError(
                f"{path.name} is of no kind that can be read: GeoParquet (.parquet), GeoPackage "
                "(.gpkg), GeoJSON (.geojson), Shapefile (.shp, or all its files in .zip)."
            )
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if layer is not None and layer not in layers:
            raise UsageError(f"{path.name} has no layer {layer}. Its layers: {', '.join(layers)}.")
        if layer is None and len(layers) > 1:
            raise UsageError(
                f"{path.name} has several layers; choose one by --layer: {', '.join(layers)}."
            )
        frame = geopandas.read_file(path, layer=layer or layers[0])
    except (pyogrio.errors.DataSourceError, OSError, ValueError, IndexError) as error:
        raise RejectedError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise RejectedError(f"{path.name} holds a table without geometry.")
    return frame


def _in_wgs84(shapes: np.ndarray, crs: CRS, notes: list[str]) -> np.ndarray:
    if crs.equals(CRS(4326), ignore_axis_order=True) or crs.to_string() == "OGC:CRS84":
        return shapes
    try:
        change = Transformer.from_crs(crs, 4326, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise RejectedError(
            f"The coordinate system {crs.name} cannot be transformed to WGS 84 exactly."
        ) from error
    notes.append(f"Coordinates were transformed from {crs.name} to WGS 84 ({change.description}).")
    present = ~shapely.is_missing(shapes)
    moved = shapes.copy()
    moved[present] = shapely.transform(
        shapes[present], lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
    )
    return moved


def _column(
    frame: geopandas.GeoDataFrame,
    option: str,
    named: str | None,
    usual: tuple[str, ...],
    digits: int,
    notes: list[str],
) -> list[str] | None:
    """The texts of a column, '' where missing; numbers get back the zeros that they lost."""
    by_name = {str(column).lower(): column for column in frame.columns}
    if named is not None and named.lower() not in by_name:
        raise UsageError(
            f"{option} {named}: there is no such column. Columns: {', '.join(by_name.values())}."
        )
    found = [named.lower()] if named else [name for name in usual if name in by_name]
    if not found:
        return None
    values = frame[by_name[found[0]]]
    if not pandas.api.types.is_numeric_dtype(values):
        return ["" if pandas.isna(v) else clean(str(v)) for v in values]
    if digits:
        notes.append(f"Column {found[0]} holds numbers; they were read as {digits}-digit codes.")
    return ["" if pandas.isna(v) else f"{v:.0f}".zfill(digits) for v in values]


def _problems(codes: list[str], shapes: np.ndarray) -> list[tuple[int, str]]:
    first: dict[str, int] = {}
    found: list[tuple[int, str]] = []
    west, south, east, north = COUNTRY_BOX
    for i, (code, shape) in enumerate(zip(codes, shapes, strict=True)):
        if not code:
            found.append((i, "it has no code"))
        elif first.setdefault(code, i) != i:
            found.append((i, f"its code is also that of row {first[code] + 1}"))
        if shape is None:
            found.append((i, "it has no geometry"))
        elif shape.is_empty:
            found.append((i, "its geometry is empty"))
        elif shape.geom_type not in ("Polygon", "MultiPolygon"):
            found.append((i, f"it is a {shape.geom_type}, not a polygon"))
        else:
            x0, y0, x1, y1 = shape.bounds
            if not (west <= x0 <= x1 <= east and south <= y0 <= y1 <= north):
                swapped = west <= y0 <= y1 <= east and south <= x0 <= x1 <= north
                why = "; latitude and longitude are swapped" if swapped else ""
                found.append((i, f"it lies outside Viet Nam{why}"))
    return found


def _label(polygons: Polygons, i: int) -> str:
    return " ".join(part for part in (polygons.codes[i], polygons.names[i][:60]) if part) or "-"
