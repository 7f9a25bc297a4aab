"""Demo data: the same for a seed, labelled, wrong in known ways, and gone without a trace."""

import csv
from collections import Counter
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from sqlalchemy import Connection, func, select

from api.cli import demo as command
from api.cli import main
from geo import areas, boundaries, demo
from geo.audit import due, together
from geo.audit_tables import audit_item
from geo.counter_tables import commune_counter
from geo.demo import loading
from geo.demo.addresses import DemoCommune, FormerCommune, recorded_address
from geo.demo.data import DemoData, generate
from geo.demo.points import moved, over_border, scattered
from geo.demo.surveys import KINDS
from geo.errors import ConflictError, UsageError
from geo.intake.imports import import_rows
from geo.tables import (
    finding,
    household,
    household_status,
    import_job,
    site,
    site_stage,
    survey,
    verdict_history,
)
from geo.verdicts.matching import AreaShapes

TODAY = date(2026, 3, 2)
PLACE = (107.5, 16.4)


def squares(count: int = 36) -> AreaShapes:
    """Communes 20001 … as squares of 0.1 degrees, six in a row."""
    boxes = [
        shapely.box(x, y, x + 0.1, y + 0.1)
        for i in range(count)
        for x, y in [(107 + i % 6 * 0.1, 16 + i // 6 * 0.1)]
    ]
    return AreaShapes(
        tuple(str(20_001 + i) for i in range(count)),
        np.array(boxes, dtype=object),
        np.full(count, 10.0),
        np.ones(count, dtype=np.int64),
    )


def communes(shapes: AreaShapes) -> list[DemoCommune]:
    made = []
    for code, polygon in zip(shapes.codes, shapes.polygons, strict=True):
        middle = polygon.centroid
        former = tuple(
            FormerCommune(
                (("Xã", f"Cũ {half} {code}"), ("Huyện", "Núi"), ("Tỉnh", "Biển")),
                middle.x + step,
                middle.y,
            )
            for half, step in (("Tây", -0.025), ("Đông", 0.025))
        )
        parts = (("Xã", f"Mới {code}"), ("Tỉnh", "Biển"))
        made.append(DemoCommune(code, "46", parts, False, middle.x, middle.y, former))
    return made


@pytest.fixture(scope="module")
def made() -> tuple[AreaShapes, DemoData]:
    shapes = squares()
    return shapes, generate(shapes, communes(shapes), 6_000, 7, TODAY)


def test_the_same_seed_gives_the_same_data_and_another_does_not():
    shapes = squares(4)
    first, second, other = (
        generate(shapes, communes(shapes), 200, seed, TODAY) for seed in (1, 1, 2)
    )
    assert first == second
    assert first.households != other.households


def test_every_house_stands_in_its_commune(made):
    shapes, data = made
    codes = np.array([t.true_commune_code for t in data.truth], dtype=object)
    lon, lat = (np.array([getattr(t, f"true_{k}") for t in data.truth]) for k in ("lon", "lat"))
    held = shapely.contains_xy(shapes.polygons[shapes.indices(codes)], lon, lat)
    assert held.all()


def test_codes_are_unique_and_cannot_be_taken_for_real_ones(made):
    _, data = made
    households = [row["household_code"] for row in data.households]
    assert len(set(households)) == len(households) == 6_000
    assert all(str(code).startswith("DEMO-46-") for code in households)
    surveys = [row["survey_id"] for row in data.surveys]
    assert len(set(surveys)) == len(surveys) == len(data.truth)
    sites = [row["site_code"] for row in data.sites]
    assert len(set(sites)) == len(sites)
    assert {row["household_code"] for row in data.surveys + data.sites} <= set(households)


def test_about_one_survey_in_twenty_is_misplaced_in_every_known_way(made):
    _, data = made
    kinds = Counter(truth.kind for truth in data.truth)
    assert set(kinds) == {"honest", *KINDS}
    assert 0.035 < 1 - kinds["honest"] / len(data.truth) < 0.065


def test_communes_are_covered_between_two_fifths_and_wholly_or_silent(made):
    shapes, data = made
    home = {t.household_code: t.true_commune_code for t in data.truth}
    surveyed = Counter(home.values())
    assert 0.65 * 6_000 < len(data.surveys) < 0.9 * 6_000
    assert len(surveyed) >= 0.85 * len(shapes)


def test_work_takes_place_on_working_days_in_working_hours_before_today(made):
    _, data = made
    for row in data.surveys:
        when = datetime.fromisoformat(str(row["surveyed_at"]))
        assert when.date() < TODAY
        assert when.weekday() != 6
        assert 7 <= when.hour < 18
    for row in data.sites:
        assert str(row["stage_on"]) <= TODAY.isoformat()


def test_an_enumerator_has_one_device_and_visits_in_the_order_of_time(made):
    _, data = made
    devices: dict[object, set[object]] = {}
    times: dict[object, list[object]] = {}
    for row in data.surveys:
        devices.setdefault(row["enumerator"], set()).add(row["device_id"])
        times.setdefault(row["enumerator"], []).append(str(row["surveyed_at"]))
    assert all(len(own) == 1 for own in devices.values())
    assert all(own == sorted(own) for own in times.values())
    assert 40 <= len(devices) <= 46


def test_some_sites_are_overdue_and_money_is_whole(made):
    _, data = made
    due = [row for row in data.sites if "due_on" in row and row["stage"] != "handed_over"]
    assert any(str(row["due_on"]) < TODAY.isoformat() for row in due)
    assert {row["kind"] for row in data.sites} == {"new", "repair"}
    assert all(isinstance(row["cost_paid"], int) for row in data.sites)
    assert all(row["cost_paid"] <= row["cost_planned"] for row in data.sites)


def test_addresses_are_of_both_tiers_and_the_former_one_is_the_nearest():
    from random import Random

    shapes = squares(1)
    (commune,) = communes(shapes)
    words = Random(3)
    texts = [
        recorded_address(words, commune, "Thôn 1", commune.lon - 0.03, commune.lat).lower()
        for _ in range(500)
    ]
    assert not any("đông" in text or "dong" in text for text in texts)
    former = sum("tây" in text or "tay" in text for text in texts)
    present = sum("mới" in text or "moi" in text for text in texts)
    assert former > 150
    assert present > 150
    assert 490 <= former + present < 500


def test_no_boundary_is_said(made):
    with pytest.raises(UsageError, match="load boundaries first"):
        generate(squares(1), [], 10, 1, TODAY)


def test_points_scatter_inside_even_a_sliver():
    sliver = shapely.Polygon([(107, 16), (107.5, 16.5), (107.5, 16.5001), (107, 16.0001)])
    lon, lat = scattered(np.random.default_rng(1), sliver, 30)
    assert len(lon) == 30
    assert shapely.contains_xy(sliver, lon, lat).all()


def test_over_the_border_is_outside_and_near():
    square = shapely.box(107, 16, 107.1, 16.1)
    rng = np.random.default_rng(1)
    for lon, lat in ((107.05, 16.001), (107.099, 16.05), (107.02, 16.09)):
        point = shapely.Point(over_border(rng, square, lon, lat))
        assert 55 / 111_195 < square.distance(point) < 215 / 105_000


def test_moved_by_metres():
    lon, lat = moved(107.0, 60.0, 1000.0, -1000.0)
    assert lat == pytest.approx(60 - 0.008993, abs=1e-6)
    assert lon == pytest.approx(107 + 0.017986, abs=1e-6)


# in the database


@pytest.fixture
def sketched(areas_conn: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connection:
    """One province with sketched boundaries; the truth goes to a directory of the test's own."""
    monkeypatch.setattr("geo.demo.loading.truth_file", lambda: tmp_path / "home" / "demo-truth.csv")
    boundaries.load_sketch(areas_conn, ("46",))
    return areas_conn


def count(conn: Connection, *tables: object) -> list[int]:
    return [conn.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def load(conn: Connection, households: int = 1_500) -> None:
    demo.load(conn, ["46"], households, seed=1)


def test_verdicts_find_what_is_wrong_and_leave_the_honest_alone(sketched):
    load(sketched, 4_000)
    verdicts = dict(sketched.execute(select(survey.c.survey_id, survey.c.verdict)).all())
    with loading.truth_file().open(encoding="utf-8") as stream:
        truth = [(row["kind"], verdicts[row["survey_id"]]) for row in csv.DictReader(stream)]
    assert len(truth) == len(verdicts)
    honest = Counter(verdict for kind, verdict in truth if kind == "honest")
    far = Counter(verdict for kind, verdict in truth if kind == "far_commune")
    assert honest["outside"] <= 0.05 * honest.total()
    assert far["outside"] >= 0.95 * (far.total() - far["unlocated"]) > 0


def test_all_rows_are_labelled_and_placed(sketched):
    load(sketched)
    for table in (household, survey, site, import_job):
        assert count(sketched, table) == [
            sketched.execute(select(func.count()).where(table.c.demo)).scalar_one()
        ]
    assert count(sketched, household) == [1_500]
    placed = select(func.count()).select_from(household).where(household.c.commune_code != "")
    assert sketched.execute(placed).scalar_one() >= 0.97 * 1_500
    assert sketched.execute(select(household.c.province_code).distinct()).scalars().all() == ["46"]


def test_a_second_load_is_refused(sketched):
    load(sketched, 100)
    with pytest.raises(ConflictError, match="--remove"):
        load(sketched, 100)


ALL = (household, household_status, survey, site, site_stage, finding, verdict_history, import_job)


def test_removing_leaves_nothing_and_counts_nothing(sketched):
    load(sketched)
    counts = demo.remove(sketched)
    assert counts["households"] == 1_500
    assert counts["surveys"] > 900
    assert counts["kept households"] == 0
    assert count(sketched, *ALL) == [0] * len(ALL)
    left = select(func.coalesce(func.sum(commune_counter.c.households), 0))
    assert sketched.execute(left).scalar_one() == 0
    assert not loading.truth_file().exists()


def test_removing_leaves_real_rows_and_what_they_stand_on(sketched):
    load(sketched)
    own, kept = "REAL-1", sketched.execute(select(household.c.household_code)).scalars().first()
    add_real(sketched, own, kept)
    before = count(sketched, household)[0]
    counts = demo.remove(sketched)
    assert (counts["households"], counts["kept households"]) == (before - 2, 1)
    codes = set(sketched.execute(select(household.c.household_code)).scalars())
    assert codes == {own, kept}
    assert count(sketched, survey) == [2]
    total = select(func.sum(commune_counter.c.households), func.sum(commune_counter.c.surveys))
    assert tuple(sketched.execute(total).one()) == (2, 2)


def add_real(conn: Connection, own: str, other: object) -> None:
    """A real household, and real surveys of it and of a demo household."""
    code = areas.children(conn, "46")[0].code
    row = {"household_code": own, "head_name": "Lê Thị Thật", "commune_code": code}
    row["recorded_address"] = "như trên"
    import_rows(conn, "households", [(2, row)], source="real")
    surveys = [
        {
            "survey_id": f"00000000-0000-4000-8000-00000000000{number}",
            "household_code": household_code,
            "surveyed_at": "2026-01-05T08:00:00+07:00",
            "enumerator": "thật",
            "lon": PLACE[0],
            "lat": PLACE[1],
        }
        for number, household_code in enumerate((own, other))
    ]
    import_rows(conn, "surveys", enumerate(surveys, 2), source="real")


def test_an_empty_database_gets_demo_data_once(sketched, monkeypatch):
    monkeypatch.setattr("geo.demo.loading.HOUSEHOLDS", 300)
    said = demo.ensure(sketched)
    assert said is not None
    assert said.startswith("Synthetic demo data: 300 households, ")
    assert demo.ensure(sketched) is None


def test_without_boundaries_that_is_said(areas_conn):
    assert demo.ensure(areas_conn) == "There is no demo data: no boundaries are loaded."


def test_progress_counts_all_rows(sketched):
    seen: list[tuple[int, int | None]] = []
    demo.load(sketched, ["46"], 200, 1, lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] == sum(count(sketched, household, survey, site))


@pytest.fixture
def run(sketched, monkeypatch):
    monkeypatch.setattr(command, "database", lambda: nullcontext(sketched))
    # Commands commit and then look for what waits; here all is one transaction.
    monkeypatch.setattr(
        command,
        "catch_up",
        lambda: [together.run(sketched, code) for code in due.provinces(sketched)],
    )
    return lambda *words: CliRunner().invoke(main, ["demo", *words])


def test_command_loads_and_removes(run, sketched):
    done = run("--province", "46", "--households", "150", "--seed", "3")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "households: 150")
    assert count(sketched, household) == [150]
    assert due.provinces(sketched) == []
    assert sketched.scalar(select(func.count()).select_from(audit_item)) > 0
    assert run("--remove").stdout.startswith("Removed: 150 households, ")
    assert sketched.scalar(select(func.count()).select_from(audit_item)) == 0
    assert run("--remove").stdout == "Removed: nothing, there was no demo data.\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["19"], 2, "Put --province before the codes."),
        (["--province", "99"], 1, "no area with the code '99'"),
        (["--province", "20014"], 1, "not a province"),
        (["--province", "19"], 2, "load boundaries first"),
        (["--households", "0"], 2, "0 is not in the range"),
    ],
)
def test_command_refuses_with_a_message(run, words, code, message):
    done = run(*words)
    assert done.exit_code == code
    assert message in done.stderr
