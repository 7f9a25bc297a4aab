"""A map as one file: what it holds, of whom, and that nothing in it asks for anything."""

import base64
import hashlib
import json
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select

from geo import areas, layers
from geo.account_tables import access_log
from geo.tables import survey
from tests import page_data, people
from tests.mvt_reading import located
from tests.page_data import INSIDE, OUTSIDE, PAYLOADS, UNCERTAIN, words
from web import map_store
from web.app import create_app
from web.map_store import Stored, over, zoom_for
from web.maps import counting, cutting

FILE = "/map/05001/file.html"
BOX = "box=105,21,105.2,21.1"


@pytest.fixture
def world(conn: Connection) -> Connection:
    page_data.add_areas(conn)
    page_data.add_records(conn, demo=True)
    return conn


@pytest.fixture
def client(world: Connection, begin: Callable) -> FlaskClient:
    return people.client(create_app(begin), world)


def data(html: str) -> dict:
    """What the file keeps, as its script reads it."""
    found = re.search(r"window\.AncuStored = (.*?);</script>", html, re.DOTALL)
    assert found
    return json.loads(found[1])


def held(html: str) -> bytes:
    return b"".join(base64.b64decode(one) for one in data(html)["tiles"].values())


def test_the_file_holds_the_layers_that_were_asked_for(client: FlaskClient) -> None:
    html = client.get(f"{FILE}?layers=surveys,areas&at=12/21.05/105.1&{BOX}").text
    kept = data(html)
    assert {path.split("/")[0] for path in kept["tiles"]} == {"surveys"}
    assert "surveys/0/0/0" in kept["tiles"]
    for survey_id in (INSIDE, OUTSIDE, UNCERTAIN):
        assert survey_id.encode() in held(html)
    assert kept["answers"]["figures"]["figures"]["05001"]["name"] == "Xã Ba Bể"
    assert kept["answers"]["outline"]["features"][0]["properties"]["code"] == "05001"


def test_the_file_tells_how_much_it_holds_who_made_it_and_that_it_is_demo_data(
    client: FlaskClient,
) -> None:
    told = words(client.get(f"{FILE}?layers=surveys&{BOX}").text)
    assert "Phiếu rà soát: 3 trên 3 bản ghi có toạ độ." in told
    part = words(client.get(f"{FILE}?layers=surveys&at=16/21/105&box=105,21,105.06,21.1").text)
    assert "Phiếu rà soát: 1 trên 3 bản ghi có toạ độ." in part
    assert "lưu lúc" in told and "giờ Việt Nam" in told and "Người" in told
    assert "DỮ LIỆU MẪU" in told


def test_filters_of_the_page_hold_in_the_file_and_are_told(client: FlaskClient) -> None:
    html = client.get(f"{FILE}?layers=surveys&verdict=outside&{BOX}").text
    assert OUTSIDE.encode() in held(html) and INSIDE.encode() not in held(html)
    assert "Đã lọc" in words(html) and "Lệch địa bàn" in words(html)


def test_names_of_persons_are_never_in_the_file(client: FlaskClient) -> None:
    html = client.get(f"/map/19/file.html?layers=surveys,households,sites,areas&{BOX}").text
    for payload in PAYLOADS:
        assert payload not in html and payload.encode() not in held(html)


def test_nothing_in_the_file_asks_for_anything(client: FlaskClient) -> None:
    html = client.get(f"{FILE}?layers=surveys,areas").text
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    body = re.sub(r"<(script|style)>.*?</\1>", "", html, flags=re.DOTALL)
    assert not re.search(r"\b(src|srcset)=|<link|<iframe|<object|url\(", body)
    for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL):
        assert "@import" not in style and "url(http" not in style and "url(/" not in style


def test_only_the_file_s_own_scripts_may_run(client: FlaskClient) -> None:
    html = client.get(f"{FILE}?layers=surveys&lang=</script><script>alert(1)</script>").text
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == html.count("<script>") == 12
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy[1]


def test_a_saved_map_is_an_export_in_the_access_log(world: Connection, client: FlaskClient) -> None:
    client.get(f"{FILE}?layers=surveys&{BOX}")
    newest = select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    entry = world.execute(newest).mappings().one()
    assert (entry["action"], entry["subject"]) == ("records.export", "map")
    assert (entry["commune_code"], entry["rows"]) == ("05001", 3)
    assert "layers=surveys" in entry["query"]


def test_the_log_keeps_the_box_whole(world: Connection, client: FlaskClient) -> None:
    client.get(f"{FILE}?layers=surveys&box=105.012345678901234,21.0,105.2,21.1")
    newest = select(access_log.c.query).order_by(access_log.c.entry_id.desc()).limit(1)
    kept = world.execute(newest).scalar_one()
    assert kept == "layers=surveys&box=105.01235,21.00000,105.20000,21.10000"


