"""The auditors' desk as the server sends it: the queue, a case in words, and the ways back."""

import hashlib
import json
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, update

from geo.audit import due, items
from geo.tables import finding, household, survey
from tests import page_data, people
from tests.page_data import INSIDE, OUTSIDE, UNCERTAIN, UNLOCATED, words
from web import audit
from web.app import create_app

GROUP = "same_point:1"
CASE = hashlib.sha256(GROUP.encode()).hexdigest()[:24]


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn)


def item(survey_id: str, commune: str = "05001") -> str:
    return f"survey:19:{commune}:{survey_id}"


def listed(html: str) -> list[str]:
    """The surveys that stand for the cases of the list."""
    return re.findall(r'data-subject="([^"]+)"', html)


def group(conn: Connection, *surveys: str) -> None:
    """Make these surveys one case."""
    for survey_id in surveys:
        conn.execute(
            insert(finding).values(
                **page_data.KEY, subject="survey", subject_id=survey_id, rule="same_point",
                severity=2, group_key=GROUP, evidence={},
            )
        )  # fmt: skip
    items.renew(conn, "19")


def test_the_audit_lists_the_doubtful_worst_first(client: FlaskClient) -> None:
    html = client.get("/audit?area=19").text
    assert re.findall(r'data-subject="([^"]+)"', html) == [OUTSIDE, UNLOCATED, UNCERTAIN]
    said = words(html)
    assert "▲ Lệch địa bàn ngoài 5,2 km" in said
    assert "Vị trí so với địa bàn 60" in said and "Chất lượng đo 15" in said
    assert "3 trường hợp, 3 phiếu và nhà; đáng ngờ nhất trước" in said
    assert "3 trên 3 trường hợp" in said


@pytest.mark.parametrize(
    ("query", "subjects", "of_file"),
    [
        ("", [OUTSIDE, UNLOCATED, UNCERTAIN], {}),
        ("&verdict=outside", [OUTSIDE], {"verdict": ["outside"]}),
        ("&rule=uncertain", [UNCERTAIN], {"rule": ["uncertain"]}),
        ("&state=all&since=2026-10-05", [OUTSIDE, UNLOCATED, UNCERTAIN],
         {"since": ["2026-10-05"]}),
        ("&until=2026-10-04", [], {"until": ["2026-10-04"]}),
    ],
)  # fmt: skip
def test_map_and_files_of_the_audit_hold_what_its_list_holds(
    client: FlaskClient, query: str, subjects: list[str], of_file: dict[str, list[str]]
) -> None:
    html = client.get(f"/audit?area=19{query}").text
    drawn = re.search(r'id="case-points">(.*?)</script>', html, re.DOTALL)
    file = re.search(r'href="(/api/v1/findings[^"]+)"', html)
    assert drawn and file
    assert re.findall(r'data-subject="([^"]+)"', html) == subjects
    located = [one for one in subjects if one != UNLOCATED]
    assert [one["case"] for one in json.loads(drawn[1])] == [
        f"19:05001:survey:{one}" for one in located
    ]
    asked = parse_qs(urlsplit(unescape(file[1])).query)
    state = {} if "state=all" in query else {"state": ["open"]}
    assert asked == {"area": ["19"], "format": ["csv"], **state, **of_file}
    with client.get(unescape(file[1])) as sent:
        rows = sent.text.splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == set(subjects)


def test_a_case_tells_its_findings_with_their_numbers_and_what_they_mean(
    client: FlaskClient,
) -> None:
    said = words(client.get(f"/audit/case?item={item(OUTSIDE)}").text)
    assert "▲ Lệch địa bàn nặng" in said
    assert "Điểm nằm ngoài địa bàn ghi nhận, cách ranh giới 5,2 km" in said
    assert "vượt quá sai số của điểm và của ranh giới" in said
    assert "60 Vị trí so với địa bàn 60" in said
    assert "Kết luận vị trí trước đây ◧ Chưa chắc chắn" in said
    english = words(client.get(f"/audit/case?item={item(OUTSIDE)}&lang=en").text)
    assert "The point lies outside the recorded area, 5.2 km from its border" in english


def test_what_data_holds_stays_text_in_a_case(client: FlaskClient) -> None:
    for survey_id in (OUTSIDE, UNCERTAIN, UNLOCATED):
        html = client.get(f"/audit/case?item={item(survey_id)}").text
        assert "<img src=x" not in html and "<script>document" not in html
    assert page_data.PAYLOADS[0] in words(client.get(f"/audit/case?item={item(OUTSIDE)}").text)


@pytest.mark.parametrize(
    "query",
    [
        f"survey={OUTSIDE}",
        f"survey={OUTSIDE}&commune=05001",
        f"item={item(OUTSIDE)}",
        f"case=19:05001:survey:{OUTSIDE}",
        f"case=19:05001:survey:{OUTSIDE}&rule=uncertain",
    ],
)
def test_a_link_opens_on_its_case(client: FlaskClient, query: str) -> None:
    html = client.get(f"/audit?area=19&{query}").text
    assert f'data-key="{item(OUTSIDE)}"' in html
    assert f'"url": "/surveys/{OUTSIDE}/evidence.json?commune=05001"' in html
    chosen = re.findall(r'data-subject="([^"]+)" class="chosen" aria-current="true"', html)
    assert chosen == ([] if "rule" in query else [OUTSIDE])


