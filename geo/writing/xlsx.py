"""XLSX: sheets of up to 1,048,576 rows, written row by row."""

import shutil
import tempfile
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any, BinaryIO, cast

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from geo.errors import UnavailableError
from geo.writing.extract import DEMO_NOTE, Advance, Cell, Extract, for_xml, safe, unheard

SHEET_ROWS = 1_048_576
CELL_LENGTH = 32_767
_TELL_EVERY = 2_000
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}


def write(
    extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard, rows: int = SHEET_ROWS
) -> int:
    """As many sheets as are needed, and one that says so where rows are demo data.

    rows: how many a sheet holds, its header included.
    """
    with tempfile.TemporaryFile() as made:
        try:
            count = _write(extract, cast(BinaryIO, made), advance, rows)
        except FileCreateError as error:
            raise UnavailableError(
                f"The file cannot be made: {error}. Is the disk full?"
            ) from error
        made.seek(0)
        shutil.copyfileobj(made, out)
    advance(count)
    return count


def _write(extract: Extract, out: BinaryIO, advance: Advance, rows: int) -> int:
    book = xlsxwriter.Workbook(out, _OPTIONS)
    cells = iter(extract.cells())
    count = number = 0
    while (first := next(cells, None)) is not None or not number:
        number += 1
        sheet = book.add_worksheet(extract.name if number == 1 else f"{extract.name} {number}")
        _put(sheet, 0, extract.names)
        taken = chain([] if first is None else [first], islice(cells, rows - 2))
        for line, row in enumerate(taken, 1):
            _put(sheet, line, [safe(cell) for cell in row])
            count += 1
            if count % _TELL_EVERY == 0:
                advance(count)
    if extract.demo:
        book.add_worksheet("DEMO").write_string(0, 0, DEMO_NOTE)
    book.close()
    return count


def _put(sheet: Any, line: int, row: Sequence[Cell]) -> None:
    for place, cell in enumerate(row):
        if isinstance(cell, str):
            if cell:
                sheet.write_string(line, place, for_xml(cell)[:CELL_LENGTH])
        elif cell is not None:
            sheet.write_number(line, place, cell)
