"""Every route × everybody × every area: what each may is done, the rest refused, nothing leaks."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.matrix_asking import Answer, Call, Row, World, comparable, stored
from tests.matrix_people import PEOPLE, PUBLIC, Person, relation
from tests.matrix_route import Route
from tests.matrix_routes import ROUTES
from tests.matrix_world import SPOTS, Spot
from tests.page_data import words
from web.app import create_app

REGISTERED = {
    (rule.endpoint, method)
    for rule in create_app().url_map.iter_rules()
    for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
}
CASES = [(*route, person) for route in sorted(REGISTERED & set(ROUTES)) for person in PEOPLE]


def test_every_route_is_in_the_matrix() -> None:
    assert set(ROUTES) == REGISTERED


@pytest.mark.parametrize(("endpoint", "method", "name"), CASES)
def test_what_one_may_is_done_and_the_rest_refused(
    matrix: World, endpoint: str, method: str, name: str
) -> None:
    person, route = PEOPLE[name], ROUTES[endpoint, method]
    wrong: list[str] = []
    for spot in asked(person, route):
        for call in chosen(person, route, spot, list(route.calls(matrix, spot))):
            wrong += check(matrix, person, route, spot, call)
    assert not wrong, "\n".join(wrong)


def asked(person: Person, route: Route) -> list[Spot]:
    """The areas of the cells: country, own, parent or below, sibling, foreign, held beside."""
    if route.needs == "figures.read" and person.elsewhere():
        return list(SPOTS.values())  # what is hidden depends on more than on the own area
    held = {place for _role, place in person.held}
    left_out = ({"B0", "B2"} if "A1" in held else {"A2", "B0", "B2"}) - held
    return [spot for spot in SPOTS.values() if spot.key not in left_out]


def chosen(person: Person, route: Route, spot: Spot, calls: list[Call]) -> list[Call]:
    """All calls where they are let in; where all stop at the same door, one for each action."""
    if not person.may(route.needs) and route.needs != PUBLIC:
        return calls[:1]
    if (
        route.about == "area"
        and spot.key not in person.reach(route.needs)
        and not person.elsewhere()
    ):
        return list({call.action: call for call in calls}.values())
    return calls


def check(world: World, person: Person, route: Route, spot: Spot, call: Call) -> Iterable[str]:
    """What is wrong with one cell of the matrix."""
    where = f"{call.method} {call.path} {call.query or call.form or ''} ({relation(person, spot)})"
    wanted = expected(person, route, spot, call)
    with world.case() as conn:
        answer = world.ask(person, call)
        if answer.status not in wanted:
            yield f"{where}: {answer.status}, not {wanted}: {short(answer)}"
        for mark in world.leaks(person, answer, call):
            at = answer.text.lower().find(mark)
            yield f"{where}: shows {mark}: {answer.text[max(0, at - 100) : at + 60]!r}"
        if answer.status == 303 and person.via == "nobody":
            assert "/sign-in" in answer.headers["Location"]
        if call.method != "GET":
            for row in changed(world, stored(conn)):
                if not own(world, person, call.action or route.needs, row):
                    yield f"{where}: changes {row}"
    if call.twin and answer.status == 404:
        with world.case():
            absent = world.ask(person, call.twin)
        if told(answer, call) != told(absent, call.twin):
            yield f"{where}: tells that it exists: {short(answer)} / {short(absent)}"


def expected(person: Person, route: Route, spot: Spot, call: Call) -> tuple[int, ...]:
    """The statuses that the table of roles asks for."""
    action = call.action or route.needs
    if route.needs == PUBLIC:
        return route.done
    if person.via == "nobody":
        by_program = call.path.startswith(("/api/", "/tiles/", "/ogc")) or call.path.endswith(
            ".json"
        )
        return (401,) if by_program else (303,)
    if not person.may(route.needs) or (route.people and person.via == "token"):
        return (403,)
    if not person.may(action):
        return (403, *route.refused)
    if route.about == "nothing" or spot.key in person.reach(action):
        return route.done
    if route.about == "area":
        return route.done if action == "figures.read" and person.elsewhere() else (403,)
    return (404,) if route.about == "record" else route.refused


def short(answer: Answer) -> str:
    """The words of an answer, for a message."""
    return words(answer.text.partition("<main")[2] or answer.text)[:200]


def told(answer: Answer, call: Call) -> tuple[int, dict[str, str], str]:
    headers = {
        name: value for name, value in answer.headers.items() if not name.startswith("X-RateLimit")
    }
    return answer.status, headers, comparable(answer, call)


def changed(world: World, now: dict[Row, int]) -> set[Row]:
    """The rows that are not as they were, or not there any more, or new."""
    return set(now.items()) ^ set(world.stored.items()) and {
        row for row in {*now, *world.stored} if now.get(row) != world.stored.get(row)
    }


def own(world: World, person: Person, action: str, row: Row) -> bool:
    """Whether a row lies in the person's areas for an action, or is of their own account."""
    if person.via != "nobody" and str(row.account_id) == world.entries[person.name]["account_id"]:
        return True
    if action == PUBLIC:
        return row.table == "account"  # who signs in wrongly is counted there
    by_account = {number: key for key, number in world.ids.accounts.items()}
    if row.account_id in by_account:
        return by_account[row.account_id] in person.reach(action)
    for spot in SPOTS.values():
        place = (spot.province_code, spot.commune_code)
        if place == (row.province_code, row.commune_code):
            return spot.key in person.reach(action)
    return False


@pytest.mark.parametrize(("endpoint", "method"), sorted(ROUTES))
@pytest.mark.parametrize("name", ["nobody", "officer@A1", "administrator@A1"])
def test_other_methods_open_nothing_more(
    matrix: World, endpoint: str, method: str, name: str
) -> None:
    person, route = PEOPLE[name], ROUTES[endpoint, method]
    call = next(iter(route.calls(matrix, SPOTS["B1"])), None)
    call = call or next(iter(route.calls(matrix, SPOTS["V0"])))
    allowed = matrix.app.url_map.bind("").allowed_methods(call.path.partition("?")[0])
    with matrix.case() as conn:
        for other in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
            answer = matrix.ask(person, replace(call, method=other))
            if other not in allowed:
                assert answer.status == 405
            if other == "HEAD" and "GET" in allowed:
                assert answer.status == matrix.ask(person, replace(call, method="GET")).status
            assert answer.body == b"" or answer.status >= 300
            assert matrix.leaks(person, answer, call) == []
        strangers = [row for row in changed(matrix, stored(conn)) if row.account_id is None]
        assert strangers == []
