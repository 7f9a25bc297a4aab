"""XLSX, streamed; what could exhaust the memory is refused before it is unpacked."""

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from geo.errors import RejectedError
from geo.intake.source import PROBLEM, Source, columns, header, named

MAX_UNPACKED = 1 << 30
MAX_SHARED_TEXT = 200 << 20
MAX_RATIO = 200
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""Where Excel's own sheets end."""

Cells = dict[int, object]
"""Column, from 0 → value, the blank ones left out."""

_BOMB_FLOOR = 50 << 20
_PROLOG = 64 << 10
_DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be"))


def read_xlsx(path: Path) -> Source:
    """Open the first sheet of a workbook; `line` is the sheet's row number.

    Raises RejectedError for what is no readable workbook or unpacks to more than 1 GB.
    """
    check_archive(path)
    rows = _records(path)
    first = next(rows, None)
    if first is None:
        raise RejectedError(f"{path.name} is empty: its first sheet has no header and no rows.")
    cells = first[1]
    names = header([str(cells.get(column) or "") for column in range(max(cells) + 1)])
    return Source(_named(rows, names), columns(names))


def check_archive(path: Path) -> None:
    """Refuse archives that are damaged, hold no workbook, or would unpack to an absurd size."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            packed = max(sum(member.compress_size for member in members), 1)
            shared = sum(m.file_size for m in members if m.filename.endswith("sharedStrings.xml"))
            if "xl/workbook.xml" not in archive.namelist():
                raise RejectedError(
                    f"{path.name} is a zip archive but no XLSX workbook. Unpack it and import "
                    "the file inside."
                )
            if unpacked > MAX_UNPACKED or shared > MAX_SHARED_TEXT:
                raise RejectedError(
                    f"{path.name} unpacks to {unpacked >> 20} MB, more than this reader takes. "
                    "Save it as CSV UTF-8."
                )
            if unpacked > _BOMB_FLOOR and unpacked / packed > MAX_RATIO:
                raise RejectedError(
                    f"{path.name} unpacks to {unpacked // packed} times its size, as a zip bomb "
                    "does. If it is honest, save it as CSV UTF-8."
                )
            for member in members:
                if member.filename.endswith((".xml", ".rels")):
                    _refuse_entities(path, archive, member)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _broken(path) from error


def _refuse_entities(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    with archive.open(member) as part:
        prolog = part.read(_PROLOG)
        if any(doctype in prolog for doctype in _DOCTYPES):
            raise RejectedError(f"{path.name} declares XML entities, which no workbook needs.")


def _broken(path: Path) -> RejectedError:
    return RejectedError(
        f"{path.name} is not a readable XLSX workbook: it is damaged, cut off or protected by a "
        "password. Open it in Excel and save it again."
    )


class _NoResult:
    """Stands for a formula whose result the file does not hold."""

    def __str__(self) -> str:
        return ""


class _Parser(WorkSheetParser):
    """openpyxl's parser of a sheet, which also tells where a formula has no result."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            cell["value"] = _NoResult()
        return cell


def _records(path: Path) -> Iterator[tuple[int, Cells]]:
    """(row number, cells) of every row of the first sheet that is not blank."""
    # Handed over open, because openpyxl judges a path by its ending.
    with path.open("rb") as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # openpyxl tells of styles that it leaves out
                sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
        except Exception as error:  # whatever a broken archive makes openpyxl raise
            raise _broken(path) from error
        yield from _filled(path, sheet)


def _filled(path: Path, sheet: Any) -> Iterator[tuple[int, Cells]]:
    """The sheet's rows that are not blank.

    The parser is asked rather than the sheet: the sheet makes up every row and column that the
    file leaves out, which takes hours when a few bytes name a row far below.
    """
    number = 0
    try:
        for row, found in _parsed(sheet):
            if row <= number:
                raise ValueError(row)  # no program writes rows out of order
            cells = {cell["column"] - 1: cell["value"] for cell in found}
            if row > MAX_ROWS or (cells and max(cells) >= MAX_COLUMNS):
                raise RejectedError(
                    f"{path.name} has cells beyond row 1,048,576 or column XFD, where sheets of "
                    "Excel end. Save it as CSV UTF-8."
                )
            number = row
            filled = {column: cell for column, cell in cells.items() if cell is not None}
            if filled:
                yield number, filled
    except RejectedError:
        raise
    except Exception as error:  # as above: the archive breaks off here
        raise RejectedError(
            f"{path.name} cannot be read behind row {number}: the workbook is damaged."
        ) from error


def _parsed(sheet: Any) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Row numbers and cells as the file has them."""
    book = sheet.parent
    with sheet._get_source() as source:
        parser = _Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        yield from parser.parse()


def _named(
    records: Iterator[tuple[int, Cells]], names: list[str]
) -> Iterator[tuple[int, dict[str, object]]]:
    for line, cells in records:
        row = named(names, ((column, _plain(cell)) for column, cell in cells.items()))
        empty = [name for name, value in row.items() if isinstance(value, _NoResult)]
        for name in empty:
            del row[name]
        if empty:
            row[PROBLEM] = "; ".join(f"{name}: {_WITHOUT_RESULT}" for name in empty)
        if row:
            yield line, row


_WITHOUT_RESULT = (
    "the formula in this cell has no stored result; open the file in Excel and save it there"
)


def _plain(cell: object) -> object:
    """A cell's value: whole floats as integers, text trimmed."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, str):
        return cell.strip()
    return cell
