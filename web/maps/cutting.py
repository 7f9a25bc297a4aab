"""Cuts vector tiles of points to a frame, so that a file holds nothing beside what it says."""

from web.maps import wire

_LAYERS = 3
_NAME, _FEATURES, _KEYS, _VALUES, _EXTENT = 1, 2, 3, 4, 5
_TAGS, _GEOMETRY = 2, 4
_WHOLE = 4096
INSET = 3
"""Units of a tile that are left out along the frame: what a tile rounds into the frame at one zoom
would else be in no tile of the next."""

Frame = tuple[float, float, float, float]
"""Left, top, right, bottom in parts of the world's Web-Mercator square, from 0 to 1."""


def cut(tile: bytes, z: int, x: int, y: int, frame: Frame) -> bytes:
    """The tile (MVT) with the points in the frame only, and with nothing that the others said.

    A square counts where its records are on average.
    """
    if _within(frame, z, x, y):
        return tile
    parts = []
    for number, layer in wire.bodies(tile):
        kept = _layer(layer, z, x, y, frame) if number == _LAYERS else bytes(layer)
        parts.append(wire.written(number, kept) if kept else b"")
    return b"".join(parts)


def _within(frame: Frame, z: int, x: int, y: int) -> bool:
    """Whether the whole tile lies in the frame."""
    edge = INSET / _WHOLE
    left, top, right, bottom = (part * (1 << z) for part in frame)
    return left + edge <= x < x + 1 <= right - edge and top + edge <= y < y + 1 <= bottom - edge


def _layer(layer: memoryview, z: int, x: int, y: int, frame: Frame) -> bytes:
    """The layer without what stands elsewhere; nothing where nothing is left."""
    parts = list(wire.fields(layer))
    extent = next((int(value) for number, value in parts if number == _EXTENT), _WHOLE)
    left, top, right, bottom = (part * (1 << z) * extent for part in frame)
    head, features, values = b"", b"", [value for number, value in parts if number == _VALUES]
    used: dict[int, int] = {}
    for number, value in parts:
        if number == _FEATURES and isinstance(value, memoryview):
            across, down = _point(value)
            inside = (
                left + INSET <= x * extent + across <= right - INSET
                and top + INSET <= y * extent + down <= bottom - INSET
            )
            features += _feature(value, used) if inside else b""
        elif number != _VALUES:
            head += wire.written(number, value)
    if not features:
        return b""
    return head + features + b"".join(wire.written(_VALUES, values[old]) for old in used)


def _point(feature: memoryview) -> tuple[int, int]:
    """Where a feature stands, in units of the tile."""
    for number, body in wire.bodies(feature):
        if number == _GEOMETRY:
            _, across, down, *_ = wire.varints(body)
            return wire.signed(across), wire.signed(down)
    raise ValueError("a feature without geometry")


def _feature(feature: memoryview, used: dict[int, int]) -> bytes:
    """The feature as a field of its layer; its values are numbered as they come in `used`."""
    told = b""
    for number, value in wire.fields(feature):
        if number == _TAGS and isinstance(value, memoryview):
            tags = list(wire.varints(value))
            tags[1::2] = [used.setdefault(one, len(used)) for one in tags[1::2]]
            told += wire.written(number, wire.packed(tags))
        else:
            told += wire.written(number, value)
    return wire.written(_FEATURES, told)
