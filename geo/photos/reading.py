"""Reads one photo that somebody sent: checked, measured, hashed; nothing of it is believed."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from geo.config import settings
from geo.errors import RejectedError
from geo.photos import exif, hashing

FORMATS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""What Pillow calls the formats that are read → their media types. MPO is a phone's JPEG."""
_READ = ("JPEG", "PNG", "WEBP")
SMALLEST_SIDE = 64
_LOOKED_AT = 256
_THUMBNAIL = 320
_HEIF = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypmif1", b"ftypmsf1", b"ftypavif")


@dataclass(frozen=True)
class Photo:
    """What is known of a photo: pixels as stored, EPSG:4326 degrees, time in UTC.

    exif: present (it tells a place or a time), stripped (a JPEG, or EXIF, without either: as
    messengers leave it), none (a format that seldom has any). hash: see geo.photos.hashing.
    """

    content: bytes
    sha256: str
    media_type: str
    width: int
    height: int
    exif: str
    lon: float | None
    lat: float | None
    taken_at: datetime | None
    camera: str | None
    hash: int | None


def read(content: bytes) -> Photo:
    """A photo from its bytes; raises RejectedError that says why it is none that can be kept."""
    _check_size(content)
    with _opened(content) as image:
        media_type, (width, height) = FORMATS[str(image.format)], image.size
        said = exif.read(image)
        found = hashing.perceptual(_decoded(image, _LOOKED_AT, said.turn))
    told = said.lon is not None or said.taken_at is not None
    bare = "stripped" if said.there or media_type == "image/jpeg" else "none"
    return Photo(
        content,
        hashlib.sha256(content).hexdigest(),
        media_type,
        width,
        height,
        "present" if told else bare,
        said.lon,
        said.lat,
        said.taken_at,
        said.camera,
        found,
    )


def thumbnail(content: bytes) -> bytes:
    """The picture as a JPEG of at most 320 × 320 pixels, the right way up, without EXIF."""
    with _opened(content) as image:
        small = _decoded(image, _THUMBNAIL, exif.read(image).turn).convert("RGB")
        small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return out.getvalue()


def media_type(content: bytes) -> str:
    """The media type of a stored photo, by its content."""
    with _opened(content) as image:
        return FORMATS[str(image.format)]


def _check_size(content: bytes) -> None:
    most = settings().max_photo_mb
    if not content:
        raise RejectedError("The photo is empty.")
    if len(content) > most * 1024 * 1024:
        raise RejectedError(f"The photo is larger than {most} MB (ANCU_MAX_PHOTO_MB).")
    if content[4:12] in _HEIF:
        raise RejectedError(
            "The photo is HEIC or AVIF, which cannot be read here; send it as JPEG "
            "(iPhone: Settings, Camera, Formats, Most Compatible)."
        )


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """The image behind its header, within the limits; raises RejectedError."""
    try:
        # Remarks about damage and about size: the one is refused below, the other is checked.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=_READ) as image:
                _check_pixels(image)
                yield image
    except Image.DecompressionBombError:
        raise _too_many_pixels(settings().max_photo_megapixels) from None
    except exif.ODD:
        raise RejectedError(
            "The photo cannot be read: it is no JPEG, PNG or WebP, or it is damaged or cut off."
        ) from None


def _check_pixels(image: Image.Image) -> None:
    width, height = image.size
    # A JPEG is decoded small at once; the others whole, with many times the memory.
    share = 1 if FORMATS[str(image.format)] == "image/jpeg" else 4
    most = settings().max_photo_megapixels / share
    if width * height > most * 1_000_000:
        raise _too_many_pixels(most)
    if min(width, height) < SMALLEST_SIDE:
        raise RejectedError(f"The photo is smaller than {SMALLEST_SIDE} pixels; send the original.")


def _too_many_pixels(most: float) -> RejectedError:
    return RejectedError(
        f"The photo has more than {most:g} megapixels (ANCU_MAX_PHOTO_MEGAPIXELS); send it smaller."
    )


def _decoded(image: Image.Image, side: int, turn: Image.Transpose | None) -> Image.Image:
    """All of the picture decoded, the right way up, and no smaller than needed for `side`."""
    image.draft("RGB", (side, side))  # a JPEG is decoded at an eighth where that is enough
    image.load()
    small = image.convert("RGB") if image.mode == "P" else image
    small.thumbnail((2 * side, 2 * side), Image.Resampling.BOX)
    return small if turn is None else small.transpose(turn)
