"""Decisions from the desk: stored with who and why, undone, refused with what was typed kept."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, insert, select, update
from werkzeug.test import TestResponse

from geo.account_tables import access_log
from geo.audit import decisions, items
from geo.audit_tables import audit_decision, audit_item, revisit
from geo.tables import finding, household, survey
from tests import page_data, people
from tests.page_data import INSIDE, OUTSIDE, UNCERTAIN, UNLOCATED, words
from tests.test_desk_pages import CASE, GROUP, group, item, listed
from web.app import create_app

NEXT = f"19:05001:survey:{UNLOCATED}"


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn, "auditor@19")


def send(client: FlaskClient, *surveys: str, seen: int = 0, **form: object) -> TestResponse:
    subjects = [f"{seen}:{item(one)}" for one in surveys]
    given = {"back": "area=19", "next": NEXT, "subject": subjects, "here": item(surveys[0])}
    return client.post("/audit/decisions", data={**given, **form})


def picks(client: FlaskClient, *cases: str, query: str = "area=19") -> list[str]:
    """What the list's ticks of these cases carry."""
    html = client.get(f"/audit?{query}").text
    found = re.findall(r'name="pick" form="decide" value="([^"]+)"', html)
    return [next(one for one in found if one.endswith(f":{case}")) for case in cases]


def decided(conn: Connection) -> list[tuple[str, str, str, str]]:
    one = audit_decision.c
    found = select(one.subject_id, one.decision, one.reason, one.decided_by_name)
    return [tuple(row) for row in conn.execute(found.order_by(one.decision_id))]


def states(conn: Connection) -> dict[str, str]:
    found = conn.execute(select(audit_item.c.subject_id, audit_item.c.state))
    return {row[0]: row[1] for row in found}


def point(conn: Connection) -> tuple[float, float]:
    where = survey.c.survey_id == OUTSIDE
    found = select(func.ST_X(survey.c.geom), func.ST_Y(survey.c.geom)).where(where)
    return tuple(conn.execute(found).one())  # type: ignore[return-value]


@pytest.mark.parametrize("decision", ["confirmed", "explained", "revisit"])
def test_a_decision_is_kept_with_who_and_why_and_leads_to_the_next_case(
    conn: Connection, client: FlaskClient, decision: str
) -> None:
    answer = send(client, OUTSIDE, decision=decision, reason="Đã gọi điện cho thôn")
    name = conn.scalar(select(audit_decision.c.decided_by_name))
    assert answer.status_code == 303 and name.startswith("Người")
    assert decided(conn) == [(OUTSIDE, decision, "Đã gọi điện cho thôn", name)]
    assert states(conn) == {OUTSIDE: decision, UNCERTAIN: "open", UNLOCATED: "open"}
    where = urlsplit(answer.headers["Location"])
    number = conn.scalar(select(audit_decision.c.decision_id))
    assert where.path == "/audit" and where.fragment == "case"
    assert parse_qs(where.query) == {"area": ["19"], "case": [NEXT], "done": [str(number)]}
    html = client.get(f"{where.path}?{where.query}").text
    assert listed(html) == [UNLOCATED, UNCERTAIN] and f'data-key="{item(UNLOCATED)}"' in html
    history = words(client.get(f"/audit/case?item={item(OUTSIDE)}").text)
    assert f"{name}, " in history and "Đã gọi điện cho thôn" in history


