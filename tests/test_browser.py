"""Pages in a real browser: maps, clicks, deep links, nothing foreign, nothing that runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, Route

from geo import db
from geo.scope import OPERATOR
from tests import page_data, people
from tests.browsing import chromium, serving
from tests.page_data import OUTSIDE
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser

VIEWS = (
    "/progress/VN",
    "/progress/19",
    "/progress/05001",
    "/audit?area=19",
    f"/audit?area=19&survey={OUTSIDE}",
    "/revisits?area=19",
    "/targeting?area=19",
    f"/surveys/{OUTSIDE}",
    "/households/19/H2",
    "/sites/19/N/1",
    "/search?q=ho",
    "/import",
    "/no-such-page",
)


@dataclass(frozen=True)
class Site:
    """A served application with the small world in it, and the cookie of who may see all of it."""

    address: str
    cookie: dict[str, str]


@pytest.fixture(scope="module")
def site(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    if assets.missing():
        assets.copy()
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        page_data.add_records(conn, demo=True)
        page_data.add_household(conn, "Y1", "05002")
        cookie = people.cookie(app, conn)
    with serving(app) as address:
        yield Site(address, cookie)
    db.engine(url).dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


class Watched:
    """A browser page that remembers what went wrong and where it asked."""

    def __init__(self, page: Page, site: str):
        self.page, self.site = page, site
        self.faults: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._console)
        page.on("request", self._request)

    def _console(self, message) -> None:
        if message.type == "error" and "404" not in message.text:
            self.faults.append(message.text)

    def _request(self, request) -> None:
        if not request.url.startswith((self.site + "/", "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path, wait_until="networkidle")
        return self.page


@pytest.fixture
def watched(browser: Browser, site: Site) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    context.add_cookies([{**site.cookie, "domain": "127.0.0.1"}])
    yield Watched(context.new_page(), site.address)
    context.close()


@pytest.mark.parametrize("path", VIEWS)
def test_a_page_loads_clean_and_nothing_from_data_runs(watched: Watched, path: str) -> None:
    page = watched.open(path)
    assert watched.faults == []
    assert watched.foreign == []
    assert "An Cư" in page.title()
    assert page.locator("img[src='x']").count() == 0
    assert "49" not in page.title()


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("width", [360, 390])
def test_nothing_overflows_a_phone(watched: Watched, path: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    page = watched.open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def click_map(page: Page, lon: float, lat: float, action: str = "click") -> None:
    """Click or hover the place on the page's map."""
    name = page.locator(".map").get_attribute("id")
    x, y = page.evaluate(
        f"(() => {{ const p = {name}.latLngToContainerPoint([{lat}, {lon}]);"
        " return [p.x, p.y]; })()"
    )
    box = page.locator(".map").bounding_box()
    assert box
    page.mouse.move(box["x"] + x - 3, box["y"] + y)
    page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    if action == "click":
        page.mouse.click(box["x"] + x, box["y"] + y)


def test_the_map_leads_down_to_the_commune(watched: Watched) -> None:
    page = watched.open("/progress/VN")
    page.wait_for_selector(".map[data-ready=areas]")
    click_map(page, 105.1, 21.05)
    page.wait_for_url("**/progress/19")
    page.wait_for_selector(".map[data-ready=areas]")
    click_map(page, 105.05, 21.05)
    page.wait_for_url("**/progress/05001")


def test_hovering_the_map_shows_figures_and_marks_the_row(watched: Watched) -> None:
    page = watched.open("/progress/19")
    page.wait_for_selector(".map[data-ready=areas]")
    click_map(page, 105.05, 21.05, "hover")
    tip = page.locator(".leaflet-tooltip")
    tip.wait_for()
    assert "Xã Ba Bể" in tip.inner_text() and "66,7 %" in tip.inner_text()
    box = tip.bounding_box()
    assert box and 100 < box["width"] < 300
    assert page.locator("tr.hover").get_attribute("data-code") == "05001"


def test_the_metric_switch_changes_legend_column_and_address(watched: Watched) -> None:
    page = watched.open("/progress/19")
    assert page.locator("#legend strong").inner_text() == "Độ phủ"
    page.click("a[data-metric=completion]")
    assert page.locator("#legend strong").inner_text() == "Hoàn thành bàn giao"
    assert "metric=completion" in page.url
    assert page.locator("th[data-key=completion].on").count() == 1
    page.go_back()
    assert page.locator("#legend strong").inner_text() == "Độ phủ"


def test_headers_sort_by_click_and_by_keyboard(watched: Watched) -> None:
    page = watched.open("/progress/19")
    first = page.locator("tbody tr").first.locator("th")
    assert "Đức Xuân" in first.inner_text()
    page.click("a[data-sort=households]")
    assert "Ba Bể" in first.inner_text()
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.focus("a[data-sort=full_name]")
    page.keyboard.press("Enter")
    assert "Đức Xuân" in first.inner_text()


def test_clicking_a_point_opens_its_survey(watched: Watched) -> None:
    page = watched.open("/progress/05001")
    page.wait_for_selector(".map[data-points=ready]")
    click_map(page, 105.05, 21.05)
    page.wait_for_url("**/surveys/00000000-0000-4000-8000-000000000002?commune=05001")
    assert watched.faults == []


