"""The page of exports in a real browser: a file comes, and the page tells how far it is."""

import csv
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from geo import db
from geo.scope import OPERATOR
from tests import page_data, people
from tests.browsing import chromium, serving
from tests.test_browser import Site, Watched
from web import assets
from web.app import create_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(make_database: Callable[..., str], template_url: str) -> Iterator[Site]:
    if assets.missing():
        assets.copy()
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        page_data.add_records(conn)
        cookie = people.cookie(app, conn)
    with serving(app) as address:
        yield Site(address, cookie)
    db.engine(url).dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=[1280, 390])
def watched(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    context.add_cookies([{**site.cookie, "domain": "127.0.0.1"}])
    made = Watched(context.new_page(), site.address)
    yield made
    assert made.faults == [] and made.foreign == []
    context.close()


@pytest.mark.parametrize(("lang", "words"), [("vi", "xong (4 / 4)"), ("en", "done (4 / 4)")])
def test_a_file_comes_and_the_page_says_when_it_is_whole(
    watched: Watched, lang: str, words: str
) -> None:
    page = watched.open(f"/exports?area=19&lang={lang}")
    form = page.locator("form[action='/exports/surveys/file']")
    form.locator("[name=format]").select_option("csv")
    with page.expect_download() as coming:
        form.locator("button").click()
    with coming.value.path().open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 4
    form.get_by_text(words).wait_for()


def test_the_desk_and_the_map_lead_to_it_with_their_filters(watched: Watched) -> None:
    page = watched.open("/audit?area=19&rule=outside&state=open")
    page.click("a[href^='/exports?']")
    form = page.locator("form[action='/exports/findings/file']")
    chosen = {name: form.locator(f"[name={name}]").input_value() for name in ("rule", "state")}
    assert chosen == {"rule": "outside", "state": "open"}
    page = watched.open("/map/19")
    page.click("a[href='/exports?area=19']")
    assert page.locator("h1").inner_text().startswith("Xuất dữ liệu")


def test_the_page_is_as_wide_as_the_screen(watched: Watched) -> None:
    page = watched.open("/exports?area=19")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
