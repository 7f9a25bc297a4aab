"""Groups over HTTP: their members, who of them is active, and changes within one's own areas."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from geo.account_tables import account, team, team_member
from tests.admin_world import World, build, last_entry, put
from tests.page_data import PAYLOADS, words

SIZES = (52, 41, 38, 36, 35, 34, 33, 33, 32, 32)
KINDS = ("Ban chỉ đạo", "Tổ giúp việc")


@pytest.fixture
def world(conn: Connection, begin: Callable) -> World:
    return build(conn, begin)


def group(conn: Connection, name: str, code: str, members: list[int], kind: str = "") -> int:
    """A group with members."""
    commune = code if len(code) == 5 else ""
    province = "24" if code.startswith(("24", "07")) else "19"
    made = conn.execute(
        insert(team)
        .values(name=name, kind=kind, area_code=code, province_code=province, commune_code=commune)
        .returning(team.c.team_id)
    ).scalar_one()
    for account_id in members:
        conn.execute(insert(team_member).values(team_id=made, account_id=account_id))
    return made


def groups_of(conn: Connection, sizes: tuple[int, ...], seen: datetime) -> None:
    """Groups of a province whose members were all seen at a moment."""
    for number, size in enumerate(sizes):
        rows = [
            {
                "login": f"m{number}.{one}", "full_name": f"Người {one}", "province_code": "19",
                "last_login_at": seen, "last_seen_at": seen,
            }
            for one in range(size)
        ]  # fmt: skip
        made = conn.execute(insert(account).returning(account.c.account_id), rows).scalars().all()
        group(conn, f"Nhóm {number + 1}", "19", list(made), KINDS[number % 2])


def test_ten_groups_of_366_members_who_are_all_active(world: World) -> None:
    assert (len(SIZES), sum(SIZES)) == (10, 366)
    groups_of(world.conn, SIZES, datetime.now(UTC) - timedelta(days=3))
    html = world.browser("admin.19").get("/groups?area=19&days=30").text
    said = words(html)
    assert "Nhóm 10 Thành viên 366 Đã từng đăng nhập 366" in said
    assert "Hoạt động trong 30 ngày qua 100,0 % 366 trên 366 thành viên" in said
    assert len(re.findall(r'href="/groups/\d+', html)) == 10


def test_the_period_decides_who_is_active(world: World) -> None:
    groups_of(world.conn, (3,), datetime.now(UTC) - timedelta(days=10))
    group(world.conn, "Nhóm B", "05001", [world.ids["officer.19"]])  # who never signed in
    browser = world.browser("admin.19")
    assert "0 trên 4 thành viên" in words(browser.get("/groups?days=7").text)
    said = words(browser.get("/groups?days=30").text)
    assert "3 trên 4 thành viên" in said and "Đã từng đăng nhập 3" in said
    assert "75,0 %" in said


@pytest.mark.parametrize(
    ("who", "seen"),
    [("admin.19", {"A", "B"}), ("admin.05001", {"B"}), ("admin.05002", set()), ("admin.24", {"C"})],
)
def test_administrators_see_the_groups_of_their_own_areas(
    world: World, who: str, seen: set[str]
) -> None:
    made = {
        "A": group(world.conn, "Nhóm A", "19", []),
        "B": group(world.conn, "Nhóm B", "05001", []),
        "C": group(world.conn, "Nhóm C", "24", []),
    }
    browser = world.browser(who)
    html = browser.get("/groups").text
    assert set(re.findall(r">Nhóm ([ABC])<", html)) == seen
    assert ("chưa có nhóm nào" in html) is (not seen)
    for name, team_id in made.items():
        status = 200 if name in seen else 404
        assert browser.get(f"/groups/{team_id}").status_code == status
        sent = {"change": "group-dissolved"}
        if status == 404:
            assert browser.post(f"/groups/{team_id}", data=sent).status_code == 404
    assert len(world.conn.execute(select(team)).all()) == 3


def test_a_group_is_made_filled_renamed_and_dissolved(world: World) -> None:
    browser = world.browser("admin.19")
    sent = {"name": "Tổ giúp việc xã", "kind": "Tổ giúp việc", "area": "ba be"}
    answer = browser.post("/groups", data=sent)
    assert answer.status_code == 303
    url = answer.headers["Location"]
    assert last_entry(world.conn)["reason"] == "group-made"
    for change, more, reason in (
        ("joined", {"login": "Officer.05001", "position": "Tổ trưởng"}, "joined: officer.05001"),
        ("group-renamed", {"name": "Tổ 1", "kind": ""}, "group-renamed"),
    ):
        assert browser.post(url, data={"change": change, **more}).status_code == 303
        entry = last_entry(world.conn)
        assert (entry["reason"], entry["commune_code"]) == (reason, "05001")
    said = words(browser.get(url).text)
    assert "Tổ 1" in said and "Thành viên (1)" in said and "Tổ trưởng" in said
    assert "○ Chưa đăng nhập" in said
    browser.post(url, data={"change": "left", "login": "officer.05001"})
    assert "Nhóm chưa có thành viên." in browser.get(url).text
    answer = browser.post(url, data={"change": "group-dissolved"})
    assert answer.headers["Location"] == "/groups?area=05001"
    assert world.conn.execute(select(team)).all() == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"name": "", "area": "19"}, 422),
        ({"name": "x" * 201, "area": "19"}, 422),
        ({"name": "Nhóm A", "area": "19"}, 409),
        ({"name": "Nhóm X", "area": "24"}, 403),
        ({"name": "Nhóm X", "area": "VN"}, 403),
        ({"name": "Nhóm X", "area": ""}, 422),
    ],
)
def test_a_group_that_cannot_be_is_refused_in_words(world: World, sent: dict, status: int) -> None:
    group(world.conn, "Nhóm A", "19", [])
    answer = world.browser("admin.19").post("/groups", data=sent)
    assert answer.status_code == status and 'role="alert"' in answer.text
    assert len(world.conn.execute(select(team)).all()) == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"change": "joined", "login": "officer.24"}, 404),
        ({"change": "joined", "login": "officer.19"}, 404),
        ({"change": "joined", "login": "nobody"}, 404),
        ({"change": "left", "login": "nobody"}, 404),
        ({"change": "group-renamed", "name": ""}, 422),
        ({"change": "disabled"}, 400),
        ({}, 400),
    ],
)
def test_members_come_from_one_s_own_areas(world: World, sent: dict, status: int) -> None:
    team_id = group(world.conn, "Nhóm B", "05001", [])
    answer = world.browser("admin.05001").post(f"/groups/{team_id}", data=sent)
    assert answer.status_code == status and 'role="alert"' in answer.text
    assert world.conn.execute(select(team_member)).all() == []


def test_hostile_names_of_groups_stay_text(world: World) -> None:
    number = world.ids["officer.05001"]
    put(world.conn, number, full_name=PAYLOADS[2])
    for payload in PAYLOADS:
        team_id = group(world.conn, payload, "05001", [number], payload)
    browser = world.browser("admin.05001")
    for path in ("/groups", f"/groups/{team_id}"):
        html = browser.get(path).text
        assert "<img src=x" not in html and "<script>document.title" not in html
    assert all(payload in words(browser.get("/groups").text) for payload in PAYLOADS)
