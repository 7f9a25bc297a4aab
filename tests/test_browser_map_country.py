"""The country's map in a real browser, coloured by commune: all of them at once."""

import pytest
from playwright.sync_api import expect

from tests.map_browser import Seen, at

pytestmark = pytest.mark.browser


def test_every_commune_of_the_country_is_coloured_at_once(seen: Seen) -> None:
    page = seen.open("/map/VN?layers=areas&metric=poverty_rate")
    legend = page.locator("#legend")
    expect(legend).to_contain_text("vẽ 1 trên 1 địa bàn")
    with page.expect_response("**/children/figures.json?level=commune") as told:
        page.select_option("select[name=level]", "commune")
    assert told.value.ok
    seen.drawn()
    expect(legend).to_contain_text("Tỷ lệ hộ nghèo, theo xã")
    # Two of six households of one commune are poor; nobody lives in the other one.
    for line in ("20–40 % (1)", "Chưa có số liệu (1)", "vẽ 2 trên 2 địa bàn"):
        expect(legend).to_contain_text(line)
    assert "level=commune" in page.url
    page.reload()
    seen.drawn()
    expect(legend).to_contain_text("vẽ 2 trên 2 địa bàn")
    page.mouse.click(*at(page, 105.05, 21.05))
    popup = page.locator(".leaflet-popup")
    for line in ("Xã Ba Bể", "Tỉnh Thái Nguyên", "Tỷ lệ hộ nghèo: 33,3 %"):
        expect(popup).to_contain_text(line)
    link = popup.locator("a[href^='/map/05001']")
    assert "level" not in (link.get_attribute("href") or "")
    page.go_back()
    seen.drawn()
    expect(legend).to_contain_text("vẽ 1 trên 1 địa bàn")
    assert seen.faults == []


def test_communes_that_could_not_be_had_are_asked_again(seen: Seen) -> None:
    page = seen.open("/map/VN?layers=areas")
    page.route("**/figures.json?level=commune", lambda route: route.fulfill(status=503, body="{}"))
    page.select_option("select[name=level]", "commune")
    page.wait_for_selector(".map[data-view=failed]")
    expect(page.locator("#legend")).to_contain_text("Chưa có số liệu (–)")
    page.unroute("**/figures.json?level=commune")
    page.click("text=Thử lại")
    seen.drawn()
    expect(page.locator("#legend")).to_contain_text("vẽ 2 trên 2 địa bàn")
