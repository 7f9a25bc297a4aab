"""The API against its own document: whatever is sent, the answer is one that is documented."""

from collections.abc import Callable, Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from geo.accounts import roles, store, tokens
from tests import people
from tests.matrix_asking import World
from tests.matrix_world import SPOTS
from web.app import create_app

DOCUMENT = "/openapi/openapi.json"
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES = 30
METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = [
    (path, method, mode)
    for path, operations in create_app().test_client().get(DOCUMENT).get_json()["paths"].items()
    for method in operations
    if method in METHODS
    for mode in GenerationMode
    # Of what takes nothing there is nothing wrong to send.
    if mode == GenerationMode.POSITIVE or {"parameters", "requestBody"} & set(operations[method])
]
KNOWN = {
    "code": [spot.code for spot in SPOTS.values()],
    "area": [spot.code for spot in SPOTS.values()],
    "commune": ["00101", "00201"],
    "province_code": ["01", "02", "00"],
    "survey_id": [spot.survey for spot in SPOTS.values()],
    "layer": ["surveys", "households", "sites"],
}
"""Values that exist, so that not every request ends at a name that nothing has."""


@pytest.fixture(scope="module")
def schema(matrix: World) -> BaseSchema:
    def closed(environ: dict, start_response: Callable) -> list[bytes]:
        """The application with each answer read and closed, as servers do and schemathesis not."""
        answer = matrix.app(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return schemathesis.openapi.from_wsgi(DOCUMENT, closed)


@pytest.fixture(scope="module")
def secret(matrix: World) -> Iterator[str]:
    """A token of somebody with all roles in the whole country, for all that a token may do."""
    with matrix.conn.begin():
        account_id = people.add(matrix.conn, *people.EVERYTHING, login="everywhere")
        user = store.user_of(matrix.conn, account_id)
        actions = set(roles.ACTIONS) - tokens.NEVER
        _id, made = tokens.make(matrix.conn, user, "Máy", actions, 7)
    yield made


def known(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Some of the parameters, with values that exist."""
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(KNOWN[name]) for name in names if name in KNOWN}
    )


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_answers_are_as_documented(
    matrix: World, schema: BaseSchema, secret: str, path: str, method: str, mode: GenerationMode
) -> None:
    operation = schema[path][method]
    in_path = known([one.name for one in operation.path_parameters])
    in_query = known([one.name for one in operation.query])

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), in_path, in_query, st.booleans())
    def answers(case, path_values, query_values, real):
        if real:
            case.path_parameters = {**(case.path_parameters or {}), **path_values}
            case.query = {**(case.query or {}), **query_values}
        with matrix.case():
            answer = case.call(headers={"Authorization": f"Bearer {secret}"})
            case.validate_response(answer, checks=list(CHECKS))

    answers()


def test_every_operation_is_asked() -> None:
    asked = {path for path, _method, _mode in OPERATIONS}
    rules = {
        str(rule).replace("<path:", "<").replace("<int:", "<").replace("<", "{").replace(">", "}")
        for rule in create_app().url_map.iter_rules()
        if str(rule).startswith(("/api/", "/tiles/", "/healthz"))
    }
    assert asked == rules
