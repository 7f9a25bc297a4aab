"""The map page in a real browser: its address, layers, filters, measuring, search, and its file."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pyproj import Geod

from geo import db
from geo.scope import OPERATOR
from tests import page_data, people
from tests.browsing import chromium, serving
from tests.page_data import INSIDE, PAYLOADS
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Site:
    """A served application with the small world in it, and the cookie of who may see all of it."""

    address: str
    cookie: dict[str, str]


@pytest.fixture(scope="module")
def site(make_database: Callable[..., str], empty_url: str) -> Iterator[Site]:
    assets.copy()
    url = make_database(empty_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        page_data.add_records(conn, demo=True)
        cookie = people.cookie(app, conn)
    with serving(app) as address:
        yield Site(address, cookie)
    db.engine(url).dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


class Seen:
    """A page of the browser, and what went wrong in it or was asked of others."""

    def __init__(self, page: Page, site: Site):
        self.page, self.site = page, site
        self.faults: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda said: self.faults.append(said.text) if said.type == "error" else None,
        )
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> Page:
        self.page.goto(self.site.address + path)
        return self.drawn()

    def drawn(self) -> Page:
        self.page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
        return self.page


@pytest.fixture
def seen(browser: Browser, site: Site) -> Iterator[Seen]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="vi-VN", accept_downloads=True
    )
    context.add_cookies([{**site.cookie, "domain": "127.0.0.1"}])
    yield Seen(context.new_page(), site)
    context.close()


def look(page: Page, script: str) -> object:
    """The value of a script in which `map` is the page's map."""
    name = page.locator(".map").get_attribute("id")
    return page.evaluate(f"(() => {{ const map = {name}; return {script}; }})()")


def at(page: Page, lon: float, lat: float) -> tuple[float, float]:
    x, y = look(page, f"(p => [p.x, p.y])(map.latLngToContainerPoint([{lat}, {lon}]))")
    box = page.locator(".map").bounding_box()
    assert box
    return box["x"] + x, box["y"] + y


def status(page: Page) -> str:
    return page.locator("#map-status").inner_text()


@pytest.mark.parametrize("path", ["/map/VN", "/map/19", "/map/05001", "/map/19?lang=en"])
def test_a_map_loads_clean_and_asks_nobody_else(seen: Seen, path: str) -> None:
    page = seen.open(path)
    assert seen.faults == []
    assert [url for url in seen.asked if not url.startswith(seen.site.address)] == []
    assert "Bản đồ" in page.title() or "Map" in page.title()
