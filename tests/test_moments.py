"""Days and moments of `since` and `until`: days of Viet Nam, both included; moments exactly."""

from datetime import UTC, date, datetime

import pytest

from geo import findings, households, sites, surveys
from geo.errors import UsageError
from tests import records_world as world
from tests.records_world import add_finding, add_household, add_site, add_survey

LATE = datetime(2025, 9, 10, 16, 59, 59, tzinfo=UTC)  # one second before midnight in Viet Nam
MIDNIGHT = datetime(2025, 9, 10, 17, 0, tzinfo=UTC)

CASES = [
    ({"since": date(2025, 9, 10), "until": date(2025, 9, 10)}, ["late"]),
    ({"since": date(2025, 9, 11)}, ["midnight"]),
    ({"until": date(2025, 9, 11)}, ["late", "midnight"]),
    ({"until": date(2025, 9, 9)}, []),
    ({"since": MIDNIGHT}, ["midnight"]),
    ({"until": LATE}, ["late"]),
    ({"since": datetime(2025, 9, 11, 0, 0)}, ["midnight"]),  # without a zone: Viet Nam's
    ({"since": LATE, "until": MIDNIGHT}, ["late", "midnight"]),
]


@pytest.fixture
def stored(conn):
    """Of each kind of record one of the last second of a day, and one of the next day's first."""
    world.build(conn)
    when = {"late": LATE, "midnight": MIDNIGHT}
    codes = {name: add_household(conn, received_at=at) for name, at in when.items()}
    visits = {name: add_survey(conn, codes[name], surveyed_at=at) for name, at in when.items()}
    for visit in visits.values():
        add_finding(conn, visit, "outside")
    return {
        households: (codes, "household_code"),
        surveys: (visits, "survey_id"),
        findings: (visits, "survey_id"),
        sites: (
            {name: add_site(conn, codes[name], received_at=at) for name, at in when.items()},
            "site_code",
        ),
    }


@pytest.mark.parametrize("noun", [households, surveys, sites, findings], ids=lambda n: n.__name__)
@pytest.mark.parametrize(("asked", "expected"), CASES)
def test_listing_keeps_to_days_and_moments(conn, stored, noun, asked, expected):
    ids, key = stored[noun]
    more = {"order": "id"} if noun is surveys else {}
    found = noun.listing(conn, world.country(conn), **asked, **more)
    assert {str(row[key]) for row in found.items} == {ids[name] for name in expected}


@pytest.mark.parametrize("asked", [{"since": date.min}, {"since": datetime(1, 1, 1)}])
def test_time_beyond_the_calendar_is_refused(conn, stored, asked):
    with pytest.raises(UsageError, match="beyond the years 1 to 9999"):
        surveys.listing(conn, world.country(conn), **asked)


def test_surveys_of_one_enumerator_and_sites_that_a_rule_doubts(conn, stored):
    country = world.country(conn)
    code = add_household(conn)
    mine = add_survey(conn, code, enumerator="Lò Thị Mây")
    found = surveys.listing(conn, country, enumerator="Lò Thị Mây", order="id")
    assert [row["survey_id"] for row in found.items] == [mine]
    doubted = add_site(conn, code)
    add_finding(conn, doubted, "far_from_home", subject="site")
    found = sites.listing(conn, country, rule="far_from_home")
    assert [row["site_code"] for row in found.items] == [doubted]
