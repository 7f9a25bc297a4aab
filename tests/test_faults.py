"""Injected faults are found, honest surveys are left alone; the same seed makes the same data.

A small country of its own: wards around random points, as wide as a mountain province's, a
delta's and a city's. The figures on the real communes are in docs/audit-quality.md.
"""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.boundaries.sketch import merged_cells
from geo.config import Settings
from geo.rules import RULES
from geo.verdicts.matching import AreaShapes
from tests import fault_database, fault_frames, fault_queue, fault_score, faults
from tests.fault_land import BORDER_SIGMA_M

HOUSEHOLDS = 2_000
# province → communes, and how wide the province is in degrees
SIZES = {"08": (24, 0.5), "33": (24, 0.25), "79": (24, 0.2)}


def country(province):
    """Voronoi cells around random points, four to a commune, in the place of a real province."""
    communes, wide = SIZES[province]
    rng = np.random.default_rng(int(province))
    south_west = {"08": (105.0, 22.0), "33": (106.0, 20.5), "79": (106.5, 10.6)}[province]
    points = np.array(south_west) + rng.uniform(0, wide, (4 * communes, 2))
    middles = points[:communes]
    nearest = np.argmin(((points[:, None] - middles) ** 2).sum(axis=2), axis=1)
    codes = np.array([f"{province}{number:03d}" for number in range(communes)], dtype=object)
    shapes = merged_cells(points, codes[nearest], list(codes))
    return dict(zip(codes, (shapely.make_valid(shape) for shape in shapes), strict=True))


def shapes_of(polygons):
    size = len(polygons)
    held = np.array(list(polygons.values()), dtype=object)
    return AreaShapes(tuple(polygons), held, np.full(size, BORDER_SIGMA_M), np.ones(size, int))


@pytest.fixture(scope="module")
def judged():
    """(surveys, truth, findings) of three provinces together."""
    read = []
    for province in SIZES:
        polygons = country(province)
        land = faults.make(province, polygons, HOUSEHOLDS)
        surveys, sites, found = fault_frames.found(land, shapes_of(polygons), Settings())
        read.append((surveys, fault_score.truth(surveys, sites), found))
    return [pd.concat(parts) for parts in zip(*read, strict=True)]


def test_each_rule_has_a_fault_that_it_is_measured_by():
    measured = {*fault_score.EXPECTED, *fault_score.IMPLIED, *fault_score.OF_NOBODY}
    assert set(RULES) <= measured


def test_the_same_seed_makes_the_same_province():
    one, two = (faults.make("33", country("33"), 600) for _ in range(2))
    for name in ("surveys", "sites", "stages", "photos"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))


@pytest.fixture(scope="module")
def scored(judged):
    _, known, found = judged
    return {score.rule: score for score in fault_score.scores(known, found, RULES)}


# Below the figures of docs/audit-quality.md, which rest on more rows: (recall, precision).
FLOORS = {
    "one_spot": (0.8, 0.95),
    "clock_jump": (0.7, 0.8),
    "commune_centre": (0.9, 0.8),
    "known_place": (0.8, 0.8),
    "same_point_near": (0.85, 0.9),
    "far_from_hamlet": (0.9, 0.8),
    "far_from_home": (0.95, 0.85),
    "far_from_site": (0.95, 0.8),
}


@pytest.mark.parametrize("rule", [rule for rule in fault_score.EXPECTED if rule in RULES])
def test_rule_finds_its_faults_and_little_else(scored, rule):
    recall, precision = FLOORS.get(rule, (0.95, 0.95))
    score = scored[rule]
    assert score.recall >= recall
    if rule not in fault_score.OF_NOBODY:
        assert score.precision >= precision


def test_the_queue_begins_with_faults_and_honest_rows_raise_no_doubt(judged):
    _, known, found = judged
    queue = fault_queue.queue(known, found)
    rows, faulty = queue.first(300)
    assert faulty >= 0.98 * rows
    honest, doubted = queue.listed_honest(25)
    assert doubted <= 0.03 * honest


def test_proposed_points_lie_at_the_house(judged):
    surveys, _, found = judged
    proposed, right = fault_score.repairs(surveys, found)
    assert proposed > 90
    assert right >= 0.95 * proposed


def test_honest_points_near_the_border_are_seldom_called_outside(judged):
    near, outside = fault_score.border(judged[0])
    assert near > 100
    assert outside <= 0.05 * near


def test_the_database_tells_the_same_as_the_frames(conn):
    """What is imported and passed over has the findings that the rules have on the bare frames."""
    polygons = country("33")
    land = faults.make("33", polygons, 500)
    _, _, expected = fault_frames.found(land, shapes_of(polygons), Settings())
    columns = ("subject", "subject_id", "rule")
    told = set(zip(*(expected[name] for name in columns), strict=True))
    assert fault_database.found(conn, land) == told
