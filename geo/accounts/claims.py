"""What a transaction may see of accounts before its user is known, or of the user's own account.

Row-level security shows a session, token or account to whoever names it by its secret or login.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select

from geo.scope import bind, of

_NAMES = ("login", "session", "token")


@contextmanager
def claim(conn: Connection, account_id: int | None = None, **named: str) -> Iterator[None]:
    """Within the block the rows named by login, session or token (hex), or an account's own.

    They can be changed, too. The transaction's scope is as before when the block ends.
    """
    wanted = {f"ancu.{name}": named.get(name, "") for name in _NAMES}
    wanted["ancu.write"] = "on"
    if account_id is not None:
        wanted["ancu.account"] = str(account_id)
    _set(conn, wanted)
    yield
    # Not in a `finally`: after an error the transaction is over, and its settings with it.
    _set(conn, {f"ancu.{name}": "" for name in _NAMES})
    bind(conn, of(conn))


def also(conn: Connection, account_id: int) -> None:
    """Inside a `claim`: the named row led to this account, whose own rows it now reaches."""
    _set(conn, {"ancu.account": str(account_id)})


def _set(conn: Connection, settings: dict[str, str]) -> None:
    conn.execute(select(*(func.set_config(name, value, True) for name, value in settings.items())))
