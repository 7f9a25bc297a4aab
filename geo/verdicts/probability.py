"""How probable it is that a place measured with an error lies in a polygon; exact, not sampled.

The true place is a Gaussian around the measured one, σ metres on each axis. In polar coordinates
around the measured point the mass inside a polygon is

    P = w − Σ over edges of [T(h, t₂/h) − T(h, t₁/h)]

with w = 1 inside and 0 outside, h the signed distance to the edge's line (positive where the point
is to the left of the edge), t₁ and t₂ the ends along that line, all in σ, and Owen's
T(h, a) = 1/2π ∫₀ᵃ exp(−h²(1+x²)/2)/(1+x²) dx (D. B. Owen, 1956): Green's theorem applied to the
density, edge by edge. Exteriors run anticlockwise, holes clockwise. Edges beyond REACH·σ carry less
than 2·10⁻⁸ together and are left out.
"""

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.special import owens_t

from geo.geometry import Floats, metres_per_degree

REACH = 6.0
"""Beyond so many σ from the border the probability is 1 or 0, to 2·10⁻⁸."""

RUN = 16
"""Consecutive edges that share one bounding box in the index."""

_NUDGE = np.array([1e-7, 0.618e-7])
_TOUCHING = 1e-5
_PAIRS = 2_000_000
_AREAS_AT_A_TIME = 200

Indices = NDArray[np.int64]


