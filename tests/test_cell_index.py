"""The index for bulk work: the same answers as the exact way, row by row."""

import subprocess
import sys

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from geo.config import Settings
from geo.verdicts import matching
from geo.verdicts.compiling import compiled
from geo.verdicts.matching import AreaShapes, Recorded, judge, locate

SETTINGS = Settings()


def areas(polygons) -> AreaShapes:
    n = len(polygons)
    codes = tuple(f"{i:05d}" for i in range(n))
    return AreaShapes(codes, np.array(polygons), np.full(n, 10.0), np.ones(n, int))


def both(monkeypatch, shapes, *given_):
    """The verdicts of the exact way and of the index, for the same rows."""
    exactly = judge(shapes, *given_, SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr(matching, "_BULK_ROWS", 0)
        return exactly, judge(shapes, *given_, SETTINGS)


def assert_same(one, two):
    """Words and codes equal; metres and P to what rounding may do to a degree.

    Where two places of a border are equally near in the plane, either may be taken: 0.1 %.
    """
    for name, values in vars(one).items():
        if values.dtype == object:
            assert (values == vars(two)[name]).all(), name
        else:
            loose = 1e-3 if name == "distance_m" else 1e-9
            np.testing.assert_allclose(vars(two)[name], values, rtol=loose, atol=5e-9, err_msg=name)
    close = np.isclose(one.distance_m, two.distance_m, rtol=1e-9, atol=5e-9, equal_nan=True)
    assert close.mean() >= 0.98


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def star(radii, x, y):
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.column_stack((x + np.cos(angles) * radii, y + np.sin(angles) * radii))


@st.composite
def lands(draw):
    """A few areas, some with a hole or an island, some across each other."""
    polygons = []
    for _ in range(draw(st.integers(1, 4))):
        x, y = draw(st.floats(105, 105.3)), draw(st.floats(20.5, 21.2))
        radii = draw(st.lists(st.floats(0.02, 0.4), min_size=3, max_size=60))
        ring = star(radii, x, y)
        hole = [star([0.008] * 5, x, y)] if draw(st.booleans()) else []
        one = shapely.make_valid(shapely.Polygon(ring, hole))
        if draw(st.booleans()):
            one = shapely.union(one, shapely.box(x + 0.5, y, x + 0.5 + radii[0] / 9, y + 0.01))
        polygons.append(one)
    assume(all(shapely.get_type_id(p) in (3, 6) and p.area > 0 for p in polygons))
    return areas(polygons)


@settings(max_examples=60)
@given(lands(), st.integers(0, 2**32 - 1))
def test_any_land_is_judged_as_the_exact_way_does(patched, shapes, seed):
    rng = np.random.default_rng(seed)
    n = 300
    lon, lat = rng.uniform(104.4, 106.2, n), rng.uniform(20.0, 21.8, n)
    corners = shapely.get_coordinates(shapes.polygons)
    on = rng.choice(len(corners), 60)
    lon[:60], lat[:60] = corners[on].T  # on vertices
    then = np.minimum(on[:30] + 1, len(corners) - 1)
    share = rng.choice([0.5, rng.random()], 30)[:, None]
    lon[60:90], lat[60:90] = (corners[on[:30]] * share + corners[then] * (1 - share)).T
    lon[90:120] = corners[on[30:], 0]  # level with vertices
    lat[120:150] = corners[on[30:], 1]
    lon[150:153], lat[152:154] = np.nan, np.inf
    lon[154:158] += rng.uniform(-60, 60, 4)  # far away
    accuracy = rng.choice([np.nan, 0.0, 0.5, 5.0, 30.0, 3000.0, np.inf], n)
    codes = [tuple(rng.choice([*shapes.codes, "99999"], rng.integers(0, 4))) for _ in range(n)]
    assert_same(*both(patched, shapes, lon, lat, accuracy, codes))


@pytest.fixture
def bulk(monkeypatch):
    monkeypatch.setattr(matching, "_BULK_ROWS", 0)


@settings(max_examples=40)
@given(lands(), st.integers(0, 2**32 - 1))
def test_any_point_lies_where_shapely_says(patched, shapes, seed):
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(104.4, 106.2, 200), rng.uniform(20.0, 21.8, 200)
    corners = shapely.get_coordinates(shapes.polygons)
    lon[:50], lat[:50] = corners[rng.choice(len(corners), 50)].T
    points = shapely.points(lon, lat)
    held = np.array([shapely.intersects(polygon, points) for polygon in shapes.polygons])
    with patched.context() as patch:
        patch.setattr(matching, "_BULK_ROWS", 0)
        found = judge(shapes, lon, lat, np.ones(200), [shapes.codes[-1:]] * 200, SETTINGS)
        first = locate(shapes, lon, lat)
    assert (first == np.where(held.any(axis=0), held.argmax(axis=0), -1)).all()
    away = shapely.distance(shapely.boundary(shapes.polygons[-1]), points) > 1e-9
    assert ((found.distance_m > 0) == held[-1])[away].all()
    assert (found.distance_m[~away] < 0.001).all()


def test_metres_and_sides_are_those_of_postgis(conn, bulk):
    rng = np.random.default_rng(11)
    ring = star(rng.uniform(0.05, 0.15, 80), 105.15, 21.05)
    polygon = shapely.segmentize(shapely.Polygon(ring), 0.001)  # geography's edges are geodesics
    lon, lat = rng.uniform(104.9, 105.4, 60), rng.uniform(20.8, 21.3, 60)
    found = judge(areas([polygon]), lon, lat, np.full(60, 5.0), [["00000"]] * 60, SETTINGS)
    statement = text(
        "SELECT ST_Distance(ST_Boundary(area)::geography, point::geography)"
        " * CASE WHEN ST_Intersects(area, point) THEN 1 ELSE -1 END"
        " FROM (SELECT ST_GeomFromText(:area, 4326) AS area,"
        " ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) AS point) AS given"
    )
    for i in range(60):
        given_ = {"area": polygon.wkt, "lon": float(lon[i]), "lat": float(lat[i])}
        expected = conn.execute(statement, given_).scalar_one()
        assert found.distance_m[i] == pytest.approx(expected, rel=1e-3, abs=0.1)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (105.05, 21.05, "00000"),
        (105.1, 21.05, "00000"),  # on the border of two
        (105.1, 21.1, "00000"),  # on a corner of two
        (105.12, 21.05, "00001"),  # in an overlap, but not with the first
        (105.16, 21.05, "00001"),  # in the same overlap, on the edge of one
        (105.17, 21.05, "00002"),
        (105.14, 21.05, "00001"),  # in the hole of the third
        (105.25, 21.05, None),
        (90.0, 10.0, None),
    ],
)
def test_overlaps_belong_to_the_smallest_code(bulk, lon, lat, code):
    hole = shapely.box(105.13, 21.04, 105.15, 21.06).exterior
    shapes = areas(
        [
            shapely.box(105.0, 21.0, 105.1, 21.1),
            shapely.box(105.1, 21.0, 105.16, 21.1),
            shapely.Polygon(shapely.box(105.11, 21.0, 105.2, 21.1).exterior, [hole]),
        ]
    )
    found = judge(shapes, [lon], [lat], [5.0], [()], SETTINGS)
    assert found.located_code[0] == code
    assert found.verdict[0] == "unlocated"


