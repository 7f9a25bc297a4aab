"""Compiled loops over the borders' edges: the nearest one, and who holds a point.

For bulk work only, and to be imported only then: the first call compiles for some seconds, or
loads what an earlier process compiled. Degrees are EPSG:4326.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.geometry import GEOD, Floats
from geo.verdicts.compiling import compiled, inlined, vector
from geo.verdicts.edges import Indices
from geo.verdicts.planes import Planes

GROUP = 16
"""Consecutive runs of an area that share a box; as `Arrays.group`."""

CELLS = 12
"""The box of each area is divided into CELLS × CELLS."""

OUT, IN, DOUBTFUL = 0, 1, 2
"""The side of a border that a point is on; rounding may decide the last."""

_A, _ES, _RADIANS = GEOD.a, GEOD.es, np.pi / 180
_NEAR_DEGREES = 0.1
_SLACK = 1 - 1e-10
_ROUNDING = 4e-16
_SURELY = 0.98

Sides = NDArray[np.int8]


class Arrays(NamedTuple):
    """What the loops look at: `Edges`, its runs in groups with boxes of their own, the planes."""

    x: Floats
    y: Floats
    run_first: Indices
    run_last: Indices
    run_box: Floats
    run_of: Indices
    group: int
    group_box: Floats
    group_of: Indices
    planes: Planes


class Cells(NamedTuple):
    """About the middle of each area's cells: the nearest run, metres to the border, the side."""

    run: Indices
    metres: Floats
    side: Sides


class Room(NamedTuple):
    """Room for the numbers on the way of one search after the other."""

    groups: Floats
    runs: Floats
    edges: Floats


@vector
def _box_distances(
    box: Floats, first: int, n: int, x: float, y: float, sx: float, sy: float, out: Floats
) -> None:
    """Squared metres from a point to n boxes, a hair too short."""
    west, south = box[0, first : first + n], box[1, first : first + n]
    east, north = box[2, first : first + n], box[3, first : first + n]
    for i in range(n):
        dx = max(max(west[i] - x, x - east[i]), 0.0) * sx
        dy = max(max(south[i] - y, y - north[i]), 0.0) * sy
        out[i] = (dx * dx + dy * dy) * _SLACK


@vector
def _edge_distances(
    xs: Floats,
    ys: Floats,
    first: int,
    n: int,
    ox: float,
    oy: float,
    sx: float,
    sy: float,
    px: float,
    py: float,
    out: Floats,
) -> None:
    """Squared metres from a place in the plane to n consecutive edges."""
    x, y = xs[first : first + n + 1], ys[first : first + n + 1]
    for i in range(n):
        ax, ay = (x[i] - ox) * sx - px, (y[i] - oy) * sy - py
        dx, dy = (x[i + 1] - ox) * sx - px - ax, (y[i + 1] - oy) * sy - py - ay
        along = -(ax * dx + ay * dy) / (dx * dx + dy * dy + 1e-300)
        along = min(max(along, 0.0), 1.0)
        ex, ey = ax + along * dx, ay + along * dy
        out[i] = ex * ex + ey * ey


@inlined
def _nearest(
    arrays: Arrays,
    a: int,
    x: float,
    y: float,
    plane: int,
    px: float,
    py: float,
    seed: int,
    room: Room,
) -> tuple[int, int, float]:
    """The edge and run of area `a` nearest to the place px, py in a plane, and squared metres.

    x, y: the same place in degrees; seed: a run near it, -1 for none.
    """
    groups, runs, edges = room
    ox, oy = arrays.planes.origin[plane]
    sx, sy = arrays.planes.scale[plane]
    first_group, first_run, end = arrays.group_of[a], arrays.run_of[a], arrays.run_of[a + 1]
    n = arrays.group_of[a + 1] - first_group
    _box_distances(arrays.group_box, first_group, n, x, y, sx, sy, groups)
    if seed < 0:
        start = first_run + np.argmin(groups[:n]) * GROUP
        m = min(GROUP, end - start)
        _box_distances(arrays.run_box, start, m, x, y, sx, sy, runs)
        seed = start + np.argmin(runs[:m])
    best, edge, best_run = np.inf, -1, seed
    first = arrays.run_first[seed]
    m = arrays.run_last[seed] - first
    _edge_distances(arrays.x, arrays.y, first, m, ox, oy, sx, sy, px, py, edges)
    for i in range(m):
        if edges[i] < best:
            best, edge = edges[i], first + i
    for g in range(n):
        if groups[g] >= best:
            continue
        start = first_run + g * GROUP
        m = min(GROUP, end - start)
        _box_distances(arrays.run_box, start, m, x, y, sx, sy, runs)
        for r in range(m):
            if runs[r] >= best or start + r == seed:
                continue
            first = arrays.run_first[start + r]
            k = arrays.run_last[start + r] - first
            _edge_distances(arrays.x, arrays.y, first, k, ox, oy, sx, sy, px, py, edges)
            for i in range(k):
                if edges[i] < best:
                    best, edge, best_run = edges[i], first + i, start + r
    return edge, best_run, best


