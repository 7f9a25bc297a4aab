"""Squares of days: surveys per square of the grid and day of the visit, kept with the pyramid.

At one level, for maps of the whole country and of provinces: what these ask for by time is then
added up from blocks of days, whatever is stored. Days are those at UTC+7, see `geo.moments`.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from geo.cells import NOWHERE, ZOOM, cells, exact
from geo.db import sql
from geo.geometry import Floats
from geo.moments import count_day
from geo.sending import Statement
from geo.tables import VERDICTS
from geo.tile_tables import tile_day

LEVEL = 10
"""The zoom whose tiles are the squares: the coarsest of the pyramid."""
SCALES = (0, 3, 6)
"""Blocks of 1, 8 and 64 days are stored, so that a season is a few blocks and their ends."""

Pair = tuple[str, str]
Days = dict[tuple[Pair, int, int], list[float]]
"""(province and commune, square, day) → the numbers of tile_day in the order of its columns."""
Blocks = tuple[int, int, int, int]
"""Scale, first block, first one behind, and 1 or -1: to be added or taken away."""

NUMBERS = [column.name for column in tile_day.columns if not column.primary_key]
"""The columns of tile_day with numbers: by verdict, flagged by verdict, sums of degrees."""
_KINDS = {verdict: place for place, verdict in enumerate(VERDICTS)}
_BELOW = 2 * (ZOOM - LEVEL)
_MANY = 10_000


def gather(
    days: Days,
    pairs: Sequence[Pair],
    verdicts: Sequence[str],
    moments: Sequence[datetime],
    lon: Floats,
    lat: Floats,
    flagged: Collection[int],
) -> None:
    """Count surveys into `days`: lon, lat in degrees, NaN for none; flagged: which."""
    found = cells(lon, lat).tolist()
    rows = zip(pairs, verdicts, moments, found, exact(lon), exact(lat), strict=True)
    for place, (pair, verdict, moment, cell, east, north) in enumerate(rows):
        if cell == NOWHERE:
            continue
        key = (pair, cell >> _BELOW, count_day(moment))
        numbers = days.get(key)
        if numbers is None:
            numbers = days[key] = [0] * len(NUMBERS)
        kind = _KINDS[verdict]
        numbers[kind] += 1
        if place in flagged:
            numbers[len(VERDICTS) + kind] += 1
        numbers[-2] += east
        numbers[-1] += north


def adding(days: Days, communes: Collection[Pair]) -> Iterator[Statement]:
    """What adds that which was gathered in these communes; as `geo.pyramid.adding`."""
    chosen = sorted((key, numbers) for key, numbers in days.items() if key[0] in communes)
    for start in range(0, len(chosen), _MANY):
        some = chosen[start : start + _MANY]
        rows = [(*pair, square, day, *numbers) for (pair, square, day), numbers in some]
        names = ("provinces", "communes", "squares", "days", *NUMBERS)
        lists = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        yield "add_days", {**lists, "scales": list(SCALES)}


def recount(conn: Connection, given: dict[str, Any]) -> None:
    """Make the squares of days what the surveys give; given: lists as geo.pyramid makes them."""
    conn.execute(sql("recount_days"), _of_days(given))


def recount_flags(conn: Connection, given: dict[str, Any]) -> None:
    """The same where nothing but findings changed."""
    conn.execute(sql("recount_day_flags"), _of_days(given))


def blocks(first: int, behind: int, scales: Sequence[int] = SCALES) -> Iterator[Blocks]:
    """The stored blocks that make up the days from `first` to before `behind`.

    Each end is rounded to whole blocks of the next scale, up or down, whichever is nearer: what
    is too much is taken away again.
    """
    if behind <= first:
        return
    for scale, wider in pairwise(scales):
        step = wider - scale
        if behind - first <= 1 << step:
            yield scale, first, behind, 1
            return
        start, end = (_rounded(block, step) for block in (first, behind))
        yield from _between(scale, first, start << step, 1)
        yield from _between(scale, end << step, behind, 1)
        first, behind = start, end
    yield from _between(scales[-1], first, behind, 1)


def _rounded(block: int, step: int) -> int:
    return block + (1 << step - 1) >> step


def _between(scale: int, first: int, behind: int, sign: int) -> Iterator[Blocks]:
    if behind < first:
        first, behind, sign = behind, first, -sign
    if first < behind:
        yield scale, first, behind, sign


def _of_days(given: dict[str, Any]) -> dict[str, Any]:
    lists = {name: given[name] for name in ("provinces", "communes", "pairs")}
    return {**lists, "scales": list(SCALES), "below": _BELOW}
