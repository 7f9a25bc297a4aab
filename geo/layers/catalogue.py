"""LAYERS by name, and the tiles of each."""

from datetime import date, datetime

from sqlalchemy import Connection

from geo.areas import Area
from geo.errors import NotFoundError, UsageError
from geo.layers import areas, kinds
from geo.layers.layer import Layer, Tile

MAX_ZOOM = 22

_ALL = (kinds.SURVEYS, kinds.HOUSEHOLDS, kinds.SITES, kinds.FINDINGS, areas.AREAS)
LAYERS: dict[str, Layer] = {layer.name: layer for layer in _ALL}


def tile(
    conn: Connection,
    name: str,
    z: int,
    x: int,
    y: int,
    area: Area,
    **filters: str | int | date | datetime | None,
) -> bytes:
    """One vector tile (MVT, layer called as LAYERS calls it) of an area; may be empty.

    Filters are those that the layer names; None means not given. Raises NotFoundError for a layer
    or tile that does not exist and UsageError for a filter that the layer has not.
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
    return layer.draw(conn, Tile(z, x, y), area, given)
