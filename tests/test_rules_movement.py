"""Rules about the way between surveys: too fast, too soon after another, too many in a day."""

from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context
from geo.rules.movement import impossible_day, too_quick, travel_speed
from tests.rule_rows import surveys

CONTEXT = Context(Settings())
START = pd.Timestamp("2026-09-01T01:00Z")
NAME = "2026-09-01 An " + sha256(b"s00").hexdigest()[:8]


def at(number, minute, km=0.0, **values):
    """The survey of household H`number`, so many minutes after eight, so far east."""
    lon, lat, _ = GEOD.fwd(105.8, 21.0, 90.0, 1000 * km)
    return {
        "survey_id": f"s{number:02}",
        "household_code": f"H{number}",
        "device_id": None,
        "surveyed_at": START + pd.Timedelta(minutes=minute),
        "lon": lon,
        "lat": lat,
    } | values


def ids(rows, found):
    return sorted(rows.loc[found.index, "survey_id"])


ROUND = [at(n, 30 * n, 0.1 * n) for n in range(5)]


@pytest.mark.parametrize(
    ("given_", "hit"),
    [
        (ROUND, []),
        ([*ROUND[:2], at(2, 60, 80), *ROUND[3:]], ["s02"]),  # one point elsewhere
        ([at(0, 0, 80), *ROUND[1:]], ["s00"]),
        ([*ROUND[:4], at(4, 120, 80)], ["s04"]),
        ([*ROUND[:2], at(2, 60, 60.5), *ROUND[3:]], ["s02"]),  # 60.4 km in half an hour
        ([*ROUND[:2], at(2, 60, 60.0), *ROUND[3:]], []),  # 119.8 km/h
        ([at(0, 0), at(1, 30, 61)], ["s00", "s01"]),  # nothing tells which of the two
        ([at(0, 0), at(1, 30, 61, verdict="outside")], ["s01"]),
        ([at(0, 0), at(1, 1, 0.1), at(2, 15, 50), at(3, 16, 50.1)], ["s01", "s02"]),
        ([at(0, 0), at(1, 1, 0.1), at(2, 15, 50, verdict="outside"), at(3, 16, 50.1)], ["s02"]),
        ([at(0, 0), at(1, 0.2, 0.9)], []),  # 270 km/h, but less than a kilometre
        ([at(0, 0), at(1, 1, 3.1, accuracy_used_m=1200.0)], []),  # 1.9 km beyond the errors
        ([at(0, 0), at(1, 1, 3.3, accuracy_used_m=1200.0)], ["s00", "s01"]),
        ([at(0, 0), at(1, 0, 2.1)], ["s00", "s01"]),  # a way takes a minute at least
        ([at(0, 0), at(1, 30, 61, enumerator="Bình")], []),
        ([at(0, 0, device_id="D"), at(1, 30, 61, enumerator="Bình", device_id="D")],
         ["s00", "s01"]),
        ([at(0, 0, device_id="D"), at(1, 30, 61, device_id="E")], ["s00", "s01"]),
        # One name, two devices, two communes: two people.
        ([at(0, 0, device_id="D"), at(1, 30, 61, device_id="E", commune_code="10002")], []),
        ([at(0, 0, enumerator=None), at(1, 30, 61, enumerator=None)], []),
        ([at(0, 0), at(1, 30, np.nan)], []),
        # A day without an hour, here or in UTC.
        ([at(0, -480, 0), at(1, -480, 61)], []),
        ([at(0, -60, 0), at(1, -60, 61)], []),
        ([at(0, 24 * 60, 0), at(1, 30, 61)], []),  # another day
    ],
)  # fmt: skip
def test_a_way_that_nobody_goes(given_, hit):
    rows = surveys(*given_)
    assert ids(rows, travel_speed(rows, CONTEXT)) == hit


def test_evidence_of_a_way_tells_the_speed_and_the_other_survey():
    rows = surveys(*ROUND[:2], at(2, 60, 80.1), *ROUND[3:])
    found = travel_speed(rows, CONTEXT)
    assert found.loc[2].to_dict() == {
        "speed_kmh": 160.0,  # (80 km − 2 · 5 m) in half an hour
        "distance_m": pytest.approx(80_000, abs=1),
        "apart_s": 1800.0,
        "other_survey": "s01",
        "other_at": START + pd.Timedelta(minutes=30),
        "other_commune": "10001",
        "group": NAME,
    }


