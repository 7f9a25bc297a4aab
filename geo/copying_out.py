"""COPY: a query's rows out of the database as CSV lines, as fast as it sends them."""

from collections.abc import Callable
from contextlib import closing
from typing import BinaryIO, cast

import psycopg2
import psycopg2.extensions
from sqlalchemy import Connection, Select, exc, text
from sqlalchemy.dialects import postgresql

from geo.writing.whole import room

_TELL_EVERY = 20_000
_TIME_ZONE = "Asia/Ho_Chi_Minh"


def copy(
    conn: Connection,
    query: Select,
    out: BinaryIO,
    line_end: bytes = b"\n",
    advance: Callable[[int], None] = lambda _done: None,
    *,
    nested: bool = True,
) -> int:
    """Write the query's rows to `out`, without a header; returns their number.

    NULL is nothing, an empty text is `""`; lines end with `line_end`. Times are rendered in Viet
    Nam's zone. Without `nested` loops the planner never compares every row of a join with every
    other one where it takes a table for small that is not. An error of `out` ends the query.
    Raises UnavailableError for a full disk.
    """
    conn.execute(text(f"SET LOCAL timezone = '{_TIME_ZONE}'"))
    if not nested:
        conn.execute(text("SET LOCAL enable_nestloop = off"))
    compiled = query.compile(
        dialect=postgresql.psycopg2.dialect(), compile_kwargs={"render_postcompile": True}
    )
    lines = _Lines(out, line_end, advance)
    connection = conn.connection
    with closing(connection.cursor()) as opened, room():
        cursor = cast(psycopg2.extensions.cursor, opened)
        # COPY takes no parameters: the driver puts them in, quoted, as it does everywhere.
        statement = cursor.mogrify(compiled.string, compiled.construct_params()).decode()
        try:
            cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT csv)", lines)
        except psycopg2.OperationalError as error:
            # As SQLAlchemy tells it of every other statement: whoever opened the transaction knows
            # what it means, on a replica another thing than on the primary.
            lost = bool(cast(psycopg2.extensions.connection, connection.dbapi_connection).closed)
            raise exc.OperationalError("COPY", None, error, connection_invalidated=lost) from error
        except BaseException:
            cast(psycopg2.extensions.connection, connection.dbapi_connection).cancel()
            raise
    if not nested:
        conn.execute(text("SET LOCAL enable_nestloop TO DEFAULT"))
    advance(lines.count)
    return lines.count


class _Lines:
    """What the driver writes to: it hands over one row at a time."""

    def __init__(self, out: BinaryIO, end: bytes, advance: Callable[[int], None]) -> None:
        self.count = 0
        self._put, self._advance = out.write, advance
        self._end = end if end != b"\n" else b""

    def write(self, line: bytes) -> None:
        """Pass one row on."""
        self._put(line[:-1] + self._end if self._end else line)
        self.count += 1
        if self.count % _TELL_EVERY == 0:
            self._advance(self.count)
