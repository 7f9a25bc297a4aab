"""New boundaries change verdicts: what, why, and that it is held against nobody."""

from datetime import UTC, datetime

import pytest
import shapely
from sqlalchemy import select, update

from geo import areas
from geo.audit import changes, queue, together
from geo.audit import run as audit
from geo.errors import UsageError
from geo.tables import finding, survey
from tests.test_audit import EAST, WEST, add_survey, load, world  # noqa: F401 - a fixture

SMALL = shapely.box(105.0, 21.0, 105.04, 21.1)


@pytest.fixture
def renewed(conn, world):  # noqa: F811
    """Survey 1 was inside and is outside the new border of its commune; 2 was outside before."""
    add_survey(conn, 1, 105.06)
    add_survey(conn, 2, 105.15)
    audit.run(conn)
    together.run(conn, "19")
    west, east = world
    load(conn, {west: SMALL, east: EAST})
    audit.run(conn)
    together.run(conn, "19")
    return conn


def blameless(conn):
    rows = conn.execute(select(finding.c.subject_id, finding.c.rule, finding.c.blameless))
    return {(int(row[0][-1]), row[1]): row[2] for row in rows}


def test_a_flag_that_only_new_boundaries_caused_is_held_against_nobody(renewed):
    assert blameless(renewed) == {(1, "outside"): True, (2, "outside"): False}
    page = queue.cases(renewed, queue.Asked(areas.get(renewed, "19")))
    assert [int(one["subject_id"][-1]) for one in page.items] == [2]
    rows = queue.cases(renewed, queue.Asked(areas.get(renewed, "19"), state="all")).items
    assert {int(one["subject_id"][-1]): one["risk"] for one in rows} == {1: 0.0, 2: 60.0}


def test_what_changed_is_told_with_its_reason(renewed):
    told = changes.summary(renewed, areas.get(renewed, "19"))
    moved = {
        (one["verdict_before"], one["verdict_after"], one["reason"]): one["number"] for one in told
    }
    assert moved == {("inside", "outside", "boundary"): 1, ("outside", "outside", "boundary"): 1}
    (one,) = changes.listing(renewed, areas.get(renewed, "10001"), before="inside").items
    assert one["version_after"] == one["version_before"] + 1
    assert one["distance_before_m"] > 0 > one["distance_after_m"]
    assert changes.listing(renewed, areas.get(renewed, "10002")).items == []


def test_pages_of_changes_follow_each_other(renewed):
    area = areas.get(renewed, "19")
    first = changes.listing(renewed, area, limit=1)
    second = changes.listing(renewed, area, cursor=first.next_cursor, limit=1)
    numbers = {int(page.items[0]["subject_id"][-1]) for page in (first, second)}
    assert numbers == {1, 2}
    assert second.next_cursor is None
    with pytest.raises(UsageError, match="is none of"):
        changes.listing(renewed, area, reason="weather")


def test_boundaries_that_come_back_take_the_flag_away(renewed, world):  # noqa: F811
    west, east = world
    load(renewed, {west: WEST, east: EAST})
    audit.run(renewed)
    together.run(renewed, "19")
    assert blameless(renewed) == {(2, "outside"): False}


def test_a_point_that_moves_out_after_the_boundaries_changed_counts_again(renewed):
    renewed.execute(
        update(survey)
        .where(survey.c.household_code == "H1")
        .values(
            geom="SRID=4326;POINT(105.18 21.0712345)", judged_at=datetime(2020, 1, 1, tzinfo=UTC)
        )
    )
    audit.run(renewed, because="point")
    together.run(renewed, "19")
    assert blameless(renewed) == {(1, "outside"): False, (2, "outside"): False}
