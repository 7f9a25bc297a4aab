"""A data subject's requests over HTTP: the full ID once and logged, record, correction, removal."""

import json
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, RowMapping, insert, select

from geo import households
from geo.account_tables import access_log
from geo.accounts import store, tokens
from geo.accounts.claims import claim
from geo.tables import area, household
from tests import intake_world as world
from tests import people
from tests.intake_world import load
from tests.page_data import words
from tests.persons_world import ID, MASKED, OTHER, WHY, build, correct, stored_texts
from web.app import create_app

PAGE = "/households/01/H1"
API = "/api/v1/households/01/H1/national-id"


@pytest.fixture
def app(db: Connection, begin: Callable) -> Flask:
    db.execute(
        insert(area).values(
            code="VN", level="country", name="Việt Nam", full_name="Việt Nam", kind="country",
            name_key="viet nam",
        )
    )  # fmt: skip
    build(db)
    return create_app(begin)


@pytest.fixture
def officer(app: Flask, db: Connection) -> FlaskClient:
    return people.client(app, db, "officer@00101")


def last(conn: Connection) -> RowMapping:
    """The latest entry of the access log."""
    query = select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    return conn.execute(query).mappings().one()


def logged(conn: Connection) -> str:
    return str(conn.execute(select(access_log)).mappings().all())


# ---- the ID


def test_the_page_shows_the_end_of_the_id(officer: FlaskClient) -> None:
    html = officer.get(PAGE).text
    assert f"Số định danh cá nhân {MASKED}" in words(html)
    assert ID not in html


@pytest.mark.parametrize("role", ["enumerator", "supervisor"])
def test_who_needs_no_ids_is_offered_none(app: Flask, db: Connection, role: str) -> None:
    browser = people.client(app, db, f"{role}@00101")
    html = browser.get(PAGE).text
    assert MASKED in html and "national-id" not in html and "Chỉnh sửa" not in html
    for path in ("national-id", "correct", "remove"):
        assert browser.post(f"{PAGE}/{path}", data={"reason": WHY}).status_code == 403
    assert browser.post(API, json={"reason": WHY}).status_code == 403
    for path in ("record", "record.json", "correct", "remove"):
        assert browser.get(f"{PAGE}/{path}").status_code == 403


def test_the_full_id_is_shown_once_and_logged_with_the_reason(
    officer: FlaskClient, db: Connection
) -> None:
    answer = officer.post(f"{PAGE}/national-id", data={"reason": WHY})
    entry = last(db)
    assert answer.status_code == 303 and answer.location.endswith(f"{PAGE}?commune=00101")
    assert ID not in answer.text and ID not in str(answer.headers)
    assert (entry["action"], entry["subject"], entry["subject_id"]) == (
        "ids.read",
        "household",
        "H1",
    )
    assert (entry["commune_code"], entry["reason"], entry["rows"]) == ("00101", WHY, 1)
    assert entry["outcome"] == "allowed"
    shown = officer.get(answer.location)
    assert ID in shown.text
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert ID not in officer.get(answer.location).text
    assert ID not in logged(db)


@pytest.mark.parametrize(
    "why", ["", "ngắn quá", " " * 30, "." * 10, "a" * 10, "\u200b" * 20, "ab" * 9, "12 ........."]
)
def test_no_reason_no_id(officer: FlaskClient, db: Connection, why: str) -> None:
    answer = officer.post(f"{PAGE}/national-id", data={"reason": why})
    assert answer.status_code == 422
    assert (
        "Ghi lý do từ 10 ký tự trở lên, bằng lời." in unescape(answer.text)
        and ID not in answer.text
    )
    assert last(db)["outcome"] == "failed"
    assert ID not in officer.get(PAGE).text


def test_a_kept_cookie_shows_the_full_id_no_second_time(
    officer: FlaskClient, db: Connection
) -> None:
    before = officer.get_cookie("ancu")
    answer = officer.post(f"{PAGE}/national-id", data={"reason": WHY})
    after = officer.get_cookie("ancu")
    assert before and after
    shown = 0
    for kept in (after, after, before):
        officer.set_cookie("ancu", kept.value)
        shown += ID in officer.get(answer.location).text
    assert shown == 1
    assert ID not in stored_texts(db)


