"""The plane that rules about many points measure in keeps the ellipsoid's distances."""

import numpy as np
import pytest

from geo.geometry import GEOD
from geo.rules.metric import plane


@pytest.mark.parametrize(("lon", "lat"), [(105.8, 21.0), (106.9, 22.9), (104.9, 9.1)])
def test_distances_are_those_of_the_ellipsoid(lon, lat):
    x, y = plane([105.8, lon, lon + 0.01], [21.0, lat, lat - 0.01])
    _, _, metres = GEOD.inv(lon, lat, lon + 0.01, lat - 0.01)
    assert np.hypot(x[1] - x[2], y[1] - y[2]) == pytest.approx(metres, rel=3e-4)


def test_missing_points_stay_missing_and_move_nothing():
    x, y = plane([105.8, np.nan, 105.81, 105.8], [21.0, 21.0, 21.0, np.nan])
    assert np.isnan(x).tolist() == np.isnan(y).tolist() == [False, True, False, True]
    assert (x[2] - x[0], y[2] - y[0]) == pytest.approx((1039.70, 0), abs=0.1)


def test_no_points_are_no_points():
    x, y = plane([], [])
    assert (len(x), len(y)) == (0, 0)
