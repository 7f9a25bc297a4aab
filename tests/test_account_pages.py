"""One's own account over HTTP: sessions, password, second factor, tokens, and the steps before."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, select, update

from geo.account_tables import account, login_session, token
from geo.accounts import sessions, tokens
from geo.accounts.passwords import verify
from geo.scope import OPERATOR, Scope, bind
from tests import page_data, people
from tests.page_data import words
from tests.test_sign_in_pages import (
    OTHER,
    PASSWORD,
    entries,
    form_token,
    last_entry,
    person,
    send,
    sign_in,
    with_codes,
)
from web.app import create_app
from web.devices import device


@pytest.fixture
def app(conn: Connection, begin: Callable) -> Flask:
    page_data.add_areas(conn)
    return create_app(begin)


@pytest.fixture
def officer(conn: Connection) -> int:
    return person(conn, "officer@05001")


@pytest.fixture
def client(app: Flask, conn: Connection, officer: int) -> FlaskClient:
    """The officer's browser, signed in."""
    made = app.test_client()
    sign_in(made)
    return made


def stored(conn: Connection, account_id: int):
    return conn.execute(select(account).where(account.c.account_id == account_id)).one()


# ---- who one is, where one is signed in


def test_the_account_says_who_one_is_and_what_one_may_do(client: FlaskClient) -> None:
    said = words(client.get("/account").text)
    assert "Họ và tên Người 0" in said and "Tên đăng nhập lan" in said
    assert "Cán bộ xã Xã Ba Bể, Tỉnh Thái Nguyên" in said
    assert "Nhập hộ và nhà" in said and "Quản lý tài khoản" not in said
    assert "Officer" in client.get("/account?lang=en").text


def test_an_account_without_roles_says_who_gives_them(conn: Connection, app: Flask) -> None:
    person(conn)
    client = app.test_client()
    sign_in(client)
    landed = client.get("/")
    assert (landed.status_code, landed.headers["Location"]) == (302, "/account")
    assert "Tài khoản chưa có vai trò." in client.get("/account").text


def test_names_in_the_account_stay_text(conn: Connection, app: Flask) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    who = person(conn, full_name=hostile, position=hostile)
    client = app.test_client()
    sign_in(client)
    sessions.start(conn, who, "203.0.113.9", hostile)
    html = client.get("/account").text
    assert "<img" not in html and html.count("&lt;img src=x onerror=alert(1)&gt;") >= 3


def test_one_other_place_is_signed_out(
    conn: Connection, app: Flask, client: FlaskClient, officer: int
) -> None:
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36"
    other = sessions.start(conn, officer, "203.0.113.9", agent)
    html = client.get("/account").text
    assert "Chrome · Android" in html and "203.0.113.9" in html and html.count("nơi này") == 1
    key = re.search(r'name="key" value="([0-9a-f]{64})"', html)
    assert key and key[1] != other
    answer = send(client, "/account/sessions/end", page="/account", key=key[1])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "Đã đăng xuất ở nơi đó." in client.get("/account").text
    assert sessions.find(conn, other) is None
    assert last_entry(conn) == ("account.own", "lan", "allowed", "own-signed-out")


def test_everywhere_else_is_signed_out(conn: Connection, client: FlaskClient, officer: int) -> None:
    for _ in range(3):
        sessions.start(conn, officer, "203.0.113.9", "")
    send(client, "/account/sessions/end-others", page="/account")
    assert "Đã đăng xuất ở 3 nơi khác." in client.get("/account").text
    assert len(conn.execute(select(login_session)).all()) == 1


@pytest.mark.parametrize("key", ["", "zz", "00" * 32, "\0"])
def test_a_key_of_no_session_or_of_somebody_else_s_ends_nothing(
    conn: Connection, client: FlaskClient, key: str
) -> None:
    secret = sessions.start(conn, person(conn, login="minh"), "", "")
    mine = sessions.listing(conn, stored_id(conn, "minh"))[0].key
    for tried in (key, mine):
        assert send(client, "/account/sessions/end", page="/account", key=tried).status_code == 303
    assert sessions.find(conn, secret) is not None


def stored_id(conn: Connection, login: str) -> int:
    return conn.execute(select(account.c.account_id).where(account.c.login == login)).scalar_one()


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox · Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) coc_coc_browser/120 Chrome/114", "Cốc Cốc · Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 100, "x" * 40),
        ("", "–"),
    ],
)
def test_a_browser_is_called_by_its_name(agent: str, said: str) -> None:
    assert device(agent) == said


# ---- the password


def change(client: FlaskClient, old: str, new: str, again: str | None = None):
    form = {"old": old, "new": new, "again": new if again is None else again}
    return send(client, "/account/password", **form)


