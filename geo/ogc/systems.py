"""SYSTEMS: the coordinate reference systems in which features are asked for and given.

Axes stand in the order that the system's definition says: latitude first in EPSG:4326 and 4756.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from geo import geometry
from geo.errors import UsageError
from geo.geometry import Floats

VN_2000 = 4756
UTM = (3405, 3406)
TM_3 = (*range(5896, 5900), *range(9205, 9219))
"""VN-2000 in the zones of 3 degrees by which the provinces' land registers are kept."""

_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_PIECES = 64
"""An edge is cut so often before it is transformed, because it becomes a curve."""
_METRES, _DEGREES = 4, 12  # decimals that are given


@dataclass(frozen=True)
class System:
    """One reference system; `code` is its EPSG number, and that of WGS 84 for CRS84.

    north_first: latitude or northing is the first axis.
    """

    uri: str
    code: int
    name: str
    north_first: bool
    metric: bool

    def given(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Both coordinates of n points (degrees of WGS 84), in this system and its axis order."""
        x, y = np.asarray(lon, float), np.asarray(lat, float)
        if self.code != WGS_84:
            places = _METRES if self.metric else _DEGREES
            x, y = (np.round(one, places) for one in _outward(self.code).transform(x, y))
        return (y, x) if self.north_first else (x, y)

    def shown(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape (degrees of WGS 84) in this system."""
        return shapely.transform(
            shape, lambda points: np.column_stack(self.given(points[:, 0], points[:, 1]))
        )

    def understood(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape of this system in degrees of WGS 84, longitude first.

        Raises UsageError where it lies beyond what the system can describe.
        """
        found = shapely.force_2d(shape)
        if self.metric and not shapely.is_empty(found):
            found = shapely.segmentize(found, max(_length(found) / _PIECES, 1e-9))
        return shapely.transform(found, self._inward)

    def _inward(self, points: Floats) -> Floats:
        x, y = points[:, 0], points[:, 1]
        if self.north_first:
            x, y = y, x
        if self.code != WGS_84:
            x, y = geometry.to_wgs84(x, y, f"EPSG:{self.code}")
        if not (np.all(np.abs(x) <= 180) and np.all(np.abs(y) <= 90)):
            raise UsageError(
                f"This place lies beyond what {self.uri} describes; mind the order of its axes."
            )
        return np.column_stack([x, y])


WGS_84 = 4326
CRS84 = System("http://www.opengis.net/def/crs/OGC/1.3/CRS84", WGS_84, "WGS 84", False, False)


def _system(code: int) -> System:
    found = CRS.from_epsg(code)
    first = found.axis_info[0]
    return System(
        f"{_EPSG}{code}", code, found.name, first.direction == "north", found.is_projected
    )


SYSTEMS: dict[str, System] = {
    one.uri: one
    for one in (CRS84, *(_system(code) for code in (WGS_84, 3857, VN_2000, *UTM, *TM_3)))
}


def system(uri: str | None) -> System:
    """The system of a URI, CRS84 without one; raises UsageError for one that is not given here."""
    if uri is None:
        return CRS84
    try:
        return SYSTEMS[uri.removesuffix(">").removeprefix("<")]
    except KeyError:
        raise UsageError(
            f"{uri[:80]!r} is no reference system of these collections; "
            f"there are {CRS84.uri} and others that each collection lists under crs."
        ) from None


def _length(shape: BaseGeometry) -> float:
    west, south, east, north = shapely.bounds(shape)
    return float(max(east - west, north - south))


@lru_cache(maxsize=64)
def _outward(code: int) -> Transformer:
    return Transformer.from_crs(geometry.WGS84, f"EPSG:{code}", always_xy=True)
