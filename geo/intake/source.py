"""What every reader hands over: rows with their place in the file."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from geo.errors import RejectedError

UNNAMED = ""
"""The key of the values, a list, that stand in no named column: more cells than names."""

IGNORED = "\n"
"""The key of cells to leave out; no trimmed header can have this name."""

PROBLEM = "\t"
"""The key under which a reader tells why it could not make a whole row of this place."""

OTHER = "\v"
"""The key of a rejects file's cell that holds further columns as JSON; no header's either."""

SURPLUS = "surplus_cells"
"""The name, among a rejects file's other columns, of what stood under UNNAMED."""

REJECT_COLUMNS = ("other_columns", "line", "reason")
"""What a rejects file has behind the original columns; understood when it is read again."""


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
    """Column names from header cells: trimmed, lower case, the rejects file's own as marks.

    Raises RejectedError for doubled names and for a header without a name.
    """
    names = [cell.strip().lower() for cell in cells]
    places = [place for place, name in enumerate(names) if name]
    if not places:
        raise RejectedError("The file has no header: its first row must name the columns.")
    if tuple(names[place] for place in places[-3:]) == REJECT_COLUMNS:
        for place, mark in zip(places[-3:], (OTHER, IGNORED, IGNORED), strict=True):
            names[place] = mark
    kept = columns(names)
    doubled = sorted({name for name in kept if kept.count(name) > 1})
    if doubled:
        raise RejectedError(
            f"The header names a column more than once: {', '.join(doubled)}. Keep one of each."
        )
    return names


def columns(names: list[str]) -> tuple[str, ...]:
    """The names that hold data."""
    return tuple(name for name in names if name not in (UNNAMED, IGNORED, OTHER))


def named(names: list[str], cells: Iterable[tuple[int, object]]) -> dict[str, object]:
    """Cells (column from 0, value) under their names, blank ones (None and "") left out.

    A surplus stands under UNNAMED; what a rejects file kept of other columns is put back.
    """
    row: dict[str, object] = {}
    surplus = []
    for column, cell in cells:
        if cell is None or cell == "":
            continue
        name = names[column] if column < len(names) else UNNAMED
        if name == UNNAMED:
            surplus.append(str(cell))
        elif name != IGNORED:
            row[name] = cell
    if surplus:
        row[UNNAMED] = surplus
    return _with_others(row, row.pop(OTHER)) if OTHER in row else row


def _with_others(row: dict[str, object], kept: object) -> dict[str, object]:
    """The row with what its cell `other_columns` holds."""
    try:
        others = json.loads(str(kept))
    except (ValueError, RecursionError):
        others = None
    if not isinstance(others, dict):
        return row | {PROBLEM: "other_columns: is no JSON object; leave the cell blank"}
    if SURPLUS in others:
        others[UNNAMED] = others.pop(SURPLUS)
    return {name: value for name, value in others.items() if value not in (None, "")} | row
