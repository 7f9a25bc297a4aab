"""Signing in, the steps that come first and signing out, in a real browser."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyotp
import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from api import limits
from geo import db
from geo.account_tables import account
from geo.scope import OPERATOR
from tests import page_data, people
from tests.browsing import chromium, serving
from tests.test_sign_in_pages import HASHED, OTHER, PASSWORD
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser

WRONG = "Tên đăng nhập, mật khẩu hoặc mã xác thực không đúng, hoặc tài khoản đang bị khoá."
SEND = "form.form button[type=submit]"


@dataclass(frozen=True)
class Site:
    """A served application, and the database behind it."""

    address: str
    url: str

    def person(self, login: str, *held: str, **values: object) -> None:
        """An account that the test before it has not touched."""
        with db.transaction(self.url, scope=OPERATOR) as conn:
            account_id = people.add(conn, *held, login=login)
            kept = {"password_hash": HASHED, "totp_confirmed_at": None, **values}
            conn.execute(update(account).where(account.c.account_id == account_id).values(kept))


@pytest.fixture(scope="module")
def site(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    if assets.missing():
        assets.copy()
    url = make_database(template_url)
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        page_data.add_records(conn)
    with serving(create_app(lambda scope: db.served(scope, url))) as address:
        yield Site(address, url)
    db.engine(url).dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """An empty browser on a desk; scripts must not complain."""
    limits.limiter.reset()
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="vi-VN", base_url=site.address
    )
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    context.close()
    assert faults == []


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.fill("#login", login)
    page.fill("#password", password)
    with page.expect_navigation():
        page.click(SEND)


def told(page: Page) -> str:
    return page.locator("[role=alert]").inner_text()


def at(page: Page, path: str) -> bool:
    return page.evaluate("location.pathname + location.search") == path


def test_the_keyboard_alone_signs_in_and_leads_to_what_was_asked_for(
    page: Page, site: Site
) -> None:
    site.person("ban-phim", "officer@05001")
    page.goto("/audit?area=05001")
    assert at(page, "/sign-in?next=/audit?area%3D05001")
    assert page.evaluate("document.activeElement.id") == "login"
    page.keyboard.type("ban-phim")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert at(page, "/audit?area=05001")
    assert page.locator(".me a").inner_text().startswith("Người")


def test_a_wrong_password_is_said_and_the_login_stays(page: Page, site: Site) -> None:
    site.person("sai", "officer@05001")
    page.goto("/sign-in")
    sign_in(page, "sai", OTHER)
    assert told(page) == WRONG
    assert page.input_value("#login") == "sai" and page.input_value("#password") == ""
    assert page.evaluate("document.activeElement.id") == "password"
    sign_in(page, "sai")
    assert at(page, "/progress/05001")


def test_five_wrong_ones_lock_and_the_right_one_gets_the_same_words(page: Page, site: Site) -> None:
    site.person("khoa", "officer@05001")
    page.goto("/sign-in")
    for _ in range(5):
        sign_in(page, "khoa", OTHER)
        assert told(page) == WRONG
    sign_in(page, "khoa")
    assert told(page) == WRONG
    page.goto("/progress/05001")
    assert at(page, "/sign-in?next=/progress/05001")


def test_an_officer_sets_up_codes_and_signs_in_with_one(page: Page, site: Site) -> None:
    site.person("hai-buoc", "officer@05001")
    page.goto("/sign-in?next=/account/second-factor")
    sign_in(page, "hai-buoc")
    page.click("text=Tạo mã QR")
    box = page.locator("svg.qr").bounding_box()
    assert box and box["width"] >= 200
    phone = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.fill("#code", "000000")
    page.click(SEND)
    assert "Mã không đúng." in page.locator(".error-text").inner_text()
    page.fill("#code", phone.now())
    page.click(SEND)
    assert at(page, "/account")
    page.click("text=Đăng xuất >> nth=0")
    sign_in(page, "hai-buoc")
    assert page.evaluate("document.activeElement.id") == "code"
    assert page.locator("#password").count() == 0 and PASSWORD not in page.content()
    page.fill("#code", "000000")
    page.click(SEND)
    assert told(page) == WRONG
    later = int(page.evaluate("Date.now()") / 1000) + 30  # each step's code is taken once
    page.fill("#code", phone.at(later))
    with page.expect_navigation():
        page.click(SEND)
    assert at(page, "/progress/05001")


def test_a_new_account_chooses_its_password_before_it_sees_anything(page: Page, site: Site) -> None:
    site.person("moi", "officer@05001", must_change_password=True)
    page.goto("/progress/05001")
    sign_in(page, "moi")
    assert at(page, "/account/password")
    assert "Đặt mật khẩu của riêng bạn trước." in page.locator(".notice").inner_text()
    page.goto("/progress/05001")
    assert at(page, "/account/password")
    page.fill("#old", PASSWORD)
    page.fill("#new", OTHER)
    page.fill("#again", OTHER)
    with page.expect_navigation():
        page.click(SEND)
    assert at(page, "/progress/05001")
    assert "Đã đổi mật khẩu." in page.locator(".flash").inner_text()


def test_an_administrator_is_led_from_the_password_to_the_codes(page: Page, site: Site) -> None:
    site.person("quan-tri", "administrator@19", must_change_password=True)
    page.goto("/sign-in")
    sign_in(page, "quan-tri")
    for name, typed in (("old", PASSWORD), ("new", OTHER), ("again", OTHER)):
        page.fill(f"#{name}", typed)
    with page.expect_navigation():
        page.click(SEND)
    assert at(page, "/account/second-factor")
    assert page.locator("nav[aria-label='Trang chính']").count() == 0
    page.click("text=Tạo mã QR")
    phone = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.fill("#code", phone.now())
    with page.expect_navigation():
        page.click(SEND)
    assert at(page, "/accounts")


def test_after_signing_out_the_back_button_shows_nothing(page: Page, site: Site) -> None:
    site.person("ra-ve", "officer@05001")
    page.goto("/sign-in?next=/households/19/H0")
    sign_in(page, "ra-ve")
    assert "Hộ gia đình" in page.content()
    page.click(".me button")
    page.wait_for_url("**/sign-in")
    assert "Bạn đã đăng xuất." in page.locator(".flash").inner_text()
    page.go_back(wait_until="networkidle")
    page.wait_for_url("**/sign-in**")
    assert "Hộ gia đình" not in page.content()


def test_the_door_changes_its_language_and_keeps_the_way_back(page: Page, site: Site) -> None:
    site.person("ngon-ngu", "officer@05001")
    page.goto("/audit?area=05001")
    page.click(".languages a")
    assert page.locator("h1").inner_text() == "Sign in"
    sign_in(page, "ngon-ngu", OTHER)
    assert told(page) == "The login, password or code is wrong, or the account is locked."
    page.click(".languages a")
    assert page.locator("h1").inner_text() == "Đăng nhập"
    sign_in(page, "ngon-ngu")
    assert at(page, "/audit?area=05001")


def test_a_new_token_is_shown_once(page: Page, site: Site) -> None:
    site.person("ma-moi", "officer@05001")
    page.goto("/sign-in?next=/account/tokens")
    sign_in(page, "ma-moi")
    page.fill("#name", "máy tính bảng tổ 3")
    page.check("input[value='surveys.send']")
    page.click(SEND)
    assert re.fullmatch(r"ancu_[\w-]{43}", page.locator(".secret").inner_text())
    page.reload()
    assert page.locator(".secret").count() == 0
    page.click("text=Thu hồi")
    assert "Đã thu hồi mã truy cập." in page.locator(".flash").inner_text()


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_of_the_account_overflows_a_phone(page: Page, site: Site, width: int) -> None:
    login = f"dien-thoai-{width}"
    name = "Nguyễn Thị Hoàng Phương Thảo Nguyên"
    site.person(login, *people.EVERYTHING[:4], full_name=name)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/sign-in")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sign_in(page, login)
    pages = ("/account", "/account/password", "/account/second-factor", "/account/tokens", "/log")
    for path in pages:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
