"""Accounts of an area as administrators list them: by state and name, page by page both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, literal, select, tuple_

from geo import areas, paging
from geo.account_tables import account, login_session, team_member
from geo.accounts import sessions, store
from geo.accounts.clock import moment
from geo.accounts.store import Account
from geo.areas import Area
from geo.errors import UsageError
from geo.scope import within
from geo.text import fold

UNUSED_DAYS = 30
"""Days without a sign-in or request after which an account is called unused."""
STATES = ("active", "never", "unused", "locked", "disabled")

_MARKED = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
_PLAIN = "a" * 17 + "e" * 11 + "i" * 5 + "o" * 17 + "u" * 11 + "y" * 5 + "d"
# By name as Vietnamese dictionaries order it, then by login, so that no two accounts are equal.
_ORDER = (account.c.full_name.collate("vi-x-icu"), account.c.login)


@dataclass(frozen=True)
class Sheet:
    """Some accounts in order, and the cursors of the pages before and after, None at the ends."""

    accounts: list[Account]
    previous: str | None
    next: str | None


def state_of(found: Account, now: datetime | None = None) -> str:
    """The one of STATES that matters most about an account."""
    at = moment(now)
    if found.disabled_at is not None:
        return "disabled"
    if found.locked_until is not None and found.locked_until > at:
        return "locked"
    if found.last_login_at is None:
        return "never"
    last = max(found.last_login_at, found.last_seen_at or found.last_login_at)
    return "unused" if last < at - timedelta(days=UNUSED_DAYS) else "active"


def counts(conn: Connection, area: Area, now: datetime | None = None) -> dict[str, int]:
    """How many accounts of an area and below it are in each state, and `all`.

    Some are in two: one that never signed in counts as unused, too, after UNUSED_DAYS.
    """
    at = moment(now)
    wanted = [func.count().filter(_is(state, at)).label(state) for state in STATES]
    row = conn.execute(
        select(func.count().label("all"), *wanted).where(
            areas.scope(area, account), within(conn, account)
        )
    ).one()
    return dict(row._mapping)


def listing(
    conn: Connection,
    area: Area,
    *,
    state: str = "",
    query: str = "",
    cursor: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> Sheet:
    """One page of the accounts of an area and below it.

    query: words of name, position or login, with or without tone marks. Raises UsageError for an
    unknown state or cursor.
    """
    paging.check_limit(limit)
    chosen = [areas.scope(area, account), within(conn, account), *map(_holds, fold(query).split())]
    if state:
        chosen.append(_is(state, moment(now)))
    way, last = _place(cursor)
    keys = _ORDER
    if last:
        after = tuple_(literal(last[0]).collate("vi-x-icu"), literal(last[1]))
        chosen.append(tuple_(*keys) < after if way == "before" else tuple_(*keys) > after)
    order = [key.desc() for key in keys] if way == "before" else list(keys)
    rows = conn.execute(
        select(account.c.account_id).where(and_(*chosen)).order_by(*order).limit(limit + 1)
    ).scalars()
    ids = list(rows)
    more, ids = len(ids) > limit, ids[:limit]
    found = store.several(conn, ids[::-1] if way == "before" else ids)
    return _sheet(found, way, bool(last), more)


def open_sessions(conn: Connection, account_id: int, now: datetime | None = None) -> int:
    """In how many places an account in scope is signed in."""
    return conn.execute(
        select(func.count())
        .select_from(login_session)
        .where(login_session.c.account_id == account_id, ~sessions.over(moment(now)))
    ).scalar_one()


def outside(conn: Connection, area: Area, team_id: int, limit: int = 300) -> list[Account]:
    """Accounts of an area and below it that could join a group and have not, by name."""
    inside = select(team_member.c.account_id).where(team_member.c.team_id == team_id)
    ids = conn.execute(
        select(account.c.account_id)
        .where(
            areas.scope(area, account),
            within(conn, account),
            account.c.disabled_at.is_(None),
            account.c.account_id.not_in(inside),
        )
        .order_by(*_ORDER)
        .limit(limit)
    ).scalars()
    return store.several(conn, list(ids))


def _is(state: str, at: datetime) -> ColumnElement[bool]:
    usable = account.c.disabled_at.is_(None)
    locked = func.coalesce(account.c.locked_until > at, False)
    never = account.c.last_login_at.is_(None)
    last = func.greatest(account.c.created_at, account.c.last_login_at, account.c.last_seen_at)
    unused = last < at - timedelta(days=UNUSED_DAYS)
    conditions: dict[str, ColumnElement[bool]] = {
        "active": and_(usable, ~locked, ~never, ~unused),
        "never": and_(usable, never),
        "unused": and_(usable, unused),
        "locked": and_(usable, locked),
        "disabled": ~usable,
    }
    if state not in conditions:
        raise UsageError(f"{state[:40]!r} is no state of accounts; there are {', '.join(STATES)}.")
    return conditions[state]


def _holds(word: str) -> ColumnElement[bool]:
    told = func.lower(func.concat_ws(" ", account.c.full_name, account.c.position, account.c.login))
    return func.translate(told, _MARKED, _PLAIN).contains(word, autoescape=True)


def _place(cursor: str | None) -> tuple[str, list[str]]:
    if not cursor:
        return "after", []
    way, *last = paging.decode(cursor, [str, str, str])
    if way not in ("before", "after") or None in last:
        raise UsageError("The cursor is not one of this listing; start again without it.")
    return way, last


def _sheet(found: Sequence[Account], way: str, moved: bool, more: bool) -> Sheet:
    if not found:
        return Sheet([], None, None)
    ends = [paging.encode([to, one.full_name, one.login])
            for to, one in (("before", found[0]), ("after", found[-1]))]  # fmt: skip
    if way == "before":
        return Sheet(list(found), ends[0] if more else None, ends[1])
    return Sheet(list(found), ends[0] if moved else None, ends[1] if more else None)