@pytest.mark.parametrize(
    "query",
    [
        "case=19:none",
        "case=none",
        f"item={item('00000000-0000-4000-8000-00000000ffff')}",
        "item=survey:19:05001:none",
        "item=site:19:05001:none",
        "item=site:19",
        "survey=none",
        f"item={item(OUTSIDE, '05002')}",
        f"item=survey:08:05001:{OUTSIDE}",
    ],
)
def test_a_link_to_what_is_not_there_says_so_beside_the_list(
    client: FlaskClient, query: str
) -> None:
    answer = client.get(f"/audit?area=19&{query}")
    assert answer.status_code == 200 and len(listed(answer.text)) == 3
    assert "data-evidence" not in answer.text.partition("<main")[2]
    assert client.get(f"/audit/case?{query}").status_code == 404


def test_a_survey_without_findings_is_shown_without_a_decision(client: FlaskClient) -> None:
    html = client.get(f"/audit?area=19&survey={INSIDE}").text
    assert f'data-key="{item(INSIDE)}"' in html
    assert "Không có cảnh báo nên không có gì để kết luận." in html
    assert 'id="decide"' not in html


@pytest.mark.parametrize("query", ["since=tomorrow", "until=9999-12-31", "since=2026-02-30"])
def test_a_day_that_cannot_be_is_refused_in_words(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/audit?{query}")
    assert answer.status_code == 400 and "Viết ngày theo dạng 2026-12-31" in answer.text


def test_filters_know_who_and_which_device_there_is(client: FlaskClient) -> None:
    html = client.get("/audit?area=19").text
    assert page_data.PAYLOADS[0] in unescape(html.partition('id="enumerators"')[2])
    assert re.search(r'<optgroup label="Vị trí so với địa bàn">.*?Lệch địa bàn \(1\)', html, re.S)
    one = client.get("/audit", query_string={"area": "19", "enumerator": page_data.PAYLOADS[0]})
    assert listed(one.text) == [OUTSIDE]
    none = client.get("/audit?area=19&device=none")
    assert listed(none.text) == [] and "Không có trường hợp nào như vậy." in none.text


def test_pages_lead_on_and_back(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE_SIZE", 1)
    seen, html = [], client.get("/audit?area=19&verdict=").text
    for _number in range(2):
        seen += listed(html)
        html = client.get(unescape(re.findall(r'rel="next" href="([^"]+)"', html)[0])).text
    assert [*seen, *listed(html)] == [OUTSIDE, UNLOCATED, UNCERTAIN]
    assert 'rel="next"' not in html
    for expected in (UNLOCATED, OUTSIDE):
        html = client.get(unescape(re.findall(r'rel="prev" href="([^"]+)"', html)[0])).text
        assert listed(html) == [expected]
    assert 'rel="prev"' not in html


def test_one_cause_is_one_case(conn: Connection, client: FlaskClient) -> None:
    group(conn, OUTSIDE, INSIDE, UNCERTAIN)
    html = client.get("/audit?area=19").text
    assert listed(html) == [OUTSIDE, UNLOCATED]
    assert "3 dòng" in words(html)
    case = words(client.get(f"/audit/case?case=19:{CASE}").text)
    assert "Cùng trường hợp: 3 dòng" in case


def test_changes_that_wait_are_told(conn: Connection, client: FlaskClient) -> None:
    assert "đang chờ được kiểm tra" not in client.get("/audit?area=19").text
    due.mark(conn, {("19", "05001")})
    assert "1 thay đổi đang chờ được kiểm tra" in client.get("/audit?area=19").text


def test_who_may_not_decide_sees_no_form(conn: Connection, client: FlaskClient) -> None:
    supervisor = people.client(client.application, conn, "supervisor@19")
    html = supervisor.get(f"/audit?area=19&item={item(OUTSIDE)}").text
    assert "Kết luận thuộc kiểm tra viên của địa bàn." in html
    assert 'id="decide"' not in html and 'name="pick"' not in html


def test_evidence_holds_what_lies_around(conn: Connection, client: FlaskClient) -> None:
    group(conn, OUTSIDE, UNCERTAIN)
    conn.execute(update(survey).values(enumerator="E", as_sent=None))
    conn.execute(update(household).values(village="Thôn 1"))
    conn.execute(
        update(survey)
        .where(survey.c.survey_id == OUTSIDE)
        .values(as_sent={"lon": 105.0, "lat": 21.0, "accuracy_m": 5, "crs": "EPSG:4326"})
    )
    seen = client.get(f"/surveys/{OUTSIDE}/evidence.json?commune=05001").get_json()
    layers = seen["layers"]
    assert seen["key"] == item(OUTSIDE) and seen["point"] == [21.05, 105.15]
    assert sorted(one["at"] for one in layers["neighbours"]) == [[21.05, 105.05], [21.05, 105.0999]]
    assert all("cùng thôn" in one["text"] for one in layers["neighbours"])
    assert [one["number"] for one in layers["route"]] == [1, 2, 3]
    assert [one["at"] for one in layers["members"]] == [[21.05, 105.0999]]
    assert [one["at"] for one in layers["sent"]] == [[21.0, 105.0]]
    assert layers["repaired"] == [] and layers["own"] == []


def test_a_site_has_its_evidence(client: FlaskClient) -> None:
    seen = client.get("/sites/19/N/1/evidence.json").get_json()
    assert seen["key"] == "site:19:05001:N/1" and seen["point"] is None
    assert client.get("/sites/19/none/evidence.json").status_code == 404