def test_the_log_knows_what_was_decided_where_and_why(
    conn: Connection, client: FlaskClient
) -> None:
    send(client, OUTSIDE, decision="explained", reason="Hộ ở sát ranh giới")
    entry = conn.execute(select(access_log).order_by(access_log.c.entry_id.desc())).mappings()
    last = next(one for one in entry if one["route"] == "POST /audit/decisions")
    assert (last["action"], last["outcome"], last["subject"], last["subject_id"]) == (
        "audit.decide", "allowed", "survey", OUTSIDE,
    )  # fmt: skip
    assert (last["province_code"], last["commune_code"]) == ("19", "05001")
    assert last["reason"] == "explained: Hộ ở sát ranh giới" and last["rows"] == 1


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"decision": "explained"}, 422, "lý do"),
        ({"decision": "explained", "reason": "  "}, 422, "lý do"),
        ({"decision": "confirmed", "reason": "x" * 1001}, 422, "1000"),
        ({"decision": "none", "reason": "Vì thế"}, 400, "none"),
        ({"reason": "Vì thế"}, 400, ""),
        ({"decision": "repaired", "reason": "Vì thế"}, 422, "điểm"),
        ({"decision": "repaired", "lat": "21,5", "lon": "x"}, 422, "“x” không phải là số"),
        ({"decision": "repaired", "lat": "95", "lon": "105", "reason": "x"}, 422, "6 đến 24"),
        ({"decision": "repaired", "lat": "21", "lon": "105"}, 422, "vì sao biết điểm đúng"),
        ({"decision": "repaired", "lat": "nan", "lon": "105"}, 422, ""),
        ({"decision": "repaired", "lat": "21", "lon": "105", "accuracy_m": "0"}, 422, ""),
        ({"decision": "revisit", "due_on": "mai"}, 400, "2026-12-31"),
        ({"decision": "confirmed", "subject": []}, 422, ""),
        ({"decision": "confirmed", "subject": ["x"]}, 422, "Biểu mẫu bị hỏng"),
        ({"decision": "confirmed", "subject": [f"0:{item(INSIDE)}"]}, 404, ""),
        ({"decision": "confirmed", "pick": ["19:none"]}, 422, "Biểu mẫu bị hỏng"),
        ({"decision": "confirmed", "pick": ["0.1.7:19:none"]}, 404, "nay 0 dòng"),
        ({"decision": "repaired", "lat": "1_0", "lon": "105"}, 422, "không phải là số"),
        ({"decision": "repaired", "lat": "21²", "lon": "105"}, 422, "không phải là số"),
    ],
)
def test_what_cannot_be_decided_is_refused_beside_the_form_that_keeps_what_was_typed(
    conn: Connection, client: FlaskClient, form: dict[str, object], status: int, said: str
) -> None:
    answer = send(client, OUTSIDE, **form)
    assert answer.status_code == status
    assert "Chưa lưu." in answer.text and said in answer.text
    assert decided(conn) == [] and set(states(conn).values()) == {"open"}
    if form.get("reason") == "Vì thế":
        assert 'value="Vì thế"' in answer.text
    if form.get("lat"):
        assert f'value="{form["lat"]}"' in answer.text


def test_a_repaired_point_is_judged_anew_and_the_original_kept(
    conn: Connection, client: FlaskClient
) -> None:
    answer = send(
        client, OUTSIDE, decision="repaired", reason="Gọi", lat="21,05", lon="105.05",
        accuracy_m="8",
    )  # fmt: skip
    assert answer.status_code == 303
    assert point(conn) == pytest.approx((105.05, 21.05))
    found = conn.execute(select(survey).where(survey.c.survey_id == OUTSIDE)).mappings().one()
    assert found["verdict"] == "inside" and found["accuracy_m"] == 8
    assert (found["as_sent"]["lon"], found["as_sent"]["lat"]) == (105.15, 21.05)
    said = words(client.get(f"/audit/case?item={item(OUTSIDE)}").text)
    assert "Điểm gốc máy gửi: 21.050000, 105.150000" in said
    assert "từ 21.050000, 105.150000 đến 21.050000, 105.050000: Khớp địa bàn" in said


def test_an_undone_decision_leaves_everything_as_it_was_but_the_history(
    conn: Connection, client: FlaskClient
) -> None:
    done = send(client, OUTSIDE, decision="repaired", reason="Gọi", lat="21.05", lon="105.05")
    page = client.get(done.headers["Location"].partition("#")[0]).text
    assert "Hoàn tác" in page and "Đã sửa toạ độ:" in page
    number = re.findall(r'name="decision_id" value="(\d+)"', page)[0]
    back = client.post("/audit/undo", data={"back": "area=19", "decision_id": number})
    assert back.status_code == 303
    assert parse_qs(urlsplit(back.headers["Location"]).query)["item"] == [item(OUTSIDE)]
    assert point(conn) == pytest.approx((105.15, 21.05))
    assert states(conn)[OUTSIDE] == "open"
    assert [row[1] for row in decided(conn)] == ["repaired", "reopened"]
    again = client.post("/audit/undo", data={"back": "area=19", "decision_id": number})
    assert again.status_code == 404 and "Không còn kết luận này để hoàn tác" in again.text


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "999999"])
def test_nothing_is_undone_for_a_decision_that_is_not_there(
    client: FlaskClient, number: str
) -> None:
    answer = client.post("/audit/undo", data={"back": "area=19", "decision_id": number})
    assert answer.status_code == 404


