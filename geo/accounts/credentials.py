"""Passwords of accounts: changed by their owners, reset by an administrator."""

from datetime import datetime

from sqlalchemy import Connection, update

from geo.account_tables import account
from geo.accounts import delegation, ending, lockout, passwords, sessions, store
from geo.accounts.claims import claim
from geo.accounts.clock import moment
from geo.accounts.roles import User
from geo.errors import RejectedError


def change_password(
    conn: Connection,
    account_id: int,
    old: str,
    new: str,
    *,
    session: str | None = None,
    now: datetime | None = None,
) -> bool:
    """Give one's own account a new password; False for a wrong old one, and the attempt counts.

    All sessions end but the one with the secret `session`. Raises RejectedError for a new password
    that cannot be used. Commit whatever the answer is: the count must last.
    """
    at = moment(now)
    with claim(conn, account_id):
        row = lockout.held_row(conn, account_id)
        passwords.check(new, row.login, row.full_name)
        if passwords.same(old, new):
            raise RejectedError("The new password is the old one; choose another one.")
        right = passwords.verify(row.password_hash, old)
        if lockout.is_shut(row, at):
            return False
        if not right:
            lockout.failed(conn, row, at)
            return False
        _store(conn, account_id, new, must_change=False)
    sessions.end_all(conn, account_id, but=session)
    return True


def reset_password(
    conn: Connection, by: User | None, account_id: int, now: datetime | None = None
) -> str:
    """A random password for somebody else's account, to be changed at the next sign-in.

    A lock ends, and so do all sessions and tokens. Raises ForbiddenError.
    """
    found = store.get(conn, account_id)
    delegation.check_change(by, account_id, found.home, found.places)
    password = passwords.random_password()
    _store(conn, account_id, password, must_change=True)
    lockout.forget(conn, account_id)
    ending.end_access(conn, account_id, moment(now))
    return password


def _store(conn: Connection, account_id: int, password: str, must_change: bool) -> None:
    hashed = passwords.hash_password(password)
    conn.execute(
        update(account)
        .where(account.c.account_id == account_id)
        .values(password_hash=hashed, must_change_password=must_change)
    )