def between(places, minutes=30):
    """One name without a device, now in one commune and now in another, 61 km away."""
    return surveys(
        *(
            at(n, minutes * n, 61 * place + 0.1 * n, commune_code=f"1000{place}")
            for n, place in enumerate(places)
        )
    )


@pytest.mark.parametrize(
    ("places", "hit"),
    [
        ("010101", False),  # two people of one name
        ("0011", True),  # gone over once, at the same speed
        ("0100", True),  # one survey is no second person
    ],
)
def test_a_name_in_two_communes_by_turns_is_two_people(places, hit):
    rows = between([int(place) for place in places])
    assert travel_speed(rows, CONTEXT).empty != hit


def test_what_one_name_cannot_have_gone_on_a_day_is_one_case():
    found = travel_speed(between([0, 1, 2, 3, 4]), CONTEXT)
    assert len(found) == 5
    assert found["group"].nunique() == 1


QUICK = [at(n, 30 * (n // 4) + 2.5 * (n % 4)) for n in range(4)]


@pytest.mark.parametrize(
    ("given_", "hit"),
    [
        (ROUND, []),
        ([at(0, 0), at(1, 4)], []),  # both were talked to together
        ([at(0, 0), at(1, 2.5)], []),  # once is no habit
        ([at(0, 0), at(1, 2.5), at(2, 30), at(3, 32.5)], []),
        (QUICK, ["s01", "s02", "s03"]),
        ([at(0, 0), at(1, 1.4)], ["s01"]),  # less than half the limit
        ([at(0, 0), at(1, 1.5)], []),
        ([at(0, 0), at(1, 0)], ["s01"]),
        ([at(0, 0), at(1, 1, household_code="H0")], []),
        ([at(0, 0), at(1, 1, enumerator="Bình")], []),
        ([at(0, 0, device_id="D"), at(1, 1, enumerator="Bình", device_id="D")], ["s01"]),
        ([at(0, -480), at(1, -480)], []),  # days without hours
    ],
)
def test_surveys_that_follow_too_quickly(given_, hit):
    rows = surveys(*given_)
    assert ids(rows, too_quick(rows, CONTEXT)) == hit


def test_evidence_of_too_quick():
    found = too_quick(surveys(*QUICK), CONTEXT)
    assert found.iloc[0].to_dict() == {
        "apart_s": 150.0,
        "times": 3,
        "other_survey": "s00",
        "other_commune": "10001",
        "group": NAME,
    }


@pytest.mark.parametrize(
    ("households", "values", "hits"),
    [
        (40, {}, 0),
        (41, {}, 41),
        (41, {"enumerator": None}, 0),
        (41, {"household_code": "H1"}, 0),
        (41, {"surveyed_at": lambda n: START + pd.Timedelta(hours=n)}, 0),  # over two days
        (60, {"device_id": lambda n: f"D{n % 2}"}, 60),
        # Two people of one name, in a commune each.
        (60, {"device_id": lambda n: f"D{n % 2}", "commune_code": lambda n: f"1000{n % 2}"}, 0),
        (60, {"device_id": "D", "enumerator": lambda n: f"E{n % 2}"}, 60),
    ],
)
def test_more_households_a_day_than_anybody_visits(households, values, hits):
    rows = surveys(
        *(
            at(n, 10 * n) | {name: v(n) if callable(v) else v for name, v in values.items()}
            for n in range(households)
        )
    )
    assert len(impossible_day(rows, CONTEXT)) == hits


def test_evidence_of_an_impossible_day():
    found = impossible_day(surveys(*(at(n, 10 * n) for n in range(45))), CONTEXT)
    assert found.iloc[0].to_dict() == {
        "households": 45,
        "limit": 40,
        "day_on": "2026-09-01",
        "group": NAME,
    }
    assert found["group"].nunique() == 1


MIXED = surveys(
    *ROUND[:2],
    at(2, 60, 80),
    *ROUND[3:],
    *(at(10 + n, 0.5 * n, enumerator="Bình") for n in range(41)),
)
FOUND = {
    rule: rule(MIXED, CONTEXT).sort_index() for rule in (travel_speed, too_quick, impossible_day)
}


@settings(max_examples=5)
@given(st.permutations(range(len(MIXED))))
def test_order_of_rows_does_not_matter(order):
    for rule, expected in FOUND.items():
        assert len(expected)
        found = rule(MIXED.iloc[order], CONTEXT).sort_index()
        pd.testing.assert_frame_equal(found, expected)
