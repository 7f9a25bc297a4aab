"""Signing in: one answer, and about the same work, for all that is not right."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Row, select, update

from geo.account_tables import account
from geo.accounts import lockout, passwords, sessions, store, totp
from geo.accounts.claims import also, claim
from geo.accounts.clock import moment
from geo.accounts.delegation import Place


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt.

    answer: "in" with the session's secret; "totp" when the password is right and a code is asked
    for; "wrong" for everything else. account_id and place, where the account belongs, are for the
    access log, never for the answer.
    """

    answer: Literal["in", "totp", "wrong"]
    account_id: int | None = None
    secret: str | None = None
    place: Place = ("", "")


def sign_in(
    conn: Connection,
    login: str,
    password: str,
    code: str | None = None,
    *,
    address: str = "",
    agent: str = "",
    now: datetime | None = None,
) -> Outcome:
    """Judge an attempt and start a session if it is right.

    Unknown, locked or disabled accounts, wrong passwords and wrong codes get the same answer.
    Commit whatever the answer is: the count of failures must last.
    """
    at, wanted = moment(now), store.folded_login(login)
    if not store.can_be_login(wanted):
        passwords.verify(None, password)
        return Outcome("wrong")
    with claim(conn, login=wanted):
        # Not held yet: hashing takes long, and the row is for one attempt at a time.
        seen = conn.execute(
            select(account.c.account_id, account.c.password_hash).where(account.c.login == wanted)
        ).first()
        right = passwords.verify(seen.password_hash if seen else None, password)
        if seen is None:
            return Outcome("wrong")
        row = lockout.held_row(conn, seen.account_id)
        # Another attempt may have locked the account or changed the password in the meantime.
        right = right and row.password_hash == seen.password_hash
        answer = _judged(conn, row, right, code, at)
        if answer == "in":
            also(conn, row.account_id)
            _remember(conn, row, password, at)
    place = row.province_code, row.commune_code
    if answer != "in":
        return Outcome(answer, row.account_id, place=place)
    secret = sessions.start(conn, row.account_id, address, agent, at)
    return Outcome("in", row.account_id, secret, place)


def _judged(
    conn: Connection, row: Row, right: bool, code: str | None, at: datetime
) -> Literal["in", "totp", "wrong"]:
    if lockout.is_shut(row, at):
        return "wrong"
    if right and row.totp_confirmed_at is not None:
        if not code:
            return "totp"
        right = totp.accept(conn, row, code, at)
    if not right:
        lockout.failed(conn, row, at)
        return "wrong"
    return "in"


def _remember(conn: Connection, row: Row, password: str, at: datetime) -> None:
    lockout.forget(conn, row.account_id)
    values: dict[str, object] = {"last_login_at": at, "last_seen_at": at}
    if passwords.needs_rehash(row.password_hash):
        values["password_hash"] = passwords.hash_password(password)
    conn.execute(update(account).where(account.c.account_id == row.account_id).values(values))
