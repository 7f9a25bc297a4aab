"""What becomes of rows: stored, repeated, updated, kept aside or refused, and where they belong."""

import pytest
from pyproj import Transformer
from sqlalchemy import Connection, func, select

from geo.counter_tables import commune_counter
from geo.errors import RejectedError
from geo.tables import (
    finding,
    household,
    household_status,
    import_conflict,
    site,
    site_stage,
    survey,
)
from tests import intake_world as world
from tests.intake_world import figures, load, one

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


def test_when_a_survey_was_sent_is_kept_and_is_no_content(homed: Connection) -> None:
    load(homed, "surveys", world.survey(sent_at="2026-09-30T19:00:00+07:00"))
    assert one(homed, survey).sent_at.isoformat() == "2026-09-30T12:00:00+00:00"
    again = world.survey(sent_at="2026-10-01T19:00:00+07:00")
    assert figures(load(homed, "surveys", again)) == (0, 0, 1, 0, 0)
    assert figures(load(homed, "surveys", world.survey())) == (0, 0, 1, 0, 0)
    assert one(homed, survey).sent_at.isoformat() == "2026-09-30T12:00:00+00:00"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sent_at": "2199-01-01T00:00:00Z"}, "lies in the future"),
        ({"sent_at": "2026-09-30T08:15:00"}, "sent_at: “2026-09-30T08:15:00” has no zone"),
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


def test_each_stage_keeps_the_point_of_its_own_report(homed: Connection) -> None:
    forward = Transformer.from_crs("EPSG:4326", "EPSG:9209", always_xy=True)
    easting, northing = forward.transform(105.06, 21.02)
    load(homed, "sites", world.site())
    roof = {"stage": "roof", "stage_on": "2026-05-01"}
    load(homed, "sites", world.site(**roof, lon=easting, lat=northing, crs="EPSG:9209"))
    done = {"stage": "completed", "stage_on": "2026-06-01", "lon": None, "lat": None}
    load(homed, "sites", world.site(**done, accuracy_m=None))
    reports = homed.execute(
        select(site_stage.c.stage, site_stage.c.lon, site_stage.c.lat, site_stage.c.accuracy_m)
    ).all()
    assert {row.stage: row[1:] for row in reports} == {
        "approved": (105.05, 21.01, 8.0),
        "roof": (pytest.approx(105.06, abs=1e-7), pytest.approx(21.02, abs=1e-7), 8.0),
        "completed": (None, None, None),
    }


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
