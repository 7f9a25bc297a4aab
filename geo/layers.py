"""LAYERS: what maps show of the records, as vector tiles (MVT).

From `POINTS_FROM` on a tile holds single points; above it, where a tile may cover the whole
country, a grid of squares with their counts per class. A record stands in exactly one tile of a
zoom, that of its cell (see geo.cells), and nothing is buffered, so that counts add up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Select, Table, cast, func, literal, select

from geo import households, paging, scope, sites, surveys
from geo.areas import Area
from geo.cells import ZOOM, tile_range
from geo.errors import NotFoundError, UsageError
from geo.tables import household, site, survey
from geo.terms import STAGE_TERMS, STATUS_TERMS, VERDICT_TERMS, Term

POINTS_FROM = 10
MAX_ZOOM = 22
FINER = 6
"""Below POINTS_FROM a tile has the squares that are tiles so many zooms further: 64 by 64."""

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

    A point carries `fields` (tile attribute → column) and its class under `class_field`; a square
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

_PLACE = {"province_code": "province_code", "commune_code": "commune_code"}

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
            {"commune_code": "commune_code", "id": "survey_id"},
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
            {**_PLACE, "id": "household_code"},
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
            {**_PLACE, "id": "site_code"},
            ("stage", "verdict", "since"),
            sites.conditions,
        ),
    )
}


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
    inside = (*layer.conditions(area, **given), paging.in_range(layer.table, tile_range(z, x, y)))
    rows = _points(layer) if z >= POINTS_FROM else _squares(layer, z)
    found = rows.where(scope.within(conn, layer.table), *inside).subquery()
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


def _points(layer: Layer) -> Select:
    columns = [layer.table.c[column].label(field) for field, column in layer.fields.items()]
    return select(
        layer.table.c.geom.label("point"), layer.table.c[layer.class_field], *map(_as_text, columns)
    )


def _as_text(column: Any) -> Any:
    return func.concat(column).label(column.name)


def _squares(layer: Layer, z: int) -> Select:
    """Squares of the grid; one stands where its records are on average."""
    table = layer.table
    lon, lat = func.ST_X(table.c.geom), func.ST_Y(table.c.geom)
    class_column = table.c[layer.class_field]
    within_square = cast(literal(2 * (ZOOM - z - FINER)), Integer)
    return select(
        func.ST_SetSRID(func.ST_MakePoint(func.avg(lon), func.avg(lat)), 4326).label("point"),
        func.count().label("count"),
        # ST_AsMVT leaves an attribute out where it is null.
        *(
            func.nullif(func.count().filter(class_column == c.key), 0).label(c.key)
            for c in layer.classes
        ),
    ).group_by(table.c.cell.bitwise_rshift(within_square))
