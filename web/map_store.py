"""What a map needs to be drawn without the service: shapes, figures, and the tiles of a view."""

import base64
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from geo import boundaries, layers
from geo.areas import Area
from geo.errors import NotFoundError
from web.maps import counting, cutting

MAX_TILES = 150
"""Tiles of one layer."""
MAX_BYTES = 6_000_000
"""Of all tiles together, before they are written as text."""
COARSER, FINER = 3, 4
"""Zooms around that of the view."""
DEEPEST = 16
COMMUNES_ZOOM = 7
_WIDTH, _HEIGHT = 5, 4
"""Tiles of the view, at most about, when its zoom is not told."""
_EMPTY = {"type": "FeatureCollection", "features": []}

Box = tuple[float, float, float, float]
"""West, south, east, north in EPSG:4326."""


@dataclass
class Stored:
    """Answers by address, what is in the tiles, and the names of provinces by code.

    box: what the tiles hold. zooms: layer → the coarsest and the finest zoom kept. held, total:
    layer → its records in the finest tiles of the view, and all of them.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    box: Box | None = None
    tiles: dict[str, str] = field(default_factory=dict)
    zooms: dict[str, tuple[int, int]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)
    size: int = 0
    provinces: dict[str, str] = field(default_factory=dict)


def shapes(conn: Connection, area: Area, zoom: int) -> tuple[Any, Any]:
    """GeoJSON of the area's children and of the area itself; empty without boundaries."""
    try:
        outline = json.loads(boundaries.outline_geojson(conn, area, zoom))
    except NotFoundError:
        outline = _EMPTY
    return json.loads(boundaries.children_geojson(conn, area, zoom)), outline


def communes(conn: Connection, area: Area, zoom: int) -> Any:
    """GeoJSON of every commune in an area, fit for a file: not as fine as the map may ask for."""
    return json.loads(boundaries.communes_geojson(conn, area, min(zoom, COMMUNES_ZOOM)))


def bounds(collection: Mapping[str, Any]) -> Box | None:
    """The box around all features; None without any."""
    points = [p for one in collection["features"] for p in _points(one["geometry"]["coordinates"])]
    if not points:
        return None
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    return min(lons), min(lats), max(lons), max(lats)


def add_tiles(
    conn: Connection, kept: Stored, name: str, area: Area, box: Box, zoom: int, filters: Any
) -> None:
    """Keep the layer's tiles over a box, from coarse to fine, as far as the limits allow.

    Of each only what stands in the box: what one zoom holds is in the next finer one as well, so
    that the finest tells how many records are kept. The world's tile comes along: its sums are
    the numbers of the legend.
    """
    world = layers.tile(conn, name, 0, 0, 0, area, **filters)
    kept.total[name] = counting.records(world)
    _keep(kept, name, 0, 0, 0, world)
    first, number, frame = max(0, zoom - COARSER), 0, frame_of(box)
    for z in range(first, min(zoom + FINER, DEEPEST) + 1):
        places = list(over(box, z))
        number += len(places)
        if z > first and (number > MAX_TILES or kept.size > MAX_BYTES):
            return
        drawn = ((x, y, layers.tile(conn, name, z, x, y, area, **filters)) for x, y in places)
        bodies = [(x, y, cutting.cut(body, z, x, y, frame)) for x, y, body in drawn]
        if z > first and kept.size + sum(len(body) for *_, body in bodies) > MAX_BYTES:
            return
        for x, y, body in bodies if z else ():
            _keep(kept, name, z, x, y, body)
        kept.zooms[name] = (first, z)
        kept.held[name] = sum(counting.records(body) for *_, body in bodies)


def frame_of(box: Box) -> cutting.Frame:
    """A box as parts of the world's square."""
    west, south, east, north = box
    return (*_part(west, north), *_part(east, south))


def over(box: Box, z: int) -> Iterator[tuple[int, int]]:
    """Columns and rows of the tiles that a box touches."""
    west, south, east, north = box
    left, top = _place(west, north, z)
    right, bottom = _place(east, south, z)
    for x in range(left, right + 1):
        for y in range(top, bottom + 1):
            yield x, y


def zoom_for(box: Box) -> int:
    """The finest zoom at which a box is a view of ordinary size."""
    for z in range(14, 0, -1):
        left, top = _place(box[0], box[3], z)
        right, bottom = _place(box[2], box[1], z)
        if right - left < _WIDTH and bottom - top < _HEIGHT:
            return z
    return 0


def _place(lon: float, lat: float, z: int) -> tuple[int, int]:
    side = 1 << z
    x, y = (math.floor(part * side) for part in _part(lon, lat))
    return min(max(x, 0), side - 1), min(max(y, 0), side - 1)


def _part(lon: float, lat: float) -> tuple[float, float]:
    return lon / 360 + 0.5, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2


def _keep(kept: Stored, name: str, z: int, x: int, y: int, body: bytes) -> None:
    if body:
        kept.size += len(body)
        kept.tiles[f"{name}/{z}/{x}/{y}"] = base64.b64encode(body).decode()


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
        return
    for part in coordinates:
        yield from _points(part)
