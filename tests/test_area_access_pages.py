"""Who has access to an area, and the hand-over of its administration, over HTTP."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, select

from geo.account_tables import account_role, handover
from tests.admin_world import World, build, held, last_entry
from tests.page_data import words

WHY = "Phân cấp quản trị"


@pytest.fixture
def world(conn: Connection, begin: Callable) -> World:
    return build(conn, begin)


def test_who_has_access_says_what_the_scope_hides(world: World) -> None:
    at_commune = words(world.browser("admin.05001").get("/accounts/area/05001").text)
    assert "officer.05001" in at_commune and "admin.05001" in at_commune
    assert "… và người có quyền ở cấp trên." in at_commune
    assert "admin.19" not in at_commune.replace("… và", "")
    at_province = words(world.browser("admin.19").get("/accounts/area/05001").text)
    assert "admin.19" in at_province and "… và người có quyền ở cấp trên." in at_province
    at_country = words(world.browser("admin.vn").get("/accounts/area/05001").text)
    assert "admin.vn" in at_country and "cấp trên." not in at_country
    assert "officer.05002" not in at_country and "admin.24" not in at_country


def test_who_has_access_to_part_of_an_area_stands_apart(world: World) -> None:
    html = world.browser("admin.19").get("/accounts/area/19").text
    whole, _, part = html.partition("Một phần: địa bàn cấp dưới")
    assert "officer.19" in whole and "officer.05001" not in whole
    assert "officer.05001" in part and "both" in part and "07001" not in part


def test_an_area_without_anybody_says_so(world: World) -> None:
    world.conn.execute(account_role.delete().where(account_role.c.area_code == "05002"))
    said = words(world.browser("admin.19").get("/accounts/area/05002").text)
    assert "officer.19" in said
    world.conn.execute(account_role.delete().where(account_role.c.area_code.in_(["07001"])))
    said = words(world.browser("admin.24").get("/accounts/area/24").text)
    assert "Chưa có ai có vai trò ở cấp dưới." in said and "Chưa có lần bàn giao nào." in said


def test_the_administration_is_handed_over_as_one_recorded_act(world: World) -> None:
    browser = world.browser("admin.05001")
    form = browser.get("/accounts/area/05001/handover").text
    assert 'value="officer.05001"' in form and 'value="admin.05001"' not in form
    sent = {"login": "officer.05001", "keep": "no", "reason": "QĐ 12/2026 <b>"}
    answer = browser.post("/accounts/area/05001/handover", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    entry = last_entry(world.conn)
    assert (entry["reason"], entry["subject_id"]) == (
        "handed-over: 05001, given up", "officer.05001",
    )  # fmt: skip
    assert held(world.conn, world.ids["officer.05001"]) == {"officer@05001", "administrator@05001"}
    assert held(world.conn, world.ids["admin.05001"]) == set()
    assert browser.get("/accounts").status_code == 403
    record = world.conn.execute(select(handover)).one()
    assert (record.from_account_id, record.to_account_id) == (
        world.ids["admin.05001"],
        world.ids["officer.05001"],
    )
    said = words(world.browser("officer.05001").get("/accounts/area/05001").text)
    assert "Các lần bàn giao quản trị (1)" in said and "QĐ 12/2026 <b>" in said


@pytest.mark.parametrize(
    ("who", "code", "sent", "status"),
    [
        ("admin.19", "05001", {"login": "officer.05001", "keep": "no"}, 400),
        ("admin.19", "05001", {"login": "officer.05002"}, 400),
        ("admin.19", "05001", {"login": "officer.24"}, 404),
        ("admin.19", "05001", {"login": ""}, 404),
        ("admin.19", "05001", {"login": "admin.05001"}, 409),
        ("admin.19", "05001", {"login": "officer.05001", "reason": ""}, 422),
        ("admin.19", "05001", {"login": "officer.05001", "reason": "." * 20}, 422),
        ("admin.19", "19", {"login": "admin.19"}, 403),
        ("admin.19", "24", {"login": "officer.24"}, 403),
        ("admin.05001", "19", {"login": "officer.05001"}, 403),
    ],
)
def test_a_hand_over_that_cannot_be_changes_nothing(
    world: World, who: str, code: str, sent: dict, status: int
) -> None:
    before = world.conn.execute(select(account_role)).all()
    answer = world.browser(who).post(
        f"/accounts/area/{code}/handover", data={"reason": WHY, **sent}
    )
    assert answer.status_code == status
    assert world.conn.execute(select(account_role)).all() == before
    assert world.conn.execute(select(handover)).all() == []


def test_a_province_hands_a_commune_over_and_keeps_its_own(world: World) -> None:
    browser = world.browser("admin.19")
    answer = browser.post(
        "/accounts/area/05001/handover", data={"login": "officer.05001", "reason": WHY}
    )
    assert answer.headers["Location"] == "/accounts/area/05001"
    said = words(browser.get("/accounts/area/05001").text)
    assert "Đã bàn giao quản trị Xã Ba Bể cho officer.05001." in said
    assert held(world.conn, world.ids["admin.19"]) == {"administrator@19"}
