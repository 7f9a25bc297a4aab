"""Brings a database to the schema of `geo.tables` by the Alembic migrations."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from geo.all_tables import metadata
from geo.db import sql
from geo.errors import UnavailableError

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Apply what is missing, in the caller's transaction; nothing when all is there.

    Raises UnavailableError where the server has no PostGIS.
    """
    available = connection.execute(
        text("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'")
    ).scalar()
    if not available:
        raise UnavailableError("This PostgreSQL server has no PostGIS extension; install it there.")
    # Two starts at the same time must not migrate twice.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ancu.migrate'))"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    connection.execute(sql("runtime_role"))
    command.upgrade(_config(connection), "head")


def revision(connection: Connection) -> str | None:
    """The revision that the database stands at; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The revision that this version of the code needs."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def differences(connection: Connection) -> list[object]:
    """What `geo.tables` has and the migrated database has not, or the other way round."""
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "include_object": lambda _item, name, kind, *_: (
                (kind, name) != ("table", "spatial_ref_sys")
            ),
        },
    )
    return compare_metadata(context, metadata)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
