"""Statements of geo/sql sent together: one way to the database and back for several of them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import psycopg2

from geo.db import sql

Statement = tuple[str, Mapping[str, object]]
"""The name of a file of geo/sql, and the values of its parameters."""

_TOGETHER = 10
"""At most so many go at once: a long import's values come by portions, a megabyte each."""


def send(conn: Connection, statements: Iterable[Statement]) -> None:
    """Execute statements one after the other; what they return is left.

    Each sees what others committed before it began, as if it had been sent alone.
    """
    waiting = iter(statements)
    while some := list(islice(waiting, _TOGETHER)):
        values = {
            f"{place}:{key}": value
            for place, (_name, given) in enumerate(some)
            for key, value in given.items()
        }
        conn.exec_driver_sql(_joined(tuple(name for name, _given in some)), values)


@lru_cache
def _joined(names: tuple[str, ...]) -> str:
    """The statements as the driver takes them, each with parameters of its own."""
    return ";\n".join(
        _for_driver(name).replace("%(", f"%({place}:") for place, name in enumerate(names)
    )


@lru_cache
def _for_driver(name: str) -> str:
    return str(sql(name).compile(dialect=psycopg2.dialect()))
