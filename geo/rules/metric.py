"""Points of one province on a plane in metres, for distances to neighbours by the million."""

import numpy as np
from numpy.typing import ArrayLike
from pyproj import Proj

from geo.geometry import Floats


def plane(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Metres east and north of n points given in degrees (EPSG:4326); NaN stays NaN.

    Transverse Mercator about the points' own middle: within 150 km of it distances err by less
    than 0.03 %. Only points of one call can be compared with each other.
    """
    east, north = np.array(lon, dtype=float), np.array(lat, dtype=float)
    known = np.isfinite(east) & np.isfinite(north)
    east[~known] = north[~known] = np.nan
    if known.any():
        middle = float(np.median(east[known]))
        tmerc = Proj(proj="tmerc", lon_0=middle, lat_0=0, k=1, x_0=0, y_0=0, ellps="WGS84")
        east[known], north[known] = tmerc(east[known], north[known])
    return east, north
