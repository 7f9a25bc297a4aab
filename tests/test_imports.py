"""What becomes of rows: stored, repeated, updated, kept aside or refused, and where they belong."""

import csv
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pyproj import Transformer
from sqlalchemy import Connection, create_engine, func, select

from geo import schema
from geo.errors import ConflictError, RejectedError, UsageError
from geo.intake.imports import import_file, import_rows
from geo.intake.session import ImportReport
from geo.tables import (
    commune_counter,
    finding,
    household,
    household_status,
    import_conflict,
    import_job,
    site,
    site_stage,
    survey,
)
from tests import intake_world as world


@pytest.fixture
def db(conn: Connection) -> Connection:
    world.build(conn)
    return conn


def load(conn: Connection, kind: str, *rows: dict[str, object], **options: object) -> ImportReport:
    return import_rows(conn, kind, enumerate(rows, 2), source="test", **options)


def figures(report: ImportReport) -> tuple[int, ...]:
    """(added, updated, unchanged, conflicts, rejected)"""
    return (
        report.added,
        report.updated,
        report.unchanged,
        report.conflicts,
        report.rejected,
    )


def one(conn: Connection, table: object) -> object:
    return conn.execute(select(table)).one()


# households


def test_a_household_is_placed_by_its_commune_code(db: Connection) -> None:
    load(db, "households", world.household())
    row = one(db, household)
    assert (row.province_code, row.commune_code, row.placed_by) == ("01", "00101", "code")
    assert row.search_key == "h1 lo van son thon 3 xa an hoa tinh thu mot"


def test_a_household_is_placed_by_its_address(db: Connection) -> None:
    load(db, "households", world.household(commune_code=None))
    row = one(db, household)
    assert (row.province_code, row.commune_code, row.placed_by) == ("01", "00101", "address")
    assert row.recorded_area_id is not None


def test_a_number_from_a_spreadsheet_gets_its_zeros_back_and_that_is_said(db: Connection) -> None:
    report = load(db, "households", world.household(commune_code=101, province_code=1))
    assert one(db, household).commune_code == "00101"
    assert report.notes == {
        "commune_code filled up with leading zeros": 1,
        "province_code filled up with leading zeros": 1,
    }


def test_a_former_code_of_a_divided_commune_leaves_candidates(db: Connection) -> None:
    load(db, "households", world.household(commune_code=world.DIVIDED))
    row = one(db, household)
    assert (row.province_code, row.commune_code, row.placed_by) == ("01", "", None)
    assert row.candidates == ["00101", "00102"]


def test_its_own_point_decides_between_candidates(db: Connection) -> None:
    row = world.household(commune_code=world.DIVIDED, lon=105.15, lat=21.05, accuracy_m=5)
    load(db, "households", row)
    stored = one(db, household)
    assert (stored.commune_code, stored.placed_by, stored.candidates) == ("00102", "point", [])