@compiled
def _crossings(xs: Floats, ys: Floats, first: int, last: int, x: float, y: float) -> int:
    """How often a ray to the east crosses some edges, modulo 2; DOUBTFUL where rounding decides."""
    odd = 0
    x1, y1 = xs[first], ys[first]
    if x1 == x and y1 == y:
        return DOUBTFUL
    for i in range(first + 1, last + 1):
        x2, y2 = xs[i], ys[i]
        if (y1 > y) != (y2 > y):
            left, right = (x1 - x) * (y2 - y), (x2 - x) * (y1 - y)
            if abs(left - right) <= _ROUNDING * (abs(left) + abs(right)):
                return DOUBTFUL
            odd ^= (left > right) == (y2 > y1)
        elif y2 == y and (x2 == x or (y1 == y and (x1 < x) != (x2 < x))):
            return DOUBTFUL
        x1, y1 = x2, y2
    return odd


@inlined
def _side(arrays: Arrays, a: int, x: float, y: float) -> int:
    """Whether area `a` holds a point: OUT, IN, or DOUBTFUL beside its very border."""
    planes = arrays.planes
    if not (planes.west[a] <= x <= planes.east[a] and planes.south[a] <= y <= planes.north[a]):
        return OUT
    odd, first_group, end = 0, arrays.group_of[a], arrays.run_of[a + 1]
    for g in range(first_group, arrays.group_of[a + 1]):
        box = arrays.group_box
        if box[1, g] > y or box[3, g] < y or box[2, g] < x:
            continue
        start = arrays.run_of[a] + (g - first_group) * GROUP
        box = arrays.run_box
        for r in range(start, min(start + GROUP, end)):
            if box[1, r] > y or box[3, r] < y or box[2, r] < x:
                continue
            first, last = arrays.run_first[r], arrays.run_last[r]
            if box[0, r] > x:  # wholly east of the point: only where it begins and ends matters
                odd ^= (arrays.y[first] > y) != (arrays.y[last] > y)
                continue
            crossed = _crossings(arrays.x, arrays.y, first, last, x, y)
            if crossed == DOUBTFUL:
                return DOUBTFUL
            odd ^= crossed
    return odd


@inlined
def _foot(arrays: Arrays, edge: int, plane: int, px: float, py: float) -> tuple[float, float]:
    """The point of an edge nearest to a place in the plane, in degrees; computed as GEOS does."""
    ox, oy = arrays.planes.origin[plane]
    sx, sy = arrays.planes.scale[plane]
    ax, ay = (arrays.x[edge] - ox) * sx, (arrays.y[edge] - oy) * sy
    bx, by = (arrays.x[edge + 1] - ox) * sx, (arrays.y[edge + 1] - oy) * sy
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = ((px - ax) * dx + (py - ay) * dy) / length if length > 0 else 0.0
    if 0 < along < 1:
        fx, fy = ax + along * dx, ay + along * dy
    elif (px - ax) ** 2 + (py - ay) ** 2 < (px - bx) ** 2 + (py - by) ** 2:
        fx, fy = ax, ay
    else:
        fx, fy = bx, by
    return fx / sx + ox, fy / sy + oy


@compiled
def _metres(x: float, y: float, to_x: float, to_y: float) -> float:
    """As geo.geometry.metres_between where two points are near each other."""
    angle = (y + to_y) / 2 * _RADIANS
    w = 1 - _ES * np.sin(angle) ** 2
    along = _A / np.sqrt(w) * np.cos(angle) * _RADIANS
    up = _A * (1 - _ES) / (w * np.sqrt(w)) * _RADIANS
    return np.sqrt(((to_x - x) * along) ** 2 + ((to_y - y) * up) ** 2)


@inlined
def _plane(planes: Planes, a: int, y: float) -> int:
    """Which plane of area `a` serves a latitude."""
    bands = planes.bands[a]
    band = np.int64(0)
    if bands > 1:
        height = (planes.north[a] - planes.south[a]) / bands
        band = np.int64(min(max((y - planes.south[a]) / height, 0.0), bands - 1.0))
    return planes.first[a] + band


