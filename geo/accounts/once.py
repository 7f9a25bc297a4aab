"""What a session shows once, such as a new token: sealed in its row, gone with the first look."""

import hashlib

from sqlalchemy import Connection, func, select, update

from geo.account_tables import login_session
from geo.accounts.claims import claim
from geo.accounts.sealing import seal, unseal
from geo.accounts.sessions import hash_of
from geo.errors import UnavailableError

_TAG = 16


def keep(conn: Connection, secret: str, what: str, text: str) -> None:
    """Keep `text` for the session with this secret; what it kept before is gone."""
    hashed = hash_of(secret)
    sealed = _tag(what) + seal(text, _context(what, hashed))
    with claim(conn, session=hashed.hex()):
        mine = login_session.c.session_hash == hashed
        conn.execute(update(login_session).where(mine).values(once_sealed=sealed))


def take(conn: Connection, secret: str, what: str) -> str | None:
    """What was kept under this name, which is gone with that; None when there is none.

    None also for what another keys file sealed.
    """
    hashed = hash_of(secret)
    kept = (
        select(login_session.c.session_hash, login_session.c.once_sealed)
        .where(
            login_session.c.session_hash == hashed,
            func.substring(login_session.c.once_sealed, 1, _TAG) == _tag(what),
        )
        # Of two that ask at once the second finds nothing any more.
        .with_for_update()
        .cte("kept")
    )
    with claim(conn, session=hashed.hex()):
        sealed = conn.scalar(
            update(login_session)
            .where(login_session.c.session_hash == kept.c.session_hash)
            .values(once_sealed=None)
            .returning(kept.c.once_sealed)
        )
    if sealed is None:
        return None
    try:
        return unseal(bytes(sealed)[_TAG:], _context(what, hashed))
    except UnavailableError:
        return None


def _tag(what: str) -> bytes:
    """By which a page finds what is meant for it, and leaves alone what is for another."""
    return hashlib.sha256(what.encode()).digest()[:_TAG]


def _context(what: str, hashed: bytes) -> str:
    return f"once {what} {hashed.hex()}"
