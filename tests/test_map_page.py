"""The map page as the server sends it: small whatever is stored, and only what one may see."""

from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select, update

from geo import areas
from geo.account_tables import access_log
from geo.metrics import METRICS
from geo.tables import area
from tests import page_data, people
from tests.page_data import INSIDE, OUTSIDE
from web import labels
from web.app import create_app
from web.map_page import FILTERS
from web.maps.view import filters, layers
from web.records import SHOWN
from web.shell import with_province

AREAS = ("VN", "19", "05001")


@pytest.fixture
def world(conn: Connection) -> Connection:
    page_data.add_areas(conn)
    page_data.add_records(conn, demo=True)
    return conn


def reader(world: Connection, begin: Callable, *held: str) -> FlaskClient:
    return people.client(create_app(begin), world, *held)


@pytest.fixture
def client(world: Connection, begin: Callable) -> FlaskClient:
    return reader(world, begin)


@pytest.mark.parametrize("code", AREAS)
def test_the_page_is_small_and_lists_nothing(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/map/{code}")
    assert answer.status_code == 200
    assert len(answer.data) < 60_000
    assert "H1" not in answer.text and OUTSIDE not in answer.text


def test_the_menu_leads_to_the_map_of_the_page_s_area(client: FlaskClient) -> None:
    assert 'href="/map/19"' in client.get("/progress/19").text


def test_map_alone_leads_to_one_s_own_area_with_the_rest_of_the_address(
    world: Connection, begin: Callable
) -> None:
    own = reader(world, begin, "supervisor@05001")
    answer = own.get("/map?layers=surveys&verdict=outside&other=1&at=9/21/105")
    assert answer.status_code == 302
    assert answer.location == ("/map/05001?layers=surveys&verdict=outside&other=1&at=9%2F21%2F105")


def test_a_part_of_a_link_that_no_map_has_is_named(client: FlaskClient) -> None:
    told = "Bản đồ không có mục “%s”; phần này của liên kết bị bỏ qua"
    for path in ("/map/05001", "/map/05001/file.html"):
        for known in (
            "verdict=outside",
            "at=9/21/105",
            "layers=areas",
            "metric=coverage",
            "lang=vi",
        ):
            assert "bị bỏ qua" not in unescape(client.get(f"{path}?{known}").text), known
        html = client.get(f"{path}?verdcit=outside&%3Cb%3E=1&at=9/21/105").text
        assert told % "verdcit”, “<b>" in unescape(html)
        assert "“<b>" not in html
        many = "&".join(f"{n}{'x' * 50}=1" for n in range(9))
        names = [f"{n}{'x' * 39}…" for n in range(5)]
        assert told % "”, “".join([*names, "…"]) in unescape(client.get(f"{path}?{many}").text)
    english = unescape(client.get("/map/05001?lang=en&verdcit=1").text)
    assert "The map has no “verdcit”; this part of the link is ignored" in english


@pytest.mark.parametrize(
    "part", ["at=9/95/200", "at=9/21", "at=9/21/1e5", "metric=bogus", "layers=bogus"]
)
def test_a_value_that_no_map_can_show_is_named(client: FlaskClient, part: str) -> None:
    answer = client.get(f"/map/05001?{part}&verdict=outside")
    assert answer.status_code == 200
    told = f"Bản đồ không có mục “{part}”; phần này của liên kết bị bỏ qua"
    assert told in unescape(answer.text)


def test_only_the_country_is_offered_by_commune(client: FlaskClient) -> None:
    country = client.get("/map/VN?level=commune").text
    assert '<option value="commune" selected>' in country
    assert len(country) < 60_000
    assert 'name="level"' not in client.get("/map/19").text
    assert client.get("/map/19?level=commune").status_code == 200


def test_every_filter_of_a_layer_has_its_field(client: FlaskClient) -> None:
    html = client.get("/map/19").text
    assert set(filters()) <= set(FILTERS)
    for key in filters():
        assert f'data-filter="{key}"' in html
    for layer in layers():
        assert f'value="{layer.name}"' in html


def test_figures_come_by_their_own_address_and_a_commune_has_its_own(client: FlaskClient) -> None:
    assert "/api/v1/areas/19/children/figures.json" in client.get("/map/19").text
    assert "0.6666666666666666" not in client.get("/map/19").text
    assert '"coverage": 0.6666666666666666' in client.get("/map/05001").text


def test_a_planner_sees_areas_and_no_records(world: Connection, begin: Callable) -> None:
    planner = reader(world, begin, "planner@VN")
    html = planner.get("/map/19").text
    assert 'value="areas"' in html
    assert 'value="surveys"' not in html and "/tiles/" not in html
    assert "/file.html" not in html
    assert planner.get("/map/19/file.html").status_code == 403


def test_figures_of_small_areas_elsewhere_are_hidden(world: Connection, begin: Callable) -> None:
    page_data.add_household(world, "Y1", "05002")
    hidden = reader(world, begin, "planner@05001").get("/map/05002").text
    assert '"suppressed": true' in hidden and '"coverage": null' in hidden
    shown = reader(world, begin, "supervisor@19").get("/map/05002").text
    assert '"suppressed": false' in shown and '"coverage": 0.0' in shown


def test_maps_of_other_areas_are_refused(world: Connection, begin: Callable) -> None:
    officer = reader(world, begin, "officer@05002")
    for path in ("/map/05001", "/map/19", "/map/05001/file.html"):
        assert officer.get(path).status_code == 403, path
    assert officer.get("/map/05002").status_code == 200


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("verdict=somewhere", "“Kết luận vị trí” của bản đồ không nhận “somewhere”"),
        ("rule=nothing", "“Cảnh báo” của bản đồ không nhận “nothing”"),
        ("severity=7", "“Mức cảnh báo”"),
        ("since=2026-99-99", "“Từ ngày” của bản đồ không nhận “2026-99-99”"),
        ("until=2026-11-20T10:00:00Z", "“Đến ngày” của bản đồ không nhận “2026-11-20T10:00:00Z”"),
        ("since=2026-11-20&until=2026-11-01", "“Từ ngày” (2026-11-20) sau “Đến ngày” (2026-11-01)"),
        ("enumerator=" + 201 * "x", "“Điều tra viên”"),
        ("status=<b>", "không nhận “<b>”"),
        ("level=district", "“Tô màu theo” của bản đồ không nhận “district”"),
    ],
)
def test_a_filter_that_the_form_cannot_hold_is_refused_in_words(
    client: FlaskClient, query: str, told: str
) -> None:
    for path in ("/map/05001", "/map/05001/file.html"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert told in unescape(answer.text)
        assert "“<b>”" not in answer.text


@pytest.mark.parametrize(
    "query", ["verdict=", "verdict=doubtful", "state=decided", "since=2026-01-01", "rule=outside"]
)
def test_filters_of_the_form_are_taken(client: FlaskClient, query: str) -> None:
    assert client.get(f"/map/05001?{query}").status_code == 200
    assert client.get(f"/map/05001/file.html?{query}").status_code == 200


def titles(client: FlaskClient, query: str) -> list[str]:
    answer = client.get("/map/search.json", query_string={"q": query})
    assert answer.status_code == 200
    return [one["title"] for one in answer.get_json()["items"]]


def test_search_finds_areas_without_tone_marks_and_records_by_code(client: FlaskClient) -> None:
    assert titles(client, "ba be")[0] == "Xã Ba Bể, Tỉnh Thái Nguyên"
    assert "N/1" in titles(client, "N/1")
    assert titles(client, INSIDE) == [INSIDE]
    assert titles(client, "h2")[0].startswith("H2 · ")
    assert titles(client, "") == titles(client, "no such thing") == []


@pytest.mark.parametrize("path", ["/search", "/map/search.json"])
def test_what_is_searched_for_leaves_no_piece_of_a_number_in_the_log(
    world: Connection, client: FlaskClient, path: str
) -> None:
    for query in ("0010", "0010990123", "00109901234", "001099012345", "H1"):
        assert client.get(path, query_string={"q": query}).status_code == 200
    told = select(access_log.c.query).where(access_log.c.subject == "search")
    assert list(world.execute(told.order_by(access_log.c.entry_id)).scalars()) == [
        "••••", "•" * 10, "•" * 11, "•" * 9 + "345", "H1",
    ]  # fmt: skip


def test_a_province_is_not_named_twice(world: Connection) -> None:
    country, province = areas.get(world, "VN"), areas.get(world, "19")
    assert with_province(world, province, country) == "Tỉnh Thái Nguyên"


def test_search_tells_where_a_record_stands(client: FlaskClient) -> None:
    found = client.get("/map/search.json", query_string={"q": INSIDE}).get_json()
    (one,) = found["items"]
    assert found["more"] is False
    assert (one["lon"], one["lat"]) == (105.05, 21.05)
    assert one["url"] == f"/surveys/{INSIDE}?commune=05001"
    assert one["kind"] == "Phiếu · Xã Ba Bể, Tỉnh Thái Nguyên"


def test_search_shows_records_of_one_s_own_areas_only(world: Connection, begin: Callable) -> None:
    officer = reader(world, begin, "officer@05002")
    for query in ("N/1", INSIDE, "h2", "ba be"):
        assert titles(officer, query) == [], query
    planner = reader(world, begin, "planner@VN")
    assert titles(planner, INSIDE) == []
    assert titles(planner, "ba be") == ["Xã Ba Bể, Tỉnh Thái Nguyên"]


def test_search_ends_after_one_s_own_areas_not_after_all_that_are_called_so(
    world: Connection, begin: Callable
) -> None:
    key = "phuong duc xuan"
    world.execute(update(area).where(area.c.code == "05002").values(name_key=key))
    for n in range(30):
        world.execute(
            insert(area).values(
                code=f"{n:05}", level="commune", name="Đức Xuân", full_name="Phường Đức Xuân",
                kind="Phường", parent_code="19", province_code="19", name_key=key,
            )
        )  # fmt: skip
    own = ["Phường Đức Xuân, Tỉnh Thái Nguyên"]
    assert titles(reader(world, begin, "officer@05002"), "duc xuan") == own
    assert len(titles(reader(world, begin, "officer@19"), "duc xuan")) == SHOWN


def test_metrics_of_the_map_are_metrics_with_a_scale(client: FlaskClient) -> None:
    html = client.get("/map/19?lang=en").text
    for key in ("coverage", "completion", "poverty_rate", "mismatch_share"):
        assert METRICS[key].kind == "ratio"
        assert str(labels.term(METRICS[key].vi, METRICS[key].en))
        assert f'<option value="{key}"' in html