def test_threads_change_nothing(bulk, monkeypatch):
    rng = np.random.default_rng(0)
    shapes = areas([shapely.Polygon(star(rng.uniform(0.05, 0.2, 300), 105, y)) for y in (21, 21.2)])
    lon, lat = rng.uniform(104.7, 105.3, 3000), rng.uniform(20.7, 21.5, 3000)
    recorded = Recorded.single(rng.choice(shapes.codes, 3000))
    given_ = lon, lat, rng.uniform(0, 500, 3000), recorded, SETTINGS
    single = judge(shapes, *given_)
    monkeypatch.setattr("geo.verdicts.parts._WORTH_THREADS", 10)
    assert judge(shapes, *given_).frame().equals(single.frame())


def test_more_edges_in_reach_than_there_is_room_for(bulk, monkeypatch):
    rng = np.random.default_rng(5)
    shapes = areas([shapely.Polygon(star(rng.uniform(0.01, 0.02, 900), 105, 21))])
    lon, lat = rng.uniform(104.98, 105.02, 50), rng.uniform(20.98, 21.02, 50)
    monkeypatch.setattr("geo.verdicts.cell_index._PAIRS", 1)
    one, two = both(monkeypatch, shapes, lon, lat, np.full(50, 900.0), [shapes.codes] * 50)
    np.testing.assert_allclose(two.probability, one.probability, rtol=0, atol=1e-12)
    assert ((one.probability > 0.05) & (one.probability < 0.95)).any()


def test_no_rows_and_no_areas_are_no_error(bulk):
    nothing = AreaShapes((), np.array([], object), np.array([]), np.array([], int))
    assert judge(nothing, [105.0], [21.0], [5.0], [["1"]], SETTINGS).located_code[0] is None
    shapes = areas([shapely.box(105.0, 21.0, 105.1, 21.1)])
    assert len(judge(shapes, [], [], [], [], SETTINGS).verdict) == 0


def test_a_function_is_compiled_where_nothing_can_be_kept():
    scope: dict = {}
    exec("def double(x):\n    return 2 * x", scope)  # belongs to no file, so has no place for it
    assert compiled(scope["double"])(21) == 42


def test_small_batches_bring_no_compiler_along():
    code = (
        "import sys, shapely, numpy as np\n"
        "from geo.config import Settings\n"
        "from geo.verdicts.matching import AreaShapes, judge\n"
        "box = np.array([shapely.box(105.0, 21.0, 105.1, 21.1)])\n"
        "shapes = AreaShapes(('1',), box, np.ones(1), np.ones(1, int))\n"
        "judge(shapes, [105.0], [21.0], [5.0], [['1']], Settings())\n"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.country
def test_real_communes_are_judged_as_the_exact_way_does(country_file, monkeypatch):
    communes = geopandas.read_parquet(country_file).sort_values("code", ignore_index=True)
    shapes = areas(communes.geometry.to_numpy().copy())
    rng = np.random.default_rng(17)
    corners = shapely.get_coordinates(shapes.polygons)[:: len(shapes)]
    inner = shapely.get_coordinates(shapely.point_on_surface(shapes.polygons))
    spread = inner[rng.integers(len(inner), size=4000)] + rng.normal(0, 0.05, (4000, 2))
    lon, lat = np.concatenate((corners, inner, spread)).T
    n = len(lon)
    near = rng.choice(shapes.codes, n).astype(object)
    near[: n // 2] = shapes.names(locate(shapes, lon, lat))[: n // 2]
    recorded = Recorded.single(near)
    accuracy = rng.choice([np.nan, 5.0, 50.0, 800.0], n)
    one, two = both(monkeypatch, shapes, lon, lat, accuracy, recorded)
    assert_same(one, two)
