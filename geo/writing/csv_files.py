"""CSV: UTF-8 with a header, safe to open in a spreadsheet."""

import csv
from typing import BinaryIO

from geo.writing.extract import Advance, Extract, safe, unheard

BOM = b"\xef\xbb\xbf"
_TELL_EVERY = 5_000


def write(extract: Extract, out: BinaryIO, bom: bool, advance: Advance = unheard) -> int:
    """Write the rows; `bom` puts the mark in front by which Excel knows UTF-8."""
    out.write(BOM if bom else b"")
    writer = csv.writer(_Utf8(out), lineterminator="\r\n" if bom else "\n")
    writer.writerow(extract.names)
    count = 0
    for row in extract.cells():
        writer.writerow([safe(cell) for cell in row])
        count += 1
        if count % _TELL_EVERY == 0:
            advance(count)
    advance(count)
    return count


class _Utf8:
    """Text into a binary file that may be no more than written to."""

    def __init__(self, out: BinaryIO) -> None:
        self._put = out.write

    def write(self, text: str) -> int:
        return self._put(text.encode())