def test_a_new_password_counts_at_once_and_signs_out_elsewhere(
    conn: Connection, client: FlaskClient, officer: int
) -> None:
    sessions.start(conn, officer, "", "")
    answer = change(client, PASSWORD, OTHER)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "Đã đổi mật khẩu." in client.get("/account").text
    assert verify(stored(conn, officer).password_hash, OTHER)
    assert len(conn.execute(select(login_session)).all()) == 1
    assert last_entry(conn) == ("account.own", "lan", "allowed", "own-password")


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        (OTHER, "một mật khẩu khác hẳn", None, "Mật khẩu hiện tại không đúng"),
        (PASSWORD, OTHER, "con suối", "Hai lần nhập mật khẩu mới không giống nhau."),
        (PASSWORD, "ngắn", None, "Mật khẩu phải có ít nhất 12 ký tự."),
        (PASSWORD, PASSWORD, None, "Mật khẩu mới trùng mật khẩu cũ"),
    ],
)
def test_a_password_that_cannot_be_is_refused_beside_its_field(
    client: FlaskClient, conn: Connection, officer: int, old: str, new: str, again: str, said: str
) -> None:
    answer = change(client, old, new, again)
    assert answer.status_code == 422
    error = re.search(r'class="error-text">([^<]+)<', answer.text)
    assert error and error[1].startswith(said)
    assert new not in answer.text and old not in answer.text
    assert verify(stored(conn, officer).password_hash, PASSWORD)


# ---- steps that come first


def test_who_was_given_a_password_is_led_to_choosing_one(conn: Connection, app: Flask) -> None:
    person(conn, "officer@05001", must_change_password=True)
    client = app.test_client()
    assert sign_in(client).headers["Location"] == "/"
    for url in ("/", "/progress/05001", "/account", "/account/tokens", "/search?q=a"):
        answer = client.get(url)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/password")
    html = client.get("/account/password").text
    assert "Đặt mật khẩu của riêng bạn trước." in html
    assert 'aria-label="Trang chính"' not in html and "/progress/" not in html
    refused = client.get("/api/v1/areas/19")
    assert (refused.status_code, refused.get_json()["detail"]) == (
        403,
        "Choose a new password first.",
    )
    assert change(client, PASSWORD, OTHER).headers["Location"] == "/"
    assert client.get("/account").status_code == 200


def test_what_was_refused_for_a_step_is_denied_in_the_log(conn: Connection, app: Flask) -> None:
    person(conn, "officer@05001", must_change_password=True)
    client = app.test_client()
    sign_in(client)
    client.get("/progress/05001")
    assert last_entry(conn)[:3] == ("figures.read", "lan", "denied")


def test_an_administrator_sets_up_codes_before_anything_else(conn: Connection, app: Flask) -> None:
    who = person(conn, "administrator@19", must_change_password=True)
    client = app.test_client()
    sign_in(client)
    change(client, PASSWORD, OTHER)
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/second-factor")
    begun = send(client, "/account/second-factor")
    assert (begun.status_code, begun.headers["Location"]) == (303, "/account/second-factor")
    html = client.get("/account/second-factor").text
    assert "Bật xác thực hai bước trước." in html and "<svg" in html
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', html)
    assert secret
    assert html == client.get("/account/second-factor").text or secret[1] in html
    phone = pyotp.TOTP(secret[1].replace(" ", ""))
    wrong = send(client, "/account/second-factor/confirm", "/account/second-factor", code="1")
    assert wrong.status_code == 422 and "Mã không đúng." in wrong.text and "<svg" in wrong.text
    right = send(
        client, "/account/second-factor/confirm", "/account/second-factor", code=phone.now()
    )
    assert right.headers["Location"] == "/"
    assert stored(conn, who).totp_confirmed_at is not None
    assert client.get("/account").status_code == 200
    assert [one[3] for one in entries(conn) if one[0] == "account.own"] == [
        "own-password",
        "own-code-begun",
        "own-code-on",
        "own-code-on",
    ]


# ---- the second factor


def test_codes_are_removed_with_a_code(conn: Connection, client: FlaskClient, officer: int) -> None:
    phone = with_codes(conn, officer)
    page = "/account/second-factor"
    wrong = send(client, "/account/second-factor/remove", page, code="000000")
    assert wrong.status_code == 422 and stored(conn, officer).totp_confirmed_at
    answer = send(client, "/account/second-factor/remove", page, code=phone.now())
    assert answer.status_code == 303
    assert stored(conn, officer).totp_sealed is None
    assert "Đã tắt xác thực hai bước." in client.get(page).text


