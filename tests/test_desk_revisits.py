"""Visits to be made again: asked for at the desk, listed for who goes, done by a new survey."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, insert, select, update

from geo.audit_tables import revisit
from geo.tables import survey
from tests import page_data, people
from tests.page_data import OUTSIDE, PAYLOADS, UNCERTAIN, words
from tests.test_desk_decisions import send, states
from web.app import create_app

NEW = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn, "auditor@19")


@pytest.fixture
def asked(conn: Connection, client: FlaskClient) -> int:
    """A visit that an auditor asked for."""
    send(client, OUTSIDE, decision="revisit", reason="Đo lại tại nhà")
    conn.execute(update(revisit).values(due_on=date(2020, 1, 31)))
    return conn.scalar(select(revisit.c.revisit_id))  # type: ignore[return-value]


def test_who_goes_sees_whom_why_where_and_until_when(
    conn: Connection, client: FlaskClient, asked: int
) -> None:
    enumerator = people.client(client.application, conn, "enumerator@05001")
    html = enumerator.get("/revisits?area=05001").text
    said = words(html)
    assert "Đo lại tại nhà" in said and PAYLOADS[0] in said and "Chưa làm" in said
    assert "31/01/2020 quá hạn" in said
    assert 'href="geo:21.050000,105.150000"' in html
    assert "<img src=x" not in html and "Rút yêu cầu" not in html and "file.csv" not in html
    assert enumerator.get("/revisits?area=05002").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("state=open", True),
        ("state=done", False),
        ("state=all", True),
        ("enumerator=nobody", False),
        ("enumerator=" + "%24%7Bdocument.title%3D1%7D", True),
    ],
)
def test_the_list_is_filtered(client: FlaskClient, asked: int, query: str, found: bool) -> None:
    assert ("Đo lại tại nhà" in client.get(f"/revisits?area=19&{query}").text) is found


def test_a_later_survey_of_the_household_makes_it_done(
    conn: Connection, client: FlaskClient, asked: int
) -> None:
    when = conn.scalar(select(func.now())) + timedelta(hours=1)  # type: ignore[operator]
    conn.execute(
        insert(survey).values(
            province_code="19", commune_code="05001", survey_id=NEW, household_code="H0",
            surveyed_at=when, enumerator="E", content_hash="x", verdict="unlocated",
        )
    )  # fmt: skip
    assert "Không có hộ nào cần khảo sát lại." in client.get("/revisits?area=19").text
    html = client.get("/revisits?area=19&state=done").text
    assert f'href="/surveys/{NEW}?commune=05001"' in html and "Rút yêu cầu" not in html


def visited(conn: Connection, household: str, hours: float, **more: object) -> None:
    """A survey so many hours after this moment, when the visit was asked for as well."""
    when = conn.scalar(select(func.now())) + timedelta(hours=hours)  # type: ignore[operator]
    conn.execute(
        insert(survey).values(
            province_code="19", commune_code="05001", survey_id=NEW, household_code=household,
            surveyed_at=when, enumerator="E", content_hash="x", verdict="inside", **more,
        )
    )  # fmt: skip


def test_the_case_shows_whether_its_visit_was_made(
    conn: Connection, client: FlaskClient, asked: int
) -> None:
    case = f"/audit/case?item=survey:19:05001:{OUTSIDE}"
    told = words(client.get(case).text)
    assert "Khảo sát lại ○ Chưa làm trước ngày 31/01/2020" in told
    assert "Đo lại tại nhà" in told
    visited(conn, "H0", 1)
    html = client.get(case).text
    assert "✔ Đã làm" in words(html) and f'href="/surveys/{NEW}?commune=05001"' in html
    assert "✔ Done" in words(client.get(case + "&lang=en").text)


@pytest.mark.parametrize(
    ("household", "hours", "more"),
    [
        ("H1", 1, {}),  # another household
        ("H0", -1, {}),  # before it was asked for
        ("H0", 1, {"received_at": datetime(2020, 1, 1, tzinfo=UTC)}),  # a clock that is ahead
        ("H0", 1, {"removed": True}),
    ],
)
def test_other_surveys_do_not_make_the_visit(
    conn: Connection, client: FlaskClient, asked: int, household: str, hours: float, more: dict
) -> None:
    visited(conn, household, hours, **more)
    assert "Đo lại tại nhà" in client.get("/revisits?area=19").text
    case = client.get(f"/audit/case?item=survey:19:05001:{OUTSIDE}").text
    assert "○ Chưa làm" in words(case) and "✔ Đã làm" not in words(case)


def test_who_withdraws_a_request_opens_the_case_again(
    conn: Connection, client: FlaskClient, asked: int
) -> None:
    form = {"province": "19", "commune": "05001", "back": "area=05001&state=all"}
    answer = client.post(f"/revisits/{asked}/withdraw", data=form)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/revisits?area=05001&state=all"
    assert states(conn)[OUTSIDE] == "open"
    assert conn.scalar(select(revisit.c.withdrawn_at)) is not None
    assert "Đo lại tại nhà" not in client.get("/revisits?area=19&state=all").text
    assert client.post(f"/revisits/{asked}/withdraw", data=form).status_code == 404


def test_a_request_that_no_decision_asked_for_is_withdrawn_alone(
    conn: Connection, client: FlaskClient
) -> None:
    send(client, UNCERTAIN, decision="revisit", reason="Khác")
    number = conn.scalar(
        insert(revisit)
        .values(
            province_code="19", commune_code="05001", household_code="H0", reason="Phúc tra",
        )
        .returning(revisit.c.revisit_id)
    )  # fmt: skip
    form = {"province": "19", "commune": "05001"}
    assert client.post(f"/revisits/{number}/withdraw", data=form).status_code == 303
    left = conn.execute(select(revisit.c.reason).where(revisit.c.withdrawn_at.is_(None)))
    assert [row[0] for row in left] == ["Khác"] and states(conn)[UNCERTAIN] == "revisit"


def test_a_visit_that_a_sample_drew_is_not_withdrawn_alone(
    conn: Connection, client: FlaskClient
) -> None:
    values = {"province_code": "19", "commune_code": "05001", "household_code": "H0"}
    conn.execute(insert(revisit).values(**values, sample_id=7))
    number = conn.scalar(select(revisit.c.revisit_id))
    html = client.get("/revisits?area=19").text
    assert "mẫu kiểm chứng 7" in words(html) and f"/revisits/{number}/withdraw" not in html
    form = {"province": "19", "commune": "05001"}
    answer = client.post(f"/revisits/{number}/withdraw", data=form)
    assert answer.status_code == 422 and "Không gặp được" in words(answer.text)
    assert conn.scalar(select(revisit.c.withdrawn_at)) is None


def test_the_file_holds_what_the_list_holds(
    conn: Connection, client: FlaskClient, asked: int
) -> None:
    url = re.findall(r'href="(/revisits/file.csv[^"]+)"', client.get("/revisits?area=19").text)[0]
    with client.get(url) as answer:
        head, row = answer.text.removeprefix("\ufeff").splitlines()
    values = dict(zip(head.split(","), row.split(","), strict=True))
    assert (values["household_code"], values["reason"]) == ("H0", "Đo lại tại nhà")
    assert (values["lat"], values["lon"]) == ("21.05", "105.15")
    supervisor = people.client(client.application, conn, "enumerator@19")
    assert supervisor.get(url).status_code == 403


def test_a_cursor_of_another_list_is_refused(client: FlaskClient) -> None:
    assert client.get("/revisits?area=19&cursor=nonsense").status_code == 400
    assert client.get("/audit?area=19&cursor=nonsense").status_code == 400
