"""Planes in metres beside each area, in which the nearest point of its border is searched."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.geometry import GEOD, Floats, metres_per_degree

FAR = 0.2
"""Degrees from the area's box beyond which a point is put into the plane by geodesic and azimuth.

A plane scaled at the area turns a point 900 km away into a wrong direction; distance and azimuth
from the area's middle keep the order of the border's points to about 2 m.
"""

_BAND = 0.25
"""Degrees of latitude that one plane serves: metres east then err by less than 0.1 %."""


class Planes(NamedTuple):
    """The boxes of n areas in degrees, and the planes of each, from south to north.

    Area i has the planes first[i] to first[i] + bands[i] - 1. A plane has its origin in degrees
    and its scale in metres per degree, (m, 2) each.
    """

    west: Floats
    south: Floats
    east: Floats
    north: Floats
    bands: NDArray[np.int64]
    first: NDArray[np.int64]
    origin: Floats
    scale: Floats

    @classmethod
    def of(cls, polygons: NDArray[np.object_]) -> "Planes":
        """The planes of n areas (polygons or multipolygons, EPSG:4326)."""
        west, south, east, north = shapely.bounds(polygons).T.copy()
        bands = np.maximum(1, np.ceil((north - south) / _BAND)).astype(np.int64)
        first = np.cumsum(bands) - bands
        of = np.repeat(np.arange(len(polygons)), bands)
        height = (north - south) / bands
        middle = south[of] + (np.arange(len(of)) - first[of] + 0.5) * height[of]
        origin = np.column_stack(((west[of] + east[of]) / 2, middle))
        scale = np.column_stack(metres_per_degree(middle))
        return cls(west, south, east, north, bands, first, origin, scale)

    def place(
        self, area: NDArray[np.int64], lon: Floats, lat: Floats
    ) -> tuple[NDArray[np.int64], Floats]:
        """The plane that serves each of n points beside its area, and the metres in it, (n, 2)."""
        bands = self.bands[area]
        height = (self.north[area] - self.south[area]) / bands
        with np.errstate(invalid="ignore", divide="ignore"):
            band = np.clip((lat - self.south[area]) / height, 0, bands - 1)
        plane = self.first[area] + band.astype(np.int64)
        place = (np.column_stack((lon, lat)) - self.origin[plane]) * self.scale[plane]
        far = (lon < self.west[area] - FAR) | (lon > self.east[area] + FAR)
        far |= (lat < self.south[area] - FAR) | (lat > self.north[area] + FAR)
        if far.any():
            start = self.origin[plane[far]]
            azimuth, _, metres = GEOD.inv(start[:, 0], start[:, 1], lon[far], lat[far])
            place[far, 0] = metres * np.sin(np.radians(azimuth))
            place[far, 1] = metres * np.cos(np.radians(azimuth))
        return plane, place
