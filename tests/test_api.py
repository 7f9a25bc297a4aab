"""The API over the real database: answers, filters, and errors as problem+json."""

import csv
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask_openapi3 import OpenAPI

from api import access, admission, blueprints
from api.errors import STATUS
from geo import errors
from tests import people
from tests import records_world as world

PROBLEM = "application/problem+json"


@pytest.fixture
def ids(conn):
    return world.fill(conn)


@pytest.fixture
def app(begin):
    made = OpenAPI("tests")
    access.install(made, begin)
    admission.install(made)
    blueprints.register(made)
    return made


@pytest.fixture
def client(app, conn):
    return people.client(app, conn)


@pytest.fixture
def get(client, ids):
    return lambda url, **more: client.get(url.format(**ids), **more)


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("/api/v1/households", 5),
        ("/api/v1/households?area=01&status=poor", 1),
        ("/api/v1/households?bbox=106,20,107,21", 1),
        ("/api/v1/households?since=2100-01-01T00:00:00Z", 0),
        ("/api/v1/surveys", 5),
        ("/api/v1/surveys?order=worst", 3),
        ("/api/v1/surveys?verdict=inside&area=00101", 1),
        ("/api/v1/surveys?rule=mock_location", 1),
        ("/api/v1/surveys?since=2025-09-12", 1),
        ("/api/v1/sites?stage=roof", 1),
        ("/api/v1/sites?verdict=inside", 0),
        ("/api/v1/findings?area=01", 2),
        ("/api/v1/targeting", 3),
        ("/api/v1/areas?q=xa 00101", 1),
        ("/api/v1/areas?parent=01", 2),
        ("/api/v1/areas", 2),
    ],
)
def test_listing_gives_what_matches(get, url, count):
    answer = get(url)
    assert answer.status_code == 200
    assert len(answer.get_json()["items"]) == count


@pytest.mark.parametrize("noun", ["households", "surveys", "sites", "findings"])
def test_pages_follow_each_other_to_the_end(get, noun):
    whole = get(f"/api/v1/{noun}").get_json()["items"]
    seen, cursor = [], ""
    while cursor is not None:
        page = get(f"/api/v1/{noun}?limit=1" + (f"&cursor={cursor}" if cursor else "")).get_json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert seen == whole


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/households/01/{an}",
        "/api/v1/surveys/{outside}",
        "/api/v1/sites/01/{site}",
        "/api/v1/areas/00101",
    ],
)
def test_single_record(get, url):
    answer = get(url)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert "national_id" not in answer.get_json()


def test_progress_adds_up(get):
    found = get("/api/v1/progress/VN").get_json()
    assert found["area"]["households"] == 5
    assert sum(row["households"] for row in found["children"]) == 5
    assert found["area"]["last_activity"] == "2025-09-12T00:00:00+00:00"


def test_statistics_are_the_same_as_json_and_as_a_table(get):
    given = get("/api/v1/statistics?area=01").get_json()["items"]
    answer = get("/api/v1/statistics?area=01&format=csv")
    table = list(csv.DictReader(answer.text.removeprefix("\ufeff").splitlines()))
    answer.close()
    assert len(given) == len(table) > 50
    assert list(given[0]) == list(table[0])
    for one, row in zip(given, table, strict=True):
        assert one["suppressed"] is (row["suppressed"] == "1")
        for name in ("area_code", "area_name", "level", "indicator", "unit"):
            assert one[name] == row[name]
        for name in ("year", "value", "numerator", "denominator"):
            assert one[name] == (float(row[name]) if row[name] else None)


@pytest.mark.parametrize(
    ("url", "media", "start"),
    [
        ("/api/v1/findings?format=csv", "text/csv; charset=utf-8", b"\xef\xbb\xbfsurvey_id,"),
        ("/api/v1/progress/VN?format=csv", "text/csv; charset=utf-8", b"\xef\xbb\xbfcode,"),
        ("/api/v1/targeting?format=csv", "text/csv; charset=utf-8", b"\xef\xbb\xbfrank,code,"),
        (
            "/api/v1/progress/01?format=xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            b"PK",
        ),
        ("/api/v1/surveys?format=gpkg", "application/geopackage+sqlite3", b"SQLite format 3"),
    ],
)
def test_files_are_attachments(get, url, media, start):
    answer = get(url)
    assert (answer.status_code, answer.content_type) == (200, media)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=ancu-")
    assert answer.data.startswith(start)
    answer.close()


def test_file_holds_all_that_matches_whatever_the_limit(get):
    answer = get("/api/v1/surveys?format=csv&limit=1&verdict=outside")
    assert len(answer.data.splitlines()) == 3
    answer.close()


