"""Sign-ins that last: a random secret in the browser, its hash and its limits in the database."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from geo.account_tables import account, login_session
from geo.accounts import ending, store, totp
from geo.accounts.claims import also, claim
from geo.accounts.clock import moment
from geo.accounts.roles import User
from geo.config import settings

_TOUCH = timedelta(minutes=1)
_MAX_AGENT = 200


@dataclass(frozen=True)
class Session:
    """Who a request comes from, and what they must do before anything else."""

    user: User
    must_change_password: bool
    must_set_totp: bool
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Listed:
    """One place where an account is signed in; `key` names it and opens nothing."""

    key: str
    address: str
    agent: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


def start(
    conn: Connection, account_id: int, address: str, agent: str, now: datetime | None = None
) -> str:
    """A new session; its secret of 256 bits, which is stored nowhere here."""
    began, secret = moment(now), secrets.token_urlsafe(32)
    with claim(conn, account_id):
        conn.execute(
            delete(login_session).where(login_session.c.account_id == account_id, over(began))
        )
        conn.execute(
            insert(login_session).values(
                session_hash=hash_of(secret),
                account_id=account_id,
                address=address,
                agent="".join(filter(str.isprintable, agent))[:_MAX_AGENT],
                created_at=began,
                last_seen_at=began,
                expires_at=began + timedelta(hours=settings().session_hours),
            )
        )
    return secret


def find(conn: Connection, secret: str, now: datetime | None = None) -> Session | None:
    """The session with this secret, unless it is over or its account disabled.

    That it was used is noted at most once a minute.
    """
    at, hashed = moment(now), hash_of(secret)
    with claim(conn, session=hashed.hex()):
        row = conn.execute(
            select(login_session).where(login_session.c.session_hash == hashed, ~over(at))
        ).first()
        if row is None:
            return None
        also(conn, row.account_id)
        return _opened(conn, row, at)


def end(conn: Connection, secret: str) -> None:
    """Sign out: the secret opens nothing any more."""
    hashed = hash_of(secret)
    with claim(conn, session=hashed.hex()):
        conn.execute(delete(login_session).where(login_session.c.session_hash == hashed))


def end_one(conn: Connection, account_id: int, key: str) -> None:
    """Sign one's own account out at one of the places that `listing` gave."""
    with claim(conn, account_id):
        conn.execute(
            delete(login_session).where(
                login_session.c.account_id == account_id,
                login_session.c.session_hash == _unhexed(key),
            )
        )


def end_all(conn: Connection, account_id: int, but: str | None = None) -> int:
    """Sign one's own account out everywhere, or everywhere but here; how many sessions ended."""
    with claim(conn, account_id):
        return ending.end_sessions(conn, account_id, hash_of(but) if but else b"")


def listing(
    conn: Connection, account_id: int, current: str | None = None, now: datetime | None = None
) -> list[Listed]:
    """Where one's own account is signed in, the latest used first; current: this one's secret."""
    here = hash_of(current) if current else b""
    with claim(conn, account_id):
        rows = conn.execute(
            select(login_session)
            .where(login_session.c.account_id == account_id, ~over(moment(now)))
            .order_by(login_session.c.last_seen_at.desc(), login_session.c.session_hash)
        ).all()
    return [_listed(row, here) for row in rows]


def _opened(conn: Connection, row: Row, at: datetime) -> Session | None:
    found = store.own(conn, row.account_id)
    if found.disabled_at is not None:
        return None
    if row.last_seen_at <= at - _TOUCH:
        mine = login_session.c.session_hash == row.session_hash
        conn.execute(update(login_session).where(mine).values(last_seen_at=at))
        conn.execute(
            update(account).where(account.c.account_id == row.account_id).values(last_seen_at=at)
        )
    user = store.as_user(found)
    must_set_totp = totp.must_set(user, found.totp_confirmed_at)
    return Session(user, found.must_change_password, must_set_totp, row.created_at, row.expires_at)


def over(at: datetime) -> ColumnElement[bool]:
    """The condition for sessions that open nothing any more: too old, or idle for too long."""
    idle = timedelta(minutes=settings().session_idle_minutes)
    return or_(login_session.c.expires_at <= at, login_session.c.last_seen_at <= at - idle)


def _listed(row: Row, here: bytes) -> Listed:
    hashed = bytes(row.session_hash)
    return Listed(
        key=hashed.hex(),
        address=row.address,
        agent=row.agent,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        current=hashed == here,
    )


def hash_of(secret: str) -> bytes:
    """What the database has of a session's or token's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _unhexed(key: str) -> bytes:
    try:
        return bytes.fromhex(key)
    except ValueError:
        return b""
