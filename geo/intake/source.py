"""What every reader hands over: rows with their place in the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from geo.errors import RejectedError

UNNAMED = ""
"""The key of values that stand in no named column: the row has more cells than the header."""

IGNORED = "\n"
"""The key of cells to leave out; no trimmed header can have this name."""

PROBLEM = "\t"
"""The key under which a reader tells why it could not make a whole row of this place."""

REJECT_COLUMNS = ("line", "reason")
"""What a rejects file has behind the original columns; ignored when it is read again."""


@dataclass(frozen=True)
class Source:
    """Rows of one file: (line, column → value), blank values left out.

    `line` is the physical line for CSV (header = 1), the row for XLSX and the feature's number
    for GeoJSON and GeoPackage. `columns` is None where features need not share attributes, and
    `total` is None where the number of rows is not known beforehand.
    """

    rows: Iterator[tuple[int, dict[str, object]]]
    columns: tuple[str, ...] | None = None
    total: int | None = None


def header(cells: list[str]) -> list[str]:
    """Column names from header cells: trimmed, lower case, the rejects file's own IGNORED.

    Raises RejectedError for doubled names and for a header without a name.
    """
    names = [cell.strip().lower() for cell in cells]
    named = [name for name in names if name]
    if not named:
        raise RejectedError("The file has no header: its first row must name the columns.")
    doubled = sorted({name for name in named if named.count(name) > 1})
    if doubled:
        raise RejectedError(
            f"The header names a column more than once: {', '.join(doubled)}. Keep one of each."
        )
    if tuple(named[-2:]) == REJECT_COLUMNS:
        names = [IGNORED if name in REJECT_COLUMNS else name for name in names]
    return names


def columns(names: list[str]) -> tuple[str, ...]:
    """The names that hold data."""
    return tuple(name for name in names if name not in (UNNAMED, IGNORED))


def named(names: list[str], cells: list[object]) -> dict[str, object]:
    """Cells under their names, blank ones (None and "") left out, a surplus under UNNAMED."""
    row = {
        name: cell
        for name, cell in zip(names, cells, strict=False)
        if cell is not None and cell != ""
    }
    row.pop(IGNORED, None)
    if len(cells) > len(names):
        surplus = [str(cell) for cell in cells[len(names) :] if cell not in (None, "")]
        if surplus:
            row[UNNAMED] = " ".join(surplus)
    return row