def test_geojson_page(get):
    answer = get("/api/v1/surveys?format=geojson&verdict=inside")
    assert answer.content_type == "application/geo+json"
    (feature,) = answer.get_json()["features"]
    assert feature["geometry"]["coordinates"] == [105.01, 21.01]


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/api/v1/surveys?bbox=1,2,3", 400, "minlon,minlat,maxlon,maxlat"),
        ("/api/v1/surveys?bbox=nan,0,1,1", 400, "degrees"),
        ("/api/v1/surveys?bbox=21,105,22", 400, "four numbers"),
        ("/api/v1/surveys?bbox=106,21,105,22", 400, "minlon < maxlon"),
        ("/api/v1/surveys?verdict=maybe", 400, "verdict"),
        ("/api/v1/surveys?limit=0", 400, "limit"),
        ("/api/v1/surveys?limit=1001", 400, "limit"),
        ("/api/v1/surveys?limit=many", 400, "limit"),
        ("/api/v1/surveys?since=yesterday", 400, "since"),
        ("/api/v1/surveys?cursor=zzz", 400, "cursor"),
        ("/api/v1/surveys?verdit=inside", 400, "verdit"),
        ("/api/v1/surveys?area=%00", 400, "NUL"),
        ("/api/v1/surveys?area=99999", 404, "99999"),
        ("/api/v1/surveys?format=pdf", 400, "format"),
        ("/api/v1/households?status=rich", 400, "status"),
        ("/api/v1/sites?stage=dream", 400, "stage"),
        ("/api/v1/households/01/nobody", 404, "nobody"),
        ("/api/v1/sites/01/a/b", 404, "a/b"),
        ("/api/v1/surveys/not-a-uuid", 404, "UUID"),
        ("/api/v1/progress/99999", 404, "99999"),
        ("/api/v1/progress/VN?format=shp", 400, "format"),
        ("/api/v1/targeting?order=wealth", 400, "order"),
        ("/api/v1/areas/VN/outline.geojson", 404, "No boundary"),
        ("/api/v1/nothing", 404, "not found"),
        ("/tiles/secrets/0/0/0.mvt", 404, "surveys, households, sites"),
        ("/tiles/surveys/3/8/0.mvt", 404, "3/8/0"),
        ("/tiles/surveys/99/0/0.mvt", 404, "99/0/0"),
        ("/tiles/surveys/-1/0/0.mvt", 404, "not found"),
        ("/tiles/households/3/0/0.mvt?verdict=inside", 400, "no filter"),
    ],
)
def test_wrong_request_is_told_what_is_wrong(get, url, status, said):
    answer = get(url)
    assert (answer.status_code, answer.content_type) == (status, PROBLEM)
    found = answer.get_json()
    assert found["status"] == status
    assert said in found["detail"]
    assert set(found) == {"type", "title", "status", "detail", "problems"}


def test_wrong_method_is_a_problem_that_names_the_right_ones(client, ids):
    answer = client.delete("/api/v1/surveys")
    assert (answer.status_code, answer.content_type) == (405, PROBLEM)
    assert "GET" in answer.headers["Allow"]


def test_tile_is_sent_again_only_when_it_changed(get):
    z, x, y = 6, 50, 28
    first = get(f"/tiles/surveys/{z}/{x}/{y}.mvt")
    assert first.status_code == 200
    assert first.data
    assert first.content_type == "application/vnd.mapbox-vector-tile"
    assert first.headers["Cache-Control"] == "private, no-cache"
    etag = first.headers["ETag"]
    assert etag.startswith("W/")
    again = get(f"/tiles/surveys/{z}/{x}/{y}.mvt", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    other = get(f"/tiles/surveys/{z}/{x}/{y}.mvt?verdict=inside")
    assert other.headers["ETag"] != etag


def test_empty_tile_is_an_empty_tile(get):
    answer = get("/tiles/surveys/6/0/0.mvt")
    assert (answer.status_code, answer.data) == (200, b"")


def broken(error):
    @contextmanager
    def begin(_scope):
        raise error
        yield

    made = OpenAPI("tests")
    access.install(made, begin)
    blueprints.register(made)
    return made.test_client()


@pytest.mark.parametrize(("kind", "status"), STATUS.items())
def test_each_kind_of_error_has_its_status(kind, status):
    answer = broken(kind("what to do")).get("/api/v1/areas")
    assert (answer.status_code, answer.content_type) == (status, PROBLEM)
    assert answer.get_json()["detail"] == "what to do"


def test_unexpected_error_tells_nothing_of_the_inside(caplog):
    answer = broken(ZeroDivisionError("secret")).get("/api/v1/areas")
    assert (answer.status_code, answer.content_type) == (500, PROBLEM)
    assert "secret" not in answer.text
    assert "secret" in caplog.text


def test_health(get):
    assert get("/healthz").get_json() == {"status": "ok"}
    answer = broken(errors.UnavailableError("host=10.0.0.1")).get("/healthz")
    assert answer.status_code == 503
    assert "10.0.0.1" not in answer.text


def test_openapi_document_describes_every_endpoint(app):
    document = json.loads(app.test_client().get("/openapi/openapi.json").data)
    paths = document["paths"]
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/tiles/", "/healthz")):
            path = rule.rule.replace("<int:", "{").replace("<path:", "{")
            path = path.replace("<", "{").replace(">", "}")
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                described = paths[path][method.lower()]
                assert described["summary"], path
                assert "200" in described["responses"] or "201" in described["responses"], path
    assert "households" in document["components"]["schemas"]["AreaFigures"]["properties"]


def test_every_endpoint_is_documented(app):
    docs = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/v1/", "/tiles/", "/healthz")):
            assert "/".join(rule.rule.split("/")[:4]).split("<")[0].rstrip("/") in docs, rule.rule
