"""The engine, one transaction per piece of work, and database errors in the service's own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, TextClause, create_engine, exc, make_url, text

from geo import cluster
from geo.config import settings
from geo.errors import ConflictError, RejectedError, UnavailableError, UsageError
from geo.scope import Scope, bind

RUNTIME_ROLE = "ancu_runtime"
_LAST = "ancu.last"
"""Where a connection keeps what is to be sent together with its transaction's commit."""
_END = "; COMMIT AND CHAIN"
"""The driver believes that its transaction still runs: this gives it an empty one to end."""
_names: WeakKeyDictionary[Engine, str] = WeakKeyDictionary()


@lru_cache(maxsize=4)
def engine(url: str | None = None) -> Engine:
    """The engine for `url`, else for DATABASE_URL, else for the private cluster."""
    return make_engine(url or settings().database_url or cluster.private_url())


def make_engine(address: str, setting: str = "DATABASE_URL", **options: Any) -> Engine:
    """An engine with a pool of its own; raises UsageError that names the setting of the address."""
    try:
        target = make_url(address)
    except exc.ArgumentError:
        raise UsageError(f"{setting} is not an address: postgresql://user@host/name") from None
    if not target.drivername.startswith("postgres"):
        raise UsageError(f"{setting} names {target.drivername}; An Cư needs PostgreSQL.")
    return create_engine(
        target.set(drivername="postgresql+psycopg2"),
        pool_size=settings().pool_size,
        max_overflow=settings().pool_size,
        hide_parameters=True,  # an error in the log names no person
        **options,
    )


def name(conn: Connection) -> str:
    """The address of the connection's database without its password, for keys of what is kept."""
    told = _names.get(conn.engine)
    if told is None:
        told = _names[conn.engine] = str(conn.engine.url)
    return told


@contextmanager
def transaction(url: str | None = None, *, scope: Scope) -> Iterator[Connection]:
    """One transaction: committed at the end of the block, rolled back whole on any error.

    As the database's owner: for the operator's commands. READ COMMITTED, because the counters
    lock their rows and then count again (see metrics). Raises the errors of `geo.errors` instead
    of the driver's.
    """
    with translated_errors(), _begun(engine(url), scope) as connection:
        yield connection


@contextmanager
def served(scope: Scope, url: str | None = None) -> Iterator[Connection]:
    """The same as the role that owns nothing and that row-level security holds: for requests.

    With DATABASE_RUNTIME_URL, or on the private cluster, the connection itself is that role's;
    on another database it is the owner's, who takes the role for each transaction.
    """
    with (
        translated_errors(),
        _begun(engine(url or _runtime_url()), scope, RUNTIME_ROLE) as connection,
    ):
        yield connection


@contextmanager
def _begun(pool: Engine, scope: Scope, role: str = "") -> Iterator[Connection]:
    """A transaction with its scope, on a connection that answers.

    One that died while it rested shows it at the first statement and is replaced, all others of
    the pool with it: nothing has to be sent ahead of each transaction only to ask.
    """
    with pool.connect() as connection:
        try:
            bind(connection, scope, role)
        except exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            connection.rollback()
            bind(connection, scope, role)
        waiting: list[tuple[str, dict[str, Any]]] = []
        connection.info[_LAST] = waiting
        try:
            yield connection
        finally:
            del connection.info[_LAST]
        for number, (statement, values) in enumerate(waiting, start=1):
            ending = _END if number == len(waiting) else ""
            connection.exec_driver_sql(statement + ending, values)
        connection.commit()


def at_the_end(connection: Connection, statement: str, values: dict[str, Any]) -> None:
    """Send a statement as the transaction's last, and in one message with it the commit.

    So a lock that it takes is held no longer than the database needs, however long this process
    waits for a processor in between. In a transaction that `transaction` or `served` did not open,
    and whose end therefore is not theirs, it is sent at once.
    """
    waiting = connection.info.get(_LAST)
    if waiting is None:
        connection.exec_driver_sql(statement, values)
    else:
        waiting.append((statement, values))


def become_runtime(connection: Connection) -> None:
    """Give up the owner's rights until the end of the transaction."""
    connection.execute(text(f"SET LOCAL ROLE {RUNTIME_ROLE}"))


@lru_cache(maxsize=1)
def _runtime_url() -> str | None:
    # Once a process: to tell where root's private cluster lies takes another process.
    chosen = settings()
    if chosen.database_runtime_url or chosen.database_url:
        return chosen.database_runtime_url or chosen.database_url
    return cluster.private().url(user=RUNTIME_ROLE)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's errors into the service's, without internals in the message."""
    try:
        yield
    except exc.IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "constraint"
        raise ConflictError(f"The database refused the change: it breaks {name}.") from error
    except exc.DataError as error:
        raise RejectedError(f"The database refused a value: {_first_line(error.orig)}") from error
    except exc.ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise  # a statement of ours is wrong, which nobody but us can mend
        raise UnavailableError(
            f"The database does not allow it: {_first_line(error.orig)}. Ask its administrator, "
            "for PostGIS: CREATE EXTENSION postgis; CREATE EXTENSION pg_trgm; for the web server's "
            "role: CREATE ROLE ancu_runtime LOGIN; GRANT ancu_runtime TO the database's owner"
        ) from error
    except (exc.OperationalError, exc.InterfaceError, exc.PendingRollbackError) as error:
        # The last is a statement after one at which the connection was lost.
        raise UnavailableError(
            "The database does not answer. `ancu db status` tells more."
        ) from error


def _first_line(error: BaseException | None) -> str:
    return str(error).splitlines()[0] if error else "unknown reason"


@lru_cache
def sql(name: str) -> TextClause:
    """The statement of `geo/sql/<name>.sql`, to be executed with bound parameters."""
    return text((Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8"))
