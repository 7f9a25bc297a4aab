"""The page of open addresses: who sees what, the choice of a commune, its undoing, the count."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select

from geo.account_tables import access_log
from geo.audit_tables import address_fix
from geo.tables import area, household
from tests import intake_world as world
from tests import people
from tests.intake_world import load
from tests.open_addresses import ALIKE, DIVIDED, UNKNOWN, WHY, add, where
from tests.page_data import PAYLOADS, words
from web.app import create_app

KEY = "xa bong lua huyen cu tinh thu mot"
ONE = f"/addresses/one?area=01&province=01&key={KEY}"


@pytest.fixture
def app(db: Connection, begin: Callable) -> Flask:
    db.execute(
        insert(area).values(
            code="VN", level="country", name="Việt Nam", full_name="Việt Nam", kind="country",
            name_key="viet nam",
        )
    )  # fmt: skip
    return create_app(begin)


@pytest.fixture
def officer(app: Flask, db: Connection) -> FlaskClient:
    """Who works for the whole province."""
    return people.client(app, db, "officer@01")


def chosen(commune: str = "00102", **changed: str) -> dict[str, str]:
    return {"area": "01", "text": UNKNOWN, "commune": commune, "reason": WHY} | changed


def test_groups_are_listed_with_the_most_households_first(
    officer: FlaskClient, db: Connection
) -> None:
    add(db, DIVIDED, *ALIKE)
    said = words(officer.get("/addresses?area=01").text)
    first = said.index("xã Bông Lúa, huyện Cũ, Tỉnh Thử Một 3 cách ghi 3 Không đọc được xã nào")
    assert first < said.index(
        "Thôn 3, xã Phân Đôi, huyện Cũ, Tỉnh Thử Một 1 Xã cũ đã chia cho nhiều xã "
        "Xã An Hoà Xã Bình Minh"
    )
    assert "Hộ chưa rõ xã 4" in said
    only = words(officer.get("/addresses?area=01&reason=successors").text)
    assert "Phân Đôi" in only and "Bông Lúa" not in only


def test_an_empty_page_says_so(officer: FlaskClient) -> None:
    assert "Không có hộ nào chưa rõ xã." in words(officer.get("/addresses").text)
    assert "Không có địa chỉ nào như vậy." in words(officer.get("/addresses?reason=unsure").text)


def test_pages_lead_on(officer: FlaskClient, db: Connection) -> None:
    add(db, *(f"xã Lạ {chr(97 + i)}{chr(97 + i)}, Tỉnh Thử Một" for i in range(26)))
    first, second = (officer.get(f"/addresses?area=01&page={n}").text for n in (1, 2))
    assert "1–25 trên 26 địa chỉ" in words(first) and 'rel="next"' in first
    assert "26–26 trên 26 địa chỉ" in words(second) and 'rel="prev"' in second
    for odd in ("0", "-1", "99999999999", "x"):
        assert officer.get(f"/addresses?area=01&page={odd}").status_code == 200


def test_one_group_shows_its_households_and_the_communes_that_a_search_finds(
    officer: FlaskClient, db: Connection
) -> None:
    add(db, *ALIKE)
    html = officer.get(f"{ONE}&q=binh+minh").text
    assert "/households/01/H2" in html
    assert re.findall(r'name="commune" value="(\w+)"', html) == ["00102"]
    assert 'name="commune"' not in officer.get(f"{ONE}&q=dong+son").text
    assert "Tìm xã theo tên hoặc mã" in words(officer.get(ONE).text)


def test_a_divided_commune_offers_its_parts(officer: FlaskClient, db: Connection) -> None:
    add(db, DIVIDED)
    key = "thon 3 xa phan doi huyen cu tinh thu mot"
    html = officer.get(f"/addresses/one?area=01&province=01&key={key}").text
    assert re.findall(r'name="commune" value="(\w+)"', html) == ["00101", "00102"]


def test_choosing_moves_the_households_and_undoing_gives_them_back(
    officer: FlaskClient, db: Connection
) -> None:
    add(db, *ALIKE)
    answer = officer.post("/addresses/fix", data=chosen())
    assert (answer.status_code, answer.location) == (303, "/addresses?area=01")
    assert where(db) == dict.fromkeys(("H1", "H2", "H3"), ("00102", "fix"))
    said = words(officer.get("/addresses?area=01").text)
    assert "Đã chọn Xã Bình Minh; 3 hộ được chuyển về." in said
    assert "Xã Bình Minh 3 Người" in said and WHY in said and "đang áp dụng" in said
    assert "Lựa chọn cho các địa chỉ giống nhau" in words(
        officer.get("/households/01/H1?commune=00102").text
    )
    number = db.scalar(select(address_fix.c.fix_id))
    officer.post(f"/addresses/fixes/{number}/undo", data={"area": "01"})
    assert where(db) == dict.fromkeys(("H1", "H2", "H3"), ("", None))
    assert "đã hoàn tác" in words(officer.get("/addresses?area=01").text)


def test_the_access_log_tells_of_the_choice(officer: FlaskClient, db: Connection) -> None:
    add(db, *ALIKE)
    officer.post("/addresses/fix", data=chosen())
    entry = (
        db.execute(select(access_log).order_by(access_log.c.entry_id.desc()).limit(1))
        .mappings()
        .one()
    )
    number = db.scalar(select(address_fix.c.fix_id))
    told = ("action", "subject", "subject_id", "province_code", "commune_code", "rows", "reason")
    assert [entry[name] for name in told] == [
        *("records.send", "address", str(number), "01", "00102", 3, WHY)
    ]


REFUSED = {
    "no reason": (chosen(reason="vì"), 422, "Ghi lý do từ 10 ký tự"),
    "no commune": (chosen(commune=""), 422, "Hãy chọn một xã."),
    "another province": (chosen("00201"), 403, "không thuộc địa bàn của bạn"),
    "no commune in the address": (chosen(text="Thôn 3, Tỉnh Thử Một"), 422, "không nêu xã nào"),
}


@pytest.mark.parametrize(("form", "status", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_words_with_the_form_as_it_was(
    officer: FlaskClient, db: Connection, form: dict[str, str], status: int, message: str
) -> None:
    add(db, *ALIKE)
    answer = officer.post("/addresses/fix", data=form)
    assert answer.status_code == status
    assert message in words(answer.text)
    assert set(where(db).values()) == {("", None)}


@pytest.mark.parametrize(
    ("role", "listing", "fixing"),
    [
        ("supervisor@01", 200, 403),
        ("auditor@01", 200, 403),
        ("enumerator@00101", 403, 403),
        ("planner@01", 403, 403),
        ("officer@02", 403, 403),
        ("administrator@01", 403, 403),
    ],
)
def test_who_may_look_and_who_may_choose(
    app: Flask, db: Connection, role: str, listing: int, fixing: int
) -> None:
    add(db, *ALIKE)
    browser = people.client(app, db, role)
    answer = browser.get("/addresses?area=01")
    assert answer.status_code == listing
    assert "Xem một địa chỉ" not in words(answer.text)
    assert browser.post("/addresses/fix", data=chosen()).status_code == fixing
    assert set(where(db).values()) == {("", None)}


def test_a_communes_officer_sees_no_open_household_but_fixes_for_the_own_commune(
    app: Flask, db: Connection
) -> None:
    add(db, *ALIKE)
    browser = people.client(app, db, "officer@00102")
    page = browser.get("/addresses")
    assert "Mọi hộ của xã đều đã rõ xã." in words(page.text)
    assert "Bông Lúa" not in page.text and "người làm việc cho cả tỉnh mới thấy" in page.text
    html = browser.get("/addresses/one", query_string={"text": UNKNOWN, "q": "binh minh"}).text
    assert "Chưa có hộ nào ghi như vậy" in html and "Lò Văn Sơn" not in html
    assert re.findall(r'name="commune" value="(\w+)"', html) == ["00102"]
    form = chosen(area="00102")
    assert browser.post("/addresses/fix", data=form).location == "/addresses?area=00102"
    assert set(where(db).values()) == {("", None)}
    assert browser.post("/addresses/fix", data=form | {"commune": "00101"}).status_code == 403
    row = {"household_code": "N1", "head_name": "Mới", "recorded_address": ALIKE[2]}
    sent = browser.post("/api/v1/households", json=[row])
    assert sent.status_code == 201, sent.text
    placed = select(household.c.commune_code, household.c.placed_by).where(
        household.c.household_code == "N1"
    )
    assert tuple(db.execute(placed).one()) == ("00102", "fix")


def test_a_sure_address_needs_no_choice(officer: FlaskClient) -> None:
    html = officer.get("/addresses/one", query_string={"text": "Xã An Hoà, Tỉnh Thử Một"}).text
    assert "đọc được chắc chắn" in words(html) and 'name="commune"' not in html


def test_a_group_that_is_gone_is_not_found(officer: FlaskClient) -> None:
    answer = officer.get(ONE)
    assert answer.status_code == 404
    assert "Không còn hộ nào" in words(answer.text)


def test_a_fix_that_does_not_hold_is_not_undone(officer: FlaskClient) -> None:
    answer = officer.post("/addresses/fixes/7/undo", data={"area": "01"})
    assert answer.status_code == 404
    assert "Không có lựa chọn số 7 nào đang áp dụng" in words(answer.text)


def test_the_menu_counts_what_waits(app: Flask, db: Connection, officer: FlaskClient) -> None:
    add(db, DIVIDED, *ALIKE)
    load(db, "households", world.household("K1"))
    for path in ("/addresses?area=01", "/progress/01"):
        assert "Địa chỉ (4)" in words(officer.get(path).text)
    assert "Địa chỉ (" not in words(people.client(app, db, "officer@02").get("/addresses").text)
    commune = words(people.client(app, db, "officer@00101").get("/addresses").text)
    assert "Địa chỉ" in commune and "Địa chỉ (" not in commune


@pytest.mark.parametrize("payload", PAYLOADS)
def test_addresses_stay_text(officer: FlaskClient, db: Connection, payload: str) -> None:
    text = f"xã {payload}, Tỉnh Thử Một"
    add(db, text)
    for html in (
        officer.get("/addresses?area=01").text,
        officer.get("/addresses/one", query_string={"text": text, "q": payload}).text,
    ):
        assert payload not in html or not set(payload) & set("<>'\"&")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_both_languages(officer: FlaskClient, db: Connection, lang: str) -> None:
    add(db, *ALIKE)
    officer.post("/addresses/fix", data=chosen("00102", text="Xã Cây Gạo, Tỉnh Thử Một"))
    officer.set_cookie("lang", lang)
    for path in ("/addresses?area=01", ONE, "/addresses?area=00102"):
        html = officer.get(path).text
        assert f'<html lang="{lang}">' in html
        assert ("Households" in html) == (lang == "en")
