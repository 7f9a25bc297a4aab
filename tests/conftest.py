"""A real PostGIS for the whole run: one cluster, migrated once, each test rolled back."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from geo import areas, schema
from geo.accounts import keys
from geo.cluster import Cluster
from geo.db import become_runtime
from geo.scope import OPERATOR, Scope, bind
from geo.scope import of as scope_of
from tests import intake_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.map_browser import Seen, Site
    from tests.matrix_asking import World

# Before the settings are read: keys and files of the tests' own, and no limit on their haste.
os.environ["ANCU_HOME"] = tempfile.mkdtemp(prefix="ancu-test-home-")
os.environ["ANCU_KEYS"] = str(Path(tempfile.mkdtemp(prefix="ancu-test-keys-")) / "keys.json")
os.environ["ANCU_RATE_PER_MINUTE"] = "10000000"
keys.make(Path(os.environ["ANCU_KEYS"]))

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("ancu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ancu")

FAST = (("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of its own below the temporary directory, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="ancu-test-"))
    home.chmod(0o755)
    made = Cluster(home, FAST)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


def unpooled(url: str) -> Engine:
    """An engine that keeps no idle connection: a database in use cannot be copied."""
    return create_engine(url, poolclass=NullPool)


@pytest.fixture(scope="session")
def make_database(cluster: Cluster) -> Callable[..., str]:
    """make_database(template=None) -> url of a new database, a copy of the template's if named."""
    numbers = itertools.count()
    admin = create_engine(cluster.url("postgres"), isolation_level="AUTOCOMMIT")

    def make(template: str | None = None) -> str:
        name = f"test_{next(numbers)}"
        source = f' TEMPLATE "{template.split("?")[0].split("/")[-1]}"' if template else ""
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"{source}'))
        return cluster.url(name)

    return make


@pytest.fixture(scope="session")
def template_url(make_database: Callable[..., str]) -> str:
    """A migrated database without a row, for copies alone: one in use cannot be copied."""
    url = make_database()
    engine = unpooled(url)
    with engine.begin() as connection:
        schema.migrate(connection)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def empty_url(make_database: Callable[..., str], template_url: str) -> str:
    """A migrated database without a row to connect to; nobody commits to it."""
    return make_database(template_url)


@pytest.fixture(scope="session")
def empty_engine(empty_url: str) -> Iterator[Engine]:
    engine = unpooled(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(empty_engine: Engine) -> Iterator[Connection]:
    """A connection on the empty database; all that the test does is rolled back."""
    with empty_engine.connect() as connection:
        outer = connection.begin()
        bind(connection, OPERATOR)
        yield connection
        outer.rollback()


@pytest.fixture(scope="session")
def gazetteer_engine(make_database: Callable[..., str]) -> Iterator[Engine]:
    """A database of its own that holds the areas of both tiers and nothing else."""
    engine = unpooled(make_database())
    with engine.begin() as connection:
        schema.migrate(connection)
        areas.load_gazetteer(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def areas_conn(gazetteer_engine: Engine) -> Iterator[Connection]:
    """A connection on the database with the areas; all that the test does is rolled back."""
    with gazetteer_engine.connect() as connection:
        outer = connection.begin()
        bind(connection, OPERATOR)
        yield connection
        outer.rollback()


@pytest.fixture
def begin(conn: Connection) -> Callable:
    """What the application uses to open a transaction, here a savepoint of the test's own.

    Inside it the connection is the runtime role's, as in the server; afterwards the owner's again.
    """

    @contextmanager
    def nested(scope: Scope) -> Iterator[Connection]:
        before = scope_of(conn)
        try:
            with conn.begin_nested():
                become_runtime(conn)
                bind(conn, scope)
                yield conn
                conn.execute(text("RESET ROLE"))
        finally:
            bind(conn, before)

    return nested


@pytest.fixture(scope="module")
def matrix(make_database: Callable[..., str], template_url: str) -> Iterator["World"]:
    """The world of the matrix in a database of its own; see tests/matrix_world.py."""
    from tests.matrix_asking import World  # after the keys: it makes the application

    engine = unpooled(make_database(template_url))
    with engine.connect() as connection:
        yield World(connection)


@pytest.fixture(scope="module")
def map_site(make_database: Callable[..., str], template_url: str) -> Iterator["Site"]:
    """The small world of the page tests, served to a browser."""
    from tests.map_browser import small_world  # after the keys: it makes the application

    with small_world(make_database(template_url)) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium."""
    from tests.browsing import chromium  # only browser tests need Playwright

    with chromium() as opened:
        yield opened


@pytest.fixture
def seen(browser: "Browser", map_site: "Site") -> Iterator["Seen"]:
    """A window on the small world, signed in."""
    from tests.map_browser import looking

    with looking(browser, map_site) as page:
        yield page


@pytest.fixture(scope="session")
def country_file() -> Path:
    """The file of the whole country's communes, where the run was given one."""
    named = os.environ.get("ANCU_BOUNDARIES")
    if not named or not Path(named).exists():
        pytest.skip("ANCU_BOUNDARIES names no file of the whole country")
    return Path(named)


@pytest.fixture
def db(conn: Connection) -> Connection:
    """The small world of the intake tests: some communes, no household."""
    intake_world.build(conn)
    return conn


@pytest.fixture
def homed(db: Connection) -> Connection:
    """The same with one household."""
    intake_world.load(db, "households", intake_world.household())
    return db


@pytest.fixture(params=["both nets", "the queries' own"])
def acting(request: pytest.FixtureRequest, conn: Connection, begin: Callable) -> Callable:
    """acting(scope) opens a transaction of the test's own.

    Tests that take it run twice: as the role that row-level security holds, and as the owner, for
    whom the queries' own conditions must do.
    """

    @contextmanager
    def as_owner(scope: Scope) -> Iterator[Connection]:
        try:
            with conn.begin_nested():
                bind(conn, scope)
                yield conn
        finally:
            bind(conn, OPERATOR)

    return begin if request.param == "both nets" else as_owner
