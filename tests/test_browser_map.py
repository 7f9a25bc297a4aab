"""The map page in a real browser: its address, layers, filters, measuring, search, and its file."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader
from pyproj import Geod

from tests.map_browser import Seen, at, look, status
from tests.page_data import INSIDE, PAYLOADS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/map/VN", "/map/19", "/map/05001", "/map/19?lang=en"])
def test_a_map_loads_clean_and_asks_nobody_else(seen: Seen, path: str) -> None:
    page = seen.open(path)
    assert seen.faults == []
    assert [url for url in seen.asked if not url.startswith(seen.address)] == []
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


@pytest.mark.parametrize("zoom", [16, 17, 18, 19])
def test_the_closest_zooms_count_and_answer_clicks(seen: Seen, zoom: int) -> None:
    page = seen.open(f"/map/05001?at={zoom}/21.05/105.05")
    assert status(page) == "Phiếu rà soát: 1 trong khung nhìn trên 3 có toạ độ"
    page.mouse.click(*at(page, 105.05, 21.05))
    assert INSIDE in page.locator(".leaflet-popup").inner_text()
    assert [url for url in seen.asked if f"/tiles/surveys/{zoom}/" in url]
    assert len([url for url in seen.asked if "/tiles/surveys/0/0/0" in url]) == 1


def test_a_saved_map_counts_and_answers_clicks_where_its_tiles_are_stretched(
    seen: Seen, tmp_path: Path
) -> None:
    page = seen.open("/map/05001?at=11/21.05/105.05")
    assert re.search(r"&box=[0-9.]+\.\d{5},", page.get_attribute("[data-act=save]", "href") or "")
    with page.expect_download() as kept:
        page.click("[data-act=save]")
    kept.value.save_as(tmp_path / "map.html")
    page.goto((tmp_path / "map.html").as_uri())
    seen.drawn()
    look(page, "map.setView([21.05, 105.05], 18, {animate: false})")
    expect(page.locator("#map-status")).to_contain_text("Phiếu rà soát: 1 trong khung nhìn trên 3 ")
    page.mouse.click(*at(page, 105.05, 21.05))
    assert INSIDE in page.locator(".leaflet-popup").inner_text()
    look(page, "map.setView([21.05, 105.05], 5, {animate: false})")
    expect(page.locator("#map-status")).to_contain_text("Phiếu rà soát: 3 trong khung nhìn")


def test_what_could_not_be_had_has_no_number_until_it_is_asked_again(seen: Seen) -> None:
    page = seen.page
    page.route("**/tiles/surveys/**", lambda route: route.fulfill(status=503, body="{}"))
    page.goto(seen.address + "/map/05001?at=13/21.05/105.05")
    page.wait_for_selector(".map[data-ready=areas][data-view=failed]")
    assert status(page) == "Phiếu rà soát: – trong khung nhìn trên – có toạ độ"
    assert "Khớp địa bàn (–)" in page.locator("#legend").inner_text()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert "Không tải được dữ liệu bản đồ." in (page.locator("#paper-head").text_content() or "")
    page.unroute("**/tiles/surveys/**")
    page.click("text=Thử lại")
    seen.drawn()
    assert status(page) == "Phiếu rà soát: 2 trong khung nhìn trên 3 có toạ độ"
    assert "Khớp địa bàn (1)" in page.locator("#legend").inner_text()
    assert page.locator(".map-note").is_hidden()


def test_finer_borders_that_could_not_be_had_are_asked_again(seen: Seen) -> None:
    page = seen.open("/map/19?layers=areas&at=9/21.05/105.1")
    page.route("**/children.geojson**", lambda route: route.fulfill(status=503, body="{}"))
    look(page, "map.setView([21.05, 105.1], 11, {animate: false})")
    page.wait_for_selector(".map[data-view=failed]")
    page.unroute("**/children.geojson**")
    with page.expect_response("**/children.geojson?*z=11") as told:
        page.click("text=Thử lại")
    seen.drawn()
    assert told.value.ok and page.locator(".map-note").is_hidden()


def test_who_was_signed_out_is_led_to_sign_in_and_back(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05")
    page.context.clear_cookies()
    look(page, "map.setView([21.05, 105.05], 14, {animate: false})")
    link = page.locator(".map-note a")
    link.wait_for()
    expect(page.locator(".map-note")).to_have_text("Phiên làm việc đã hết. Đăng nhập lại")
    page.fill("#map-q", "ba be")
    expect(page.locator("#map-found")).to_have_text("Phiên làm việc đã hết. Đăng nhập lại")
    link.click()
    page.wait_for_url("**/sign-in?next=%2Fmap%2F05001%3F**")


@pytest.mark.parametrize("native", [True, False])
def test_the_whole_screen_can_be_left_by_its_own_button(seen: Seen, *, native: bool) -> None:
    page = seen.page
    if not native:
        page.set_viewport_size({"width": 390, "height": 800})
        page.add_init_script("Element.prototype.requestFullscreen = undefined")
    seen.open("/map/05001")
    leave = page.locator("[data-act=leave]")
    assert leave.is_hidden()
    page.click("[data-act=full]")
    leave.wait_for()
    assert page.evaluate("document.fullscreenElement !== null") is native
    leave.click()
    expect(leave).to_be_hidden()
    page.click("[data-act=measure]")
    assert page.evaluate("document.fullscreenElement") is None


def test_a_filter_that_no_shown_layer_has_leaves_the_address_at_once(seen: Seen) -> None:
    page = seen.open("/map/05001?at=13/21.05/105.05&layers=households&verdict=outside")
    assert "verdict" not in page.url
    page.check("input[value=surveys]")
    assert "verdict=outside" in page.url
    page.uncheck("input[value=surveys]")
    assert "verdict" not in page.url
    look(page, "map.panBy([20, 0], {animate: false})")
    assert "verdict" not in page.url


def test_filters_that_stand_for_several_values_are_kept(seen: Seen) -> None:
    page = seen.open("/map/05001?at=11/21.05/105.1&layers=surveys&verdict=doubtful")
    assert page.input_value("select[name=verdict]") == "doubtful"
    assert status(page) == "Phiếu rà soát: 2 trong khung nhìn trên 2 có toạ độ"
