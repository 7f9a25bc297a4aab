"""Compiled loops that collect the edges within reach of points, for their probabilities.

The numbers are those of `geo.verdicts.probability`, for bulk work only.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.geometry import Floats
from geo.verdicts.compiling import compiled, inlined
from geo.verdicts.edges import Indices
from geo.verdicts.kernels import Arrays

_NUDGE_X, _NUDGE_Y, _TOUCHING = 1e-7, 0.618e-7, 1e-5

Flags = NDArray[np.bool_]


class Seen(NamedTuple):
    """Points, the area of each, and how many σ a degree is there, east and north."""

    area: Indices
    lon: Floats
    lat: Floats
    sx: Floats
    sy: Floats


class Pairs(NamedTuple):
    """Room for pairs of a point and an edge: h, t₁ / h and t₂ / h of Owen's T function."""

    point: Indices
    h: Floats
    one: Floats
    two: Floats


@inlined
def _meets(box: Floats, i: int, x: float, y: float, dx: float, dy: float) -> bool:
    """Whether box i comes within dx, dy degrees of a point."""
    beside = box[0, i] <= x + dx and box[2, i] >= x - dx
    return beside and box[1, i] <= y + dy and box[3, i] >= y - dy


@compiled
def _seen_from(
    arrays: Arrays, edge: int, x: float, y: float, sx: float, sy: float
) -> tuple[float, float, float]:
    """h, t₁, t₂ of an edge in σ as seen from a point; as in geo.verdicts.probability."""
    ax, ay = (arrays.x[edge] - x) * sx + _NUDGE_X, (arrays.y[edge] - y) * sy + _NUDGE_Y
    bx, by = (arrays.x[edge + 1] - x) * sx + _NUDGE_X, (arrays.y[edge + 1] - y) * sy + _NUDGE_Y
    dx, dy = bx - ax, by - ay
    length = max(np.sqrt(dx * dx + dy * dy), 1e-300)
    ux, uy = dx / length, dy / length
    return ax * uy - ay * ux, ax * ux + ay * uy, bx * ux + by * uy


@inlined
def _of_run(
    arrays: Arrays, r: int, i: int, seen: Seen, reach: float, pairs: Pairs, used: int
) -> tuple[int, bool]:
    """Add the edges of run r in reach of point i; how many there are now, and does one touch."""
    touches = False
    for edge in range(arrays.run_first[r], arrays.run_last[r]):
        if arrays.x[edge] == arrays.x[edge + 1] and arrays.y[edge] == arrays.y[edge + 1]:
            continue
        h, one, two = _seen_from(arrays, edge, seen.lon[i], seen.lat[i], seen.sx[i], seen.sy[i])
        beside = min(max(0.0, one), two)
        away = h * h + beside * beside
        touches |= away < _TOUCHING**2
        if away < reach * reach and h != 0:
            pairs.point[used], pairs.h[used] = i, h
            pairs.one[used], pairs.two[used] = one / h, two / h
            used += 1
    return used, touches


@compiled
def edges_in_reach(
    arrays: Arrays, seen: Seen, first: int, reach: float, pairs: Pairs, touching: Flags
) -> tuple[int, int]:
    """The edges within `reach` σ of points, from point `first` on, as long as there is room.

    Returns the first point not done, and how many pairs there are. touching: set for the points
    that lie on their area's border but for rounding.
    """
    used = 0
    for i in range(first, len(seen.area)):
        a, x, y = seen.area[i], seen.lon[i], seen.lat[i]
        dx, dy, before = reach / seen.sx[i], reach / seen.sy[i], used
        for g in range(arrays.group_of[a], arrays.group_of[a + 1]):
            if not _meets(arrays.group_box, g, x, y, dx, dy):
                continue
            start = arrays.run_of[a] + (g - arrays.group_of[a]) * arrays.group
            for r in range(start, min(start + arrays.group, arrays.run_of[a + 1])):
                if not _meets(arrays.run_box, r, x, y, dx, dy):
                    continue
                if used + arrays.run_last[r] - arrays.run_first[r] > len(pairs.point):
                    return i, before
                used, touches = _of_run(arrays, r, i, seen, reach, pairs, used)
                touching[i] |= touches
    return len(seen.area), used
