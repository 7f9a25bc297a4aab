"""XLSX, streamed; what could exhaust the memory is refused before it is unpacked."""

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from geo.errors import RejectedError
from geo.intake.source import Source, columns, header, named

MAX_UNPACKED = 1 << 30
MAX_SHARED_TEXT = 200 << 20
MAX_RATIO = 200
_BOMB_FLOOR = 50 << 20


def read_xlsx(path: Path) -> Source:
    """Open the first sheet of a workbook; `line` is the sheet's row number.

    Raises RejectedError for what is no readable workbook or unpacks to more than 1 GB.
    """
    check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles that it leaves out
            sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
    except Exception as error:  # whatever a broken archive makes openpyxl raise
        raise _broken(path) from error
    sheet.reset_dimensions()  # a wrong or huge stated dimension must not count
    rows = _records(path, sheet)
    first = next(rows, None)
    if first is None:
        raise RejectedError(f"{path.name} is empty: its first sheet has no header and no rows.")
    names = header([str(cell or "") for cell in first[1]])
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
        if b"<!DOCTYPE" in part.read(4096):
            raise RejectedError(f"{path.name} declares XML entities, which no workbook needs.")


def _broken(path: Path) -> RejectedError:
    return RejectedError(
        f"{path.name} is not a readable XLSX workbook: it is damaged, cut off or protected by a "
        "password. Open it in Excel and save it again."
    )


def _records(path: Path, sheet: Worksheet) -> Iterator[tuple[int, list[object]]]:
    """(row number, cells) of every row that is not blank."""
    rows = sheet.iter_rows(values_only=True)
    number = 0
    while True:
        try:
            cells = next(rows, None)
        except Exception as error:  # as above: the archive breaks off here
            raise RejectedError(
                f"{path.name} cannot be read behind row {number}: the workbook is damaged."
            ) from error
        if cells is None:
            return
        number += 1
        if any(cell is not None for cell in cells):
            yield number, list(cells)


def _named(
    records: Iterator[tuple[int, list[object]]], names: list[str]
) -> Iterator[tuple[int, dict[str, object]]]:
    for line, cells in records:
        row = named(names, [_plain(cell) for cell in cells])
        if row:
            yield line, row


def _plain(cell: object) -> object:
    """A cell's value: whole floats as integers, text trimmed."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, str):
        return cell.strip()
    return cell
