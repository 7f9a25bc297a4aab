"""Rules about home, site and hamlet hit what is far, and accuse no scattered hamlet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context
from geo.rules.neighbours import NEIGHBOURS, far_from_hamlet, far_from_home, far_from_site
from geo.rules.references import Hamlets
from tests.rule_rows import sites, surveys

CONTEXT = Context(Settings())
LON, LAT = 105.8, 21.0


def moved(east_m, north_m, lon=LON, lat=LAT):
    """The point so many metres east and north of another."""
    azimuth, metres = np.degrees(np.arctan2(east_m, north_m)), np.hypot(east_m, north_m)
    return GEOD.fwd(lon, lat, azimuth, metres)[:2]


def at(east_m, north_m, **values):
    lon, lat = moved(east_m, north_m)
    return {"lon": lon, "lat": lat, "village": "Thôn Tả Lèng", "village_key": "thon ta leng"} | {
        "household_code": f"{east_m} {north_m}",
        **values,
    }


def home(metres, accuracy_m=5.0, home_accuracy_m=5.0, code="H1"):
    lon, lat = moved(metres, 0)
    return {
        "home_lon": lon,
        "home_lat": lat,
        "accuracy_m": accuracy_m,
        "home_accuracy_m": home_accuracy_m,
        "household_code": code,
    }


@pytest.mark.parametrize(("area_id", "hit"), [(1, True), (None, True), (2, False), ("two", False)])
def test_two_hamlets_of_one_name_in_a_merged_commune(area_id, hit):
    """A household 9 km off is of the other former commune's hamlet, or none knows of which."""
    there = [at(100.0 * n, 50.0 * n, area_id=1) for n in range(8)]
    others = [at(9_000.0 + n, 500.0 * n, area_id=2) for n in (1, 40)] * (area_id == "two")
    asked = at(9_000.0, 0.0, area_id=None if area_id == "two" else area_id)
    rows = surveys(*there, *others, asked)
    assert (len(rows) - 1 in far_from_hamlet(rows, CONTEXT).index) == hit


@pytest.mark.parametrize(
    ("values", "hit"),
    [
        (home(299), False),
        (home(301), True),
        (home(51_000), True),
        (home(396, accuracy_m=120.0), False),  # 5 σ: 5 / 1.515 × √(120² + 5²) = 396.4 m
        (home(397, accuracy_m=120.0), True),
        (home(299, accuracy_m=0.0), False),
        (home(390, accuracy_m=np.nan, home_accuracy_m=np.nan), True),
        ({"home_lon": np.nan, "home_lat": 21.0}, False),
        (home(400) | {"lon": np.nan, "lat": np.nan}, False),
    ],
)
def test_far_from_home_is_beyond_the_limit_and_the_errors(values, hit):
    assert far_from_home(surveys(values), CONTEXT).index.tolist() == [0] * hit


def test_evidence_of_a_far_home_is_its_distance_and_place():
    found = far_from_home(surveys(home(1000)), CONTEXT).to_dict("records")[0]
    assert found["distance_m"] == pytest.approx(1000, abs=0.1)
    assert (found["limit_m"], found["home_lon"]) == (300.0, moved(1000, 0)[0])


def test_a_point_that_many_households_share_is_nobodys_home():
    one, other = home(1000, code="H1"), home(1000, code="H2")
    assert len(far_from_home(surveys(one, other, other), CONTEXT)) == 3
    assert len(far_from_home(surveys(one, other, home(1000, code="H3")), CONTEXT)) == 0


def test_sites_are_held_against_the_home_and_surveys_against_the_site():
    assert len(far_from_home(sites(home(301), home(299)), CONTEXT)) == 1
    lon, lat = moved(0, 600)
    rows = surveys({"site_lon": lon, "site_lat": lat, "site_accuracy_m": 10.0}, {})
    found = far_from_site(rows, CONTEXT)
    assert found["distance_m"].to_dict() == {0: pytest.approx(600, abs=0.1)}


