"""Areas with their figures as maps: what pages show, in the shapes that maps draw, hidden alike."""

import io
import json

import pyogrio
import pytest
import shapely
from sqlalchemy import delete

from geo import areas, boundaries, exports, metrics
from geo.boundaries import LoadOptions
from geo.errors import ForbiddenError, UsageError
from geo.metrics import METRICS
from geo.scope import NOBODY, Scope
from geo.shape_tables import area_shape
from tests import people
from tests import records_world as world
from tests.test_boundaries import square, write
from web.app import create_app

CORNERS = {"00101": (105.0, 21.0), "00102": (105.1, 21.0), "00201": (105.2, 21.0)}
AREAS = ["VN", "01", "02", "00101", "00102", "00201"]


@pytest.fixture
def filled(conn, tmp_path):
    """Three communes side by side with a few records."""
    world.fill(conn)
    shapes = {code: square(corner) for code, corner in CORNERS.items()}
    boundaries.load(conn, write(tmp_path, shapes), LoadOptions())
    return conn


def written(conn, code, format):
    out = io.BytesIO()
    count = exports.export(conn, "areas", areas.get(conn, code), format, out)
    return count, out.getvalue()


def features(conn, code="VN"):
    count, body = written(conn, code, "geojson")
    found = json.loads(body)
    assert len(found["features"]) == count
    return found, {one["properties"]["code"]: one for one in found["features"]}


def shape(feature):
    return shapely.from_geojson(json.dumps(feature["geometry"]))


def shown(figures):
    """Figures as JSON has them."""
    return {
        key: value.astimezone(metrics.TIME_ZONE).isoformat(timespec="seconds")
        if METRICS[key].kind == "time" and value
        else value
        for key, value in figures.items()
        if key in METRICS
    }


def test_larger_areas_come_first_and_each_has_the_figures_of_its_page(filled):
    _, found = features(filled)
    assert list(found) == AREAS
    for code, one in found.items():
        told = metrics.figures(filled, areas.get(filled, code))
        assert {key: one["properties"][key] for key in METRICS} == shown(told)
        assert one["properties"]["suppressed"] == 0
    assert found["00101"]["properties"]["parent_code"] == "01"
    assert found["00101"]["properties"]["surveys"] == 4


@pytest.mark.parametrize(
    ("code", "codes"), [("01", ["01", "00101", "00102"]), ("00201", ["00201"])]
)
def test_an_area_comes_with_all_below_it(filled, code, codes):
    assert list(features(filled, code)[1]) == codes


def test_shapes_are_those_of_maps_and_parts_make_up_the_whole(filled):
    _, found = features(filled)
    shapes = {code: shape(one) for code, one in found.items()}
    for code, corner in CORNERS.items():
        whole = shapely.MultiPolygon([square(corner)]).normalize()
        assert shapes[code].normalize().equals_exact(whole, 1e-6)
    assert shapes["01"].equals(shapes["00101"] | shapes["00102"])
    assert shapes["VN"].equals(shapes["01"] | shapes["02"])


def test_a_geopackage_has_the_same(filled, tmp_path):
    path = tmp_path / "areas.gpkg"
    assert exports.export(filled, "areas", areas.get(filled, "VN"), "gpkg", path) == len(AREAS)
    info = pyogrio.read_info(path, layer="areas")
    assert (info["geometry_type"], info["crs"]) == ("MultiPolygon", "EPSG:4326")
    frame = pyogrio.read_dataframe(path)
    _, found = features(filled)
    assert frame["code"].tolist() == AREAS
    for row in frame.itertuples():
        properties = found[row.code]["properties"]
        told = (properties["households"], properties["full_name"])
        assert (row.households, row.full_name) == told
        assert row.geometry.equals(shape(found[row.code]))


def test_demo_data_is_said(filled):
    assert "note" in features(filled)[0]
    assert "note" not in features(filled, "01")[0]


@pytest.mark.parametrize("format", ["geojson", "gpkg"])
def test_an_area_without_a_boundary_has_its_figures(filled, tmp_path, format):
    bare = areas.get(filled, "00102")
    filled.execute(delete(area_shape).where(area_shape.c.area_id == bare.area_id))
    path = tmp_path / f"areas.{format}"
    exports.export(filled, "areas", areas.get(filled, "01"), format, path)
    frame = pyogrio.read_dataframe(path).set_index("code")
    assert [code for code, one in frame.geometry.items() if one is None] == ["00102"]
    assert frame.households["00102"] == 1


def test_figures_of_areas_elsewhere_are_hidden_as_on_pages(filled, acting):
    own = Scope(provinces=frozenset({"01"}), action="figures.read", figures_elsewhere=True)
    with acting(own) as conn:
        _, found = features(conn)
        pages = {code: metrics.figures(conn, areas.get(conn, code)) for code in AREAS}
    hidden = {code for code, one in found.items() if one["properties"]["suppressed"]}
    assert hidden == {code for code, told in pages.items() if told["suppressed"]}
    assert hidden >= {"02", "00201"}
    for code in AREAS:
        assert {key: found[code]["properties"][key] for key in METRICS} == shown(pages[code])
        assert found[code]["geometry"] is not None


def test_who_may_not_look_gets_nothing(filled, acting):
    with acting(NOBODY) as conn, pytest.raises(ForbiddenError):
        written(conn, "VN", "geojson")


@pytest.mark.parametrize(
    ("format", "type", "begins"),
    [
        ("gpkg", "application/geopackage+sqlite3", b"SQLite format 3\0"),
        ("geojson", "application/geo+json", b'{"type":"FeatureCollection"'),
    ],
)
def test_they_come_over_http(filled, begin, format, type, begins):
    client = people.client(create_app(begin), filled)
    with client.get(f"/api/v1/progress/01?format={format}") as answer:
        name = answer.headers["Content-Disposition"]
        assert (answer.status_code, answer.mimetype) == (200, type)
        assert name == f"attachment; filename=ancu-areas-01.{format}"
        assert answer.data.startswith(begins)


@pytest.mark.parametrize("format", ["csv", "xlsx", "shp", "parquet", "kml", "fgb"])
def test_other_formats_are_refused_in_words(filled, format):
    with pytest.raises(UsageError, match="polygons with figures; choose gpkg or geojson"):
        written(filled, "VN", format)
