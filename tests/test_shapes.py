"""Areas as maps draw them: every resolution keeps shared borders, and nothing vanishes."""

import json
import math

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box
from sqlalchemy import select, text

from geo import areas, boundaries, layers
from geo.boundaries import LoadOptions, drawing
from geo.errors import NotFoundError, UsageError
from geo.shape_tables import area_shape
from tests.test_boundaries import AWAY, HOME, square, write

NUMBERS = range(len(drawing.TOLERANCES_DEG))
WIGGLY = np.linspace(0, 0.1, 400)
BORDER = np.column_stack([105.8 + 1e-4 * np.sin(WIGGLY * 3000), 21.5 + WIGGLY])
LEFT = Polygon([*BORDER, (105.7, 21.6), (105.7, 21.5)])
RIGHT = Polygon([*BORDER, (105.9, 21.6), (105.9, 21.5)])


def drawn(conn, code: str, number: int):
    """The shape of an area as it is stored."""
    found = conn.execute(
        select(area_shape.c.geom.ST_AsBinary()).where(
            area_shape.c.area_id == areas.get(conn, code).area_id,
            area_shape.c.resolution == number,
        )
    ).scalar_one()
    return shapely.from_wkb(bytes(found))


def corners(shape) -> set[tuple[float, float]]:
    return set(map(tuple, shapely.get_coordinates(shape)))


def everything(conn) -> dict:
    """All that is stored: (area, resolution) → shape and label, in a normal form."""
    rows = conn.execute(
        text("SELECT area_id, resolution, ST_AsBinary(geom), label, cell FROM area_shape")
    )
    return {
        (row[0], row[1]): (shapely.normalize(shapely.from_wkb(bytes(row[2]))).wkb, row[3], row[4])
        for row in rows
    }  # fmt: skip


def test_neighbours_share_their_corners_and_a_tiny_area_stays(areas_conn, tmp_path):
    tiny = square((105.7, 21.6), 0.0001)
    shapes = {"05443": LEFT, "05455": RIGHT, "05467": tiny}
    boundaries.load(areas_conn, write(tmp_path, shapes), LoadOptions())
    for number in NUMBERS:
        left, right, small = (drawn(areas_conn, code, number) for code in shapes)
        assert shapely.get_num_coordinates(left) < 50
        assert shapely.coverage_is_valid(np.array([left, right]))
        # Two corners where the border ends, and those that both keep between them.
        assert len(corners(left) & corners(right)) >= 2
        assert small.area > 0
    # The boundaries themselves keep every corner.
    own = boundaries.outline_geojson(areas_conn, areas.get(areas_conn, "05443"), 12)
    assert len(json.loads(own)["features"][0]["geometry"]["coordinates"][0][0]) == 403


def test_provinces_and_country_are_made_of_the_simplified_communes(areas_conn, tmp_path):
    shapes = {"05443": LEFT, "05455": RIGHT, "01108": square(AWAY["01108"])}
    boundaries.load(areas_conn, write(tmp_path, shapes), LoadOptions())
    for number in NUMBERS:
        left, right, away = (drawn(areas_conn, code, number) for code in shapes)
        home, country = (drawn(areas_conn, code, number) for code in ("19", "VN"))
        assert home.equals(left.union(right))
        assert country.equals(shapely.union_all([left, right, away]))
        assert corners(home) <= corners(left) | corners(right)


def test_the_shapes_do_not_depend_on_the_order_of_loads(areas_conn, tmp_path):
    home = write(tmp_path, {"05443": LEFT, "05455": RIGHT}, "home.parquet")
    away = write(tmp_path, {"01108": square(AWAY["01108"])}, "away.parquet")
    both = write(
        tmp_path,
        {"05443": LEFT, "05455": RIGHT, "01108": square(AWAY["01108"])},
        "both.parquet",
    )
    for path in (home, away):
        boundaries.load(areas_conn, path, LoadOptions())
    one_by_one = everything(areas_conn)
    boundaries.load(areas_conn, away, LoadOptions(accuracy_m=3))
    assert everything(areas_conn) == one_by_one
    boundaries.load(areas_conn, both, LoadOptions())
    assert everything(areas_conn) == one_by_one
    assert len(one_by_one) == 6 * len(NUMBERS)


def test_a_province_loaded_by_itself_is_drawn_by_itself(areas_conn, tmp_path):
    boundaries.load(areas_conn, write(tmp_path, {"05443": LEFT}), LoadOptions())
    whole = square((105.6, 21.4), 0.5)
    path = write(tmp_path, {"19": whole}, "provinces.parquet")
    boundaries.load(areas_conn, path, LoadOptions(level="province"))
    assert drawn(areas_conn, "19", 3).equals(whole)
    assert drawn(areas_conn, "VN", 3).equals(whole)
    boundaries.load(areas_conn, write(tmp_path, {"05443": RIGHT}, "new.parquet"), LoadOptions())
    assert drawn(areas_conn, "19", 3).equals(drawn(areas_conn, "05443", 3))