@compiled
def look_around(arrays: Arrays, first: int, last: int, cells: Cells, room: Room) -> None:
    """Fill in the cells of the areas from `first` to before `last`."""
    planes = arrays.planes
    for a in range(first, last):
        width = (planes.east[a] - planes.west[a]) / CELLS
        height = (planes.north[a] - planes.south[a]) / CELLS
        seed = -1
        for c in range(CELLS * CELLS):
            x = planes.west[a] + (c // CELLS + 0.5) * width
            y = planes.south[a] + (c % CELLS + 0.5) * height
            plane = _plane(planes, a, y)
            px = (x - planes.origin[plane, 0]) * planes.scale[plane, 0]
            py = (y - planes.origin[plane, 1]) * planes.scale[plane, 1]
            found = _nearest(arrays, a, x, y, plane, px, py, seed, room)
            seed = found[1]
            cells.run[a, c], cells.metres[a, c] = seed, np.sqrt(found[2])
            cells.side[a, c] = _side(arrays, a, x, y)


@inlined
def _from_cell(
    arrays: Arrays, cells: Cells, a: int, x: float, y: float, plane: int
) -> tuple[int, int]:
    """The run near a point in the box of area `a`, and the point's side or DOUBTFUL."""
    planes = arrays.planes
    width, height = planes.east[a] - planes.west[a], planes.north[a] - planes.south[a]
    i = np.int64(min((x - planes.west[a]) / width * CELLS, CELLS - 1.0))
    j = np.int64(min((y - planes.south[a]) / height * CELLS, CELLS - 1.0))
    c = i * CELLS + j
    dx = (planes.west[a] + (i + 0.5) * (width / CELLS) - x) * planes.scale[plane, 0]
    dy = (planes.south[a] + (j + 0.5) * (height / CELLS) - y) * planes.scale[plane, 1]
    # The border comes nowhere nearer to the cell's middle, so all within are on one side of it.
    if dx * dx + dy * dy < (cells.metres[a, c] * _SURELY) ** 2:
        return cells.run[a, c], int(cells.side[a, c])
    return cells.run[a, c], DOUBTFUL


@compiled
def measure(
    arrays: Arrays,
    cells: Cells,
    area: Indices,
    lon: Floats,
    lat: Floats,
    far: float,
    side: Sides,
    metres: Floats,
    room: Room,
) -> None:
    """Side and metres to the border of its area for each of n points; quickest ordered by area.

    Metres are NaN where they must be found by geodesics: more than `far` degrees from the area's
    box, and where the border is more than 0.1° away.
    """
    planes = arrays.planes
    for i in range(len(area)):
        a, x, y = area[i], lon[i], lat[i]
        side[i], metres[i] = OUT, np.nan
        beside = max(planes.west[a] - x, x - planes.east[a])
        beside = max(beside, max(planes.south[a] - y, y - planes.north[a]))
        if beside > far:
            continue
        plane = _plane(planes, a, y)
        px = (x - planes.origin[plane, 0]) * planes.scale[plane, 0]
        py = (y - planes.origin[plane, 1]) * planes.scale[plane, 1]
        seed = -1
        if beside <= 0:
            seed, found = _from_cell(arrays, cells, a, x, y, plane)
            side[i] = _side(arrays, a, x, y) if found == DOUBTFUL else found
        edge = _nearest(arrays, a, x, y, plane, px, py, seed, room)[0]
        to_x, to_y = _foot(arrays, edge, plane, px, py)
        if abs(to_x - x) <= _NEAR_DEGREES and abs(to_y - y) <= _NEAR_DEGREES:
            metres[i] = _metres(x, y, to_x, to_y)


@compiled
def feet(
    arrays: Arrays, area: Indices, plane: Indices, place: Floats, room: Room, foot: Floats
) -> None:
    """The point of its area's border nearest to each of n places in a plane, in degrees."""
    origin, scale = arrays.planes.origin, arrays.planes.scale
    for i in range(len(area)):
        p, px, py = plane[i], place[i, 0], place[i, 1]
        x, y = px / scale[p, 0] + origin[p, 0], py / scale[p, 1] + origin[p, 1]
        edge = _nearest(arrays, area[i], x, y, p, px, py, -1, room)[0]
        foot[i] = _foot(arrays, edge, p, px, py)


@compiled
def locate(
    arrays: Arrays, first: Indices, area: Indices, cell: Indices, lon: Floats, lat: Floats
) -> Indices:
    """The first area that holds each of n points, -1 for none, -2 where rounding may decide.

    cell: which list each point has; list c is area[first[c]:first[c + 1]].
    """
    found = np.full(len(cell), -1, dtype=np.int64)
    for i in range(len(cell)):
        for k in range(first[cell[i]], first[cell[i] + 1]):
            side = _side(arrays, area[k], lon[i], lat[i])
            if side != OUT:
                found[i] = area[k] if side == IN else -2
                break
    return found
