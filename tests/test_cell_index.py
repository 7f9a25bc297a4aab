"""The index for bulk work: the same answers as the exact way, row by row."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.config import Settings
from geo.verdicts import matching
from geo.verdicts.matching import AreaShapes, judge

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


@settings(max_examples=60, deadline=None)
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
