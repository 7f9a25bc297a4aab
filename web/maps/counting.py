"""How many records a vector tile holds: points, and the numbers that squares carry."""

from web.maps import wire

_LAYERS, _FEATURES, _KEYS, _VALUES, _TAGS = 3, 2, 3, 4, 2


def records(tile: bytes) -> int:
    """The records of all layers of a tile (MVT): a feature with `count` stands for so many."""
    return sum(_of_layer(body) for number, body in wire.bodies(tile) if number == _LAYERS)


def _of_layer(layer: memoryview) -> int:
    parts = list(wire.bodies(layer))
    keys = [bytes(body).decode() for number, body in parts if number == _KEYS]
    values = [body for number, body in parts if number == _VALUES]
    place = keys.index("count") if "count" in keys else None
    total = 0
    for number, feature in parts:
        if number == _FEATURES:
            total += _count(feature, values, place)
    return total


def _count(feature: memoryview, values: list[memoryview], place: int | None) -> int:
    for number, body in wire.bodies(feature):
        if number == _TAGS and place is not None:
            tags = list(wire.varints(body))
            for key, value in zip(tags[::2], tags[1::2], strict=True):
                if key == place:
                    return next(wire.varints(values[value][1:]))
    return 1
