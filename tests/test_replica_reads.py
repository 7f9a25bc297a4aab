"""Each route that looks at a province only reads, as on a replica, and names the province."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event, text

from api import reading
from geo import distribution
from geo.scope import Scope
from tests.conftest import unpooled
from tests.matrix_asking import World
from tests.matrix_people import PEOPLE, Person
from tests.matrix_route import Route
from tests.matrix_routes import ROUTES
from tests.matrix_world import SPOTS

_NAMES = "|".join(one.name for one in distribution.distributed())
GROWS = re.compile(rf"\b(FROM|JOIN|UPDATE|INTO)\s+({_NAMES})\b")


class ReadOnly(World):
    """The matrix's world, in which what may lag cannot write, as on a replica."""

    older = 0

    def __init__(self, conn: Connection) -> None:
        super().__init__(conn)
        self.astray: list[str] = []
        event.listen(conn, "before_cursor_execute", self.see)

    def see(self, _conn: object, _cursor: object, statement: str, *_more: object) -> None:
        """Note a statement on a table that grows with households that names no province."""
        if GROWS.search(statement) and "province_code" not in statement.split("WHERE", 1)[-1]:
            self.astray.append(statement)

    @contextmanager
    def begin(self, scope: Scope) -> Iterator[Connection]:
        with super().begin(scope) as conn:
            if reading.may_lag(scope):
                self.older += 1
                conn.execute(text("SET TRANSACTION READ ONLY"))
            yield conn


@pytest.fixture(scope="module")
def world(make_database: Callable[..., str], template_url: str) -> Iterator[ReadOnly]:
    engine = unpooled(make_database(template_url))
    with engine.connect() as connection:
        yield ReadOnly(connection)


READS = sorted(
    (endpoint, method)
    for (endpoint, method), route in ROUTES.items()
    if method == "GET" and route.needs in reading.ACTIONS
)


def test_most_that_is_looked_at_may_come_from_a_replica() -> None:
    assert len(READS) > 25


@pytest.mark.parametrize(("endpoint", "method"), READS)
def test_a_route_that_reads_writes_nothing(world: ReadOnly, endpoint: str, method: str) -> None:
    route = ROUTES[endpoint, method]
    spot = SPOTS["A1"]
    person = allowed(route)
    before = world.older
    calls = list(route.calls(world, spot))
    for call in calls:
        with world.case():
            answer = world.ask(person, call)
        assert answer.status < 500, f"{call.path}: {answer.text[:300]}"
    assert world.older > before or not calls
    # Where the tables are distributed, such a statement asks every server.
    assert world.astray == []


def allowed(route: Route) -> Person:
    """Somebody with a session who may do what the route needs, in the whole country if possible."""
    able = [one for one in PEOPLE.values() if one.via == "session" and one.may(route.needs)]
    return max(able, key=lambda one: len(one.reach(route.needs)))
