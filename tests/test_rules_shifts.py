"""Shifts are found by point and by device, and VN-2000 is told from other ones."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context
from geo.rules.shifts import SHIFTS, shifted_device, vn2000_as_wgs84
from geo.verdicts.matching import AreaShapes
from tests.rule_rows import surveys

LON, LAT = 105.8, 21.05
SHAPES = AreaShapes(
    ("10001",),
    np.array([shapely.box(LON - 0.001, 21.0, 105.9, 21.1)]),
    np.full(1, 10.0),
    np.ones(1, np.int64),
)
CONTEXT = Context(Settings(), SHAPES)
TO_VN2000 = Transformer.from_crs(4326, 4756, always_xy=True)


def moved(lon, lat, east_m, north_m):
    azimuth = np.degrees(np.arctan2(east_m, north_m))
    return GEOD.fwd(lon, lat, azimuth, np.hypot(east_m, north_m))[:2]


def visit(number, shift=None, error=(0.0, 0.0), home=True, **values):
    """A survey at a household's home, off by `shift` (metres) or, without it, by VN-2000."""
    lon, lat = LON + number % 10 / 500, LAT + number // 10 / 500
    at = TO_VN2000.transform(lon, lat) if shift is None else moved(lon, lat, *shift)
    at = moved(*at, *error)
    known = {"home_lon": lon, "home_lat": lat, "home_accuracy_m": 5.0} if home else {}
    given = {"lon": at[0], "lat": at[1], "household_code": f"H{number}"}
    return given | known | values


def errors(number, sigma_m, seed=3):
    return np.random.default_rng(seed).normal(0, sigma_m, (number, 2))


def test_one_point_is_told_from_the_known_home_and_repaired():
    row = visit(0, verdict="outside")
    found = vn2000_as_wgs84(surveys(row, visit(1, (0, 0))), CONTEXT).to_dict("index")
    assert list(found) == [0]
    assert GEOD.inv(found[0]["repaired_lon"], found[0]["repaired_lat"], LON, LAT)[2] < 0.01
    assert (found[0]["repaired_verdict"], found[0]["how"]) == ("inside", "VN-2000 → WGS 84")
    assert found[0]["repaired_probability"] == pytest.approx(1.0)
    assert found[0]["repaired_distance_m"] == pytest.approx(104, abs=1)  # 0.001° at 21.05° N


def test_the_site_serves_where_no_home_is_known():
    row = visit(0, home=False) | {"site_lon": LON, "site_lat": LAT, "site_accuracy_m": 8.0}
    assert len(vn2000_as_wgs84(surveys(row), CONTEXT)) == 1


@pytest.mark.parametrize(
    "row",
    [
        visit(0, (0, 0)),
        visit(0, (195, -110)),  # the opposite way
        visit(0, (-195, 0)),
        visit(0, (-400, 220)),
        visit(0, home=False),
        visit(0, accuracy_m=100.0),  # 224 m are 3 σ only
        visit(0) | {"lon": np.nan},
    ],
)
def test_other_vectors_and_unsure_ones_are_not_vn2000(row):
    assert len(vn2000_as_wgs84(surveys(row), CONTEXT)) == 0


@settings(max_examples=20)
@given(lon=st.floats(102.2, 109.5), lat=st.floats(8.5, 23.3))
def test_the_repair_undoes_the_datum_to_a_centimetre_everywhere(lon, lat):
    at = TO_VN2000.transform(lon, lat)
    known = {"home_lon": lon, "home_lat": lat, "home_accuracy_m": 5.0}
    found = vn2000_as_wgs84(surveys({"lon": at[0], "lat": at[1]} | known), CONTEXT)
    assert GEOD.inv(*found.loc[0, ["repaired_lon", "repaired_lat"]], lon, lat)[2] < 0.01


def test_a_device_in_vn2000_is_found_with_its_rows_that_have_no_home():
    rows = surveys(
        *(visit(i, error=e, device_id="A") for i, e in enumerate(errors(10, 8))),
        visit(10, home=False, device_id="A"),
        *(visit(i, (0, 0), e, device_id="B") for i, e in enumerate(errors(10, 8), 20)),
    )
    found = shifted_device(rows, CONTEXT)
    assert found.index.tolist() == list(range(11))
    assert set(found["group"]) == {"A"}
    assert set(found["how"]) == {"VN-2000 → WGS 84"}
    first = found.iloc[0]
    assert first["shift_m"] == pytest.approx(224, abs=10)
    assert (first["east_m"], first["north_m"]) == pytest.approx((195.7, -109.1), abs=10)
    assert first["households"] == 10
    last = found.loc[10, ["repaired_lon", "repaired_lat"]]
    assert GEOD.inv(*last, LON, LAT + 0.002)[2] < 0.01


def test_another_shift_is_told_without_a_repair_and_by_enumerator_where_no_device_is_known():
    rows = surveys(*(visit(i, (60, 80), e, device_id=None, enumerator="Bình")
                     for i, e in enumerate(errors(12, 5))))  # fmt: skip
    found = shifted_device(rows, CONTEXT)
    assert len(found) == 12
    assert set(found["group"]) == {"Bình"}
    assert found["how"].isna().all()
    assert found["repaired_lon"].isna().all()
    assert found["shift_m"].iloc[0] == pytest.approx(100, abs=8)


def test_a_point_of_the_device_that_is_right_is_left_out():
    rows = surveys(*(visit(i) for i in range(9)), visit(9, (0, 0)))
    assert shifted_device(rows, CONTEXT).index.tolist() == list(range(9))


@pytest.mark.parametrize(
    "rows",
    [
        [visit(i) for i in range(7)],  # too few
        [visit(1, survey_id=f"s{i}") for i in range(20)],  # one household, often
        [visit(i, (20, 20)) for i in range(20)],  # too small
        [visit(i, tuple(e)) for i, e in enumerate(errors(20, 300))],  # no constant vector
        [visit(i, (1800, 0), e) for i, e in enumerate(errors(12, 150))],  # an office, to each house
        [visit(i, home=False) for i in range(20)],
        [visit(i, device_id=None, enumerator=None) for i in range(20)],
    ],
)
def test_few_small_or_scattered_shifts_accuse_nobody(rows):
    assert len(shifted_device(surveys(*rows), CONTEXT)) == 0


@pytest.mark.parametrize("rule", SHIFTS, ids=lambda rule: rule.code)
def test_empty_frames_and_missing_polygons_are_fine(rule):
    assert len(rule.find(surveys(household_code=[]), CONTEXT)) == 0
    rows = surveys(*(visit(i) for i in range(8)))
    found = rule.find(rows, Context(Settings()))
    assert found["repaired_verdict"].isna().all()
    assert len(found) == 8


@settings(max_examples=5)
@given(st.permutations(range(12)))
def test_the_order_of_rows_never_matters(order):
    rows = surveys(*(visit(i, error=e) for i, e in enumerate(errors(12, 20))))
    found = shifted_device(rows.iloc[order], CONTEXT)
    assert found.sort_index().equals(shifted_device(rows, CONTEXT))
