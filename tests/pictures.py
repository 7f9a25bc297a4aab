"""Photos for the tests: pictures that differ, with the EXIF that a test wants."""

import io
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

WHEN = "2026:09:30 08:15:00"
SIZE = (640, 480)


def picture(number: int = 1, size: tuple[int, int] = SIZE) -> Image.Image:
    """Soft coloured spots, different for each number."""
    spots = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(spots).resize(size, Image.Resampling.BICUBIC)


def exif(
    place: tuple[float, float] | None = None,
    when: str | None = None,
    zone: str | None = None,
    base: Mapping[int, Any] | None = None,
    own: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
) -> Image.Exif:
    """EXIF with a place (lon, lat in degrees), a time and its offset, and whatever else by tag."""
    made = Image.Exif()
    made.update({0x0131: "tests"} | dict(base or {}))
    times = {0x9003: when, 0x9011: zone}
    made.get_ifd(0x8769).update({k: v for k, v in times.items() if v} | dict(own or {}))
    made.get_ifd(0x8825).update((_gps(*place) if place else {}) | dict(gps or {}))
    return made


def _gps(lon: float, lat: float) -> dict[int, Any]:
    return {
        1: "N" if lat >= 0 else "S",
        2: _sexagesimal(abs(lat)),
        3: "E" if lon >= 0 else "W",
        4: _sexagesimal(abs(lon)),
    }


def _sexagesimal(degrees: float) -> tuple[Fraction, Fraction, Fraction]:
    """Degrees, minutes and seconds to a ten-thousandth, as phones write them."""
    ticks = round(degrees * 36_000_000)
    whole, rest = divmod(ticks, 36_000_000)
    minutes, seconds = divmod(rest, 600_000)
    return Fraction(whole), Fraction(minutes), Fraction(seconds, 10_000)


def jpeg(
    number: int = 1, said: Image.Exif | None = None, image: Image.Image | None = None
) -> bytes:
    """A JPEG file."""
    return saved(image or picture(number), "JPEG", **({"exif": said} if said else {}))


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """A picture as a file of a format."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()