def test_the_file_is_kept_under_a_name_that_tells_the_area(client: FlaskClient) -> None:
    answer = client.get(FILE)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ancu-map-05001.html"'
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("role", ["enumerator@05001", "planner@VN"])
def test_who_may_not_export_saves_no_map(world: Connection, begin: Callable, role: str) -> None:
    assert people.client(create_app(begin), world, role).get(FILE).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "at=x/1/2",
        "at=99/21/105",
        "at=-1/21/105",
        "box=1,2,3",
        "box=nan,nan,nan,nan",
        "box=106,21,105,22",
        "layers=surveys&verdict=somewhere",
        "layers=surveys&since=yesterday",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_in_words(
    client: FlaskClient, query: str
) -> None:
    answer = client.get(f"{FILE}?{query}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_box_is_covered_by_its_tiles_once() -> None:
    assert list(over((-180, -85, 180, 85), 1)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert list(over((105.01, 21.01, 105.02, 21.02), 8)) == [(202, 112)]


def test_the_view_of_a_box_is_about_a_screen() -> None:
    for box in ((102.1, 8.3, 109.6, 23.5), (105, 21, 105.2, 21.1), (105, 21, 105.0001, 21.0001)):
        assert 1 <= len(list(over(box, zoom_for(box)))) <= 20


def test_limits_leave_out_fine_tiles_and_the_number_held_is_told(
    world: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_store, "MAX_TILES", 12)
    kept, area = Stored(), areas.get(world, "05001")
    map_store.add_tiles(world, kept, "surveys", area, (105.0, 21.0, 105.2, 21.1), 10, {})
    first, last = kept.zooms["surveys"]
    assert first == 7 and 8 <= last < 14
    assert len(kept.tiles) <= 13
    assert kept.held["surveys"] == kept.total["surveys"] == 3


@pytest.mark.parametrize("z", [0, 5, 9, 10, 14])
def test_records_of_a_tile_are_counted_as_gdal_reads_them(world: Connection, z: int) -> None:
    area = areas.get(world, "VN")
    box = (105.0, 21.0, 105.2, 21.1)
    tiles = [layers.tile(world, "surveys", z, x, y, area) for x, y in over(box, z)]
    assert sum(map(counting.records, tiles)) == 3


def ids_in(kept: Stored) -> set[str]:
    """The identifiers of surveys in all the tiles, wherever they stand in these."""
    said = b"".join(base64.b64decode(one) for one in kept.tiles.values()).decode("latin-1")
    return set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", said))


@pytest.mark.parametrize("zoom", [9, 12, 14, 16])
def test_no_zoom_of_a_file_holds_a_record_beside_its_box(world: Connection, zoom: int) -> None:
    area, (west, south, east, north) = areas.get(world, "05001"), (105.04, 21.03, 105.11, 21.07)
    placed = select(survey.c.survey_id, func.ST_X(survey.c.geom), func.ST_Y(survey.c.geom))
    rows = world.execute(placed.where(survey.c.geom.is_not(None))).all()
    inside = {str(one) for one, x, y in rows if west < x < east and south < y < north}
    assert 0 < len(inside) < len(rows)
    kept = Stored()
    map_store.add_tiles(world, kept, "surveys", area, (west, south, east, north), zoom, {})
    assert ids_in(kept) == inside
    assert kept.held["surveys"] == len(inside)


@pytest.mark.parametrize("z", [9, 10, 11])
def test_a_cut_tile_says_the_same_of_what_is_left(world: Connection, z: int) -> None:
    area, box = areas.get(world, "05001"), (105.04, 21.03, 105.07, 21.07)
    for x, y in over(box, z):
        whole = layers.tile(world, "surveys", z, x, y, area)
        cut = cutting.cut(whole, z, x, y, map_store.frame_of(box))
        (left,) = located(cut)
        assert left in located(whole) and len(located(whole)) > 1
        assert cutting.cut(whole, z, x, y, (-1, -1, 2, 2)) == whole


@pytest.mark.parametrize("query", ["layers=surveys", "layers=areas"])
def test_a_frame_with_nothing_of_the_area_makes_no_file(client: FlaskClient, query: str) -> None:
    answer = client.get(f"{FILE}?box=1,2,3,4&{query}")
    assert answer.status_code == 400
    assert "không có phần nào của Xã Ba Bể" in words(answer.text)


def test_a_tile_of_points_and_squares_is_counted_by_what_they_stand_for() -> None:
    def field(number: int, body: bytes) -> bytes:
        return bytes([number << 3 | 2, len(body)]) + body

    point = field(2, field(2, bytes([1, 0])))
    square = field(2, field(2, bytes([1, 0, 0, 1])) + bytes([0x18, 1]))
    keys = field(3, b"count") + field(3, b"flagged")
    values = field(4, bytes([0x28, 7])) + field(4, bytes([0x28, 0xAC, 0x02]))
    tile = field(3, bytes([0x78, 2]) + field(1, b"surveys") + point + square + keys + values)
    assert counting.records(tile) == 1 + 300
    assert counting.records(b"") == 0
