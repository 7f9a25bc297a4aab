"""Files as people really save them: what is read, from which line, and what each refusal says."""

import json
import os
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path

import geopandas
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from geo.errors import RejectedError, UsageError
from geo.intake.csv_reader import guessed_encoding
from geo.intake.readers import READERS, format_of, open_source
from geo.intake.source import PROBLEM, UNNAMED

HEADER = "household_code,head_name"


def rows(path: Path) -> list[tuple[int, dict[str, object]]]:
    return list(open_source(path).rows)


def write(tmp_path: Path, content: str | bytes, name: str = "f.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a,tên\n1,Hoá\n".encode(), id="utf-8"),
        pytest.param("a,tên\n1,Hoá\n".encode("utf-8-sig"), id="utf-8 with BOM"),
        pytest.param("a,tên\n1,Hoá\n".encode("utf-16"), id="utf-16"),
        pytest.param(b"\xfe\xff" + "a,tên\n1,Hoá\n".encode("utf-16-be"), id="utf-16 big-endian"),
        pytest.param("a;tên\r\n1;Hoá\r\n".encode(), id="semicolon, CRLF"),
        pytest.param("a\ttên\n1\tHoá".encode(), id="tab, no final line break"),
        pytest.param("\n \na,tên\n1,Hoá\n".encode(), id="blank lines before the header"),
        pytest.param(" A , TÊN \n 1 , Hoá \n".encode(), id="spaces and capitals"),
        pytest.param('"a","tên"\n"1","Hoá"\n'.encode(), id="all quoted"),
        pytest.param("sep=;\r\na;tên\r\n1;Hoá\r\n".encode("utf-8-sig"), id="sep=; by Excel"),
        pytest.param("sep=\t\na\ttên\n1\tHoá\n".encode("utf-16"), id="sep=tab in UTF-16"),
        pytest.param("a,tên,,\n1,Hoá,,\n".encode(), id="empty columns at the end"),
    ],
)
def test_csv_dialects_read_the_same(tmp_path: Path, content: bytes) -> None:
    ((_line, row),) = rows(write(tmp_path, content))
    assert row == {"a": "1", "tên": "Hoá"}


