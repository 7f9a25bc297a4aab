"""What every command does first: the database up and migrated, then one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from geo import cluster, schema
from geo.db import transaction
from geo.scope import OPERATOR


@contextmanager
def database() -> Iterator[Connection]:
    """A transaction on the migrated database; a private cluster runs for as long as needed."""
    with cluster.available():
        with transaction(scope=OPERATOR) as connection:
            schema.migrate(connection)
        with transaction(scope=OPERATOR) as connection:
            yield connection
