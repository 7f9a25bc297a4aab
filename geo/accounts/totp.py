"""Codes of an authenticator app (TOTP, RFC 6238) as the second half of a sign-in."""

import hmac
from datetime import datetime

import pyotp
from sqlalchemy import Connection, Row, update

from geo.account_tables import account
from geo.accounts import delegation, lockout, store
from geo.accounts.claims import claim
from geo.accounts.clock import moment
from geo.accounts.roles import ADMINISTRATOR, User, held_by
from geo.accounts.sealing import seal, unseal
from geo.errors import ConflictError, ForbiddenError

ISSUER = "An Cư"
_STEP_SECONDS = 30
_STEPS_OFF = (-1, 0, 1)


def must_set(user: User, confirmed_at: datetime | None) -> bool:
    """Whether the user may do nothing else before codes are set up: every administrator must."""
    return confirmed_at is None and bool(held_by(user.assignments, ADMINISTRATOR))


def begin(conn: Connection, account_id: int) -> tuple[str, str]:
    """A new secret for one's own account: as text to type, and as the address in a QR code.

    It counts once `confirm` has seen a code of it. Raises ConflictError when codes are set up.
    """
    secret = pyotp.random_base32()
    with claim(conn, account_id):
        row = lockout.held_row(conn, account_id)
        if row.totp_confirmed_at is not None:
            raise ConflictError("Codes are set up already; remove them before setting up new ones.")
        _store(conn, account_id, totp_sealed=seal(secret, _context(account_id)), totp_last_step=0)
    return secret, _address(secret, row)


def pending(conn: Connection, account_id: int) -> tuple[str, str] | None:
    """What `begin` gave to one's own account and no code has confirmed yet; None without."""
    with claim(conn, account_id):
        row = lockout.held_row(conn, account_id)
    if row.totp_sealed is None or row.totp_confirmed_at is not None:
        return None
    secret = unseal(row.totp_sealed, _context(account_id))
    return secret, _address(secret, row)


def confirm(conn: Connection, account_id: int, code: str, now: datetime | None = None) -> bool:
    """Take the codes of `begin` into use if this is one; else False, and the attempt counts."""
    with claim(conn, account_id):
        row = lockout.held_row(conn, account_id)
        right = _right(conn, row, code, moment(now))
        if right:
            _store(conn, account_id, totp_confirmed_at=moment(now))
    return right


def remove(conn: Connection, user: User, code: str, now: datetime | None = None) -> bool:
    """Do without codes from now on if this is one; otherwise False, and the attempt counts.

    Raises ForbiddenError for administrators.
    """
    if held_by(user.assignments, ADMINISTRATOR):
        raise ForbiddenError("Administrators sign in with a code of their app, always.")
    with claim(conn, user.account_id):
        row = lockout.held_row(conn, user.account_id)
        right = _right(conn, row, code, moment(now))
        if right:
            _forget(conn, user.account_id)
    return right


def reset(conn: Connection, by: User | None, account_id: int) -> None:
    """Remove the codes of somebody who lost the device; an administrator's act, not one's own."""
    found = store.get(conn, account_id)
    delegation.check_change(by, account_id, found.home, found.places)
    _forget(conn, account_id)


def accept(conn: Connection, row: Row, code: str, now: datetime) -> bool:
    """Whether it is a code of now, one step earlier or later, that was not used before.

    The row comes from `lockout.held_row`: two attempts at once cannot use one code.
    """
    step_now = int(now.timestamp()) // _STEP_SECONDS
    given = code.replace(" ", "")
    if row.totp_sealed is None or not given.isascii():
        return False
    app = pyotp.TOTP(unseal(row.totp_sealed, _context(row.account_id)))
    for step in (step_now + off for off in _STEPS_OFF):
        if hmac.compare_digest(app.generate_otp(step), given) and step > row.totp_last_step:
            _store(conn, row.account_id, totp_last_step=step)
            return True
    return False


def _right(conn: Connection, row: Row, code: str, now: datetime) -> bool:
    if lockout.is_shut(row, now):
        return False
    right = accept(conn, row, code, now)
    if not right:
        lockout.failed(conn, row, now)
    return right


def _forget(conn: Connection, account_id: int) -> None:
    _store(conn, account_id, totp_sealed=None, totp_confirmed_at=None, totp_last_step=0)


def _store(conn: Connection, account_id: int, **values: object) -> None:
    conn.execute(update(account).where(account.c.account_id == account_id).values(values))


def _address(secret: str, row: Row) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=row.login, issuer_name=ISSUER)


def _context(account_id: int) -> str:
    return f"account {account_id} totp"