def test_csv_lines_are_physical_lines(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,"two\nlines"\n\n , \n3,x\n')
    assert [(line, row["a"]) for line, row in rows(path)] == [(2, "1"), (6, "3")]


def test_the_line_of_the_separator_counts(tmp_path: Path) -> None:
    assert rows(write(tmp_path, "sep=|\na|b\n1|2\n")) == [(3, {"a": "1", "b": "2"})]


def test_a_short_row_is_read_and_a_long_one_marked(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1\n1,2,3\n1,2,,\n")
    assert [row for _, row in rows(path)] == [
        {"a": "1"},
        {"a": "1", "b": "2", UNNAMED: ["3"]},
        {"a": "1", "b": "2"},
    ]


def test_a_value_below_a_nameless_column_is_marked(tmp_path: Path) -> None:
    assert rows(write(tmp_path, "a,,b\n1,x,2\n")) == [(2, {"a": "1", UNNAMED: ["x"], "b": "2"})]


def test_columns_of_a_rejects_file_are_left_out(tmp_path: Path) -> None:
    text = 'a,line,other_columns,line,reason\n1,5,"{""b"":2,""a"":3}",7,bad\n1,,[1],7,bad\n'
    source = open_source(write(tmp_path, text))
    assert source.columns == ("a", "line")
    (_, mended), (_, broken) = source.rows
    assert mended == {"a": "1", "line": "5", "b": 2}
    assert "no JSON object" in str(broken[PROBLEM])


def test_own_columns_of_those_names_are_data(tmp_path: Path) -> None:
    assert rows(write(tmp_path, "a,line,reason\n1,7,bad\n")) == [
        (2, {"a": "1", "line": "7", "reason": "bad"})
    ]


BROKEN = {
    "empty": (b"", "is empty"),
    "only a BOM": (b"\xef\xbb\xbf", "is empty"),
    "only line breaks": (b"\r\n\r\n \n", "is empty"),
    "doubled header": (b"a,b,A\n1,2,3\n", "names a column more than once: a"),
    "windows-1258": (
        "a,b\n1,Nguyễn\n".encode("cp1258", "ignore") + b"\xd2\xec\xf2",
        "Windows-1258",
    ),
    "latin": ("a\n1\ncafé\n".encode("latin-1"), r"is not UTF-8 \(line 3\)"),
    "quote left open": (b'a,b\n1,"x\n2,y\n', "line 2: a quote is opened here and never closed"),
    "text behind a quote": (b'a,b\n1,"x"y\n', "line 2: text follows a closing quote"),
    "field too long": (b"a\n" + b"x" * 200_000, "longer than 131,072 characters"),
    "nul bytes": (b"a,b\n1,\x00\n", "neither text nor a format"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
    "pdf": (b"%PDF-1.7", "is a PDF"),
    "gzip": (b"\x1f\x8b\x08\x00", "unpack it first"),
    "utf-16 without BOM": ("a,tên\n1,Hoá\n".encode("utf-16-le"), "UTF-16 without a byte order"),
    "utf-32": ("a,b\n1,2\n".encode("utf-32"), "is text in UTF-32"),
    "cut utf-16": ("a,b\n1,2\n".encode("utf-16")[:-1], "UTF-16 but is not"),
    "truncated zip": (b"PK\x03\x04" + b"\x00" * 50, "damaged, cut off or protected"),
    "other database": (b"SQLite format 3\x00" + b"\x07" * 500, "no GeoPackage"),
    "json list": (b"[1, 2]", "a FeatureCollection is needed|FeatureCollection is needed"),
    "json without features": (b'{"a": 1}', "holds no feature"),
    "no features": (b'{"type": "FeatureCollection", "features": []}', "holds no feature"),
    "cut json": (b'{"features": [{"type": "Feature"', "damaged or cut off"),
    "json and more": (b'{"features": 7}', "“.” is expected"),
    "single feature": (b'{"type": "Feature", "properties": {}}', "a single Feature"),
    "long number": (b'{"features": [' + b"1" * 9000 + b"]}", "thousands of digits"),
    "deep json": (b'{"features": ' + b"[" * 200_000, "cannot be read"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_right_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RejectedError, match=message):
        rows(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        # “Nguyễn Văn Sơn, xã Hoà Bình, điện” letter by letter in the table of TCVN 5712 (VN3).
        (b"Nguy\xd4n V\xa8n S\xacn, x\xb7 Ho\xb5 B\xd7nh, \xaei\xd6n", "TCVN3 (ABC)"),
        ("Nguyê\u0303n Văn Sơn, Bi\u0300nh, điê\u0323n".encode("cp1258"), "Windows-1258"),
        ("caf\xe9".encode("latin-1"), "Windows-1252 or another 8-bit encoding"),
    ],
)
def test_the_encoding_is_guessed_by_its_letters(content: bytes, name: str) -> None:
    assert guessed_encoding(content) == name


@pytest.mark.parametrize("what", ["directory", "missing", "unreadable"])
def test_what_is_no_file_is_a_usage_error(tmp_path: Path, what: str) -> None:
    path = tmp_path
    if what != "directory":
        path = tmp_path / "x.csv"
    if what == "unreadable":
        path.write_text("a\n1\n")
        path.chmod(0)
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
    with pytest.raises(UsageError):
        open_source(path)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    assert format_of(write(tmp_path, '{"features": []}', "f.csv")) == "geojson"
    assert format_of(write(tmp_path, "a,b\n", "f.xlsx")) == "csv"
    assert format_of(save_xlsx(tmp_path, [["a"]], "f.geojson")) == "xlsx"


def save_xlsx(tmp_path: Path, cells: list[list[object]], name: str = "f.xlsx") -> Path:
    book = Workbook()
    for line in cells:
        book.active.append(line)
    book.save(tmp_path / name)
    return tmp_path / name


def test_xlsx_gives_values_of_their_type_with_the_sheet_s_row(tmp_path: Path) -> None:
    when = datetime(2026, 9, 30, 8, 15)
    path = save_xlsx(tmp_path, [[" Code ", "when", "n"], [], [7, when, 1.5], ["008", None, 2.0]])
    assert rows(path) == [
        (3, {"code": 7, "when": when, "n": 1.5}),
        (4, {"code": "008", "n": 2}),
    ]


def test_a_stated_dimension_that_is_huge_costs_nothing(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path, [["a"], [1]])
    other = tmp_path / "huge.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, part.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'))
    assert rows(other) == [(2, {"a": 1})]


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="first sheet has no header"):
        rows(save_xlsx(tmp_path, []))


def test_a_truncated_workbook_is_refused(tmp_path: Path) -> None:
    path = save_xlsx(tmp_path, [["a"], *([i] for i in range(2000))])
    for part in (0.3, 0.7, 0.95):
        cut = write(tmp_path, path.read_bytes()[: int(path.stat().st_size * part)], "cut.xlsx")
        with pytest.raises(RejectedError, match="not a readable XLSX"):
            rows(cut)


def feature(number: int, **properties: object) -> dict[str, object]:
    point = {"type": "Point", "coordinates": [105 + number / 10, 21]}
    return {"type": "Feature", "properties": {"a": number, **properties}, "geometry": point}


def test_geojson_keeps_values_as_written(tmp_path: Path) -> None:
    collection = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::9209"}},
        "features": [
            feature(1, Code="007", when="2026-09-30T08:15:00"),
            feature(2) | {"geometry": None},
            feature(3) | {"geometry": {"type": "LineString", "coordinates": []}},
            7,
        ],
    }
    found = rows(write(tmp_path, json.dumps(collection), "f.geojson"))
    assert found[0] == (
        1,
        {
            "a": 1,
            "code": "007",
            "when": "2026-09-30T08:15:00",
            "lon": 105.1,
            "lat": 21,
            "crs": "EPSG:9209",
        },
    )
    assert found[1] == (2, {"a": 2})
    assert "LineString" in str(found[2][1][PROBLEM])
    assert "not a GeoJSON Feature" in str(found[3][1][PROBLEM])


def test_properties_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    collection = {"features": [feature(1, Code="1", CODE="2")]}
    ((_, row),) = rows(write(tmp_path, json.dumps(collection), "f.geojson"))
    assert row[PROBLEM] == "code: two properties have this name; keep one of them"


def test_geojson_is_read_in_pieces_of_any_size(tmp_path: Path) -> None:
    features = [feature(n, text="ố" * (n * 37 % 9000)) for n in range(600)]
    path = write(tmp_path, json.dumps({"features": features}, ensure_ascii=False), "f.geojson")
    assert [row["a"] for _, row in rows(path)] == list(range(600))
    assert rows(path)[599][1]["text"] == features[599]["properties"]["text"]


def test_a_geopackage_gives_its_points_with_their_system(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"Code": ["007", None], "n": [1, 2]},
        geometry=[shapely.Point(500_000, 2_323_000), None],
        crs="EPSG:9209",
    )
    frame.to_file(tmp_path / "f.gpkg", driver="GPKG")
    (tmp_path / "f.gpkg").rename(tmp_path / "upload")
    assert rows(tmp_path / "upload") == [
        (1, {"code": "007", "n": 1, "lon": 500_000.0, "lat": 2_323_000.0, "crs": "EPSG:9209"}),
        (2, {"n": 2}),
    ]


