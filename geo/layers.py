"""LAYERS: what maps show of the records, as vector tiles (MVT).

From `POINTS_FROM` on a tile holds single points; above it, where a tile may cover the whole
country, a grid of cells with their counts per class. A record stands in exactly one tile of a
zoom: tiles are half-open and nothing is buffered, so that counts add up.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Float, Select, Table, and_, cast, func, literal, select

from geo import households, sites, surveys
from geo.areas import Area
from geo.errors import NotFoundError, UsageError
from geo.tables import household, site, survey
from geo.terms import STAGE_TERMS, STATUS_TERMS, VERDICT_TERMS, Term

POINTS_FROM = 10
MAX_ZOOM = 22
CELLS = 64
"""Cells of a tile's side below POINTS_FROM."""

_EXTENT = 4096


@dataclass(frozen=True)
class StyleClass:
    """One value of a layer's class attribute: its names for the legend and its colour."""

    key: str
    vi: str
    en: str
    colour: str


@dataclass(frozen=True)
class Layer:
    """One map layer.

    A point carries `fields` (tile attribute → column) and its class under `class_field`; a cell
    carries `count` and, for each class present, its number under the class's key.
    """

    name: str
    vi: str
    en: str
    table: Table
    class_field: str
    classes: tuple[StyleClass, ...]
    fields: dict[str, str]
    filters: tuple[str, ...]
    conditions: Callable[..., list[Any]]


def _classes(terms: dict[str, Term], colours: dict[str, str]) -> tuple[StyleClass, ...]:
    return tuple(StyleClass(key, *names, colours[key]) for key, names in terms.items())


_GREY, _PINK, _YELLOW, _SKY, _BLUE = "#6b7280", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2"
_VERDICTS = _classes(
    VERDICT_TERMS,
    {"inside": _BLUE, "uncertain": _YELLOW, "outside": "#d55e00", "unlocated": _GREY},
)
_STATUSES = _classes(
    STATUS_TERMS, {"poor": "#94330c", "near_poor": "#f49b45", "average": "#63a8d3", "none": _BLUE}
)
_STAGES = _classes(
    STAGE_TERMS,
    {"proposed": _GREY, "verified": _GREY, "approved": _PINK}
    | dict.fromkeys(("started", "foundation", "frame", "roof"), _YELLOW)
    | {"completed": _SKY, "accepted": _SKY, "handed_over": _BLUE},
)

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer(
            "surveys",
            "Phiếu rà soát",
            "Surveys",
            survey,
            "verdict",
            _VERDICTS,
            {"id": "survey_id"},
            ("verdict", "rule", "since"),
            surveys.conditions,
        ),
        Layer(
            "households",
            "Hộ",
            "Households",
            household,
            "status",
            _STATUSES,
            {"province_code": "province_code", "id": "household_code"},
            ("status", "since"),
            households.conditions,
        ),
        Layer(
            "sites",
            "Nhà",
            "Sites",
            site,
            "stage",
            _STAGES,
            {"province_code": "province_code", "id": "site_code"},
            ("stage", "verdict", "since"),
            sites.conditions,
        ),
    )
}


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in degrees (EPSG:4326).

    An edge has the same bits seen from both tiles that share it. Formula: OSM slippy map tiles.
    """
    return _lon(x, z), _lat(y + 1, z), _lon(x + 1, z), _lat(y, z)


def _lon(x: int, z: int) -> float:
    return x / (1 << z) * 360.0 - 180.0


def _lat(y: int, z: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << z)))))


def tile(
    conn: Connection,
    name: str,
    z: int,
    x: int,
    y: int,
    area: Area,
    **filters: str | datetime | None,
) -> bytes:
    """One vector tile (MVT, layer called as LAYERS calls it) of an area's records; may be empty.

    Filters are those that the layer names. Raises NotFoundError for a layer or tile that does not
    exist and UsageError for a filter that the layer has not.
    """
    layer = LAYERS.get(name)
    if layer is None:
        raise NotFoundError(f"There is no layer {name[:40]!r}; there are: {', '.join(LAYERS)}.")
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise NotFoundError(f"There is no tile {z}/{x}/{y}; zooms are 0 to {MAX_ZOOM}.")
    given = {key: value for key, value in filters.items() if value is not None}
    for key in given:
        if key not in layer.filters:
            allowed = ", ".join(("area", *layer.filters))
            raise UsageError(f"The layer {name} has no filter {key!r}; it has: {allowed}.")
    box = bounds(z, x, y)
    inside = and_(*layer.conditions(area, **given), _within(layer.table, box))
    rows = _points(layer) if z >= POINTS_FROM else _cells(layer, box)
    found = rows.where(inside).subquery()
    placed = select(
        func.ST_AsMVTGeom(
            func.ST_Transform(found.c.point, 3857),
            func.ST_TileEnvelope(z, x, y),
            _EXTENT,
            0,
            False,
        ).label("geom"),
        *(column for column in found.c if column.name != "point"),
    ).subquery()
    made = conn.execute(select(func.ST_AsMVT(placed.table_valued(), name, _EXTENT, "geom")))
    return bytes(made.scalar_one())


def _within(table: Table, box: tuple[float, float, float, float]) -> Any:
    """Half-open: the west and north edges belong to the tile, the east and south edges do not."""
    west, south, east, north = box
    lon, lat = func.ST_X(table.c.geom), func.ST_Y(table.c.geom)
    return and_(
        table.c.geom.op("&&")(func.ST_MakeEnvelope(*box, 4326)),
        lon >= west,
        lon < east,
        lat > south,
        lat <= north,
    )


def _points(layer: Layer) -> Select:
    columns = [layer.table.c[column].label(field) for field, column in layer.fields.items()]
    return select(
        layer.table.c.geom.label("point"), layer.table.c[layer.class_field], *map(_as_text, columns)
    )


def _as_text(column: Any) -> Any:
    return func.concat(column).label(column.name)


def _cells(layer: Layer, box: tuple[float, float, float, float]) -> Select:
    """Cells of equal degrees; a cell stands where its records are on average."""
    west, south, east, north = box
    lon, lat = func.ST_X(layer.table.c.geom), func.ST_Y(layer.table.c.geom)
    class_column = layer.table.c[layer.class_field]
    return select(
        func.ST_SetSRID(func.ST_MakePoint(func.avg(lon), func.avg(lat)), 4326).label("point"),
        func.count().label("count"),
        # ST_AsMVT leaves an attribute out where it is null.
        *(
            func.nullif(func.count().filter(class_column == c.key), 0).label(c.key)
            for c in layer.classes
        ),
    ).group_by(
        func.floor((lon - west) * cast(literal(CELLS / (east - west)), Float)),
        func.floor((lat - south) * cast(literal(CELLS / (north - south)), Float)),
    )
