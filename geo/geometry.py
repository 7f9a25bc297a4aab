"""Coordinates: reference systems, what can be a point in Viet Nam, and metres on the ellipsoid.

Pure functions on numbers and arrays; longitude before latitude everywhere.
"""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError

from geo.errors import UsageError

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

GEOD = Geod(ellps="WGS84")
WGS84 = "EPSG:4326"

WEST, EAST, SOUTH, NORTH = 102.0, 118.0, 6.0, 24.0
"""The country with its islands (Hoàng Sa, Trường Sa), in degrees."""

_EPSG = re.compile(r"EPSG:(\d{1,6})", re.IGNORECASE)
_RADIANS = np.pi / 180


@lru_cache(maxsize=64)
def _transformer(crs: str) -> Transformer | None:
    """The way from `crs` to WGS 84 with x = east; None where there is nothing to do."""
    match = _EPSG.fullmatch(crs.strip())
    if not match:
        raise UsageError(
            f"{crs[:40]!r} is no reference system that can be used here: "
            "write EPSG: and its number, such as EPSG:4326 or EPSG:9213."
        )
    try:
        system = CRS.from_epsg(int(match[1]))
    except CRSError:
        raise UsageError(f"EPSG:{match[1]} is not a reference system that PROJ knows.") from None
    if len(system.axis_info) != 2 or not (system.is_geographic or system.is_projected):
        raise UsageError(
            f"EPSG:{match[1]} ({system.name}) is not a system of two map coordinates: "
            "use EPSG:4326 or a VN-2000 system."
        )
    if system.to_epsg() == 4326:
        return None
    return Transformer.from_crs(system, WGS84, always_xy=True)


def to_wgs84(x: ArrayLike, y: ArrayLike, crs: str = WGS84) -> tuple[Floats, Floats]:
    """Longitudes and latitudes (EPSG:4326) of points given in `crs`.

    x: east or longitude, y: north or latitude, n values each, in the unit of `crs`. What cannot
    be transformed becomes NaN. VN-2000 goes by the seven parameters that EPSG lists (1 m); no
    grid is downloaded. Raises UsageError for a system that is unknown or not two-dimensional.
    """
    transformer = _transformer(crs)
    east = np.atleast_1d(np.asarray(x, dtype=float))
    north = np.atleast_1d(np.asarray(y, dtype=float))
    if transformer is None:
        return east.copy(), north.copy()
    lon, lat = transformer.transform(east, north)
    bad = ~(np.isfinite(lon) & np.isfinite(lat))
    lon, lat = np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)
    return lon, lat


def point_problems(lon: ArrayLike, lat: ArrayLike) -> Texts:
    """What is wrong with each point, in words that say what to do; None where nothing is.

    lon, lat: n degrees (EPSG:4326). A point without both coordinates is no error: a survey may
    have none. Returns n objects.
    """
    lon = np.atleast_1d(np.asarray(lon, dtype=float))
    lat = np.atleast_1d(np.asarray(lat, dtype=float))
    result = np.full(lon.shape, None, dtype=object)
    with np.errstate(invalid="ignore"):
        good = (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)
    for row in np.flatnonzero(~good & ~(np.isnan(lon) & np.isnan(lat))):
        result[row] = _problem(float(lon[row]), float(lat[row]))
    return result


def point_problem(lon: float | None, lat: float | None) -> str | None:
    """What is wrong with one point, None where nothing is; see `point_problems`."""
    return point_problems(np.nan if lon is None else lon, np.nan if lat is None else lat)[0]


def _problem(lon: float, lat: float) -> str:
    if np.isnan(lon) or np.isnan(lat):
        given, missing = ("lat", "lon") if np.isnan(lon) else ("lon", "lat")
        return f"{missing} is missing where {given} is given: give both or neither."
    if np.isinf(lon) or np.isinf(lat):
        return "lon and lat must be finite numbers."
    if lon == 0 and lat == 0:
        return "The point is 0, 0, as a device writes without a fix: leave lon and lat empty."
    if in_country(lat, lon):
        return f"lon {lon:g} and lat {lat:g} look swapped: lon is the one of 102 to 118."
    if max(abs(lon), abs(lat)) > 180:
        return f"{lon:g}, {lat:g} are no degrees: say in crs which system they are in."
    return (
        f"lon {lon:g}, lat {lat:g} lies outside Viet Nam "
        f"(lon {WEST:g} to {EAST:g}, lat {SOUTH:g} to {NORTH:g}): correct the point or its crs."
    )


