"""The first administrator: made where there is no account at all."""

from collections.abc import Iterable

from sqlalchemy import Connection, select, text

from geo import areas
from geo.account_tables import account
from geo.accounts import rights, store

LOGIN = "admin"
NAME = "Quản trị hệ thống"
ROLE = "administrator"


def first_admin(conn: Connection, roles: Iterable[str] = (ROLE,)) -> tuple[str, str] | None:
    """Login and random password of a new account with `roles` in the country; None if not first.

    The operator's act. An administrator sees no record, so that one for trying the service out
    needs the other roles as well. The password must be changed, and codes set up, at the first
    sign-in.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ancu.first_admin'))"))
    if conn.execute(select(account.c.account_id).limit(1)).first() is not None:
        return None
    country = areas.get(conn, areas.COUNTRY)
    account_id, password = store.create(conn, None, login=LOGIN, full_name=NAME, home=country)
    for role in roles:
        rights.grant(conn, None, account_id, role, country)
    return LOGIN, password
