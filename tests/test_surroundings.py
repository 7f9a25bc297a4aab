"""What lies around a doubted point: distances by hand, other households only, nothing elsewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from geoalchemy2 import WKTElement
from sqlalchemy import Connection, insert, update

from geo.audit import surroundings
from geo.scope import Scope
from geo.tables import household, survey
from tests import page_data
from tests.page_data import INSIDE, OUTSIDE, UNCERTAIN, WHEN

# A degree of latitude at 21° on WGS 84 is 110,713 m (radius of curvature of the meridian).
METRES_PER_DEGREE = 110_713.0
NEAR = "00000000-0000-4000-8000-0000000000a1"
FAR = "00000000-0000-4000-8000-0000000000a2"
NEXT_DOOR = "00000000-0000-4000-8000-0000000000a3"


@pytest.fixture
def world(conn: Connection) -> Connection:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return conn


def row(**changed: object) -> dict[str, object]:
    """The survey OUTSIDE, of household H0, as the queue tells of it."""
    return {
        **page_data.KEY, "subject": "survey", "subject_id": OUTSIDE, "household_code": "H0",
        "enumerator": "E", "happened_at": WHEN, "lon": 105.15, "lat": 21.05, **changed,
    }  # fmt: skip


def add(
    conn: Connection, survey_id: str, lat: float, commune: str = "05001", minutes: int = 0
) -> None:
    """A survey of household H5 south or north of OUTSIDE's point."""
    conn.execute(
        insert(survey).values(
            province_code="19", commune_code=commune, survey_id=survey_id, household_code="H5",
            surveyed_at=WHEN + timedelta(minutes=minutes), enumerator="E", content_hash="x",
            verdict="inside", geom=WKTElement(f"POINT(105.15 {lat})", srid=4326),
            cell=page_data.cell(105.15, lat),
        )
    )  # fmt: skip


def test_neighbours_are_other_households_near_by_with_their_distance(world: Connection) -> None:
    add(world, NEAR, 21.051)
    add(world, FAR, 21.06)
    (found,) = surroundings.neighbours(world, row())
    assert found["survey_id"] == NEAR and found["hamlet"] is False
    assert found["apart_m"] == pytest.approx(0.001 * METRES_PER_DEGREE, rel=1e-4)


def test_the_hamlet_s_surveys_are_neighbours_however_far(world: Connection) -> None:
    codes = ("H0", "H1", "H2")
    world.execute(
        update(household).where(household.c.household_code.in_(codes)).values(village="Thôn 1")
    )
    found = surroundings.neighbours(world, row())
    assert [one["survey_id"] for one in found] == [UNCERTAIN, INSIDE]
    assert all(one["hamlet"] for one in found)
    nowhere = surroundings.neighbours(world, row(lon=None, lat=None))
    assert {one["survey_id"] for one in nowhere} == {UNCERTAIN, INSIDE}
    assert all(one["apart_m"] is None for one in nowhere)


def test_a_household_s_other_points_are_its_own(world: Connection) -> None:
    world.execute(
        update(household)
        .where(household.c.household_code == "H0")
        .values(geom=WKTElement("POINT(105.15 21.06)", srid=4326))
    )
    (found,) = surroundings.own_points(world, row())
    assert (found["kind"], found["key"]) == ("household", "H0")
    assert found["apart_m"] == pytest.approx(0.01 * METRES_PER_DEGREE, rel=1e-4)
    assert surroundings.own_points(world, row(household_code="H3")) == []


def test_the_route_of_the_day_tells_metres_and_seconds_between_its_stops(
    world: Connection,
) -> None:
    add(world, NEAR, 21.051, minutes=-30)
    add(world, FAR, 21.061, minutes=10)
    add(world, NEXT_DOOR, 21.07, minutes=24 * 60)
    stops = surroundings.route_of_day(world, row())
    assert [one["survey_id"] for one in stops] == [NEAR, FAR]
    assert (stops[0]["metres"], stops[0]["seconds"]) == (None, None)
    assert stops[1]["seconds"] == 40 * 60
    assert stops[1]["metres"] == pytest.approx(0.01 * METRES_PER_DEGREE, rel=1e-4)
    for unknown in ({"enumerator": None}, {"enumerator": ""}, {"happened_at": None}):
        assert surroundings.route_of_day(world, row(**unknown)) == []


def test_nothing_of_other_areas_lies_around(world: Connection, acting: Callable) -> None:
    page_data.add_household(world, "H5", "05002")
    add(world, NEXT_DOOR, 21.051, commune="05002")
    assert len(surroundings.neighbours(world, row())) == 1
    with acting(Scope(communes=frozenset({"05001"}), action="records.read")) as conn:
        assert surroundings.neighbours(conn, row()) == []
        assert surroundings.route_of_day(conn, row()) == []
