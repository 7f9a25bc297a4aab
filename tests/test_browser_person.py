"""A data subject's requests in a real browser: the full ID once, by the keyboard, on a phone."""

from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import insert, select
from werkzeug.serving import make_server

from geo import db
from geo.account_tables import access_log
from geo.scope import OPERATOR
from geo.tables import area
from tests import intake_world, people
from tests.persons_world import ID, MASKED, WHY, build
from tests.test_browser import Site, Watched
from tests.test_browser import browser as browser
from web.app import create_app

pytestmark = pytest.mark.browser
HOME = "/households/01/H1"


@pytest.fixture(scope="module")
def url(make_database: Callable[..., str], template_url: str) -> str:
    return make_database(template_url)


@pytest.fixture(scope="module")
def served(url: str) -> Iterator[Site]:
    """One household of a commune, and its officer's cookie."""
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
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", cookie)
    server.shutdown()
    thread.join()
    server.server_close()
    db.engine(url).dispose()


@pytest.fixture
def watched(browser: Browser, served: Site) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    context.add_cookies([{**served.cookie, "domain": "127.0.0.1"}])
    yield Watched(context.new_page(), served.address)
    context.close()


def ask(page: Page, why: str) -> None:
    """Open the form by the keyboard, give the reason, send it."""
    page.locator("summary", has_text="Xem đủ số định danh").press("Enter")
    page.get_by_label("Lý do xem").fill(why)
    page.keyboard.press("Enter")


def test_the_full_id_comes_once_and_leaves_no_trace_in_the_browser(
    watched: Watched, url: str
) -> None:
    page = watched.open(HOME)
    assert MASKED in page.inner_text("main") and ID not in page.content()
    ask(page, WHY)
    page.locator(".secret").wait_for()
    assert page.inner_text(".secret") == ID
    assert ID not in page.url and "lý" not in page.url
    page.reload(wait_until="networkidle")
    assert ID not in page.content()
    page.go_back(wait_until="networkidle")
    page.go_forward(wait_until="networkidle")
    assert ID not in page.content()
    assert watched.faults == [] and watched.foreign == []
    with db.transaction(url, scope=OPERATOR) as conn:
        why = select(access_log.c.reason).where(access_log.c.action == "ids.read")
        assert conn.execute(why).scalars().all() == [WHY]


def test_without_a_reason_the_browser_sends_nothing(watched: Watched) -> None:
    page = watched.open(HOME)
    ask(page, "ngắn")
    assert page.evaluate("document.querySelector('#reason').validity.tooShort")
    assert ID not in page.content()


@pytest.mark.parametrize("path", ["", "/record", "/correct?field=causes", "/remove"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_load_clean_and_fit_the_screen(watched: Watched, path: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    page = watched.open(HOME + path)
    assert watched.faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_correction_by_the_keyboard_alone(watched: Watched) -> None:
    page = watched.open(HOME)
    page.get_by_role("link", name="Chỉnh sửa").press("Enter")
    page.get_by_role("link", name="Sửa: Thôn, bản").press("Enter")
    page.get_by_label("Giá trị mới").fill("Bản Pó")
    page.keyboard.press("Tab")
    page.keyboard.type(WHY)
    page.keyboard.press("Enter")
    page.get_by_text("Đã chỉnh sửa: Thôn, bản.").wait_for()
    assert "Bản Pó" in page.inner_text("main")


def test_the_record_prints_without_menus_and_buttons(watched: Watched) -> None:
    page = watched.open(f"{HOME}/record")
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible()
    assert not page.get_by_text("Tải tệp JSON").is_visible()
    assert page.get_by_text("Ai đã xem hoặc thay đổi").is_visible()
