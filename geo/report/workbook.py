"""A report as a workbook (XLSX): one sheet for each table, with all rows and typed cells."""

from collections.abc import Sequence
from datetime import date
from typing import Any, BinaryIO

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from geo.report.tables import Kind, Table, local
from geo.writing.extract import DEMO_NOTE, safe

_FORMATS: dict[Kind, str] = {
    "number": "#,##0",
    "points": "#,##0.0",
    "share": "0.0%",
    "chance": "0.0000",
    "metres": "#,##0.0",
    "moment": "dd/mm/yyyy hh:mm",
    "day": "dd/mm/yyyy",
}
_WIDTHS: dict[Kind, int] = {"text": 26, "moment": 17, "day": 12}
_LONG = 60
_BOLD = Font(bold=True)
_HEAD = PatternFill("solid", fgColor="E4ECEA")
_WRAP = Alignment(wrap_text=True, vertical="top")


def write(
    title: str, facts: Sequence[tuple[str, str]], tables: Sequence[Table], demo: bool, out: BinaryIO
) -> int:
    """Write the workbook: a first sheet of facts, then the tables; the number of their rows.

    Metres are numbers (negative: outside), shares are 0 to 1, times Viet Nam's.
    """
    book = openpyxl.Workbook(write_only=True)
    front = book.create_sheet(_sheet(title))
    front.column_dimensions["A"].width, front.column_dimensions["B"].width = 34, 110
    if demo:
        front.append([_styled(front, DEMO_NOTE, bold=True)])
    for name, value in facts:
        front.append([_styled(front, name, bold=True), _styled(front, value, wrap=True)])
    for table in tables:
        _add(book, table, demo)
    book.save(out)
    return sum(len(table.rows) for table in tables)


def _add(book: openpyxl.Workbook, table: Table, demo: bool) -> None:
    sheet = book.create_sheet(_sheet(table.sheet))
    for i, column in enumerate(table.columns, start=1):
        width = _LONG if column.kind == "text" and column.width >= 3 else None
        sheet.column_dimensions[get_column_letter(i)].width = width or _WIDTHS.get(column.kind, 12)
    notes = [table.title, *table.notes, *([DEMO_NOTE] if demo else [])]
    sheet.freeze_panes = f"A{len(notes) + 2}"
    for place, note in enumerate(notes):
        sheet.append([_styled(sheet, note, bold=place == 0)])
    sheet.append([_styled(sheet, one.head, bold=True, fill=True) for one in table.columns])
    for row in table.rows:
        pairs = zip(row, table.columns, strict=True)
        sheet.append([_cell(sheet, value, column.kind) for value, column in pairs])
    if not table.rows:
        sheet.append([_styled(sheet, table.empty)])


def _cell(sheet: Any, value: Any, kind: Kind) -> Any:
    if value is None or value != value:
        return None
    if kind == "text":
        return _text(value)
    if kind == "moment":
        value = local(value).replace(tzinfo=None)
    elif kind == "day" and not isinstance(value, date):
        return _text(value)
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = _FORMATS[kind]
    return cell


def _styled(
    sheet: Any, text: str, *, bold: bool = False, fill: bool = False, wrap: bool = False
) -> Any:
    cell = WriteOnlyCell(sheet, value=_text(text))
    if bold:
        cell.font = _BOLD
    if fill:
        cell.fill = _HEAD
    if fill or wrap:
        cell.alignment = _WRAP
    return cell


def _text(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula."""
    return safe(ILLEGAL_CHARACTERS_RE.sub("", str(value))[:32_000])


def _sheet(name: str) -> str:
    return name[:31]
