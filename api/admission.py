"""Admission: who a request is from, whether it may, and the entry it leaves in the access log.

A route that says neither what it needs nor that it is public is refused. Rights are read anew for
each request, so that one taken away is gone with the next.
"""

import logging
from typing import cast

from flask import Flask, Response, abort, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect

from api import access, entries, reading
from api.access import PUBLIC, SIGNED_IN, Caller, PassOverError, caller
from api.looks import Looks
from geo import trail
from geo.accounts import keys, passes, sessions, tokens
from geo.accounts.roles import User
from geo.config import settings
from geo.errors import AncuError, ForbiddenError, SignInError
from geo.scope import NOBODY

log = logging.getLogger(__name__)

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
BEARER = "Bearer "
csrf = CSRFProtect()
_looks = Looks()

_BY_PREFIX = {"static": PUBLIC, "openapi": PUBLIC, "swagger": PUBLIC}
"""Routes that libraries bring: by the first part of their endpoint."""


class SignedIn(UserMixin):
    """What Flask-Login holds: the account, found by the secret in the signed cookie."""

    def __init__(self, user: User, secret: str, unsettled: str) -> None:
        self.user, self.secret, self.unsettled = user, secret, unsettled

    def get_id(self) -> str:
        """The session's secret: the cookie names a session, not an account."""
        return self.secret


def install(app: Flask) -> None:
    """Guard all routes of `app`; raises UsageError without keys: no default secret exists."""
    app.secret_key = keys.keys().session
    app.config.update(
        SESSION_COOKIE_NAME="ancu",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings().https,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, which ends by itself
    )
    csrf.init_app(app)
    manager = LoginManager()
    # Templates ask `caller`: an error page must not look the session up once more.
    manager.init_app(app, add_context_processor=False)
    manager.session_protection = None  # sessions live in the database; phones change addresses
    manager.user_loader(_by_session)
    app.before_request(_admit)
    app.after_request(_record)
    app.register_error_handler(PassOverError, _once_more)
    app.jinja_env.globals.update(may=access.may, caller=caller)


def action_of(app: Flask, endpoint: str) -> str | None:
    """What a route needs: a key of ACTIONS, PUBLIC, SIGNED_IN; None when it does not say."""
    said = getattr(app.view_functions.get(endpoint), "action", None)
    return said or _BY_PREFIX.get(endpoint.split(".")[0])


def _admit() -> None:
    """Find out who asks and refuse what the route does not allow."""
    if request.endpoint is None:
        _identify(caller())  # no such route: answered with 404, on a page with the user's menu
        return
    action = action_of(current_app, request.endpoint)
    if action is None:
        log.error("The route %s does not say what it needs.", request.endpoint)
        abort(500)
    told = caller()
    told.action = action
    if request.endpoint.split(".")[0] == "static":
        return
    if not _may_be_proved_within() or not _by_pass(told):
        _identify(told)
    if told.user is None and action != PUBLIC:
        raise SignInError("Sign in first.")
    if request.method not in SAFE_METHODS and told.via != "token":
        csrf.protect()
    if action == PUBLIC:
        return
    view = current_app.view_functions[request.endpoint]
    if told.unsettled and not getattr(view, "while_unsettled", False):
        raise ForbiddenError(
            "Choose a new password first." if told.unsettled == "password"
            else "Set up the second factor (TOTP) first: administrators need one."
        )  # fmt: skip
    access.scope()  # refuses whose roles have not the action anywhere


def _identify(told: Caller) -> None:
    """Who asks: by a token where one is sent, else by the session in the cookie."""
    header = request.headers.get("Authorization", "")
    if header:
        told.via = "token"
        if header.startswith(BEARER):
            told.user = _by_token(header.removeprefix(BEARER).strip())
        if told.user is None:
            raise SignInError("This token is unknown, expired or revoked.")
    elif current_user.is_authenticated:
        signed_in = cast(SignedIn, current_user)
        told.via, told.user, told.unsettled = "session", signed_in.user, signed_in.unsettled


def is_known() -> bool:
    """Whether the request names a session or token that opened something a moment ago."""
    return _known() is not None


def _known() -> passes.Pass | None:
    """The pass of the session or token that the request names."""
    header = request.headers.get("Authorization", "")
    if header:
        secret = header.removeprefix(BEARER).strip()
        return passes.known(passes.TOKEN, secret) if header.startswith(BEARER) else None
    return passes.known(passes.SESSION, str(session.get("_user_id", "")))


def _may_be_proved_within() -> bool:
    """Whether the view's own transaction can prove who asks: it is to be on the primary."""
    view = current_app.view_functions[str(request.endpoint)]
    return (
        getattr(view, "proved_within", False)
        and request.method in SAFE_METHODS
        and not reading.on_replica()
    )


def _by_pass(told: Caller) -> bool:
    """Take who asks from a pass, to be proved by `access.begin`; False where there is none.

    A pass that does not allow what is asked for is not relied on either: rights may have come.
    """
    known = _known()
    if known is None or known.unsettled or not known.user.may(told.action):
        return False
    told.via, told.user, told.unproved = known.kind, known.user, known
    return True


def _once_more(_error: PassOverError) -> ResponseReturnValue:
    """Admit and answer the request again: the pass is forgotten, so all is read anew."""
    g.pop("caller")
    return reading.once_more()


def _by_session(secret: str) -> SignedIn | None:
    with access.opener()(NOBODY) as conn:
        known = passes.known(passes.SESSION, secret)
        if known and passes.holds(conn, known):
            return SignedIn(known.user, secret, known.unsettled)
        found = sessions.find(conn, secret)
        if found is None:
            return None
        needed = "password" if found.must_change_password else "totp" if found.must_set_totp else ""
        passes.keep(conn, passes.SESSION, secret, found.user, needed)
    return SignedIn(found.user, secret, needed)


def _by_token(secret: str) -> User | None:
    with access.opener()(NOBODY) as conn:
        known = passes.known(passes.TOKEN, secret)
        if known and passes.holds(conn, known):
            return known.user
        user = tokens.find(conn, secret)
        if user is not None:
            passes.keep(conn, passes.TOKEN, secret, user, "")
        return user


def _record(response: Response) -> Response:
    """Write the request into the access log; without an entry there is no answer."""
    told = caller()
    refused = response.status_code in (401, 403)
    if told.unproved is not None and response.status_code < 400:
        log.error("The route %s was to prove who asks and did not.", request.endpoint)
        response.close()
        return current_app.make_response(("Who asks was not proved.\n", 500))
    if told.recorded and response.status_code < 400:
        return response  # its entry was stored with what it changed
    if not (refused or told.note.wanted or told.action not in (PUBLIC, SIGNED_IN)):
        return response
    entry = entries.of(response.status_code)
    try:
        if entry.outcome == "allowed" and told.note.look:
            with _looks.first(
                (entry.account_id, entry.via, entry.address, told.note.look)
            ) as first:
                if first:
                    _store(entry)
        else:
            _store(entry)
    except AncuError as error:
        log.error("The access log cannot be written: %s", error)
        if response.status_code < 400:
            response.close()
            return current_app.make_response(_unlogged())
    return response


def _store(entry: trail.Entry) -> None:
    durable = entry.outcome != "allowed" or caller().note.durable
    with access.opener()(NOBODY) as conn:
        trail.append(conn, entry, durable=durable)


def _unlogged() -> tuple[str, int]:
    return "The access log cannot be written, so nothing is shown. Try again later.\n", 503
