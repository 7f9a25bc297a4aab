"""The application as it is put together: the document that describes its API."""

from collections.abc import Callable, Iterator

import pytest

from web.app import create_app


def nulls(value: object, path: str = "") -> Iterator[str]:
    """The paths at which a JSON document says null."""
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from nulls(part, f"{path}/{key}")
    elif isinstance(value, list):
        for key, part in enumerate(value):
            yield from nulls(part, f"{path}/{key}")


def test_the_openapi_document_has_no_null_where_openapi_wants_an_object(begin: Callable) -> None:
    document = create_app(begin).test_client().get("/openapi/openapi.json").get_json()
    allowed = ("/default", "/example", "/const")
    assert [path for path in nulls(document) if not path.endswith(allowed)] == []


def test_the_openapi_document_says_that_all_but_the_health_check_needs_a_token(
    begin: Callable,
) -> None:
    document = create_app(begin).test_client().get("/openapi/openapi.json").get_json()
    scheme = document["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    said = {
        (path, method): operation.get("security")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert said.pop(("/healthz", "get")) is None
    assert len(said) > 15
    assert {key for key, needs in said.items() if needs != [{"bearer": []}]} == set()


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_the_names_of_this_machine_are_answered(begin: Callable, host: str) -> None:
    answer = create_app(begin).test_client().get("/healthz", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org:8000", "ancu.local"])
def test_a_name_that_somebody_else_points_here_is_refused(begin: Callable, host: str) -> None:
    client = create_app(begin).test_client()
    answer = client.get("/healthz", headers={"Host": host})
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json["detail"] == (
        f"“{host}” is not a name of this server; its administrator adds it to ANCU_TRUSTED_HOSTS."
    )
    page = client.get("/sign-in", headers={"Host": host})
    assert page.status_code == 400
    assert (
        f"“{host}” không phải là tên của máy chủ này; người quản trị thêm vào ANCU_TRUSTED_HOSTS."
        in page.text
    )


@pytest.mark.parametrize("host", ["<b>x</b>", "[::1", "a b", ""])
def test_a_host_that_is_no_name_is_refused_and_never_markup(begin: Callable, host: str) -> None:
    answer = create_app(begin).test_client().get("/sign-in", headers={"Host": host})
    assert answer.status_code == 400
    assert "<b>x" not in answer.text
