"""Pages as the server sends them: figures, languages, states, and text that must stay text."""

import re
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select, text

from geo.errors import UnavailableError
from geo.layers import LAYERS
from geo.metrics import METRICS
from geo.rules import RULES
from geo.scope import Scope
from geo.tables import area, area_successor
from tests import page_data, people
from tests import records_world as world
from tests.page_data import INSIDE, OUTSIDE, PAYLOADS, UNLOCATED, words
from tests.records_world import add_household
from web import labels, language
from web.app import create_app

ROOT = Path(__file__).parent.parent
PAGES = (
    "/progress/VN",
    "/progress/19",
    "/progress/05001",
    "/progress/05002",
    "/audit",
    "/audit?area=19&verdict=unlocated",
    "/audit?area=05001&rule=outside",
    f"/audit?area=19&survey={OUTSIDE}",
    "/audit?state=decided",
    "/revisits",
    "/revisits?state=all",
    "/targeting",
    "/targeting?area=19&order=poor",
    f"/surveys/{OUTSIDE}",
    f"/surveys/{INSIDE}",
    f"/surveys/{UNLOCATED}",
    "/households/19/H0",
    "/households/19/H5",
    "/sites/19/N/1",
    "/import",
    "/search",
    "/search?q=ba+be",
    "/search?q=h1",
)


@pytest.fixture
def empty_client(conn: Connection, begin: Callable) -> FlaskClient:
    return people.client(create_app(begin), conn)


@pytest.fixture
def client(conn: Connection, empty_client: FlaskClient) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return empty_client


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_page_answers_in_both_languages(client: FlaskClient, url: str, lang: str) -> None:
    client.set_cookie("lang", lang)
    answer = client.get(url)
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    assert len(answer.data) < 300_000


@pytest.mark.parametrize("url", PAGES)
def test_no_page_asks_another_host_for_anything(client: FlaskClient, url: str) -> None:
    html = client.get(url).text
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", html)


@pytest.mark.parametrize("url", PAGES)
def test_names_from_data_stay_text(client: FlaskClient, url: str) -> None:
    html = client.get(url).text
    assert "<img src=x" not in html
    assert "<script>document.title" not in html
    assert not re.search(r"Ancu\.\w+\([^)]*document\.title", html)


def test_every_payload_is_shown_as_it_was_recorded(client: FlaskClient) -> None:
    for n, payload in enumerate(PAYLOADS):
        assert payload in words(client.get(f"/households/19/H{n}").text)


def test_progress_says_the_figures_and_the_table_adds_up(client: FlaskClient) -> None:
    said = words(client.get("/progress/19").text)
    assert "4 trên 6 hộ đã khảo sát" in said
    assert "66,7 %" in said  # 4 of 6
    assert "16,7 %" in said  # 1 of 6 verified
    assert "Xã Ba Bể 6 4 66,7 % 16,7 %" in said
    assert "Phường Đức Xuân 0 0 – –" in said


def test_numbers_and_words_follow_the_language(client: FlaskClient) -> None:
    english = words(client.get("/progress/19?lang=en").text)
    assert "66.7 %" in english and "4 of 6 households surveyed" in english


def test_the_language_is_remembered_and_links_keep_the_address(client: FlaskClient) -> None:
    answer = client.get("/progress/19?metric=completion&lang=en")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("lang=en") and "SameSite=Lax" in cookie
    assert 'href="/progress/19?metric=completion&amp;lang=vi"' in answer.text
    assert '<html lang="en">' in client.get("/progress/19").text


def test_a_language_that_is_not_there_changes_nothing(client: FlaskClient) -> None:
    answer = client.get("/progress/19?lang=xx")
    assert '<html lang="vi">' in answer.text and "Set-Cookie" not in answer.headers


