"""What is read of a photo: place, time, camera, hash; and what hostile or broken files do."""

import io
import struct
import zlib
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as sampling
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from geo.errors import RejectedError
from geo.photos import hashing, reading
from tests.pictures import WHEN, exif, jpeg, picture, saved

HOUSE = (105.834172, 21.592961)
LOCAL = datetime(2026, 9, 30, 1, 15, tzinfo=UTC)


def bits_apart(one: int | None, two: int | None) -> int:
    assert one is not None and two is not None
    return ((one ^ two) & (2**64 - 1)).bit_count()


# ---- what a photo says of itself


def test_place_time_and_camera_are_read() -> None:
    said = exif(HOUSE, WHEN, base={0x010F: "Xiaomi", 0x0110: "Redmi 12"})
    found = reading.read(jpeg(said=said))
    assert (found.lon, found.lat) == pytest.approx(HOUSE, abs=1e-8)
    assert found.taken_at == LOCAL
    assert found.camera == "Xiaomi Redmi 12"
    assert (found.exif, found.media_type) == ("present", "image/jpeg")
    assert (found.width, found.height) == (640, 480)


@pytest.mark.parametrize("place", [(105.8, 21.5), (-70.25, -33.4), (179.9, -0.001), (-0.5, 51.5)])
def test_places_on_all_sides_keep_their_sign(place: tuple[float, float]) -> None:
    found = reading.read(jpeg(said=exif(place)))
    assert (found.lon, found.lat) == pytest.approx(place, abs=1e-8)


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        ({2: (21.5,), 4: (105.8,), 1: "N", 3: "E"}, (105.8, 21.5)),
        ({2: (21, 30), 4: (105, 48), 1: "N", 3: "E"}, (105.8, 21.5)),
        ({2: (21, 30, 0), 4: (105, 48, 0), 1: "n", 3: "e"}, (105.8, 21.5)),
        ({2: (0, 0, 0), 4: (0, 0, 0), 1: "N", 3: "E"}, None),
        ({2: (21, 30, 0), 4: (105, 48, 0), 3: "E"}, None),  # which side is not said
        ({2: (91, 0, 0), 4: (105, 48, 0), 1: "N", 3: "E"}, None),
        ({2: (21, 30, 0), 4: (181, 0, 0), 1: "N", 3: "E"}, None),
        ({2: (21, 30, 0), 4: (105, 48, 0), 1: "X", 3: "E"}, None),
        ({4: (105, 48, 0), 1: "N", 3: "E"}, None),
    ],
)
def test_odd_places(gps: dict[int, object], place: tuple[float, float] | None) -> None:
    made = {k: tuple(Fraction(str(one)) for one in v) if isinstance(v, tuple) else v
            for k, v in gps.items()}  # fmt: skip
    found = reading.read(jpeg(said=exif(gps=made)))
    assert (found.lon, found.lat) == (pytest.approx(place) if place else (None, None))


@pytest.mark.parametrize(
    ("tags", "taken"),
    [
        ({0x9003: WHEN}, LOCAL),  # no zone: Viet Nam's
        ({0x9003: WHEN, 0x9011: "+09:00"}, datetime(2026, 9, 29, 23, 15, tzinfo=UTC)),
        ({0x9003: WHEN, 0x9011: "-03:30"}, datetime(2026, 9, 30, 11, 45, tzinfo=UTC)),
        ({0x9003: WHEN, 0x9011: "+99:99"}, LOCAL),
        ({0x9003: WHEN, 0x9011: "bad"}, LOCAL),
        ({0x9004: WHEN}, LOCAL),
        ({0x9003: "    :  :     :  :  ", 0x9004: WHEN}, LOCAL),
        ({0x9003: "2026-09-30T08:15:00"}, LOCAL),
        ({0x9003: "1970:01:01 00:00:00"}, None),
        ({0x9003: "2002:12:08 12:00:00"}, None),
        ({0x9003: "2026:13:45 08:15:00"}, None),
        ({0x9003: "9999:12:31 23:59:59", 0x9011: "-12:00"}, None),
        ({0x9003: "yesterday"}, None),
    ],
)
def test_times(tags: dict[int, str], taken: datetime | None) -> None:
    assert reading.read(jpeg(said=exif(own=tags))).taken_at == taken


def test_the_receiver_s_time_is_utc_and_comes_last() -> None:
    gps = {29: "2026:09:30", 7: (Fraction(1), Fraction(2), Fraction(3))}
    assert reading.read(jpeg(said=exif(gps=gps))).taken_at == datetime(
        2026, 9, 30, 1, 2, 3, tzinfo=UTC
    )
    assert reading.read(jpeg(said=exif(when=WHEN, gps=gps))).taken_at == LOCAL


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (jpeg(said=exif(HOUSE)), "present"),
        (jpeg(said=exif(when=WHEN)), "present"),
        (jpeg(), "stripped"),
        (jpeg(said=exif(base={0x0110: "Redmi"})), "stripped"),
        (jpeg(said=exif(when="1970:01:01 00:00:00")), "stripped"),
        (saved(picture(), "PNG"), "none"),
        (saved(picture(), "WEBP"), "none"),
        (saved(picture(), "PNG", exif=exif(HOUSE)), "present"),
        (saved(picture(), "WEBP", exif=exif(HOUSE)), "present"),
        (saved(picture(), "WEBP", exif=exif(base={0x0110: "Redmi"})), "stripped"),
    ],
)
def test_present_stripped_and_none_are_told_apart(content: bytes, state: str) -> None:
    assert reading.read(content).exif == state


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("samsung", "SM-A057F", "samsung SM-A057F"),
        ("OPPO", "OPPO A58", "OPPO A58"),
        ("", "  ", None),
        ("a\x07b\tc", "x" * 300, ("a b c " + "x" * 300)[:80]),
    ],
)
def test_cameras_are_named_plainly(make: str, model: str, camera: str | None) -> None:
    assert reading.read(jpeg(said=exif(base={0x010F: make, 0x0110: model}))).camera == camera