def test_a_decided_row_can_be_opened_again_later(conn: Connection, client: FlaskClient) -> None:
    send(client, OUTSIDE, decision="confirmed")
    html = client.get(f"/audit?area=19&state=confirmed&item={item(OUTSIDE)}").text
    assert listed(html) == [OUTSIDE] and "Mở lại: bỏ mọi kết luận" in html
    form = {"back": "area=19&state=confirmed", "subject": item(OUTSIDE)}
    # Another page that saw nothing decided yet: what was decided since is not taken back unseen.
    assert client.post("/audit/reopen", data={**form, "seen": "0"}).status_code == 409
    answer = client.post("/audit/reopen", data=form)
    assert answer.status_code == 303 and states(conn)[OUTSIDE] == "open"
    assert client.post("/audit/reopen", data=form).status_code == 422
    assert client.post("/audit/reopen", data={"back": ""}).status_code == 422


def test_who_comes_second_is_told_and_loses_nothing(conn: Connection, client: FlaskClient) -> None:
    other = people.client(client.application, conn, "auditor@19")
    send(other, OUTSIDE, decision="confirmed")
    name = decided(conn)[0][3]
    answer = send(client, OUTSIDE, decision="explained", reason="Nhà ở sát ranh giới")
    assert answer.status_code == 409
    assert name in answer.text and 'value="Nhà ở sát ranh giới"' in answer.text
    assert [row[1] for row in decided(conn)] == ["confirmed"]
    number = conn.scalar(select(audit_decision.c.decision_id))
    assert f'value="{number}:{item(OUTSIDE)}"' in answer.text
    second = send(client, OUTSIDE, seen=number, decision="explained", reason="Nhà ở sát")
    assert second.status_code == 303


def test_one_reason_for_all_rows_that_are_ticked(conn: Connection, client: FlaskClient) -> None:
    group(conn, OUTSIDE, INSIDE, UNCERTAIN)
    answer = send(client, OUTSIDE, UNCERTAIN, decision="explained", reason="Cùng một nhà")
    assert answer.status_code == 303
    assert states(conn) == {
        OUTSIDE: "explained", UNCERTAIN: "explained", INSIDE: "open", UNLOCATED: "open",
    }  # fmt: skip
    batches = set(conn.scalars(select(audit_decision.c.batch)))
    assert len(batches) == 1 and None not in batches
    page = client.get(answer.headers["Location"].partition("#")[0]).text
    assert "Có giải trình: 2 dòng." in words(page)
    number = re.findall(r'name="decision_id" value="(\d+)"', page)[0]
    client.post("/audit/undo", data={"back": "", "decision_id": number})
    assert set(states(conn).values()) == {"open"}


def test_cases_ticked_in_the_list_go_before_rows_and_hold_what_the_filter_holds(
    conn: Connection, client: FlaskClient
) -> None:
    group(conn, OUTSIDE, INSIDE)
    send(client, OUTSIDE, decision="confirmed")
    picked = picks(client, f"19:{CASE}", f"19:05001:survey:{UNCERTAIN}")
    answer = send(client, UNLOCATED, pick=picked, decision="explained", reason="Cùng lý do")
    assert answer.status_code == 303
    assert states(conn) == {
        OUTSIDE: "confirmed", INSIDE: "explained", UNCERTAIN: "explained", UNLOCATED: "open",
    }  # fmt: skip


def test_a_ticked_case_is_decided_only_as_far_as_the_filters_show_it(
    conn: Connection, client: FlaskClient
) -> None:
    group(conn, OUTSIDE, UNCERTAIN)
    query = "area=19&verdict=outside"
    held = picks(client, f"19:{CASE}", query=query)
    assert held[0].split(".")[1] == "1"
    answer = send(client, OUTSIDE, pick=held, decision="confirmed", back=query, subject=[])
    assert answer.status_code == 303
    assert states(conn)[OUTSIDE] == "confirmed" and states(conn)[UNCERTAIN] == "open"


def test_a_ticked_case_that_changed_since_the_list_was_opened_is_refused_and_stays_ticked(
    conn: Connection, client: FlaskClient
) -> None:
    group(conn, OUTSIDE, INSIDE)
    held = picks(client, f"19:{CASE}", query="area=19&state=all")
    other = people.client(client.application, conn, "auditor@19")
    send(other, OUTSIDE, decision="confirmed")
    form = {"decision": "explained", "reason": "Cùng nhà", "subject": []}
    answer = send(client, UNCERTAIN, back="area=19&state=all", **form, pick=held)
    assert answer.status_code == 409 and decided(conn)[0][3] in answer.text
    ticks = re.findall(r'value="([^"]+)" data-rows="2" checked', answer.text)
    assert [one.rpartition(":")[2] for one in ticks] == [CASE]
    group(conn, UNCERTAIN)
    joined = send(client, UNLOCATED, back="area=19&state=all", **form, pick=ticks)
    assert joined.status_code == 409 and "lúc đó 2 dòng, nay 3 dòng" in joined.text
    assert len(decided(conn)) == 1


