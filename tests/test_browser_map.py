"""The map page in a real browser: its address, layers, filters, measuring, search, and its file."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
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


def test_layers_and_filters_are_in_the_address_and_come_back(seen: Seen) -> None:
    page = seen.open("/map/05001?at=12/21.05000/105.05000")
    page.check("input[value=households]")
    page.select_option("select[name=verdict]", "outside")
    seen.drawn()
    assert "layers=surveys,households" in page.url
    assert "verdict=outside" in page.url
    assert re.search(r"at=12/21\.0[45]\d+/105\.0[45]\d+&", page.url)
    assert status(page).splitlines()[0].startswith("Phiếu rà soát: 1 trong khung nhìn trên 1 ")
    page.reload()
    seen.drawn()
    assert page.input_value("select[name=verdict]") == "outside"
    assert page.is_checked("input[value=households]")
    assert look(page, "map.getZoom()") == 12
    page.go_back()
    seen.drawn()
    assert page.input_value("select[name=verdict]") == ""
    assert page.is_checked("input[value=households]")
    page.go_back()
    seen.drawn()
    assert not page.is_checked("input[value=households]")
    assert seen.faults == []


def test_moving_the_map_is_remembered_without_a_step_back_for_each(seen: Seen) -> None:
    page = seen.open("/map/05001?at=12/21.05/105.05")
    before = page.evaluate("history.length")
    look(page, "map.setView([21.02, 105.08], 13, {animate: false})")
    page.wait_for_url("**at=13/21.02000/105.08000**")
    assert page.evaluate("history.length") == before


def test_the_page_tells_what_is_in_view_of_all_that_matches(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05")
    assert status(page) == "Phiếu rà soát: 2 trong khung nhìn trên 3 có toạ độ"
    legend = page.locator("#legend").inner_text()
    for line in ("Khớp địa bàn (1)", "Chưa chắc chắn (1)", "Lệch địa bàn (1)", "Chưa định vị (0)"):
        assert line in legend
    look(page, "map.setView([21.05, 105.1], 9, {animate: false})")
    expect(page.locator("#map-status")).to_contain_text("Phiếu rà soát: 3 trong khung nhìn")


def test_areas_are_coloured_by_the_chosen_figure_and_counted_in_the_legend(seen: Seen) -> None:
    page = seen.open("/map/19?layers=areas")
    legend = page.locator("#legend")
    assert "60–80 % (1)" in legend.inner_text() and "Chưa có số liệu (1)" in legend.inner_text()
    page.select_option("select[name=metric]", "poverty_rate")
    assert "20–40 % (1)" in legend.inner_text()
    assert "metric=poverty_rate" in page.url
    x, y = at(page, 105.05, 21.05)
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y, steps=3)
    page.locator(".leaflet-tooltip").wait_for()
    assert page.locator(".leaflet-tooltip").inner_text() == "Xã Ba Bể\nTỷ lệ hộ nghèo: 33,3 %"
    page.mouse.click(x, y)
    link = page.locator(".leaflet-popup a").first
    assert link.get_attribute("href") == "/map/05001?layers=areas&metric=poverty_rate"


def test_a_point_tells_its_class_and_leads_to_its_page(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05")
    page.mouse.click(*at(page, 105.05, 21.05))
    popup = page.locator(".leaflet-popup")
    popup.wait_for()
    assert "Khớp địa bàn" in popup.inner_text() and INSIDE in popup.inner_text()
    popup.locator("a", has_text="Mở").click()
    page.wait_for_url(f"**/surveys/{INSIDE}?commune=05001")


def test_the_keyboard_reads_what_stands_in_the_middle(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05")
    page.focus(".map")
    page.keyboard.press("Enter")
    assert "Khớp địa bàn" in page.locator(".leaflet-popup").inner_text()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((105.0, 21.0), (105.001, 21.0)),
        ((105.0, 21.0), (105.0, 21.1)),
        ((102.14, 22.4), (109.46, 12.65)),
        ((104.7, 8.6), (105.3, 23.39)),
        ((105.0, 21.0), (105.0, 21.0)),
    ],
)
def test_lengths_are_those_of_the_ellipsoid(seen: Seen, start, end) -> None:
    page = seen.open("/map/05001")
    ends = [{"lng": lon, "lat": lat} for lon, lat in (start, end)]
    metres = page.evaluate("ends => Ancu.measures.metres(ends[0], ends[1])", ends)
    _, _, known = Geod(ellps="WGS84").inv(*start, *end)
    assert metres == pytest.approx(known, rel=1e-5, abs=0.001)


def test_ground_is_that_of_the_ellipsoid(seen: Seen) -> None:
    page = seen.open("/map/05001")
    ring = [(105.0, 21.0), (105.02, 21.0), (105.02, 21.01), (105.0, 21.01)]
    corners = [{"lng": lon, "lat": lat} for lon, lat in ring]
    known, _ = Geod(ellps="WGS84").polygon_area_perimeter(*zip(*ring, strict=True))
    made = page.evaluate("ring => Ancu.measures.squareMetres(ring)", corners)
    assert made == pytest.approx(abs(known), rel=1e-4)


@pytest.mark.parametrize(
    ("number", "length", "ground"),
    [
        (8.25, "8,3 m", "8 m²"),
        (640.4, "640 m", "640 m²"),
        (12_345.6, "12,35 km", "1,23 ha"),
        (2_500_000, "2.500 km", "2,5 km²"),
    ],
)
def test_measures_are_written_as_viet_nam_writes_them(
    seen: Seen, number: float, length: str, ground: str
) -> None:
    page = seen.open("/map/05001")
    assert page.evaluate("n => Ancu.measures.lengthText(n)", number) == length
    assert page.evaluate("n => Ancu.measures.groundText(n)", number) == ground


def test_measuring_by_mouse_and_by_keyboard(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05")
    page.click("[data-act=measure]")
    hint = page.locator("#map-hint")
    for lon, lat in ((105.05, 21.05), (105.06, 21.05), (105.06, 21.06)):
        page.mouse.click(*at(page, lon, lat))
    assert "Chiều dài: 2,1" in hint.inner_text() and "Diện tích: 5" in hint.inner_text()
    assert page.locator(".leaflet-popup").count() == 0
    page.keyboard.press("Backspace")
    assert "Diện tích" not in hint.inner_text() and "Chiều dài: 1,0" in hint.inner_text()
    page.keyboard.press("Enter")
    assert "Diện tích" in hint.inner_text()
    page.keyboard.press("Escape")
    assert hint.is_hidden()
    assert page.get_attribute("[data-act=measure]", "aria-pressed") == "false"
    assert seen.faults == []


def test_search_leads_to_areas_and_shows_records_where_they_stand(seen: Seen) -> None:
    page = seen.open("/map/19?layers=surveys")
    page.fill("#map-q", "ba be")
    result = page.locator("#map-results a", has_text="Xã Ba Bể")
    assert "/map/05001?layers=surveys" in (result.get_attribute("href") or "")
    page.fill("#map-q", INSIDE)
    page.locator("#map-results button", has_text=INSIDE).click()
    assert look(page, "map.getZoom()") == 16
    assert "Phiếu" in page.locator(".leaflet-popup").inner_text()
    page.fill("#map-q", "không có gì như vậy")
    expect(page.locator("#map-found")).to_have_text("Không tìm thấy.")
    assert seen.faults == []


def test_names_that_try_to_run_stay_text(seen: Seen) -> None:
    page = seen.open("/map/05001")
    page.fill("#map-q", "ba be")
    page.locator("#map-results", has_text=PAYLOADS[2]).wait_for()
    assert PAYLOADS[4] in page.locator("#map-results").inner_text()
    assert page.locator("#map-results img").count() == 0
    assert "An Cư" in page.title() and seen.faults == []


def test_the_link_can_be_copied_by_hand_where_the_browser_does_not_let_the_page(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05")
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard',"
        " {value: {writeText: () => Promise.reject(new Error('no'))}})"
    )
    page.click("[data-act=copy]")
    shown = page.locator("#map-link input")
    shown.wait_for()
    assert shown.input_value() == page.url


def test_paper_has_title_legend_filters_scale_and_date(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05&verdict=inside")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    head = page.locator("#paper-head")
    assert head.is_visible() and page.locator("h1").is_visible()
    told = head.inner_text()
    assert "Phiếu rà soát" in told and "Kết luận vị trí: ● Khớp" not in told
    assert "Kết luận vị trí: Khớp địa bàn" in told
    assert "Tỷ lệ khoảng 1:" in told and "In lúc" in told
    assert page.locator("#legend").is_visible()
    assert page.locator(".leaflet-control-scale").is_visible()
    assert page.locator("#map-form fieldset").first.is_hidden()
    assert len(PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages) == 1
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")


@pytest.mark.parametrize("width", [360, 390])
def test_the_map_fits_a_phone(seen: Seen, width: int) -> None:
    seen.page.set_viewport_size({"width": width, "height": 800})
    page = seen.open("/map/19?layers=surveys,households,areas")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
