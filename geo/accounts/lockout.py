"""Repeated failures lock an account for a while; the count survives whatever happens at once."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, select, update

from geo.account_tables import account

_ALLOWED = 5
_FIRST = timedelta(minutes=15)
_LONGEST = timedelta(days=1)


def lock_for(failures: int) -> timedelta | None:
    """For how long the account is locked after so many failures in a row; None for not at all.

    Each fifth failure locks: 15 minutes, then twice as long each time, up to a day.
    """
    if failures == 0 or failures % _ALLOWED:
        return None
    doublings = min(failures // _ALLOWED - 1, 10)
    return min(_FIRST * 2**doublings, _LONGEST)


def held_row(conn: Connection, account_id: int) -> Row:
    """The account's row, held until the transaction ends: attempts are judged one by one."""
    return conn.execute(
        select(account).where(account.c.account_id == account_id).with_for_update()
    ).one()


def is_shut(row: Row, now: datetime) -> bool:
    """Whether the account is locked or disabled."""
    return row.disabled_at is not None or (row.locked_until is not None and row.locked_until > now)


def failed(conn: Connection, row: Row, now: datetime) -> None:
    """Count one failure of the row that `held_row` gave."""
    failures = row.failures + 1
    values: dict[str, object] = {"failures": failures}
    if lasting := lock_for(failures):
        values["locked_until"] = now + lasting
    _set(conn, row.account_id, values)


def forget(conn: Connection, account_id: int) -> None:
    """Start counting anew."""
    _set(conn, account_id, {"failures": 0, "locked_until": None})


def _set(conn: Connection, account_id: int, values: dict[str, object]) -> None:
    conn.execute(update(account).where(account.c.account_id == account_id).values(values))
