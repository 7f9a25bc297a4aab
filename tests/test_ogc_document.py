"""What /ogc says of itself is true: its OpenAPI document, its links, its tile sets, its pages."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.ogc.document import document
from geo.layers import LAYERS, MAX_ZOOM
from geo.ogc.collections import COLLECTIONS
from tests import mvt_reading, ogc_world
from tests.ogc_world import Service
from web.app import create_app

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
with create_app().test_request_context():
    PATHS = sorted(document()["paths"])
KNOWN = {
    "featureId": ["00101", "01.00101.M00001", "VN", "01.00101.x"],
    "area": ["VN", "01", "00101"],
    "tileMatrix": [0, 7, 14],
    "filter": ["true", "demo = false", "S_INTERSECTS(geometry, BBOX(105,21,106,22))"],
    "datetime": ["2025-09-10", "../2026-01-01T00:00:00Z"],
    "bbox": ["105,21,106,22"],
}


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


def get(service: Service, url: str) -> Any:
    answer = service.client().get(url)
    assert answer.status_code == 200, (url, answer.text[:300])
    return answer.get_json()


@pytest.fixture(scope="module")
def schema(service: Service) -> BaseSchema:
    def closed(environ: dict, start_response: Callable) -> list[bytes]:
        """The application with each answer read and closed, as servers do and schemathesis not."""
        answer = service.app(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return schemathesis.openapi.from_wsgi("/ogc/api", closed)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", GenerationMode)
def test_answers_are_as_documented(
    service: Service, schema: BaseSchema, path: str, mode: GenerationMode
) -> None:
    operation = schema[path]["get"]
    names = [one.name for one in (*operation.path_parameters, *operation.query)]
    real = st.fixed_dictionaries(
        {}, optional={n: st.sampled_from(KNOWN[n]) for n in names if n in KNOWN}
    )

    @settings(
        max_examples=12,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), real)
    def answers(case: Any, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = value
            else:
                case.query = {**(case.query or {}), name: value}
        answer = case.call(headers={"Authorization": f"Bearer {service.token}"})
        case.validate_response(answer, checks=CHECKS)

    answers()


def test_every_collection_and_every_parameter_is_documented(service: Service) -> None:
    made = get(service, "/ogc/api")
    assert made["openapi"].startswith("3.0.")
    for one in COLLECTIONS.values():
        parameters = made["paths"][f"/collections/{one.name}/items"]["get"]["parameters"]
        names = {p.get("name") or p["$ref"].rsplit("/", 1)[1].replace("_", "-") for p in parameters}
        assert {"limit", "bbox", "datetime", "crs", "filter", "filter-lang"} < names
        assert {
            name for name, p in one.properties.items() if p.kind not in ("list", "day", "moment")
        } < names
        # GDAL would send conditions on days and moments, and lose zones and times on the way.
        assert not {n for n, p in one.properties.items() if p.kind in ("day", "moment")} & names


def test_every_link_leads_to_what_it_says(service: Service) -> None:
    client, waiting, seen = service.client(), ["/ogc"], set()
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = client.get(url, follow_redirects=True)
        assert answer.status_code == 200, (url, answer.text[:200])
        body = answer.get_json(silent=True)
        if not isinstance(body, dict):
            continue
        for one in links(body):
            href = one["href"].replace("http://localhost", "")
            if one.get("templated") or "cursor=" in href or "/items/" in href:
                continue
            found = client.get(href)
            assert found.content_type.split(";")[0] == one["type"].split(";")[0], href
            if one["type"] != "text/html":
                waiting.append(href)
    assert len(seen) > 25


def links(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        yield from (one for one in body.get("links", []) if isinstance(one, dict))
        for value in body.values():
            yield from links(value)
    elif isinstance(body, list):
        for value in body:
            yield from links(value)


@pytest.mark.parametrize("name", LAYERS)
def test_tiles_described_are_tiles_served(service: Service, name: str) -> None:
    tileset = get(service, f"/ogc/collections/{name}/tiles/WebMercatorQuad")
    (template,) = (one["href"] for one in tileset["links"] if one["rel"] == "item")
    numbers = {"tileMatrix": 9, "tileRow": 225, "tileCol": 405}
    plain = re.sub(r"\{(\w+)\}", lambda match: str(numbers[match[1]]), template)
    by_standard = f"/ogc/collections/{name}/tiles/WebMercatorQuad/9/225/405"
    client = service.client()
    first, second = (
        client.get(url.replace("http://localhost", "")) for url in (plain, by_standard)
    )
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content_type == second.content_type == "application/vnd.mapbox-vector-tile"
    assert first.data == second.data
    assert len(first.data) > 0
    tilejson = get(service, f"/ogc/collections/{name}/tiles/WebMercatorQuad/tilejson")
    (url,) = tilejson["tiles"]
    same = url.format(z=9, x=405, y=225).replace("http://localhost", "")
    assert client.get(same).data == first.data
    held = {one["id"] for one in tilejson["vector_layers"]}
    assert held == ({"areas", "area_labels"} if name == "areas" else {name})
    assert all(one.encode() in first.data for one in held)
    for layer in tilejson["vector_layers"] if name != "areas" else ():
        squares = client.get(url.format(z=5, x=25, y=14).replace("http://localhost", "")).data
        shown = [*mvt_reading.features(first.data), *mvt_reading.features(squares)]
        told = {(key, type(value)) for one in shown for key, value in one.items()}
        types = {"String": str, "Number": int}
        assert len(told) > 4
        assert told <= {(key, types[of]) for key, of in layer["fields"].items()}


def test_the_matrix_set_is_that_of_web_maps(service: Service) -> None:
    matrices = get(service, "/ogc/tileMatrixSets/WebMercatorQuad")["tileMatrices"]
    assert [one["id"] for one in matrices] == [str(n) for n in range(MAX_ZOOM + 1)]
    # The figures of the standard's own definition, OGC 17-083r4, annex D.1.
    assert matrices[0]["scaleDenominator"] == pytest.approx(559082264.028717, rel=1e-12)
    assert matrices[0]["cellSize"] == pytest.approx(156543.033928041, rel=1e-12)
    assert matrices[14]["scaleDenominator"] == pytest.approx(34123.6733415964, rel=1e-12)
    assert (matrices[3]["matrixWidth"], matrices[3]["matrixHeight"]) == (8, 8)


@pytest.mark.parametrize("path", PATHS)
def test_every_resource_is_a_page_too(service: Service, path: str) -> None:
    if "{tileMatrix}" in path:
        return
    feature = "00101" if "/areas/" in path else f"01.00101.{service.ids['an']}"
    if "/surveys/" in path:
        feature = f"01.00101.{service.ids['inside']}"
    if "/sites/" in path:
        feature = f"01.00101.{service.ids['site']}"
    if "/findings/" in path:
        feature = f"01.00101.site.site_far.{service.ids['site']}"
    url = "/ogc" + path.replace("{featureId}", feature)
    client = service.client()
    for language, lang in (("vi", "Tiếng Việt"), ("en", "English")):
        answer = client.get(url, headers={"Accept": "text/html"}, query_string={"lang": language})
        assert answer.status_code == 200
        assert answer.content_type == "text/html; charset=utf-8"
        assert f'<html lang="{language}">' in answer.text
        assert "<script" not in answer.text
        assert lang not in answer.text
        assert "Accept" in answer.headers["Vary"]


def test_queryables_are_the_properties_that_filters_know(service: Service) -> None:
    found = get(service, "/ogc/collections/surveys/queryables")["properties"]
    assert found["verdict"]["enum"] == ["inside", "uncertain", "outside", "unlocated"]
    assert found["surveyed_at"]["format"] == "date-time"
    assert found["geometry"]["format"] == "geometry-point"
    for name in set(found) - {"geometry"}:
        query = {"filter": f'"{name}" IS NOT NULL', "limit": 1}
        answer = service.client().get("/ogc/collections/surveys/items", query_string=query)
        assert answer.status_code == 200
