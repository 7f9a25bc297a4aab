"""The pyramid: records per square of the grid at several levels, kept with every write.

A record counts in the squares of its commune only, so that a scope that holds some communes finds
exactly its own; what has no point is in no square. `geo.metrics` calls what is here, under the
communes' locks.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from geo.cells import ZOOM
from geo.db import sql
from geo.tile_tables import PYRAMID

LEVELS = (10, 12, 14)
"""The zooms whose tiles are squares. Coarser ones would hold as many rows as level 10, because a
commune is no larger than its squares; the next finer one is four times the rows, and beyond 14
there are more squares than points."""

DOUBTED = ("surveys", "sites", "findings")
"""The layers that findings and decisions change."""

Pair = tuple[str, str]
"""province_code, commune_code."""


def level_for(zoom: int) -> int:
    """The coarsest level that is at least as fine as the tiles of `zoom`; the finest for more."""
    return next((level for level in LEVELS if level >= zoom), LEVELS[-1])


def recount(conn: Connection, pairs: Iterable[Pair], layers: Collection[str] = PYRAMID) -> None:
    """Make the squares of communes what their records give, in the layers named.

    Needs the communes' counters locked (see geo.metrics). Writes only rows that differ.
    """
    given = list(pairs)
    if not given:
        return
    where = {
        "provinces": [province for province, _ in given],
        "communes": [commune for _, commune in given],
    }
    if "findings" in layers:
        conn.execute(sql("place_findings"), where)
    conn.execute(
        sql("recount_squares"),
        {
            **where,
            "layers": list(layers),
            "levels": list(LEVELS),
            "finest": LEVELS[-1],
            "below": 2 * (ZOOM - LEVELS[-1]),
        },
    )
