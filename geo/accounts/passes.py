"""Passes: what a session or token gives right to, kept for a minute and proved at each request.

To read who somebody is takes a dozen statements; to ask whether it is still the same takes one. A
pass holds what was read and, as one text, all that it rests on. It counts in a transaction only
where the database tells the same text there: what was revoked is gone with the next request.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from time import monotonic

from sqlalchemy import Connection, text

from geo.accounts.clock import moment
from geo.accounts.roles import User
from geo.accounts.sessions import hash_of
from geo.config import settings
from geo.scope import of

SESSION, TOKEN = "session", "token"

LIVES_S = 60
"""As long as what is noted of a session's last use may be old; see geo.accounts.sessions."""
_MOST = 20_000

_kept: "OrderedDict[tuple[str, bytes], Pass]" = OrderedDict()
_lock = Lock()

_ASKED = text("SELECT account_grounds(:session, :token, :account, :own, :idle, :now)")


@dataclass(frozen=True)
class Pass:
    """Who comes with a session or token, what they must do first, and what that rests on."""

    kind: str
    secret_hash: bytes
    user: User
    unsettled: str
    grounds: str
    until: float


def known(kind: str, secret: str) -> Pass | None:
    """The pass kept for a session's or token's secret; proves nothing yet: see `holds`."""
    with _lock:
        found = _kept.get((kind, hash_of(secret)))
    return found if found is not None and monotonic() < found.until else None


def keep(conn: Connection, kind: str, secret: str, user: User, unsettled: str) -> None:
    """Keep what was just read in the transaction of `conn` of who comes with a secret."""
    hashed = hash_of(secret)
    grounds = _grounds(conn, kind, hashed, user.account_id)
    if grounds is None:
        return
    made = Pass(kind, hashed, user, unsettled, grounds, monotonic() + LIVES_S)
    with _lock:
        _kept[kind, hashed] = made
        _kept.move_to_end((kind, hashed))
        while len(_kept) > _MOST:
            _kept.popitem(last=False)


def holds(conn: Connection, one: Pass) -> bool:
    """Whether a pass is right at this moment; one that is not is forgotten."""
    if _grounds(conn, one.kind, one.secret_hash, one.user.account_id) == one.grounds:
        return True
    with _lock:
        _kept.pop((one.kind, one.secret_hash), None)
    return False


def _grounds(conn: Connection, kind: str, secret_hash: bytes, account_id: int) -> str | None:
    """All that the rights of a session or token rest on, as one text; None when it is over."""
    own = of(conn).account_id
    named = {
        "session": secret_hash.hex() if kind == SESSION else "",
        "token": secret_hash.hex() if kind == TOKEN else "",
        "account": account_id,
        "own": "" if own is None else str(own),
        "idle": timedelta(minutes=settings().session_idle_minutes),
        "now": moment(None),
    }
    return conn.execute(_ASKED, named).scalar()
