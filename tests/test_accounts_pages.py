"""Accounts over HTTP: administrators see and change those of their own areas, and no others."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from geo.account_tables import account, account_role
from geo.accounts import passwords
from tests import people
from tests.admin_world import World, build, held, last_entry, put
from tests.page_data import PAYLOADS, words

PASSWORD = re.compile(r'<code class="secret">([a-z2-9]{4}(?:-[a-z2-9]{4}){5})</code>')
NEW = {"full_name": "Lò Thị Sen", "login": "lo.sen", "position": "", "area": "05001"}


@pytest.fixture
def world(conn: Connection, begin: Callable) -> World:
    return build(conn, begin)


def logins(html: str) -> list[str]:
    """The logins of a list of accounts."""
    return re.findall(r'href="/accounts/\d+">[^<]*</a><small>([^ <]+)', html)


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("admin.19", {"admin.19", "officer.19", "admin.05001", "officer.05001", "admin.05002",
                      "officer.05002", "both"}),
        ("admin.24", {"admin.24", "officer.24", "officer.07001"}),
        ("admin.05001", {"admin.05001", "officer.05001", "both"}),
    ],
)  # fmt: skip
def test_the_list_holds_the_accounts_of_one_s_own_areas(
    world: World, who: str, seen: set[str]
) -> None:
    answer = world.browser(who).get("/accounts")
    assert answer.status_code == 200
    assert set(logins(answer.text)) == seen


def test_the_country_s_administrator_sees_all(world: World) -> None:
    answer = world.browser("admin.vn").get("/accounts")
    assert set(logins(answer.text)) == set(world.ids)


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("admin.19", "/accounts?area=24", 403),
        ("admin.19", "/accounts?area=VN", 403),
        ("admin.19", "/accounts/area/24", 403),
        ("admin.19", "/accounts/area/VN/handover", 403),
        ("admin.05001", "/accounts?area=05002", 403),
        ("admin.05001", "/accounts?area=19", 403),
        ("admin.05001", "/accounts/area/19", 403),
        ("admin.05001", "/groups?area=05002", 403),
        ("officer.19", "/accounts", 403),
        ("officer.19", "/accounts/new", 403),
        ("officer.19", "/groups", 403),
        ("officer.19", "/accounts/area/19", 403),
    ],
)
def test_other_areas_and_other_roles_are_refused_and_logged(
    world: World, who: str, path: str, status: int
) -> None:
    assert world.browser(who).get(path).status_code == status
    entry = last_entry(world.conn)
    assert (entry["login"], entry["outcome"]) == (who, "denied")


def test_an_account_is_made_and_its_password_is_shown_once_and_nowhere_else(world: World) -> None:
    browser = world.browser("admin.19")
    answer = browser.post("/accounts/new", data={**NEW, "role": ["officer", "enumerator"]})
    assert answer.status_code == 303
    location, kept = answer.headers["Location"], browser.get_cookie("ancu")
    first = browser.get(location)
    shown = PASSWORD.search(first.text)
    assert shown and first.headers["Cache-Control"] == "private, no-store" and kept
    browser.set_cookie("ancu", kept.value)
    assert not PASSWORD.search(browser.get(location).text)
    made = world.conn.execute(select(account).where(account.c.login == "lo.sen")).one()
    assert passwords.verify(made.password_hash, shown[1])
    assert location == f"/accounts/{made.account_id}"
    assert (made.province_code, made.commune_code) == ("19", "05001")
    assert held(world.conn, made.account_id) == {"officer@05001", "enumerator@05001"}
    log = browser.get("/log?id=lo.sen&subject=account").text
    assert "Tạo tài khoản: Cán bộ xã (05001), Điều tra viên (05001)" in words(log)
    for told in (log, str(answer.headers)):
        assert shown[1] not in told


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"login": "officer.24"}, 409, "đã được dùng"),
        ({"login": "a"}, 422, "Tên đăng nhập"),
        ({"full_name": " "}, 422, "Tên hoặc chức vụ có từ 1 đến 200 ký tự"),
        ({"area": ""}, 422, "Chọn địa bàn."),
        ({"area": "24"}, 403, "nằm ngoài"),
        ({"area": "07001"}, 403, "nằm ngoài"),
        ({"area": "VN"}, 403, "nằm ngoài"),
        ({"area": "Yên Thế"}, 422, "Không có địa bàn “Yên Thế” trong các địa bàn của bạn."),
        ({"role": "king"}, 400, "king"),
    ],
)
def test_what_is_refused_is_said_and_what_was_typed_is_kept(
    world: World, changed: dict, status: int, said: str
) -> None:
    answer = world.browser("admin.19").post("/accounts/new", data={**NEW, **changed})
    assert answer.status_code == status
    assert said in words(answer.text)
    kept = {**NEW, **changed}["login"]
    assert f'value="{kept}"' in answer.text
    found = world.conn.execute(select(account.c.account_id).where(account.c.login == "lo.sen"))
    assert found.first() is None


def test_a_name_that_fits_several_areas_asks_which(world: World) -> None:
    answer = world.browser("admin.vn").post("/accounts/new", data={**NEW, "area": "duc xuan"})
    assert answer.status_code == 422 and "Có nhiều địa bàn giống tên này" in answer.text
    assert re.findall(r'<option value="(\d+)">([^<]+)<', answer.text) == [
        ("05002", "Phường Đức Xuân, Tỉnh Thái Nguyên (05002)"),
        ("07002", "Xã Đức Xuân, Tỉnh Bắc Ninh (07002)"),
    ]


def test_a_name_means_the_own_area_whatever_others_are_called(world: World) -> None:
    answer = world.browser("admin.19").post("/accounts/new", data={**NEW, "area": "duc xuan"})
    assert answer.status_code == 303
    made = world.conn.execute(select(account).where(account.c.login == "lo.sen")).one()
    assert made.commune_code == "05002"


def test_the_list_is_in_vietnamese_order_and_found_without_tone_marks(world: World) -> None:
    names = ("Đức", "Dũng", "Ân", "An", "Ăn", "Tạ", "Tà")
    for number, full_name in enumerate(names):
        added = people.add(world.conn, "officer@05001", login=f"n{number}")
        put(world.conn, added, full_name=full_name, position="Trưởng thôn")
    browser = world.browser("admin.05001")
    listed = browser.get("/accounts?q=truong+thon").text
    order = re.findall(r'href="/accounts/\d+">([^<]*)</a><small>n\d', listed)
    assert order == ["An", "Ăn", "Ân", "Dũng", "Đức", "Tà", "Tạ"]
    assert logins(browser.get("/accounts?q=duc").text) == ["n0"]
    assert logins(browser.get("/accounts?q=thon+ta").text) == ["n6", "n5"]
    assert logins(browser.get("/accounts?q=%25").text) != []
    assert "Không có tài khoản nào như vậy." in browser.get("/accounts?q=nobody").text


def test_pages_lead_on_and_back(world: World) -> None:
    for number in range(120):
        added = people.add(world.conn, "enumerator@05002", login=f"e{number:03}")
        put(world.conn, added, full_name=f"Bàn Văn {number % 7}", position="Đội điều tra")
    browser = world.browser("admin.05002")
    forward, url = [], "/accounts?q=doi+dieu+tra"
    while url:
        html = browser.get(url).text
        forward.append(logins(html))
        on = re.search(r'rel="next" href="([^"]+)"', html)
        last, url = html, on and on[1].replace("&amp;", "&")
    flat = [login for page in forward for login in page]
    assert [len(page) for page in forward] == [50, 50, 20] and len(set(flat)) == 120
    wanted = sorted(range(120), key=lambda number: (number % 7, number))
    assert flat == [f"e{number:03}" for number in wanted]
    backward = []
    while back := re.search(r'rel="prev" href="([^"]+)"', last):
        last = browser.get(back[1].replace("&amp;", "&")).text
        backward.append(logins(last))
    assert backward == [forward[1], forward[0]]


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"last_login_at": timedelta(0)}, "active"),
        ({}, "never"),
        ({"last_login_at": timedelta(31), "created_at": timedelta(40)}, "unused"),
        ({"created_at": timedelta(31)}, "never"),
        ({"last_login_at": timedelta(31), "last_seen_at": timedelta(29)}, "active"),
        ({"locked_until": timedelta(-1), "last_login_at": timedelta(0)}, "locked"),
        ({"locked_until": timedelta(1), "last_login_at": timedelta(0)}, "active"),
        ({"disabled_at": timedelta(0), "locked_until": timedelta(-1)}, "disabled"),
    ],
)  # fmt: skip
def test_each_state_is_shown_and_found(world: World, values: dict, state: str) -> None:
    ages = {key: datetime.now(UTC) - age for key, age in values.items()}
    added = people.add(world.conn, login="one")
    put(world.conn, added, province_code="19", commune_code="05002", full_name="Một", **ages)
    browser = world.browser("admin.05002")
    row = re.search(r"<tr>(?:(?!<tr>).)*>one<.*?</tr>", browser.get("/accounts").text, re.DOTALL)
    assert row and f'class="state {state}"' in row[0]
    assert "one" in logins(browser.get(f"/accounts?state={state}").text)
    # Never used and older than 30 days is unused as well.
    unused = state == "unused" or ("created_at" in values and "last_login_at" not in values)
    assert ("one" in logins(browser.get("/accounts?state=unused").text)) is unused


def test_counts_are_those_of_the_lists(world: World) -> None:
    browser = world.browser("admin.19")
    html = browser.get("/accounts").text
    for state in ("active", "never", "unused", "locked", "disabled"):
        counted = re.search(rf"state={state}\"[^>]*>.*?<b>(\d+)</b>", html)
        listed = logins(browser.get(f"/accounts?state={state}").text)
        assert counted and int(counted[1]) == len(listed)


@pytest.mark.parametrize(
    "cursor", ["nonsense", "WzFd", "WyJ4IiwiYSIsImIiXQ", "WyJhZnRlciIsbnVsbCwiYiJd"]
)
def test_a_cursor_that_was_tampered_with_is_refused(world: World, cursor: str) -> None:
    assert world.browser("admin.19").get(f"/accounts?cursor={cursor}").status_code == 400


def test_hostile_names_stay_text_on_every_page(world: World) -> None:
    for number, payload in enumerate(PAYLOADS):
        added = people.add(world.conn, "officer@05001", login=f"h{number}")
        put(world.conn, added, full_name=payload, position=payload)
    browser = world.browser("admin.05001")
    paths = ["/accounts", "/accounts/area/05001", "/accounts/area/05001/handover", "/log",
             *(f"/accounts/{one}" for one in range(added - 5, added + 1)),
             "/accounts?q=%3Cscript%3Edocument.title%3D1%3C/script%3E"]  # fmt: skip
    for path in paths:
        html = browser.get(path).text
        assert "<img src=x" not in html and "<script>document.title" not in html
        assert "49" not in re.findall("<title>.*?</title>", html, re.DOTALL)[0]
    assert all(payload in words(browser.get("/accounts").text) for payload in PAYLOADS)


def test_a_form_without_its_token_is_refused(world: World) -> None:
    browser = world.browser("admin.05001")
    browser.csrf = ""
    for path in ("/accounts/new", f"/accounts/{world.ids['officer.05001']}", "/groups",
                 "/accounts/area/05001/handover"):  # fmt: skip
        assert browser.post(path, data={"change": "disabled"}).status_code == 400


def test_an_area_without_accounts_says_so(world: World) -> None:
    world.conn.execute(account_role.delete().where(account_role.c.area_code == "05002"))
    for login in ("admin.05002", "officer.05002"):
        put(world.conn, world.ids[login], commune_code="05001")
    said = words(world.browser("admin.19").get("/accounts?area=05002").text)
    assert "Địa bàn này chưa có tài khoản nào." in said


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_page_answers_in_both_languages(world: World, lang: str) -> None:
    browser = world.browser("admin.19")
    browser.set_cookie("lang", lang)
    for path in ("/accounts", "/accounts/new", f"/accounts/{world.ids['officer.19']}", "/groups",
                 "/accounts/area/19", "/accounts/area/19/handover", "/log"):  # fmt: skip
        answer = browser.get(path)
        assert answer.status_code == 200 and f'<html lang="{lang}">' in answer.text


@pytest.mark.parametrize("number", ["999999999999999999999999", "0"])
def test_an_id_that_cannot_be_is_not_found(world: World, number: str) -> None:
    browser = world.browser("admin.19")
    for path in (f"/accounts/{number}", f"/groups/{number}"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, data={"change": "disabled"}).status_code == 404


@pytest.mark.parametrize("text", ["a\0b", "\0", "x" * 5000, "\ud83d", "(" * 3000, "%s%(x)s{x}"])
def test_whatever_is_typed_is_stored_or_refused_in_words(world: World, text: str) -> None:
    browser = world.browser("admin.19")
    fields = ("login", "full_name", "position", "area", "reason", "name", "kind", "keep", "held")
    filled = {**dict.fromkeys(fields, text.encode("utf-8", "surrogatepass")), "role": "officer"}
    officer = f"/accounts/{world.ids['officer.19']}"
    for path in ("/accounts/new", "/accounts/area/19/handover", "/groups"):
        assert browser.post(path, data=filled).status_code in (303, 400, 404, 409, 422)
    for change in ("renamed", "moved", "granted", "revoked", "token-revoked", text):
        sent = {**filled, "change": change.encode("utf-8", "surrogatepass")}
        assert browser.post(officer, data=sent).status_code in (303, 400, 404, 422)
