"""The map page in a browser, for tests: when it is drawn, and what it tells."""

from typing import Any

from playwright.sync_api import Page


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
