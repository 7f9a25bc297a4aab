"""What is derived for display: outlines without the gaps that sources leave between communes."""

import numpy as np
import shapely

from geo.boundaries.store import without_gaps


def test_gaps_disappear_from_outlines_and_real_holes_stay():
    gap = shapely.box(105.1, 21.1, 105.1005, 21.1005)  # about 52 × 55 m
    enclave = shapely.box(105.5, 21.5, 105.6, 21.6)  # about 10 × 11 km
    island = shapely.box(107, 21, 107.1, 21.1)
    outline = shapely.box(105, 21, 106, 22).difference(gap).difference(enclave).union(island)

    (shown,) = without_gaps(np.array([outline], dtype=object))

    expected = shapely.box(105, 21, 106, 22).difference(enclave).union(island)
    assert shown.geom_type == "MultiPolygon"
    assert shapely.equals(shown, expected)
