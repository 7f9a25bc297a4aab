"""Ways in which coordinates come to be written wrongly, each undone; pure functions on arrays.

Each takes what was sent, x (east) and y (north) of n rows and the crs they came in, and returns a
frame: place (which of the n), how (the mistake as a formula), lon, lat (EPSG:4326 degrees). Only
points in the country's box are returned; a row may have several, or none.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from pyproj import CRS

from geo.geometry import EAST, NORTH, SOUTH, WEST, Floats, Texts, to_wgs84
from geo.verdicts.border import Flags

TM3 = tuple(f"EPSG:{code}" for code in (*range(9205, 9219), 5896, 5897, 5898, 5899))
"""The systems of VN-2000 in zones of 3°; provinces use the central meridian nearest to them."""

VN2000 = "EPSG:4756"

_HUNDRED = 100
_MINUTES = 60.0


def swapped(x: Floats, y: Floats, _crs: Texts) -> pd.DataFrame:
    """Latitude and longitude in each other's place."""
    return _listed(np.full(len(x), True), "lon ↔ lat", y, x)


def lost_sign(x: Floats, y: Floats, _crs: Texts) -> pd.DataFrame:
    """A minus too many."""
    negative = (x < 0) | (y < 0)
    ways = (("−lon", -x, y), ("−lat", x, -y), ("−lon, −lat", -x, -y))
    return pd.concat([_listed(negative, how, lon, lat) for how, lon, lat in ways])


def degrees_minutes(x: Floats, y: Floats, _crs: Texts) -> pd.DataFrame:
    """Degrees and minutes taken as one decimal number, in the three ways they are written."""
    found = []
    for how, read in _READINGS:
        lon, lat = read(x), read(y)
        found.append(_listed(np.isfinite(lon) & np.isfinite(lat), how, lon, lat))
    return pd.concat(found)


def wrong_zone(x: Floats, y: Floats, crs: Texts) -> pd.DataFrame:
    """VN-2000 in a TM-3 zone read with another zone's central meridian: a shift of longitude.

    Where crs names the zone that was read the other ones are tried, else all their differences.
    Right to a few metres, with the columns shift and read_as for `refined`.
    """
    zones = meridians()
    every = np.array(sorted(set(zones.values())))
    any_shift = np.unique(np.subtract.outer(every, every))
    read_as = pd.Series(crs, dtype=object).map(zones).to_numpy(float).astype(np.float64)
    known, unknown = np.flatnonzero(~np.isnan(read_as)), np.flatnonzero(np.isnan(read_as))
    place = np.concatenate([np.repeat(known, len(every)), np.repeat(unknown, len(any_shift))])
    by_zone = np.subtract.outer(every, read_as[known]).T.ravel()
    shift = np.concatenate([by_zone, np.tile(any_shift, len(unknown))])
    lon, lat = x[place] + shift, y[place]
    kept = (shift != 0) & in_box(lon, lat)
    return pd.DataFrame(
        {
            "place": place[kept],
            "how": "",
            "lon": lon[kept],
            "lat": lat[kept],
            "shift": shift[kept],
            "read_as": read_as[place[kept]],
        }
    )


def refined(tried: pd.DataFrame, x: Floats, y: Floats) -> pd.DataFrame:
    """The same with points shifted to the millimetre, as VN-2000 has it, and in words how."""
    zones = tried.index[tried["shift"].notna()]
    place = tried.loc[zones, "place"].to_numpy()
    shift, read_as = (tried.loc[zones, name].to_numpy() for name in ("shift", "read_as"))
    lon, lat = to_wgs84(x[place], y[place], VN2000)
    # As far from VN-2000 to WGS 84 as the other way round, but for less than a millimetre.
    lon, lat = to_wgs84(2 * x[place] - lon + shift, 2 * y[place] - lat, VN2000)
    tried = tried.copy()
    tried.loc[zones, ["lon", "lat"]] = np.column_stack([lon, lat])
    tried.loc[zones, "how"] = [_told(*one) for one in zip(read_as, shift, strict=True)]
    return tried


def _told(read_as: float, shift: float) -> str:
    if read_as == read_as:
        return f"λ₀ {_angle(read_as)} → {_angle(read_as + shift)}"
    return f"λ₀ {'+' if shift > 0 else '−'} {_angle(abs(shift))}"


@lru_cache(maxsize=1)
def meridians() -> dict[str, float]:
    """The central meridian in degrees of each system of TM3, as PROJ knows it."""
    found = {}
    for name in TM3:
        operation = CRS.from_user_input(name).coordinate_operation
        values = {} if operation is None else {p.name: p.value for p in operation.params}
        found[name] = float(values["Longitude of natural origin"])
    return found


def in_box(lon: Floats, lat: Floats) -> Flags:
    """Whether each point lies in the box of Viet Nam; NaN does not."""
    with np.errstate(invalid="ignore"):
        return (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)


def _listed(which: Flags, how: str | Texts, lon: Floats, lat: Floats) -> pd.DataFrame:
    place = np.flatnonzero(which & in_box(lon, lat))
    told = how if isinstance(how, str) else how[place]
    return pd.DataFrame({"place": place, "how": told, "lon": lon[place], "lat": lat[place]})


def _together(value: Floats) -> Floats:
    """DDDMM.mmm: degrees times 100 and minutes, as receivers write them (NMEA 0183)."""
    degrees = np.floor(value / _HUNDRED)
    return _of_parts(degrees, value - _HUNDRED * degrees, 0.0)


def _minutes_as_decimals(value: Floats) -> Floats:
    """D.MMmmm: 105°48.5′ written as 105.485."""
    degrees = np.floor(value)
    return _of_parts(degrees, np.round((value - degrees) * 100, 7), 0.0)


def _seconds_as_decimals(value: Floats) -> Floats:
    """D.MMSSs: 105°48′30.5″ written as 105.48305."""
    degrees = np.floor(value)
    minutes = np.round((value - degrees) * 100, 7)
    whole = np.floor(minutes)
    return _of_parts(degrees, whole, np.round((minutes - whole) * 100, 5))


def _of_parts(degrees: Floats, minutes: Floats, seconds: Floats | float) -> Floats:
    """Degrees, minutes and seconds as degrees; NaN where minutes or seconds reach 60."""
    with np.errstate(invalid="ignore"):
        good = (minutes < _MINUTES) & (np.asarray(seconds) < _MINUTES)
    return np.where(good, degrees + (minutes + np.asarray(seconds) / 60) / 60, np.nan)


_READINGS = (
    ("DDDMM.mmm → DDD°MM.mmm′", _together),
    ("D.MMmmm → D°MM.mmm′", _minutes_as_decimals),
    ("D.MMSSs → D°MM′SS.s″", _seconds_as_decimals),
)


def _angle(degrees: float) -> str:
    return f"{int(degrees)}°{round(degrees % 1 * 60):02d}′"
