"""Layers of records: single points at large scales, squares with their counts at small ones.

From `POINTS_FROM` on a tile holds single points; above it, where a tile may cover the whole
country, a grid of squares with their counts per class. A record stands in exactly one tile of a
zoom, that of its cell (see geo.cells), and nothing is buffered, so that counts add up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, Table, cast, func, literal, select

from geo import households, paging, scope, sites, surveys
from geo.areas import Area
from geo.cells import ZOOM, tile_range
from geo.layers.layer import EXTENT, Layer, StyleClass, Tile, styled
from geo.tables import household, site, survey
from geo.terms import STAGE_TERMS, STATUS_TERMS, VERDICT_TERMS

POINTS_FROM = 10
FINER = 6
"""Below POINTS_FROM a tile has the squares that are tiles so many zooms further: 64 by 64."""


@dataclass(frozen=True)
class _Records:
    """Where a layer's records stand.

    A point carries `fields` (tile attribute → column) and its class under `class_field`; a square
    carries `count` and, for each class present, its number under the class's key.
    """

    name: str
    table: Table
    class_field: str
    classes: tuple[StyleClass, ...]
    fields: dict[str, str]
    conditions: Callable[..., list[Any]]

    def draw(self, conn: Connection, at: Tile, area: Area, filters: Mapping[str, Any]) -> bytes:
        inside = (*self.conditions(area, **filters), paging.in_range(self.table, tile_range(*at)))
        rows = self._points() if at.z >= POINTS_FROM else self._squares(at.z)
        found = rows.where(scope.within(conn, self.table), *inside).subquery()
        placed = select(
            func.ST_AsMVTGeom(
                func.ST_Transform(found.c.point, 3857),
                func.ST_TileEnvelope(*at),
                EXTENT,
                0,
                False,
            ).label("geom"),
            *(column for column in found.c if column.name != "point"),
        ).subquery()
        made = conn.execute(select(func.ST_AsMVT(placed.table_valued(), self.name, EXTENT, "geom")))
        return bytes(made.scalar_one())

    def _points(self) -> Select:
        columns = [self.table.c[column].label(field) for field, column in self.fields.items()]
        return select(
            self.table.c.geom.label("point"),
            self.table.c[self.class_field],
            *map(_as_text, columns),
        )

    def _squares(self, z: int) -> Select:
        """Squares of the grid; one stands where its records are on average."""
        table = self.table
        lon, lat = func.ST_X(table.c.geom), func.ST_Y(table.c.geom)
        class_column = table.c[self.class_field]
        within_square = cast(literal(2 * (ZOOM - z - FINER)), Integer)
        return select(
            func.ST_SetSRID(func.ST_MakePoint(func.avg(lon), func.avg(lat)), 4326).label("point"),
            func.count().label("count"),
            # ST_AsMVT leaves an attribute out where it is null.
            *(
                func.nullif(func.count().filter(class_column == c.key), 0).label(c.key)
                for c in self.classes
            ),
        ).group_by(table.c.cell.bitwise_rshift(within_square))


def _as_text(column: Any) -> Any:
    return func.concat(column).label(column.name)


_GREY, _PINK, _YELLOW, _SKY, _BLUE = "#6b7280", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2"
_VERDICTS = styled(
    VERDICT_TERMS,
    {"inside": _BLUE, "uncertain": _YELLOW, "outside": "#d55e00", "unlocated": _GREY},
)
_STATUSES = styled(
    STATUS_TERMS, {"poor": "#94330c", "near_poor": "#f49b45", "average": "#63a8d3", "none": _BLUE}
)
_STAGES = styled(
    STAGE_TERMS,
    {"proposed": _GREY, "verified": _GREY, "approved": _PINK}
    | dict.fromkeys(("started", "foundation", "frame", "roof"), _YELLOW)
    | {"completed": _SKY, "accepted": _SKY, "handed_over": _BLUE},
)

_PLACE = {"province_code": "province_code", "commune_code": "commune_code"}
_OF_SURVEYS = {"commune_code": "commune_code", "id": "survey_id"}
_OF_HOUSEHOLDS = {**_PLACE, "id": "household_code"}
_OF_SITES = {**_PLACE, "id": "site_code"}

SURVEYS = Layer(
    "surveys",
    "Phiếu rà soát",
    "Surveys",
    "verdict",
    _VERDICTS,
    ("verdict", "rule", "since"),
    _Records("surveys", survey, "verdict", _VERDICTS, _OF_SURVEYS, surveys.conditions).draw,
)
HOUSEHOLDS = Layer(
    "households",
    "Hộ",
    "Households",
    "status",
    _STATUSES,
    ("status", "since"),
    _Records(
        "households", household, "status", _STATUSES, _OF_HOUSEHOLDS, households.conditions
    ).draw,
)
SITES = Layer(
    "sites",
    "Nhà",
    "Sites",
    "stage",
    _STAGES,
    ("stage", "verdict", "since"),
    _Records("sites", site, "stage", _STAGES, _OF_SITES, sites.conditions).draw,
)