def test_an_area_that_another_covers_wholly_is_still_drawn(areas_conn, tmp_path):
    outer, inner = square((105.7, 21.5)), square((105.7, 21.5))
    boundaries.load(areas_conn, write(tmp_path, {"05443": outer, "05455": inner}), LoadOptions())
    for number in NUMBERS:
        shown = [drawn(areas_conn, code, number) for code in ("05443", "05455", "19", "VN")]
        assert all(one.equals(outer) for one in shown)


def test_shapes_are_drawn_where_a_database_is_older_than_they(areas_conn, tmp_path, monkeypatch):
    monkeypatch.setenv("ANCU_BOUNDARIES", "")
    boundaries.load(areas_conn, write(tmp_path, {"05443": LEFT}), LoadOptions())
    before = everything(areas_conn)
    areas_conn.execute(text("DELETE FROM area_shape"))
    assert boundaries.ensure(areas_conn) == ""
    assert everything(areas_conn) == before


def test_a_label_stands_within_its_area(areas_conn, tmp_path):
    ring = square((105.7, 21.5)).difference(square((105.72, 21.52), 0.06))
    boundaries.load(areas_conn, write(tmp_path, {"05443": ring}), LoadOptions())
    inside = areas_conn.execute(text("SELECT bool_and(ST_Contains(geom, label)) FROM area_shape"))
    assert inside.scalar() is True


def test_the_version_changes_with_every_load(areas_conn, tmp_path):
    assert boundaries.version(areas_conn) == "0"
    first = boundaries.load(areas_conn, write(tmp_path, {"05443": LEFT}), LoadOptions()).version
    one = boundaries.version(areas_conn)
    assert one.startswith(f"{first}-")
    boundaries.load(areas_conn, write(tmp_path, {"05455": RIGHT}, "b.parquet"), LoadOptions())
    assert boundaries.version(areas_conn) not in ("0", one)


@pytest.mark.parametrize(
    ("zoom", "number"),
    [(0, 0), (5, 0), (6, 1), (7, 1), (8, 2), (9, 2), (10, 3), (11, 3), (12, None), (22, None)],
)
def test_each_zoom_has_its_resolution(zoom, number):
    assert drawing.resolution(zoom) == number


def test_geojson_for_maps_carries_codes_and_shapes(areas_conn, tmp_path):
    path = write(tmp_path, {code: square(corner) for code, corner in HOME.items()})
    boundaries.load(areas_conn, path, LoadOptions())
    home, bare = areas.get(areas_conn, "19"), areas.get(areas_conn, "46")
    children = json.loads(boundaries.children_geojson(areas_conn, home, 9))
    assert [f["properties"] for f in children["features"]] == [{"code": c} for c in sorted(HOME)]
    assert json.loads(boundaries.children_geojson(areas_conn, bare, 9))["features"] == []
    commune = areas.get(areas_conn, "05443")
    for zoom in (5, 11, 12):
        (outline,) = json.loads(boundaries.outline_geojson(areas_conn, commune, zoom))["features"]
        assert outline["properties"] == {
            "code": "05443",
            "name": commune.full_name,
            "level": "commune",
        }
        shown = shapely.from_geojson(json.dumps(outline["geometry"]))
        assert shown.equals(square(HOME["05443"]))
    with pytest.raises(NotFoundError, match="No boundary is loaded"):
        boundaries.outline_geojson(areas_conn, bare, 9)