def test_rows_ticked_in_a_refused_form_stay_ticked(conn: Connection, client: FlaskClient) -> None:
    group(conn, OUTSIDE, INSIDE, UNCERTAIN)
    answer = send(client, OUTSIDE, UNCERTAIN, decision="explained")
    ticks = re.findall(r'name="subject" form="decide" value="0:([^"]+)" checked', answer.text)
    assert answer.status_code == 422 and set(ticks) == {item(OUTSIDE), item(UNCERTAIN)}


def test_a_great_case_is_decided_in_portions(
    conn: Connection, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "MAX_AT_ONCE", 2)
    group(conn, OUTSIDE, INSIDE, UNCERTAIN)
    for left in (1, 0):
        held = picks(client, f"19:{CASE}")
        answer = send(client, OUTSIDE, pick=held, decision="confirmed", subject=[])
        assert answer.status_code == 303
        rest = [one for one in (OUTSIDE, INSIDE, UNCERTAIN) if states(conn)[one] == "open"]
        assert len(rest) == left


def test_only_what_this_session_saved_last_is_undone(conn: Connection, client: FlaskClient) -> None:
    other = people.client(client.application, conn, "auditor@19")
    send(other, OUTSIDE, decision="confirmed")
    number = conn.scalar(select(audit_decision.c.decision_id))
    page = client.get(f"/audit?area=19&done={number}&item={item(OUTSIDE)}").text
    assert "data-undo" not in page and "Lý do mở lại" in page
    answer = client.post("/audit/undo", data={"back": "", "decision_id": str(number)})
    assert answer.status_code == 404 and states(conn)[OUTSIDE] == "confirmed"


def test_a_case_opens_on_the_row_that_the_filters_show(
    conn: Connection, client: FlaskClient
) -> None:
    group(conn, OUTSIDE, UNCERTAIN)
    query = f"area=19&verdict=uncertain&case=19:{CASE}"
    for path in ("/audit", "/audit/case"):
        assert f'data-key="{item(UNCERTAIN)}"' in client.get(f"{path}?{query}").text


def test_rows_beyond_ones_areas_are_told_and_left_alone(
    conn: Connection, client: FlaskClient
) -> None:
    _move_to(conn, INSIDE, "H1", "05002")
    group(conn, OUTSIDE, UNCERTAIN)
    conn.execute(
        insert(finding).values(
            province_code="19", commune_code="05002", subject="survey", subject_id=INSIDE,
            rule="same_point", severity=2, group_key=GROUP, evidence={},
        )
    )  # fmt: skip
    items.renew(conn, "19")
    mixed = people.client(client.application, conn, "supervisor@19", "auditor@05001")
    html = mixed.get(f"/audit/case?case=19:{CASE}").text
    assert "1 dòng ở ngoài địa bàn bạn được kết luận" in words(html)
    assert f":{item(INSIDE, '05002')}" not in html and f"0:{item(OUTSIDE)}" in html
    form = {"back": "area=19", "decision": "confirmed", "subject": f"0:{item(INSIDE, '05002')}"}
    assert mixed.post("/audit/decisions", data=form).status_code == 404
    picked = {"back": "area=19", "decision": "confirmed", "pick": picks(mixed, f"19:{CASE}")}
    assert mixed.post("/audit/decisions", data=picked).status_code == 303
    assert states(conn) == {
        OUTSIDE: "confirmed", UNCERTAIN: "confirmed", INSIDE: "open", UNLOCATED: "open",
    }  # fmt: skip


@pytest.mark.parametrize(
    "back", ["area=05002", "//evil.example/?x=1", "https://evil.example", "_scheme=x&_external=1"]
)
def test_the_way_back_stays_in_this_service(client: FlaskClient, back: str) -> None:
    answer = send(client, OUTSIDE, decision="confirmed", back=back)
    where = urlsplit(answer.headers["Location"])
    assert (where.scheme, where.netloc, where.path) == ("", "", "/audit")


def test_a_form_without_its_token_is_refused(conn: Connection, client: FlaskClient) -> None:
    client.csrf = ""  # type: ignore[attr-defined]
    assert send(client, OUTSIDE, decision="confirmed").status_code == 400
    assert decided(conn) == [] and conn.scalar(select(func.count()).select_from(revisit)) == 0


def _move_to(conn: Connection, survey_id: str, code: str, commune: str) -> None:
    """Put a survey and its household into another commune."""
    page_data.add_household(conn, code + "x", commune)
    where = survey.c.survey_id == survey_id
    conn.execute(
        update(survey).where(where).values(commune_code=commune, household_code=code + "x")
    )
    assert conn.scalar(
        select(household.c.household_code).where(household.c.commune_code == commune)
    )
