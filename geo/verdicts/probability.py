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

import numpy as np
from numpy.typing import NDArray
from scipy.special import owens_t

from geo.geometry import Floats, metres_per_degree
from geo.verdicts.edges import Edges, Indices

REACH = 6.0
"""Beyond so many σ from the border the probability is 1 or 0, to 2·10⁻⁸."""

_NUDGE = np.array([1e-7, 0.618e-7])
_TOUCHING = 1e-5


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
