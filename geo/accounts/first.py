"""The first administrator: made where there is no account at all."""

from sqlalchemy import Connection, select, text

from geo import areas
from geo.account_tables import account
from geo.accounts import rights, store
from geo.accounts.roles import ROLES

LOGIN = "admin"
NAME = "Quản trị hệ thống"


def first_admin(conn: Connection) -> tuple[str, str] | None:
    """Login and random password of a new account with all roles in the country; None if not first.

    The operator's act. The password must be changed, and codes set up, at the first sign-in.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ancu.first_admin'))"))
    if conn.execute(select(account.c.account_id).limit(1)).first() is not None:
        return None
    country = areas.get(conn, areas.COUNTRY)
    account_id, password = store.create(conn, None, login=LOGIN, full_name=NAME, home=country)
    for role in ROLES:
        rights.grant(conn, None, account_id, role, country)
    return LOGIN, password
