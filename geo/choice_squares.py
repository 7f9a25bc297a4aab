"""Squares of choices: records per square, day and all else that filters choose by, for tiles.

At one level, as the squares of days are: tiles of the country and of provinces are then added up
from few rows, whatever rule, state, stage or time they ask for. Kept with geo.pyramid.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from geo import day_squares
from geo.cells import NOWHERE, ZOOM, cells, exact
from geo.db import sql
from geo.geometry import Floats
from geo.moments import count_day
from geo.sending import Statement
from geo.tile_tables import CHOICES

LEVEL = day_squares.LEVEL
SCALES = (*day_squares.SCALES, 22)
"""Blocks as of days, and one of all time for what asks for no time."""

Pair = tuple[str, str]


class Chosen(NamedTuple):
    """What filters choose a record by; '' for what it has not."""

    rule: str = ""
    kind: str = ""
    verdict: str = ""
    state: str = ""


Choices = dict[tuple[Pair, str, int | None, int, Chosen], list[float]]
"""(province and commune, layer, day or None for today, square, what it is chosen by) → records,
flagged, held, and the sums of the rounded degrees of longitude and latitude."""

_BELOW = 2 * (ZOOM - LEVEL)
_MANY = 10_000
_LISTS = (
    *("provinces", "communes", "layers", "days", "squares"),
    *("rules", "classes", "verdicts", "states"),
    *("records", "flagged", "held", "lon", "lat"),
)


def gather(
    choices: Choices,
    layer: str,
    pairs: Sequence[Pair],
    chosen: Sequence[Chosen],
    lon: Floats,
    lat: Floats,
    *,
    moments: Sequence[datetime] | None = None,
    flagged: Collection[int] = (),
) -> None:
    """Count records of one of CHOICES into `choices`: lon, lat in degrees, NaN for none.

    moments: those of the visits; what is received now has none. flagged: which of them. What has a
    rule is a finding that was just made, and therefore held against somebody.
    """
    if not pairs:
        return
    found = cells(lon, lat).tolist()
    rows = zip(pairs, chosen, found, exact(lon), exact(lat), strict=True)
    for place, (pair, kind, cell, east, north) in enumerate(rows):
        if cell == NOWHERE:
            continue
        day = None if moments is None else count_day(moments[place])
        numbers = choices.setdefault((pair, layer, day, cell >> _BELOW, kind), [0, 0, 0, 0.0, 0.0])
        numbers[0] += 1
        numbers[1] += place in flagged
        numbers[2] += kind.rule != ""
        numbers[3] += east
        numbers[4] += north


def adding(choices: Choices, communes: Collection[Pair]) -> Iterator[Statement]:
    """What adds that which was gathered in these communes; as `geo.pyramid.adding`."""
    chosen = sorted((key, numbers) for key, numbers in choices.items() if key[0] in communes)
    for start in range(0, len(chosen), _MANY):
        rows = [
            (*pair, layer, day, square, *kind, *numbers)
            for (pair, layer, day, square, kind), numbers in chosen[start : start + _MANY]
        ]
        lists = dict(zip(_LISTS, map(list, zip(*rows, strict=True)), strict=True))
        yield "add_choices", {**lists, "scales": list(SCALES)}


def recount(conn: Connection, given: dict[str, Any], layers: Collection[str]) -> None:
    """Make the squares of choices what the records give, where these layers of the pyramid changed.

    given: lists as geo.pyramid makes them.
    """
    lists = {name: given[name] for name in ("provinces", "communes", "pairs")}
    # Sites are flagged by findings, which stand by the class of what they are about.
    counted = [name for name in CHOICES if name != "households" or name in layers]
    more = {"scales": list(SCALES), "below": _BELOW, "layers": counted}
    conn.execute(sql("recount_choices"), lists | more)


def blocks(first: int, behind: int) -> Iterator[day_squares.Blocks]:
    """The stored blocks that make up the days from `first` to before `behind`."""
    return day_squares.blocks(first, behind, SCALES)
