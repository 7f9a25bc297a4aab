"""The access log over HTTP: who looked at what, within one's own areas, and as a file."""

import csv
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from geo import sites, surveys, trail, trail_filters
from geo.trail import Entry
from tests import page_data, people
from tests.admin_world import World, build, last_entry
from tests.page_data import PAYLOADS, words
from web import admin_labels

LOOK = {"via": "session", "action": "records.read", "subject": "household"}


@pytest.fixture
def world(conn: Connection, begin: Callable) -> World:
    return build(conn, begin)


def look(world: World, login: str, code: str, commune: str, **more: object) -> None:
    """An entry: somebody looked at a household."""
    province = "24" if commune.startswith("07") else "19"
    where = {"province_code": province, "commune_code": commune}
    entry = Entry(**{**LOOK, "login": login, "subject_id": code, **where, **more})
    trail.append(world.conn, entry)


def rows(html: str) -> list[str]:
    """The entries of a page as text."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    return [words(one) for one in body.split("</tr>") if "<td" in one]


def test_entries_are_newest_first_and_tell_all_that_was_asked(world: World) -> None:
    look(world, "officer.05001", "H1", "05001", rows=1, address="203.0.113.7")
    look(world, "officer.05001", "", "05001", query="q=lò", route="GET /search", rows=3)
    first, second = rows(world.browser("admin.05001").get("/log").text)
    now = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh"))
    assert f"{now:%d/%m/%Y}" in second
    assert "officer.05001 Xem hộ, phiếu, nhà" in second
    assert "Hộ H1 Xã Ba Bể" in second and "203.0.113.7 Trình duyệt" in second
    assert second.endswith("✓ Được phép")
    assert "GET /search" in first and "q=lò" in first and " 3 " in first


@pytest.mark.parametrize(
    ("who", "communes"),
    [
        ("admin.05001", {"05001"}),
        ("admin.05002", {"05002"}),
        ("admin.19", {"05001", "05002"}),
        ("admin.24", {"07001"}),
        ("admin.vn", {"05001", "05002", "07001"}),
    ],
)
def test_administrators_read_of_their_own_areas(world: World, who: str, communes: set[str]) -> None:
    for commune in ("05001", "05002", "07001"):
        look(world, "somebody", f"H{commune}", commune)
    browser = world.browser(who)
    html = browser.get("/log").text
    file = browser.get("/log/file.csv")
    for text in (html, file.text):
        assert set(re.findall(r"H(0[57]00[12])", text)) == communes
    file.close()


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("admin.19", "/log?area=24"),
        ("admin.19", "/log?area=VN"),
        ("admin.05001", "/log?area=05002"),
        ("admin.05001", "/log/file.csv?area=19"),
        ("officer.19", "/log"),
        ("officer.19", "/log/file.csv"),
    ],
)
def test_other_areas_and_roles_are_refused_and_that_is_logged(
    world: World, who: str, path: str
) -> None:
    assert world.browser(who).get(path).status_code == 403
    entry = last_entry(world.conn)
    assert (entry["login"], entry["outcome"], entry["action"]) == (who, "denied", "log.read")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("account=officer.05001", {"H1", "H3"}),
        ("account=OFFICER.05001", {"H1", "H3"}),
        ("account=nobody", set()),
        ("subject=household&id=H1", {"H1", "H1-2"}),
        ("subject=household&id=H1&area=05001", {"H1"}),
        ("subject=household&id=H1&area=05002", {"H1-2"}),
        ("outcome=denied", {"H3"}),
        ("action=ids.read", {"H4"}),
        ("area=05002", {"H1-2"}),
        ("day={today}", {"H1", "H1-2", "H3", "H4"}),
        ("day={tomorrow}", set()),
        ("day=", {"H1", "H1-2", "H3", "H4"}),
        ("day=9999-12-30", set()),
        ("day=0001-01-01", set()),
        ("outcome=nonsense", {"H1", "H1-2", "H3", "H4"}),
        ("account=officer.05001&outcome=denied&day={today}", {"H3"}),
    ],
)
def test_filters(world: World, query: str, found: set[str]) -> None:
    look(world, "officer.05001", "H1", "05001", reason="H1")
    look(world, "officer.05002", "H1", "05002", reason="H1-2")
    look(world, "officer.05001", "H3", "05001", reason="H3", outcome="denied")
    look(world, "other", "H4", "05001", reason="H4", action="ids.read")
    today = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    days = {"today": today, "tomorrow": today + timedelta(days=1)}
    browser = world.browser("admin.19")
    html = browser.get("/log?" + query.format(**days)).text
    assert set(re.findall(r"<small>(H\d(?:-2)?)</small>", html)) == found
    assert ("Không có mục nào như vậy." in html) is (not found)


@pytest.mark.parametrize(
    "day", ["31/12/2026", "2026-13-45", "2026-02-29", "nonsense", "9999-12-31", "<b>"]
)
@pytest.mark.parametrize("path", ["/log", "/log/file.csv"])
def test_a_day_that_cannot_be_is_refused_in_words(world: World, path: str, day: str) -> None:
    answer = world.browser("admin.19").get(path, query_string={"day": day})
    assert answer.status_code == 400
    assert f"Không có ngày “{day}”. Viết ngày theo dạng 2026-12-31." in words(answer.text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"H1", "7/1/2"}),
        ("?tiles=1", {"H1", "7/1/1", "7/1/2"}),
        ("?tiles=0", {"H1", "7/1/2"}),
        ("?subject=tile", {"7/1/1", "7/1/2"}),
        ("?outcome=denied", {"7/1/2"}),
        ("?subject=household&tiles=1", {"H1"}),
    ],
)
def test_tiles_that_were_given_are_left_out_unless_asked_for(
    world: World, query: str, found: set[str]
) -> None:
    look(world, "x", "H1", "05001")
    look(world, "x", "7/1/1", "05001", subject="tile")
    look(world, "x", "7/1/2", "05001", subject="tile", outcome="denied")
    browser = world.browser("admin.05001")
    html = browser.get(f"/log{query}").text
    assert set(re.findall(r">(H1|7/1/\d)</a>", html)) == found
    assert ('name="tiles" value="1" checked' in html) is ("tiles=1" in query)
    link = re.search(r'href="(/log/file\.csv[^"]*)"', html)
    assert link
    with browser.get(link[1].replace("&amp;", "&")) as file:
        held = csv.DictReader(file.data.decode("utf-8-sig").splitlines())
        assert {row["subject_id"] for row in held if row["login"] == "x"} == found


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("GET /tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt", "GET /tiles/…"),
        ("POST /households/<province_code>/<path:code>/correct", "POST /households/…/correct"),
        ("GET /surveys/<uuid:survey_id>/evidence.json", "GET /surveys/…/evidence.json"),
        ("GET /x/<any(a, b):one>", "GET /x/…"),
        ("POST /log", "POST /log"),
        ("ancu person record", "ancu person record"),
    ],
)
def test_routes_are_shown_plainly(route: str, shown: str) -> None:
    assert admin_labels.plain_route(route) == shown


def test_an_outcome_is_a_sign_and_a_word(world: World) -> None:
    look(world, "x", "H1", "05001", outcome="denied")
    look(world, "x", "H1", "05001", outcome="failed")
    failed, denied = rows(world.browser("admin.05001").get("/log").text)
    assert denied.endswith("⛔︎ Bị từ chối") and failed.endswith("! Không thành")


def test_pages_hold_a_hundred_and_lead_on(world: World) -> None:
    for number in range(150):
        look(world, "x", f"H{number:03}", "05001")
    browser = world.browser("admin.05001")
    first = browser.get("/log?subject=household").text
    on = re.search(r'rel="next" href="([^"]+)"', first)
    assert on
    second = browser.get(on[1].replace("&amp;", "&")).text
    shown = [re.findall(r">(H\d{3})<", html) for html in (first, second)]
    assert [len(one) for one in shown] == [100, 50]
    assert shown[0] + shown[1] == [f"H{number:03}" for number in reversed(range(150))]
    assert "Về đầu danh sách" in second and 'rel="next"' not in second


def test_reading_the_log_is_logged_itself(world: World) -> None:
    browser = world.browser("admin.05001")
    browser.get("/log?account=officer.05001")
    entry = last_entry(world.conn)
    assert (entry["login"], entry["action"], entry["subject"], entry["query"]) == (
        "admin.05001", "log.read", "log", "account=officer.05001",
    )  # fmt: skip


def test_a_household_leads_to_who_looked_at_it(world: World) -> None:
    page_data.add_records(world.conn)
    world.browser("officer.05001").get("/households/19/H1")
    world.browser("officer.05001").get("/households/19/H2")
    both = world.browser("admin.vn")
    assert "Ai đã xem" not in world.browser("officer.05001").get("/households/19/H1").text
    assert both.get("/households/19/H1").status_code == 403
    found = rows(world.browser("admin.05001").get("/log?area=05001&subject=household&id=H1").text)
    assert ["officer.05001" in one for one in found] == [False, True, True]
    assert "admin.vn" in found[0] and found[0].endswith("Bị từ chối")


def test_who_opened_a_survey_or_site_of_a_household_has_looked_at_it(world: World) -> None:
    page_data.add_records(world.conn)
    seen = world.browser("officer.05001")
    for path in (f"/surveys/{page_data.INSIDE}", f"/surveys/{page_data.INSIDE}/evidence.json"):
        assert seen.get(path).status_code == 200
    assert seen.get("/sites/19/N/1").status_code == 200
    code = surveys.get(world.conn, page_data.INSIDE)["household_code"]
    log = world.browser("admin.05001")
    found = rows(log.get(f"/log?area=05001&subject=household&id={code}").text)
    opened = sum(page_data.INSIDE in one for one in found)
    house = sites.get(world.conn, "19", "N/1")["household_code"]
    assert opened == 2
    assert any("N/1" in one for one in found) == (house == code)


def test_the_link_stands_where_both_roles_meet(world: World, conn: Connection) -> None:
    page_data.add_records(conn)
    people.give(conn, world.ids["admin.05001"], "officer", "19")
    people.give(conn, world.ids["admin.05002"], "officer", "19")
    html = world.browser("admin.05001").get("/households/19/H1").text
    link = re.search(r'href="(/log[^"]+)">Ai đã xem hộ này<', html)
    assert link and link[1].replace("&amp;", "&") == "/log?area=05001&subject=household&id=H1"
    assert "Ai đã xem" not in world.browser("admin.05002").get("/households/19/H1").text


def test_the_file_holds_what_the_page_shows_and_is_logged(world: World) -> None:
    for number in range(3):
        look(world, "=cmd|' /C calc'!A0", f"H{number}", "05001", query="+1", reason="-x")
    look(world, "other", "H9", "05001")
    browser = world.browser("admin.05001")
    html = browser.get("/log?subject=household").text
    link = re.search(r'href="(/log/file\.csv[^"]*)"', html)
    assert link and len(rows(html)) == 4
    answer = browser.get(link[1])
    assert answer.mimetype == "text/csv"
    held = list(csv.DictReader(answer.data.decode("utf-8-sig").splitlines()))
    answer.close()
    assert [row["subject_id"] for row in held] == ["H9", "H2", "H1", "H0"]
    assert held[1]["login"].startswith("'=") and held[1]["query"] == "'+1"
    assert held[1]["at"].endswith("+07:00")
    entry = last_entry(world.conn)
    assert (entry["subject"], entry["rows"], entry["query"]) == ("log", 4, "subject=household")


def test_too_long_a_file_is_refused_in_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_filters, "MOST", 2)
    for number in range(3):
        look(world, "x", f"H{number}", "05001")
    answer = world.browser("admin.05001").get("/log/file.csv?account=x")
    assert answer.status_code == 400
    assert "Hãy chọn một ngày, một tài khoản hoặc địa bàn nhỏ hơn." in answer.text


def test_hostile_entries_stay_text(world: World) -> None:
    for payload in PAYLOADS:
        told = ("query", "reason", "route", "address", "action", "via")
        look(world, payload, payload, "05001", **dict.fromkeys(told, payload))
    html = world.browser("admin.05001").get("/log").text
    assert "<img src=x" not in html and "<script>document.title" not in html
    assert all(payload in words(html) for payload in PAYLOADS)
    assert "javascript:" not in world.browser("admin.05001").get("/log?_scheme=javascript").text


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "cursor=WyJ4Il0", "account=a%00b", "area=%00"]
)
def test_what_cannot_be_asked_is_refused(world: World, query: str) -> None:
    answer = world.browser("admin.05001").get(f"/log?{query}")
    assert answer.status_code == 400 and "Traceback" not in answer.text


def test_what_accounts_looked_at_is_a_click_away(world: World) -> None:
    html = world.browser("admin.05001").get(f"/accounts/{world.ids['officer.05001']}").text
    assert 'href="/log?account=officer.05001"' in html
    html = world.browser("admin.05001").get("/log").text
    assert 'href="/accounts?area=05001&amp;state=unused"' in html
    assert 'href="/accounts/area/05001"' in html
