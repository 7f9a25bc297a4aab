"""Where demo houses stand and how phones misplace them; EPSG:4326 degrees, distances in metres."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.verdicts.matching import RADIUS_68_IN_SIGMA, AreaShapes

Floats = NDArray[np.float64]

_METRES_A_DEGREE = 111_195.0
_HOUSES_A_HAMLET = 18
_TRIES = 20


def moved(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    """The point that lies east_m and north_m away; on the sphere, good to 0.5 % for short ways."""
    return (
        lon + east_m / (_METRES_A_DEGREE * float(np.cos(np.radians(lat)))),
        lat + north_m / _METRES_A_DEGREE,
    )


def scattered(
    rng: np.random.Generator, polygon: shapely.Geometry, count: int
) -> tuple[Floats, Floats]:
    """`count` points, evenly distributed in the polygon."""
    shapely.prepare(polygon)
    west, south, east, north = polygon.bounds
    lon, lat = np.empty(0), np.empty(0)
    for _ in range(_TRIES):
        x, y = rng.uniform(west, east, 4 * count + 8), rng.uniform(south, north, 4 * count + 8)
        held = shapely.contains_xy(polygon, x, y)
        lon, lat = np.append(lon, x[held]), np.append(lat, y[held])
        if len(lon) >= count:
            return lon[:count], lat[:count]
    missing = count - len(lon)
    middle = shapely.point_on_surface(polygon)
    return np.append(lon, [middle.x] * missing), np.append(lat, [middle.y] * missing)


def houses(
    rng: np.random.Generator, polygon: shapely.Geometry, count: int, spread_m: float
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """`count` houses clustered in hamlets, all inside the polygon, with the hamlet of each."""
    hamlets = max(2, round(count / _HOUSES_A_HAMLET))
    centre_lon, centre_lat = scattered(rng, polygon, hamlets)
    of = np.sort(rng.integers(0, hamlets, count))
    lon, lat = centre_lon[of].copy(), centre_lat[of].copy()
    wanted = np.arange(count)
    for _ in range(_TRIES):
        step = rng.normal(0, spread_m / _METRES_A_DEGREE, (2, len(wanted)))
        x = centre_lon[of[wanted]] + step[0] / np.cos(np.radians(centre_lat[of[wanted]]))
        y = centre_lat[of[wanted]] + step[1]
        held = shapely.contains_xy(polygon, x, y)
        lon[wanted[held]], lat[wanted[held]] = x[held], y[held]
        wanted = wanted[~held]
        if not len(wanted):
            break
    return lon, lat, of


def measured(
    rng: np.random.Generator, lon: float, lat: float, accuracy_m: float
) -> tuple[float, float]:
    """What a phone reports whose accuracy radius holds the truth with 68 %."""
    east, north = rng.normal(0, accuracy_m / RADIUS_68_IN_SIGMA, 2)
    return moved(lon, lat, float(east), float(north))


def over_border(
    rng: np.random.Generator, polygon: shapely.Geometry, lon: float, lat: float
) -> tuple[float, float]:
    """A point 60 to 200 m outside, across the border that is nearest to the given one."""
    way = shapely.shortest_line(shapely.Point(lon, lat), shapely.boundary(polygon))
    (x0, y0), (x1, y1) = way.coords[0], way.coords[-1]
    scale = np.cos(np.radians(lat))
    east, north = (x1 - x0) * scale, y1 - y0
    length = float(np.hypot(east, north)) or 1.0
    beyond = float(rng.uniform(60, 200))
    return moved(x1, y1, beyond * east / length, beyond * north / length)


@dataclass(frozen=True)
class Surroundings:
    """For each polygon of the shapes: which touch it, and the middle of each (n, 2) in degrees."""

    neighbours: list[NDArray[np.int64]]
    middles: Floats

    @classmethod
    def of(cls, shapes: AreaShapes) -> "Surroundings":
        """Look the neighbours up through an index of boxes; boxes that meet are near enough."""
        boxes = shapely.box(*shapely.bounds(shapes.polygons).T)
        tree = shapely.STRtree(boxes)
        first, second = tree.query(boxes, predicate="intersects")
        near = [second[first == i] for i in range(len(boxes))]
        found = [others[others != i].astype(np.int64) for i, others in enumerate(near)]
        return cls(found, shapely.get_coordinates(shapely.centroid(boxes)))

    def far(self, of: int, among: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of `among` whose middle is more than 20 km away and that are no neighbours."""
        scale = np.cos(np.radians(self.middles[of, 1]))
        way = (self.middles[among] - self.middles[of]) * [scale, 1.0] * _METRES_A_DEGREE
        apart = np.hypot(way[:, 0], way[:, 1]) > 20_000
        return among[apart & ~np.isin(among, self.neighbours[of])]
