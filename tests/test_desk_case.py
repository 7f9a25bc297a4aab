"""A case on the desk that shares photos or is large: what is shown, what is said of the rest."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select, update

from geo.audit import surroundings
from geo.audit_tables import audit_item, photo
from geo.tables import finding, household, survey
from tests import page_data, people
from tests.page_data import INSIDE, KEY, OUTSIDE, UNCERTAIN, UNLOCATED, words
from web import desk_case
from web.app import create_app

HASH = 0x0F0F_3355_00FF_1234
IDS = [f"00000000-0000-4000-8000-0000000000a{n}" for n in range(5)]
CASE = f"/audit/case?item=survey:19:05001:{OUTSIDE}"


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    one = audit_item.c
    key = select(one.case_key).where(one.subject_id == OUTSIDE).scalar_subquery()
    conn.execute(update(audit_item).where(one.subject_id == UNCERTAIN).values(case_key=key))
    return people.client(create_app(begin), conn, "auditor@19")


def add_photo(conn: Connection, number: int, survey_id: str, hash_: int | None, **more) -> None:
    conn.execute(
        insert(photo).values(
            **{**KEY, "subject": "survey", "subject_id": survey_id, "sha256": f"{number:064}",
               "photo_id": IDS[number], "household_code": "H1", "hash": hash_, "exif": "stripped",
               "width": 1, "height": 1, "bytes": 1, **more}
        )
    )  # fmt: skip


def reused(conn: Connection) -> None:
    conn.execute(
        insert(finding).values(
            **KEY, subject="survey", subject_id=OUTSIDE, rule="photo_reused", severity=2,
            evidence={"bits": 2, "households": 2, "stages": 0},
        )
    )  # fmt: skip


def pairs(html: str) -> list[tuple[str, str]]:
    return re.findall(
        r'<div class="pair">.*?/photos/(\S+?)/small.*?/photos/(\S+?)/small', html, re.DOTALL
    )


def test_photos_that_a_case_shares_stand_side_by_side(
    conn: Connection, client: FlaskClient
) -> None:
    add_photo(conn, 0, OUTSIDE, HASH)
    add_photo(conn, 1, UNCERTAIN, HASH ^ 0b11)
    add_photo(conn, 2, UNCERTAIN, HASH ^ 0b1111111)  # seven bits: another picture
    add_photo(conn, 3, INSIDE, HASH)  # not of this case
    add_photo(conn, 4, UNCERTAIN, None)
    assert pairs(client.get(CASE).text) == []
    reused(conn)
    html = client.get(CASE).text
    assert pairs(html) == [(IDS[0], IDS[1])]
    assert "Khác nhau 2 trong 64 điểm so sánh" in words(html)
    assert f"item=survey%3A19%3A05001%3A{UNCERTAIN}" in html
    conn.execute(update(photo).where(photo.c.photo_id == IDS[1]).values(hash=-1 ^ HASH))
    conn.execute(update(photo).where(photo.c.photo_id == IDS[4]).values(hash=HASH))
    html = client.get(CASE + "&lang=en").text
    assert pairs(html) == [(IDS[0], IDS[4])]
    assert "Just the same" in words(html)


def test_a_case_that_is_not_listed_whole_says_so(
    conn: Connection, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "trong số" not in words(client.get(CASE).text)
    one = audit_item.c
    key = select(one.case_key).where(one.subject_id == OUTSIDE).scalar_subquery()
    conn.execute(update(audit_item).where(one.subject_id == UNLOCATED).values(case_key=key))
    monkeypatch.setattr(desk_case, "MOST_MEMBERS", 2)
    told = words(client.get(CASE).text)
    assert "Cùng trường hợp: 3 dòng Hiện 2 trong số 3 dòng" in told


@pytest.mark.parametrize(
    ("most", "told"), [(150, "3 phiếu của hộ khác"), (2, "Từ 2 phiếu trở lên")]
)
def test_neighbours_beyond_what_is_counted_are_said_to_be_there(
    conn: Connection, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, most: int, told: str
) -> None:
    place = select(survey.c.geom).where(survey.c.survey_id == OUTSIDE).scalar_subquery()
    cell = select(survey.c.cell).where(survey.c.survey_id == OUTSIDE).scalar_subquery()
    here = conn.scalar(select(survey.c.household_code).where(survey.c.survey_id == OUTSIDE))
    codes = conn.scalars(
        select(household.c.household_code).where(household.c.household_code != here)
    )
    for n, code in enumerate(list(codes)[:3]):
        conn.execute(
            insert(survey).values(
                **KEY, survey_id=f"00000000-0000-4000-8000-0000000000b{n}", household_code=code,
                surveyed_at=page_data.WHEN, enumerator="E", content_hash="x", verdict="inside",
                geom=place, cell=cell,
            )
        )  # fmt: skip
    monkeypatch.setattr(surroundings, "MOST", most)
    assert told in unescape(words(client.get(CASE).text))
