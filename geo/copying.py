"""COPY: columns of Python values into a table, and updates of many rows at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import psycopg2
import psycopg2.extensions
import pyarrow as pa
from psycopg2.errors import InsufficientPrivilege
from pyarrow.csv import WriteOptions, write_csv
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql

from geo import cells
from geo.errors import (
    AncuError,
    ConflictError,
    ForbiddenError,
    RejectedError,
    UnavailableError,
)
from geo.geometry import Floats

_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_DEFAULTS = {"attributes": "{}", "candidates": "{}", "causes": "{}", "demo": False}
_DEFAULTS |= {"crs": "EPSG:4326", "commune_code": "", "verdict": "unlocated"}
# Every chunk waits for Python's lock, which the reading thread holds most of the time.
_CHUNK = 4 << 20
_POINT_WITH_SRID = 0x20000001
_FEW = 20
"""So many rows come sooner by INSERT than by a staging table and COPY: what one device sends."""


Load = Callable[[Connection], None]
"""Sends rows that are made up already."""


def copy(conn: Connection, table: Table, columns: Mapping[str, Sequence[object]]) -> None:
    """Add rows to `table`; `columns` maps a column to its n values, None for NULL.

    Raises ConflictError where a row with the same key exists, RejectedError for a value that
    PostgreSQL refuses, ForbiddenError for a row outside the transaction's scope.
    """
    prepared(table, columns)(conn)


def prepared(table: Table, columns: Mapping[str, Sequence[object]]) -> Load:
    """The same in two steps: the rows are made up now and sent when the result is called."""
    given = {
        name: values for name, values in columns.items() if _says_something(table, name, values)
    }
    return _copy(table, table.name, given, held=True)


def _says_something(table: Table, name: str, values: Sequence[object]) -> bool:
    """Whether a column must be sent: not when all of it is what PostgreSQL puts there anyway."""
    usual = _DEFAULTS.get(name) if table.c[name].server_default is not None else None
    if usual is None and not table.c[name].nullable:
        return True
    return len(values) > 0 and (values[0] != usual or values.count(usual) < len(values))


def update(
    conn: Connection, table: Table, keys: Sequence[str], columns: Mapping[str, Sequence[object]]
) -> None:
    """Set the given columns of the rows that `keys` (some of the columns) identify."""
    staging = f"changed_{table.name}"
    quote = conn.dialect.identifier_preparer.quote
    names = ", ".join(map(quote, columns))
    conn.exec_driver_sql(
        f"CREATE TEMP TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {table.name} LIMIT 0"  # noqa: S608
    )
    _copy(table, staging, columns)(conn)
    assigned = ", ".join(f"{quote(c)} = {staging}.{quote(c)}" for c in columns if c not in keys)
    same = " AND ".join(f"{table.name}.{quote(key)} = {staging}.{quote(key)}" for key in keys)
    conn.exec_driver_sql(f"UPDATE {table.name} SET {assigned} FROM {staging} WHERE {same}")  # noqa: S608
    conn.exec_driver_sql(f"DROP TABLE {staging}")


def points(lon: Floats, lat: Floats) -> list[str | None]:
    """n points (EPSG:4326 degrees) as hexadecimal EWKB; None where a coordinate is NaN."""
    packed = np.empty(len(lon), dtype=_POINT)
    packed["order"], packed["type"], packed["srid"] = 1, _POINT_WITH_SRID, 4326
    packed["x"], packed["y"] = lon, lat
    text, width = packed.tobytes().hex(), 2 * _POINT.itemsize
    missing = (np.isnan(lon) | np.isnan(lat)).tolist()
    return [None if none else text[i * width : (i + 1) * width] for i, none in enumerate(missing)]


def place(lon: Floats, lat: Floats) -> dict[str, Sequence[object]]:
    """The columns that say where n records are: the points and their cells."""
    return {"geom": points(lon, lat), "cell": cells.stored(lon, lat)}


@lru_cache(maxsize=20_000)
def array(codes: tuple[str, ...]) -> str:
    """A PostgreSQL array of text."""
    if len(codes) == 1 and codes[0].isdigit():
        return f"{{{codes[0]}}}"  # nearly every one: needs no quotes, neither here nor in CSV
    quoted = (code.replace("\\", "\\\\").replace('"', '\\"') for code in codes)
    return "{" + ",".join(f'"{code}"' for code in quoted) + "}"


def floats(values: Floats) -> list[float | None]:
    """Numbers as Python floats, NaN as None."""
    return [None if value != value else value for value in np.asarray(values, float).tolist()]


def _copy(
    table: Table, target: str, columns: Mapping[str, Sequence[object]], held: bool = False
) -> Load:
    """held: row-level security may hold the target, and then PostgreSQL refuses COPY into it."""
    quote = postgresql.dialect().identifier_preparer.quote
    names = ", ".join(map(quote, columns))
    number = len(next(iter(columns.values()), ()))
    if held and number <= _FEW:
        return _few(target, names, columns)
    # Arrow writes texts in quotes and NULL as nothing, in a third of the time of Python's writer.
    rows = pa.BufferOutputStream()
    made_up = pa.table({name: pa.array(values) for name, values in columns.items()})
    write_csv(made_up, rows, WriteOptions(include_header=False))
    text = pa.BufferReader(rows.getvalue())

    def into(cursor: psycopg2.extensions.cursor, name: str) -> None:
        statement = f"COPY {name} ({names}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
        cursor.copy_expert(statement, text, _CHUNK)

    def send(conn: Connection) -> None:
        with _cursor(conn) as cursor:
            # Asked each time: a connection serves one role after another.
            if held and _security_holds(cursor, target):
                with _staging(cursor, target, names) as staging:
                    into(cursor, staging)
                    cursor.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {staging}")  # noqa: S608
            else:
                into(cursor, target)

    return send


def _few(target: str, names: str, columns: Mapping[str, Sequence[object]]) -> Load:
    """The same rows in one statement, which row-level security allows to everybody."""
    plain = (map(_plain, values) for values in columns.values())
    rows = list(zip(*plain, strict=True))
    row = f"({', '.join(['%s'] * len(columns))})"
    statement = f"INSERT INTO {target} ({names}) VALUES {', '.join([row] * len(rows))}"  # noqa: S608

    def send(conn: Connection) -> None:
        if rows:
            with _cursor(conn) as cursor:
                cursor.execute(statement, [value for values in rows for value in values])

    return send


def _plain(value: object) -> object:
    """A value as the driver takes it, without NumPy's types."""
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def _cursor(conn: Connection) -> Iterator[Any]:
    """The driver's cursor, with its errors in the service's words."""
    try:
        yield conn.connection.cursor()
    except psycopg2.Error as error:
        raise _translated(error) from error


def _security_holds(cursor: psycopg2.extensions.cursor, table: str) -> bool:
    cursor.execute("SELECT row_security_active(%s)", (table,))
    (held,) = cursor.fetchone() or (False,)
    return bool(held)


@contextmanager
def _staging(cursor: psycopg2.extensions.cursor, table: str, names: str) -> Iterator[str]:
    """A table of this connection with the same columns, for the length of the block."""
    staging = f"added_{table}"
    cursor.execute(
        f"CREATE TEMP TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0"  # noqa: S608
    )
    yield staging
    cursor.execute(f"DROP TABLE {staging}")


def _translated(error: psycopg2.Error) -> AncuError:
    if isinstance(error, psycopg2.IntegrityError):
        return ConflictError(
            "Another import stored some of the same records at the same time "
            f"({error.diag.constraint_name}). Repeat this one: what is stored stays as it is."
        )
    if isinstance(error, InsufficientPrivilege):
        return ForbiddenError("A row lies outside your areas; nothing was stored.")
    if isinstance(error, psycopg2.DataError):
        return RejectedError(f"The database refused a value: {error.diag.message_primary}")
    return UnavailableError("The database does not answer. `ancu db status` tells more.")