def test_a_point_tells_its_verdict_on_hover(watched: Watched) -> None:
    page = watched.open("/progress/05001")
    page.wait_for_selector(".map[data-points=ready]")
    click_map(page, 105.05, 21.05, "hover")
    page.locator(".leaflet-tooltip").wait_for()
    assert page.locator(".leaflet-tooltip").inner_text() == "Khớp địa bàn"


def test_map_data_that_fails_is_said_and_can_be_tried_again(watched: Watched) -> None:
    watched.page.route("**/children.geojson", lambda route: route.abort())
    page = watched.open("/progress/19")
    note = page.locator(".map-note")
    assert "Không tải được" in note.inner_text()
    watched.page.unroute("**/children.geojson")
    note.locator("button").click()
    page.wait_for_selector(".map[data-ready=areas]")
    assert note.is_hidden()


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_refused_tile_is_said_and_can_be_tried_again(watched: Watched, status: int) -> None:
    watched.page.route("**/tiles/**", lambda route: route.fulfill(status=status, body="{}"))
    page = watched.open("/progress/05001")
    note = page.locator(".map-note")
    note.get_by_role("button").wait_for()
    assert "Không tải được" in note.inner_text()
    watched.page.unroute("**/tiles/**")
    with page.expect_response(lambda answer: "/tiles/" in answer.url and answer.ok):
        note.get_by_role("button").click()
    assert note.is_hidden()


def test_the_map_shows_the_whole_again_when_its_width_changes(watched: Watched) -> None:
    page = watched.open("/progress/19")
    page.wait_for_selector(".map[data-ready=areas]")
    page.set_viewport_size({"width": 390, "height": 844})
    name = page.locator(".map").get_attribute("id")
    page.wait_for_function(f"Math.abs({name}.getCenter().lng - 105.1) < 0.005")
    page.wait_for_function(f"{name}.getBounds().contains([[21.0, 105.0], [21.1, 105.2]])")


def test_paper_gets_the_map_as_the_screen_shows_it(watched: Watched) -> None:
    page = watched.open("/progress/19")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    box = page.locator(".map")
    width = box.evaluate("(map) => map.offsetWidth")
    page.wait_for_selector(".map[data-ready=areas]")
    assert box.evaluate("(map) => map.style.width") == f"{width}px"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert box.evaluate("(map) => map.style.width") == ""


def test_links_keep_what_was_changed_without_loading(watched: Watched) -> None:
    page = watched.open("/progress/19")
    page.click("a[data-metric=completion]")
    page.click("a[data-sort=households]")
    address = page.locator(".languages a").get_attribute("href") or ""
    for part in ("lang=en", "metric=completion", "sort=households", "dir=desc"):
        assert part in address
    page.go_back()
    assert "metric" not in (page.locator(".languages a").get_attribute("href") or "")


def test_areas_of_a_map_are_no_tab_stops(watched: Watched) -> None:
    page = watched.open("/progress/19")
    page.wait_for_selector(".map[data-ready=areas]")
    stops = [path.get_attribute("tabindex") for path in page.locator(".map path").all()]
    assert stops == ["-1", "-1"]


def test_areas_without_figures_are_hatched(watched: Watched) -> None:
    page = watched.open("/progress/19?metric=completion")
    page.wait_for_selector(".map[data-ready=areas]")
    fills = [path.get_attribute("fill") for path in page.locator(".map path").all()]
    assert fills.count("url(#no-data)") == 1 and len(fills) == 2
    assert page.locator("pattern#no-data").count() == 1


def test_areas_whose_figures_are_hidden_are_dotted_and_named(watched: Watched) -> None:
    def hiding(route: Route) -> None:
        text = route.fetch().text()
        assert '"completion": null' in text
        route.fulfill(
            body=text.replace('"completion": null', '"completion":null,"suppressed":true')
        )

    watched.page.route("**/progress/19?metric=completion", hiding)
    page = watched.open("/progress/19?metric=completion")
    page.wait_for_selector(".map[data-ready=areas]")
    fills = [path.get_attribute("fill") for path in page.locator(".map path").all()]
    assert fills.count("url(#suppressed)") == 1 and "url(#no-data)" not in fills
    assert page.locator("pattern#suppressed").count() == 1
    assert "Số liệu được che" in page.locator("#legend").inner_text()


def test_arrow_keys_do_not_send_the_filters(watched: Watched) -> None:
    page = watched.open("/audit?area=19")
    page.focus("select[name=verdict]")
    page.keyboard.press("ArrowDown")
    assert page.locator("select[name=verdict]").input_value() == "outside"
    assert "verdict" not in page.url
    with page.expect_navigation():
        page.click("form.filters button")
    assert "verdict=outside" in page.url


def test_the_keyboard_reaches_the_content_first(watched: Watched) -> None:
    page = watched.open("/progress/19")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_an_area_on_the_targeting_map_opens_its_figures(watched: Watched) -> None:
    page = watched.open("/targeting?area=19")
    page.wait_for_selector(".map[data-ready=areas]")
    click_map(page, 105.05, 21.05)
    page.wait_for_selector("#panel-05001[open]")
    assert "Hộ nghèo" in page.locator("#panel-05001").inner_text()
