"""What was exported goes back in: unchanged rows are nothing new, edited ones are that change."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select

from geo import areas, exports
from geo.export_columns import RECORDS
from geo.intake import exported
from geo.intake.imports import import_file
from geo.intake.records import MODELS
from geo.tables import area, household, import_conflict, site, survey
from tests import intake_world as world
from tests.intake_world import figures, load

HOUSEHOLDS = (
    world.household("H1", phone="0912345678", **{"ghi chú": "=1+1", "điện": {"có": True, "số": 3}}),
    world.household("H2", commune_code=None, national_id="001085001234", causes="no_land;other"),
    world.household(
        "H3", head_name="=SUM(A1)", members=4, village="Bản Đầu", lon=105.0512345678901234,
        lat=21.0198765432109876, accuracy_m=4.7, ethnicity="Thái",
    ),
    world.household("H4", lon=583_960, lat=2_324_000, crs="EPSG:3405"),
    world.household("H5", recorded_address="Không rõ", commune_code=None, province_code="01"),
    world.household("H6", recorded_address="Ở đâu đó", commune_code=None),
    world.household("0012", commune_code="00201", status=None, status_year=None),
)  # fmt: skip
SURVEYS = (
    world.survey(1, surveyed_at="2026-09-30T08:15:00.123456+07:00", note="x", mock_location="có"),
    world.survey(2, household_code="H3", altitude_m=21.123456789012345, satellites=9),
    world.survey(3, household_code="H4", lon=105.15, device_id="-d", photo="@1.jpg"),
    world.survey(4, household_code="H3", lon=None, lat=None, accuracy_m=None),
    world.survey(5, household_code="H3", lon=21.01, lat=105.05),
)
SITES = (
    world.site("S1", stream="A", eligible=True, nhà="ba gian"),
    world.site("S2", household_code="H3", kind="repair", cost_paid=1_500_000, due_on="2026-12-31"),
    world.site("S3", household_code="H4", lon=105.15, stage="proposed", stage_on=None),
)
ROWS = {"households": HOUSEHOLDS, "surveys": SURVEYS, "sites": SITES}
TABLES = {"households": household, "surveys": survey, "sites": site}


@pytest.fixture
def filled(db: Connection) -> Connection:
    country = {"code": "VN", "level": "country", "kind": "", "name_key": "viet nam"}
    db.execute(insert(area), country | dict.fromkeys(("name", "full_name"), "Việt Nam"))
    for kind, rows in ROWS.items():
        assert load(db, kind, *rows).added == len(rows)
    return db


@pytest.fixture
def taken(filled: Connection, tmp_path: Path) -> Callable[..., Path]:
    """taken(kind, format) → the file of an export of all."""

    def take(kind: str, format: str = "csv") -> Path:
        path = tmp_path / f"{kind}.{format}"
        exports.export(filled, kind, areas.get(filled, "VN"), format, path, bom=True)
        return path

    return take


def edited(path: Path, key: str, **changed: str) -> Path:
    """The CSV with some cells of one row changed."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if key in row.values():
            row.update(changed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("format", ["csv", "xlsx", "geojson", "gpkg"])
@pytest.mark.parametrize("kind", ROWS)
def test_an_export_that_comes_back_is_nothing_new(filled, taken, kind, format):
    before = filled.execute(select(TABLES[kind])).all()
    # As the command does it, and as a request does.
    report = import_file(filled, kind, taken(kind, format), apart=format == "csv")
    assert figures(report) == (0, 0, len(ROWS[kind]), 0, 0)
    assert filled.execute(select(TABLES[kind])).all() == before
    assert load(filled, kind, *ROWS[kind]).unchanged == len(ROWS[kind])


def test_a_new_status_in_an_export_is_that_change_and_old_files_stay_repeats(filled, taken):
    path = edited(taken("households"), "H2", status="near_poor", status_year="2026")
    assert figures(import_file(filled, "households", path)) == (0, 1, 6, 0, 0)
    row = filled.execute(select(household).where(household.c.household_code == "H2")).one()
    assert (row.status, row.status_year, row.national_id_end) == ("near_poor", 2026, "234")
    assert figures(import_file(filled, "households", path)) == (0, 0, 7, 0, 0)
    assert figures(load(filled, "households", *HOUSEHOLDS)) == (0, 0, 7, 0, 0)
    newer = HOUSEHOLDS[1] | {"status": "average", "status_year": 2027}
    assert load(filled, "households", newer).updated == 1


@pytest.mark.parametrize(
    ("kind", "key", "changed"),
    [
        ("households", "H1", {"head_name": "Người khác"}),
        ("households", "H1", {"attributes": '{"phone": "0"}'}),
        ("households", "H3", {"lon": "105.06"}),
        ("surveys", str(SURVEYS[0]["survey_id"]), {"enumerator": "Người khác"}),
        ("sites", "S1", {"kind": "repair"}),
        ("sites", "S1", {"stage": "proposed"}),
    ],
)
def test_other_edits_are_conflicts_of_that_row_alone(filled, taken, kind, key, changed):
    report = import_file(filled, kind, edited(taken(kind), key, **changed))
    assert figures(report) == (0, 0, len(ROWS[kind]) - 1, 1, 0)
    assert filled.scalars(select(import_conflict.c.key)).all() == [key]


def test_a_stage_in_an_export_moves_the_site_forward(filled, taken):
    path = edited(taken("sites"), "S1", stage="roof", stage_on="2026-05-01", cost_paid="30.000.000")
    assert figures(import_file(filled, "sites", path)) == (0, 1, 2, 0, 0)
    row = filled.execute(select(site).where(site.c.site_code == "S1")).one()
    assert (row.stage, row.cost_paid, row.attributes) == ("roof", 30_000_000, {"nhà": "ba gian"})


def test_what_the_service_does_not_know_is_kept_and_comes_back_elsewhere(filled, taken):
    path = taken("households")
    for table in (site, survey, household):
        filled.execute(delete(table))
    assert import_file(filled, "households", path).added == 7
    row = filled.execute(select(household).where(household.c.household_code == "H1")).one()
    assert row.attributes == {
        "phone": "0912345678", "ghi chú": "=1+1", "điện": {"có": True, "số": 3}
    }  # fmt: skip
    assert import_file(filled, "households", path).unchanged == 7


def test_demo_rows_stay_marked_where_they_come_back(filled, taken):
    filled.execute(household.update().values(demo=True))
    path = taken("households")
    assert import_file(filled, "households", path).unchanged == 7
    for table in (site, survey, household):
        filled.execute(delete(table))
    import_file(filled, "households", path)
    assert all(row.attributes["demo"] == 1 for row in filled.execute(select(household)))


@pytest.mark.parametrize("kind", MODELS)
def test_every_column_of_an_export_is_content_or_known_to_be_none(kind):
    columns = {column.name for column in RECORDS[kind].columns}
    own = {exported.ATTRIBUTES, exported.DEMO}
    assert columns - set(MODELS[kind].model_fields) == {*exported.ADDED[kind], *own}


@pytest.mark.parametrize(
    "row",
    [
        {"demo": "0"},
        {"attributes": "{}"},
        {"demo": "0", "attributes": "x"},
        {"demo": "0", "attributes": "[1]"},
        {"demo": "0", "attributes": "[" * 30_000},
    ],
)
def test_other_rows_with_such_columns_keep_them_as_attributes(db, row):
    load(db, "households", world.household(**row))
    assert db.execute(select(household)).one().attributes == row