def test_a_token_is_shown_no_full_id(app: Flask, db: Connection) -> None:
    account_id = people.add(db, "officer@00101")
    with claim(db, account_id):
        user = store.user_of(db, account_id)
    _id, secret = tokens.make(db, user, name="máy", actions=["ids.read", "records.read"], days=1)
    answer = app.test_client().post(
        f"{PAGE}/national-id", data={"reason": WHY}, headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 403 and ID not in answer.text
    assert "Mã truy cập không mở trang" in answer.text


def test_an_id_for_another_session_or_household_is_not_shown(
    app: Flask, officer: FlaskClient, db: Connection
) -> None:
    officer.post(f"{PAGE}/national-id", data={"reason": WHY})
    assert ID not in officer.get("/households/01/H2").text  # and leaves it for its own page
    assert ID not in people.client(app, db, "officer@00101").get(PAGE).text


def test_a_reason_with_an_id_is_logged_without_it(officer: FlaskClient, db: Connection) -> None:
    officer.post(f"{PAGE}/national-id", data={"reason": f"đối chiếu thẻ {OTHER}"})
    assert last(db)["reason"] == "đối chiếu thẻ •••••••••999"


def test_the_api_tells_the_end_and_for_a_reason_the_whole(
    officer: FlaskClient, db: Connection
) -> None:
    found = officer.get("/api/v1/households/01/H1").get_json()
    assert found["national_id_masked"] == MASKED and ID not in str(found)
    answer = officer.post(API, json={"reason": WHY})
    assert answer.get_json() == {"national_id": ID}
    assert answer.headers["Cache-Control"] == "private, no-store"
    entry = last(db)
    assert (entry["action"], entry["reason"], entry["rows"]) == ("ids.read", WHY, 1)


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        (API, {}, 400),
        (API, {"reason": "ngắn"}, 400),
        (API, {"reason": " " * 20}, 422),
        (API, {"reason": "x" * 501}, 400),
        (API.replace("H1", "H2"), {"reason": WHY}, 404),
        (API.replace("H1", "H9"), {"reason": WHY}, 404),
        (API + "?commune=00102", {"reason": WHY}, 404),
    ],
)
def test_the_api_refuses(officer: FlaskClient, path: str, sent: dict, status: int) -> None:
    assert officer.post(path, json=sent).status_code == status


def test_an_id_elsewhere_does_not_exist(app: Flask, db: Connection) -> None:
    other = people.client(app, db, "officer@00102")
    answers = [
        other.post(f"/api/v1/households/01/{code}/national-id", json={"reason": WHY})
        for code in ("H1", "H9")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].text.replace("H1", "H9") == answers[1].text
    for path in ("national-id", "correct", "remove"):
        sent = {"reason": WHY, "field": "members", "value": "9", "confirm": "H1"}
        assert other.post(f"{PAGE}/{path}", data=sent).status_code == 404
    for path in ("record", "record.json", "correct", "remove"):
        assert other.get(f"{PAGE}/{path}").status_code == 404
    assert households.get(db, "01", "H1")["members"] == 4


# ---- search by ID, and IDs that two households have


def test_a_search_by_id_is_for_those_who_read_ids_and_logged_masked(
    app: Flask, officer: FlaskClient, db: Connection
) -> None:
    found = words(officer.get(f"/search?q={ID}").text)
    assert "Lò Văn Sơn" in found
    entry = last(db)
    assert (entry["action"], entry["query"], entry["rows"]) == ("ids.read", MASKED, 1)
    supervisor = people.client(app, db, "supervisor@00101")
    assert "Lò Văn Sơn" not in supervisor.get(f"/search?q={ID}").text
    assert last(db)["query"] == MASKED
    assert "Lò Văn Sơn" not in people.client(app, db, "officer@00102").get(f"/search?q={ID}").text
    assert ID not in logged(db)


def test_the_page_names_the_other_households_of_an_id_within_the_areas(
    app: Flask, officer: FlaskClient, db: Connection
) -> None:
    load(
        db, "households",
        world.household("H3", national_id=ID, head_name="Trùng Một"),
        world.household("H4", national_id=ID, head_name="Trùng Hai", commune_code="00102"),
    )  # fmt: skip
    said = words(officer.get(PAGE).text)
    assert "Số định danh này còn ở hộ Trùng Một (H3)" in said and "Trùng Hai" not in said
    province = words(people.client(app, db, "officer@01").get(PAGE).text)
    assert "Trùng Một (H3) , Trùng Hai (H4)" in province
    assert "Số định danh này" not in officer.get("/households/01/H2").text


