"""Who asks below /ogc gets what is theirs, and the access log tells of it."""

from collections.abc import Callable, Iterator

import pytest

from tests import ogc_world
from tests.ogc_world import Service
from tests.test_ogc_features import get


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


def test_who_reads_no_records_gets_areas_only(service: Service) -> None:
    client = service.client(service.planner)
    assert client.get("/ogc/collections/households/items").status_code == 403
    answer = client.get("/ogc/collections/areas/items")
    assert answer.get_json()["numberMatched"] == 6


def test_without_an_area_all_of_one_s_own_is_found(service: Service) -> None:
    with service.owner() as conn:
        both = ogc_world.token(conn, "records.read", "officer@00102", "officer@00201")
        single = ogc_world.token(conn, "records.read", "officer@00102")
    for token, communes in ((both, {"00102", "00201"}), (single, {"00102"})):
        client = service.client(token)
        body = client.get("/ogc/collections/households/items").get_json()
        assert {one["properties"]["commune_code"] for one in body["features"]} == communes
        refused = client.get("/ogc/collections/households/items?area=00101")
        assert refused.status_code == 403


def test_nobody_gets_nothing_but_the_description(service: Service) -> None:
    client = service.app.test_client()
    for path in ("", "/conformance", "/api", "/tileMatrixSets"):
        assert client.get(f"/ogc{path}").status_code == 200
    for path in ("/collections", "/collections/areas/items", "/collections/households/items"):
        answer = client.get(f"/ogc{path}", headers={"Accept": "text/html"})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_access_log_tells_what_was_read(service: Service) -> None:
    get(service, "/collections/households/items", status="poor", limit=5, area="01")
    get(service, f"/collections/surveys/items/01.00101.{service.ids['inside']}")
    last, before = service.rows(
        "SELECT subject, subject_id, province_code, commune_code, rows, query, outcome "
        "FROM access_log WHERE action = 'records.read' ORDER BY entry_id DESC LIMIT 2"
    )
    assert (last["subject"], last["subject_id"]) == ("survey", service.ids["inside"])
    assert (last["commune_code"], last["rows"]) == ("00101", 1)
    assert (before["subject"], before["province_code"], before["rows"]) == ("households", "01", 5)
    assert before["query"] == "status=poor&limit=5&area=01"
    missing = "/ogc/collections/households/items/01.00101.none"
    assert service.client().get(missing).status_code == 404
    (last,) = service.rows(
        "SELECT subject, subject_id, outcome FROM access_log ORDER BY entry_id DESC LIMIT 1"
    )
    assert tuple(last.values()) == ("household", "none", "denied")
