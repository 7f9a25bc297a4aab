"""EXIF of a photo: where and when it was taken, with what camera; anything odd is as if absent."""

import math
import re
import struct
import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from PIL import Image

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TIMES = ((0x9003, 0x9011), (0x9004, 0x9012))
"""Original and digitized: local time, and its distance from UTC."""
_LAT_REF, _LAT, _LON_REF, _LON, _GPS_TIME, _GPS_DATE = 1, 2, 3, 4, 7, 29
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_MOMENT = re.compile(r"(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)[ T](\d\d):(\d\d):(\d\d)").match
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)").match
_FIRST_YEAR = 2010
"""A clock that nobody set says 1970, 1980 or 2000; no phone with this service is so old."""
_LONGEST_NAME = 80
# What Pillow raises, of its own or by accident, on bytes that only look like EXIF.
ODD = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RecursionError),
    *(SyntaxError, TypeError, ValueError, struct.error),
)


@dataclass(frozen=True)
class Exif:
    """What a photo says of itself: EPSG:4326 degrees, time in UTC; None is not known.

    there: whether there is any EXIF at all. turn: what sets the picture upright.
    """

    there: bool = False
    lon: float | None = None
    lat: float | None = None
    taken_at: datetime | None = None
    camera: str | None = None
    turn: Image.Transpose | None = None


def read(image: Image.Image) -> Exif:
    """The EXIF of an opened image; whatever is damaged, impossible or hostile counts as absent."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks about damaged EXIF
            base = image.getexif()
            there = len(base) > 0
            own, gps = base.get_ifd(_EXIF_IFD), base.get_ifd(_GPS_IFD)
    except ODD:
        return Exif()
    lon, lat = _place(gps)
    turned = base.get(_ORIENTATION)
    turn = _TURNS.get(turned) if isinstance(turned, int) else None
    return Exif(there, lon, lat, _time(own) or _gps_time(gps), _camera(base), turn)


def _place(gps: Mapping[int, object]) -> tuple[float | None, float | None]:
    lat = _degrees(gps.get(_LAT), gps.get(_LAT_REF), "NS", 90)
    lon = _degrees(gps.get(_LON), gps.get(_LON_REF), "EW", 180)
    # Cameras without a fix write zeros.
    if lat is None or lon is None or (abs(lat) < 1e-6 and abs(lon) < 1e-6):
        return None, None
    return lon, lat


def _degrees(value: object, ref: object, signs: str, most: float) -> float | None:
    """Degrees, minutes, seconds with N, S, E or W as one signed number."""
    side = _text(ref).strip().upper()[:1]
    parts = _numbers(value)
    if parts is None or side not in signs or not side or not 1 <= len(parts) <= 3:
        return None
    degrees = sum(part / 60**place for place, part in enumerate(parts))
    if any(part < 0 for part in parts) or degrees > most:
        return None
    return -degrees if side == signs[1] else degrees


def _numbers(value: object) -> list[float] | None:
    parts = value if isinstance(value, tuple | list) else (value,)
    if len(parts) > 3 or isinstance(value, str | bytes):
        return None
    try:
        numbers = [float(part) for part in parts]
    except ODD:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def _time(own: Mapping[int, object]) -> datetime | None:
    """When the photo was taken; a time without a zone is Viet Nam's."""
    for name, zone in _TIMES:
        found = _MOMENT(_text(own.get(name)).strip())
        if found and (moment := _moment([int(part) for part in found.groups()])):
            return _plausible(moment, _zone(_text(own.get(zone))))
    return None


def _gps_time(gps: Mapping[int, object]) -> datetime | None:
    """When the position was taken, which receivers tell in UTC."""
    day = re.match(r"(\d{4})[:\-](\d\d)[:\-](\d\d)", _text(gps.get(_GPS_DATE)))
    clock = _numbers(gps.get(_GPS_TIME))
    if not day or clock is None or len(clock) != 3:
        return None
    parts = [int(part) for part in (*day.groups(), *clock)]
    return (moment := _moment(parts)) and _plausible(moment, UTC)


def _moment(parts: list[int]) -> datetime | None:
    try:
        return datetime(*parts)  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None


def _zone(offset: str) -> timezone | ZoneInfo:
    found = _OFFSET(offset.strip())
    if not found:
        return _LOCAL
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    if away > timedelta(hours=14):
        return _LOCAL
    return timezone(-away if found[1] == "-" else away)


def _plausible(moment: datetime, zone: timezone | ZoneInfo) -> datetime | None:
    if not _FIRST_YEAR <= moment.year < 9999:
        return None
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _camera(base: Mapping[int, object]) -> str | None:
    """Maker and model as one name; most models begin with their maker's."""
    make, model = (plain(_text(base.get(tag))) for tag in (_MAKE, _MODEL))
    name = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return name.strip()[:_LONGEST_NAME] or None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def plain(text: str) -> str:
    """A text without what nobody sees: control characters, marks of direction, NUL."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return unicodedata.normalize("NFC", " ".join(kept.split()))
