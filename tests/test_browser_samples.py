"""A verification sample in a real browser: recorded by keyboard, on a desk and on a phone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from sqlalchemy import Connection, select

from api import limits
from geo import areas, db, metrics
from geo.audit import samples
from geo.audit.actors import By
from geo.audit.sampling import Plan
from geo.audit_tables import audit_sample_item
from geo.scope import OPERATOR
from tests import people
from tests import records_world as world
from tests.browsing import chromium, serving
from tests.page_data import PAYLOADS
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser


@dataclass
class Site:
    address: str
    cookie: dict[str, str]
    url: str
    sample_id: int

    def outcomes(self) -> list[str | None]:
        """What is stored, in the order of the list."""
        with db.transaction(self.url, scope=OPERATOR) as conn:
            listed = samples.items(conn, samples.get(conn, self.sample_id))
        return [one["outcome"] for one in listed]


def fill(conn: Connection) -> int:
    world.build(conn)
    for n in range(36):
        name = PAYLOADS[n] if n < len(PAYLOADS) else f"Nguyễn Thị Hộ {n:02}"
        code = world.add_household(conn, head_name=name, village=f"Thôn {n % 3}")
        world.add_survey(conn, code, enumerator=("Lan", "Minh")[n % 2], at=(105.05, 21.05))
    metrics.recount(conn, set(world.PAIRS))
    made = samples.draw(conn, areas.get(conn, "00101"), Plan("random", 20), By(None, "Lan"))
    return int(made["sample_id"])


@pytest.fixture
def site(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    if assets.missing():
        assets.copy()
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        sample_id = fill(conn)
        cookie = people.cookie(app, conn, "auditor@01")
    limits.limiter.reset()
    with serving(app) as address:
        yield Site(address, cookie, url, sample_id)
    db.engine(url).dispose()
    db.engine.cache_clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def opened(browser: Browser, site: Site, said: list[str], width: int = 1280) -> BrowserContext:
    context = browser.new_context(viewport={"width": width, "height": 800})
    context.add_cookies([{**site.cookie, "domain": "127.0.0.1"}])
    context.on("console", lambda told: said.append(told.text) if bad(told) else None)
    return context


def bad(told: ConsoleMessage) -> bool:
    return told.type in ("error", "warning")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_visits_are_recorded_without_a_mouse(browser: Browser, site: Site) -> None:
    said: list[str] = []
    with opened(browser, site, said) as context:
        page = context.new_page()
        page.goto(f"{site.address}/audit/samples/{site.sample_id}")
        press(page, "j", "n")
        page.keyboard.type("nhà đã dời 2 km")  # digits in a note record nothing
        press(page, "Enter")
        with page.expect_navigation():
            press(page, "2")
        page.wait_for_load_state()
        # The next survey has the focus already.
        with page.expect_navigation():
            press(page, "1")
        page.wait_for_load_state()
        press(page, "j")
        with page.expect_navigation():
            press(page, "3")
        page.wait_for_load_state()
        assert site.outcomes()[:5] == ["mismatch", "match", None, "unreachable", None]
        assert page.locator("tr[data-visit] input[name=note]").first.input_value() == (
            "nhà đã dời 2 km"
        )
        assert page.title() != "1"
    assert said == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["", "/{id}", "/{id}?print=1", "/{id}/proof"])
def test_nothing_is_cut_off(browser: Browser, site: Site, width: int, path: str) -> None:
    said: list[str] = []
    with opened(browser, site, said, width) as context:
        page = context.new_page()
        page.goto(f"{site.address}/audit/samples{path.format(id=site.sample_id)}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        assert page.title() != "1"
    assert said == []


def test_two_pages_open_on_one_visit_do_not_overwrite_each_other(
    browser: Browser, site: Site
) -> None:
    with opened(browser, site, []) as context:
        first, second = context.new_page(), context.new_page()
        for page in (first, second):
            page.goto(f"{site.address}/audit/samples/{site.sample_id}")
        first.locator("button.match").first.click()
        first.wait_for_load_state()
        second.locator("button.mismatch").first.click()
        second.get_by_text("Có người vừa ghi kết quả").wait_for()
    assert site.outcomes()[0] == "match"
    with db.transaction(site.url, scope=OPERATOR) as conn:
        assert conn.scalars(select(audit_sample_item.c.checked_by_name).distinct()).all() != [""]
