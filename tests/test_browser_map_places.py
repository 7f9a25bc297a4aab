"""What the map page tells of a place, and what it finds, in a real browser."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.map_browser import Seen, at
from tests.page_data import INSIDE, OUTSIDE

pytestmark = pytest.mark.browser


def test_all_records_at_one_place_can_be_read(seen: Seen) -> None:
    page = seen.open("/map/19?layers=findings,surveys&at=13/21.05/105.15")
    page.mouse.click(*at(page, 105.15, 21.05))
    popup = page.locator(".leaflet-popup")
    popup.wait_for()
    told = popup.inner_text()
    assert told.startswith("2 bản ghi ở đây") and told.count(OUTSIDE) == 2
    assert "Nặng" in told and popup.locator("a", has_text="Mở").count() == 2


def test_that_a_link_was_copied_is_said_beside_the_measure_and_until_the_map_moves(
    seen: Seen,
) -> None:
    page = seen.open("/map/05001")
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async () => {}}})"
    )
    hint = page.locator("#map-hint")
    page.click("[data-act=measure]")
    page.click("[data-act=copy]")
    expect(hint).to_contain_text("Đã sao chép liên kết.")
    expect(hint).to_contain_text("Chiều dài")
    page.click("[data-act=measure]")
    expect(hint).to_be_hidden()
    page.click("[data-act=copy]")
    expect(hint).to_have_text("Đã sao chép liên kết.")
    page.uncheck("input[name=layers][value=surveys]")
    expect(hint).to_be_hidden()


def test_the_keyboard_reads_the_area_in_the_middle(seen: Seen) -> None:
    page = seen.open("/map/19?layers=areas&at=13/21.02/105.05")
    page.focus(".map")
    page.keyboard.press("Enter")
    assert page.locator(".leaflet-popup strong").inner_text() == "Xã Ba Bể"


def test_a_figure_of_an_area_has_its_name_where_areas_are_not_coloured(seen: Seen) -> None:
    page = seen.open("/map/19?layers=&at=13/21.02/105.05")
    page.mouse.click(*at(page, 105.05, 21.02))
    told = page.locator(".leaflet-popup").inner_text()
    figure = page.locator("select[name=metric] option:checked").inner_text()
    assert re.search(rf"{figure}: [\d,]+ ?%", told)


@pytest.mark.parametrize("code", ["__proto__", "constructor", "toString", "hasOwnProperty"])
def test_a_record_may_be_called_as_what_every_object_has(seen: Seen, code: str) -> None:
    page = seen.page

    def renamed(route: Route) -> None:
        body = route.fetch().body()
        route.fulfill(body=body.replace(INSIDE.encode(), code.ljust(len(INSIDE)).encode()))

    # The library asks by the name itself: spaces behind it are taken off again.
    page.add_init_script(
        "window.addEventListener('DOMContentLoaded', () => {"
        " const ask = L.VectorGrid.Protobuf.prototype.ask;"
        " L.VectorGrid.Protobuf.include({ask: async function (coords) {"
        "  const tile = await ask.call(this, coords);"
        "  for (const layer of Object.values(tile.layers)) for (const one of layer.features)"
        "   if (typeof one.properties.id === 'string')"
        "    one.properties.id = one.properties.id.trim();"
        "  return tile; }}); });"
    )
    page.route("**/tiles/surveys/**", renamed)
    page = seen.open("/map/05001?layers=surveys&at=13/21.05/105.05")
    page.mouse.click(*at(page, 105.05, 21.05))
    assert code in page.locator(".leaflet-popup").inner_text()
    assert seen.faults == []


def test_a_number_is_searched_for_when_enter_is_pressed_not_key_by_key(seen: Seen) -> None:
    page = seen.open("/map/19?layers=surveys")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "search.json" in one.url else None)
    field = page.locator("#map-q")
    field.press_sequentially("001099012345", delay=10)
    expect(page.locator("#map-found")).to_have_text("Nhấn Enter để tìm số này.")
    page.wait_for_timeout(600)  # longer than the pause after which names are searched for
    assert [url for url in asked if "q=0010" in url] == []
    field.press("Enter")
    expect(page.locator("#map-found")).to_have_text("Không tìm thấy.")
    assert [url.split("q=")[1] for url in asked if "q=0010" in url] == ["001099012345"]


def test_an_older_search_that_fails_late_changes_nothing(seen: Seen) -> None:
    page = seen.open("/map/19?layers=surveys")
    held: list[Route] = []
    page.route("**/map/search.json?*q=slow", lambda route: held.append(route))
    with page.expect_request("**/map/search.json?*q=slow"):
        page.fill("#map-q", "slow")
    page.fill("#map-q", "ba be")
    result = page.locator("#map-results a", has_text="Xã Ba Bể")
    expect(result).to_be_visible()
    with page.expect_event("requestfailed"):
        held[0].abort()
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(result).to_be_visible()
    expect(page.locator("#map-found")).to_have_text("")
