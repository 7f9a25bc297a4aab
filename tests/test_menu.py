"""The menu and the links of pages: only what the person who reads them may open."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Connection

from tests import page_data, people
from tests.page_data import words
from web.app import create_app

PROGRESS, AUDIT, TARGETING = "/progress/{}", "/audit?area={}", "/targeting?area={}"
MAP = "/map/{}"
ADDRESSES = "/addresses?area={}"


@pytest.fixture
def app(conn: Connection, begin: Callable) -> Flask:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    page_data.add_household(conn, "Y1", "05002")
    return create_app(begin)


def links(html: str) -> list[str]:
    menu = re.search(r'<nav aria-label="Trang chính">(.*?)</nav>', html, re.DOTALL)
    return re.findall(r'href="([^"]+)"', menu[1]) if menu else []


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ("enumerator@05001", [PROGRESS, MAP, AUDIT, ADDRESSES, TARGETING, "/import"]),
        ("officer@05001", [PROGRESS, MAP, AUDIT, ADDRESSES, TARGETING, "/import"]),
        ("supervisor@05001", [PROGRESS, MAP, AUDIT, ADDRESSES, TARGETING]),
        ("auditor@05001", [PROGRESS, MAP, AUDIT, ADDRESSES, TARGETING]),
        ("planner@05001", [PROGRESS, MAP, TARGETING]),
        ("administrator@05001", ["/accounts", "/groups", "/log"]),
    ],
)
def test_the_menu_holds_what_the_role_may_open(
    conn: Connection, app: Flask, held: str, shown: list[str]
) -> None:
    client = people.client(app, conn, held)
    html = client.get("/account").text
    assert links(html) == [url.format("05001") for url in shown]
    for url in links(html):
        assert client.get(url).status_code == 200
    assert 'role="search"' in html and "Đăng xuất" in html


def test_the_menu_stays_at_the_page_s_area_where_that_is_open(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "planner@VN", "officer@05001")
    assert links(client.get("/progress/05002").text) == [
        "/progress/05002",
        "/map/05002",
        "/audit?area=05001",
        "/addresses?area=05001",
        "/targeting?area=05002",
        "/import",
    ]


def test_a_commune_s_officer_sees_names_above_but_no_links_to_them(
    conn: Connection, app: Flask
) -> None:
    client = people.client(app, conn, "officer@05001")
    html = client.get("/progress/05001").text
    assert 'href="/progress/05001"' in html
    trail = re.search(r'<nav class="trail".*?</nav>', html, re.DOTALL)
    assert trail and words(trail[0]) == "Việt Nam Tỉnh Thái Nguyên Xã Ba Bể"
    assert not re.findall(r'href="/progress/(?!05001)', html)
    found = client.get("/search?q=05002").text
    assert "<span>Phường Đức Xuân</span>" in found and "/progress/05002" not in found


def test_whose_role_shows_no_records_is_told_so_in_place_of_the_lists(
    conn: Connection, app: Flask
) -> None:
    client = people.client(app, conn, "planner@VN")
    html = client.get("/progress/05001").text
    assert "Danh sách hộ, phiếu và nhà không hiện với vai trò của bạn." in html
    assert "Mọi hộ trong danh sách đã được khảo sát." not in html
    assert "/households/" not in html and "/surveys/" not in html


@pytest.mark.parametrize(
    ("held", "offered"), [("officer@05001", True), ("enumerator@05001", False)]
)
def test_files_are_offered_to_those_who_may_have_them(
    conn: Connection, app: Flask, held: str, offered: bool
) -> None:
    client = people.client(app, conn, held)
    for url in ("/progress/05001", "/audit?area=05001"):
        html = client.get(url).text
        assert bool(re.search(r'href="/api/v1/(households|sites|findings)\?', html)) is offered


def test_a_page_of_another_area_says_whose_it_is_not(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "officer@05001")
    answer = client.get("/progress/05002")
    assert answer.status_code == 403
    said = words(answer.text)
    assert "Không thuộc quyền của bạn Phường Đức Xuân (05002) không thuộc địa bàn của bạn." in said
    assert "Cần thêm quyền thì đề nghị người quản trị" in said


def test_a_page_of_another_role_says_what_it_needs(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "officer@05001")
    answer = client.get("/log")
    assert answer.status_code == 403
    assert "Vai trò của bạn không có quyền: Xem nhật ký truy cập." in answer.text
    assert "Read the access log." in client.get("/log?lang=en").text


def test_a_page_that_is_not_there_has_the_menu_all_the_same(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "officer@05001")
    answer = client.get("/nothing-here")
    assert answer.status_code == 404 and "/progress/05001" in links(answer.text)
    assert links(app.test_client().get("/nothing-here").text) == []


@pytest.mark.parametrize(
    ("held", "way"),
    [
        ("officer@05001", 'href="/">Về trang tiến độ<'),
        ("administrator@05001", 'href="/accounts">Tới trang: Tài khoản<'),
    ],
)
@pytest.mark.parametrize(("url", "status"), [("/nowhere", 404), ("/progress/05002", 403)])
def test_an_error_page_leads_to_where_its_reader_may_go(
    conn: Connection, app: Flask, held: str, way: str, url: str, status: int
) -> None:
    answer = people.client(app, conn, held).get(url)
    assert answer.status_code == status and way in answer.text


def test_figures_that_are_hidden_are_said_to_be_hidden_not_to_be_none(
    conn: Connection, app: Flask
) -> None:
    client = people.client(app, conn, "planner@05001")
    for url in ("/progress/05002", "/progress/19", "/targeting?area=19"):
        html = client.get(url).text
        assert "Số liệu được che: địa bàn ngoài phạm vi của bạn" in html
        assert "Chưa có hộ nào" not in html
