"""Accounts: made, found, listed, disabled; and the user that an account is at this moment."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import NamedFromClause

from geo import areas
from geo.account_tables import account
from geo.accounts import delegation, ending, passwords
from geo.accounts.clock import moment
from geo.accounts.held import Held, held_by_accounts
from geo.accounts.roles import User
from geo.areas import Area
from geo.errors import ConflictError, NotFoundError, RejectedError
from geo.scope import of, within
from geo.text import clean

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{2,63}")
_MAX_NAME = 200


@dataclass(frozen=True)
class Account:
    """An account as administrators see it; `held` has its roles, also those that ended."""

    account_id: int
    login: str
    full_name: str
    position: str
    province_code: str
    commune_code: str
    must_change_password: bool
    totp_confirmed_at: datetime | None
    locked_until: datetime | None
    disabled_at: datetime | None
    last_login_at: datetime | None
    last_seen_at: datetime | None
    created_at: datetime
    held: tuple[Held, ...] = ()

    @property
    def home(self) -> delegation.Place:
        """Where it belongs, as tables hold it."""
        return self.province_code, self.commune_code

    @property
    def home_code(self) -> str:
        """The code of the area where it belongs."""
        return self.commune_code or self.province_code or areas.COUNTRY

    @property
    def places(self) -> list[delegation.Place]:
        """Where it has roles, also those that ended."""
        return [(one.province_code, one.commune_code) for one in self.held]


_COLUMNS = tuple(account.c[name] for name in Account.__dataclass_fields__ if name != "held")


def create(
    conn: Connection,
    by: User | None,
    *,
    login: str,
    full_name: str,
    home: Area,
    position: str = "",
) -> tuple[int, str]:
    """A new account without roles: its id and its random password, to be changed at first use.

    Raises RejectedError for a login or name that cannot be, ConflictError for a login in use.
    """
    where = delegation.place(home)
    delegation.check_create(by, where)
    password = passwords.random_password()
    made = conn.execute(
        insert(account)
        .values(
            login=_new_login(login),
            full_name=name(full_name),
            position=name(position) if position.strip() else "",
            province_code=where[0],
            commune_code=where[1],
            password_hash=passwords.hash_password(password),
            created_by=by.account_id if by else None,
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(account.c.account_id)
    ).scalar()
    if made is None:
        raise ConflictError(f"The login {folded_login(login)!r} is in use; choose another one.")
    return made, password


def get(conn: Connection, account_id: int) -> Account:
    """One account in the transaction's scope, or its user's own; raises NotFoundError."""
    return _one(conn, account.c.account_id == account_id, str(account_id))


def by_login(conn: Connection, login: str) -> Account:
    """The same by login."""
    wanted = folded_login(login)
    # What no login can be is not even asked for: the driver refuses some characters.
    known = account.c.login == wanted if can_be_login(wanted) else false()
    return _one(conn, known, login)


def several(conn: Connection, account_ids: Sequence[int]) -> list[Account]:
    """The accounts with these ids in their order, as far as they are in scope."""
    wanted = and_(account.c.account_id.in_(account_ids), within(conn, account))
    found = {one.account_id: one for one in _many(conn, wanted, len(account_ids))}
    return [found[one] for one in account_ids if one in found]


def shown(conn: Connection, table: NamedFromClause = account) -> ColumnElement[bool]:
    """The condition for the accounts that the scope shows: its areas' and the user's own."""
    return or_(within(conn, table), table.c.account_id == of(conn).account_id)


def own(conn: Connection, account_id: int) -> Account:
    """The account of who has proved to be it, whatever the scope; see `claim`."""
    return _many(conn, account.c.account_id == account_id, 1)[0]


def listing(
    conn: Connection, area: Area, *, query: str = "", after: str = "", limit: int = 200
) -> list[Account]:
    """Accounts that belong to an area or below it, by login, from the one after `after` on.

    query: part of a login or of a name.
    """
    wanted = [areas.scope(area, account), within(conn, account), account.c.login > after]
    if query.strip():
        part = clean(query)[:100]
        if not part.isprintable():
            return []
        wanted.append(
            or_(
                account.c.login.contains(part.lower(), autoescape=True),
                func.lower(account.c.full_name).contains(part.lower(), autoescape=True),
            )
        )
    return _many(conn, and_(*wanted), limit)


def unused(
    conn: Connection, area: Area, *, days: int = 30, now: datetime | None = None, limit: int = 1000
) -> list[Account]:
    """Accounts of an area that could be used and were not in the last `days`, by login.

    An account that never was counts from the day on which it was made.
    """
    last = func.greatest(account.c.created_at, account.c.last_login_at, account.c.last_seen_at)
    since = moment(now) - timedelta(days=days)
    wanted = (areas.scope(area, account), within(conn, account))
    return _many(conn, and_(*wanted, account.c.disabled_at.is_(None), last < since), limit)


def user_of(conn: Connection, account_id: int) -> User:
    """Who the account is at this moment: with its roles in areas that still exist.

    Raises NotFoundError.
    """
    return as_user(get(conn, account_id))


def as_user(found: Account) -> User:
    """The user that an account is, with the roles that count."""
    assignments = tuple(one.assignment for one in found.held if one.counts)
    return User(found.account_id, found.login, found.full_name, assignments, found.home_code)


def rename(
    conn: Connection, by: User | None, account_id: int, *, full_name: str, position: str = ""
) -> None:
    """Give the account another name and position."""
    _checked(conn, by, account_id)
    names = {"full_name": name(full_name), "position": ""}
    if position.strip():
        names["position"] = name(position)
    conn.execute(update(account).where(account.c.account_id == account_id).values(names))


def set_home(conn: Connection, by: User | None, account_id: int, home: Area) -> None:
    """Let the account belong to another area; its roles stay as they are."""
    _checked(conn, by, account_id)
    where = delegation.place(home)
    delegation.check_create(by, where)
    conn.execute(
        update(account)
        .where(account.c.account_id == account_id)
        .values(province_code=where[0], commune_code=where[1])
    )


def disable(
    conn: Connection, by: User | None, account_id: int, now: datetime | None = None
) -> None:
    """Shut the account out from its next request on: no sign-in, no session, no token."""
    _checked(conn, by, account_id)
    conn.execute(
        update(account)
        .where(account.c.account_id == account_id)
        .values(disabled_at=func.coalesce(account.c.disabled_at, moment(now)))
    )
    ending.end_access(conn, account_id, moment(now))


def enable(conn: Connection, by: User | None, account_id: int) -> None:
    """Let a disabled account sign in again; its tokens stay revoked."""
    _checked(conn, by, account_id)
    conn.execute(update(account).where(account.c.account_id == account_id).values(disabled_at=None))


def folded_login(login: str) -> str:
    """A login as it is stored: lower case, without spaces around it."""
    return unicodedata.normalize("NFKC", login).strip().lower()


def can_be_login(folded: str) -> bool:
    """Whether an account may have this login."""
    return _LOGIN.fullmatch(folded) is not None


def name(text: str, longest: int = _MAX_NAME) -> str:
    """A name as it is stored; raises RejectedError for one that cannot be."""
    cleaned = clean(text)
    if not cleaned or len(cleaned) > longest or not cleaned.isprintable():
        raise RejectedError(f"A name or position has 1 to {longest} characters, all printable.")
    return cleaned


def _checked(conn: Connection, by: User | None, account_id: int) -> Account:
    found = get(conn, account_id)
    delegation.check_change(by, account_id, found.home, found.places)
    return found


def _one(conn: Connection, condition: ColumnElement[bool], asked: str) -> Account:
    found = _many(conn, and_(condition, shown(conn)), 1)
    if not found:
        raise NotFoundError(f"There is no account {asked[:64]!r}.")
    return found[0]


def _many(conn: Connection, condition: ColumnElement[bool], limit: int) -> list[Account]:
    rows = conn.execute(select(*_COLUMNS).where(condition).order_by(account.c.login).limit(limit))
    found = [_account(row) for row in rows]
    held = held_by_accounts(conn, [one.account_id for one in found])
    return [replace(one, held=tuple(held.get(one.account_id, ()))) for one in found]


def _account(row: Row) -> Account:
    return Account(**row._mapping)


def _new_login(login: str) -> str:
    folded = folded_login(login)
    if not can_be_login(folded):
        raise RejectedError(
            "A login has 3 to 64 of the characters a-z, 0-9, “.”, “_”, “-” and “@”, "
            "and begins with a letter or digit."
        )
    return folded
