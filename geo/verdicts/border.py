"""The borders of areas made quick to ask: who holds a point, and where is its border nearest."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.geometry import GEOD, Floats, metres_between, metres_per_degree
from geo.verdicts.probability import REACH, Edges, counted, probability_inside

Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

_BAND = 0.25
"""Degrees of latitude that one plane serves: metres east then err by less than 0.1 %."""

_FAR = 0.2
"""Degrees from the area's box beyond which a point is put into the plane by geodesic and azimuth.

A plane scaled at the area turns a point 900 km away into a wrong direction; distance and azimuth
from the area's middle keep the order of the border's points to about 2 m.
"""

_WORTH_THREADS = 5_000


class Borders:
    """The borders of n areas (polygons or multipolygons, EPSG:4326); many threads may ask.

    All questions are put for many rows at once, each row naming its area by its place, so that
    the work is done inside GEOS and numpy. What an area needs is built at the first question and
    kept. The nearest border point is searched in a plane in metres, its distance is then measured
    on the ellipsoid: never too short, and too long by at most 0.1 % for areas up to 1° across.
    """

    def __init__(self, polygons: NDArray[np.object_]):
        self._polygons = np.asarray(polygons, dtype=object)
        self._lock, self._edges_lock = Lock(), Lock()
        self._edges: Edges | None = None
        self._ready = np.zeros(len(self._polygons), dtype=bool)
        self._west, self._south, self._east, self._north = shapely.bounds(self._polygons).T
        tall = np.ceil((self._north - self._south) / _BAND)
        self._bands = np.maximum(1, tall).astype(np.int64)
        self._first_plane = np.cumsum(self._bands) - self._bands
        of = np.repeat(np.arange(len(self._polygons)), self._bands)
        height = (self._north - self._south) / self._bands
        middle = self._south[of] + (counted(self._bands) + 0.5) * height[of]
        self._origin = np.column_stack(((self._west[of] + self._east[of]) / 2, middle))
        self._scale = np.column_stack(metres_per_degree(middle))
        self._plane_of = of
        self._planes = np.full(len(of), None, dtype=object)

    def holds(self, area: Indices, lon: Floats, lat: Floats) -> Flags:
        """Whether the area of each of n rows holds the row's point, inside or on the border."""
        self._make_ready(area)
        return shapely.intersects_xy(self._polygons[area], lon, lat)

    def measure(
        self, area: Indices, lon: Floats, lat: Floats, sigma_m: Floats
    ) -> tuple[Flags, Floats, Floats]:
        """Whether the area holds each point, metres to its border, and P(the true place inside).

        area: n places; lon, lat: n degrees; sigma_m: n metres, above 0. Metres are positive
        inside, negative outside. Beyond 6 σ from the border P is 1 or 0.
        """
        self._make_ready(area)
        n = len(area)
        inside, metres, probability = np.empty(n, bool), np.empty(n), np.empty(n)

        def measure_rows(rows: Indices) -> None:
            inside[rows], metres[rows], probability[rows] = self._measure(
                area[rows], lon[rows], lat[rows], sigma_m[rows]
            )

        # By area, because neighbouring rows then find its index in the processor's cache.
        _in_parts(np.argsort(area, kind="stable"), measure_rows)
        return inside, metres, probability

    def nearest(self, area: int, lon: float, lat: float) -> tuple[float, float]:
        """The point of one area's border nearest to one point, in degrees."""
        place = np.array([area])
        self._make_ready(place)
        foot = self._nearest(place, np.array([lon]), np.array([lat]))[0]
        return float(foot[0]), float(foot[1])

    def _all_edges(self) -> Edges:
        with self._edges_lock:  # several threads come here first at the same time
            if self._edges is None:
                self._edges = Edges(self._polygons)
            return self._edges

    def _measure(
        self, area: Indices, lon: Floats, lat: Floats, sigma_m: Floats
    ) -> tuple[Flags, Floats, Floats]:
        inside = shapely.intersects_xy(self._polygons[area], lon, lat)
        foot = self._nearest(area, lon, lat)
        metres = metres_between(lon, lat, foot[:, 0], foot[:, 1])
        probability = inside.astype(float)
        near = np.flatnonzero(metres < REACH * sigma_m)
        if len(near):
            probability[near] = probability_inside(
                self._all_edges(), area[near], lon[near], lat[near], sigma_m[near], inside[near]
            )
        return inside, np.where(inside, metres, -metres), probability

    def _nearest(self, area: Indices, lon: Floats, lat: Floats) -> Floats:
        bands = self._bands[area]
        height = (self._north[area] - self._south[area]) / bands
        with np.errstate(invalid="ignore", divide="ignore"):
            band = np.clip((lat - self._south[area]) / height, 0, bands - 1)
        plane = self._first_plane[area] + band.astype(np.int64)
        origin, scale = self._origin[plane], self._scale[plane]
        place = (np.column_stack((lon, lat)) - origin) * scale
        far = (lon < self._west[area] - _FAR) | (lon > self._east[area] + _FAR)
        far |= (lat < self._south[area] - _FAR) | (lat > self._north[area] + _FAR)
        if far.any():
            start = origin[far]
            azimuth, _, metres = GEOD.inv(start[:, 0], start[:, 1], lon[far], lat[far])
            place[far, 0] = metres * np.sin(np.radians(azimuth))
            place[far, 1] = metres * np.cos(np.radians(azimuth))
        lines = shapely.shortest_line(self._planes[plane], shapely.points(place))
        return shapely.get_coordinates(lines)[::2] / scale + origin

    def _make_ready(self, area: Indices) -> None:
        """Build what the areas need. GEOS makes its indexes at the first question, unguarded."""
        if self._ready[area].all():
            return
        with self._lock:
            new = np.unique(area[~self._ready[area]])
            new = new[~self._ready[new]]
            _in_parts(new, self._build, worth=50)
            self._ready[new] = True

    def _build(self, area: Indices) -> None:
        polygons = self._polygons[area]
        shapely.prepare(polygons)
        # The middle of the box: a point beyond the box would be answered without the index.
        middle = (self._west[area] + self._east[area]) / 2, (self._south + self._north)[area] / 2
        shapely.intersects_xy(polygons, *middle)
        planes = np.repeat(self._first_plane[area], self._bands[area]) + counted(self._bands[area])
        borders = shapely.boundary(self._polygons[self._plane_of[planes]])
        times = shapely.get_num_coordinates(borders)
        origin = np.repeat(self._origin[planes], times, axis=0)
        scale = np.repeat(self._scale[planes], times, axis=0)
        borders = shapely.transform(borders, lambda xy: (xy - origin) * scale)
        shapely.prepare(borders)
        shapely.shortest_line(borders, shapely.Point(0, 0))
        self._planes[planes] = borders


def _in_parts(rows: Indices, do: Callable[[Indices], None], worth: int | None = None) -> None:
    """Do consecutive parts of the rows by several threads where it pays: GEOS frees Python."""
    cores = min(4, os.cpu_count() or 1)
    if len(rows) < (_WORTH_THREADS if worth is None else worth) or cores == 1:
        do(rows)
        return
    with ThreadPoolExecutor(cores) as pool:
        # More parts than cores, because they differ in work and hold copies while they run.
        for _ in pool.map(do, np.array_split(rows, 8 * cores)):
            pass
