"""The check names what is wrong between communes and stays silent where nothing is."""

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, box

from geo import boundaries
from geo.boundaries import checks as boundary_checks
from geo.boundaries import files as boundary_files
from geo.boundaries.loading import LoadOptions
from tests.test_boundaries import HOME, square, write


@pytest.fixture
def home(tmp_path):
    return write(tmp_path, {code: square(corner) for code, corner in HOME.items()})


def test_check_finds_overlaps_gaps_and_missing_communes(areas_conn, tmp_path):
    # A ring around nothing, and a square that reaches 0.01° into its neighbour.
    ring = box(105.7, 21.5, 105.8, 21.6).difference(box(105.74, 21.54, 105.76, 21.56))
    path = write(tmp_path, {"05443": ring, "05455": box(105.79, 21.5, 105.9, 21.6)})
    boundaries.load(areas_conn, path, LoadOptions())
    report = boundary_checks.check(areas_conn)
    assert [(o.first, o.second) for o in report.overlaps] == [("05443", "05455")]
    expected = boundary_files.areas_m2(np.array([box(105.79, 21.5, 105.8, 21.6)]))[0]
    assert report.overlaps[0].area_m2 == pytest.approx(expected)
    assert [gap.between for gap in report.gaps] == [("05443",)]
    assert report.gaps[0].area_m2 == pytest.approx(
        boundary_files.areas_m2(np.array([box(105.74, 21.54, 105.76, 21.56)]))[0]
    )
    assert (round(report.gaps[0].lon, 2), round(report.gaps[0].lat, 2)) == (105.75, 21.55)
    assert len(report.missing["19"]) == 90


def test_check_of_sound_or_no_boundaries_finds_nothing(areas_conn, home):
    assert boundary_checks.check(areas_conn).polygons == 0
    boundaries.load(areas_conn, home, LoadOptions())
    report = boundary_checks.check(areas_conn, "19")
    assert (report.polygons, report.overlaps, report.gaps) == (4, [], [])


def test_polygons_only_drops_lines_and_points():
    mixed = shapely.GeometryCollection(
        [Point(0, 0), box(0, 0, 1, 1), MultiPolygon([box(2, 2, 3, 3), box(4, 4, 5, 5)])]
    )
    assert len(boundary_files.polygons_only(mixed).geoms) == 3
    assert boundary_files.polygons_only(Point(1, 1)).is_empty
