"""Tiles hold every record once at any zoom; GDAL reads them back."""

import math
import random
from pathlib import Path

import pyogrio
import pytest

from geo import areas, layers, metrics
from geo.errors import NotFoundError, UsageError
from geo.layers import LAYERS
from geo.tables import STAGES, STATUSES, VERDICTS
from tests import records_world as world
from tests.records_world import add_household, add_survey

DOCS = Path(__file__).parent.parent / "docs" / "layers.md"


@pytest.fixture
def area(conn):
    world.build(conn)
    return world.country(conn)


@pytest.fixture
def features(conn, area, tmp_path):
    """features(layer, z, x, y, **filters) → the attributes of a tile's features."""

    def read(name, z, x, y, of=None, **filters):
        metrics.recount(conn, [*world.PAIRS, ("01", "")])
        body = layers.tile(conn, name, z, x, y, of or area, **filters)
        if not body:
            return []
        path = tmp_path / f"{name}-{z}-{x}-{y}.mvt"
        path.write_bytes(body)
        frame = pyogrio.read_dataframe(path, layer=name, read_geometry=False)
        return frame.drop(columns="mvt_id", errors="ignore").to_dict("records")

    return read


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """The tile that holds a point, by the formula of OSM's slippy map."""
    north = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return math.floor((lon + 180) / 360 * (1 << z)), math.floor(north * (1 << z))


def corner(z: int, x: int, y: int) -> tuple[float, float]:
    """The north-west corner of a tile."""
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << z)))))
    return x / (1 << z) * 360 - 180, lat


def counted(rows) -> int:
    return sum(row.get("count", 1) for row in rows)


@pytest.mark.parametrize("z", [0, 5, 9, 10])
def test_each_record_stands_in_one_tile_of_a_zoom(conn, area, features, z):
    rnd = random.Random(1)
    code = add_household(conn)
    edge_lon, edge_lat = corner(10, 811, 450)
    places = [(edge_lon, edge_lat), (edge_lon, 21.0), (105.0, edge_lat)]
    places += [(rnd.uniform(104.9, 105.6), rnd.uniform(20.8, 21.4)) for _ in range(60)]
    for at in places:
        add_survey(conn, code, at=at, verdict=rnd.choice(VERDICTS))
    tiles = {tile_of(*at, z) for at in places}
    around = {(x + dx, y + dy) for x, y in tiles for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    inside = [(x, y) for x, y in around if 0 <= x < 1 << z and 0 <= y < 1 << z]
    assert sum(counted(features("surveys", z, x, y)) for x, y in inside) == len(places)


def test_squares_tell_how_many_of_each_class(conn, area, features):
    code = add_household(conn)
    for verdict in ("inside", "inside", "outside"):
        add_survey(conn, code, at=(105.01, 21.01), verdict=verdict)
    (square,) = features("surveys", 6, *tile_of(105.01, 21.01, 6))
    assert square == {"count": 3, "inside": 2, "outside": 1}


def test_points_carry_only_what_their_style_needs(conn, area, features):
    code = add_household(conn, at=(105.01, 21.01), status="poor", head_name="<b>")
    survey_id = add_survey(conn, code, at=(105.01, 21.01), verdict="outside")
    z, (x, y) = 12, tile_of(105.01, 21.01, 12)
    assert features("surveys", z, x, y) == [
        {"commune_code": "00101", "id": survey_id, "verdict": "outside"}
    ]
    (row,) = features("households", z, x, y)
    place = {"province_code": "01", "commune_code": "00101"}
    assert row == {**place, "id": code, "status": "poor"}


@pytest.mark.parametrize("z", [6, 12])
def test_filters_and_area_narrow_a_tile(conn, area, features, z):
    code = add_household(conn)
    for verdict in ("inside", "outside"):
        add_survey(conn, code, at=(105.01, 21.01), verdict=verdict)
    x, y = tile_of(105.01, 21.01, z)
    assert counted(features("surveys", z, x, y, verdict="outside")) == 1
    assert counted(features("surveys", z, x, y, of=areas.get(conn, "00101"))) == 2
    assert counted(features("surveys", z, x, y, of=areas.get(conn, "02"))) == 0


@pytest.mark.parametrize("name", LAYERS)
def test_empty_tile_of_each_layer_is_empty(conn, area, name):
    assert layers.tile(conn, name, 5, 0, 0, area) == b""


@pytest.mark.parametrize(
    ("z", "x", "y"), [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (10**9, 0, 0)]
)
def test_tile_outside_the_pyramid_is_not_found(conn, area, z, x, y):
    with pytest.raises(NotFoundError, match="There is no tile"):
        layers.tile(conn, "surveys", z, x, y, area)


def test_unknown_layer_and_filter_are_refused_with_the_choices(conn, area):
    with pytest.raises(NotFoundError, match="surveys, households, sites"):
        layers.tile(conn, "secrets", 0, 0, 0, area)
    with pytest.raises(UsageError, match="area, status, since"):
        layers.tile(conn, "households", 0, 0, 0, area, verdict="inside")


def test_every_class_has_a_style():
    assert [c.key for c in LAYERS["surveys"].classes] == list(VERDICTS)
    assert [c.key for c in LAYERS["households"].classes] == list(STATUSES)
    assert [c.key for c in LAYERS["sites"].classes] == list(STAGES)


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_documented(name):
    assert f"| `{name}` | `{LAYERS[name].class_field}` |" in DOCS.read_text("utf-8")
