"""Counters stay equal to the tables, parents to their children, whoever writes at the same time."""

import random
import threading
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, text, update

from geo import areas, metrics, schema, targeting
from geo.errors import UsageError
from geo.metrics import METRICS
from geo.scope import OPERATOR, bind
from geo.tables import KINDS, STAGES, STATUSES, VERDICTS, household, site, survey
from tests import records_world as world
from tests.records_world import PAIRS, add_household, add_site, add_survey

TODAY = date(2025, 10, 1)
DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def records(conn):
    return world.fill(conn)


def test_figures_of_a_commune_are_those_counted_by_hand(conn, records):
    found = metrics.figures(conn, areas.get(conn, "00101"), TODAY)
    assert {key: found[key] for key in ("households", "surveyed", "verified", "poor")} == {
        "households": 2,
        "surveyed": 2,
        "verified": 1,
        "poor": 1,
    }
    assert found["coverage"] == 1.0
    assert found["verified_coverage"] == 0.5
    assert found["poverty_rate"] == 0.5
    assert (found["inside"], found["outside"], found["uncertain"]) == (1, 2, 1)
    assert found["mismatch_share"] == 0.5
    assert (found["approved"], found["building"], found["overdue"]) == (1, 1, 1)
    assert found["completion"] == 0.0
    assert found["cost_planned"] == 60_000_000
    assert found["last_activity"] == datetime(2025, 9, 12, tzinfo=UTC)


def test_ratio_without_denominator_is_unknown(conn, records):
    found = metrics.figures(conn, areas.get(conn, "00201"), TODAY)
    assert found["coverage"] == 0.0
    assert found["poverty_rate"] is None
    assert found["completion"] is None


def test_area_without_any_record_has_zeros(conn):
    world.build(conn)
    found = metrics.figures(conn, areas.get(conn, "00201"))
    assert found["households"] == 0
    assert found["coverage"] is None
    assert found["last_activity"] is None


@pytest.mark.parametrize(
    ("day", "late"), [(date(2025, 8, 31), 0), (date(2025, 9, 1), 1), (TODAY, 1)]
)
def test_site_is_late_from_the_day_after_its_due_date(conn, records, day, late):
    assert metrics.figures(conn, world.country(conn), day)["overdue"] == late


@pytest.mark.parametrize("stage", ["completed", "accepted", "handed_over"])
def test_finished_site_is_never_late(conn, records, stage):
    conn.execute(update(site).values(stage=stage))
    metrics.recount(conn, PAIRS)
    assert metrics.figures(conn, world.country(conn), TODAY)["overdue"] == 0


def test_children_are_in_name_order_with_what_has_no_address_last(conn, records):
    rows = metrics.children_figures(conn, areas.get(conn, "01"), TODAY)
    assert [(row["code"], row["households"]) for row in rows] == [
        ("00101", 2),
        ("00102", 1),
        ("", 1),
    ]
    assert rows[-1]["full_name"] == "Chưa xác định được địa chỉ"
    assert metrics.children_figures(conn, areas.get(conn, "00101")) == []


def test_commune_that_belongs_to_another_province_is_still_counted_once(conn):
    world.build(conn)
    code = add_household(conn, "00201", province_code="01")
    add_survey(conn, code, "00201", province_code="01")
    metrics.recount(conn, [*PAIRS, ("01", "00201")])
    for parent in ("VN", "01"):
        of = areas.get(conn, parent)
        rows = metrics.children_figures(conn, of)
        assert sum(row["surveys"] for row in rows) == metrics.figures(conn, of)["surveys"] == 1


def test_ended_area_has_no_figures_of_today(conn):
    world.build(conn)
    conn.execute(text("UPDATE area SET valid_to = '2025-06-30' WHERE code = '00201'"))
    with pytest.raises(UsageError, match="ended on 2025-06-30"):
        metrics.figures(conn, areas.get(conn, "00201", date(2025, 1, 1)))


record = st.tuples(
    st.sampled_from(sorted(world.COMMUNES)),
    st.sampled_from([None, *STATUSES]),
    st.lists(st.sampled_from(VERDICTS), max_size=3),
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.sampled_from(STAGES),
            st.none() | st.dates(date(2025, 9, 1), date(2025, 11, 1)),
        ),
        max_size=2,
    ),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(record, max_size=12), st.randoms(use_true_random=False))
