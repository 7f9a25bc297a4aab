"""Each net by itself: the queries' conditions without row-level security, and it without them.

The reading half of the matrix, for somebody who reads records, accounts and the log of a commune.
"""

import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import true

from geo import scope
from geo.accounts import roles
from tests.matrix_asking import Call, World
from tests.matrix_people import PEOPLE
from tests.matrix_route import Route
from tests.matrix_routes import ROUTES
from tests.matrix_world import SPOTS
from tests.test_matrix import check, chosen

READER = PEOPLE["officer+administrator@A1"]
READING = sorted(endpoint for endpoint, method in ROUTES if method == "GET")
AT = [SPOTS[key] for key in ("V0", "A1", "A2", "B1")]


@pytest.fixture
def unheld(matrix: World) -> Iterator[World]:
    """The service as a superuser, whom no policy holds."""
    matrix.runtime = False
    yield matrix
    matrix.runtime = True


@pytest.fixture
def unguarded(matrix: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The service without any condition of its own, and with every area taken for one's own."""
    original = scope.within
    for name, module in list(sys.modules.items()):
        if name.startswith("geo.") and getattr(module, "within", None) is original:
            monkeypatch.setattr(module, "within", lambda _conn, _table: true())
    monkeypatch.setattr(roles, "can", lambda _user, _action, _area: True)
    return matrix


def calls(world: World, route: Route) -> Iterator[tuple[object, Call]]:
    for spot in AT:
        for call in chosen(READER, route, spot, list(route.calls(world, spot))):
            yield spot, call


@pytest.mark.parametrize("endpoint", READING)
def test_the_queries_alone_hold(unheld: World, endpoint: str) -> None:
    route = ROUTES[endpoint, "GET"]
    wrong = [
        one
        for spot, call in calls(unheld, route)
        for one in check(unheld, READER, route, spot, call)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("endpoint", READING)
def test_row_level_security_alone_holds(unguarded: World, endpoint: str) -> None:
    wrong = []
    for _spot, call in calls(unguarded, ROUTES[endpoint, "GET"]):
        with unguarded.case():
            answer = unguarded.ask(READER, call)
        wrong += [f"{call.path} shows {mark}" for mark in unguarded.leaks(READER, answer, call)]
        if answer.status >= 500:
            wrong.append(f"{call.path}: {answer.status}")
    assert not wrong, "\n".join(wrong)


def test_without_both_nets_the_matrix_would_see_it(unguarded: World) -> None:
    unguarded.runtime = False
    try:
        call = Call("/api/v1/households", query={"area": "00201"})
        with unguarded.case():
            answer = unguarded.ask(READER, call)
    finally:
        unguarded.runtime = True
    assert unguarded.leaks(READER, answer, call) == [SPOTS["B1"].mark("R")]