class Edges:
    """The edges of many areas (polygons or multipolygons, EPSG:4326) in one place.

    Each RUN neighbours of an area share a box, so that only few edges near a point are looked at.
    Coordinates of all areas lie one behind the other; edge i goes from coordinate i to i + 1.
    """

    def __init__(self, polygons: NDArray[np.object_]):
        # Some areas at a time: the copies on the way to coordinates are larger than the result.
        pieces = range(0, len(polygons), _AREAS_AT_A_TIME)
        read = [_coordinates(polygons[i : i + _AREAS_AT_A_TIME]) for i in pieces]
        self._xy = np.concatenate([np.empty((0, 2)), *(xy for xy, _, _ in read)])
        sizes, lengths = (
            np.concatenate([np.empty(0, np.int64), *(part[i] for part in read)]) for i in (1, 2)
        )
        # Neither a vertex given twice nor the step from one ring to the next is an edge.
        x, y = self._xy.T
        self._real = np.append((x[1:] != x[:-1]) | (y[1:] != y[:-1]), False)[: len(x)]
        self._real[np.cumsum(lengths) - 1] = False
        self._last = np.cumsum(sizes)
        self._first = self._last - sizes
        self._runs = -(-(self._last - self._first) // RUN)
        self._first_run = np.cumsum(self._runs) - self._runs
        self._starts = np.repeat(self._first, self._runs) + RUN * counted(self._runs)
        stops = np.minimum(self._starts + RUN, np.repeat(self._last, self._runs) - 1)
        self._low = self._boxes(np.minimum, stops)
        self._high = self._boxes(np.maximum, stops)

    def _boxes(self, extreme: np.ufunc, stops: Indices) -> Floats:
        return extreme(extreme.reduceat(self._xy, self._starts, axis=0), self._xy[stops])

    def ends(self, edge: Indices) -> tuple[Floats, Floats]:
        """The starts and ends of m edges; (m, 2) degrees each."""
        return self._xy[edge], self._xy[edge + 1]

    def of_area(self, area: int) -> Indices:
        """All edges of one area."""
        first = int(self._first[area])
        return first + np.flatnonzero(self._real[first : self._last[area]])

    def near(
        self, area: Indices, lon: Floats, lat: Floats, dx: Floats, dy: Floats
    ) -> tuple[Indices, Indices]:
        """Pairs (point, edge of its area) whose boxes come within dx, dy degrees; by point."""
        runs = self._runs[area]
        point = np.repeat(np.arange(len(area)), runs)
        run = np.repeat(self._first_run[area], runs) + counted(runs)
        low, high = self._low[run], self._high[run]
        overlap = low[:, 0] <= (lon + dx)[point]
        overlap &= high[:, 0] >= (lon - dx)[point]
        overlap &= low[:, 1] <= (lat + dy)[point]
        overlap &= high[:, 1] >= (lat - dy)[point]
        point, run = point[overlap], run[overlap]
        edge = (self._starts[run][:, None] + np.arange(RUN)).ravel()
        end = np.repeat(self._last[area[point]], RUN)
        point = np.repeat(point, RUN)
        real = edge < end
        real[real] = self._real[edge[real]]
        return point[real], edge[real]

    def chunks(self, area: Indices) -> list[slice]:
        """Slices of the rows of `area` that keep the pairs in memory few."""
        piece = np.cumsum(self._runs[area]) // _PAIRS
        bounds = [0, *(np.flatnonzero(np.diff(piece)) + 1), len(area)]
        return [slice(a, b) for a, b in pairwise(bounds)]


def _coordinates(polygons: NDArray[np.object_]) -> tuple[Floats, Indices, Indices]:
    """All coordinates, how many each area has, and how many each ring."""
    oriented = shapely.orient_polygons(polygons)
    parts, of_part = shapely.get_parts(oriented, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    lengths = shapely.get_num_coordinates(rings).astype(np.int64)
    sizes = np.bincount(of_part[of_ring], weights=lengths, minlength=len(polygons))
    return shapely.get_coordinates(rings), sizes.astype(np.int64), lengths


def counted(numbers: Indices) -> Indices:
    """0 to n - 1 for each n of `numbers`, one behind the other."""
    return np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)


def probability_inside(
    edges: Edges,
    area: Indices,
    lon: Floats,
    lat: Floats,
    sigma_m: Floats,
    inside: NDArray[np.bool_],
) -> Floats:
    """Probabilities that the true places lie inside their areas.

    area: n places in `edges`; lon, lat: n degrees (EPSG:4326); sigma_m: n metres, one σ of each
    axis, above 0; inside: whether the area holds each measured point (on its border: either).
    Absolute error below 10⁻⁶ for the straight-edged polygon in the plane that touches the
    ellipsoid at the point.
    """
    result = np.empty(len(lon))
    for rows in edges.chunks(area):
        result[rows] = _chunk(edges, area[rows], lon[rows], lat[rows], sigma_m[rows], inside[rows])
    return np.clip(result, 0.0, 1.0)


def _chunk(
    edges: Edges,
    area: Indices,
    lon: Floats,
    lat: Floats,
    sigma_m: Floats,
    inside: NDArray[np.bool_],
) -> Floats:
    along, up = metres_per_degree(lat)
    scale = np.column_stack((along / sigma_m, up / sigma_m))
    place = np.column_stack((lon, lat))
    point, edge = edges.near(area, lon, lat, REACH / scale[:, 0], REACH / scale[:, 1])
    h, t1, t2, _ = _seen_from(place[point], scale[point], *edges.ends(edge))
    away = h * h + np.clip(0.0, t1, t2) ** 2
    whole = inside.astype(float)
    for row in np.unique(point[away < _TOUCHING**2]):
        whole[row] = _turns(edges, int(area[row]), place[row], scale[row])
    counts = (away < REACH * REACH) & (h != 0)
    h, t1, t2, point = h[counts], t1[counts], t2[counts], point[counts]
    with np.errstate(over="ignore"):  # an infinite slope is what a point in line with an edge has
        swept = owens_t(h, t2 / h) - owens_t(h, t1 / h)
    return whole - np.bincount(point, weights=swept, minlength=len(lon))


def _seen_from(place: Floats, scale: Floats, start: Floats, end: Floats) -> tuple[Floats, ...]:
    """h, t₁, t₂ of edges in σ as seen from points, and which end lies above: (m, 2) each → m."""
    # A hair off the point, so that none lies on a vertex or in line with an edge.
    one = (start - place) * scale + _NUDGE
    two = (end - place) * scale + _NUDGE
    step = two - one
    length = np.sqrt(step[:, 0] ** 2 + step[:, 1] ** 2)
    ux, uy = (step / np.maximum(length, 1e-300)[:, None]).T
    h = one[:, 0] * uy - one[:, 1] * ux
    t1, t2 = one[:, 0] * ux + one[:, 1] * uy, two[:, 0] * ux + two[:, 1] * uy
    rises = (two[:, 1] > 0).astype(int) - (one[:, 1] > 0).astype(int)
    return h, t1, t2, rises


def _turns(edges: Edges, area: int, place: Floats, scale: Floats) -> float:
    """Winding number of the border around one point, by the very sides that the sum uses."""
    h, _, _, rises = _seen_from(place, scale, *edges.ends(edges.of_area(area)))
    return float(np.sum(rises * (rises * h > 0)))
