"""The background of maps: none by default, one origin by setting, or a file of this machine."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect
from sqlalchemy import Connection

from geo import db
from geo.config import settings
from geo.errors import UnavailableError
from geo.scope import OPERATOR
from tests import page_data, people, pmtiles_file
from tests.browsing import chromium, serving
from web import assets, basemap
from web.app import create_app

PIXEL = (
    b"\x89PNG\r\n\x1a\n"
    + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (
            (b"IHDR", struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(b"\0\x10\xa0\x20")),
            (b"IEND", b""),
        )
    )
)  # fmt: skip


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn)


def use(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    known = settings().model_copy(update=changes)
    monkeypatch.setattr(basemap, "settings", lambda: known)


def policy(client: FlaskClient) -> str:
    return client.get("/map/05001").headers["Content-Security-Policy"]


def test_without_a_setting_there_is_no_background(client: FlaskClient) -> None:
    assert "img-src 'self' data:;" in policy(client)
    assert client.get("/basemap.pmtiles").status_code == 404


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://tiles.example/{z}/{x}/{y}.png", "https://tiles.example"),
        ("https://{s}.tiles.example:8443/{z}/{x}/{y}.png", "https://*.tiles.example:8443"),
        ("http://10.0.0.5/{z}/{x}/{y}.png", "http://10.0.0.5"),
        ("https://a;script-src *//{z}", ""),
        ("https://a b/{z}", ""),
        ("javascript:alert(1)", ""),
        ("//tiles.example/{z}", ""),
    ],
)
def test_the_policy_opens_for_exactly_the_background_s_origin(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, url: str, origin: str
) -> None:
    use(monkeypatch, basemap_url=url)
    assert f"img-src 'self' data: {origin}".strip() + ";" in policy(client)
    assert policy(client).count(";") == 7


def test_whose_background_it_is_stays_text(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "© <b>OpenStreetMap</b>"
    use(monkeypatch, basemap_url="https://t.example/{z}/{x}/{y}", basemap_attribution=told)
    html = client.get("/map/05001").text
    assert "<b>OpenStreetMap" not in html and "\\u003cb\\u003eOpenStreetMap" in html


def test_a_file_is_served_in_ranges(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = pmtiles_file.write(tmp_path / "nen.pmtiles", PIXEL, 2)
    use(monkeypatch, basemap_file=path, basemap_url="https://other.example/{z}/{x}/{y}")
    part = client.get("/basemap.pmtiles", headers={"Range": "bytes=0-6"})
    assert part.status_code == 206 and part.data == b"PMTiles"
    part.close()
    assert part.headers["Content-Range"] == f"bytes 0-6/{path.stat().st_size}"
    assert "other.example" not in policy(client)
    assert basemap.read(path) == basemap.Archive(vector=False, min_zoom=0, max_zoom=0)


@pytest.mark.parametrize("content", [None, b"", b"PMTiles\x02" + bytes(200), b"x" * 300])
def test_a_wrong_file_is_told_and_the_map_stays(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "nen.pmtiles"
    if content is not None:
        path.write_bytes(content)
    use(monkeypatch, basemap_file=path)
    answer = client.get("/map/05001")
    assert answer.status_code == 200 and "Không đọc được tệp bản đồ nền." in answer.text
    with pytest.raises(UnavailableError, match="ANCU_BASEMAP_FILE"):
        basemap.read(path)
    assert client.get("/basemap.pmtiles").status_code == 503


@pytest.mark.browser
@pytest.mark.parametrize(("kind", "tile"), [(2, PIXEL), (1, b"")])
def test_a_file_is_drawn_below_the_map(
    make_database: Callable[..., str],
    template_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: int,
    tile: bytes,
) -> None:
    assets.copy()
    use(monkeypatch, basemap_file=pmtiles_file.write(tmp_path / "nen.pmtiles", tile or b"\0", kind))
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        cookie = people.cookie(app, conn)
    faults: list[str] = []
    with serving(app) as address, chromium() as browser:
        context = browser.new_context()
        context.add_cookies([{**cookie, "domain": "127.0.0.1"}])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        with page.expect_response("**/basemap.pmtiles**") as told:
            page.goto(f"{address}/map/19?layers=areas&at=2/21/105")
        assert told.value.status == 206
        tiles = page.locator(".leaflet-tile-pane .leaflet-tile-loaded")
        expect(tiles.first).to_be_attached()
        context.close()
    db.engine(url).dispose()
    assert faults == []