def test_a_geopackage_of_two_layers_is_refused(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(105, 21)], crs=4326)
    for layer in ("one", "two"):
        frame.to_file(tmp_path / "f.gpkg", layer=layer, driver="GPKG")
    with pytest.raises(RejectedError, match="holds 2: one, two"):
        open_source(tmp_path / "f.gpkg")


def test_a_truncated_geopackage_is_refused(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(105, 21)], crs=4326)
    frame.to_file(tmp_path / "f.gpkg", driver="GPKG")
    cut = write(tmp_path, (tmp_path / "f.gpkg").read_bytes()[:5000], "cut.gpkg")
    with pytest.raises(RejectedError, match=r"not a readable GeoPackage|must hold one layer"):
        rows(cut)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    for start in (b"", b"{", b"PK\x03\x04", b"a,b\n", b"\xff\xfe"):
        path.write_bytes(start + content)
        try:
            rows(path)
        except RejectedError as error:
            assert str(error)


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text(HEADER + "\n" + "H1,Nguyễn\n" * 300_000)
    tracemalloc.start()
    assert sum(1 for _ in open_source(path).rows) == 300_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_every_format_is_described() -> None:
    text = Path("docs/import.md").read_text(encoding="utf-8").lower()
    assert all(name in text for name in READERS)