def test_an_address_that_names_no_place_is_stored_as_unknown(db: Connection) -> None:
    load(db, "households", world.household(commune_code=None, recorded_address="???"))
    assert one(db, household).province_code == "00"
    assert one(db, household).commune_code == ""


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"commune_code": "99999"}, "neither a present nor a former commune"),
        ({"province_code": "99"}, "is not a present province"),
        ({"province_code": "02"}, "contradicts the commune, which is in province 01"),
        ({"status": "rich"}, "status: “rich” is not one of 'poor', 'near_poor', 'average' or"),
        ({"members": 0}, "members: “0” is less than 1"),
        ({"causes": "no_luck"}, "causes: “no_luck” is no cause; known: no_land"),
        ({"head_name": "a\x00b"}, "NUL character"),
        ({"head_name": "\ud800"}, "head_name"),
        ({"note": "x" * 70_000}, "larger than 64 kB"),
        ({"head_name": "x" * 201}, "head_name: is longer than 200 characters"),
        ({"lon": 21.05, "lat": 105.05}, "look swapped"),
        ({"lon": 0, "lat": 0}, "0, 0"),
        ({"lon": 105.05}, "lat is missing"),
        ({"lon": 2.35, "lat": 48.85}, "outside Viet Nam"),
        ({"lon": "nan", "lat": "21"}, "not a finite number"),
        ({"lon": 1, "lat": 2, "crs": "EPSG:1"}, "EPSG:1"),
        ({"lon": 1, "lat": 2, "crs": "VN-2000"}, "such as EPSG:4326 or EPSG:9213"),
    ],
)
def test_a_bad_household_refuses_the_whole_file(
    db: Connection, changed: dict[str, object], reason: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        load(db, "households", world.household("H0"), world.household(**changed))
    assert [line for line, _ in caught.value.problems] == [3]
    assert reason in caught.value.problems[0][1]
    assert db.execute(select(func.count()).select_from(household)).scalar() == 0


def test_a_repeat_changes_nothing(db: Connection) -> None:
    load(db, "households", world.household())
    report = load(db, "households", world.household())
    assert figures(report) == (0, 0, 1, 0, 0)


def test_a_later_status_updates_and_keeps_the_history(db: Connection) -> None:
    load(db, "households", world.household())
    later = world.household(status="none", status_year=2026)
    assert figures(load(db, "households", later)) == (0, 1, 0, 0, 0)
    row = one(db, household)
    assert (row.status, row.status_year) == ("none", 2026)
    history = db.execute(
        select(household_status.c.year, household_status.c.status).order_by("year")
    ).all()
    assert history == [(2025, "poor"), (2026, "none")]
    assert figures(load(db, "households", later)) == (0, 0, 1, 0, 0)
    assert figures(load(db, "households", world.household())) == (0, 0, 1, 0, 0)


def test_an_earlier_status_that_was_never_known_is_a_conflict(db: Connection) -> None:
    load(db, "households", world.household())
    report = load(db, "households", world.household(status="none", status_year=2024))
    assert figures(report) == (0, 0, 0, 1, 0)


def test_another_name_is_kept_aside(db: Connection) -> None:
    load(db, "households", world.household())
    report = load(db, "households", world.household(head_name="Ai Khác", note="x"))
    assert figures(report) == (0, 0, 0, 1, 0)
    aside = one(db, import_conflict)
    assert (aside.key, aside.row["head_name"], aside.row["note"]) == ("H1", "Ai Khác", "x")
    assert one(db, household).head_name == "Lò Văn Sơn"


def test_the_same_code_in_two_provinces_is_two_households(db: Connection) -> None:
    other = world.household(commune_code="00201")
    assert load(db, "households", world.household(), other).added == 2


def test_a_row_twice_in_a_file_counts_once_and_a_contradicting_one_is_refused(
    db: Connection,
) -> None:
    twin, other = world.household(), world.household(head_name="Ai Khác")
    with pytest.raises(RejectedError) as caught:
        load(db, "households", world.household(), twin, other)
    assert caught.value.problems == [
        (4, "H1 is also on line 2, with other content; keep one of them")
    ]
    assert figures(load(db, "households", world.household(), twin)) == (1, 0, 1, 0, 0)


# surveys


@pytest.fixture
def homed(db: Connection) -> Connection:
    load(db, "households", world.household())
    return db


def test_a_survey_is_stored_with_verdict_and_numbers(homed: Connection) -> None:
    report = load(homed, "surveys", world.survey())
    row = one(homed, survey)
    assert report.verdicts == {"inside": 1}
    assert (row.verdict, row.recorded_code, row.located_code) == ("inside", "00101", "00101")
    # 0.01° of latitude at 21° north: the meridian's radius of curvature gives 1,107.3 m.
    assert row.distance_m == pytest.approx(1107.3, abs=0.5)
    assert row.probability == pytest.approx(1)
    assert (row.province_code, row.commune_code, row.candidates) == ("01", "00101", ["00101"])
    assert (row.accuracy_used_m, row.boundary_accuracy_m) == (8, 10)
    assert row.surveyed_at.isoformat() == "2026-09-30T01:15:00+00:00"


def test_a_survey_elsewhere_is_outside_with_a_finding_and_counted(homed: Connection) -> None:
    load(homed, "surveys", world.survey(lon=105.25))
    row = one(homed, survey)
    assert (row.verdict, row.recorded_code, row.located_code) == ("outside", "00101", "00103")
    found = one(homed, finding)
    assert (found.subject, found.subject_id, found.rule) == ("survey", row.survey_id, "outside")
    counted = homed.execute(
        select(commune_counter).where(commune_counter.c.commune_code == "00101")
    ).one()
    assert (counted.households, counted.surveyed, counted.outside, counted.verified) == (1, 1, 1, 0)


def test_a_survey_is_compared_with_its_own_address(homed: Connection) -> None:
    own = "Xã Chí Cà, Tỉnh Thử Một"
    load(homed, "surveys", world.survey(lon=105.25, recorded_address=own))
    row = one(homed, survey)
    assert (row.verdict, row.recorded_code, row.candidates) == ("inside", "00103", ["00103"])
    assert row.commune_code == "00101"


def test_an_own_address_that_names_no_commune_leaves_the_household_s(homed: Connection) -> None:
    load(homed, "surveys", world.survey(recorded_address="thôn 3"))
    assert one(homed, survey).recorded_code == "00101"


def test_a_survey_without_a_point_is_unlocated(homed: Connection) -> None:
    report = load(homed, "surveys", world.survey(lon=None, lat=None))
    assert report.verdicts == {"unlocated": 1}
    assert one(homed, survey).geom is None


def test_points_in_vn_2000_are_transformed_and_that_is_said(homed: Connection) -> None:
    forward = Transformer.from_crs("EPSG:4326", "EPSG:9209", always_xy=True)
    easting, northing = forward.transform(105.05, 21.01)
    vn = world.survey(lon=easting, lat=northing, crs="EPSG:9209")
    report = load(homed, "surveys", vn)
    lon, lat = homed.execute(select(func.ST_X(survey.c.geom), func.ST_Y(survey.c.geom))).one()
    assert (lon, lat) == pytest.approx((105.05, 21.01), abs=1e-7)
    assert report.notes == {"points transformed from EPSG:9209": 1}
    assert one(homed, survey).crs == "EPSG:9209"


def test_the_same_survey_again_changes_nothing_and_another_copy_is_kept_aside(
    homed: Connection,
) -> None:
    load(homed, "surveys", world.survey())
    assert figures(load(homed, "surveys", world.survey())) == (0, 0, 1, 0, 0)
    assert figures(load(homed, "surveys", world.survey(lat=21.02))) == (0, 0, 0, 1, 0)
    assert figures(load(homed, "surveys", world.survey(lat=21.02))) == (0, 0, 0, 1, 0)
    assert one(homed, import_conflict).row["lat"] == 21.02
    assert homed.execute(select(func.ST_Y(survey.c.geom))).scalar() == 21.01


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"household_code": "H9"}, "there is no household “H9”; import the households first"),
        ({"survey_id": "7"}, "survey_id: “7” is not a UUID"),
        ({"surveyed_at": "2026-09-30T08:15:00"}, "has no zone; write it as 2026-09-30T08:15:00+07"),
        ({"surveyed_at": "2199-01-01T00:00:00Z"}, "lies in the future"),
        ({"surveyed_at": "yesterday"}, "is not a time"),
        ({"surveyed_at": "0001-01-01T00:00:00+07:00"}, "is not a time of these years"),
        ({"lon": 10**400}, "lon"),
        ({"satellites": 10**400}, "satellites"),
        ({"surveyed_at": 45987.35}, "format the cells as date and time"),
        ({"mock_location": "maybe"}, "neither 1 (có) nor 0 (không)"),
        ({"accuracy_m": -1}, "accuracy_m: “-1” is less than 0"),
        ({"enumerator": None}, "enumerator: is missing"),
        ({"satellites": "many"}, "satellites: “many” is not a whole number"),
    ],
)
def test_a_bad_survey_is_refused(
    homed: Connection, changed: dict[str, object], reason: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        load(homed, "surveys", world.survey(**changed))
    assert reason in caught.value.problems[0][1]


def test_a_household_in_two_provinces_needs_the_province(homed: Connection) -> None:
    load(homed, "households", world.household(commune_code="00201"))
    with pytest.raises(RejectedError) as caught:
        load(homed, "surveys", world.survey())
    assert "exists in the provinces 01, 02; add the column province_code" in str(
        caught.value.problems
    )
    assert load(homed, "surveys", world.survey(province_code="01")).added == 1


def test_a_survey_inside_a_candidate_settles_its_household(db: Connection) -> None:
    load(db, "households", world.household(commune_code=world.DIVIDED))
    load(db, "surveys", world.survey(1, lon=None, lat=None))
    load(db, "surveys", world.survey(2, lon=105.15))
    row = one(db, household)
    assert (row.commune_code, row.placed_by) == ("00102", "survey")
    assert set(db.execute(select(survey.c.commune_code)).scalars()) == {"00102"}
    counts = dict(
        db.execute(select(commune_counter.c.commune_code, commune_counter.c.households)).all()
    )
    assert counts == {"": 0, "00102": 1}


# sites


def test_a_site_moves_forward_and_its_stages_stay_known(homed: Connection) -> None:
    load(homed, "sites", world.site())
    later = world.site(stage="roof", stage_on="2026-05-01", cost_paid="40.000.000")
    assert figures(load(homed, "sites", later)) == (0, 1, 0, 0, 0)
    row = one(homed, site)
    assert (row.stage, row.cost_paid, row.verdict) == ("roof", 40_000_000, "inside")
    assert set(homed.execute(select(site_stage.c.stage)).scalars()) == {"approved", "roof"}
    assert figures(load(homed, "sites", later, world.site("S2"))) == (1, 0, 1, 0, 0)
    assert figures(load(homed, "sites", world.site())) == (0, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"stage": "proposed"}, "the site has reached approved; proposed lies before it"),
        ({"kind": "repair"}, "the site is stored as new"),
        ({"household_code": "H2"}, "the site belongs to the household H1"),
        ({"stage_on": "2026-02-01"}, "the stage is dated 2026-03-01, later than 2026-02-01"),
    ],
)
def test_a_site_never_moves_back(
    homed: Connection, changed: dict[str, object], reason: str
) -> None:
    load(homed, "households", world.household("H2"))
    load(homed, "sites", world.site())
    assert figures(load(homed, "sites", world.site(**changed))) == (0, 0, 0, 1, 0)
    assert one(homed, import_conflict).reason == reason
    assert one(homed, site).stage == "approved"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "castle"}, "kind: “castle” is not one of 'new' or 'repair'"),
        ({"stage": "dreamt"}, "stage: “dreamt” is not one of proposed, verified"),
        ({"cost_planned": "60.5"}, "cost_planned: “60.5” is not a whole number of đồng"),
        ({"cost_paid": -1}, "cost_paid: “-1” is less than 0"),
        ({"stage_on": "2199-01-01"}, "stage_on"),
        ({"due_on": "31/2/2026"}, "due_on: “31/2/2026” is not a date"),
    ],
)
def test_a_bad_site_is_refused(homed: Connection, changed: dict[str, object], reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        load(homed, "sites", world.site(**changed))
    assert reason in caught.value.problems[0][1]


# the whole


def write_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list({name: 0 for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_with_a_rejects_file_the_good_rows_land_and_the_bad_ones_can_be_mended(
    homed: Connection, tmp_path: Path
) -> None:
    rows = [
        world.survey(1),
        world.survey(2, lon=0.0, lat=0.0, household_code="H9"),
        world.survey(3),
    ]
    path = write_csv(tmp_path / "s.csv", rows)
    refused = tmp_path / "refused.csv"
    report = import_file(homed, "surveys", path, rejects=refused)
    assert figures(report) == (2, 0, 0, 0, 1)
    with refused.open(encoding="utf-8-sig", newline="") as file:
        (bad,) = csv.DictReader(file)
    assert bad["line"] == "3" and bad["reason"].startswith("The point is 0, 0")
    assert bad["survey_id"] == rows[1]["survey_id"]

    mended = refused.read_text(encoding="utf-8-sig").replace("H9", "H1").replace("0.0", "")
    refused.write_text(mended, encoding="utf-8")
    assert import_file(homed, "surveys", refused).added == 1
    assert not any(row.attributes for row in homed.execute(select(survey)))


def test_a_dry_run_reports_the_same_and_stores_nothing(homed: Connection) -> None:
    report = load(homed, "surveys", world.survey(), dry_run=True)
    assert (report.added, report.dry_run, report.verdicts) == (1, True, {"inside": 1})
    for table in (survey, import_conflict):
        assert homed.execute(select(table)).first() is None
    jobs = homed.execute(select(import_job.c.kind)).scalars().all()
    assert jobs == ["households"]


def test_a_missing_column_is_named_before_anything_is_read(db: Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", [{"survey_id": "1", "household_code": "H1"}])
    with pytest.raises(RejectedError, match="lacks the columns surveyed_at, enumerator"):
        import_file(db, "surveys", path)


def test_a_file_with_only_a_header_is_refused(db: Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "h.csv", [world.household()])
    path.write_text(path.read_text().splitlines()[0] + "\n\n \n")
    with pytest.raises(RejectedError, match="holds no row"):
        import_file(db, "households", path)


def test_an_unknown_kind_lists_the_known_ones(db: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="households, surveys, sites"):
        import_file(db, "cows", tmp_path)


def test_extra_columns_are_kept(db: Connection) -> None:
    load(db, "households", world.household(điện="có", attributes="x"))
    assert one(db, household).attributes == {"điện": "có", "attributes": "x"}


def test_demo_rows_are_marked_everywhere(db: Connection) -> None:
    load(db, "households", world.household(), demo=True)
    assert one(db, household).demo and one(db, import_job).demo


def test_progress_ends_with_all_rows(db: Connection) -> None:
    seen: list[tuple[int, int | None]] = []
    load(db, "households", world.household(), progress=lambda *state: seen.append(state))
    assert seen == [(1, None)]


def test_two_imports_of_the_same_survey_at_once_leave_it_stored_once(
    make_database: Callable[..., str],
) -> None:
    engine = create_engine(make_database())
    with engine.begin() as conn:
        schema.migrate(conn)
        world.build(conn)
        load(conn, "households", world.household())
    outcomes: list[object] = []
    barrier = threading.Barrier(2)

    def send() -> None:
        try:
            with engine.begin() as conn:
                barrier.wait()
                outcomes.append(figures(load(conn, "surveys", world.survey())))
        except ConflictError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as conn:
        assert conn.execute(select(func.count()).select_from(survey)).scalar() == 1
        counted = conn.execute(select(func.sum(commune_counter.c.surveys))).scalar()
    engine.dispose()
    assert counted == 1
    assert (1, 0, 0, 0, 0) in outcomes
    assert all(isinstance(o, tuple) or "Repeat this one" in o for o in outcomes)
