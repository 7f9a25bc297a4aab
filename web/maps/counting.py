"""How many records a vector tile holds: points, and the numbers that squares carry."""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LAYERS, _FEATURES, _KEYS, _VALUES, _TAGS = 3, 2, 3, 4, 2


def records(tile: bytes) -> int:
    """The records of all layers of a tile (MVT): a feature with `count` stands for so many."""
    return sum(_of_layer(body) for number, body in _fields(tile) if number == _LAYERS)


def _of_layer(layer: memoryview) -> int:
    parts = list(_fields(layer))
    keys = [bytes(body).decode() for number, body in parts if number == _KEYS]
    values = [body for number, body in parts if number == _VALUES]
    place = keys.index("count") if "count" in keys else None
    total = 0
    for number, feature in parts:
        if number == _FEATURES:
            total += _count(feature, values, place)
    return total


def _count(feature: memoryview, values: list[memoryview], place: int | None) -> int:
    for number, body in _fields(feature):
        if number == _TAGS and place is not None:
            tags = list(_varints(body))
            for key, value in zip(tags[::2], tags[1::2], strict=True):
                if key == place:
                    return next(_varints(values[value][1:]))
    return 1


def _fields(data: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and body of the fields that have a length; others are passed over."""
    view, at = memoryview(data), 0
    while at < len(view):
        tag, at = _varint(view, at)
        kind = tag & 7
        if kind == _BYTES:
            size, at = _varint(view, at)
            yield tag >> 3, view[at : at + size]
            at += size
        elif kind == _VARINT:
            _, at = _varint(view, at)
        else:
            at += {_FIXED64: 8, _FIXED32: 4}[kind]


def _varints(view: memoryview) -> Iterator[int]:
    at = 0
    while at < len(view):
        value, at = _varint(view, at)
        yield value


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
