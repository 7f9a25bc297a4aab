"""The page of exports: files with the chosen filters, nothing for who may not, and its progress."""

import json

import pytest
from sqlalchemy import select

from geo.account_tables import access_log
from geo.export_columns import RECORDS
from tests import people
from tests import records_world as world
from web.app import create_app
from web.exports import FORMATS, QUERIES, TITLES


@pytest.fixture
def ids(conn):
    return world.fill(conn)


@pytest.fixture
def client(conn, ids, begin):
    return people.client(create_app(begin), conn)


def test_every_kind_and_format_is_offered(client):
    html = client.get("/exports?area=01").text
    assert set(TITLES) == set(QUERIES) == set(RECORDS)
    for kind in RECORDS:
        assert f'action="/exports/{kind}/file"' in html
    for format in FORMATS:
        assert html.count(f'<option value="{format}">') == len(RECORDS)


def test_empty_fields_of_the_form_are_no_filters(client):
    asked = "area=01&verdict=&rule=&since=&until=&format=geojson&ticket="
    answer = client.get(f"/exports/surveys/file?{asked}")
    assert answer.headers["Content-Disposition"] == "attachment; filename=ancu-surveys-01.geojson"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert len(json.loads(answer.data)["features"]) == 5


def test_a_file_has_the_filters_of_the_form(client, ids):
    answer = client.get("/exports/surveys/file?area=01&verdict=uncertain&format=geojson")
    found = [one["properties"]["survey_id"] for one in json.loads(answer.data)["features"]]
    assert found == [ids["uncertain"]]


def test_the_log_has_what_was_taken_out(client, conn):
    client.get("/exports/surveys/file?area=01&verdict=uncertain&format=kml")
    entry = conn.execute(
        select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    ).mappings().one()  # fmt: skip
    assert (entry["action"], entry["subject"], entry["rows"], entry["outcome"]) == (
        "records.export", "surveys", 1, "allowed",
    )  # fmt: skip
    assert "format=kml" in entry["query"]
    assert "verdict=uncertain" in entry["query"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/exports/secrets/file", 404),
        ("/exports/surveys/file?verdict=lovely", 400),
        ("/exports/surveys/file?format=pdf", 400),
        ("/exports/surveys/file?format=json", 400),
        ("/exports/surveys/file?nonsense=1", 400),
        ("/exports/surveys/file?area=99999", 404),
    ],
)
def test_what_cannot_be_is_refused(client, address, status):
    assert client.get(address).status_code == status


def test_only_who_may_export_gets_a_file(conn, ids, begin):
    app = create_app(begin)
    officer = people.client(app, conn, "officer@00102")
    assert officer.get("/exports/households/file?area=01&format=csv").status_code == 403


def test_progress_is_told_to_its_own_account_only(client, conn, begin):
    client.get("/exports/households/file?area=01&format=csv&ticket=page-word-5")
    told = client.get("/exports/page-word-5.json").json
    assert told == {"state": "done", "done": 4, "total": 4}
    other = people.client(create_app(begin), conn)
    assert other.get("/exports/page-word-5.json").json["state"] == "none"


def test_the_form_begins_with_the_filters_of_the_address(client):
    html = client.get("/exports?area=01&rule=outside&enumerator=%22%3Ca%3E&since=2025-09-01").text
    assert html.count('<option value="outside" selected>') == 3  # of surveys, sites and findings
    assert html.count('name="enumerator" value="&#34;&lt;a&gt;"') == 2
    assert html.count('name="since" value="2025-09-01"') == len(RECORDS)


def test_a_file_has_the_rule_and_the_enumerator_of_the_form(client, ids):
    def found(more):
        answer = client.get(f"/exports/surveys/file?area=01&format=geojson&{more}")
        return [one["properties"]["survey_id"] for one in json.loads(answer.data)["features"]]

    assert found("rule=outside&enumerator=E1") == [ids["outside"]]
    assert found("rule=outside&enumerator=E2") == []


def test_where_there_is_nothing_the_page_says_so(client):
    html = client.get("/exports?area=00201").text  # one household and no more
    assert 'action="/exports/households/file"' in html
    for kind in ("surveys", "sites", "findings"):
        assert f'action="/exports/{kind}/file"' not in html
    assert html.count("chưa có dữ liệu loại này") == 3


def test_figures_as_maps_and_tables_are_offered(client):
    html = client.get("/exports?area=01").text
    for format in ("gpkg", "geojson"):
        assert f'href="/api/v1/progress/01?format={format}"' in html
    assert 'href="/api/v1/statistics?area=01&amp;format=parquet"' in html
