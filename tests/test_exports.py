"""Files hold what the tables hold, run nothing in a spreadsheet, and are whole or not there."""

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pyogrio
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from api.cli import main
from geo import areas, config, db, exports, schema
from geo.errors import UsageError
from geo.export_columns import RECORDS
from geo.metrics import METRICS
from geo.writing import WRITERS, csv_files, extract
from geo.writing.extract import of_rows
from geo.writing.whole import whole
from tests import records_world as world

FINDINGS = (
    "survey_id,household_code,verdict,probability,distance_m,recorded_commune,located_commune,"
    "rules,severity,state,province_code,commune_code,lon,lat,accuracy_m,flagged,demo"
)


@pytest.fixture
def ids(conn):
    return world.fill(conn)


@pytest.fixture
def written(conn, ids):
    """written(kind, format, code) → the bytes of an export."""

    def write(kind, format, code="VN", **more):
        out = io.BytesIO()
        exports.export(conn, kind, areas.get(conn, code), format, out, **more)
        return out.getvalue()

    return write


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))


def test_findings_have_the_agreed_columns(written, ids):
    body = written("findings", "csv")
    assert body.decode().splitlines()[0] == FINDINGS
    first, second = rows_of(body)
    assert first == {
        "survey_id": ids["outside"],
        "household_code": ids["formula"],
        "verdict": "outside",
        "probability": "0.0",
        "distance_m": "-5200.5",
        "recorded_commune": "00101",
        "located_commune": "00102",
        "rules": "mock_location;outside",
        "severity": "3",
        "state": "open",
        "province_code": "01",
        "commune_code": "00101",
        "lon": first["lon"],
        "lat": first["lat"],
        "accuracy_m": first["accuracy_m"],
        "flagged": "1",
        "demo": "0",
    }
    assert second["survey_id"] == ids["uncertain"]


def test_a_finding_about_a_site_is_told_by_its_site_alone(conn, ids, written):
    world.add_finding(conn, ids["site"], "stage_order", subject="site")
    (row,) = rows_of(written("sites", "csv"))
    assert (row["site_code"], row["rules"], row["flagged"]) == (ids["site"], "stage_order", "1")
    assert len(rows_of(written("findings", "csv"))) == 2


def test_households_keep_their_values_and_no_personal_id(written, ids):
    rows = {row["household_code"]: row for row in rows_of(written("households", "csv"))}
    assert len(rows) == 5
    an = rows[ids["an"]]
    assert (an["head_name"], an["causes"], an["members"]) == (
        "Nguyễn Thị Hoá",
        "no_land;illness",
        "3",
    )
    assert (an["lon"], an["lat"]) == ("105.01", "21.01")
    assert "national_id" not in an
    assert rows[ids["far"]]["demo"] == "1"


def test_formula_in_a_name_is_only_text(written, ids):
    rows = {row["household_code"]: row for row in rows_of(written("households", "csv"))}
    assert rows[ids["formula"]]["head_name"] == "'=1+1"
    assert rows[ids["formula"]]["village"] == "'@SUM(A1)"
    book = openpyxl.load_workbook(io.BytesIO(written("households", "xlsx")))
    cells = [cell for row in book["households"].iter_rows() for cell in row]
    assert "'=1+1" in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)
    book.close()


@given(st.text())
def test_no_text_begins_as_a_formula(text):
    assert not str(extract.safe(text)).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert str(extract.safe(text)).removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize(
    ("stored", "cell"),
    [
        (True, 1),
        (None, None),
        (-5.5, -5.5),
        (datetime(2025, 9, 10, 3, tzinfo=UTC), "2025-09-10T10:00:00+07:00"),
        (date(2025, 9, 10), "2025-09-10"),
        (["a", "b"], "a;b"),
    ],
)
def test_values_in_files(stored, cell):
    assert extract.value(stored) == cell
    assert extract.safe(extract.value(stored)) == cell


def test_csv_for_excel_is_marked_as_utf8(written):
    assert written("sites", "csv", bom=True).startswith(b"\xef\xbb\xbfsite_code,")
    assert written("sites", "csv").startswith(b"site_code,")


def test_xlsx_says_in_words_that_rows_are_demo(written):
    for code, sheets in (("02", ["households", "DEMO"]), ("01", ["households"])):
        book = openpyxl.load_workbook(io.BytesIO(written("households", "xlsx", code)))
        assert book.sheetnames == sheets
        book.close()


