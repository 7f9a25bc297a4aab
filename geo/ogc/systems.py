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
_LONGEST = 8_000.0
"""Nor is a piece longer (metres): its chord is half a metre off at most in this country."""
_METRES, _DEGREES = 4, 12  # decimals that are given
_AROUND = (90.0, -10.0, 130.0, 40.0)
"""Degrees around all that is stored, in which each of the country's metric systems is one-to-one;
further out its longitudes wrap."""
_MERCATOR = 20037508.342789244
"""Half the side of the world in EPSG:3857."""
_GLOBE = 179.0, 89.0
"""Longitudes and latitudes of VN-2000 as far as they stay on the same side in WGS 84."""


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

        What of it lies beyond the system's extent is cut off: nothing is stored there. Raises
        UsageError where all of it does, and for what are no degrees.
        """
        found = shapely.force_2d(shape)
        if self.code != WGS_84 and not shapely.is_empty(found):
            found = self._within(found)
        if self.metric and not shapely.is_empty(found):
            piece = max(_length(found) / _PIECES, 1e-9)
            # Boxes stay straight in Web Mercator, however large.
            found = shapely.segmentize(found, piece if self.code == 3857 else min(piece, _LONGEST))
        return shapely.transform(found, self._inward)

    def _within(self, shape: BaseGeometry) -> BaseGeometry:
        """What of a shape lies in the system's extent, of the shape's own dimension."""
        if not self.metric:
            self._turned(shapely.get_coordinates(shape))
        extent = _extent(self)
        if shapely.covers(extent, shape):
            return shape
        with np.errstate(over="ignore", invalid="ignore"):  # coordinates of 1e299
            kept = shapely.get_parts(shapely.intersection(shape, extent))
        wanted = shapely.get_dimensions(shape)
        parts = [one for one in kept if not one.is_empty and shapely.get_dimensions(one) == wanted]
        if not parts:
            raise self._beyond()
        return shapely.unary_union(parts) if len(parts) > 1 else parts[0]

    def _inward(self, points: Floats) -> Floats:
        if self.code == WGS_84:
            return self._turned(points)
        x, y = points[:, 0], points[:, 1]
        if self.north_first:
            x, y = y, x
        x, y = geometry.to_wgs84(x, y, f"EPSG:{self.code}")
        return self._checked(np.column_stack([x, y]))

    def _turned(self, degrees: Floats) -> Floats:
        """Degrees of this system, longitude first."""
        return self._checked(degrees[:, ::-1] if self.north_first else degrees)

    def _checked(self, degrees: Floats) -> Floats:
        if not np.all(np.abs(degrees) <= (180, 90)):
            raise self._beyond()
        return degrees

    def _beyond(self) -> UsageError:
        return UsageError(
            f"This place lies beyond what {self.uri} describes; mind the order of its axes."
        )


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


@lru_cache(maxsize=64)
def _extent(of: System) -> BaseGeometry:
    """The box, in a system's own axes, in which its coordinates lead to one place each."""
    if of.code == 3857:
        return shapely.box(-_MERCATOR, -_MERCATOR, _MERCATOR, _MERCATOR)
    if not of.metric:
        lon, lat = _GLOBE
        return (
            shapely.box(-lat, -lon, lat, lon)
            if of.north_first
            else shapely.box(-lon, -lat, lon, lat)
        )
    around = shapely.segmentize(shapely.box(*_AROUND), 1.0)
    return shapely.box(*shapely.bounds(of.shown(around)))


def _length(shape: BaseGeometry) -> float:
    west, south, east, north = shapely.bounds(shape)
    return float(max(east - west, north - south))


@lru_cache(maxsize=64)
def _outward(code: int) -> Transformer:
    return Transformer.from_crs(geometry.WGS84, f"EPSG:{code}", always_xy=True)
