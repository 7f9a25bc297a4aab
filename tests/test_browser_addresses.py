"""Open addresses in a real browser: a choice by the keyboard alone, on a phone, undone again."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser
from sqlalchemy import insert

from geo import db
from geo.scope import OPERATOR
from geo.tables import area
from tests import intake_world, people
from tests.browsing import serving
from tests.open_addresses import ALIKE, DIVIDED, WHY, add, where
from tests.test_browser import Site, Watched
from tests.test_browser import browser as browser
from web.app import create_app

pytestmark = pytest.mark.browser
HOME = "/addresses?area=01"
ONE = "/addresses/one?area=01&province=01&key=thon+3+xa+phan+doi+huyen+cu+tinh+thu+mot"


@pytest.fixture(scope="module")
def url(make_database: Callable[..., str], template_url: str) -> str:
    return make_database(template_url)


@pytest.fixture(scope="module")
def served(url: str) -> Iterator[Site]:
    """A province with two groups of open addresses, and its officer's cookie."""
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        intake_world.build(conn)
        conn.execute(
            insert(area).values(
                code="VN", level="country", name="Việt Nam", full_name="Việt Nam", kind="country",
                name_key="viet nam",
            )
        )  # fmt: skip
        add(conn, DIVIDED, *ALIKE)
        cookie = people.cookie(app, conn, "officer@01")
    with serving(app) as address:
        yield Site(address, cookie)
    db.engine(url).dispose()


@pytest.fixture
def watched(browser: Browser, served: Site) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    context.add_cookies([{**served.cookie, "domain": "127.0.0.1"}])
    yield Watched(context.new_page(), served.address)
    context.close()


@pytest.mark.parametrize("path", [HOME, ONE, ONE + "&q=chi+ca", "/addresses?area=00101"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_load_clean_and_fit_the_screen(watched: Watched, path: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    page = watched.open(path)
    assert (watched.faults, watched.foreign) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_choice_by_the_keyboard_alone_and_its_undoing(watched: Watched, url: str) -> None:
    page = watched.open(HOME)
    page.get_by_role("link", name="xã Bông Lúa, huyện Cũ, Tỉnh Thử Một").press("Enter")
    page.get_by_label("Tìm xã").fill("binh minh")
    page.keyboard.press("Enter")
    page.get_by_label("Xã Bình Minh (00102)").press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(WHY)
    page.keyboard.press("Enter")
    page.get_by_text("Đã chọn Xã Bình Minh; 3 hộ được chuyển về.").wait_for()
    with db.transaction(url, scope=OPERATOR) as conn:
        assert where(conn)["H3"] == ("00102", "fix")
    page.get_by_role("button", name="Hoàn tác").press("Enter")
    page.get_by_text("Đã hoàn tác; 3 hộ trở lại chưa rõ xã.").wait_for()
    assert watched.faults == []
    with db.transaction(url, scope=OPERATOR) as conn:
        assert where(conn)["H3"] == ("", None)
