"""Centres, public places and coarse coordinates are seen; who lives beside one is not accused."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context
from geo.rules.places import PLACES, coarse_coordinates, commune_centre, known_place
from geo.verdicts.matching import AreaShapes
from tests.rule_rows import sites, surveys

LON, LAT = 105.8123456, 21.0345678
BENT = shapely.union(
    shapely.box(105.0, 21.0, 105.3, 21.01), shapely.box(105.0, 21.0, 105.01, 21.3)
)  # its centroid lies outside
SHAPES = AreaShapes(
    ("10001", "10002"),
    np.array([shapely.box(105.7, 21.0, 105.9, 21.1), BENT]),
    np.full(2, 10.0),
    np.ones(2, np.int64),
)
CENTRES = pd.DataFrame({"commune_code": ["10001"], "lon": [LON], "lat": [LAT]})
PLACE = {"name": "UBND xã", "kind": "office", "lon": LON, "lat": LAT, "radius_m": 50.0}
OFFICE = pd.DataFrame([PLACE])


def context(**more):
    return Context(Settings(), **more)


def at(east_m, code="H1", **values):
    lon, lat, _ = GEOD.fwd(LON, LAT, 90, east_m)
    return {"lon": lon, "lat": lat, "household_code": code} | values


@pytest.mark.parametrize(
    ("lon", "lat", "decimals"),
    [
        (105.0, 21.0, 0),
        (105.8, 21.04, 2),
        (105.123, 21.1, 3),
        (105.1234, 21.1, None),
        (105.123, 21.123456, None),
        (105.12300004, 21.1, None),
        (np.nan, 21.1, None),
    ],
)
def test_few_decimals_in_both_are_coarse(lon, lat, decimals):
    found = coarse_coordinates(surveys({"lon": lon, "lat": lat}), context())
    assert found["decimals"].tolist() == [decimals] * (decimals is not None)


def test_the_grid_of_coarse_coordinates_is_told():
    found = coarse_coordinates(sites({"lon": 105.123, "lat": 21.1}), context())
    assert found["grid_m"].tolist() == [pytest.approx(110.72, abs=0.01)]


@given(st.decimals(102, 118, places=3), st.decimals(6, 24, places=3))
def test_coordinates_written_with_three_decimals_are_always_seen(lon, lat):
    row = surveys({"lon": float(lon), "lat": float(lat)})
    expected = max(-value.normalize().as_tuple().exponent for value in (lon, lat))
    assert coarse_coordinates(row, context())["decimals"].tolist() == [max(expected, 0)]


def test_points_at_the_centre_of_the_gazetteer_share_a_case():
    rows = surveys(at(0), at(2, "H2"), at(2.5, "H2"), at(3.5, "H3"), {"lon": np.nan})
    found = commune_centre(rows, context(centres=CENTRES))
    assert found.index.tolist() == [0, 1, 2]
    assert found["distance_m"].tolist() == pytest.approx([0, 2, 2.5], abs=0.01)
    assert found["households"].tolist() == [2, 2, 2]
    assert found["group"].tolist() == ["10001"] * 3


def test_a_centre_copied_with_four_decimals_is_seen():
    rows = surveys({"lon": round(LON, 4), "lat": round(LAT, 4)}, {"lon": LON, "lat": LAT + 0.00005})
    found = commune_centre(rows, context(centres=CENTRES))
    assert found["limit_m"].to_dict() == {0: pytest.approx(10.9)}


def test_the_middle_of_the_polygon_counts_and_its_label_where_that_lies_outside():
    label = shapely.point_on_surface(BENT)
    rows = surveys(
        {"lon": 105.8, "lat": 21.05},
        {"lon": label.x, "lat": label.y, "recorded_code": "10002", "located_code": None},
        {"lon": BENT.centroid.x, "lat": BENT.centroid.y, "recorded_code": "10002"},
    )
    found = commune_centre(rows, context(shapes=SHAPES))
    assert found["area_code"].to_dict() == {0: "10001", 1: "10002"}


def test_several_households_at_a_public_place_are_seen():
    rows = surveys(at(0), at(49, "H2"), at(51, "H3"))
    found = known_place(rows, context(places=OFFICE))
    assert found.index.tolist() == [0, 1]
    assert found["households"].tolist() == [2, 2]
    assert found["place"].tolist() == ["UBND xã"] * 2
    assert found["group"].nunique() == 1


def test_one_household_beside_a_public_place_lives_there():
    rows = surveys(at(0), at(10), at(20, survey_id="again"))
    assert len(known_place(rows, context(places=OFFICE))) == 0


def test_who_is_known_to_live_beside_it_is_left_out_and_not_counted():
    home = {"home_lon": LON, "home_lat": LAT, "home_accuracy_m": 5.0}
    rows = surveys(at(0) | home, at(10, "H2"))
    assert len(known_place(rows, context(places=OFFICE))) == 0
    rows = surveys(at(0) | home, at(10, "H2"), at(20, "H3"))
    assert known_place(rows, context(places=OFFICE))["households"].to_dict() == {1: 2, 2: 2}


@pytest.mark.parametrize(("around", "hit"), [(0, True), (3, True), (4, False), (12, False)])
def test_a_place_in_a_quarter_as_dense_does_not_stand_out(around, hit):
    # Two at the place; the ring to 100 m is three times as large, so four are two thirds of that.
    ring = [at(60 + i, f"R{i}") for i in range(around)]
    found = known_place(surveys(at(0), at(10, "H2"), *ring), context(places=OFFICE))
    assert found["around"].tolist() == [around] * (2 * hit)


def test_a_point_belongs_to_the_nearest_of_several_places():
    other = PLACE | {"name": "Chợ", "lon": at(40)["lon"]}
    rows = surveys(at(15), at(16, "H2"), at(30, "H3"), at(31, "H4"))
    found = known_place(rows, context(places=pd.DataFrame([PLACE, other])))
    assert found["place"].tolist() == ["UBND xã", "UBND xã", "Chợ", "Chợ"]


@pytest.mark.parametrize("rule", PLACES, ids=lambda rule: rule.code)
def test_empty_frames_and_contexts_are_fine(rule):
    full = context(shapes=SHAPES, centres=CENTRES, places=OFFICE)
    assert len(rule.find(surveys(household_code=[]), full)) == 0
    assert len(rule.find(surveys({"lon": np.nan, "lat": np.nan}), full)) == 0
    assert len(rule.find(surveys({"lon": LON, "lat": LAT}), context())) == 0
