"""Reads vector tiles by the specification (MVT 2.1), written apart from what writes them."""

from typing import Any


def features(body: bytes) -> list[dict[str, Any]]:
    """The attributes of the features of a tile with one layer."""
    return [attributes for _at, attributes in located(body)]


def located(body: bytes) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """The features of a tile with one layer: place in the tile and attributes."""
    ((_field, layer),) = _fields(body)
    parts = _fields(layer)
    keys = [value.decode() for field, value in parts if field == 3]
    values = [_value(value) for field, value in parts if field == 4]
    found = []
    for field, feature in parts:
        if field == 2:
            told = dict(_fields(feature))
            tags = _varints(told[2])
            pairs = zip(tags[::2], tags[1::2], strict=True)
            command, x, y = _varints(told[4])
            assert (told[3], command) == (1, 9)
            found.append(((x >> 1, y >> 1), {keys[k]: values[v] for k, v in pairs}))
    return found


def _value(message: bytes) -> Any:
    ((field, value),) = _fields(message)
    return value.decode() if field == 1 else value


def _fields(message: bytes) -> list[tuple[int, Any]]:
    found, at = [], 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        found.append((tag >> 3, value))
    return found


def _varints(packed: bytes) -> list[int]:
    found, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        found.append(value)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
