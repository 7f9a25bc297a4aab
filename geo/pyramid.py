"""The pyramid: records per square of the grid at several levels, kept with every write.

A record counts in the squares of its commune only, so that a scope that holds some communes finds
exactly its own; what has no point is in no square. `geo.counting` calls what is here, under the
locks of the communes' counters.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from geo import choice_squares, day_squares
from geo.cells import NOWHERE, ZOOM, cells, exact
from geo.db import sql
from geo.geometry import Floats
from geo.sending import Statement
from geo.tile_tables import PYRAMID

LEVELS = (10, 12, 14)
"""The zooms whose tiles are squares. Coarser ones would hold as many rows as level 10, because a
commune is no larger than its squares; those between would save a fourfold sum at most, and beyond
14 there are more squares than points."""

Pair = tuple[str, str]
"""province_code, commune_code."""

Squares = dict[tuple[str, str, str, int, str], list[float]]
"""(province, commune, layer, square at the finest level, class) → [records, flagged, sums of the
rounded degrees of longitude and latitude]."""

_FINEST = LEVELS[-1]
_BELOW = 2 * (ZOOM - _FINEST)
_MANY = 10_000
_COMMUNES = 500


def level_for(zoom: int) -> int:
    """The coarsest level that is at least as fine as the tiles of `zoom`; the finest for more."""
    return next((level for level in LEVELS if level >= zoom), _FINEST)


def recount(conn: Connection, pairs: Iterable[Pair], layers: Collection[str] = PYRAMID) -> None:
    """Make the squares of communes what their records give, in the layers named.

    Needs the locks of the communes' counters. Writes only rows that differ.
    """
    for given in _portions(pairs):
        if "findings" in layers:
            conn.execute(sql("place_findings"), _only(given, "provinces", "communes"))
        conn.execute(sql("recount_squares"), {**given, "layers": list(layers)})
        if "surveys" in layers:
            day_squares.recount(conn, given)
        choice_squares.recount(conn, given, layers)


def recount_doubts(conn: Connection, pairs: Iterable[Pair]) -> None:
    """The same where nothing but findings changed: their squares, and who is flagged by them."""
    known = list(pairs)
    recount(conn, known, ("findings",))
    for given in _portions(known):
        conn.execute(sql("recount_flags"), given)
        day_squares.recount_flags(conn, given)


def gather(
    squares: Squares,
    layer: str,
    pairs: Sequence[Pair],
    classes: Sequence[str],
    lon: Floats,
    lat: Floats,
    flagged: Collection[int],
) -> None:
    """Count records into `squares`: lon, lat in degrees, NaN for none; flagged: which of them."""
    if not pairs:
        return
    found = cells(lon, lat)
    rows = zip(pairs, classes, found.tolist(), exact(lon), exact(lat), strict=True)
    for place, (pair, kind, cell, east, north) in enumerate(rows):
        if cell == NOWHERE:
            continue
        sums = squares.setdefault((*pair, layer, cell >> _BELOW, kind), [0, 0, 0.0, 0.0])
        sums[0] += 1
        sums[1] += place in flagged
        sums[2] += east
        sums[3] += north


def adding(squares: Squares, communes: Collection[Pair]) -> Iterator[Statement]:
    """What adds that which was gathered in these communes to what is stored.

    Needs the locks of their counters.

    Sums of degrees stay exact: each was rounded to 2^-20 (0.1 m).
    """
    chosen = sorted((key, sums) for key, sums in squares.items() if key[:2] in communes)
    for start in range(0, len(chosen), _MANY):
        keys, sums = zip(*chosen[start : start + _MANY], strict=True)
        names = ("provinces", "communes", "layers", "squares", "classes")
        lists = dict(zip(names, map(list, zip(*keys, strict=True)), strict=True))
        numbers = ("records", "flagged", "lon", "lat")
        lists |= dict(zip(numbers, map(list, zip(*sums, strict=True)), strict=True))
        yield "add_squares", {**lists, "levels": list(LEVELS), "finest": _FINEST}


def _portions(pairs: Iterable[Pair]) -> Iterator[dict[str, Any]]:
    """What the statements ask for, some hundred communes at a time."""
    ordered = sorted(pairs)
    for start in range(0, len(ordered), _COMMUNES):
        some = ordered[start : start + _COMMUNES]
        yield {
            "provinces": [province for province, _ in some],
            "communes": [commune for _, commune in some],
            "pairs": [" ".join(pair) for pair in some],
            "levels": list(LEVELS),
            "finest": _FINEST,
            "below": _BELOW,
        }


def _only(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names}
