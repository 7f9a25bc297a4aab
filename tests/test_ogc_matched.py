"""How many features there are is told where it is exact and costs next to nothing; HEAD as GET."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from geo.ogc import items
from tests import ogc_world
from tests.ogc_world import MANY, Service

ALL = {"limit": 10_000}


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


def get(service: Service, path: str, **query: object) -> dict[str, Any]:
    answer = service.client().get(f"/ogc{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("households", {"area": "00101"}),
        ("households", {}),
        ("surveys", {}),
        ("findings", {}),
        ("areas", {}),
    ],
)
def test_every_page_tells_how_many_there_are(service: Service, name: str, query: dict) -> None:
    path = f"/collections/{name}/items"
    there = len(get(service, path, **ALL, **query)["features"])
    first = get(service, path, limit=1, **query)
    assert first["numberMatched"] == there > 1
    (following,) = (one["href"] for one in first["links"] if one["rel"] == "next")
    assert service.client().get(following).get_json()["numberMatched"] == there


def test_what_would_have_to_be_looked_for_is_not_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/collections/households/items"
    poor = {"status": "poor"}
    assert "numberMatched" not in get(service, path, limit=1, **poor)
    number = len(get(service, path, **ALL, **poor)["features"])
    assert get(service, path, **ALL, **poor)["numberMatched"] == number
    for most, told in ((MANY, False), (10_000, True)):
        monkeypatch.setattr(items, "COUNTED", most)
        assert ("numberMatched" in get(service, path, limit=1)) is told


@pytest.mark.parametrize(
    "path", ["", "/conformance", "/api", "/collections", "/collections/sites/items?limit=1"]
)
def test_head_is_answered_as_get_without_a_body(service: Service, path: str) -> None:
    asked, headed = (getattr(service.client(), method)(f"/ogc{path}") for method in ("get", "head"))
    assert (headed.status_code, headed.data) == (asked.status_code, b"")
    for name in ("Content-Type", "Content-Crs", "Vary"):
        assert headed.headers.get(name) == asked.headers.get(name)
