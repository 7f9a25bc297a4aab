"""Every format holds every value and runs none: hostile texts there and back; CSV byte for byte."""

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from sqlalchemy import insert, text

from geo import areas, export_columns, exports
from geo.errors import UnavailableError
from geo.tables import finding
from geo.writing import WRITERS, xlsx
from geo.writing.extract import Column, Extract, safe, value
from geo.writing.shapefiles import short_names
from geo.writing.shapefiles import write as write_shapefile
from tests import records_world as world

HOSTILE = (
    "=1+1",
    "@SUM(A1)",
    "＝1",
    "-2",
    '"; DROP TABLE household; --',
    "a,b\nc",
    "a\r\nb",
    "<b>&amp;]]></b>",
    "</Data><Placemark>",
    "{=cmd|' /C calc'!A0}",
    "Đặng Thị Hoà ổ",
    "\\.",
    "\\N",
    "NULL",
    "'",
    "𠀀",
    "\x01\x0b",
    "%s %(a)s",
    "x" * 300,
    "ắ" * 100,
    " lead and trail ",
    "",
)
KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture
def hostile(conn):
    """A household for each text, as its head and village; the code tells which."""
    world.build(conn)
    for number, one in enumerate(HOSTILE):
        world.add_household(
            conn, household_code=f"T{number:02}", head_name=one, village=one or None, at=(105.5, 21)
        )
    world.add_household(conn, household_code="T99", head_name="Không có điểm")
    return conn


def written(conn, kind, format, tmp_path):
    path = tmp_path / f"out.{'zip' if format == 'shp' else format}"
    exports.export(conn, kind, areas.get(conn, "VN"), format, path)
    return path


def heads(path, format):
    """Code → head's name, as somebody else's reader finds it in the file."""
    if format == "csv":
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    elif format == "xlsx":
        frame = pd.read_excel(path, dtype=str, keep_default_na=False, engine="openpyxl")
    elif format == "kml":
        return {
            mark.find(f"{KML}name").text: mark.find(
                f"{KML}ExtendedData/{KML}Data[@name='head_name']/{KML}value"
            ).text
            or ""
            for mark in ET.parse(path).iter(f"{KML}Placemark")
        }
    elif format == "parquet":
        frame = pq.read_table(path).to_pandas()
    else:
        frame = pyogrio.read_dataframe(
            f"/vsizip/{path}/households.shp" if format == "shp" else path
        )
        frame = frame.rename(columns={"household_": "household_code"})
    return dict(zip(frame["household_code"], frame["head_name"], strict=True))


def expected(format, one):
    if format in ("csv", "xlsx"):
        one = str(safe(one))
    if format in ("xlsx", "kml"):
        one = one.replace("\x01", "").replace("\x0b", "")
    if format == "xlsx":
        one = one.replace("\r", "_x000D_")  # what Excel writes itself; openpyxl leaves it so
    if format == "kml":
        one = one.replace("\r\n", "\n")  # as every reader of XML has it
    if format == "shp":
        one = one.encode()[:254].decode(errors="ignore").strip(" ")
    return one


@pytest.mark.parametrize("format", WRITERS)
def test_hostile_texts_come_back_as_they_were(hostile, tmp_path, format):
    found = heads(written(hostile, "households", format, tmp_path), format)
    assert len(found) == len(HOSTILE) + 1
    for number, one in enumerate(HOSTILE):
        got = found[f"T{number:02}"]
        got = "" if pd.isna(got) else got
        assert got == expected(format, one), (format, one)


@pytest.mark.parametrize("format", ["geojson", "gpkg", "shp", "fgb", "parquet"])
def test_points_come_back_where_they_were(hostile, tmp_path, format):
    path = written(hostile, "households", format, tmp_path)
    if format == "parquet":
        table = pq.read_table(path)
        geo = json.loads(table.schema.metadata[b"geo"])
        assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
        column = geo["columns"]["geometry"]
        assert column["bbox"] == [105.5, 21.0, 105.5, 21.0]
        assert column["crs"]["id"] == {"authority": "EPSG", "code": 4326}
        points = shapely.from_wkb(table["geometry"].to_pylist())
    else:
        frame = pyogrio.read_dataframe(
            f"/vsizip/{path}/households.shp" if format == "shp" else path
        )
        assert frame.crs.to_epsg() == 4326
        points = frame.geometry
    assert [None if p is None else (p.x, p.y) for p in points] == [
        *[(105.5, 21.0)] * len(HOSTILE),
        None,
    ]


