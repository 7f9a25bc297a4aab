"""Database addresses and refusals, told in the service's own words."""

from contextlib import suppress

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from geo import schema
from geo.db import engine, sql, transaction, translated_errors
from geo.errors import UnavailableError, UsageError
from geo.scope import OPERATOR
from tests.conftest import unpooled


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("garbage", "DATABASE_URL is not an address"),
        ("mysql://a/b", "names mysql; An Cư needs PostgreSQL"),
        ("sqlite:///x", "names sqlite; An Cư needs PostgreSQL"),
    ],
)
def test_an_address_that_cannot_be_used_names_the_setting(url, said):
    with pytest.raises(UsageError, match=said):
        engine(url)


def test_a_database_that_is_not_there_does_not_answer():
    with (
        pytest.raises(UnavailableError, match="does not answer"),
        transaction("postgresql://ancu@127.0.0.1:9/none", scope=OPERATOR),
    ):
        pytest.fail("there is no such database")


@pytest.mark.parametrize("after", ["SELECT 1", None])
def test_a_connection_that_is_lost_is_told_of_once_and_later(make_database, after):
    pool = unpooled(make_database())
    lost = pytest.raises(UnavailableError, match="does not answer")
    with lost, translated_errors(), pool.connect() as conn:
        with suppress(OperationalError):
            conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        if after:
            conn.execute(text(after))
        conn.commit()


def test_a_role_that_may_not_add_postgis_is_told_what_to_ask_for(make_database):
    url = make_database()
    admin = create_engine(url)
    with admin.begin() as connection:
        connection.execute(text("CREATE ROLE tenant"))
        with pytest.raises(UnavailableError, match="CREATE EXTENSION postgis"), translated_errors():
            connection.execute(text("SET LOCAL ROLE tenant"))
            schema.migrate(connection)
        connection.rollback()
    admin.dispose()


def test_a_role_without_that_right_can_use_extensions_that_are_there(make_database):
    admin = create_engine(make_database())
    with admin.begin() as connection:
        connection.execute(text("CREATE EXTENSION postgis"))
        connection.execute(text("CREATE EXTENSION pg_trgm"))
        connection.execute(sql("runtime_role"))
        connection.execute(text("CREATE ROLE owner_of_schema"))
        connection.execute(text("GRANT ALL ON SCHEMA public TO owner_of_schema"))
        connection.execute(text("SET LOCAL ROLE owner_of_schema"))
        schema.migrate(connection)
        assert schema.revision(connection) == schema.head()
        connection.rollback()
    admin.dispose()
