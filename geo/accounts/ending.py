"""Ends what an account has open: its sessions, and with them or alone its tokens."""

from datetime import datetime

from sqlalchemy import Connection, delete, update

from geo.account_tables import login_session, token


def end_sessions(conn: Connection, account_id: int, but: bytes = b"") -> int:
    """Sign the account out everywhere, except where the session has this hash; how many ended."""
    ended = conn.execute(
        delete(login_session).where(
            login_session.c.account_id == account_id, login_session.c.session_hash != but
        )
    )
    return ended.rowcount


def end_access(conn: Connection, account_id: int, now: datetime) -> None:
    """End all sessions and revoke all tokens of the account."""
    end_sessions(conn, account_id)
    conn.execute(
        update(token)
        .where(token.c.account_id == account_id, token.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