def test_the_root_leads_to_the_only_province_with_data(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/progress/19"


def test_doubtful_means_outside_and_uncertain_everywhere(client: FlaskClient) -> None:
    for url in ("/api/v1/surveys?area=19&verdict=doubtful", "/api/v1/surveys?order=worst"):
        items = client.get(url).get_json()["items"]
        assert {item["survey_id"] for item in items} == {OUTSIDE, page_data.UNCERTAIN}
    assert client.get("/api/v1/sites?verdict=doubtful").get_json()["items"] == []


def test_verdicts_have_one_wording(client: FlaskClient) -> None:
    for lang in ("vi", "en"):
        with client.application.test_request_context(f"/?lang={lang}"):
            for code, label in labels.VERDICTS.items():
                metric, rule = METRICS[code], RULES.get(code)
                drawn = next(c for c in LAYERS["surveys"].classes if c.key == code)
                assert str(label) == getattr(metric, lang) == getattr(drawn, lang)
                assert lang == "en" or code != "outside" or (rule and str(label) == rule.vi)
    assert "khớp địa bàn" in words(client.get(f"/surveys/{INSIDE}").text)


def test_a_survey_page_tells_verdict_history_and_conflict(client: FlaskClient) -> None:
    said = words(client.get(f"/surveys/{OUTSIDE}").text)
    assert "▲ Lệch địa bàn" in said
    assert "5,2 km, bên ngoài" in said
    assert "05/10/2026 08:30" in said
    assert "Kết luận vị trí trước đây ◧ Chưa chắc chắn" in said
    assert "Bản trùng mã, khác nội dung" in said


def test_evidence_holds_point_and_nearest_border(client: FlaskClient) -> None:
    seen = client.get(f"/surveys/{OUTSIDE}/evidence.json").get_json()
    assert seen["point"] == [21.05, 105.15]
    assert seen["nearest"] == pytest.approx([21.05, 105.1], abs=1e-5)
    assert seen["outlines"] == ["/api/v1/areas/05001/outline.geojson"]
    assert client.get(f"/surveys/{UNLOCATED}/evidence.json").get_json()["point"] is None


@pytest.mark.parametrize(
    "url",
    [
        "/progress/99",
        "/progress/%27%3Bdrop",
        "/audit?area=nowhere",
        "/surveys/00000000-0000-4000-8000-00000000ffff",
        "/surveys/no-uuid",
        "/households/19/none",
        "/sites/19/none",
        "/nothing-here",
    ],
)
def test_what_is_not_there_is_said_on_a_page(client: FlaskClient, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text and "Về trang tiến độ" in answer.text


def test_a_former_area_s_code_leads_to_what_followed_it(
    conn: Connection, client: FlaskClient
) -> None:
    old = conn.execute(
        insert(area)
        .values(
            code="02", level="province", name="Bắc Kạn", full_name="Tỉnh Bắc Kạn", kind="Tỉnh",
            parent_code="VN", province_code="02", name_key="bac kan", valid_to=date(2025, 6, 30),
        )
        .returning(area.c.area_id)
    ).scalar_one()  # fmt: skip
    new = conn.execute(select(area.c.area_id).where(area.c.code == "19")).scalar_one()
    conn.execute(insert(area_successor), {"old_area_id": old, "new_area_id": new})
    answer = client.get("/progress/02")
    assert answer.status_code == 410
    assert "Tỉnh Bắc Kạn" in answer.text and "30/06/2025" in answer.text
    assert '<a href="/progress/19">Tỉnh Thái Nguyên</a>' in answer.text


@pytest.mark.parametrize("more", [0, 1])
def test_search_says_whether_there_are_more_than_it_shows(
    conn: Connection, empty_client: FlaskClient, more: int
) -> None:
    world.build(conn)
    for _number in range(20 + more):
        add_household(conn, head_name="Giàng A Pó")
    html = empty_client.get("/search?q=giang+a+po").text
    assert html.count("Giàng A Pó") == 20
    assert ("Hộ (20+)" in html) is bool(more) and ("Hộ (20)" in html) is not bool(more)
    assert ("Có hơn 20 hộ" in html) is bool(more)


@pytest.mark.parametrize("url", ["/targeting?area=%00", "/progress/%00", "/search?q=a%00b"])
def test_a_nul_character_in_an_address_is_refused(client: FlaskClient, url: str) -> None:
    assert client.get(url).status_code == 400


def test_a_cursor_that_was_tampered_with_is_refused(client: FlaskClient) -> None:
    answer = client.get("/audit?cursor=nonsense")
    assert answer.status_code in (400, 422)
    assert "Traceback" not in answer.text


def test_an_empty_database_says_what_to_do_next(
    conn: Connection, empty_client: FlaskClient
) -> None:
    page_data.add_areas(conn)
    for url, said in (
        ("/progress/VN", "Chưa có hộ nào."),
        ("/progress/19", "Chưa có hộ nào ở địa bàn này."),
        ("/progress/05001", "Chưa có hộ nào ở địa bàn này."),
        ("/audit", "Chưa có phiếu nào ở địa bàn này."),
        ("/targeting", "Chưa có hộ nào được rà soát ở địa bàn này."),
    ):
        html = empty_client.get(url).text
        assert f"{said} Bắt đầu bằng danh sách hộ" in words(html)
        assert '<a class="button primary" href="/import">' in html
    assert "Chưa nhập lần nào" in empty_client.get("/import").text


def test_the_demo_banner_stands_on_every_page_while_demo_rows_exist(
    conn: Connection, empty_client: FlaskClient
) -> None:
    page_data.add_areas(conn)
    assert "DỮ LIỆU MẪU" not in empty_client.get("/import").text
    page_data.add_records(conn, demo=True)
    for url in PAGES:
        assert "DỮ LIỆU MẪU" in empty_client.get(url).text


def test_the_sketch_banner_stands_on_pages_over_sketch_boundaries(
    conn: Connection, empty_client: FlaskClient
) -> None:
    page_data.add_areas(conn, sketch=True)
    for url in ("/progress/19", "/audit", "/targeting", "/search"):
        assert "Ranh giới phác thảo" in empty_client.get(url).text


def remembered(app: Flask) -> FlaskClient:
    """A browser with the cookie of a session that nobody can look up."""
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["_user_id"] = "a session of yesterday"
    return client


def test_a_failure_is_a_page_without_internals(begin: Callable) -> None:
    def broken(_scope: Scope) -> None:
        raise RuntimeError("secret detail")

    answer = remembered(create_app(broken)).get("/progress/VN")
    assert answer.status_code == 500
    assert "Có lỗi trong hệ thống" in answer.text and "secret" not in answer.text


def test_a_silent_database_is_said_so() -> None:
    def away(_scope: Scope) -> None:
        raise UnavailableError("The database does not answer.")

    answer = remembered(create_app(away)).get("/audit")
    assert answer.status_code == 503 and "Cơ sở dữ liệu chưa trả lời" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost"}, 422),
        ({"Sec-Fetch-Site": "same-origin"}, 422),
        ({}, 422),
    ],
)
def test_posts_from_other_sites_are_refused(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/import", data={"kind": "households"}, headers=headers)
    assert answer.status_code == status


def upload(client: FlaskClient, content: str, **form: str) -> str:
    data = {"kind": "households", "file": (BytesIO(content.encode()), "hộ.csv"), **form}
    return client.post("/import", data=data, follow_redirects=True).text


GOOD = "household_code,head_name,recorded_address,commune_code\nX1,Lò Thị Sen,xã Ba Bể,05001\n"


def test_an_upload_reports_what_it_stored(client: FlaskClient, conn: Connection) -> None:
    said = words(upload(client, GOOD))
    assert "Kết quả : Danh sách hộ · hộ.csv" in said or "Kết quả: Danh sách hộ · hộ.csv" in said
    assert "Dòng đọc được 1 Thêm mới 1" in said
    stored = conn.execute(text("SELECT head_name FROM household WHERE household_code = 'X1'"))
    assert stored.scalar() == "Lò Thị Sen"


def test_a_dry_run_stores_nothing(client: FlaskClient, conn: Connection) -> None:
    assert "chỉ kiểm tra, không lưu" in words(upload(client, GOOD, dry_run="1"))
    stored = conn.execute(text("SELECT count(*) FROM household WHERE household_code = 'X1'"))
    assert stored.scalar() == 0


def test_a_refused_file_names_line_and_reason(client: FlaskClient, conn: Connection) -> None:
    html = upload(client, GOOD + "X2,,<img src=x onerror=alert(1)>,05001\n")
    assert "chưa có dòng nào được lưu" in html and "<img src=x" not in html
    assert re.search(r'<td class="n">3</td>', html)
    stored = conn.execute(text("SELECT count(*) FROM household WHERE household_code = 'X1'"))
    assert stored.scalar() == 0


def test_answers_carry_the_headers_that_keep_them_to_themselves(client: FlaskClient) -> None:
    answer = client.get("/progress/19")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'self'" in policy
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce and f'<script nonce="{nonce[1]}">' in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    second = client.get("/progress/19").headers["Content-Security-Policy"]
    assert second != policy


def used_messages() -> set[str]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"_": None, "_l": None}
    found = extract_from_dir(
        ROOT,
        methods,
        options,
        keywords,
        directory_filter=lambda folder: Path(folder).relative_to(ROOT).parts[0] == "web",
    )
    return {str(message) for _file, _line, message, *_ in found}


def test_every_text_has_an_english_translation_and_no_more() -> None:
    path = language.CATALOGUES / "en" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        known = {m.id: m.string for m in read_po(file, locale="en") if m.id}
    assert set(known) == used_messages()
    for vietnamese, english in known.items():
        assert english
        assert set(re.findall(r"%\(\w+\)s", vietnamese)) == set(
            re.findall(r"%\(\w+\)s", str(english))
        )
