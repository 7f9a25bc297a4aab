"""The pages of profiles and of changed verdicts: figures in words, filters, empty states."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, select, update

from geo.audit import together
from geo.tables import boundary, finding, site, survey
from tests import page_data, people
from tests.page_data import OUTSIDE, words
from web.app import create_app


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn, "supervisor@19")


def test_profiles_tell_rates_with_intervals_and_accuse_nobody(client: FlaskClient) -> None:
    said = words(client.get("/audit/people?area=19").text)
    assert "Không ai trong" in said
    assert "không phải kết luận về người" in said
    assert "dưới 10 phiếu" in said
    assert "95%" in said and "95%%" not in said


@pytest.mark.parametrize("role", ["enumerator", "officer"])
def test_who_is_audited_sees_no_profiles(client: FlaskClient, conn: Connection, role: str) -> None:
    audited = people.client(client.application, conn, f"{role}@05001")
    assert audited.get("/audit/people?area=05001").status_code == 403
    assert audited.get("/audit/people/file.csv?area=05001").status_code == 403
    assert "/audit/people" not in audited.get("/revisits?area=05001").text


def test_a_profile_leads_to_the_queue_of_its_surveys(client: FlaskClient) -> None:
    html = client.get("/audit/people?area=19&by=enumerator").text
    assert "/audit?area=19&amp;enumerator=" in html
    assert "state=all" in html


def test_devices_have_profiles_too_and_none_is_said_so(client: FlaskClient) -> None:
    html = client.get("/audit/people?area=19&by=device_id&since=2030-01-01").text
    assert "Chưa có phiếu nào ở địa bàn và trong những ngày này." in words(html)


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-13-01"])
def test_a_day_that_cannot_be_is_told(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/audit/people?area=19&{query}")
    assert answer.status_code == 400
    assert "Không có ngày" in words(answer.text)


def file_lines(client: FlaskClient) -> list[str]:
    with client.get("/audit/people/file.csv?area=19") as answer:
        return answer.text.lstrip("\ufeff").splitlines()


def test_profiles_as_a_file_hold_the_same_figures(client: FlaskClient) -> None:
    lines = file_lines(client)
    assert lines[0].startswith("name,surveys,days,last_at,doubted,rate,low,high,peers")
    assert len(lines) > 1


def test_hostile_names_stay_text(client: FlaskClient, conn: Connection) -> None:
    conn.execute(update(survey).values(enumerator="<img src=x onerror=alert(1)>"))
    html = client.get("/audit/people?area=19").text
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror" in html


def test_changes_tell_cause_and_both_verdicts(client: FlaskClient) -> None:
    said = words(client.get("/audit/changes?area=19").text)
    assert "Kết luận cũ được giữ lại" in said
    assert "1 thay đổi, mới nhất trước" in said
    assert "không ghi" in said  # the history of these records is older than its reasons


def test_changes_are_filtered_by_their_cause(client: FlaskClient) -> None:
    said = words(client.get("/audit/changes?area=19&reason=boundary").text)
    assert "Không có thay đổi nào như vậy." in said


def test_an_area_without_changes_says_so(client: FlaskClient) -> None:
    said = words(client.get("/audit/changes?area=05002").text)
    assert "Chưa có kết luận nào thay đổi ở địa bàn này." in said


def test_verdicts_by_former_boundaries_are_counted(client: FlaskClient, conn: Connection) -> None:
    present = select(boundary.c.version).where(boundary.c.superseded_at.is_(None)).limit(1)
    for table in (survey, site):
        conn.execute(update(table).values(boundary_version=present.scalar_subquery()))
    assert "kết luận theo ranh giới cũ" not in words(client.get("/audit/changes?area=19").text)
    conn.execute(
        update(survey).where(survey.c.survey_id == OUTSIDE).values(boundary_version=999_999)
    )
    said = words(client.get("/audit/changes?area=19").text)
    assert "1 phiếu và nhà còn kết luận theo ranh giới cũ" in said


def test_a_finding_held_against_nobody_counts_in_no_profile(
    client: FlaskClient, conn: Connection
) -> None:
    together.run(conn, "19")
    conn.execute(update(finding).values(blameless=True))
    together.items.renew(conn, "19")
    lines = file_lines(client)
    assert {line.split(",")[4] for line in lines[1:]} == {"0"}
