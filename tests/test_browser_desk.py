"""The auditors' desk in a real browser: keys, evidence beside the list, the form, no script."""

import hashlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Connection, insert, select, text

from geo import db
from geo.audit import items
from geo.audit_tables import audit_decision
from geo.scope import OPERATOR
from geo.tables import finding
from tests import page_data, people
from tests.browsing import chromium, serving
from tests.page_data import INSIDE, OUTSIDE, UNCERTAIN, UNLOCATED
from tests.test_browser import Site, Watched, click_map
from tests.test_desk_pages import item
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser

GROUP = "same_point:1"
CASE = hashlib.sha256(GROUP.encode()).hexdigest()[:24]
FIRST = UNCERTAIN
"""The worst row of the worst case: it is doubted twice."""
DECISIONS = ("finding", "audit_item", "audit_decision", "audit_due", "revisit", "survey")


@pytest.fixture(scope="module")
def site(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    if assets.missing():
        assets.copy()
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        page_data.add_records(conn)
        add_case(conn)
        for name in DECISIONS:
            conn.execute(text(f"CREATE TABLE kept_{name} AS TABLE {name}"))
        cookie = people.cookie(app, conn, "auditor@19")
    with serving(app) as address:
        yield Site(address, cookie | {"url": url})
    db.engine(url).dispose()


def add_case(conn: Connection) -> None:
    """One case of two surveys, beside the two of one each."""
    for survey_id in (INSIDE, UNCERTAIN):
        conn.execute(
            insert(finding).values(
                **page_data.KEY, subject="survey", subject_id=survey_id, rule="mock_location",
                severity=3, group_key=GROUP, evidence={},
            )
        )  # fmt: skip
    items.renew(conn, "19")


@pytest.fixture
def stored(site: Site) -> Iterator[Callable[[], list[tuple[str, str, str]]]]:
    """What was decided so far; undone after the test."""

    def read() -> list[tuple[str, str, str]]:
        with db.transaction(site.cookie["url"], scope=OPERATOR) as conn:
            one = audit_decision.c
            found = select(one.subject_id, one.decision, one.reason).order_by(one.decision_id)
            return [tuple(row) for row in conn.execute(found)]

    yield read
    with db.transaction(site.cookie["url"], scope=OPERATOR) as conn:
        for name in DECISIONS:
            conn.execute(text(f"DELETE FROM {name}"))
            columns = ", ".join(_columns(conn, name))
            conn.execute(
                text(
                    f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE"
                    f" SELECT {columns} FROM kept_{name}"
                )
            )


def _columns(conn: Connection, name: str) -> list[str]:
    found = conn.execute(text(f"SELECT * FROM {name} LIMIT 0"))
    return [f'"{column}"' for column in found.keys()]  # noqa: SIM118


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def watched(browser: Browser, site: Site) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    cookie = {name: value for name, value in site.cookie.items() if name != "url"}
    context.add_cookies([{**cookie, "domain": "127.0.0.1"}])
    made = Watched(context.new_page(), site.address)
    yield made
    assert made.faults == [] and made.foreign == []
    context.close()


def evidence(page: Page, survey_id: str) -> None:
    """Wait until the map shows a survey's evidence and the panel tells of it."""
    page.wait_for_selector(f".map[data-evidence='{item(survey_id)}']")
    page.wait_for_selector(f"#case[data-key='{item(survey_id)}']")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.name || document.activeElement.tagName"))


def test_keys_lead_through_the_cases_and_back(watched: Watched) -> None:
    page = watched.open("/audit?area=19")
    page.keyboard.press("j")
    evidence(page, FIRST)
    page.keyboard.press("ArrowDown")
    evidence(page, OUTSIDE)
    assert page.locator("tr.chosen").get_attribute("data-subject") == OUTSIDE
    assert page.evaluate("document.activeElement.dataset.subject") == OUTSIDE
    page.keyboard.press("k")
    evidence(page, FIRST)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "case-title"
    page.go_back()
    evidence(page, OUTSIDE)
    assert page.locator("tr.chosen").get_attribute("data-subject") == OUTSIDE


def test_a_click_chooses_and_the_address_leads_there_again(watched: Watched) -> None:
    page = watched.open("/audit?area=19")
    page.click(f"tr[data-subject='{OUTSIDE}'] .risk-cell")
    evidence(page, OUTSIDE)
    assert "Lệch địa bàn" in page.locator("#case").inner_text()
    assert page.locator(".leaflet-evidence-pane path").count() >= 3
    assert page.locator(".leaflet-evidence-pane svg[data-shape=triangle]").count() >= 1
    page.goto(page.url, wait_until="networkidle")
    evidence(page, OUTSIDE)
    assert "lang=en" in (page.locator(".languages a").get_attribute("href") or "")
    assert f"{OUTSIDE}" in (page.locator(".languages a").get_attribute("href") or "")


def test_layers_of_the_map_are_switched_off_and_on(watched: Watched) -> None:
    page = watched.open(f"/audit?area=19&item={item(OUTSIDE)}")
    evidence(page, OUTSIDE)
    before = page.locator(".leaflet-evidence-pane path").count()
    page.uncheck("input[data-layer=area]")
    assert page.locator(".leaflet-evidence-pane path").count() == before - 1
    page.check("input[data-layer=area]")
    assert page.locator(".leaflet-evidence-pane path").count() == before
    with page.expect_response(lambda answer: "/tiles/surveys/" in answer.url):
        page.check("input[data-layer=surveys]")


def test_a_mark_on_the_map_chooses_its_case(watched: Watched) -> None:
    page = watched.open("/audit?area=19")
    page.wait_for_selector(".map[data-cases='2']")
    page.locator(f".leaflet-cases-pane svg[data-case='19:05001:survey:{OUTSIDE}']").click()
    evidence(page, OUTSIDE)


def test_a_decision_by_keys_shows_the_next_case_and_u_takes_it_back(
    watched: Watched, stored: Callable
) -> None:
    page = watched.open("/audit?area=19")
    page.keyboard.press("j")
    evidence(page, FIRST)
    page.keyboard.press("j")
    evidence(page, OUTSIDE)
    page.keyboard.press("2")
    assert focused(page) == "reason"
    page.keyboard.type("Sát ranh giới, jk 1 /")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    evidence_of_next = page.locator("#case").get_attribute("data-key")
    assert evidence_of_next == item(UNLOCATED)
    assert stored() == [(OUTSIDE, "explained", "Sát ranh giới, jk 1 /")]
    assert "Có giải trình: 1 dòng." in page.locator(".notice.done").inner_text()
    with page.expect_navigation():
        page.keyboard.press("u")
    evidence(page, OUTSIDE)
    assert [row[1] for row in stored()] == ["explained", "reopened"]


def test_keys_decide_nothing_about_a_case_that_is_not_shown_yet(
    watched: Watched, stored: Callable
) -> None:
    page = watched.open("/audit?area=19")
    page.keyboard.press("j")
    evidence(page, FIRST)
    kept: list = []
    page.route("**/audit/case?**", lambda route: kept.append(route))
    with page.expect_request("**/audit/case?**"):
        page.keyboard.press("j")
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    assert page.locator("#queue tr.chosen").get_attribute("data-subject") == OUTSIDE
    assert page.evaluate("document.getElementById('decide').inert")
    assert "đang tải" in page.locator("#decide-count").inner_text()
    sends = (
        "document.getElementById('decide').dispatchEvent(new Event('submit', {cancelable: true}))"
    )
    assert page.evaluate(sends) is False
    for route in kept:
        route.continue_()
    evidence(page, OUTSIDE)
    page.wait_for_function("document.activeElement.id === 'case-title'")
    assert stored() == [] and page.locator("input[name=decision]:checked").count() == 0
    page.keyboard.press("1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert stored() == [(OUTSIDE, "confirmed", "")]


def test_escape_leaves_the_reason_and_keys_wake_again(watched: Watched) -> None:
    page = watched.open(f"/audit?area=19&item={item(OUTSIDE)}")
    page.keyboard.press("2")
    assert focused(page) == "reason"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "case-title"
    page.keyboard.press("3")
    assert page.locator("input[value=repaired]").is_checked()


def test_a_reason_is_asked_for_before_it_is_sent(watched: Watched, stored: Callable) -> None:
    page = watched.open(f"/audit?area=19&item={item(OUTSIDE)}")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('#decide').checkValidity()") is False
    assert page.locator("#decide button[type=submit]").is_enabled() and stored() == []
    page.keyboard.press("Escape")


def test_a_point_is_repaired_by_a_click_on_the_map(watched: Watched, stored: Callable) -> None:
    page = watched.open(f"/audit?area=19&item={item(OUTSIDE)}")
    evidence(page, OUTSIDE)
    page.keyboard.press("3")
    assert focused(page) == "lat"
    click_map(page, 105.06, 21.06)
    assert float(page.input_value("input[name=lat]")) == pytest.approx(21.06, abs=0.002)
    assert float(page.input_value("input[name=lon]")) == pytest.approx(105.06, abs=0.002)
    assert page.locator(".badge.draft").count() == 1
    page.fill("#decide input[name=reason]", "Gọi cho thôn")
    with page.expect_navigation():
        page.click("#decide button[type=submit]")
    assert stored()[0][:2] == (OUTSIDE, "repaired")
    page.goto(f"{watched.site}/audit?area=19&item={item(OUTSIDE)}")
    evidence(page, OUTSIDE)
    assert page.locator(".badge.sent").count() == 1


def test_rows_and_cases_are_ticked_and_counted(watched: Watched, stored: Callable) -> None:
    page = watched.open(f"/audit?area=19&case=19:{CASE}")
    count = page.locator("#decide-count")
    assert count.inner_text() == "cho 1 dòng"
    page.check("input[data-all]")
    assert count.inner_text() == "cho 2 dòng"
    page.keyboard.press("x")
    page.check(f"tr[data-subject='{OUTSIDE}'] input[name=pick]")
    assert count.inner_text() == "cho 2 trường hợp đã đánh dấu trong danh sách: 3 dòng"
    page.keyboard.press("1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert {row[:2] for row in stored()} == {
        (one, "confirmed") for one in (INSIDE, UNCERTAIN, OUTSIDE)
    }
    assert page.locator("#case").get_attribute("data-key") == item(UNLOCATED)


def test_a_row_of_the_case_shows_its_own_evidence(watched: Watched) -> None:
    page = watched.open(f"/audit?area=19&case=19:{CASE}")
    evidence(page, FIRST)
    assert page.locator(".ringed").count() == 1
    page.locator("a[data-item]").nth(1).click()
    evidence(page, INSIDE)
    assert page.locator("tr.chosen").first.get_attribute("data-case") == f"19:{CASE}"
    assert page.input_value("#decide input[name=next]") == f"19:05001:survey:{OUTSIDE}"


def test_keys_sleep_in_fields_and_when_switched_off(watched: Watched) -> None:
    page = watched.open("/audit?area=19")
    page.keyboard.press("/")
    assert focused(page) == "rule"
    page.focus("input[name=enumerator]")
    page.keyboard.type("jx1?")
    assert page.input_value("input[name=enumerator]") == "jx1?"
    page.locator("h1").click()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.locator("tr.chosen").count() == 0
    page.click("#keys-open")
    page.check("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    evidence(page, FIRST)


def test_a_case_that_cannot_be_loaded_is_said_and_has_a_way_on(watched: Watched) -> None:
    page = watched.open("/audit?area=19")
    page.route("**/audit/case?**", lambda route: route.abort())
    page.keyboard.press("j")
    page.get_by_role("alert").wait_for()
    assert "Không tải được trường hợp này." in page.locator("#case").inner_text()
    page.unroute("**/audit/case?**")
    watched.faults.clear()  # the browser says that the request failed
    page.locator("#case a").click()
    evidence(page, FIRST)


def test_a_phone_shows_the_list_first_and_goes_to_the_chosen_case(watched: Watched) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    page = watched.open("/audit?area=19")
    list_box, map_box = (page.locator(one).bounding_box() for one in ("#queue", ".beside"))
    assert list_box and map_box and list_box["y"] < map_box["y"]
    page.click(f"tr[data-subject='{OUTSIDE}'] th a")
    evidence(page, OUTSIDE)
    page.wait_for_function("document.querySelector('.beside').getBoundingClientRect().top < 400")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    case_box, drawn = (page.locator(one).bounding_box() for one in ("#case", ".beside .map-box"))
    assert case_box and drawn and case_box["y"] < drawn["y"]


def test_all_of_it_works_without_scripts(browser: Browser, site: Site, stored: Callable) -> None:
    cookie = {name: value for name, value in site.cookie.items() if name != "url"}
    context = browser.new_context(java_script_enabled=False, locale="vi-VN")
    context.add_cookies([{**cookie, "domain": "127.0.0.1"}])
    page = context.new_page()
    page.goto(f"{site.address}/audit?area=19")
    page.click(f"tr[data-subject='{OUTSIDE}'] th a")
    assert page.locator("#case").get_attribute("data-key") == item(OUTSIDE)
    point, day = page.locator("input[name=lat]"), page.locator("input[name=due_on]")
    assert (point.is_visible(), day.is_visible()) == (False, False)
    page.check("input[name=decision][value=repaired]", force=True)
    assert (point.is_visible(), day.is_visible()) == (True, False)
    page.check("input[name=decision][value=revisit]", force=True)
    assert (point.is_visible(), day.is_visible()) == (False, True)
    page.fill("input[name=reason]", "Đo lại")
    page.click("#decide button[type=submit]")
    assert stored() == [(OUTSIDE, "revisit", "Đo lại")]
    page.click("form[data-undo] button")
    assert [row[1] for row in stored()] == ["revisit", "reopened"]
    context.close()
