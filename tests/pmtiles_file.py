"""A small PMTiles file (version 3), written by the letter of its specification."""

import struct
from pathlib import Path


def _varint(number: int) -> bytes:
    made = b""
    while number > 0x7F:
        made += bytes([number & 0x7F | 0x80])
        number >>= 7
    return made + bytes([number])


def write(path: Path, tile: bytes, kind: int) -> Path:
    """One tile, that of the whole world; kind 1 is a vector tile, 2 a PNG."""
    directory = b"".join(map(_varint, (1, 0, 1, len(tile), 1)))
    metadata = b"{}"
    root, about = 127, 127 + len(directory)
    first = about + len(metadata)
    places = (root, len(directory), about, len(metadata), first, 0, first, len(tile), 1, 1, 1)
    flags = bytes([1, 1, 1, kind, 0, 0])  # clustered, nothing compressed, zooms 0 to 0
    bounds = struct.pack("<4i", -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000)
    centre = b"\0" + struct.pack("<2i", 0, 0)
    head = b"PMTiles\x03" + struct.pack("<11Q", *places) + flags + bounds + centre
    assert len(head) == 127
    path.write_bytes(head + directory + metadata + tile)
    return path
