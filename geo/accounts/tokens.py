"""Tokens for devices and programmes: some of an account's actions, for a time, until revoked."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, insert, select, update

from geo.account_tables import account, token
from geo.accounts import delegation, store
from geo.accounts.claims import also, claim
from geo.accounts.clock import moment
from geo.accounts.roles import ACTIONS, User
from geo.accounts.sessions import hash_of
from geo.config import settings
from geo.errors import ForbiddenError, NotFoundError, RejectedError, UsageError

PREFIX = "ancu_"
NEVER = frozenset({"accounts.manage"})
"""What no token does: administrators sign in with a code, which a token would go around."""

_TOUCH = timedelta(minutes=1)
_MAX_NAME = 100


@dataclass(frozen=True)
class Token:
    """A token as its account's owner sees it; the secret itself is stored nowhere here."""

    token_id: int
    account_id: int
    name: str
    actions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


_COLUMNS = tuple(token.c[name] for name in Token.__dataclass_fields__)


def make(
    conn: Connection,
    user: User,
    name: str,
    actions: Collection[str],
    days: int,
    now: datetime | None = None,
) -> tuple[int, str]:
    """A token of one's own account for some of its actions: its id and secret, told only now.

    Raises RejectedError for a name or life that cannot be, ForbiddenError for an action that the
    account does not have or no token may do.
    """
    made, cleaned, longest = moment(now), store.name(name, _MAX_NAME), settings().token_days
    if not 1 <= days <= longest:
        raise RejectedError(f"A token lives between 1 and {longest} days.")
    if not actions:
        raise RejectedError("A token is for at least one action.")
    for action in sorted(actions):
        if action not in ACTIONS:
            raise UsageError(f"There is no action {action[:40]!r}; there are {', '.join(ACTIONS)}.")
        if action in NEVER or not user.may(action):
            raise ForbiddenError(f"A token of this account cannot be for {action}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with claim(conn, user.account_id):
        token_id = conn.execute(
            insert(token)
            .values(
                token_hash=hash_of(secret),
                account_id=user.account_id,
                name=cleaned,
                actions=sorted(actions),
                created_at=made,
                expires_at=made + timedelta(days=days),
            )
            .returning(token.c.token_id)
        ).scalar_one()
    return token_id, secret


def find(conn: Connection, secret: str, now: datetime | None = None) -> User | None:
    """Who comes with this token, limited to its actions; None once it is revoked or over.

    What the account may no longer do, the token does not do either. Its use is noted at most once
    a minute.
    """
    at, hashed = moment(now), hash_of(secret)
    if not secret.startswith(PREFIX):
        return None
    with claim(conn, token=hashed.hex()):
        row = conn.execute(
            select(*_COLUMNS).where(
                token.c.token_hash == hashed, token.c.revoked_at.is_(None), token.c.expires_at > at
            )
        ).first()
        if row is None:
            return None
        also(conn, row.account_id)
        found = store.own(conn, row.account_id)
        if found.disabled_at is not None:
            return None
        if row.last_used_at is None or row.last_used_at <= at - _TOUCH:
            _touch(conn, row, at)
    return replace(store.as_user(found), limited_to=frozenset(row.actions))


def revoke(
    conn: Connection,
    user: User | None,
    token_id: int,
    *,
    account_id: int | None = None,
    now: datetime | None = None,
) -> None:
    """End one's own token, or as administrator one of `account_id`, from the next request on.

    Raises NotFoundError when the account has no such token, ForbiddenError.
    """
    if user is not None and account_id in (None, user.account_id):
        with claim(conn, user.account_id):
            _revoke(conn, user.account_id, token_id, moment(now))
        return
    if account_id is None:
        raise UsageError("Name the account whose token is to be revoked.")
    found = store.get(conn, account_id)
    delegation.check_change(user, account_id, found.home, found.places)
    _revoke(conn, account_id, token_id, moment(now))


def listing(conn: Connection, account_id: int) -> list[Token]:
    """The tokens of one's own account, the latest made first; ended ones too."""
    with claim(conn, account_id):
        rows = conn.execute(
            select(*_COLUMNS)
            .where(token.c.account_id == account_id)
            .order_by(token.c.token_id.desc())
        ).all()
    return [_token(row) for row in rows]


def listing_of(conn: Connection, by: User | None, account_id: int) -> list[Token]:
    """The same of an account that `by` administers."""
    found = store.get(conn, account_id)
    delegation.check_change(by, account_id, found.home, found.places)
    rows = conn.execute(
        select(*_COLUMNS).where(token.c.account_id == account_id).order_by(token.c.token_id.desc())
    )
    return [_token(row) for row in rows]


def _revoke(conn: Connection, account_id: int, token_id: int, at: datetime) -> None:
    one = (token.c.token_id == token_id) & (token.c.account_id == account_id)
    known = conn.execute(select(token.c.token_id).where(one)).first()
    if known is None:
        raise NotFoundError("The account has no such token.")
    conn.execute(update(token).where(one, token.c.revoked_at.is_(None)).values(revoked_at=at))


def _touch(conn: Connection, row: Row, at: datetime) -> None:
    conn.execute(update(token).where(token.c.token_id == row.token_id).values(last_used_at=at))
    conn.execute(
        update(account).where(account.c.account_id == row.account_id).values(last_seen_at=at)
    )


def _token(row: Row) -> Token:
    return Token(**{**row._mapping, "actions": tuple(row.actions)})
