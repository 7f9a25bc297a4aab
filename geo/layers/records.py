"""Layers of records: single points at large scales, squares with their counts at small ones.

A record stands in exactly one tile of a zoom, that of its cell (see geo.cells), and nothing is
buffered, so that counts add up.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from geo.areas import Area
from geo.cells import tile_range
from geo.layers import nets, points, squares
from geo.layers.layer import Draw, Tile
from geo.layers.source import Source

SQUARES_UP_TO = 8
"""Tiles up to this zoom have squares, others where they have too many points."""


def drawn(source: Source) -> Draw:
    """How the tiles of a source are drawn."""

    def draw(conn: Connection, at: Tile, area: Area, filters: Mapping[str, Any]) -> bytes:
        needs, given = nets.around(conn, area)
        first, after = tile_range(*at)
        given |= {"first": first, "after": after}
        if at.z > SQUARES_UP_TO:
            found = points.draw(conn, source, at, needs, filters, given)
            if found is not None:
                return found
        return squares.draw(conn, source, at, needs, filters, given)

    return draw
