"""The layer of areas: polygons in the resolution that fits the zoom, and each area's name once."""

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from geo.areas import COUNTRY, Area
from geo.boundaries.drawing import FINEST, resolution
from geo.cells import tile_range
from geo.db import sql
from geo.errors import UsageError
from geo.layers.layer import EXTENT, Layer, StyleClass, Tile

COMMUNES_FROM = 8
"""Below this zoom a tile has provinces unless communes are asked for."""

_LEVELS = {
    "country": StyleClass("country", "Cả nước", "The country", "#1f2937"),
    "province": StyleClass("province", "Tỉnh, thành phố", "Provinces", "#4b5563"),
    "commune": StyleClass("commune", "Xã, phường, đặc khu", "Communes", "#9ca3af"),
}
_BUFFER = 64
"""Units beyond the tile's side, so that no line is drawn where the tile cuts a polygon."""


def draw(conn: Connection, at: Tile, area: Area, filters: Mapping[str, Any]) -> bytes:
    """Two MVT layers: polygons in `areas` (code, level), points in `area_labels` (also name).

    Of one level (filter `level`; by default provinces, from COMMUNES_FROM on communes), of the
    area itself and of what is in it. Raises UsageError for a level that does not exist.
    """
    level = filters.get("level") or ("province" if at.z < COMMUNES_FROM else "commune")
    if level not in _LEVELS:
        raise UsageError(f"There is no level {level!r}; there are: {', '.join(_LEVELS)}.")
    number = resolution(at.z)
    west, south, east, north = _reach(at)
    first, behind = tile_range(*at)
    made = conn.execute(
        sql("area_tile"),
        {
            "full": number is None,
            "resolution": FINEST if number is None else number,
            "level": level,
            "within": "" if area.code == COUNTRY else area.code,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "first": first,
            "behind": behind,
            "extent": EXTENT,
            "buffer": _BUFFER,
            **at._asdict(),
        },
    )
    return bytes(made.scalar_one())


def _reach(at: Tile) -> tuple[float, float, float, float]:
    """West, south, east and north of a tile with twice its buffer; degrees, EPSG:4326."""
    side, more = 1 << at.z, 2 * _BUFFER / EXTENT
    left, right = max(at.x - more, 0), min(at.x + 1 + more, side)
    top, bottom = max(at.y - more, 0), min(at.y + 1 + more, side)
    return (
        left / side * 360 - 180,
        _latitude(bottom / side),
        right / side * 360 - 180,
        _latitude(top / side),
    )


def _latitude(down: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * down))))


AREAS = Layer(
    "areas",
    "Ranh giới",
    "Areas",
    "level",
    tuple(_LEVELS.values()),
    ("level",),
    draw,
)
