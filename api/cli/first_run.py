"""What a fresh installation needs before it can serve: schema, areas, boundaries, demo data."""

import click

from api.cli.bars import bar
from geo import areas, boundaries, demo, schema
from geo.accounts import sealing
from geo.accounts.first import first_admin
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
    with transaction(scope=OPERATOR) as conn:
        sealing.check_keys(conn)
        first = first_admin(conn)
    if first:
        _introduce(*first)
    with transaction(scope=OPERATOR) as conn, bar("Boundaries") as advance:
        said = boundaries.ensure(conn, advance)
    if said:
        click.echo(said, err=True)
    if settings().demo:
        with transaction(scope=OPERATOR) as conn, bar("Demo data (synthetic)") as advance:
            made = demo.ensure(conn, advance)
        if made:
            click.echo(made, err=True)


def _introduce(login: str, password: str) -> None:
    """Tell the first administrator's password: now, and never again."""
    lines = (
        "The first administrator (this is shown once, write it down):",
        f"    login     {login}",
        f"    password  {password}",
        "It is to be changed at the first sign-in. Lost: `ancu user reset-password admin`.",
    )
    click.echo("\n".join(("", *lines, "")), err=True)
