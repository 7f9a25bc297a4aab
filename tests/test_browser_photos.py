"""Photos in a real browser: chosen, sent, shown; on a desk and on a phone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import insert

from geo import db
from geo.scope import OPERATOR
from geo.tables import area
from tests import intake_world, people
from tests.browsing import serving
from tests.persons_world import build
from tests.pictures import WHEN, exif, jpeg
from tests.test_browser import Site, Watched
from tests.test_browser import browser as browser
from web.app import create_app

pytestmark = pytest.mark.browser
SURVEY = f"/surveys/{intake_world.survey(2)['survey_id']}"


@pytest.fixture(scope="module")
def served(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    """One household of a commune, and its officer's cookie."""
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        intake_world.build(conn)
        conn.execute(
            insert(area).values(
                code="VN", level="country", name="Việt Nam", full_name="Việt Nam", kind="country",
                name_key="viet nam",
            )
        )  # fmt: skip
        build(conn)
        cookie = people.cookie(app, conn, "officer@00101")
    with serving(app) as address:
        yield Site(address, cookie)
    db.engine(url).dispose()


def opened(browser: Browser, served: Site, width: int) -> Watched:
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="vi-VN")
    context.add_cookies([{**served.cookie, "domain": "127.0.0.1"}])
    return Watched(context.new_page(), served.address)


@pytest.mark.parametrize("width", [1280, 360])
def test_photos_are_sent_and_shown(
    browser: Browser, served: Site, tmp_path: Path, width: int
) -> None:
    files = []
    for number, said in ((width, exif((105.15, 21.012), WHEN)), (width + 1, None)):
        file = tmp_path / f"nhà {number}.jpg"
        file.write_bytes(jpeg(number, said))
        files.append(file)
    watched = opened(browser, served, width)
    page: Page = watched.page
    watched.open(SURVEY)
    form = page.locator("#photos form")
    if not form.is_visible():
        page.locator("#photos summary").click()
    form.locator("input[type=file]").set_input_files(files)
    form.get_by_role("button", name="Gửi ảnh").click()
    page.get_by_text("Đã lưu 2 ảnh.").wait_for()
    page.locator("#photos").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    widths = page.locator(".photos img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert set(widths) == {320}
    shown = page.locator("#photos").inner_text()
    assert "chụp 30/09/2026 08:15" in shown.replace("\u00a0", " ")
    assert "cách điểm ghi nhận 221 m" in shown.replace("\u00a0", " ")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    address = page.locator(".photos a").first.get_attribute("href")
    answer = page.request.get(served.address + str(address))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert (watched.faults, watched.foreign) == ([], [])
    page.context.close()
