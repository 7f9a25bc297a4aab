"""Where a request reads: on the replica where there is one, as long as it shows what is needed.

Who asks and what he may is always read from the primary (api/admission.py), so that a right taken
away is gone with the next request; row-level security holds on the replica as it does there.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import Flask, Response, current_app, g, has_request_context, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from api import access
from api.access import Begin, caller
from geo import db
from geo.accounts import roles
from geo.config import settings
from geo.errors import AncuError
from geo.replica import Replica, ReplicaLostError, State, position
from geo.scope import NOBODY, Scope

log = logging.getLogger(__name__)

ACTIONS = frozenset(("figures.read", "records.read", "records.export"))
"""Reads that may be some seconds old; the log and what changes something is never read so."""
Open = Callable[[], AbstractContextManager[Connection]]
_WROTE = "wrote"
"""Key in the session's cookie: up to where the log of the primary holds what its user wrote."""


class Opener:
    """Opens the transactions of requests: on the replica what it can serve, else on the primary."""

    def __init__(self, replica: Replica, url: str | None = None) -> None:
        self.replica, self._url = replica, url

    def __call__(self, scope: Scope) -> AbstractContextManager[Connection]:
        return self.opened(scope, session.get(_WROTE, 0) if may_lag(scope) else None)

    @contextmanager
    def opened(self, scope: Scope, wrote: int | None) -> Iterator[Connection]:
        """A transaction that sees all up to `wrote`; with None it is the primary's."""
        if wrote is not None:
            with self.replica.reading(scope, wrote) as copy:
                if copy is not None:
                    yield copy
                    return
        with db.served(scope, self._url) as conn:
            self.replica.learn(conn)
            yield conn

    def remember(self, response: Response) -> Response:
        """Keep in the cookie up to where its user must see the log replayed, once he wrote."""
        if request.method in ("GET", "HEAD", "OPTIONS") or caller().via != "session":
            return response
        try:
            with db.served(NOBODY, self._url) as conn:
                session[_WROTE] = position(conn)
        except AncuError as error:
            log.error("It is not known how far the log of the database is: %s", error)
        return response


def install(app: Flask, begin: Begin | None = None) -> None:
    """Give `app` its way to open transactions: `begin`, else as the settings say."""
    chosen = begin or _configured()
    access.install(app, chosen)
    if isinstance(chosen, Opener):
        app.register_error_handler(ReplicaLostError, _from_primary)
        app.after_request(chosen.remember)


def beside(scope: Scope) -> tuple[Open, Open]:
    """Ways to open a transaction of `scope` in a thread beside the request.

    The first may come from the replica, if the request may; the second is for when that is lost.
    """
    begin = access.opener()
    if isinstance(begin, Opener) and may_lag(scope):
        wrote = session.get(_WROTE, 0)
        return lambda: begin.opened(scope, wrote), lambda: begin.opened(scope, None)
    return lambda: begin(scope), lambda: begin(scope)


def replica_state() -> State | None:
    """What the replica does at this moment; None where there is none."""
    begin = access.opener()
    return begin.replica.look() if isinstance(begin, Opener) else None


def _configured() -> Begin:
    url = settings().database_replica_url
    return Opener(Replica(url, settings().replica_max_lag_s)) if url else db.served


def may_lag(scope: Scope) -> bool:
    """Whether this transaction may see the database as it was a moment ago."""
    return (
        has_request_context()
        and request.method in ("GET", "HEAD")
        and scope.action in ACTIONS
        and not scope.write
        and not g.get("on_primary", False)
        and _is_told_of_own_writes()
    )


def _is_told_of_own_writes() -> bool:
    """Whether the request brings along what its user wrote: a cookie does, a token cannot.

    So who holds a token that may write, such as a device, always reads from the primary.
    """
    user = caller().user
    if user is None or caller().via == "session":
        return user is not None
    return user.limited_to is not None and not any(
        roles.ACTIONS[action].writes for action in user.limited_to if action in roles.ACTIONS
    )


def on_replica() -> bool:
    """Whether this process has a replica to read from."""
    return isinstance(access.opener(), Opener)


def _from_primary(_error: ReplicaLostError) -> ResponseReturnValue:
    """Answer the request from the primary: nothing was sent of it yet."""
    g.on_primary = True
    return once_more()


def once_more() -> ResponseReturnValue:
    """Admit and answer the present request again, which must only read."""
    try:
        return current_app.preprocess_request() or current_app.dispatch_request()
    except Exception as error:  # noqa: BLE001 - handled as any error of a view is
        return current_app.handle_user_exception(error)