def in_country(lon: float, lat: float) -> bool:
    """Whether a point lies in the country's box (EPSG:4326)."""
    return WEST <= lon <= EAST and SOUTH <= lat <= NORTH


def may_be_miswritten(x: ArrayLike, y: ArrayLike) -> NDArray[np.bool_]:
    """Whether n points outside the country may be degrees all the same, written wrongly.

    Swapped, with a wrong sign, somewhere else on Earth, or degrees and minutes in one number
    (DDDMM.mmm); not projected metres, and not 0, 0, as devices write without a fix.
    """
    values = np.abs(np.stack(np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))))
    degrees = (values <= 180).all(axis=0) & (values > 0).any(axis=0)
    together = (values >= 100 * SOUTH) & (values < 18_000)
    with np.errstate(invalid="ignore"):
        together &= values % 100 < 60
    return np.asarray(degrees | together.all(axis=0), dtype=np.bool_)


def read_points(x: ArrayLike, y: ArrayLike, crs: str = WGS84) -> tuple[Floats, Floats, Texts]:
    """Transform points given in `crs` and tell what is wrong with each.

    Returns lon, lat (EPSG:4326) and problems (None where fine), n each. Beyond what
    `point_problems` finds it recognises projected coordinates given north first, as Vietnamese
    practice calls the northing X. Raises UsageError as `to_wgs84` does.
    """
    east = np.atleast_1d(np.asarray(x, dtype=float))
    north = np.atleast_1d(np.asarray(y, dtype=float))
    if _transformer(crs) is None:
        return east.copy(), north.copy(), point_problems(east, north)
    lon, lat = to_wgs84(east, north, crs)
    lost = np.isnan(lon) & ~(np.isnan(east) & np.isnan(north))
    problems = point_problems(lon, lat)
    problems[lost] = point_problems(east[lost], north[lost])
    for row in np.flatnonzero(lost | (problems != None)):  # noqa: E711
        other_lon, other_lat = to_wgs84(north[row], east[row], crs)
        values = f"{east[row]:.12g}, {north[row]:.12g}"
        if in_country(other_lon[0], other_lat[0]):
            problems[row] = (
                f"{values} in {crs} lie in Viet Nam only the other way round: "
                "lon takes the easting (Y in Vietnamese practice), lat the northing (X)."
            )
        elif np.isfinite(east[row]) and np.isfinite(north[row]):
            problems[row] = f"{values} in {crs} lie outside Viet Nam: correct the point or its crs."
    return lon, lat, problems


def metres_per_degree(lat: ArrayLike) -> tuple[Floats, Floats]:
    """Metres of a degree of longitude and of latitude at `lat` (degrees) on WGS 84.

    From the radii of curvature N = a/√(1 − e² sin² φ) and M = a(1 − e²)/(1 − e² sin² φ)^1.5.
    """
    angle = np.asarray(lat, dtype=float) * _RADIANS
    w = 1 - GEOD.es * np.sin(angle) ** 2
    along = GEOD.a / np.sqrt(w) * np.cos(angle) * _RADIANS
    up = GEOD.a * (1 - GEOD.es) / (w * np.sqrt(w)) * _RADIANS
    return along, up


def metres_between(lon: Floats, lat: Floats, to_lon: Floats, to_lat: Floats) -> Floats:
    """Distances in metres on WGS 84 between n pairs of points in degrees.

    Geodesics (PROJ); where the points are within 0.1° of each other by the radii of curvature at
    their mean latitude, which is right to 10⁻⁶ there and much quicker.
    """
    dx, dy = to_lon - lon, to_lat - lat
    along, up = metres_per_degree((lat + to_lat) / 2)
    metres = np.sqrt((dx * along) ** 2 + (dy * up) ** 2)
    far = np.flatnonzero((np.abs(dx) > 0.1) | (np.abs(dy) > 0.1))
    if len(far):
        metres[far] = GEOD.inv(lon[far], lat[far], to_lon[far], to_lat[far])[2]
    return metres