def test_geojson_has_geometry_and_says_that_rows_are_demo(written, ids):
    found = json.loads(written("households", "geojson"))
    assert found["note"] == extract.DEMO_NOTE
    assert "note" not in json.loads(written("households", "geojson", "01"))
    shapes = {f["properties"]["household_code"]: f["geometry"] for f in found["features"]}
    assert shapes[ids["an"]] == {"type": "Point", "coordinates": [105.01, 21.01]}
    assert shapes[ids["bare"]] is None
    assert "lon" not in found["features"][0]["properties"]


@pytest.mark.parametrize(("kind", "count"), [("households", 5), ("surveys", 5), ("sites", 1)])
def test_geopackage_has_points_in_wgs84(written, tmp_path, kind, count):
    path = tmp_path / "out.gpkg"
    path.write_bytes(written(kind, "gpkg"))
    frame = pyogrio.read_dataframe(path, layer=kind)
    assert len(frame) == count
    assert frame.crs.to_epsg() == 4326
    assert frame["province_code"].isin(["01", "02"]).all()


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("kind", RECORDS)
def test_area_without_records_gives_a_file_without_rows(conn, ids, kind, format, tmp_path):
    out = tmp_path / f"x.{format}"
    conn.execute(world.finding.delete())
    for table in (world.survey, world.site):
        conn.execute(table.delete())
    conn.execute(world.household.delete())
    assert exports.export(conn, kind, world.country(conn), format, out) == 0
    assert out.stat().st_size > 0


def test_progress_lists_the_children_and_then_the_area(written):
    rows = rows_of(written("progress", "csv", "01"))
    assert [row["code"] for row in rows] == ["00101", "00102", "", "01"]
    assert list(rows[0]) == ["code", "full_name", "level", *METRICS]
    assert sum(int(row["households"]) for row in rows[:-1]) == int(rows[-1]["households"]) == 4


@pytest.mark.parametrize(
    ("kind", "format", "said"),
    [
        ("secrets", "csv", "there are: households, surveys, sites, findings, progress"),
        ("surveys", "pdf", "there are: csv, xlsx, geojson, gpkg, shp, fgb, parquet, kml"),
        ("progress", "gpkg", "choose csv or xlsx or parquet"),
    ],
)
def test_unknown_kind_or_format_is_refused_with_the_choices(
    conn, ids, tmp_path, kind, format, said
):
    with pytest.raises(UsageError, match=said):
        exports.export(conn, kind, world.country(conn), format, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_file_that_fails_half_way_is_not_there(tmp_path):
    def rows():
        yield {"a": 1}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), whole(tmp_path / "x.csv") as file:
        csv_files.write(of_rows("x", ("a",), rows()), file, False)
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_be_written_is_named(conn, ids, tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        exports.export(conn, "sites", world.country(conn), "csv", tmp_path / "not" / "there.csv")


@pytest.fixture
def stored(make_database, monkeypatch):
    """A database of its own with the records committed, which the commands are told to use."""
    url = make_database()
    engine = create_engine(url)
    with engine.begin() as conn:
        schema.migrate(conn)
        world.fill(conn)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", url)
    config.settings.cache_clear()
    yield
    # Else the next test that names a database by settings would meet this one's.
    db.engine(None).dispose()
    db.engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def test_commands_write_figures_and_records(stored, tmp_path):
    run = CliRunner().invoke
    out = tmp_path / "findings.csv"
    assert run(main, ["export", "findings", str(out), "--area", "01"]).exit_code == 0
    assert len(rows_of(out.read_bytes())) == 2
    found = run(main, ["progress", "--area", "01", "--format", "json"])
    assert json.loads(found.stdout)["area"]["households"] == 4
    table = run(main, ["progress"]).stdout
    assert "02 Tỉnh 02" in table
    assert run(main, ["progress", "--format", "xlsx"]).exit_code == 2
    assert run(main, ["export", "findings", str(tmp_path)]).exit_code == 2
    assert run(main, ["progress", "--area", "99"]).exit_code == 1


@pytest.mark.parametrize("word", [*exports.KINDS, *WRITERS])
def test_kind_and_format_are_documented(word):
    docs = Path(__file__).parent.parent / "docs" / "export.md"
    assert f"`{word}`" in docs.read_text("utf-8")
