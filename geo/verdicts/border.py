"""One area's polygon made quick to ask: does it hold a point, where is its border nearest."""

import math
from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.geometry import GEOD, Floats, metres_between, metres_per_degree
from geo.verdicts.probability import REACH, Edges, probability_inside

Flags = NDArray[np.bool_]

_BAND = 0.25
"""Degrees of latitude that one plane serves: metres east then err by less than 0.1 %."""

_FAR = 0.2
"""Degrees from the area's box beyond which a point is put into the plane by geodesic and azimuth.

A plane scaled at the area turns a point 900 km away into a wrong direction; distance and azimuth
from the area's middle keep the order of the border's points to about 2 m.
"""


class Border:
    """The border of one area (polygon or multipolygon, EPSG:4326); may be used by many threads.

    What it needs is built at the first question and kept. The nearest border point is searched in
    a plane in metres, its distance is then measured on the ellipsoid: the result is never too
    short, and too long by at most 0.1 % for areas up to 1° across.
    """

    def __init__(self, polygon: shapely.Geometry):
        self._polygon = polygon
        self._lock = Lock()  # GEOS builds its indexes at the first question, unguarded
        self._planes: dict[int, tuple[shapely.Geometry, float, float, float]] = {}
        self._edges: Edges | None = None
        self._west, self._south, self._east, self._north = polygon.bounds
        self._bands = max(1, math.ceil((self._north - self._south) / _BAND))
        shapely.prepare(polygon)

    def holds(self, lon: Floats, lat: Floats) -> Flags:
        """Whether each of n points lies inside or on the border."""
        with self._lock:
            return shapely.intersects_xy(self._polygon, lon, lat)

    def measure(self, lon: Floats, lat: Floats, sigma_m: Floats) -> tuple[Flags, Floats, Floats]:
        """Whether the area holds each point, metres to its border, and P(the true place inside).

        lon, lat: n degrees; sigma_m: n metres, above 0. Metres are positive inside, negative
        outside. Beyond 6 σ from the border P is 1 or 0.
        """
        inside = self.holds(lon, lat)
        foot = self._nearest(lon, lat)
        metres = metres_between(lon, lat, foot[:, 0], foot[:, 1])
        probability = inside.astype(float)
        near = metres < REACH * sigma_m
        if near.any():
            probability[near] = probability_inside(
                self._all_edges(), lon[near], lat[near], sigma_m[near], inside[near]
            )
        return inside, np.where(inside, metres, -metres), probability

    def nearest(self, lon: float, lat: float) -> tuple[float, float]:
        """The border's point nearest to one point, in degrees."""
        foot = self._nearest(np.array([lon]), np.array([lat]))[0]
        return float(foot[0]), float(foot[1])

    def _nearest(self, lon: Floats, lat: Floats) -> Floats:
        if self._bands == 1:
            return self._nearest_in_band(0, lon, lat)
        height = (self._north - self._south) / self._bands
        band = np.clip((lat - self._south) / height, 0, self._bands - 1).astype(int)
        foot = np.empty((len(lon), 2))
        for number in np.unique(band):
            rows = band == number
            foot[rows] = self._nearest_in_band(int(number), lon[rows], lat[rows])
        return foot

    def _nearest_in_band(self, band: int, lon: Floats, lat: Floats) -> Floats:
        border, middle, along, up = self._plane(band)
        centre = (self._west + self._east) / 2
        x, y = (lon - centre) * along, (lat - middle) * up
        far = (lon < self._west - _FAR) | (lon > self._east + _FAR)
        far |= (lat < self._south - _FAR) | (lat > self._north + _FAR)
        if far.any():
            start = np.full(int(far.sum()), centre), np.full(int(far.sum()), middle)
            azimuth, _, metres = GEOD.inv(*start, lon[far], lat[far])
            x[far] = metres * np.sin(np.radians(azimuth))
            y[far] = metres * np.cos(np.radians(azimuth))
        points = shapely.points(x, y)
        with self._lock:
            lines = shapely.shortest_line(border, points)
        foot = shapely.get_coordinates(lines)[::2]
        return foot / (along, up) + (centre, middle)

    def _plane(self, band: int) -> tuple[shapely.Geometry, float, float, float]:
        with self._lock:
            if band not in self._planes:
                height = (self._north - self._south) / self._bands
                middle = self._south + (band + 0.5) * height
                along, up = (float(scale) for scale in metres_per_degree(middle))
                origin = ((self._west + self._east) / 2, middle)
                border = shapely.transform(
                    shapely.boundary(self._polygon), lambda xy: (xy - origin) * (along, up)
                )
                shapely.prepare(border)
                self._planes[band] = border, middle, along, up
            return self._planes[band]

    def _all_edges(self) -> Edges:
        if self._edges is None:  # twice at worst, with the same result
            self._edges = Edges(self._polygon)
        return self._edges
