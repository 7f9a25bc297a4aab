"""A saved map in a real browser without network: drawn from the file, and asking for nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Connection

from tests import page_data, people
from tests.browsing import chromium
from tests.page_data import INSIDE
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    if assets.missing():
        assets.copy()
    page_data.add_areas(conn)
    page_data.add_records(conn, demo=True)
    return people.client(create_app(begin), conn)


@pytest.fixture
def offline(browser: Browser) -> Iterator[tuple[Page, list[str], list[str]]]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type in ("error", "warning") else None,
    )
    yield page, asked, faults
    context.close()


def saved(client: FlaskClient, folder: Path, path: str) -> str:
    file = folder / "map.html"
    file.write_bytes(client.get(path).data)
    return file.as_uri()


def name(page: Page) -> str:
    """The script's name of the page's map."""
    return page.locator(".map").get_attribute("id") or ""


def test_a_saved_map_is_drawn_without_network(client, offline, tmp_path: Path) -> None:
    page, asked, faults = offline
    address = saved(
        client,
        tmp_path,
        "/map/05001/file.html?layers=surveys,areas&at=13/21.05/105.05&box=105,21,105.1,21.1",
    )
    page.goto(address)
    page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
    assert faults == [] and asked == [address]
    status = page.locator("#map-status")
    expect(status).to_contain_text("2 trong khung nhìn trên 3 có toạ độ")
    expect(page.locator("#legend")).to_contain_text("Lệch địa bàn (1)")
    x, y = page.evaluate(f"(p => [p.x, p.y])({name(page)}.latLngToContainerPoint([21.05, 105.05]))")
    box = page.locator(".map").bounding_box()
    assert box
    page.mouse.click(box["x"] + x, box["y"] + y)
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text(INSIDE)
    assert popup.locator("a:not(.leaflet-popup-close-button)").count() == 0
    page.uncheck("input[value=surveys]")
    expect(status).not_to_contain_text("trong khung nhìn")
    page.select_option("select[name=metric]", "poverty_rate")
    expect(page.locator("#legend")).to_contain_text("20–40 % (1)")
    page.click("[data-act=measure]")
    expect(page.locator("#map-hint")).to_contain_text("Chiều dài: 0 m")
    assert faults == [] and asked == [address]


def test_a_saved_map_lets_nothing_else_be_asked_or_run(client, offline, tmp_path: Path) -> None:
    page, _asked, faults = offline
    refused: list[str | None] = []
    page.on("requestfailed", lambda request: refused.append(request.failure))
    page.goto(saved(client, tmp_path, "/map/05001/file.html?layers=surveys"))
    page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'run'";
          document.body.append(script);
          document.body.append(Object.assign(new Image(), {src: "http://127.0.0.1:9/x.png"}));
        }"""
    )
    expect(page.locator("img[src$='x.png']")).to_have_count(1)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.title() != "run"
    assert len([text for text in faults if "Content Security Policy" in text]) == 2
    assert refused == ["csp"]


def test_a_saved_map_of_a_province_fits_a_phone(client, offline, tmp_path: Path) -> None:
    page, _asked, faults = offline
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(saved(client, tmp_path, "/map/19/file.html?layers=surveys,households,areas&lang=en"))
    page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("h1")).to_have_text("Map: Tỉnh Thái Nguyên")
    assert faults == []


def test_a_saved_map_shows_no_place_that_it_does_not_hold(client, offline, tmp_path: Path) -> None:
    page, _asked, faults = offline
    page.goto(
        saved(
            client,
            tmp_path,
            "/map/05001/file.html?layers=surveys&at=14/21.05/105.05&box=105.03,21.03,105.07,21.07",
        )
    )
    page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
    status = page.locator("#map-status")
    seen = status.inner_text()
    assert seen.startswith("Phiếu rà soát: 1 trong khung nhìn trên 3 có toạ độ")
    assert "Ngoài vùng đã lưu (phần mờ)" in seen  # the window is wider than the box
    assert page.locator(".leaflet-beyond-pane path").count() == 1
    page.evaluate(f"{name(page)}.setView([21.2, 105.4], 14, {{animate: false}})")
    page.wait_for_selector(".map[data-view=ready]")
    page.wait_for_function(f"{name(page)}.getCenter().distanceTo([21.05, 105.05]) < 3000")
    expect(status).to_contain_text("1 trong khung nhìn trên 3")
    least, most = page.evaluate(f"[{name(page)}.getMinZoom(), {name(page)}.getMaxZoom()]")
    assert 12 <= least <= 14 and most == 18
    page.evaluate(f"{name(page)}.setView([21.05, 105.05], 5, {{animate: false}})")
    assert page.evaluate(f"{name(page)}.getZoom()") == least
    assert faults == []


def test_a_saved_map_of_the_country_by_commune_is_drawn(client, offline, tmp_path: Path) -> None:
    page, asked, faults = offline
    address = saved(
        client, tmp_path, "/map/VN/file.html?layers=areas&level=commune&metric=coverage"
    )
    page.goto(address)
    page.wait_for_selector(".map[data-ready=areas][data-view=ready]")
    legend = page.locator("#legend")
    for line in ("Độ phủ, theo xã", "vẽ 2 trên 2 địa bàn", "60–80 % (1)"):
        expect(legend).to_contain_text(line)
    assert page.locator(".leaflet-beyond-pane").count() == 0  # areas are all there
    assert faults == [] and asked == [address]