@st.composite
def mosaics(draw) -> np.ndarray:
    """Voronoi cells with edges that wind: a coverage like communes, of one to some dozen."""
    count = draw(st.integers(2, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spots = shapely.MultiPoint(rng.uniform((105, 20), (106, 21), (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(spots, extend_to=box(105, 20, 106, 21)))
    fine = shapely.segmentize(shapely.set_precision(cells, 1e-6), 0.004)
    # One shift for a place, whichever of its neighbours asks.
    at = np.array(sorted({tuple(xy) for xy in shapely.get_coordinates(fine).round(7)}))
    shift = dict(zip(map(tuple, at), rng.uniform(-0.001, 0.001, at.shape), strict=True))
    wound = shapely.transform(
        fine, lambda xy: np.array([np.add(one, shift[tuple(one)]) for one in xy.round(7)])
    )
    return wound[shapely.is_valid(wound)]


@settings(max_examples=40)
@given(mosaics())
def test_no_gap_and_no_overlap_comes_with_any_resolution(shapes):
    if not shapely.coverage_is_valid(shapes):
        return  # the wind made cells overlap: then nothing is promised of their borders
    touching = shapely.STRtree(shapes).query(shapes, predicate="touches")
    for shown, covered in drawing.coverages(shapes):
        assert shapely.coverage_is_valid(shown)
        assert not covered.any()
        assert (shapely.area(shown) > 0).all()
        for one, other in touching.T:
            if shapely.intersection(shapes[one], shapes[other]).length:
                # What they share are corners and edges of both.
                shared = shapely.intersection(shown[one], shown[other])
                assert shared.length > 0
                assert corners(shared) <= corners(shown[one]) & corners(shown[other])


@pytest.fixture
def decoded(areas_conn, tmp_path):
    """decoded(z, x, y, area, **filters) → the features of a tile by MVT layer, read by GDAL."""

    def read(z, x, y, area="VN", **filters):
        tile = layers.tile(areas_conn, "areas", z, x, y, areas.get(areas_conn, area), **filters)
        path = tmp_path / "tile.mvt"
        path.write_bytes(tile)
        names = pyogrio.list_layers(path)[:, 0] if tile else []
        return {name: pyogrio.read_dataframe(path, layer=name) for name in names}

    return read


@pytest.fixture
def whole_zoom(decoded):
    """whole_zoom(z, area, **filters) → the features of all tiles around the test's areas."""

    def read(z, area="VN", **filters):
        found = {"areas": [], "area_labels": []}
        (x0, y0), (x1, y1) = tile_at(105.5, 21.8, z), tile_at(106, 21.3, z)
        for x in range(x0, x1 + 1):
            for y in range(y0, y1 + 1):
                for name, frame in decoded(z, x, y, area, **filters).items():
                    found[name] += frame.drop(columns="geometry").to_dict("records")
        return found

    return read


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    side = 1 << z
    down = 1 - math.asinh(math.tan(math.radians(lat))) / math.pi
    return int((lon + 180) / 360 * side), int(down / 2 * side)


@pytest.mark.parametrize("z", [0, 4, 5, 7, 8, 10, 11, 12, 13])
@pytest.mark.parametrize("level", ["commune", "province", "country", None])
def test_each_area_stands_once_as_a_point_and_is_drawn_wherever_it_is(
    areas_conn, tmp_path, whole_zoom, z, level
):
    shapes = {code: square(corner) for code, corner in (HOME | AWAY).items()}
    boundaries.load(areas_conn, write(tmp_path, shapes), LoadOptions())
    codes = {"commune": sorted(shapes), "province": ["08", "19"], "country": ["VN"]}
    shown = level or ("province" if z < 8 else "commune")
    found = whole_zoom(z, level=level)
    labels = found["area_labels"]
    assert sorted(one["code"] for one in labels) == codes[shown]
    assert {one["level"] for one in labels} == {shown}
    assert {one["code"]: one["name"] for one in labels} == {
        code: areas.get(areas_conn, code).name for code in codes[shown]
    }
    if z >= 4:  # at zoom 0 such a commune is a third of a tile's unit
        assert {one["code"] for one in found["areas"]} == set(codes[shown])
    if z >= 12:
        # More tiles than areas: those that lie in several are drawn in each.
        assert len(found["areas"]) > len(codes[shown])


def test_a_tile_of_one_area_holds_nothing_beside_it(areas_conn, tmp_path, whole_zoom):
    shapes = {code: square(corner) for code, corner in (HOME | AWAY).items()}
    boundaries.load(areas_conn, write(tmp_path, shapes), LoadOptions())
    for area, codes in (("19", set(HOME)), ("01108", {"01108"}), ("46", set())):
        for z in (9, 12):
            found = whole_zoom(z, area, level="commune")
            assert {one["code"] for one in found["areas"]} == codes


def test_neighbours_meet_at_the_same_corners_of_a_tile(areas_conn, tmp_path, decoded):
    boundaries.load(areas_conn, write(tmp_path, {"05443": LEFT, "05455": RIGHT}), LoadOptions())
    for z in (8, 9, 10, 11, 12):
        x, y = tile_at(105.8, 21.55, z)
        frame = decoded(z, x, y, level="commune")["areas"]
        drawn_there = dict(zip(frame["code"], frame.geometry, strict=True))
        left, right = drawn_there["05443"], drawn_there["05455"]
        assert left.intersection(right).area == 0
        # No sliver between them either: their union has no hole and is one piece.
        union = left.union(right)
        assert union.geom_type == "Polygon"
        assert len(union.interiors) == 0


def test_unknown_level_is_refused_with_the_choices(areas_conn):
    with pytest.raises(UsageError, match="country, province, commune"):
        layers.tile(areas_conn, "areas", 5, 0, 0, areas.get(areas_conn, "VN"), level="district")


@pytest.mark.country
def test_the_whole_country_keeps_its_borders_at_every_resolution(country_file):
    frame = geopandas.read_parquet(country_file)
    of = frame["province_code"].to_numpy()
    shapes = np.asarray(frame.geometry, dtype=object)
    assert not shapely.coverage_is_valid(shapes)  # the source overlaps here and there
    counts = []
    for shown, covered in drawing.coverages(shapes):
        assert not covered.any()
        assert shapely.is_valid(shown).all()
        assert (shapely.area(shown) > 0).all()
        assert shapely.coverage_is_valid(shown)
        provinces = np.array([shapely.coverage_union_all(shown[of == p]) for p in sorted(set(of))])
        assert shapely.coverage_is_valid(provinces)
        country = shapely.coverage_union_all(provinces)
        assert country.area == pytest.approx(shapely.area(shown).sum())
        holes = [ring for part in shapely.get_parts(country) for ring in part.interiors]
        assert len(holes) <= 1
        counts.append(int(shapely.get_num_coordinates(shown).sum()))
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < 60_000
