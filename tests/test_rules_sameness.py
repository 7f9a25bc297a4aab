"""Rules about one point for several households: the same, nearly so, many from one spot."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context
from geo.rules.nearness import same_point_near
from geo.rules.sameness import same_fix, same_point_exact, same_point_others
from geo.rules.spots import one_spot, one_spot_tight
from tests.rule_rows import sites, surveys

CONTEXT = Context(Settings())
LON, LAT = 105.8123457, 21.0123457


def at(number, east_m=0.0, north_m=0.0, **values):
    """The survey of household H`number`, so many metres east and north of LON, LAT."""
    azimuth, metres = np.degrees(np.arctan2(east_m, north_m)), np.hypot(east_m, north_m)
    lon, lat, _ = GEOD.fwd(LON, LAT, azimuth, metres)
    own = {"survey_id": f"s{number}", "household_code": f"H{number}", "device_id": None}
    return own | {"lon": lon, "lat": lat} | values


def home(east_m, north_m=0.0):
    placed = at(0, east_m, north_m)
    return {"home_lon": placed["lon"], "home_lat": placed["lat"], "home_accuracy_m": 5.0}


def same(number, minute=None, **values):
    """The survey of household H`number` at LON, LAT, two hours after the one before."""
    minutes = 120 * number if minute is None else minute
    time = pd.Timestamp("2026-09-01T01:00Z") + pd.Timedelta(minutes=minutes)
    return at(number) | {"lon": LON, "lat": LAT, "surveyed_at": time} | values


def ids(rows, found):
    return sorted(rows.loc[found.index, "survey_id"])


@pytest.mark.parametrize(
    ("given_", "exact", "others"),
    [
        ([same(1), same(2)], ["s1", "s2"], []),
        ([same(1), same(2, lat=LAT + 1e-7)], [], []),
        ([same(1), same(2, household_code="H1")], [], []),  # the same household again
        ([same(1), same(2, household_code="H1", commune_code="10002")], ["s1", "s2"], []),
        ([same(1), same(2, enumerator="Bình")], [], ["s1", "s2"]),
        ([same(1), same(2), same(3, enumerator="Bình")], ["s1", "s2"], ["s3"]),
        ([same(1, device_id="D"), same(2, enumerator="Bình", device_id="D")], ["s1", "s2"], []),
        ([same(1, enumerator=None), same(2, enumerator=None)], [], ["s1", "s2"]),
        ([same(1, lon=np.nan), same(2, lon=np.nan)], [], []),
        ([same(1, lon=105.8123), same(2, lon=105.8123)], ["s1", "s2"], []),
        ([same(n, lon=105.8123, lat=21.0123) for n in (1, 2)], [], []),  # rounded to 11 m
    ],
)
def test_the_same_point_of_several_households(given_, exact, others):
    rows = surveys(*given_)
    assert ids(rows, same_point_exact(rows, CONTEXT)) == exact
    assert ids(rows, same_point_others(rows, CONTEXT)) == others


@pytest.mark.parametrize(
    ("given_", "one_fix"),
    [
        ([same(1, 0), same(2, 60)], True),
        ([same(1, 0), same(2, 61)], False),
        ([same(1, 0), same(2, 60, accuracy_m=6.0)], False),  # another fix
        ([same(n, 0, accuracy_m=np.nan) for n in (1, 2)], True),
        ([same(1, 0), same(2, 20), same(3, 40)], False),
        ([same(1, 0), same(2, 20), same(3, 40, enumerator="Bình")], False),
        ([same(1, 0, **home(0)), same(2, 20, **home(40))], True),
        ([same(1, 0, **home(0)), same(2, 20, **home(70))], False),  # 50 m + 2 · 4.7 m
        ([same(1, 0, **home(0)), same(2, 20)], True),
    ],
)
def test_one_fix_that_a_device_gave_for_two_households(given_, one_fix):
    rows = surveys(*given_)
    assert ids(rows, same_fix(rows, CONTEXT)) == ["s1", "s2"] * one_fix
    assert same_point_exact(rows, CONTEXT).empty == one_fix
    assert set(same_fix(rows, CONTEXT).get("apart_s", ())) <= {3600.0, 1200.0, 0.0}


def test_a_default_name_of_devices_is_no_device():
    rows = surveys(*(same(n, enumerator=f"E{n}", device_id="android") for n in range(6)))
    assert same_point_exact(rows, CONTEXT).empty
    assert len(same_point_others(rows, CONTEXT)) == 6


def test_evidence_of_the_same_point_tells_how_many_and_names_another():
    rows = surveys(same(1), same(2), same(3), same(4, household_code="H3"), at(5, 30))
    found = same_point_exact(rows, CONTEXT)
    assert found.loc[0].to_dict() == {
        "households": 3,
        "surveys": 4,
        "point_lon": LON,
        "point_lat": LAT,
        "other": "s2",
        "other_commune": "10001",
        "group": "105.8123457 21.0123457",
    }
    assert found["other"].tolist() == ["s2", "s1", "s1", "s1"]


def test_sites_of_several_households_at_the_same_point():
    place = {"lon": LON, "lat": LAT}
    rows = sites(
        {"site_code": "S1", "household_code": "H1"} | place,
        {"site_code": "S2", "household_code": "H2"} | place,
        {"site_code": "S3", "household_code": "H2", "lon": LON, "lat": LAT + 0.01},
        {"site_code": "S4", "household_code": "H2", "lon": LON, "lat": LAT + 0.01},
    )
    assert rows.loc[same_point_others(rows, CONTEXT).index, "site_code"].tolist() == ["S1", "S2"]


TRIPLE = [at(1), at(2, 1.0), at(3, 0.0, 1.2)]
ROOF = [at(1), at(2, 3.5), at(3, 0.0, 4.0)]  # three families, accuracies of 5 m


@pytest.mark.parametrize(
    ("given_", "hit"),
    [
        (TRIPLE, ["s1", "s2", "s3"]),
        (TRIPLE[:2], []),  # two families may share a roof
        (ROOF, []),
        ([row | {"accuracy_m": 0.5} for row in TRIPLE], []),  # so good a fix tells them apart
        ([row | {"enumerator": row["survey_id"]} for row in TRIPLE], []),
        ([row | {"enumerator": row["survey_id"], "device_id": "D"} for row in TRIPLE],
         ["s1", "s2", "s3"]),
        ([row | {"household_code": "H1"} for row in TRIPLE], []),
        ([row | {"lon": 105.8123, "lat": 21.0123} for row in TRIPLE], []),
        ([*TRIPLE, *(at(10 + n, 20 * n) for n in range(-2, 3) if n)], ["s1", "s2", "s3"]),
    ],
)  # fmt: skip
def test_points_nearer_than_chance(given_, hit):
    rows = surveys(*given_)
    assert ids(rows, same_point_near(rows, CONTEXT)) == hit


def test_houses_of_a_dense_quarter_are_no_near_duplicates():
    rng = np.random.default_rng(4)
    grid = [(8.0 * east, 8.0 * north) for east in range(20) for north in range(20)]
    rows = surveys(
        *(at(n, x + dx, y + dy) for n, ((x, y), (dx, dy)) in
          enumerate(zip(grid, rng.normal(0, 5 / 1.515, (400, 2)), strict=True)))
    )  # fmt: skip
    assert len(same_point_near(rows, CONTEXT)) <= 4  # 1 %


def test_two_near_points_are_enough_where_the_households_live_apart():
    near = [at(1, **home(0)), at(2, 1.0, **home(90))]
    assert len(same_point_near(surveys(*near), CONTEXT)) == 2
    next_door = [at(1, **home(0)), at(2, 1.0, **home(40))]
    assert same_point_near(surveys(*next_door), CONTEXT).empty


def test_evidence_of_near_points():
    rows = surveys(*TRIPLE, at(4, 0.0, 500))
    found = same_point_near(rows, CONTEXT)
    assert found.loc[0].to_dict() == {
        "households": 3,
        "distance_m": 1.0,
        "accuracy_m": 5.0,
        "other": "s2",
        "other_commune": "10001",
        "group": "s1",
    }
    assert found["group"].tolist() == ["s1", "s1", "s1"]


def spot(households=8, apart_m=1.0, **values):
    """Surveys of one morning, a household after another, `apart_m` from each other."""
    start = pd.Timestamp("2026-09-01T01:00Z")
    return [
        at(n, apart_m * n, survey_id=f"s{n:02}", surveyed_at=start + pd.Timedelta(minutes=15 * n))
        | {name: value(n) if callable(value) else value for name, value in values.items()}
        for n in range(households)
    ]


@pytest.mark.parametrize(
    ("given_", "hits"),
    [
        (spot(8), 8),
        (spot(7), 0),
        (spot(8, household_code="H1"), 0),
        (spot(8, apart_m=8.0), 0),  # a row of houses
        (spot(8, enumerator=lambda n: f"E{n % 2}"), 0),
        (spot(8, enumerator=lambda n: f"E{n % 2}", device_id="D"), 8),
        (spot(8, surveyed_at=lambda n: pd.Timestamp("2026-09-01T01:00Z") + pd.Timedelta(days=n)),
         0),
        (spot(8, 6.0, village_key=lambda n: f"thon {n % 3}"), 8),
        (spot(8, 6.0, village_key=lambda n: f"thon {n % 2}"), 0),
        (spot(8, lon=LON, lat=LAT), 8),
        (spot(8, lat=np.nan), 0),
    ],
)  # fmt: skip
def test_many_households_from_one_spot(given_, hits):
    rows = surveys(*given_)
    told, tight = one_spot(rows, CONTEXT), one_spot_tight(rows, CONTEXT)
    assert len(told) + len(tight) == hits
    # Without homes or hamlets elsewhere it is a remark.
    assert bool(len(told)) == (rows["village_key"].nunique() == 3)


def test_who_lives_at_the_spot_is_not_held_against_the_others():
    apart = [row | home(400.0 * n) for n, row in enumerate(spot(9))]
    rows = surveys(*apart)
    found = one_spot(rows, CONTEXT)
    assert ids(rows, found) == [f"s{n:02}" for n in range(1, 9)]
    assert found.iloc[0].to_dict() == {
        "households": 9,
        "elsewhere": 8,
        "hamlets": 0,
        "spread_m": 2.6,  # √(2 · (1² + 2² + 3² + 4²) / 9)
        "day_on": "2026-09-01",
        "group": "s00",
    }
    together = [row | home(10.0 * n) for n, row in enumerate(spot(9))]
    assert one_spot(surveys(*together), CONTEXT).empty


@pytest.mark.parametrize("rule", [same_point_exact, same_point_near, one_spot_tight])
def test_a_crowd_at_one_place_is_no_burden(rule):
    number = 20_000
    rng = np.random.default_rng(5)
    crowd = surveys(
        survey_id=[f"s{n:05}" for n in range(number)],
        household_code=[f"H{n}" for n in range(number)],
        lon=list(LON + rng.normal(0, 1e-6, number).round(7)),  # some at the same point, some near
        lat=[LAT] * number,
    )
    assert len(rule(crowd, CONTEXT)) > 0  # the time limit of the suite ends what is quadratic


MIXED = surveys(
    *spot(9),
    *(same(20), same(21), same(22, enumerator="Bình")),
    *(same(n, n, lon=LON + 1) for n in (40, 41)),
    *(at(30 + n, 500 + n) for n in range(3)),
)
FOUND = {
    rule: rule(MIXED, CONTEXT).sort_index()
    for rule in (same_point_exact, same_fix, same_point_others, same_point_near, one_spot_tight)
}


@settings(max_examples=5)
@given(st.permutations(range(len(MIXED))))
def test_order_of_rows_does_not_matter(order):
    turned = MIXED.iloc[order]
    for rule, expected in FOUND.items():
        assert len(expected)
        pd.testing.assert_frame_equal(rule(turned, CONTEXT).sort_index(), expected)