NEAR = [at(x, y) for x in (-200, 0, 200) for y in (-150, 150)]


def test_a_survey_far_from_its_hamlet_is_seen_with_its_numbers():
    found = far_from_hamlet(surveys(*NEAR, at(0, 4000)), CONTEXT)
    assert found.index.tolist() == [6]
    evidence = found.to_dict("records")[0]
    assert evidence["distance_m"] == pytest.approx(4000, abs=1)
    # Half of the six stand 150 m from the middle, half 250 m: the median is 200 m or (150 + 250)/2.
    assert evidence["spread_m"] == pytest.approx(np.median([150, 150, 250, 250, 250, 250]) / 1.1774,
                                                 rel=0.01)  # fmt: skip
    assert (evidence["limit_m"], evidence["households"]) == (1500.0, 6)
    assert evidence["village"] == "Thôn Tả Lèng"


@pytest.mark.parametrize(
    "rows",
    [
        [*NEAR[:4], at(0, 4000)],  # four others are too few to learn from
        [*NEAR, at(0, 1400)],
        [*NEAR, at(0, 4000), at(100, 4100), at(-100, 4100)],  # a cluster of its own
        [*NEAR, at(0, 4000, verdict="outside")],  # said by `outside`
        [*NEAR, at(0, 4000, village_key=None)],
        [*NEAR, at(0, 4000, commune_code="10002")],
        [*NEAR, at(0, 4000, lon=np.nan)],
        [at(x, x * 7 % 5 * 800) for x in range(-4000, 4001, 800)],  # scattered as it is
    ],
)
def test_hamlets_accuse_nobody_without_reason(rows):
    assert len(far_from_hamlet(surveys(*rows), CONTEXT)) == 0


@pytest.mark.parametrize(
    "doubtful", [{"mock_location": True}, {"accuracy_m": 500.0}, {"accuracy_m": 0.0},
                 {"verdict": "uncertain"}],
)  # fmt: skip
def test_hamlets_are_learned_from_verified_surveys_only(doubtful):
    rows = [at(x, y, **doubtful) for x in (-200, 0, 200) for y in (-150, 150)]
    assert len(far_from_hamlet(surveys(*rows, at(0, 4000)), CONTEXT)) == 0


def test_many_surveys_of_one_household_count_as_one_and_not_for_itself():
    far = [at(0, 4000, household_code="far") for _ in range(10)]
    found = far_from_hamlet(surveys(*NEAR, *far), CONTEXT)
    assert found.index.tolist() == list(range(6, 16))
    assert found["households"].unique().tolist() == [6]


@given(st.permutations(range(9)))
def test_the_order_of_rows_never_matters(order):
    rows = surveys(*NEAR, at(0, 4000), at(3000, 0), at(0, -200))
    assert set(far_from_hamlet(rows.iloc[order], CONTEXT).index) == {6, 7}


@pytest.mark.parametrize("rule", NEIGHBOURS, ids=lambda rule: rule.code)
def test_empty_frames_are_fine(rule):
    for make in (surveys, sites):
        if make is surveys or len(rule.subjects) == 2:
            assert len(rule.find(make(household_code=[]), CONTEXT)) == 0


def test_medians_leave_one_out_exactly():
    rng = np.random.default_rng(4)
    rows = surveys(*(at(*rng.normal(0, 300, 2), village_key=f"t{i % 7}") for i in range(60)))
    around = Hamlets(rows, Settings()).around(rows)
    for i in range(60):
        others = rows[(rows["village_key"] == rows["village_key"][i]) & (rows.index != i)]
        expected = others[["lon", "lat"]].median()
        assert around.loc[i, ["lon", "lat"]].tolist() == expected.tolist()
        assert around["households"][i] == len(others)


def test_frames_without_any_known_place_find_nothing():
    rows = surveys({}, {"enumerator": None, "device_id": None, "lon": np.nan, "lat": np.nan})
    assert all(len(rule.find(rows, CONTEXT)) == 0 for rule in NEIGHBOURS)
