"""What a fresh installation needs before it can serve: schema, areas, boundaries, demo data."""

import click

from api.cli.bars import bar
from geo import areas, boundaries, demo, schema
from geo.config import settings
from geo.db import transaction
from geo.scope import OPERATOR


def prepare() -> None:
    """Do what is still missing, each step in its own transaction so that a stop loses only one.

    A second call finds everything there and returns within a second.
    """
    with transaction(scope=OPERATOR) as conn:
        schema.migrate(conn)
    with transaction(scope=OPERATOR) as conn:
        areas.load_gazetteer(conn)
    with transaction(scope=OPERATOR) as conn, bar("Boundaries") as advance:
        said = boundaries.ensure(conn, advance)
    if said:
        click.echo(said, err=True)
    if settings().demo:
        with transaction(scope=OPERATOR) as conn, bar("Demo data (synthetic)") as advance:
            made = demo.ensure(conn, advance)
        if made:
            click.echo(made, err=True)
