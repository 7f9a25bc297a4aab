"""Signing in and out over HTTP: one answer to all that is wrong, ways in and out, own account."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, select, update

from geo.account_tables import access_log, account, login_session
from geo.accounts import totp
from geo.accounts.passwords import hash_password
from geo.scope import OPERATOR, Scope, bind
from tests import page_data, people
from tests.page_data import words
from web.app import create_app
from web.sign_in import own_path

PASSWORD = "mùa vàng trên nương"
OTHER = "con suối nhỏ sau bản"
HASHED = hash_password(PASSWORD)


@pytest.fixture
def app(conn: Connection, begin: Callable) -> Flask:
    page_data.add_areas(conn)
    return create_app(begin)


def person(conn: Connection, *held: str, login: str = "lan", **values: object) -> int:
    """An account with a password and without a second factor."""
    account_id = people.add(conn, *held, login=login)
    values = {"password_hash": HASHED, "totp_confirmed_at": None, **values}
    conn.execute(update(account).where(account.c.account_id == account_id).values(values))
    return account_id


def with_codes(conn: Connection, account_id: int) -> pyotp.TOTP:
    """Codes set up for an account, and the app that shows them."""
    bind(conn, Scope(write=True, account_id=account_id))
    secret, _address = totp.begin(conn, account_id)
    bind(conn, OPERATOR)
    conn.execute(
        update(account)
        .where(account.c.account_id == account_id)
        .values(totp_confirmed_at=datetime.now(UTC))
    )
    return pyotp.TOTP(secret)


def form_token(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found
    return found[1]


def send(client: FlaskClient, url: str, page: str | None = None, **form: str):
    """Post a form as a browser does that has opened its page before."""
    token = form_token(client.get(page or url).text)
    return client.post(url, data={"csrf_token": token, **form})


def sign_in(client: FlaskClient, login: str = "lan", password: str = PASSWORD, next: str = ""):
    query = f"?next={next}" if next else ""
    return send(client, f"/sign-in{query}", login=login, password=password)


def entries(conn: Connection) -> list[tuple[str, str, str, str]]:
    columns = (access_log.c.action, access_log.c.login, access_log.c.outcome, access_log.c.reason)
    rows = conn.execute(select(*columns).order_by(access_log.c.entry_id))
    return [tuple(row) for row in rows]


def last_entry(conn: Connection) -> tuple[str, str, str, str]:
    return entries(conn)[-1]


# ---- the door


@pytest.mark.parametrize(
    ("url", "back"),
    [
        ("/", ""),
        ("/progress/19", "?next=/progress/19"),
        ("/audit?area=19&verdict=outside", "?next=/audit?area%3D19%26verdict%3Doutside"),
        ("/account", "?next=/account"),
        ("/import", "?next=/import"),
    ],
)
def test_pages_lead_to_the_door_and_it_leads_back(app: Flask, url: str, back: str) -> None:
    answer = app.test_client().get(url)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/sign-in{back}"


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/surveys",
        "/api/v1/areas/19",
        "/tiles/surveys/5/25/14.mvt",
        "/surveys/00000000-0000-4000-8000-000000000001/evidence.json",
    ],
)
def test_programs_are_told_to_bring_a_token(app: Flask, url: str) -> None:
    answer = app.test_client().get(url)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_program_that_posts_without_a_token_is_told_so_first(app: Flask) -> None:
    answer = app.test_client().post("/api/v1/surveys", json=[])
    assert answer.status_code == 401 and answer.get_json()["detail"] == "Sign in first."


def test_the_door_has_no_menu_and_no_search(app: Flask) -> None:
    html = app.test_client().get("/sign-in").text
    assert "<nav" not in html and 'role="search"' not in html and "/openapi/" not in html
    assert 'autocomplete="username"' in html and 'autocomplete="current-password"' in html


def test_who_gives_login_and_password_is_in(conn: Connection, app: Flask) -> None:
    who = person(conn, "officer@05001")
    client = app.test_client()
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = client.get("/account")
    assert page.status_code == 200 and "Cán bộ xã Xã Ba Bể, Tỉnh Thái Nguyên" in words(page.text)
    stored = conn.execute(select(login_session.c.account_id, login_session.c.address)).all()
    assert stored == [(who, "127.0.0.1")]
    assert ("sign-in", "lan", "allowed", "") in entries(conn)


def test_a_login_is_the_same_in_capitals_and_with_spaces(conn: Connection, app: Flask) -> None:
    person(conn)
    assert sign_in(app.test_client(), " LAN ").status_code == 303


def test_the_cookie_is_closed_to_scripts_and_holds_no_account(conn: Connection, app: Flask) -> None:
    person(conn)
    client = app.test_client()
    before = client.get("/sign-in").headers["Set-Cookie"]
    cookie = sign_in(client).headers["Set-Cookie"]
    assert cookie.startswith("ancu=") and before.split(";")[0] != cookie.split(";")[0]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    with client.session_transaction() as kept:
        assert set(kept) == {"_user_id", "_fresh", "_id"}


def test_all_that_is_wrong_gets_the_same_answer(conn: Connection, app: Flask) -> None:
    person(conn)
    person(conn, login="xa", disabled_at=datetime.now(UTC))
    person(conn, login="khoa", locked_until=datetime(2999, 1, 1, tzinfo=UTC))
    person(conn, login="moi", password_hash=None)
    attempts = [("lan", OTHER), ("ai-do", PASSWORD), ("xa", PASSWORD), ("khoa", PASSWORD)]
    answers = [
        sign_in(app.test_client(), login, password)
        for login, password in [*attempts, ("moi", PASSWORD), ("", ""), ("l\0an", "\0")]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({said_at_the_door(answer.text) for answer in answers}) == 1
    assert "không đúng, hoặc tài khoản đang bị khoá" in said_at_the_door(answers[0].text)
    assert PASSWORD not in answers[1].text and 'value="ai-do"' in answers[1].text
    assert entries(conn)[1] == ("sign-in", "ai-do", "denied", "")


def said_at_the_door(html: str) -> str:
    return words(html.split("<form")[0])


def test_five_failures_lock_and_the_right_password_is_wrong_then(
    conn: Connection, app: Flask
) -> None:
    who = person(conn)
    client = app.test_client()
    said = [sign_in(client, password=OTHER).text for _ in range(5)]
    locked = sign_in(client)
    assert locked.status_code == 401
    assert said_at_the_door(locked.text) == said_at_the_door(said[0])
    until = conn.execute(select(account.c.locked_until).where(account.c.account_id == who)).scalar()
    assert until is not None and until > datetime.now(UTC)
    assert [one[2] for one in entries(conn)] == ["denied"] * 6


def test_a_failure_is_told_to_the_administrators_of_the_account_s_area(
    conn: Connection, app: Flask
) -> None:
    person(conn, "officer@05001")
    sign_in(app.test_client(), password=OTHER)
    place = conn.execute(select(access_log.c.province_code, access_log.c.commune_code)).one()
    assert tuple(place) == ("19", "05001")


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/audit?area=19", "/audit?area=19"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("\t//evil.example", "/"),
        ("evil.example", "/"),
        (" /progress/19", "/"),
        ("@evil.example", "/"),
    ],
)
def test_the_way_back_stays_in_this_service(wanted: str, leads_to: str) -> None:
    assert own_path(wanted) == leads_to


def test_the_door_leads_on_to_what_was_asked_for(conn: Connection, app: Flask) -> None:
    person(conn, "officer@05001")
    client = app.test_client()
    answer = sign_in(client, next="/account/tokens")
    assert answer.headers["Location"] == "/account/tokens"
    again = client.get("/sign-in?next=//evil.example")
    assert (again.status_code, again.headers["Location"]) == (303, "/")


def test_a_form_without_its_token_is_refused_with_what_to_do(conn: Connection, app: Flask) -> None:
    person(conn)
    answer = app.test_client().post("/sign-in", data={"login": "lan", "password": PASSWORD})
    assert answer.status_code == 400
    assert "Phiên đã hết hạn hoặc biểu mẫu cũ Tải lại trang rồi gửi lại." in words(answer.text)
    assert '<a class="button primary" href="/sign-in">' in answer.text


def test_signing_in_again_ends_the_session_of_before(conn: Connection, app: Flask) -> None:
    person(conn)
    client = app.test_client()
    token = form_token(client.get("/sign-in").text)
    form = {"csrf_token": token, "login": "lan", "password": PASSWORD}
    client.post("/sign-in", data=form)
    token = form_token(client.get("/account").text)
    assert client.post("/sign-in", data={**form, "csrf_token": token}).status_code == 303
    assert len(conn.execute(select(login_session)).all()) == 1


def test_too_many_attempts_from_one_place_wait(conn: Connection, app: Flask) -> None:
    client = app.test_client()
    token = form_token(client.get("/sign-in").text)
    form = {"csrf_token": token, "step": "no such step"}  # costs no hashing
    statuses = [client.post("/sign-in", data=form).status_code for _ in range(31)]
    assert statuses == [401] * 30 + [429]
    refused = client.post("/sign-in", data=form)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "Quá nhiều yêu cầu" in refused.text and "Đợi một phút" in refused.text
    assert client.get("/sign-in").status_code == 200


# ---- the second step


def test_with_codes_set_up_the_door_asks_for_one(conn: Connection, app: Flask) -> None:
    phone = with_codes(conn, person(conn))
    client = app.test_client()
    asked = sign_in(client, next="/account/tokens")
    assert asked.status_code == 200 and 'autocomplete="one-time-code"' in asked.text
    assert PASSWORD not in asked.text and "mùa" not in asked.text
    assert client.get("/account").status_code == 303
    step = re.search(r'name="step" value="([^"]+)"', asked.text)
    assert step
    url = "/sign-in?next=/account/tokens"
    wrong = send(client, url, step=step[1], code="000000")
    assert wrong.status_code == 401 and f'value="{step[1]}"' in wrong.text
    answer = send(client, url, step=step[1], code=phone.now())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/tokens")
    assert [one for one in entries(conn) if one[0] == "sign-in"] == [
        ("sign-in", "lan", "allowed", "code-asked"),
        ("sign-in", "lan", "denied", ""),
        ("sign-in", "lan", "allowed", ""),
    ]


def test_the_second_step_alone_opens_nothing(conn: Connection, app: Flask) -> None:
    phone = with_codes(conn, person(conn))
    for step in ("nonsense", "AAAA", "é", "e30="):
        answer = send(app.test_client(), "/sign-in", step=step, code=phone.now())
        assert answer.status_code == 401 and "Hãy đăng nhập lại từ đầu." in answer.text


def test_the_second_step_waits_for_a_while_only(
    conn: Connection, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = with_codes(conn, person(conn))
    client = app.test_client()
    monkeypatch.setattr("web.sign_in.STEP_SECONDS", 0)
    step = re.search(r'name="step" value="([^"]+)"', sign_in(client).text)
    assert step
    answer = send(client, "/sign-in", step=step[1], code=phone.now())
    assert answer.status_code == 401 and "Đã quá thời gian nhập mã" in answer.text


# ---- out again


def test_signing_out_ends_the_session_everywhere_it_is_kept(conn: Connection, app: Flask) -> None:
    person(conn)
    client = app.test_client()
    sign_in(client)
    kept = client.get_cookie("ancu")
    answer = send(client, "/sign-out", page="/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert "Bạn đã đăng xuất." in client.get("/sign-in").text
    assert client.get("/account").status_code == 303
    assert conn.execute(select(login_session)).all() == []
    assert kept
    client.set_cookie("ancu", kept.value)  # a copy of the cookie opens nothing either
    assert client.get("/account").status_code == 303
    assert ("sign-out", "lan", "allowed", "") in entries(conn)


LOST = "Phiên làm việc đã hết. Nội dung vừa gửi chưa được lưu; đăng nhập rồi gửi lại."


@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://localhost/import?kind=sites", "?next=/import?kind%3Dsites"),
        (
            "http://localhost/households/19/H%C3%A0/correct",
            "?next=/households/19/H%25C3%25A0/correct",
        ),
        ("http://localhost/account", "?next=/account"),
        ("http://localhost/", ""),
        ("http://localhost/sign-out", ""),  # no page to open
        ("http://localhost//elsewhere.example", ""),
        ("http://elsewhere.example/import", ""),
        ("//elsewhere.example/import", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_form_sent_after_the_end_of_a_session_is_told_lost(
    app: Flask, referrer: str | None, back: str
) -> None:
    client = app.test_client()
    headers = {"Referer": referrer} if referrer is not None else {}
    answer = client.post("/import", data={"kind": "sites"}, headers=headers)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/sign-in{back}"
    assert LOST in client.get(answer.headers["Location"]).text
    assert LOST not in client.get("/sign-in").text


def test_opening_a_page_or_signing_out_after_the_end_of_a_session_loses_nothing(
    app: Flask,
) -> None:
    client = app.test_client()
    for answer in (client.get("/import"), client.post("/sign-out")):
        assert answer.status_code == 303
        assert LOST not in client.get(answer.headers["Location"]).text


def test_signing_out_needs_a_form_of_ours(conn: Connection, app: Flask) -> None:
    person(conn)
    client = app.test_client()
    sign_in(client)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 400
    assert '<a class="button primary"' not in client.post("/sign-out").text
    assert client.get("/account").status_code == 200


def test_pages_are_kept_in_no_cache(conn: Connection, app: Flask) -> None:
    person(conn)
    client = app.test_client()
    sign_in(client)
    assert client.get("/account").headers["Cache-Control"] == "private, no-store"
