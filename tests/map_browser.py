"""The map page in a browser, for tests: when it is drawn, and what it tells."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from geo import db
from geo.scope import OPERATOR
from tests import page_data, people
from tests.browsing import serving
from web import assets
from web.app import create_app


@dataclass(frozen=True)
class Site:
    """A served application with the small world in it, and the cookie of who may see all of it."""

    address: str
    cookie: dict[str, str]


@contextmanager
def small_world(url: str) -> Iterator[Site]:
    """The small world of the page tests in an empty database of its own, served."""
    assets.copy()
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        page_data.add_records(conn, demo=True)
        cookie = people.cookie(app, conn)
    with serving(app) as address:
        yield Site(address, cookie)
    db.engine(url).dispose()


@contextmanager
def looking(browser: Browser, site: Site) -> Iterator["Seen"]:
    """A window of a desktop's size, signed in."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="vi-VN", accept_downloads=True
    )
    context.add_cookies([{**site.cookie, "domain": "127.0.0.1"}])
    yield Seen(context.new_page(), site.address)
    context.close()


class Seen:
    """A page of the browser, and what went wrong in it or was asked of others."""

    def __init__(self, page: Page, address: str):
        self.page, self.address = page, address
        self.faults: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda said: self.faults.append(said.text) if said.type == "error" else None,
        )
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.drawn()

    def drawn(self) -> Page:
        self.page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
        return self.page


def look(page: Page, script: str) -> Any:
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
