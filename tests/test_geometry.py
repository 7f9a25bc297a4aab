"""Coordinates: VN-2000 as EPSG has it, what can be a point, metres and probabilities."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.stats import norm

from geo import geometry
from geo.errors import UsageError
from geo.geometry import GEOD, metres_per_degree, point_problem, read_points, to_wgs84
from geo.verdicts.border import Borders
from geo.verdicts.edges import Edges
from geo.verdicts.probability import probability_inside

ORIGIN = 105.8, 21.0
TM3 = {
    9205: 103,
    9206: 104,
    9207: 104.5,
    9208: 104.75,
    9209: 105.5,
    9210: 105.75,
    9211: 106,
    9212: 106.25,
    9213: 106.5,
    9214: 107,
    9215: 107.25,
    9216: 107.5,
    9217: 108.25,
    9218: 108.5,
    5896: 102,
    5897: 105,
    5898: 108,
    5899: 107.75,
    3405: 105,
    3406: 111,
}
in_country = st.tuples(st.floats(102.2, 109.4), st.floats(8.4, 23.3))


def metres(one, two):
    return GEOD.inv(*one, *two)[2]


@pytest.mark.parametrize(("code", "meridian"), TM3.items())
def test_vn2000_zone_has_its_central_meridian(code, meridian):
    lon, lat = to_wgs84([500_000], [2_300_000], f"EPSG:{code}")
    geographic = to_wgs84([meridian], [lat[0]], "EPSG:4756")
    # WGS 84 lies 195 m east of the same numbers in VN-2000.
    assert lon[0] == pytest.approx(geographic[0][0], abs=1e-4)
    assert 180 < (lon[0] - meridian) * metres_per_degree(lat[0])[0] < 210


@given(in_country)
def test_vn2000_read_as_wgs84_is_about_224_m_off(point):
    lon, lat = to_wgs84([point[0]], [point[1]], "EPSG:4756")
    assert 220 < metres(point, (lon[0], lat[0])) < 228
    assert lon[0] > point[0]
    assert lat[0] < point[1]


@given(in_country, st.sampled_from([9205, 9209, 9213, 9214, 9218, 3405, 4756, 32648]))
def test_points_come_back_from_a_round_trip(point, code):
    there = Transformer.from_crs("EPSG:4326", f"EPSG:{code}", always_xy=True)
    lon, lat = to_wgs84(*([v] for v in there.transform(*point)), f"epsg:{code}")
    # 2 m: EPSG lists two sets of seven parameters, each for a part of the country.
    assert metres(point, (lon[0], lat[0])) < 2


def test_wgs84_is_returned_as_given_and_nothing_becomes_infinite():
    assert to_wgs84([105.123456789], [21.0])[0][0] == 105.123456789
    lon, lat = to_wgs84([1e30, np.nan], [1e30, 5.0], "EPSG:9213")
    assert np.isnan(lon).all()
    assert np.isnan(lat).all()


@pytest.mark.parametrize(
    "crs",
    ["", "EPSG:", "EPSG:1", "EPSG:999999", "WGS 84", "+proj=longlat", "EPSG:4978", "EPSG:5773"],
)
def test_unusable_reference_system_is_refused(crs):
    with pytest.raises(UsageError, match="EPSG"):
        to_wgs84([1], [1], crs)


@pytest.mark.parametrize(
    ("lon", "lat", "says"),
    [
        (105.8, 21.0, None),
        (None, None, None),
        (102, 6, None),
        (118, 24, None),
        (105.8, None, "lat is missing"),
        (None, 21.0, "lon is missing"),
        (math.inf, 21.0, "finite"),
        (105.8, -math.inf, "finite"),
        (0, 0, "without a fix"),
        (21.0, 105.8, "swapped"),
        (101.99, 21.0, "outside Viet Nam"),
        (105.8, -21.0, "outside Viet Nam"),
        (2.35, 48.85, "outside Viet Nam"),
        (585_000, 2_320_000, "no degrees"),
    ],
)
def test_problem_of_a_point_says_what_to_do(lon, lat, says):
    told = point_problem(lon, lat)
    assert told is None if says is None else says in told


@given(st.floats(), st.floats())
def test_any_two_numbers_are_a_point_or_a_problem(lon, lat):
    told = point_problem(lon, lat)
    nothing = math.isnan(lon) and math.isnan(lat)
    assert (told is None) == (nothing or (102 <= lon <= 118 and 6 <= lat <= 24))


def test_northing_given_first_is_recognised():
    lon, lat, problems = read_points(
        [2_323_000, 428_000, np.nan, 1.0], [428_000, 2_323_000, np.nan, 1.0], "EPSG:9213"
    )
    assert "other way round" in problems[0]
    assert problems[1] is None
    assert (lon[1], lat[1]) == (pytest.approx(105.81, abs=0.01), pytest.approx(21.0, abs=0.01))
    assert problems[2] is None
    assert "outside Viet Nam" in problems[3]


def test_wgs84_points_are_read_with_their_problems():
    _, _, problems = read_points([105.8, 21.0, 105.8], [21.0, 105.8, np.nan])
    assert [bool(told) for told in problems] == [False, True, True]


@given(in_country, st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_metres_between_points_are_geodesic(point, dx, dy):
    other = point[0] + dx, point[1] + dy
    found = geometry.metres_between(*(np.array([v]) for v in (*point, *other)))[0]
    assert found == pytest.approx(metres(point, other), rel=1e-6, abs=1e-6)


def shape(exterior, holes=()):
    """A polygon given in metres around ORIGIN."""
    scale = np.array([float(v) for v in metres_per_degree(ORIGIN[1])])
    rings = [np.asarray(ring, float) / scale + ORIGIN for ring in (exterior, *holes)]
    return shapely.Polygon(rings[0], rings[1:])


FIRST = np.array([0])


def one(polygon):
    """Areas of which this is the only one."""
    return np.array([polygon], dtype=object)


def probability(polygon, x, y, sigma):
    along, up = metres_per_degree(ORIGIN[1])
    lon, lat = np.array([ORIGIN[0] + x / along]), np.array([ORIGIN[1] + y / up])
    inside = shapely.intersects_xy(polygon, lon, lat)
    return probability_inside(Edges(one(polygon)), FIRST, lon, lat, np.array([sigma]), inside)[0]


def box_mass(x0, y0, x1, y1, x, y, sigma):
    return (norm.cdf((x1 - x) / sigma) - norm.cdf((x0 - x) / sigma)) * (
        norm.cdf((y1 - y) / sigma) - norm.cdf((y0 - y) / sigma)
    )


def ring(x0, y0, x1, y1):
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


near = st.floats(-150, 150)
sigmas = st.floats(0.5, 200)


@given(near, near, sigmas)
def test_probability_in_a_rectangle_with_a_hole_is_the_product_of_normals(x, y, sigma):
    polygon = shape(ring(-100, -40, 100, 60), [ring(-30, -10, 20, 5)])
    expected = box_mass(-100, -40, 100, 60, x, y, sigma) - box_mass(-30, -10, 20, 5, x, y, sigma)
    assert probability(polygon, x, y, sigma) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("x", "y"),
    [(-100, -40), (100, 60), (0, -40), (100, 0), (-30, -10), (20, 0), (-30, -40), (0, 5)],
)
@pytest.mark.parametrize("sigma", [0.01, 3.0, 50.0])
def test_probability_on_vertices_borders_and_their_lines(x, y, sigma):
    polygon = shape(ring(-100, -40, 100, 60), [ring(-30, -10, 20, 5)])
    expected = box_mass(-100, -40, 100, 60, x, y, sigma) - box_mass(-30, -10, 20, 5, x, y, sigma)
    # 1e-9 m of rounding in degrees are 1e-7 σ at the smallest σ.
    assert probability(polygon, x, y, sigma) == pytest.approx(expected, abs=1e-5)


@given(st.floats(-60, 60), st.floats(1, 20))
def test_probability_at_a_straight_border_is_normal(d, sigma):
    polygon = shape(ring(0, -5000, 5000, 5000))
    assert probability(polygon, d, 1.0, sigma) == pytest.approx(norm.cdf(d / sigma), abs=1e-5)


def star(radii):
    angles = np.linspace(0, 2 * math.pi, len(radii), endpoint=False)
    return np.column_stack((np.cos(angles), np.sin(angles))) * np.asarray(radii)[:, None]


@settings(max_examples=30)
@given(st.lists(st.floats(0.5, 100), min_size=3, max_size=14), near, near, st.floats(5, 80))
def test_probability_in_any_polygon_agrees_with_numeric_integration(radii, x, y, sigma):
    polygon = shape(star(radii))
    assume(polygon.is_valid and polygon.area > 0)
    along, up = metres_per_degree(ORIGIN[1])
    # The mass by quadrature: normal in x, exact normal differences over the slices in y.
    step = max(radii) / 1000
    xs = np.arange(-1000, 1000) * step + step / 2
    lines = shapely.linestrings(
        [[(ORIGIN[0] + v / along, 20.99), (ORIGIN[0] + v / along, 21.01)] for v in xs]
    )
    cuts, which = shapely.get_parts(shapely.intersection(lines, polygon), return_index=True)
    bounds = (shapely.bounds(cuts)[:, [1, 3]] - ORIGIN[1]) * up
    slices = norm.cdf((bounds[:, 1] - y) / sigma) - norm.cdf((bounds[:, 0] - y) / sigma)
    expected = float(np.nansum(slices * norm.pdf(xs[which], x, sigma) * step))
    assert probability(polygon, x, y, sigma) == pytest.approx(expected, abs=3e-4)


def test_orientation_and_repeated_vertices_do_not_matter():
    corners = ring(-10, -10, 10, 10)
    expected = probability(shape(corners), 3, 8, 5)
    assert probability(shape(corners[::-1]), 3, 8, 5) == pytest.approx(expected, abs=1e-12)
    twice = [corner for corner in corners for _ in range(2)]
    assert probability(shape(twice), 3, 8, 5) == pytest.approx(expected, abs=1e-12)


def test_parts_of_a_multipolygon_add_up():
    parts = [shape(ring(-30, 0, -10, 20)), shape(ring(5, 0, 40, 20))]
    whole = probability(shapely.MultiPolygon(parts), 0, 5, 25)
    assert whole == pytest.approx(sum(probability(p, 0, 5, 25) for p in parts), abs=1e-9)


def brute(polygon, lon, lat):
    """Metres to the border by walking along it in steps of a few metres."""
    line = shapely.segmentize(polygon.boundary, 2e-5)
    xy = shapely.get_coordinates(line)
    n = len(xy)
    return GEOD.inv(np.full(n, lon), np.full(n, lat), xy[:, 0], xy[:, 1])[2].min()


@settings(max_examples=40)
@given(st.lists(st.floats(0.01, 0.06), min_size=3, max_size=9), st.floats(-6, 6), st.floats(-6, 3))
def test_distance_to_the_border_is_right_to_a_thousandth(radii, dx, dy):
    polygon = shapely.Polygon(star(radii) + ORIGIN)
    assume(polygon.is_valid)
    lon, lat = ORIGIN[0] + dx * abs(dx) / 10, ORIGIN[1] + dy * abs(dy) / 10
    inside, found, _ = Borders(one(polygon)).measure(
        FIRST, np.array([lon]), np.array([lat]), np.array([20.0])
    )
    assert abs(found[0]) == pytest.approx(brute(polygon, lon, lat), rel=1e-3, abs=0.6)
    assert (found[0] >= 0) == inside[0]


def test_a_tall_area_is_measured_band_by_band():
    polygon = shapely.box(105.0, 20.0, 105.3, 22.0)
    border = Borders(one(polygon))
    for lon, lat in [(105.1, 20.3), (105.29, 21.9), (105.5, 21.0), (104.7, 22.5), (109.0, 12.0)]:
        _, found, _ = border.measure(FIRST, np.array([lon]), np.array([lat]), np.array([5.0]))
        assert abs(found[0]) == pytest.approx(brute(polygon, lon, lat), rel=1e-3)
