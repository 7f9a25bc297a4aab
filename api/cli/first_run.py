"""What a fresh installation needs before it can serve: schema, areas, boundaries, demo data."""

import click
from sqlalchemy import Connection

from api.cli.bars import bar
from geo import areas, boundaries, demo, schema
from geo.accounts import sealing
from geo.accounts.first import ROLE, first_admin
from geo.accounts.roles import ROLES
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
        introduced = make_first_admin(conn, to_try=settings().demo)
    if introduced:
        click.echo(introduced, err=True)
    with transaction(scope=OPERATOR) as conn, bar("Boundaries") as advance:
        said = boundaries.ensure(conn, advance)
    if said:
        click.echo(said, err=True)
    if settings().demo:
        with transaction(scope=OPERATOR) as conn, bar("Demo data (synthetic)") as advance:
            made = demo.ensure(conn, advance)
        if made:
            click.echo(made, err=True)


def make_first_admin(conn: Connection, *, to_try: bool) -> str | None:
    """Make the first account where there is none; what tells its password, which nothing keeps.

    With `to_try` it has all roles, so that everything can be tried out with demo data.
    """
    first = first_admin(conn, ROLES if to_try else (ROLE,))
    if first is None:
        return None
    login, password = first
    lines = (
        "The first administrator (this is shown once, write it down):",
        f"    login     {login}",
        f"    password  {password}",
        "It is to be changed at the first sign-in. Lost: `ancu user reset-password admin`.",
        *(_TO_TRY if to_try else _TO_WORK),
    )
    return "\n".join(("", *lines, ""))


_TO_TRY = (
    "It has all six roles in the whole country, to try everything out with the demo data.",
    "With ANCU_DEMO=0 it would be an administrator only.",
)
_TO_WORK = (
    "It is an administrator of the whole country: it makes accounts and reads the access log, and",
    "sees no household and no figure. Make accounts with other roles for those who need these.",
)
