"""Verdicts: the right word, the right numbers, and never another row's influence."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sqlalchemy import text

from geo.config import Settings
from geo.geometry import metres_per_degree
from geo.verdicts.matching import AreaShapes, Recorded, Verdicts, judge, locate

SETTINGS = Settings()
# Four squares of 0.1°, a hole in the second, an island to the third, an overlap in the fourth.
SHAPES = AreaShapes(
    ("10001", "10002", "10003", "10004"),
    np.array(
        [
            shapely.box(105.0, 21.0, 105.1, 21.1),
            shapely.Polygon(
                shapely.box(105.1, 21.0, 105.2, 21.1).exterior,
                [shapely.box(105.14, 21.04, 105.16, 21.06).exterior],
            ),
            shapely.MultiPolygon(
                [shapely.box(105.2, 21.0, 105.3, 21.1), shapely.box(105.5, 21.0, 105.51, 21.01)]
            ),
            shapely.box(105.29, 21.0, 105.4, 21.1),
        ]
    ),
    np.array([10.0, 10.0, 20.0, 10.0]),
    np.array([1, 1, 2, 1]),
)
METRES_EAST = float(metres_per_degree(21.05)[0])


def one(lon, lat, accuracy, *recorded, shapes=SHAPES) -> dict:
    found = judge(shapes, [lon], [lat], [accuracy], [recorded], SETTINGS)
    return {name: values[0] for name, values in vars(found).items()}


def east_of_border(metres, lon=105.1):
    return lon + metres / METRES_EAST


@pytest.mark.parametrize(
    ("metres", "verdict"),
    [(-500, "inside"), (-30, "inside"), (-10, "uncertain"), (0, "uncertain"), (10, "uncertain"),
     (30, "outside"), (500, "outside")],
)  # fmt: skip
def test_verdict_beside_a_straight_border(metres, verdict):
    found = one(east_of_border(metres), 21.05, 15.15, "10001")
    sigma = np.hypot(15.15 / 1.515, 10.0)
    assert found["verdict"] == verdict
    assert found["probability"] == pytest.approx(norm.cdf(-metres / sigma), abs=1e-6)
    assert found["distance_m"] == pytest.approx(-metres, abs=1e-3)
    assert found["accuracy_used_m"] == 15.15
    assert found["boundary_accuracy_m"] == 10.0
    assert found["recorded_code"] == "10001"
    assert found["located_code"] == ("10001" if metres <= 0 else "10002")
    assert found["boundary_version"] == 1


@pytest.mark.parametrize("accuracy", [np.nan, 0.0, -0.0, -5.0, np.inf, -np.inf])
def test_unusable_accuracy_is_replaced_by_the_assumed_one(accuracy):
    found = one(east_of_border(-25), 21.05, accuracy, "10001")
    assert found["accuracy_used_m"] == 30.0
    sigma = np.hypot(30 / 1.515, 10.0)
    assert found["probability"] == pytest.approx(norm.cdf(25 / sigma), abs=1e-6)


@pytest.mark.parametrize(
    ("lon", "lat", "recorded", "code", "located", "version"),
    [
        (np.nan, np.nan, ["10001"], "10001", None, 1),
        (np.nan, 21.05, ["10003"], "10003", None, 2),
        (105.05, np.nan, ["10001", "10002"], None, None, 0),
        (105.05, np.inf, ["10001"], "10001", None, 1),
        (105.05, 91.0, ["10001"], "10001", None, 1),
        (105.05, 21.05, [], None, "10001", 0),
        (105.05, 21.05, ["99999"], "99999", "10001", 0),
        (110.05, 11.05, [], None, None, 0),
        (105.05, 21.05, ["99998", "99999"], None, "10001", 0),
        (105.05, 21.05, ["10003", "99999"], None, "10001", 0),
    ],
)
def test_unlocated_tells_what_is_known(lon, lat, recorded, code, located, version):
    found = one(lon, lat, 5.0, *recorded)
    assert found["verdict"] == "unlocated"
    assert np.isnan(found["probability"])
    assert np.isnan(found["distance_m"])
    assert (found["located_code"], found["boundary_version"]) == (located, version)
    assert found["recorded_code"] == code or len(recorded) > 1


def test_a_candidate_without_polygon_does_not_hide_that_another_holds_the_point():
    assert one(105.05, 21.05, 5.0, "10001", "99999")["verdict"] == "inside"


def test_probabilities_of_candidates_add_up_and_the_greatest_is_decided_for():
    found = one(east_of_border(5), 21.05, 5.0, "10001", "10002")
    assert found["verdict"] == "inside"
    assert found["probability"] == pytest.approx(1.0, abs=1e-6)
    assert found["recorded_code"] == "10002"
    assert found["distance_m"] == pytest.approx(5.0, abs=1e-3)


def test_far_from_all_candidates_the_nearest_is_decided_for():
    found = one(105.35, 21.05, 5.0, "10001", "10002", "10001")
    assert (found["verdict"], found["recorded_code"]) == ("outside", "10002")
    assert found["distance_m"] == pytest.approx(-0.15 * METRES_EAST, rel=1e-3)
    assert found["located_code"] == "10004"


@pytest.mark.parametrize(
    ("lon", "lat", "recorded", "verdict", "located"),
    [
        (105.15, 21.05, "10002", "outside", None),  # in the hole
        (105.505, 21.005, "10003", "inside", "10003"),  # on the island
        (105.45, 21.05, "10003", "outside", None),  # at sea
        (105.295, 21.05, "10003", "inside", "10003"),  # in the overlap
        (105.295, 21.05, "10004", "inside", "10004"),
        (105.295, 21.05, "10001", "outside", "10003"),
        (105.1, 21.05, "10001", "uncertain", "10001"),  # on the border
        (105.1, 21.05, "10002", "uncertain", "10002"),
        (105.2, 21.1, "10003", "uncertain", "10003"),  # on a vertex
    ],
)
def test_holes_islands_sea_overlaps_and_borders(lon, lat, recorded, verdict, located):
    found = one(lon, lat, 5.0, recorded)
    assert (found["verdict"], found["located_code"]) == (verdict, located)


def test_a_corner_holds_a_quarter():
    found = one(105.0, 21.0, 5.0, "10001")
    assert found["probability"] == pytest.approx(0.25, abs=1e-6)
    assert found["distance_m"] == 0.0


def test_an_area_small_beside_the_error_is_never_certain():
    shapes = AreaShapes(
        ("1",), np.array([shapely.box(105, 21, 105.0001, 21.0001)]), np.zeros(1), np.ones(1, int)
    )
    found = one(105.00005, 21.00005, 1000.0, "1", shapes=shapes)
    assert found["verdict"] == "outside"
    assert found["probability"] == pytest.approx(0.000042, rel=0.1)


rows = st.lists(
    st.tuples(
        st.one_of(st.just(np.nan), st.floats(104.98, 105.55), st.sampled_from([105.1, 105.2])),
        st.one_of(st.floats(20.98, 21.12), st.sampled_from([21.0, 21.05])),
        st.one_of(st.just(np.nan), st.floats(-1, 3000)),
        st.lists(st.sampled_from([*SHAPES.codes, "99999"]), max_size=3),
    ),
    min_size=1,
    max_size=30,
)


def equal(one: Verdicts, other: Verdicts) -> bool:
    return one.frame().equals(other.frame())


@settings(max_examples=50)
@given(rows)
def test_each_row_is_judged_alike_alone_and_in_company(given_rows):
    lon, lat, accuracy, recorded = zip(*given_rows, strict=True)
    together = judge(SHAPES, lon, lat, accuracy, recorded, SETTINGS).frame()
    for i, (x, y, a, codes) in enumerate(given_rows):
        alone = judge(SHAPES, [x], [y], [a], [codes], SETTINGS).frame()
        assert together.iloc[[i]].reset_index(drop=True).equals(alone)


def test_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(104.9, 105.6, 3000), rng.uniform(20.95, 21.15, 3000)
    recorded = Recorded.single(rng.choice(SHAPES.codes, 3000))
    accuracy = rng.uniform(0, 500, 3000)
    single = judge(SHAPES, lon, lat, accuracy, recorded, SETTINGS)
    monkeypatch.setattr("geo.verdicts.parts._WORTH_THREADS", 10)
    assert equal(judge(SHAPES, lon, lat, accuracy, recorded, SETTINGS), single)


def test_no_rows_and_no_areas_are_no_error():
    nothing = AreaShapes((), np.array([], object), np.array([]), np.array([], int))
    assert len(judge(SHAPES, [], [], [], [], SETTINGS).verdict) == 0
    found = one(105.05, 21.05, 5.0, "10001", shapes=nothing)
    assert (found["verdict"], found["located_code"]) == ("unlocated", None)


def test_unequal_lengths_and_unordered_codes_are_refused():
    with pytest.raises(ValueError, match="as many"):
        judge(SHAPES, [105.0], [21.0], [5.0], [], SETTINGS)
    with pytest.raises(ValueError, match="in order"):
        AreaShapes(("2", "1"), SHAPES.polygons[:2], np.zeros(2), np.zeros(2, int))
    with pytest.raises(ValueError, match="as many"):
        AreaShapes(("1", "2"), SHAPES.polygons, np.zeros(2), np.zeros(2, int))


@pytest.mark.parametrize("codes", [["10001", None, "", "10002"], ["10001", np.nan, "", "10002"]])
def test_recorded_from_one_column_of_codes(codes):
    recorded = Recorded.single(np.array(codes, dtype=object))
    assert list(recorded.codes) == ["10001", "10002"]
    assert list(recorded.offsets) == [0, 1, 1, 1, 2]


def test_distance_agrees_with_postgis_geography(conn):
    rng = np.random.default_rng(3)
    polygon = shapely.segmentize(SHAPES.polygons[1], 0.001)  # geography's edges are geodesics
    shapes = AreaShapes(("1",), np.array([polygon]), np.zeros(1), np.ones(1, int))
    lon, lat = rng.uniform(105.0, 105.3, 40), rng.uniform(20.9, 21.2, 40)
    found = judge(shapes, lon, lat, np.full(40, 5.0), [["1"]] * 40, SETTINGS)
    statement = text(
        "SELECT ST_Distance(ST_Boundary(ST_GeomFromText(:polygon, 4326))::geography, "
        "ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography)"
    )
    for i in range(40):
        given_ = {"polygon": polygon.wkt, "lon": float(lon[i]), "lat": float(lat[i])}
        expected = conn.execute(statement, given_).scalar_one()
        assert abs(found.distance_m[i]) == pytest.approx(expected, rel=1e-3, abs=0.1)


@pytest.fixture(scope="module")
def country(country_file) -> AreaShapes:
    communes = geopandas.read_parquet(country_file).sort_values("code", ignore_index=True)
    n = len(communes)
    return AreaShapes(
        tuple(communes["code"]),
        communes.geometry.to_numpy().copy(),
        np.full(n, 10.0),
        np.ones(n, int),
    )


@pytest.mark.country
def test_real_communes_hold_their_points(country):
    points = shapely.get_coordinates(shapely.point_on_surface(country.polygons))
    lon, lat = points.T
    assert (locate(country, lon, lat) == np.arange(len(country))).all()
    found = judge(country, lon, lat, np.full(len(lon), 5.0), [[c] for c in country.codes], SETTINGS)
    assert (found.distance_m > 0).all()
    assert (found.located_code == np.array(country.codes)).all()
