"""Shapes, tiles and figures of areas over HTTP: kept by version, compressed once, asked again."""

import gzip

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import insert

from api import access, admission, area_tiles, areas, blueprints, packed
from geo import boundaries
from geo.tables import boundary_version
from tests import page_data, people

GZIP = {"Accept-Encoding": "gzip"}
YEAR = "private, max-age=31536000, immutable"
ASK = "private, no-cache"
SHAPES = (
    "/api/v1/areas/VN/children.geojson?z=5",
    "/api/v1/areas/05001/outline.geojson?z=12",
    "/tiles/areas/8/203/112.mvt?level=commune",
)


@pytest.fixture
def app(conn, begin):
    page_data.add_areas(conn)
    areas.SHAPES, area_tiles.TILES = packed.Shelf(1 << 20), packed.Shelf(1 << 20)
    made = OpenAPI("tests")
    access.install(made, begin)
    admission.install(made)
    blueprints.register(made)
    return made


@pytest.fixture
def client(app, conn):
    return people.client(app, conn)


@pytest.mark.parametrize("address", SHAPES)
def test_a_shape_is_kept_for_a_year_under_its_version_and_asked_for_again_otherwise(
    client, conn, address
):
    version = boundaries.version(conn)
    named = client.get(f"{address}&v={version}")
    assert (named.status_code, named.headers["Cache-Control"]) == (200, YEAR)
    for other in (address, f"{address}&v=1-0"):
        answer = client.get(other)
        assert answer.headers["Cache-Control"] == ASK
        assert answer.data == named.data
    tag = named.headers["ETag"]
    assert not tag.startswith("W/")
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("address", SHAPES)
def test_after_a_load_the_former_version_is_no_longer_kept(client, conn, address):
    former = boundaries.version(conn)
    conn.execute(insert(boundary_version).values(source="new", accuracy_m=1))
    assert client.get(f"{address}&v={former}").headers["Cache-Control"] == ASK
    present = boundaries.version(conn)
    assert client.get(f"{address}&v={present}").headers["Cache-Control"] == YEAR


def test_a_body_worth_it_is_compressed_for_who_can_read_that(client):
    address = "/api/v1/areas/19/children.geojson"
    plain, small = client.get(address), client.get(address, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert len(plain.data) < 1000  # fits into a packet as it is
    assert "Content-Encoding" not in small.headers
    body = packed.Body(b"xa phuong " * 500)
    assert gzip.decompress(body.packed) == body.plain
    with client.application.test_request_context(headers=GZIP):
        answer = packed.answer(body, "text/plain", lasting=True)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.data == body.packed
        assert "Accept-Encoding" in answer.headers["Vary"]
        packed_tag = answer.headers["ETag"]
    for refused in ({}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "br"}):
        with client.application.test_request_context(headers=refused):
            answer = packed.answer(body, "text/plain", lasting=True)
            assert answer.data == body.plain
            assert answer.headers["ETag"] != packed_tag


def test_the_shelf_makes_a_body_once_and_keeps_within_its_limit():
    made = []

    def maker(name):
        return lambda: made.append(name) or name.encode() * 300

    shelf = packed.Shelf(700)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert shelf.get(name, maker(name)).plain == name.encode() * 300
        assert shelf.held <= 700
    # With c, b went: a had been asked for since.
    assert made == ["a", "b", "c", "b"]
    assert packed.Shelf(10).get("a", maker("a")).plain == b"a" * 300


def test_what_a_shelf_cannot_make_is_not_kept():
    shelf = packed.Shelf(1000)
    with pytest.raises(ZeroDivisionError):
        shelf.get("a", lambda: bytes(1 // 0))
    assert shelf.get("a", lambda: b"x").plain == b"x"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/areas/nowhere/children.geojson", 404),
        ("/api/v1/areas/VN/children.geojson?z=-1", 400),
        ("/api/v1/areas/VN/children.geojson?z=23", 400),
        ("/api/v1/areas/VN/children.geojson?z=NaN", 400),
        ("/api/v1/areas/VN/children.geojson?zoom=5", 400),
        ("/api/v1/areas/VN/children.geojson?v=%00", 400),
        ("/tiles/areas/8/256/112.mvt", 404),
        ("/tiles/areas/23/0/0.mvt", 404),
        ("/tiles/areas/8/203/112.mvt?level=district", 400),
        ("/tiles/areas/8/203/112.mvt?area=nowhere", 404),
        ("/tiles/areas/8/203/112.mvt?verdict=inside", 400),
        ("/api/v1/areas/nowhere/children/figures.json", 404),
    ],
)
def test_what_cannot_be_is_refused(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_who_is_not_signed_in_gets_no_shape(app):
    for address in (*SHAPES, "/api/v1/areas/VN/children/figures.json"):
        assert app.test_client().get(address).status_code == 401


def test_figures_are_told_by_code_and_again_only_when_they_changed(client, conn, monkeypatch):
    asked = []
    real = areas.metrics.children_figures
    monkeypatch.setattr(areas.metrics, "children_figures", lambda *a: asked.append(a) or real(*a))
    address = "/api/v1/areas/19/children/figures.json"
    first = client.get(address)
    told = first.get_json()["figures"]
    assert told["05001"]["suppressed"] is False
    before = told["05001"]["households"]
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(address, headers=tag).status_code == 304
    assert len(asked) == 1
    page_data.add_household(conn, "HN-000009", "05001")
    second = client.get(address, headers=tag)
    assert second.status_code == 200
    assert second.get_json()["figures"]["05001"]["households"] == before + 1
    assert second.headers["Cache-Control"] == ASK


def test_what_one_may_see_is_never_sent_to_another(app, conn):
    for code, commune in (("HN-000011", "05001"), ("HN-000012", "05002")):
        page_data.add_household(conn, code, commune)
    address = "/api/v1/areas/19/children/figures.json"
    everything = people.client(app, conn)
    elsewhere = people.client(app, conn, "planner@05001")
    whole = everything.get(address)
    assert {
        code: (row["suppressed"], row["households"])
        for code, row in whole.get_json()["figures"].items()
    } == {"05001": (False, 1), "05002": (False, 1)}
    # One household is a small cell: hidden from who looks at another's commune.
    told = elsewhere.get(address, headers={"If-None-Match": whole.headers["ETag"]})
    assert told.status_code == 200
    row = told.get_json()["figures"]["05002"]
    assert (row["suppressed"], row["households"]) == (True, None)
    # And the one who sees everything is told everything again.
    assert everything.get(address).data == whole.data
