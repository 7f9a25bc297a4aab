"""Coordinates that were written wrongly lead back to the point that was meant."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context
from geo.rules.mistakes import MISTAKES, repairs
from geo.verdicts.matching import AreaShapes, judge
from tests.rule_rows import surveys

WEST, EAST = shapely.box(105.70, 21.0, 105.85, 21.1), shapely.box(105.85, 21.0, 106.0, 21.1)
SHAPES = AreaShapes(
    ("10001", "10002"), np.array([WEST, EAST]), np.full(2, 10.0), np.ones(2, np.int64)
)
CONTEXT = Context(Settings(), SHAPES)
FIND = {rule.code: rule.find for rule in MISTAKES}
LON, LAT = 105.7813425, 21.0391834
LONS, LATS = st.floats(105.71, 105.84), st.floats(21.01, 21.09)


def sent(lon, lat, **values):
    """A survey whose point was kept as sent where it is not in the country, judged otherwise."""
    if 102 <= lon <= 118 and 6 <= lat <= 24:
        found = judge(SHAPES, [lon], [lat], [5.0], [("10001",)], CONTEXT.settings)
        told = {"verdict": found.verdict[0], "distance_m": found.distance_m[0]}
        return {"lon": lon, "lat": lat} | told | values
    nothing = {"lon": np.nan, "lat": np.nan, "verdict": "unlocated", "distance_m": np.nan}
    return nothing | {"sent_lon": lon, "sent_lat": lat} | values


def hits(row, **more):
    rows = surveys(row)
    found = {code: find(rows, Context(Settings(), SHAPES, **more)) for code, find in FIND.items()}
    return {code: hit.to_dict("records")[0] for code, hit in found.items() if len(hit)}


def minutes(degrees):
    whole = int(degrees)
    return whole, (degrees - whole) * 60


def nmea(degrees):
    whole, rest = minutes(degrees)
    return 100 * whole + rest


def as_decimals(degrees):
    whole, rest = minutes(degrees)
    return whole + rest / 100


def with_seconds(degrees):
    whole, rest = minutes(degrees)
    return whole + int(rest) / 100 + (rest - int(rest)) * 60 / 10_000


def zone(lon, lat, true, read):
    x, y = Transformer.from_crs(4326, true, always_xy=True).transform(lon, lat)
    return Transformer.from_crs(read, 4326, always_xy=True).transform(x, y)


MISWRITTEN = [
    ("swapped", lambda lon, lat: (lat, lon), "lon ↔ lat"),
    ("lost_sign", lambda lon, lat: (-lon, lat), "−lon"),
    ("lost_sign", lambda lon, lat: (lon, -lat), "−lat"),
    ("lost_sign", lambda lon, lat: (-lon, -lat), "−lon, −lat"),
    ("degrees_minutes", lambda lon, lat: (nmea(lon), nmea(lat)), "DDDMM.mmm → DDD°MM.mmm′"),
    ("degrees_minutes", lambda lon, lat: (as_decimals(lon), as_decimals(lat)),
     "D.MMmmm → D°MM.mmm′"),
    ("degrees_minutes", lambda lon, lat: (with_seconds(lon), with_seconds(lat)),
     "D.MMSSs → D°MM′SS.s″"),
    ("wrong_zone", lambda lon, lat: zone(lon, lat, 9211, 9214), "λ₀ − 1°00′"),
    ("wrong_zone", lambda lon, lat: zone(lon, lat, 9213, 9209), "λ₀ + 1°00′"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "write", "how"), MISWRITTEN)
@settings(max_examples=5)
@given(points=st.lists(st.tuples(LONS, LATS), min_size=1, max_size=40))
def test_a_miswritten_point_leads_back_to_within_a_metre(code, write, how, points):
    rows = surveys(*(sent(*write(*point)) for point in points))
    # Nearer to the commune it needs a known place, see below.
    asked = rows[(rows["verdict"] != "inside") & ~(rows["distance_m"] >= -1000)]
    found = repairs(rows, CONTEXT)
    assert set(asked.index) == set(found.index)
    assert set(found["rule"]) <= {code}
    assert (found["repaired_verdict"] == "inside").all()
    for row in found[found["how"] == how].itertuples():
        apart = GEOD.inv(*points[row.Index], row.repaired_lon, row.repaired_lat)[2]
        assert apart < 1


@pytest.mark.parametrize(("code", "write", "how"), MISWRITTEN)
def test_a_known_home_confirms_the_repair_and_one_elsewhere_denies_it(code, write, how):
    row = sent(*write(LON, LAT))
    found = hits(row | {"home_lon": LON + 0.001, "home_lat": LAT})
    assert set(found) == {code}
    assert found[code]["how"] == how
    assert found[code]["repaired_lon"] == pytest.approx(LON, abs=1e-5)
    assert found[code]["repaired_lat"] == pytest.approx(LAT, abs=1e-5)
    elsewhere = hits(row | {"home_lon": LON + 0.05, "home_lat": LAT})
    assert (elsewhere == {}) == (not np.isnan(row["lon"]))


def test_a_named_crs_tells_which_zone_was_read():
    lon, lat = zone(LON, LAT, 9211, 9214)
    found = hits(sent(lon, lat, crs="EPSG:9214"))
    assert found["wrong_zone"]["how"] == "λ₀ 107°00′ → 106°00′"
    assert found["wrong_zone"]["repaired_lon"] == pytest.approx(LON, abs=1e-5)


def test_the_hamlet_confirms_where_no_home_is_known():
    neighbours = [
        {"lon": LON + i / 1000, "lat": LAT, "household_code": f"N{i}"} for i in range(1, 7)
    ]
    hamlet = {"village_key": "thon 1"}
    row = sent(*zone(LON, LAT, 9211, 9214)) | hamlet
    rows = surveys(row, *(n | hamlet for n in neighbours))
    assert FIND["wrong_zone"](rows, CONTEXT)["how"].to_dict() == {0: "λ₀ − 1°00′"}
    away = surveys(row, *(n | hamlet | {"lat": LAT + 0.04} for n in neighbours))
    assert len(FIND["wrong_zone"](away, CONTEXT)) == 0


def test_a_little_outside_is_no_mistake_of_writing_unless_a_home_says_so():
    # 105.853 read as D.MMmmm would be 106.42, as 105.85 minutes it is beyond 60: only zones apply.
    row = sent(105.853, 21.05)
    assert row["verdict"] == "outside"
    assert hits(row) == {}


def test_what_nothing_explains_is_outside_the_country():
    assert hits(sent(2.35, 48.85)) == {"outside_country": {"sent_lon": 2.35, "sent_lat": 48.85}}


def test_a_swap_that_leads_elsewhere_is_no_repair():
    assert set(hits(sent(21.05, 105.95))) == {"outside_country"}
    assert set(hits(sent(21.05, 105.95, candidates=("10001", "10002")))) == {"swapped"}


@pytest.mark.parametrize(
    "row",
    [{}, {"verdict": "uncertain"}, {"lon": np.nan, "lat": np.nan, "verdict": "unlocated"},
     sent(105.9, 21.05, commune_code=""), sent(105.9, 21.05, commune_code="99999")],
)  # fmt: skip
def test_sound_missing_and_unresolved_points_are_left_alone(row):
    assert hits(row) == {}


def test_without_polygons_or_rows_nothing_is_proposed():
    assert len(repairs(surveys(sent(21.05, 105.8)), Context(Settings()))) == 0
    for find in FIND.values():
        assert len(find(surveys(household_code=[]), CONTEXT)) == 0


def test_rows_keep_their_index_and_each_has_one_repair():
    rows = surveys(*(sent(*write(LON, LAT)) for _code, write, _how in MISWRITTEN), {})
    rows.index = rows.index[::-1] + 100
    found = repairs(rows, CONTEXT)
    assert found.index.is_unique
    assert found["rule"].to_dict() == {
        109 - i: code for i, (code, _write, _how) in enumerate(MISWRITTEN)
    }
    assert isinstance(found, pd.DataFrame)
