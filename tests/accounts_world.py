"""People for the tests of accounts: administrators of three levels, and officers, in two provinces.

The real gazetteer's areas. HANOI and its communes are ours, HUE is the neighbour.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, text

from geo import areas
from geo.account_tables import account, account_role
from geo.accounts import store
from geo.accounts.delegation import place
from geo.accounts.roles import User, reach
from geo.areas import Area
from geo.db import become_runtime
from geo.scope import OPERATOR, Scope, bind

COUNTRY, HANOI, HUE = "VN", "01", "46"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "lúa-chín-vàng-óng-2026"


def communes(conn: Connection, province: str) -> list[Area]:
    return areas.children(conn, province)


def person(
    conn: Connection, login: str, home: Area, *roles: tuple[str, Area], **values: object
) -> int:
    """An account as the database holds it, without the work of hashing a password."""
    province_code, commune_code = place(home)
    account_id = conn.execute(
        insert(account)
        .values(
            login=login,
            full_name=f"Người {login}",
            province_code=province_code,
            commune_code=commune_code,
            must_change_password=False,
            **values,
        )
        .returning(account.c.account_id)
    ).scalar_one()
    for role, where in roles:
        spot = place(where)
        conn.execute(
            insert(account_role).values(
                account_id=account_id,
                role=role,
                area_code=where.code,
                province_code=spot[0],
                commune_code=spot[1],
                granted_at=NOW,
            )
        )
    return account_id


def user(conn: Connection, account_id: int) -> User:
    return store.user_of(conn, account_id)


@contextmanager
def served(conn: Connection, scope: Scope) -> Iterator[Connection]:
    """As in the server: the role that owns nothing, with this scope; afterwards the operator's."""
    try:
        with conn.begin_nested():
            become_runtime(conn)
            bind(conn, scope)
            yield conn
            conn.execute(text("RESET ROLE"))
    finally:
        bind(conn, OPERATOR)


def managing(conn: Connection, by: User):
    """`served` for what an administrator does."""
    return served(conn, reach(by, "accounts.manage"))


@dataclass
class World:
    """The areas, and one account of each kind by login."""

    conn: Connection
    country: Area
    hanoi: Area
    hue: Area
    ba_dinh: Area
    beside: Area
    in_hue: Area
    ids: dict[str, int]

    def user(self, login: str) -> User:
        return user(self.conn, self.ids[login])


def build(conn: Connection) -> World:
    """Store the accounts."""
    country, hanoi, hue = (areas.get(conn, code) for code in (COUNTRY, HANOI, HUE))
    ba_dinh, beside = communes(conn, HANOI)[:2]
    in_hue = communes(conn, HUE)[0]
    ids = {
        "top": person(conn, "top", country, ("administrator", country)),
        "hanoi": person(conn, "hanoi", hanoi, ("administrator", hanoi)),
        "hanoi2": person(conn, "hanoi2", hanoi, ("administrator", hanoi)),
        "hue": person(conn, "hue", hue, ("administrator", hue)),
        "local": person(conn, "local", ba_dinh, ("administrator", ba_dinh)),
        "officer": person(conn, "officer", ba_dinh, ("officer", ba_dinh)),
        "beside": person(conn, "beside", beside, ("officer", beside)),
        "in_hue": person(conn, "in_hue", in_hue, ("officer", in_hue)),
        "both": person(conn, "both", ba_dinh, ("officer", ba_dinh), ("officer", in_hue)),
        "above": person(conn, "above", ba_dinh, ("planner", hanoi)),
    }
    return World(conn, country, hanoi, hue, ba_dinh, beside, in_hue, ids)
