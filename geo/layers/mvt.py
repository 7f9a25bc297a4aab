"""Vector tiles written here: features with points and attributes as the bytes of MVT 2.1.

What the database finds comes as few long columns, not as rows, and is put together by numpy; for a
tile of 4,000 points that takes a tenth of the time of ST_AsMVT.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.layers.layer import EXTENT

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_FEATURE, _KEY, _VALUE = 0x12, 0x1A, 0x22
_TAGS, _TYPE, _GEOMETRY = 0x12, 0x18, 0x22
_POINT = 1
_MOVE_TO_ONE = 9
_TEXT, _NUMBER = 0x0A, 0x28
_HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], np.uint8)
_UUID_PARTS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
_SHORT = 125
"""The longest text whose length, with the two bytes before it, is told by one byte."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of n features: its values, ready to be sent, and which of them each has.

    index: n places in the values; -1 where a feature has not got the attribute.
    """

    key: str
    values: bytes
    size: int
    index: Ints


def words(key: str, values: Sequence[str], index: Ints) -> Attribute:
    """An attribute with few different texts; `index` tells which one a feature has, -1 none."""
    return Attribute(key, b"".join(map(_text_value, values)), len(values), index)


def texts(key: str, values: Sequence[str]) -> Attribute:
    """An attribute with a text of its own for each feature."""
    encoded = [value.encode() for value in values]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    index = np.arange(len(encoded))
    if len(encoded) == 0 or lengths.max() > _SHORT:
        return Attribute(key, b"".join(map(_text_value, values)), len(encoded), index)
    starts = np.cumsum(lengths + 4) - lengths - 4
    made = np.empty(int(lengths.sum()) + 4 * len(encoded), np.uint8)
    held = np.ones(len(made), bool)
    headers = (np.full_like(lengths, _VALUE), lengths + 2, np.full_like(lengths, _TEXT), lengths)
    for place, header in enumerate(headers):
        made[starts + place] = header
        held[starts + place] = False
    made[held] = np.frombuffer(b"".join(encoded), np.uint8)
    return Attribute(key, made.tobytes(), len(encoded), index)


def uuids(key: str, raw: bytes) -> Attribute:
    """The same for UUIDs, of which `raw` has 16 bytes each, as they are usually written."""
    digits = _HEX[np.frombuffer(raw, np.uint8)].reshape(-1, 32)
    made = np.full((len(digits), 40), ord("-"), np.uint8)
    made[:, :4] = (_VALUE, 38, _TEXT, 36)
    for gap, (first, after) in enumerate(_UUID_PARTS):
        made[:, 4 + first + gap : 4 + after + gap] = digits[:, first:after]
    return Attribute(key, made.tobytes(), len(digits), np.arange(len(digits)))


def numbers(key: str, values: Ints) -> Attribute:
    """An attribute with whole numbers from 0; where it is 0 the attribute is left out."""
    found, index = np.unique(values, return_inverse=True)
    if len(found) and found[0] == 0:
        found, index = found[1:], index - 1
    return Attribute(key, b"".join(map(_number_value, found.tolist())), len(found), index)


def encode(name: str, x: Ints, y: Ints, attributes: Sequence[Attribute]) -> bytes:
    """A tile with one layer of n points at x, y (0 ≤ x, y < EXTENT); b"" without any."""
    if len(x) == 0:
        return b""
    attributes = [attribute for attribute in attributes if attribute.size]
    told = name.encode()
    parts = [b"\x78\x02\x0a", _varint(len(told)), told, _features(x, y, attributes)]
    for attribute in attributes:
        key = attribute.key.encode()
        parts += [bytes((_KEY,)), _varint(len(key)), key]
    parts += [attribute.values for attribute in attributes]
    parts += [b"\x28", _varint(EXTENT)]
    layer = b"".join(parts)
    return b"\x1a" + _varint(len(layer)) + layer


def _features(x: Ints, y: Ints, attributes: Sequence[Attribute]) -> bytes:
    tags, geometry = _Columns(len(x)), _Columns(len(x))
    before = 0
    for place, attribute in enumerate(attributes):
        has = None if attribute.index.min() >= 0 else attribute.index >= 0
        tags.constant(place, has)
        tags.varint(attribute.index + before, has)
        before += attribute.size
    geometry.constant(_MOVE_TO_ONE)
    geometry.varint(2 * x)  # zigzag: the lowest bit is the sign
    geometry.varint(2 * y)
    made = _Columns(len(x))
    made.constant(_TAGS)
    made.varint(tags.lengths())
    made.extend(tags)
    made.constant(_TYPE)
    made.constant(_POINT)
    made.constant(_GEOMETRY)
    made.varint(geometry.lengths())
    made.extend(geometry)
    whole = _Columns(len(x))
    whole.constant(_FEATURE)
    whole.varint(made.lengths())
    whole.extend(made)
    return whole.joined()


class _Columns:
    """n messages side by side: the first byte of each, the second, and which of them are there."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.bytes: list[Bytes | int] = []
        self.there: list[NDArray[np.bool_] | None] = []

    def constant(self, byte: int, where: NDArray[np.bool_] | None = None) -> None:
        self.bytes.append(byte)
        self.there.append(where)

    def varint(self, values: Ints, where: NDArray[np.bool_] | None = None) -> None:
        """Whole numbers from 0, seven bits a byte, the lowest first."""
        left, there = values, where
        more = max(int(values.max()), 0) >> 7
        while more:
            beyond = left > 127
            self.bytes.append((left & 127 | beyond.astype(np.int64) << 7).astype(np.uint8))
            self.there.append(there)
            there = beyond if there is None else beyond & there
            left, more = left >> 7, more >> 7
        self.bytes.append(left.astype(np.uint8))
        self.there.append(there)

    def extend(self, other: "_Columns") -> None:
        self.bytes += other.bytes
        self.there += other.there

    def lengths(self) -> Ints:
        """How long each message is."""
        lengths = np.full(self.n, sum(there is None for there in self.there), np.int64)
        for there in self.there:
            if there is not None:
                lengths += there
        return lengths

    def joined(self) -> bytes:
        """The messages one after the other."""
        made = np.empty((self.n, len(self.bytes)), np.uint8)
        held = np.ones(made.shape, bool)
        for place, (byte, there) in enumerate(zip(self.bytes, self.there, strict=True)):
            made[:, place] = byte
            if there is not None:
                held[:, place] = there
        return made[held].tobytes()


def _text_value(text: str) -> bytes:
    encoded = text.encode()
    message = bytes((_TEXT,)) + _varint(len(encoded)) + encoded
    return bytes((_VALUE,)) + _varint(len(message)) + message


def _number_value(number: int) -> bytes:
    message = bytes((_NUMBER,)) + _varint(number)
    return bytes((_VALUE,)) + _varint(len(message)) + message


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)