def test_an_administrator_cannot_remove_codes(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "administrator@19")
    page = client.get("/account/second-factor").text
    assert "Người quản trị không tắt được." in page and "/remove" not in page
    answer = client.post("/account/second-factor/remove", data={"code": "1"})
    assert answer.status_code == 403
    assert "Không thuộc quyền của bạn" in answer.text


def test_new_codes_are_not_made_over_those_in_use(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "administrator@19")
    assert client.post("/account/second-factor").status_code == 409


# ---- tokens


def make_token(client: FlaskClient, **form: object):
    form = {"name": "máy tổ 3", "actions": ["surveys.send"], "days": "30", **form}
    return send(client, "/account/tokens", **form)


def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    conn: Connection, app: Flask, client: FlaskClient
) -> None:
    answer = make_token(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/tokens")
    assert "Set-Cookie" not in answer.headers
    kept = client.get_cookie("ancu")
    secret = re.search(r"ancu_[\w-]{43}", client.get("/account/tokens").text)
    assert secret and kept
    client.set_cookie("ancu", kept.value)
    assert secret[0] not in client.get("/account/tokens").text
    program, header = app.test_client(), {"Authorization": f"Bearer {secret[0]}"}
    assert program.get("/api/v1/areas/19", headers=header).status_code == 200
    assert program.get("/api/v1/surveys", headers=header).status_code == 403
    number = conn.execute(select(token.c.token_id)).scalar_one()
    revoked = send(client, f"/account/tokens/{number}/revoke", "/account/tokens")
    assert revoked.status_code == 303
    assert "đã thu hồi" in client.get("/account/tokens").text
    assert program.get("/api/v1/areas/19", headers=header).status_code == 401
    told = [one[3] for one in entries(conn) if one[0] == "account.own"]
    assert told == ["token-made: máy tổ 3", f"token-revoked: {number}"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"actions": []}, "actions"),
        ({"actions": ["accounts.manage"]}, "actions"),
        ({"actions": ["audit.decide"]}, "actions"),
        ({"actions": ["no.such"]}, "actions"),
        ({"days": "0"}, "days"),
        ({"days": "9999"}, "days"),
        ({"days": "thirty"}, "days"),
        ({"days": ""}, "days"),
    ],
)
def test_a_token_that_cannot_be_is_refused_beside_its_field(
    conn: Connection, client: FlaskClient, form: dict, said: str
) -> None:
    answer = make_token(client, **form)
    assert answer.status_code == 422
    wrong = re.findall(r'class="field wrong"[^>]*>\s*<\w+(?: for="(\w+)")?', answer.text)
    assert wrong == [said if said != "actions" else ""]
    assert 'value="máy tổ 3"' in answer.text or said == "name"
    assert conn.execute(select(token)).all() == []


def test_somebody_else_s_token_is_not_there(
    conn: Connection, app: Flask, client: FlaskClient
) -> None:
    other = person(conn, "officer@05002", login="minh")
    bind(conn, Scope(write=True, account_id=other))
    user = sessions.find(conn, sessions.start(conn, other, "", ""))
    assert user
    number, secret = tokens.make(conn, user.user, "của Minh", ["records.read"], 30)
    bind(conn, OPERATOR)
    assert "của Minh" not in client.get("/account/tokens").text
    answer = send(client, f"/account/tokens/{number}/revoke", "/account/tokens")
    assert answer.status_code == 404
    assert tokens.find(conn, secret) is not None


def test_a_token_does_not_open_its_account(conn: Connection, app: Flask, officer: int) -> None:
    bind(conn, Scope(write=True, account_id=officer))
    user = sessions.find(conn, sessions.start(conn, officer, "", ""))
    assert user
    _number, secret = tokens.make(conn, user.user, "máy", ["surveys.send"], 30)
    bind(conn, OPERATOR)
    header = {"Authorization": f"Bearer {secret}"}
    program = app.test_client()
    for url in ("/account", "/account/tokens", "/account/password", "/account/second-factor"):
        assert program.get(url, headers=header).status_code == 403
    made = program.post("/account/tokens", headers=header, data={"name": "x"})
    assert made.status_code == 403 and made.content_type == "application/problem+json"


def test_an_ended_token_says_so(conn: Connection, client: FlaskClient) -> None:
    make_token(client)
    conn.execute(update(token).values(expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert "đã hết hạn" in client.get("/account/tokens").text


def test_the_form_token_of_one_session_is_none_of_another(
    conn: Connection, app: Flask, client: FlaskClient
) -> None:
    person(conn, login="minh")
    other = app.test_client()
    sign_in(other, "minh")
    foreign = form_token(other.get("/account").text)
    answer = client.post("/account/sessions/end-others", data={"csrf_token": foreign})
    assert answer.status_code == 400