def test_counters_equal_a_count_from_scratch(conn, records, rnd: random.Random):
    with conn.begin_nested() as savepoint:
        world.build(conn)
        for commune, status, verdicts, sites in records:
            code = add_household(conn, commune, status=status)
            for verdict in verdicts:
                add_survey(conn, code, commune, verdict=verdict)
            for kind, stage, due in sites:
                add_site(conn, code, commune, kind=kind, stage=stage, due_on=due)
            if rnd.random() < 0.5:
                metrics.recount(conn, [(world.COMMUNES[commune], commune)])
        metrics.recount(conn, PAIRS)
        for code in ("VN", "01", "02", *world.COMMUNES):
            check(conn, code, records)
        savepoint.rollback()


def check(conn, code: str, records: list) -> None:
    within = [r for r in records if code in ("VN", r[0], world.COMMUNES[r[0]])]
    of = areas.get(conn, code)
    found = metrics.figures(conn, of, TODAY)
    assert found["households"] == len(within)
    assert found["poor"] == sum(r[1] == "poor" for r in within)
    assert found["surveyed"] == sum(bool(r[2]) for r in within)
    assert found["verified"] == sum("inside" in r[2] for r in within)
    verdicts = Counter(v for r in within for v in r[2])
    assert {v: found[v] for v in VERDICTS} == {v: verdicts[v] for v in VERDICTS}
    sites = [s for r in within for s in r[3]]
    assert found["sites"] == len(sites) == found["supported"] + found["unsupported"]
    assert found["supported"] == found["completed"] + found["building"] == found["started"]
    assert found["overdue"] == sum(
        due is not None and due < TODAY and STAGES.index(stage) < STAGES.index("completed")
        for _, stage, due in sites
    )
    for kind in KINDS:
        for stage in STAGES:
            assert found[f"{kind}_{stage}"] == sum(s[:2] == (kind, stage) for s in sites)
    children = metrics.children_figures(conn, of, TODAY)
    for metric in METRICS.values():
        if children and metric.kind in ("count", "money"):
            assert found[metric.key] == sum(row[metric.key] for row in children), metric.key


def test_removed_and_moved_records_leave_no_trace_in_the_counts(conn, records):
    conn.execute(delete(site))
    conn.execute(delete(survey))
    conn.execute(update(household).where(household.c.commune_code == "00101").values(
        commune_code="00102"))  # fmt: skip
    metrics.recount(conn, PAIRS)
    assert metrics.figures(conn, areas.get(conn, "00101"))["households"] == 0
    found = metrics.figures(conn, areas.get(conn, "00102"))
    assert (found["households"], found["surveys"], found["sites"], found["overdue"]) == (3, 0, 0, 0)
    assert found["last_activity"] is None


def test_writers_at_the_same_time_lose_no_count(make_database):
    engine = create_engine(make_database())
    with engine.begin() as conn:
        schema.migrate(conn)
        world.build(conn)
    both_wrote = threading.Barrier(2, timeout=30)

    def write() -> None:
        for _ in range(5):
            with engine.begin() as conn:
                add_household(conn)
                both_wrote.wait()  # neither sees the other's row yet
                metrics.recount(conn, PAIRS)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        assert metrics.figures(conn, world.country(conn))["households"] == 10
    engine.dispose()


def test_ranking_puts_the_greatest_need_first(conn, records):
    add_household(conn, "00201", status="poor", demo=True)
    metrics.recount(conn, PAIRS)
    found = targeting.ranking(conn, world.country(conn), "poverty_rate")
    assert [(row["rank"], row["code"], row["need"]) for row in found] == [
        (1, "00201", 1.0),
        (2, "00101", 0.5),
        (3, "00102", None),
    ]
    uncovered = targeting.ranking(conn, areas.get(conn, "01"), "uncovered")
    assert [(row["rank"], row["code"], row["need"]) for row in uncovered] == [
        (1, "00101", 0),
        (1, "00102", 0),
    ]


def test_unknown_order_is_refused_with_the_choices(conn, records):
    with pytest.raises(UsageError, match="poverty_rate, poor, uncovered, unsupported"):
        targeting.ranking(conn, world.country(conn), "wealth")


@pytest.mark.parametrize("key", METRICS)
def test_metric_is_documented(key):
    assert f"`{key}`" in DOCS.joinpath("metrics.md").read_text("utf-8")


@pytest.mark.parametrize("order", targeting.ORDERS)
def test_order_is_documented(order):
    assert f"| `{order}` |" in DOCS.joinpath("metrics.md").read_text("utf-8")