def test_nothing_in_a_sheet_is_a_formula_or_a_link(hostile, tmp_path):
    book = openpyxl.load_workbook(written(hostile, "households", "xlsx", tmp_path))
    cells = [cell for row in book["households"].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert not any(cell.hyperlink for cell in cells)


def test_the_zip_of_a_shapefile_explains_its_names(hostile, tmp_path):
    with zipfile.ZipFile(written(hostile, "households", "shp", tmp_path)) as archive:
        assert {name.split(".")[1] for name in archive.namelist()} == {
            "shp", "shx", "dbf", "prj", "cpg", "csv",
        }  # fmt: skip
        assert archive.read("households.cpg").strip() == b"UTF-8"
        table = list(csv.DictReader(io.StringIO(archive.read("columns.csv").decode())))
    cut = {row["column"]: int(row["texts_cut"]) for row in table}
    assert (cut["head_name"], cut["village"], cut["recorded_address"]) == (2, 2, 0)
    assert {row["column"]: row["name"] for row in table}["recorded_address"] == "recorded_a"


def test_short_names_differ_whatever_their_case():
    names = ["commune_code", "commune_codes", "Commune_Code_2", "thôn"]
    assert list(short_names(names).values()) == [
        "commune_co", "commune_c2", "Commune_C3", "th_n",
    ]  # fmt: skip


def by_hand(conn, kind):
    """The CSV as the slow way writes it: row by row, every cell a Python value."""
    of = export_columns.RECORDS[kind]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [column.name for column in of.columns]
    writer.writerow(names)
    for row in conn.execute(of.selected(conn, areas.get(conn, "VN"))).mappings():
        cells = [safe(value(row[name])) for name in names]
        # A lone return ends a line for most readers; since Python 3.13 csv quotes it as well.
        quoted = io.StringIO()
        csv.writer(quoted, lineterminator="\r\n").writerow(cells)
        out.write(quoted.getvalue().removesuffix("\r\n") + "\n")
    return out.getvalue().encode()


@pytest.mark.parametrize("kind", export_columns.RECORDS)
@pytest.mark.parametrize("few", [0, 10_000], ids=["joined", "looked up"])
def test_csv_has_the_bytes_of_the_slow_way(hostile, tmp_path, monkeypatch, kind, few):
    monkeypatch.setattr(export_columns, "FEW", few)
    numbers = (0.0, -0.0, 1.0, -5200.5, 1e-05, 1.5e-7, 0.1 + 0.2, 123456789.0, 1e14, 105.123456789)
    for place, number in enumerate(numbers):
        one = world.add_survey(
            hostile, "T00", at=(105 + place / 7, 21 - place / 3), distance_m=number,
            probability=number, verdict="outside", mock_location=bool(place % 2),
            recorded_address=HOSTILE[place], enumerator=HOSTILE[-place - 2],
        )  # fmt: skip
        world.add_finding(hostile, one, "outside", state="open" if place % 3 else "explained")
        world.add_finding(hostile, one, "mock_location", blameless=place % 2 == 0)
    for code in ("z-1", "A_2", "Đ 3"):
        site = world.add_site(
            hostile, "T00", site_code=code, at=(105.5, 21), stage="roof", cost_paid=10**12
        )
        world.add_finding(hostile, site, "overdue", subject="site")
    path = written(hostile, kind, "csv", tmp_path)
    assert path.read_bytes() == by_hand(hostile, kind)


@pytest.mark.parametrize("kind", ["surveys", "sites"])
@pytest.mark.parametrize("analysed", [False, True])
def test_many_rows_never_meet_every_doubt_of_their_commune(conn, kind, analysed):
    """Merged or hashed by the whole key: by the commune alone it would take the square of it."""
    world.build(conn)
    conn.execute(
        text(
            "INSERT INTO finding (province_code, commune_code, subject, subject_id, rule, severity)"
            " SELECT '01', '00101', 'survey', gen_random_uuid(), 'outside', 2"
            " FROM generate_series(1, 3000)"
        )
    )
    if analysed:
        conn.execute(text("ANALYZE finding, survey, site"))
    of = export_columns.RECORDS[kind]
    assert of.joins(export_columns.FEW + 1)
    query = of.selected(conn, areas.get(conn, "VN"), joined=True)
    conn.execute(text("SET LOCAL enable_nestloop = off"))
    written = query.compile(conn, compile_kwargs={"literal_binds": True})
    plan = "\n".join(conn.execute(text(f"EXPLAIN {written}".replace(":", "\\:"))).scalars())
    assert "Left Join" in plan or "Right Join" in plan
    assert "Nested Loop" not in plan
    assert "Join Filter" not in plan


@pytest.mark.parametrize(
    ("kind", "filters"), [("findings", {}), ("surveys", {"rule": "outside"}), ("households", {})]
)
def test_rows_that_are_chosen_by_their_doubts_look_them_up(kind, filters):
    assert not export_columns.RECORDS[kind].joins(10**6, **filters)


@pytest.mark.parametrize(
    ("findings", "rules", "flagged"),
    [
        ([], "", "0"),
        ([("b", "open", False), ("a", "open", False)], "a;b", "1"),
        ([("a", "explained", False)], "", "0"),
        ([("a", "open", True)], "a", "0"),
        ([("a", "open", True), ("b", "confirmed", False)], "a", "0"),
    ],
)
def test_a_site_has_its_open_rules_and_whether_they_accuse(
    hostile, tmp_path, findings, rules, flagged
):
    code = world.add_site(hostile, "T00", at=(105.5, 21))
    for rule, state, blameless in findings:
        hostile.execute(
            insert(finding),
            {
                "province_code": "01", "commune_code": "00101", "subject": "site",
                "subject_id": code, "rule": rule, "severity": 2, "state": state,
                "blameless": blameless,
            },
        )  # fmt: skip
    for format in ("csv", "gpkg"):
        path = written(hostile, "sites", format, tmp_path)
        row = (
            pd.read_csv(path, dtype=str) if format == "csv" else pyogrio.read_dataframe(path)
        ).iloc[0]
        found = row["rules"]
        assert ("" if pd.isna(found) else found, str(row["flagged"])) == (rules, flagged)


def test_more_rows_than_a_sheet_holds_make_more_sheets():
    columns = (Column("n", "int"),)
    out = io.BytesIO()
    made = Extract("rows", columns, lambda: ([n] for n in range(7)))
    assert xlsx.write(made, out, False, rows=4) == 7
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["rows", "rows 2", "rows 3"]
    read = [[cell.value for cell in sheet["A"]] for sheet in book]
    assert read == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]


def test_more_than_a_shapefile_holds_makes_more_shapefiles(tmp_path):
    columns = (Column("n", "int"), Column("lon", "float"), Column("lat", "float"))
    made = Extract("rows", columns, lambda: ([n, 105.0, 21.0] for n in range(7)), located=True)
    path = tmp_path / "out.zip"
    with path.open("w+b") as out:
        assert write_shapefile(made, out, False, part_bytes=3 * 19) == 7
    names = ("rows", "rows_2", "rows_3")
    found = [pyogrio.read_dataframe(f"/vsizip/{path}/{name}.shp")["n"].tolist() for name in names]
    assert found == [[0, 1, 2], [3, 4, 5], [6]]


class Full(io.BytesIO):
    """A disk with room for 10 bytes."""

    def write(self, data):
        if self.tell() + len(data) > 10:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("format", WRITERS)
def test_a_full_disk_is_told_and_the_database_is_free(hostile, format):
    with hostile.begin_nested() as inner:
        with pytest.raises(UnavailableError, match="disk full"):
            exports.export(hostile, "households", areas.get(hostile, "VN"), format, Full())
        inner.rollback()
    assert hostile.execute(text("SELECT 1")).scalar_one() == 1
