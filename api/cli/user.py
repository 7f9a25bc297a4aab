"""`ancu user`: accounts from the server's own command line, whoever may work there."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Connection

from api.cli.database import database
from geo import areas, trail
from geo.accounts import changes, overview, rights, store
from geo.accounts.changes import Told
from geo.accounts.store import Account
from geo.areas import COUNTRY, Area
from geo.errors import UsageError
from geo.trail import Entry

MOST = 1000


@click.group(name="user")
def group() -> None:
    """Accounts: make, list, change. Each change leaves an entry in the access log."""


@group.command()
@click.argument("login")
@click.option("--name", required=True, help="The person's full name.")
@click.option("--position", default="", help="The person's position.")
@click.option("--area", "code", required=True, help="Code of the area where the account belongs.")
@click.option("--role", "held", multiple=True, help="ROLE@AREA, such as officer@19; repeatable.")
def add(login: str, name: str, position: str, code: str, held: tuple[str, ...]) -> None:
    """Make an account; its random password goes to stdout, once."""
    with _changing("created", ", ".join(held)) as (conn, told):
        given = [_role_in(conn, one) for one in held]
        home = areas.get(conn, code)
        account_id, password = store.create(
            conn, None, login=login, full_name=name, position=position, home=home
        )
        for role, where in given:
            rights.grant(conn, None, account_id, role, where)
        told.append(store.get(conn, account_id))
    click.echo("The password, to be changed at the first sign-in:", err=True)
    click.echo(password)


@group.command(name="list")
@click.option("--area", "code", default=COUNTRY, help="Code of the area; the country by default.")
@click.option("--query", default="", help="Part of a login or name.")
@click.option("--unused", type=click.IntRange(1), help="Only those not used for so many days.")
def listing(code: str, query: str, unused: int | None) -> None:
    """List the accounts of an area: login, state, roles, name."""
    if query and unused:
        raise UsageError("Choose --query or --unused, not both.")
    with database() as conn:
        area = areas.get(conn, code)
        if unused:
            found = store.unused(conn, area, days=unused, limit=MOST)
        else:
            found = store.listing(conn, area, query=query, limit=MOST)
    for one in found:
        held = ",".join(f"{role.role}@{role.area_code}" for role in one.held if role.counts)
        click.echo(f"{one.login}\t{overview.state_of(one)}\t{held or '-'}\t{one.full_name}")
    click.echo(f"{len(found)} accounts", err=True)
    if len(found) == MOST:
        click.echo(f"Only the first {MOST} are shown; choose a smaller area.", err=True)


@group.command()
@click.argument("login")
def show(login: str) -> None:
    """Tell what one account is and what it may do where."""
    with database() as conn:
        found = store.by_login(conn, login)
    for label, value in (
        ("Login", found.login),
        ("Name", found.full_name),
        ("Position", found.position or "-"),
        ("Area", found.home_code),
        ("State", overview.state_of(found)),
        ("Second factor", "set up" if found.totp_confirmed_at else "not set up"),
        ("Last sign-in", found.last_login_at or "-"),
        ("Last seen", found.last_seen_at or "-"),
    ):
        click.echo(f"{label + ':':15}{value}")
    for role in found.held:
        ended = "" if role.counts else " (the area is no more: the role gives nothing)"
        click.echo(f"{'Role:':15}{role.role}@{role.area_code} {role.area_name}{ended}")


@group.command()
@click.argument("login")
def disable(login: str) -> None:
    """Shut an account out from its next request on."""
    _act("disabled", login)
    click.echo(f"{login} is disabled.", err=True)


@group.command()
@click.argument("login")
def enable(login: str) -> None:
    """Let a disabled account sign in again."""
    _act("enabled", login)
    click.echo(f"{login} is enabled.", err=True)


@group.command(name="reset-password")
@click.argument("login")
def reset_password(login: str) -> None:
    """Give an account a random password, which goes to stdout, once; ends locks and sessions."""
    password = _act("password-reset", login)
    click.echo("The password, to be changed at the next sign-in:", err=True)
    click.echo(password)


@group.command(name="reset-totp")
@click.argument("login")
def reset_totp(login: str) -> None:
    """Remove an account's second factor, to be set up anew."""
    _act("code-reset", login)
    click.echo(f"{login} has no second factor any more.", err=True)


@group.command()
@click.argument("login")
@click.argument("role", metavar="ROLE@AREA")
def grant(login: str, role: str) -> None:
    """Give an account a role in an area and in all below it."""
    with _changing("granted", role) as (conn, told):
        told.append(store.by_login(conn, login))
        name, where = _role_in(conn, role)
        new = rights.grant(conn, None, told[0].account_id, name, where)
    click.echo(f"{login} {'is' if new else 'was already'} {role}.", err=True)


@group.command()
@click.argument("login")
@click.argument("role", metavar="ROLE@AREA")
def revoke(login: str, role: str) -> None:
    """Take a role back, from the account's next request on."""
    with _changing("revoked", role) as (conn, told):
        told.append(store.by_login(conn, login))
        name, _at, code = role.partition("@")
        rights.revoke(conn, None, told[0].account_id, name, code)
    click.echo(f"{login} is no more {role}.", err=True)


def _act(change: str, login: str) -> str | None:
    with _changing(change) as (conn, told):
        told.append(store.by_login(conn, login))
        return changes.ACTS[change](conn, None, told[0].account_id)


@contextmanager
def _changing(change: str, details: str = "") -> Iterator[tuple[Connection, list[Account]]]:
    """A transaction whose last step is the entry about the account that the block names."""
    with database() as conn:
        told: list[Account] = []
        yield conn, told
        entry = Entry(
            via="command",
            action="accounts.manage",
            login=f"os:{getpass.getuser()}",
            route="ancu user",
            subject="account",
            subject_id=told[0].login,
            province_code=told[0].province_code,
            commune_code=told[0].commune_code,
            reason=str(Told(change, details)),
        )
        trail.append(conn, entry)


def _role_in(conn: Connection, text: str) -> tuple[str, Area]:
    """The role and area of `officer@19`; raises UsageError."""
    role, at, code = text.partition("@")
    if not at:
        raise UsageError(f"{text!r} names no role in an area; write it as officer@19.")
    return role, areas.get(conn, code)
