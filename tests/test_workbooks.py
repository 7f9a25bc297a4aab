"""Workbooks that no honest program writes, and cells that hold no value: refused quickly."""

import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from geo.errors import RejectedError
from geo.intake.batches import prepare
from geo.intake.source import PROBLEM
from tests import intake_world as world
from tests.test_readers import rows, save_xlsx


def make_zip(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"a.txt": b"x"}, "no XLSX workbook"),
        ({"xl/workbook.xml": b"", "xl/big.xml": b"0" * (60 << 20)}, "zip bomb"),
        ({"xl/workbook.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]>"}, "XML entities"),
        ({"xl/workbook.xml": f"<!--{'x' * 60_000}--><!DOCTYPE x>".encode()}, "XML entities"),
        ({"xl/workbook.xml": "<!DOCTYPE x>".encode("utf-16-le")}, "XML entities"),
        ({"xl/workbook.xml": "<!DOCTYPE x>".encode("utf-16-be")}, "XML entities"),
        ({"xl/workbook.xml": b"not xml"}, "not a readable XLSX"),
    ],
)
def test_a_hostile_archive_is_refused_before_it_is_unpacked(
    tmp_path: Path, parts: dict[str, bytes], message: str
) -> None:
    path = make_zip(tmp_path / "bomb.xlsx", parts)
    tracemalloc.start()
    with pytest.raises(RejectedError, match=message):
        rows(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


@pytest.mark.parametrize("name", ["phiếu.dat", "phiếu.csv", "phiếu", "phiếu.xls", "phiếu.XLSX"])
def test_a_workbook_is_known_by_its_content_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = save_xlsx(tmp_path, [["a"], [7]], "plain.xlsx").rename(tmp_path / name)
    assert rows(path) == [(2, {"a": 7})]


def with_sheet(tmp_path: Path, xml: str) -> Path:
    """A workbook whose first sheet has these rows, as XML."""
    path = save_xlsx(tmp_path, [["a"]], "plain.xlsx")
    other = tmp_path / "f.xlsx"
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{xml}</sheetData></worksheet>'
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            new.writestr(name, sheet if name.endswith("sheet1.xml") else old.read(name))
    return other


def cell(place: str, value: str = "7") -> str:
    return f'<c r="{place}"><v>{value}</v></c>'


HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'


@pytest.mark.parametrize(
    "row",
    [
        f'<row r="1048576000">{cell("A1048576000")}</row>',
        f'<row r="1048577">{cell("A1048577")}</row>',
        '<row r="2000000000"/>',
        f'<row r="2">{cell("XFE2")}</row>',
        '<row r="2">' + "<c><v>1</v></c>" * 16_385 + "</row>",
    ],
    ids=["far row", "next row", "blank row", "column", "cells without places"],
)
def test_what_lies_beyond_excel_s_sheets_is_refused_at_once(tmp_path: Path, row: str) -> None:
    path = with_sheet(tmp_path, HEAD + row)
    with pytest.raises(RejectedError, match="beyond row 1,048,576 or column XFD"):
        rows(path)


def test_blank_gaps_up_to_excel_s_limits_cost_nothing(tmp_path: Path) -> None:
    wide = "".join(f'<row r="{n}">{cell(f"XFD{n}")}</row>' for n in range(3, 2000))
    path = with_sheet(
        tmp_path, HEAD + f'<row r="2">{cell("A2")}</row>{wide}<row r="1048576">{cell("A1")}</row>'
    )
    found = rows(path)
    assert len(found) == 1999  # the rows that hold something
    assert (found[0], found[-1]) == ((2, {"a": 7}), (1_048_576, {"a": 7}))


@pytest.mark.parametrize("row", ['<row r="1"/>', '<row r="-4"/>', '<row r="x"/>', '<row r="1e9"/>'])
def test_rows_out_of_order_or_without_number_are_damage(tmp_path: Path, row: str) -> None:
    with pytest.raises(RejectedError, match=r"behind row 1: the workbook is damaged|beyond row"):
        rows(with_sheet(tmp_path, HEAD + row))


def test_a_formula_without_result_says_so_once(tmp_path: Path) -> None:
    row = world.household(head_name="=A1&B1", village="=1")
    path = save_xlsx(tmp_path, [list(row), list(row.values())])
    ((line, read),) = rows(path)
    assert "head_name" not in read and "village: the formula" in str(read[PROBLEM])
    (refused,) = prepare("households", [(line, read)]).rejected
    reason = "the formula in this cell has no stored result; open the file in Excel and save it"
    assert refused.reason.count("head_name") == 1
    assert refused.reason.startswith(f"head_name: {reason}")


@pytest.mark.parametrize("column", ["head_name", "members", "status", "extra"])
def test_an_error_cell_is_no_value(tmp_path: Path, column: str) -> None:
    row = world.household(**{column: "#N/A"})
    path = save_xlsx(tmp_path, [list(row), list(row.values())])
    (refused,) = prepare("households", rows(path)).rejected
    assert refused.reason.startswith(f"{column}: ") and "#N/A" in refused.reason


@pytest.mark.parametrize("column", ["village", "extra"])
def test_a_duration_is_named_with_its_column(tmp_path: Path, column: str) -> None:
    row = world.household(**{column: timedelta(hours=30)})
    path = save_xlsx(tmp_path, [list(row), list(row.values())])
    (refused,) = prepare("households", rows(path)).rejected
    assert refused.reason.startswith(f"{column}: “1 day, 6:00:00”") or refused.reason == (
        "extra: 1 day, 6:00:00 is a duration; format the cell as text"
    )