# ---- files that are none


def header_of(width: int, height: int) -> bytes:
    """A PNG that says how large it is and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    begun = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + begun + struct.pack(">I", 100) + b"IDAT"


NO_PHOTO = "cannot be read: it is no JPEG, PNG or WebP, or it is damaged or cut off"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The photo is empty"),
        (b"\0" * 100, NO_PHOTO),
        (b"<svg onload=alert(1)>", NO_PHOTO),
        (b"GIF89a" + bytes(100), NO_PHOTO),
        (saved(picture(), "GIF"), NO_PHOTO),
        (saved(picture(), "TIFF"), NO_PHOTO),
        (saved(picture(), "BMP"), NO_PHOTO),
        (jpeg()[:2000], NO_PHOTO),
        (jpeg()[:100], NO_PHOTO),
        (saved(picture(), "PNG")[:3000], NO_PHOTO),
        (header_of(640, 480), NO_PHOTO),
        (header_of(4001, 4000), "more than 16 megapixels"),
        (header_of(60_000, 60_000), "more than 64 megapixels"),
        (saved(picture(size=(63, 400)), "JPEG"), "smaller than 64 pixels"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "HEIC or AVIF"),
        (b"\0\0\0\x18ftypavif" + bytes(60), "HEIC or AVIF"),
        (b"\xff\xd8\xff" + b"x" * (20 * 1024 * 1024), "larger than 20 MB"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(RejectedError, match=said):
        reading.read(content)


@given(st.binary(max_size=300), st.integers(0, 3))
@sampling(max_examples=150)
def test_hostile_exif_costs_the_photo_nothing(junk: bytes, kind: int) -> None:
    heads = (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff")
    marker = b"Exif\0\0" + heads[kind] + junk
    plain = jpeg()
    hostile = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(marker) + 2) + marker + plain[2:]
    found = reading.read(hostile)
    assert (found.width, found.height) == (640, 480)
    assert found.hash == reading.read(plain).hash or found.hash is not None


@given(st.data())
@sampling(max_examples=150)
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(jpeg(said=exif(HOUSE, WHEN)))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = reading.read(bytes(content))
    except RejectedError:
        return
    assert found.lon is None or -180 <= found.lon <= 180


# ---- the same picture


def test_a_picture_saved_anew_has_nearly_the_same_hash() -> None:
    original = reading.read(jpeg(said=exif(HOUSE, WHEN))).hash
    image = picture()
    for content in (
        saved(image, "JPEG", quality=35),
        saved(image.resize((200, 150)), "JPEG"),
        saved(image.resize((1600, 1200)), "PNG"),
        saved(image, "WEBP", quality=40),
        saved(ImageEnhance.Brightness(image).enhance(1.2), "JPEG"),
        saved(ImageEnhance.Contrast(image).enhance(0.8), "JPEG"),
        saved(image.convert("L"), "PNG"),
    ):
        assert bits_apart(original, reading.read(content).hash) <= 6


def test_different_pictures_are_far_apart() -> None:
    hashes = [reading.read(jpeg(number)).hash for number in range(1, 25)]
    apart = [bits_apart(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 12 and 26 < np.mean(apart) < 38


def test_a_photo_is_compared_the_right_way_up() -> None:
    """A phone held upright: the file lies on its side and says so."""
    upright = picture(3, (480, 640))
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    said = exif(base={0x0112: 6})
    held = reading.read(saved(lying, "JPEG", exif=said, quality=95))
    assert bits_apart(held.hash, reading.read(saved(upright, "JPEG", quality=95)).hash) <= 2
    small = Image.open(io.BytesIO(reading.thumbnail(saved(lying, "JPEG", exif=said))))
    assert small.size == (240, 320)


def grey(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(levels.astype(np.uint8))


NOISE = np.random.default_rng(5).integers(0, 6, (480, 640))
BARS = np.tile(np.repeat([0, 255], 320), (480, 1))


@pytest.mark.parametrize(
    "image",
    [grey(np.zeros((480, 640))), grey(np.full((480, 640), 255)), grey(NOISE), grey(250 - NOISE)],
    ids=["black", "white", "night", "fog"],
)
def test_a_picture_of_nothing_has_no_hash(image: Image.Image) -> None:
    assert hashing.perceptual(image) is None
    assert reading.read(saved(image, "JPEG")).hash is None


def test_two_halves_say_too_little_for_a_hash() -> None:
    assert hashing.perceptual(grey(BARS)) is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_unusual_pixels_are_read(mode: str) -> None:
    image = picture().convert("L") if mode == "I;16" else picture().convert(mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image, dtype=np.uint16) * 256)
    found = reading.read(saved(image, "PNG"))
    assert (found.width, found.height) == (640, 480)
    assert reading.thumbnail(saved(image, "PNG"))[:3] == b"\xff\xd8\xff"


def test_thumbnails_are_small_and_tell_nothing() -> None:
    content = jpeg(said=exif(HOUSE, WHEN, base={0x0110: "Redmi"}))
    small = Image.open(io.BytesIO(reading.thumbnail(content)))
    assert small.format == "JPEG" and small.size == (320, 240)
    assert len(small.getexif()) == 0
    assert b"Redmi" not in reading.thumbnail(content)
