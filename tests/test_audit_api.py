"""The audit over HTTP: the queue's pages, decisions with conflicts, visits to be made again."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, select
from werkzeug.test import TestResponse

from api.audit_models import Decided, QueuePage, RevisitPage
from geo.audit_tables import audit_decision
from tests import page_data, people
from tests.page_data import INSIDE, OUTSIDE, UNCERTAIN, UNLOCATED
from tests.test_desk_decisions import decided, states
from web.app import create_app


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn, "auditor@19")


def which(survey_id: str, **more: object) -> dict[str, Any]:
    key = {"subject": "survey", "subject_id": survey_id}
    return {**key, "province_code": "19", "commune_code": "05001", **more}


def send(client: FlaskClient, *subjects: dict[str, Any], **body: object) -> TestResponse:
    return client.post("/api/v1/audit/decisions", json={"subjects": list(subjects), **body})


def test_the_queue_comes_worst_first_page_by_page(client: FlaskClient) -> None:
    found, cursor = [], ""
    for _number in range(3):
        page = client.get(f"/api/v1/audit?limit=1{cursor}").get_json()
        QueuePage.model_validate(page)
        found += page["items"]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert [one["subject_id"] for one in found] == [OUTSIDE, UNLOCATED, UNCERTAIN]
    assert found[0]["risk"] == pytest.approx(60)
    assert found[0]["parts"] == [
        {"family": "location", "rule": "outside", "points": pytest.approx(60)}
    ]
    assert found[0]["size"] == 1 and found[0]["last_decision_id"] == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("rule=outside", [OUTSIDE]),
        ("verdict=uncertain", [UNCERTAIN]),
        ("subject=site", []),
        ("state=decided", []),
        ("state=all&since=2026-10-05&until=2026-10-05", [OUTSIDE, UNLOCATED, UNCERTAIN]),
        ("since=2026-10-06", []),
        ("device=none", []),
        ("area=05002", []),
    ],
)
def test_the_queue_is_filtered(client: FlaskClient, query: str, found: list[str]) -> None:
    items = client.get(f"/api/v1/audit?{query}").get_json()["items"]
    assert [one["subject_id"] for one in items] == found


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=none", 400),
        ("rule=none", 400),
        ("verdict=doubtful", 400),
        ("since=tomorrow", 400),
        ("until=9999-12-31", 400),
        ("cursor=x", 400),
        ("limit=0", 400),
        ("format=csv", 400),
        ("area=nowhere", 404),
    ],
)
def test_what_cannot_be_asked_is_refused(client: FlaskClient, query: str, status: int) -> None:
    answer = client.get(f"/api/v1/audit?{query}")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_a_case_tells_its_rows(client: FlaskClient) -> None:
    query = f"province_code=19&case_key=05001:survey:{OUTSIDE}"
    (row,) = client.get(f"/api/v1/audit/case?{query}").get_json()["items"]
    assert row["subject_id"] == OUTSIDE and row["lon"] == pytest.approx(105.15)
    assert client.get("/api/v1/audit/case?province_code=19&case_key=none").status_code == 404


def test_a_decision_is_stored_and_told(conn: Connection, client: FlaskClient) -> None:
    answer = send(client, which(OUTSIDE, seen=0), decision="explained", reason="Sát ranh giới")
    assert answer.status_code == 200
    (row,) = answer.get_json()["items"]
    Decided.model_validate(answer.get_json())
    assert (row["state"], row["subject_id"]) == ("explained", OUTSIDE)
    number = conn.scalar(select(audit_decision.c.decision_id))
    assert row["last_decision_id"] == number
    assert decided(conn)[0][:3] == (OUTSIDE, "explained", "Sát ranh giới")


def test_a_decision_that_the_caller_has_not_seen_is_a_conflict(
    conn: Connection, client: FlaskClient
) -> None:
    send(client, which(OUTSIDE), decision="confirmed")
    answer = send(client, which(OUTSIDE, seen=0), decision="explained", reason="Sát ranh giới")
    assert answer.status_code == 409 and "meanwhile" in answer.get_json()["detail"]
    assert len(decided(conn)) == 1
    again = send(client, which(OUTSIDE), decision="explained", reason="Sát ranh giới")
    assert again.status_code == 200


def test_a_repair_and_its_return(conn: Connection, client: FlaskClient) -> None:
    place = {"lon": 105.05, "lat": 21.05, "accuracy_m": 5}
    assert send(client, which(OUTSIDE), decision="repaired", point=place).status_code == 422
    given = {"decision": "repaired", "reason": "gọi điện", "point": place}
    assert send(client, which(OUTSIDE), **given).status_code == 200
    url = f"/api/v1/surveys/{OUTSIDE}"
    assert client.get(url).get_json()["verdict"] == "inside"
    assert send(client, which(OUTSIDE), decision="reopened").status_code == 200
    assert client.get(url).get_json()["lon"] == pytest.approx(105.15)
    assert [row[1] for row in decided(conn)] == ["repaired", "reopened"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"decision": "explained"}, 422),
        ({"decision": "none"}, 400),
        ({"decision": "confirmed", "subjects": []}, 400),
        ({"decision": "confirmed", "subjects": [which("x" * 300)]}, 400),
        ({"decision": "confirmed", "subjects": [which("no-uuid")]}, 404),
        ({"decision": "confirmed", "subjects": [which(INSIDE)]}, 404),
        ({"decision": "confirmed", "subjects": [which(OUTSIDE) | {"commune_code": "05002"}]}, 404),
        ({"decision": "confirmed", "reason": "x" * 1001}, 400),
        ({"decision": "confirmed", "reason": "a\0b"}, 400),
        ({"decision": "confirmed", "due": "2026-01-01"}, 400),
        ({"decision": "repaired", "point": {"lon": 105, "lat": 91}}, 400),
        ({"decision": "repaired", "point": {"lon": 105}}, 400),
        ({"decision": "repaired"}, 422),
        ({"decision": "reopened"}, 422),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_stored(
    conn: Connection, client: FlaskClient, body: dict[str, Any], status: int
) -> None:
    answer = client.post("/api/v1/audit/decisions", json={"subjects": [which(OUTSIDE)], **body})
    assert answer.status_code == status
    assert decided(conn) == [] and set(states(conn).values()) == {"open"}


def test_all_are_decided_or_none(conn: Connection, client: FlaskClient) -> None:
    answer = send(client, which(OUTSIDE), which(INSIDE), decision="confirmed")
    assert answer.status_code == 404 and decided(conn) == []


def test_visits_to_be_made_again_are_listed(client: FlaskClient) -> None:
    send(client, which(OUTSIDE), decision="revisit", reason="Đo lại", due_on="2026-12-01")
    page = client.get("/api/v1/revisits?area=19").get_json()
    RevisitPage.model_validate(page)
    (one,) = page["items"]
    assert (one["survey_id"], one["due_on"], one["reason"]) == (OUTSIDE, "2026-12-01", "Đo lại")
    assert client.get("/api/v1/revisits?state=done").get_json()["items"] == []
    assert client.get("/api/v1/revisits?enumerator=none").get_json()["items"] == []


def test_who_may_only_look_may_not_decide(conn: Connection, client: FlaskClient) -> None:
    supervisor = people.client(client.application, conn, "supervisor@19")
    assert supervisor.get("/api/v1/audit").status_code == 200
    assert send(supervisor, which(OUTSIDE), decision="confirmed").status_code == 403
    assert decided(conn) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"decision": "confirmed", "reason": "\\ud800", "subjects": []}',
        b"[" * 5000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b'{"decision": NaN}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_no_json_is_refused_with_words(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/v1/audit/decisions", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
