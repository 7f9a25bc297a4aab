"""Delegation in a real browser: an administrator makes an officer, who sees only the commune."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from api import limits
from geo import db
from geo.account_tables import team, team_member
from geo.scope import OPERATOR
from tests import page_data, people
from tests.admin_world import build, put
from tests.browsing import chromium, serving
from tests.page_data import PAYLOADS
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser

NEW_PASSWORD = "con suối nhỏ sau bản"
PAGES = (
    "/accounts",
    "/accounts/new",
    "/accounts/{account}",
    "/accounts/area/19",
    "/accounts/area/19/handover",
    "/groups",
    "/groups/{team}",
    "/log",
)


@dataclass(frozen=True)
class Site:
    """A served application, the cookie of a province's administrator, and ids of its pages."""

    address: str
    cookie: dict[str, str]
    ids: dict[str, int]


@pytest.fixture(scope="module")
def site(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    if assets.missing():
        assets.copy()
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        world = build(conn, None)
        page_data.add_records(conn)
        for number, payload in enumerate(PAYLOADS):
            account_id = people.add(conn, "officer@05001", login=f"hostile{number}")
            put(conn, account_id, full_name=payload, position=payload)
        team_id = conn.execute(
            team.insert()
            .values(name=PAYLOADS[2], area_code="19", province_code="19")
            .returning(team.c.team_id)
        ).scalar_one()
        conn.execute(team_member.insert().values(team_id=team_id, account_id=account_id))
        cookie = people.cookie(app, conn, "administrator@19")
    with serving(app) as address:
        yield Site(address, cookie, {**world.ids, "account": account_id, "team": team_id})
    db.engine(url).dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """An empty browser on a desk."""
    limits.limiter.reset()
    made = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="vi-VN", base_url=site.address
    )
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """The administrator's page; its scripts must not complain."""
    context.add_cookies([{**site.cookie, "domain": "127.0.0.1"}])
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
    yield opened
    assert faults == []


def is_fault(said: ConsoleMessage) -> bool:
    """Whether a browser complains, and not only of a form that was refused."""
    return said.type == "error" and "status of 422" not in said.text


def send(page: Page, within: str) -> None:
    with page.expect_navigation():
        page.click(f"{within} button[type=submit]")


def test_an_administrator_makes_an_officer_who_sees_the_commune_alone(
    page: Page, browser: Browser, site: Site
) -> None:
    page.goto("/accounts")
    page.click("text=Tạo tài khoản")
    page.fill("#full_name", "Lò Thị Sen")
    page.fill("#login", "Lo.Sen")
    page.fill("#home", "ba be")
    page.check("input[name=role][value=officer]")
    send(page, "form.boxed")
    password = page.locator("code.secret").inner_text()
    page.reload()
    assert page.locator("code.secret").count() == 0
    assert "Cán bộ xã Xã Ba Bể" in page.locator(".card .rows").first.inner_text()

    desk = browser.new_context(base_url=site.address, locale="vi-VN")
    officer = desk.new_page()
    officer.goto("/accounts")
    officer.fill("#login", "lo.sen")
    officer.fill("#password", password)
    send(officer, "form.form")
    officer.fill("input[name=old]", password)
    officer.fill("input[name=new]", NEW_PASSWORD)
    officer.fill("input[name=again]", NEW_PASSWORD)
    send(officer, "form.form")
    officer.goto("/")
    assert re.search("/progress/05001$", officer.url)
    for path, status in (
        ("/households/19/H1", 200),
        ("/progress/05002", 403),
        ("/progress/19", 403),
        ("/accounts", 403),
        ("/log", 403),
    ):
        answer = officer.goto(path)
        assert answer and answer.status == status
    desk.close()

    page.goto("/accounts?q=lo.sen")
    assert "Đang dùng" in page.locator("tbody tr").inner_text()
    page.goto("/log?account=lo.sen&outcome=denied")
    assert "Bị từ chối" in page.locator("tbody").inner_text()


def test_what_is_refused_stands_beside_the_form_and_keeps_what_was_typed(page: Page) -> None:
    page.goto("/accounts/new")
    page.fill("#full_name", "Ma Thị Sáu")
    page.fill("#login", "ma.sau")
    page.fill("#home", "Yên Thế")
    send(page, "form.boxed")
    assert "trong các địa bàn của bạn" in page.locator("[role=alert]").inner_text()
    assert page.input_value("#full_name") == "Ma Thị Sáu"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_and_nothing_from_data_runs(
    page: Page, site: Site, path: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path.format(**site.ids), wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("img[src='x']").count() == 0 and "An Cư" in page.title()


def test_the_area_filter_follows_a_choice(page: Page) -> None:
    page.goto("/accounts")
    with page.expect_navigation():
        page.locator("select[name=area]").click()
        page.select_option("select[name=area]", "05002")
    assert "Phường Đức Xuân" in page.locator("h1").inner_text()
