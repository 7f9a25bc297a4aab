"""Values as requests write them: moments, days, intervals and shapes; refused in words."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import UsageError
from geo.ogc.systems import System

Interval = tuple[datetime | None, datetime | None]
"""From and to, both included; None where it is open."""

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MAX_POINTS = 20_000
OPEN = ("", "..")

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_INSTANT = timedelta(microseconds=1)


def day(text: str) -> date:
    """A day such as 2026-09-01; raises UsageError."""
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no day; write it as 2026-09-01.") from None


def moment(text: str) -> datetime:
    """A moment of RFC 3339 in UTC, such as 2026-09-01T08:30:00+07:00; raises UsageError."""
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text[:40]!r} is no moment; write it with its zone, as 2026-09-01T08:30:00+07:00."
        ) from None


def midnight(of: date) -> datetime:
    """The moment at which a day begins in Viet Nam; raises UsageError beyond the calendar."""
    try:
        return datetime.combine(of, time(), ZONE).astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{of.isoformat()} lies beyond the calendar.") from None


def interval(start: str, end: str) -> Interval:
    """From the start to the end, both moments, days of Viet Nam or `..`; raises UsageError."""
    found = _from(start), _to(end)
    if found[0] and found[1] and found[0] > found[1]:
        raise UsageError(f"The interval {start[:40]}/{end[:40]} ends before it begins.")
    return found


def when(text: str) -> Interval:
    """The parameter datetime: a moment, a day, or an interval `start/end`; raises UsageError."""
    start, slash, end = text.partition("/")
    if start in OPEN and end in OPEN:
        raise UsageError("datetime is a moment, a day or start/end, of which one may be open (..).")
    return interval(start, end) if slash else interval(text, text)


def _from(text: str) -> datetime | None:
    if text in OPEN:
        return None
    return midnight(day(text)) if _DAY.fullmatch(text) else moment(text)


def _to(text: str) -> datetime | None:
    if text in OPEN:
        return None
    if not _DAY.fullmatch(text):
        return moment(text)
    try:
        return midnight(day(text) + timedelta(days=1)) - _INSTANT
    except OverflowError:
        raise UsageError(f"{text} lies beyond the calendar.") from None


def box(numbers: Sequence[Any], system: System) -> BaseGeometry:
    """A box of 4 or 6 numbers of a system as a shape in degrees; heights are not looked at.

    Raises UsageError, also for a box across the 180th meridian.
    """
    if len(numbers) not in (4, 6) or not all(map(_is_number, numbers)):
        raise UsageError("A bbox has four numbers, or six with heights.")
    half = len(numbers) // 2
    low, high = [float(n) for n in numbers[:2]], [float(n) for n in numbers[half : half + 2]]
    across = 1 if system.north_first else 0
    if low[across] > high[across] and not system.metric:
        raise UsageError(
            "A bbox across the 180th meridian is not possible: Viet Nam is far from it. "
            "Give the smaller longitude first."
        )
    if low[0] > high[0] or low[1] > high[1]:
        raise UsageError("A bbox names its lower corner first, then its upper one.")
    return system.understood(_rectangle(*low, *high))


def _rectangle(x1: float, y1: float, x2: float, y2: float) -> BaseGeometry:
    """The box; one without any width is the line or point that it is."""
    if x1 == x2 and y1 == y2:
        return shapely.Point(x1, y1)
    if x1 == x2 or y1 == y2:
        return shapely.LineString([(x1, y1), (x2, y2)])
    return shapely.box(x1, y1, x2, y2, ccw=False)


def shape(node: Mapping[str, Any], system: System) -> BaseGeometry:
    """A GeoJSON geometry of a system as a shape in degrees; raises UsageError."""
    try:
        found = shapely.from_geojson(orjson.dumps(node))
    except (shapely.errors.GEOSException, TypeError, ValueError):
        raise UsageError("A shape in the filter is no geometry.") from None
    return placed(found, system)


def written_shape(text: str) -> dict[str, Any]:
    """A geometry of well-known text as GeoJSON; raises UsageError."""
    try:
        with np.errstate(over="ignore"):
            found = shapely.from_wkt(text)
    except (shapely.errors.GEOSException, ValueError):
        raise UsageError(f"{text[:60]!r} is no geometry.") from None
    if found.is_empty or not np.isfinite(shapely.bounds(found)).all():
        raise UsageError(f"{text[:60]!r} is empty or has coordinates that are no numbers.")
    made: dict[str, Any] = orjson.loads(shapely.to_geojson(found))
    return made


def placed(found: BaseGeometry | None, system: System) -> BaseGeometry:
    """The shape in degrees once it is fit to be compared with; raises UsageError."""
    if found is None or found.is_empty:
        raise UsageError("A shape in the filter is empty.")
    if shapely.get_num_coordinates(found) > MAX_POINTS:
        raise UsageError(f"A shape in the filter may have {MAX_POINTS} points at most.")
    if not np.isfinite(shapely.bounds(found)).all():
        raise UsageError("A shape in the filter has coordinates that are no numbers.")
    if not found.is_valid:
        reason = shapely.is_valid_reason(found)
        raise UsageError(f"A shape in the filter is not valid: {reason[:80]}.")
    return system.understood(found)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
