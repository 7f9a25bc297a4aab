"""`ancu db`: start, stop, migrate and look at the database."""

import click

from geo import cluster, distribution, replica, schema
from geo.config import settings
from geo.db import transaction
from geo.errors import UnavailableError
from geo.scope import OPERATOR


@click.group(name="db")
def group() -> None:
    """The database: start, stop, migrate, status."""


@group.command()
def start() -> None:
    """Start the private cluster and leave it running."""
    if settings().database_url:
        click.echo("DATABASE_URL names the database; there is no private cluster to start.")
        return
    private = cluster.private()
    started = private.start()
    private.keep_marker.touch()
    click.echo(f"The database {'is started' if started else 'runs already'}: {private.url()}")


@group.command()
def stop() -> None:
    """Stop the private cluster."""
    cluster.stop_unused()
    click.echo("The private database is stopped.")


@group.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    with cluster.available(), transaction(scope=OPERATOR) as connection:
        before = schema.revision(connection)
        schema.migrate(connection)
        click.echo(f"The schema is at {schema.revision(connection)} (was {before or 'empty'}).")


@group.command()
@click.option("--dry-run", is_flag=True, help="Only print the statements.")
def distribute(dry_run: bool) -> None:
    """Distribute the tables by province over the servers of Citus."""
    if dry_run:
        for one in distribution.statements():
            click.echo(f"{one};")
        return
    with cluster.available(), transaction(scope=OPERATOR) as connection:
        schema.migrate(connection)
        for one in distribution.distribute(connection):
            click.echo(f"{one};")
    click.echo("Now set ANCU_DISTRIBUTED=1 for every server and command.", err=True)


@group.command()
def status() -> None:
    """Tell where the database is, whether it answers, and its schema."""
    if settings().database_url:
        click.echo("Database: the one that DATABASE_URL names")
    else:
        private = cluster.private()
        click.echo(f"Database: private cluster in {private.base}")
        if not private.running():
            click.echo("State:    stopped (`ancu db start` starts it)")
            return
    try:
        with transaction(scope=OPERATOR) as connection:
            revision = schema.revision(connection)
    except UnavailableError:
        click.echo("State:    does not answer")
        raise
    click.echo("State:    answers")
    note = "" if revision == schema.head() else f", this version needs {schema.head()}"
    click.echo(f"Schema:   {revision or 'empty'}{note}")
    if url := settings().database_replica_url:
        click.echo(f"Replica:  {_replica(url)}")


def _replica(url: str) -> str:
    """What the replica does, and how far behind it is at this moment."""
    asked = replica.Replica(url, settings().replica_max_lag_s)
    with transaction(scope=OPERATOR) as connection:
        asked.learn(connection)
    state = asked.look()
    asked.engine.dispose()
    if state in ("used", "behind"):
        return f"answers, {asked.behind:,} bytes of the log behind"
    return "does not answer; all is read from the primary" if state == "away" else state
