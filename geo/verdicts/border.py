"""The borders of areas made quick to ask: who holds a point, and where is its border nearest."""

from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.geometry import Floats, metres_between
from geo.verdicts.edges import Edges, Indices, counted
from geo.verdicts.parts import in_parts
from geo.verdicts.planes import Planes
from geo.verdicts.probability import REACH, probability_inside

Flags = NDArray[np.bool_]


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
        self.planes = Planes.of(self._polygons)
        self._lines = np.full(len(self.planes.origin), None, dtype=object)

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
        in_parts(np.argsort(area, kind="stable"), measure_rows)
        return inside, metres, probability

    def nearest(self, area: int, lon: float, lat: float) -> tuple[float, float]:
        """The point of one area's border nearest to one point, in degrees."""
        place = np.array([area])
        self._make_ready(place)
        foot = self._nearest(place, np.array([lon]), np.array([lat]))[0]
        return float(foot[0]), float(foot[1])

    def edges(self) -> Edges:
        """All edges of all areas."""
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
                self.edges(), area[near], lon[near], lat[near], sigma_m[near], inside[near]
            )
        return inside, np.where(inside, metres, -metres), probability

    def _nearest(self, area: Indices, lon: Floats, lat: Floats) -> Floats:
        plane, place = self.planes.place(area, lon, lat)
        lines = shapely.shortest_line(self._lines[plane], shapely.points(place))
        feet = shapely.get_coordinates(lines)[::2]
        return feet / self.planes.scale[plane] + self.planes.origin[plane]

    def _make_ready(self, area: Indices) -> None:
        """Build what the areas need. GEOS makes its indexes at the first question, unguarded."""
        if self._ready[area].all():
            return
        with self._lock:
            new = np.unique(area[~self._ready[area]])
            new = new[~self._ready[new]]
            in_parts(new, self._build, worth=50)
            self._ready[new] = True

    def _build(self, area: Indices) -> None:
        polygons = self._polygons[area]
        shapely.prepare(polygons)
        # The middle of the box: a point beyond the box would be answered without the index.
        west, south, east, north, bands, first, *_ = self.planes
        middle = (west[area] + east[area]) / 2, (south[area] + north[area]) / 2
        shapely.intersects_xy(polygons, *middle)
        planes = np.repeat(first[area], bands[area]) + counted(bands[area])
        borders = shapely.boundary(np.repeat(polygons, bands[area]))
        times = shapely.get_num_coordinates(borders)
        origin = np.repeat(self.planes.origin[planes], times, axis=0)
        scale = np.repeat(self.planes.scale[planes], times, axis=0)
        borders = shapely.transform(borders, lambda xy: (xy - origin) * scale)
        shapely.prepare(borders)
        shapely.shortest_line(borders, shapely.Point(0, 0))
        self._lines[planes] = borders