# ---- the record


def test_the_record_is_a_page_and_a_file_and_logged_with_its_rows(
    officer: FlaskClient, db: Connection
) -> None:
    correct(db, "head_name", "Lò Văn <b>Sơn</b>")
    said = words(officer.get(f"{PAGE}/record").text)
    entry = last(db)
    assert (entry["action"], entry["rows"]) == ("person.export", 1 + 1 + 2 + 1 + 2 + 1)
    assert "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15" in said
    for told in (ID, "Lò Văn <b>Sơn</b>", "máy-7", "nhà-H1.jpg", "0912345678", OTHER, "gần suối"):
        assert told in said, told
    answer = officer.get(f"{PAGE}/record.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ancu-H1.json"'
    made = json.loads(answer.data)
    assert made["household"]["national_id"] == ID
    assert len(made["surveys"]) == 2 and len(made["changes"]) == 1
    # The page before is the record's own first entry.
    assert [one["action"] for one in made["accesses"]] == ["person.export"]
    assert last(db)["reason"] == "Hồ sơ dữ liệu theo yêu cầu của chủ thể dữ liệu"


def test_an_empty_record_says_what_there_is_not(officer: FlaskClient, db: Connection) -> None:
    load(db, "households", world.household("H7", status=None, status_year=None))
    said = words(officer.get("/households/01/H7/record").text)
    for told in ("Chưa có kết quả nào.", "Hộ này chưa được khảo sát.", "Chưa có ai."):
        assert told in said


# ---- corrections


def test_a_correction_by_the_form(officer: FlaskClient, db: Connection) -> None:
    form = words(officer.get(f"{PAGE}/correct").text)
    assert last(db)["action"] == "records.read"
    assert "Chủ hộ Lò Văn Sơn" in form and "2025: Hộ nghèo" in form
    assert 'name="value"' in officer.get(f"{PAGE}/correct?field=village").text
    sent = {"field": "village", "value": "Bản Pó", "reason": WHY}
    answer = officer.post(f"{PAGE}/correct", data=sent)
    entry = last(db)
    assert answer.status_code == 303
    assert (entry["action"], entry["reason"]) == ("person.correct", f"village: {WHY}")
    said = words(officer.get(answer.location).text)
    assert "Đã chỉnh sửa: Thôn, bản." in said
    assert f"Thôn, bản Thôn 3 Bản Pó {WHY}" in said


@pytest.mark.parametrize(
    ("sent", "field", "expected"),
    [
        ({"field": "causes", "value": ["no_land", "other"]}, "causes", ["no_land", "other"]),
        ({"field": "causes"}, "causes", []),
        ({"field": "status", "value": "near_poor", "year": "2025"}, "status", "near_poor"),
        ({"field": "members", "value": "6"}, "members", 6),
        ({"field": "national_id", "value": OTHER}, "national_id_masked", "•••••••••999"),
    ],
)
def test_each_kind_of_field_is_corrected(
    officer: FlaskClient, db: Connection, sent: dict, field: str, expected: object
) -> None:
    assert officer.get(f"{PAGE}/correct?field={sent['field']}").status_code == 200
    assert officer.post(f"{PAGE}/correct", data={**sent, "reason": WHY}).status_code == 303
    assert households.get(db, "01", "H1")[field] == expected


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"field": "members", "value": "0"}, 422, "“0” nhỏ hơn 1"),
        ({"field": "members", "value": "4"}, 422, "Giá trị này đã có sẵn"),
        ({"field": "geom", "value": "4"}, 400, "Không chỉnh sửa được “geom”"),
        ({"field": "head_name", "value": "<script>"}, 303, ""),
        ({"field": "status", "value": "poor", "year": "abc"}, 422, "hãy ghi năm của kết quả"),
        ({"field": "members", "value": "5", "reason": ""}, 422, "Ghi lý do từ 10 ký tự"),
        ({"field": "village", "value": "a\0b"}, 422, "NUL"),
        ({"field": "national_id", "value": "123456789012345"}, 422, "…345"),
    ],
)
def test_a_refused_correction_says_why_and_keeps_what_was_typed(
    officer: FlaskClient, sent: dict, status: int, said: str
) -> None:
    answer = officer.post(f"{PAGE}/correct", data={"reason": WHY, **sent})
    assert answer.status_code == status
    assert said in unescape(answer.text)
    if status == 422 and "reason" not in sent:
        assert WHY in unescape(answer.text)


