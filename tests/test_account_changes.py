"""Changes of one account by its administrators, over HTTP: only within their own areas."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from geo.account_tables import account, login_session, token
from geo.accounts import passwords, sessions
from tests.admin_world import World, build, held, last_entry
from tests.page_data import words

PASSWORD = re.compile(r'<code class="secret">([a-z2-9]{4}(?:-[a-z2-9]{4}){5})</code>')


@pytest.fixture
def world(conn: Connection, begin: Callable) -> World:
    return build(conn, begin)


@pytest.mark.parametrize(
    ("who", "whose"),
    [
        ("admin.19", "admin.24"),
        ("admin.19", "officer.07001"),
        ("admin.19", "admin.vn"),
        ("admin.05001", "admin.19"),
        ("admin.05001", "officer.05002"),
    ],
)
def test_a_forged_id_finds_nothing_as_an_id_that_nobody_has(
    world: World, who: str, whose: str
) -> None:
    browser = world.browser(who)
    for method in (browser.get, browser.post):
        answer = method(f"/accounts/{world.ids[whose]}")
        unknown = method("/accounts/999999999")
        assert answer.status_code == unknown.status_code == 404
        assert whose not in answer.text
        assert words(answer.text).replace(str(world.ids[whose]), "#") == words(
            unknown.text
        ).replace("999999999", "#")


CHANGES = (
    {"change": "disabled"},
    {"change": "enabled"},
    {"change": "password-reset"},
    {"change": "code-reset"},
    {"change": "signed-out"},
    {"change": "renamed", "full_name": "X Y"},
    {"change": "moved", "area": "05002"},
    {"change": "granted", "role": "auditor", "area": "05001"},
    {"change": "token-revoked", "token": "1"},
)


@pytest.mark.parametrize("sent", CHANGES, ids=lambda sent: sent["change"])
def test_an_account_with_a_role_elsewhere_is_not_changed(world: World, sent: dict) -> None:
    before = world.conn.execute(select(account).order_by(account.c.account_id)).all()
    answer = world.browser("admin.19").post(f"/accounts/{world.ids['both']}", data=sent)
    assert answer.status_code == 403
    assert "cần quản trị viên cấp trên thực hiện" in answer.text
    assert held(world.conn, world.ids["both"]) == {"officer@05001", "officer@07001"}
    after = world.conn.execute(select(account).order_by(account.c.account_id)).all()
    assert [row.login for row in before if row not in after] in ([], ["admin.19"])
    entry = last_entry(world.conn)
    assert (entry["subject_id"], entry["outcome"]) == ("both", "denied")


@pytest.mark.parametrize("sent", CHANGES, ids=lambda sent: sent["change"])
def test_nobody_changes_their_own_account_here(world: World, sent: dict) -> None:
    answer = world.browser("admin.19").post(f"/accounts/{world.ids['admin.19']}", data=sent)
    assert answer.status_code == 403
    assert held(world.conn, world.ids["admin.19"]) == {"administrator@19"}


@pytest.mark.parametrize(
    ("who", "whose", "role", "area", "status"),
    [
        ("admin.19", "officer.19", "administrator", "VN", 403),
        ("admin.19", "officer.19", "officer", "24", 403),
        ("admin.19", "officer.19", "officer", "07001", 403),
        ("admin.05001", "officer.05001", "administrator", "19", 403),
        ("admin.05001", "officer.05001", "officer", "05002", 403),
        ("admin.19", "officer.19", "king", "19", 400),
        ("admin.19", "officer.19", "officer", "nowhere at all", 422),
        ("admin.19", "officer.19", "officer", "", 422),
    ],
)
def test_rights_above_or_beside_one_s_own_are_not_given(
    world: World, who: str, whose: str, role: str, area: str, status: int
) -> None:
    before = held(world.conn, world.ids[whose])
    sent = {"change": "granted", "role": role, "area": area}
    answer = world.browser(who).post(f"/accounts/{world.ids[whose]}", data=sent)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert held(world.conn, world.ids[whose]) == before


@pytest.mark.parametrize(
    ("whose", "role"), [("both", "officer@05001"), ("admin.19", "administrator@19")]
)
def test_a_role_of_such_an_account_or_one_s_own_is_not_taken(
    world: World, whose: str, role: str
) -> None:
    before = held(world.conn, world.ids[whose])
    sent = {"change": "revoked", "held": role}
    answer = world.browser("admin.19").post(f"/accounts/{world.ids[whose]}", data=sent)
    assert answer.status_code == 403
    assert held(world.conn, world.ids[whose]) == before


def test_a_role_is_given_and_taken_back_with_an_entry_each(world: World) -> None:
    browser, number = world.browser("admin.19"), world.ids["officer.05001"]
    sent = {"change": "granted", "role": "auditor", "area": "Phường Đức Xuân (05002)"}
    answer = browser.post(f"/accounts/{number}", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/accounts/{number}")
    assert last_entry(world.conn)["reason"] == "granted: auditor@05002"
    assert held(world.conn, number) == {"officer@05001", "auditor@05002"}
    said = words(browser.get(f"/accounts/{number}").text)
    assert "Đã lưu: Cấp vai trò." in said and "Kiểm tra viên Phường Đức Xuân" in said
    browser.post(f"/accounts/{number}", data={"change": "revoked", "held": "auditor@05002"})
    assert last_entry(world.conn)["reason"] == "revoked: auditor@05002"
    assert held(world.conn, number) == {"officer@05001"}


def test_one_session_after_another_ends_when_the_administrator_says_so(world: World) -> None:
    number = world.ids["officer.05001"]
    officer, browser = world.browser("officer.05001"), world.browser("admin.05001")
    assert officer.get("/progress/05001").status_code == 200
    assert "Kết thúc mọi phiên đang mở (1)" in words(browser.get(f"/accounts/{number}").text)
    browser.post(f"/accounts/{number}", data={"change": "signed-out"})
    assert officer.get("/progress/05001").status_code == 303
    rows = world.conn.execute(select(login_session).where(login_session.c.account_id == number))
    assert rows.all() == []


def test_a_disabled_account_is_out_and_comes_back(world: World) -> None:
    number, browser = world.ids["officer.05001"], world.browser("admin.05001")
    secret = sessions.start(world.conn, number, "", "")
    browser.post(f"/accounts/{number}", data={"change": "disabled"})
    assert sessions.find(world.conn, secret) is None
    assert "✕ Đã ngừng" in words(browser.get(f"/accounts/{number}").text)
    browser.post(f"/accounts/{number}", data={"change": "enabled"})
    assert "Đã ngừng" not in words(browser.get(f"/accounts/{number}").text)


def test_password_and_second_factor_are_reset_for_somebody_else(world: World) -> None:
    number, browser = world.ids["officer.05001"], world.browser("admin.05001")
    browser.post(f"/accounts/{number}", data={"change": "password-reset"})
    shown = PASSWORD.search(browser.get(f"/accounts/{number}").text)
    row = world.conn.execute(select(account).where(account.c.account_id == number)).one()
    assert shown and passwords.verify(row.password_hash, shown[1]) and row.must_change_password
    browser.post(f"/accounts/{number}", data={"change": "code-reset"})
    row = world.conn.execute(select(account).where(account.c.account_id == number)).one()
    assert row.totp_confirmed_at is None


def test_a_token_is_revoked_with_an_entry(world: World) -> None:
    number = world.ids["officer.05001"]
    token_id = world.conn.execute(
        insert(token)
        .values(
            token_hash=b"x" * 32, account_id=number, name="máy tính bảng", actions=["surveys.send"],
            expires_at=datetime.now(UTC) + timedelta(days=3),
        )
        .returning(token.c.token_id)
    ).scalar_one()  # fmt: skip
    browser = world.browser("admin.05001")
    assert "máy tính bảng Gửi phiếu rà soát" in words(browser.get(f"/accounts/{number}").text)
    browser.post(f"/accounts/{number}", data={"change": "token-revoked", "token": str(token_id)})
    revoked = world.conn.execute(select(token.c.revoked_at)).scalar_one()
    assert revoked is not None
    assert last_entry(world.conn)["reason"] == f"token-revoked: {token_id}"


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "²", "7"])
def test_a_token_that_is_not_there_is_refused_in_words(world: World, number: str) -> None:
    sent = {"change": "token-revoked", "token": number}
    answer = world.browser("admin.05001").post(f"/accounts/{world.ids['officer.05001']}", data=sent)
    assert answer.status_code == 404 and 'role="alert"' in answer.text


def test_names_and_areas_are_changed(world: World) -> None:
    number, browser = world.ids["officer.05001"], world.browser("admin.19")
    browser.post(
        f"/accounts/{number}",
        data={"change": "renamed", "full_name": "Ma Thị Sáu", "position": "Công chức"},
    )
    browser.post(f"/accounts/{number}", data={"change": "moved", "area": "05002"})
    row = world.conn.execute(select(account).where(account.c.account_id == number)).one()
    assert (row.full_name, row.position, row.commune_code) == ("Ma Thị Sáu", "Công chức", "05002")
    assert last_entry(world.conn)["reason"] == "moved: 05001 → 05002"
