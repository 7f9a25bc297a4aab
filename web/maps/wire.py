"""Reads and writes the fields of protocol buffers, of which vector tiles are made."""

from collections.abc import Iterable, Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(data: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: a whole number, else the bytes of its body."""
    view, at = memoryview(data), 0
    while at < len(view):
        tag, at = _varint(view, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(view, at)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            size, at = _varint(view, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}[kind]
        yield tag >> 3, view[at : at + size]
        at += size


def bodies(data: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields that are no whole numbers."""
    for number, value in fields(data):
        if isinstance(value, memoryview):
            yield number, value


def varints(view: memoryview) -> Iterator[int]:
    """The whole numbers of a packed field."""
    at = 0
    while at < len(view):
        value, at = _varint(view, at)
        yield value


def written(number: int, value: int | bytes | memoryview) -> bytes:
    """A field: a whole number, or a body with its length."""
    if isinstance(value, int):
        return _written(number << 3 | VARINT) + _written(value)
    return _written(number << 3 | BYTES) + _written(len(value)) + bytes(value)


def packed(values: Iterable[int]) -> bytes:
    """Whole numbers one after another, the body of a packed field."""
    return b"".join(map(_written, values))


def signed(value: int) -> int:
    """The number that a zigzag code stands for."""
    return value >> 1 ^ -(value & 1)


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
