"""What every command does first: the database up and migrated, then one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from geo import cluster, schema
from geo.db import transaction


@contextmanager
def database() -> Iterator[Connection]:
    """A transaction on the migrated database; a private cluster runs for as long as needed."""
    with cluster.available():
        with transaction() as connection:
            schema.migrate(connection)
        with transaction() as connection:
            yield connection