def test_a_corrected_address_leads_to_the_household_in_its_new_commune(
    app: Flask, db: Connection
) -> None:
    browser = people.client(app, db, "officer@01")
    sent = {"field": "recorded_address", "value": "Xã Bình Minh, Tỉnh Thử Một", "reason": WHY}
    answer = browser.post(f"{PAGE}/correct", data=sent)
    assert answer.location.endswith(f"{PAGE}?commune=00102")
    assert "Xã Bình Minh" in words(browser.get(answer.location).text)


# ---- removal


def test_a_removal_takes_two_steps_and_the_code(officer: FlaskClient, db: Connection) -> None:
    assert "Bước 1 trên 2" in words(officer.get(f"{PAGE}/remove").text)
    assert last(db)["action"] == "records.read"
    second = officer.post(f"{PAGE}/remove", data={"reason": WHY})
    assert second.status_code == 200 and "Bước 2 trên 2" in words(second.text)
    assert households.get(db, "01", "H1")
    wrong = officer.post(f"{PAGE}/remove", data={"reason": WHY, "confirm": "H2"})
    assert wrong.status_code == 422 and "Đây không phải mã hộ" in unescape(wrong.text)
    assert "Bước 2 trên 2" in words(wrong.text)
    done = officer.post(f"{PAGE}/remove", data={"reason": WHY, "confirm": "H1"})
    entry = last(db)
    assert done.status_code == 303 and done.location.endswith("/progress/00101")
    assert (entry["action"], entry["subject_id"], entry["reason"]) == ("person.remove", "H1", WHY)
    said = words(officer.get(done.location).text)
    assert officer.get(PAGE).status_code == 404
    assert "Đã xoá dữ liệu cá nhân của hộ H1." in said
    assert "removed-" not in said and "Lò Văn Sơn" not in said


def test_a_removal_needs_a_reason_first(officer: FlaskClient, db: Connection) -> None:
    answer = officer.post(f"{PAGE}/remove", data={"reason": "vì"})
    assert answer.status_code == 422 and "Bước 1 trên 2" in words(answer.text)
    assert households.get(db, "01", "H1")


@pytest.mark.parametrize("path", ["national-id", "correct", "remove"])
def test_a_form_of_another_site_changes_nothing(
    officer: FlaskClient, db: Connection, path: str
) -> None:
    officer.csrf = ""
    sent = {"reason": WHY, "field": "members", "value": "9", "confirm": "H1"}
    assert officer.post(f"{PAGE}/{path}", data=sent).status_code == 400
    assert households.get(db, "01", "H1")["members"] == 4


# ---- what hangs on the address


def test_of_two_households_of_one_code_the_page_keeps_to_its_own(
    app: Flask, db: Connection
) -> None:
    load(db, "households", world.household(commune_code="00102", head_name="Khác", members=2))
    browser = people.client(app, db, "officer@01")
    assert browser.get(f"{PAGE}/correct").status_code == 409
    html = browser.get(f"{PAGE}?commune=00102").text
    assert f"{PAGE}/correct?commune=00102" in html
    sent = {"field": "members", "value": "7", "reason": WHY}
    assert browser.post(f"{PAGE}/correct?commune=00102", data=sent).status_code == 303
    rows = dict(db.execute(select(household.c.commune_code, household.c.members)
                           .where(household.c.household_code == "H1")).all())  # fmt: skip
    assert rows == {"00101": 4, "00102": 7}


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("path", ["", "/record", "/correct?field=status", "/remove"])
def test_the_pages_speak_both_languages(officer: FlaskClient, path: str, lang: str) -> None:
    officer.set_cookie("lang", lang)
    html = officer.get(f"{PAGE}{path}").text
    assert f'<html lang="{lang}">' in html
    if lang == "en":
        assert "Hồ sơ dữ liệu" not in html and "Chỉnh sửa" not in html


def test_a_code_with_slashes_has_the_same_pages(officer: FlaskClient, db: Connection) -> None:
    load(db, "households", world.household("B/12/3", head_name="Vàng Mí"))
    for path in ("", "/record", "/record.json", "/correct", "/remove"):
        answer = officer.get(f"/households/01/B/12/3{path}")
        assert answer.status_code == 200 and "Vàng Mí" in answer.text
