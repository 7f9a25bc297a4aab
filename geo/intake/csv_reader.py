"""CSV as people really save it: BOMs, semicolons, tabs, quoted line breaks, wrong encodings."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from geo.errors import RejectedError
from geo.intake.source import IGNORED, UNNAMED, Source, columns, header, named

DELIMITERS = ",;\t"
_SEPARATOR = re.compile(r'"?sep=([^"\w\s]|\t)"?', re.IGNORECASE).fullmatch
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Letters that are frequent in Vietnamese and in the other encoding signs (®, µ) or rare.
_TCVN3 = frozenset(b"\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xb5\xb6\xb7\xb8\xb9")
_CP1258 = frozenset(b"\xcc\xd2\xde\xec\xf2\xf0\xd0\xe2\xea\xf4\xe3\xf5\xfd")


def read_csv(path: Path) -> Source:
    """Open a comma, semicolon or tab separated file in UTF-8, or in UTF-16 with BOM.

    Lines are physical lines, so that an editor shows the row that a message names. Raises
    RejectedError here for the header, and while the rows are read for encoding and quoting.
    """
    encoding = encoding_of(path)
    rows = _records(path, encoding)
    first = next((row for row in rows if any(cell.strip() for cell in row[1])), None)
    if first is None:
        raise RejectedError(f"{path.name} is empty: it has no header and no rows.")
    names = header(first[1])
    return Source(_named(rows, names), columns(names), _line_count(path, encoding))


def encoding_of(path: Path) -> str:
    """The encoding that the file's first bytes declare, UTF-8 when they declare none."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")


def delimiter_of(line: str) -> str:
    """The delimiter that the header line uses most, outside quotes; comma when none."""
    bare = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _dialect(lines: Iterable[str]) -> tuple[int, str]:
    """How many lines to skip, and the delimiter: what Excel's line `sep=;` says, or the header."""
    number, first = next(((n, text) for n, text in enumerate(lines, 1) if text.strip()), (0, ""))
    said = _SEPARATOR(first.strip(" \r\n\ufeff"))
    return (number, said[1]) if said else (0, delimiter_of(first))


def _records(path: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """(physical line of the record's start, cells) of every record that is not blank."""
    with path.open(encoding=encoding, newline="") as file:
        try:
            skipped, delimiter = _dialect(file)
            file.seek(0)
            lines = islice(file, skipped, None)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            line = skipped + 1
            for cells in reader:
                if cells:
                    yield line, cells
                line = skipped + reader.line_num + 1
        except UnicodeError:
            raise RejectedError(_wrong_encoding(path, encoding)) from None
        except csv.Error as error:
            raise RejectedError(
                f"{path.name} breaks off at line {line}: {_explained(str(error))}",
                [(line, _explained(str(error)))],
            ) from None


def _named(
    records: Iterator[tuple[int, list[str]]], names: list[str]
) -> Iterator[tuple[int, dict[str, object]]]:
    plain = IGNORED not in names and UNNAMED not in names
    for line, cells in records:
        if plain and len(cells) <= len(names):  # nearly every row: the short way
            row: dict[str, object] = {
                name: value
                for name, cell in zip(names, cells, strict=False)
                if (value := cell.strip())
            }
        else:
            row = named(names, enumerate(cell.strip() for cell in cells))
        if row:
            yield line, row


def _line_count(path: Path, encoding: str) -> int | None:
    """About how many rows: the line breaks after the header; None where that is not cheap."""
    if encoding == "utf-16":
        return None
    with path.open("rb") as file:
        return max(
            sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1, 0
        )


def _explained(message: str) -> str:
    if "field larger" in message:
        return "a field is longer than 131,072 characters; a quote before it may not be closed"
    if "unexpected end" in message:
        return "a quote is opened here and never closed"
    if "expected after" in message:
        return 'text follows a closing quote; write a quote inside a quoted field twice ("")'
    return message


def _wrong_encoding(path: Path, encoding: str) -> str:
    if encoding == "utf-16":
        return f"{path.name} says that it is UTF-16 but is not. Save it as CSV UTF-8."
    number, line = _first_undecodable(path)
    return (
        f"{path.name} is not UTF-8 (line {number}); it looks like {guessed_encoding(line)}. "
        "Save it as “CSV UTF-8” and import it again."
    )


def _first_undecodable(path: Path) -> tuple[int, bytes]:
    """The first line that is not UTF-8, with some lines behind it to guess the encoding from."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number, line + b"".join(islice(file, 200))
    return 1, b""


def guessed_encoding(sample: bytes) -> str:
    """The likeliest of the encodings that Vietnamese files come in, by its frequent letters."""
    tcvn3 = sum(byte in _TCVN3 for byte in sample)
    cp1258 = sum(byte in _CP1258 for byte in sample)
    if 3 * tcvn3 > cp1258:
        return "TCVN3 (ABC)"
    return "Windows-1258" if cp1258 > 1 else "Windows-1252 or another 8-bit encoding"
