"""Profiles accuse nobody by chance: intervals, peers that differ among themselves, many looks."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geo import areas
from geo.audit import profiles, together
from geo.audit import run as audit
from geo.errors import UsageError
from tests.test_audit import add_survey, world  # noqa: F401 - a fixture


def compared(*counts):
    n, k = zip(*counts, strict=True)
    return profiles.compare(np.array(n), np.array(k))


def test_the_interval_is_wilsons():
    # Of 10 surveys 2: 5.7 % to 51.0 %, as the formula gives by hand.
    told = compared((10, 2), (100, 0))
    assert told["low"][0] == pytest.approx(0.05668, abs=1e-5)
    assert told["high"][0] == pytest.approx(0.50984, abs=1e-5)
    other = stats.binomtest(2, 10).proportion_ci(0.95, "wilson")
    assert (told["low"][0], told["high"][0]) == pytest.approx((other.low, other.high))


def test_peers_are_all_the_others():
    told = compared((10, 2), (100, 5), (100, 3))
    assert told["peers"].tolist() == pytest.approx([8 / 200, 5 / 110, 7 / 110])


@pytest.mark.parametrize(
    ("counts", "who"),
    [
        ([(3, 3)] + [(120, 4)] * 20, []),  # three of three may be bad luck
        ([(120, 60)] + [(120, 4)] * 20, [0]),
        ([(120, 9)] + [(120, 4)] * 20, []),  # twice the peers' rate is not enough
        ([(120, 0)] * 20, []),
        ([(120, 120)] * 20, []),  # all alike: nobody stands out
        ([(120, 30), (120, 28), (120, 1), (120, 2)] * 5, []),  # peers differ as much themselves
    ],
)
def test_who_stands_out(counts, who):
    told = compared(*counts)
    assert np.flatnonzero(told["stands_out"]).tolist() == who


def test_one_alone_has_no_peers_and_does_not_stand_out():
    told = compared((50, 50))
    assert not told["stands_out"][0]
    assert np.isnan(told["peers"][0])


def test_chance_alone_names_hardly_anybody():
    """Of 1,000 provinces of 30 honest enumerators who differ a little hardly one names anybody."""
    rng = np.random.default_rng(11)
    named = 0
    for _ in range(1000):
        n = rng.integers(5, 140, 30)
        k = rng.binomial(n, rng.beta(2, 60, 30))
        named += profiles.compare(n, k)["stands_out"].any()
    assert named <= 20


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=12))
def test_any_counts_give_rates_between_the_ends_of_their_interval(pairs):
    told = compared(*((max(pair), min(pair)) for pair in pairs))
    some = told[told["surveys"] > 0]
    assert ((some["low"] <= some["rate"] + 1e-12) & (some["rate"] <= some["high"] + 1e-12)).all()
    assert told["p_adjusted"].between(0, 1).all()


def test_profiles_of_an_area_count_what_is_held_against_somebody(conn, world):  # noqa: F811
    for number in range(1, 9):
        add_survey(conn, number, 105.05 + number / 1000)
    add_survey(conn, 20, 105.15, enumerator="f", device_id="d")
    add_survey(conn, 21, 105.05, enumerator="f", accuracy_m=None)  # a remark only
    audit.run(conn)
    together.run(conn, "19")
    asked = profiles.Asked(areas.get(conn, "19"))
    told = {one["name"]: one for one in profiles.of(conn, asked)}
    assert (told["f"]["surveys"], told["f"]["doubted"], told["f"]["days"]) == (2, 1, 1)
    assert told["f"]["families"]["location"][0] == 1
    assert told["e"]["doubted"] == 0
    by_device = profiles.of(conn, profiles.Asked(areas.get(conn, "19"), by="device_id"))
    assert [one["name"] for one in by_device] == ["d"]
    later = profiles.Asked(areas.get(conn, "19"), since=date(2026, 9, 2))
    assert profiles.of(conn, later) == []
    with pytest.raises(UsageError):
        profiles.Asked(areas.get(conn, "19"), by="household_code")
