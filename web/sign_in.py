"""Signing in with login, password and, where set up, a code; and out again."""

import base64
import binascii
import json
import time

import flask
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from api import limits
from api.access import begin, caller, note, public, signed_in, while_unsettled
from api.admission import SignedIn
from api.limits import limiter
from geo.accounts import sessions
from geo.accounts.changes import Told
from geo.accounts.sealing import seal, unseal
from geo.accounts.sign_in import Outcome, sign_in
from geo.accounts.store import folded_login
from geo.errors import ForbiddenError, UnavailableError

pages = Blueprint("sign_in", __name__)

STEP_SECONDS = 300
"""How long the second step waits for its code."""
MAX_LOGIN = 100

_STEP = "sign-in step"


@pages.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(limits.SIGN_IN, methods=["POST"])
@public
def page() -> str | tuple[str, int] | Response:
    """The form, and what is sent with it; `next` is where to go afterwards."""
    wanted = own_path(request.args.get("next", ""))
    if request.method == "POST":
        return _attempt(wanted)
    if caller().user is not None:
        return redirect(wanted, 303)
    return _form(wanted)


@pages.post("/sign-out")
@signed_in
@while_unsettled
def logout() -> Response:
    """End this session, here and in the database."""
    if caller().via != "session":
        raise ForbiddenError("A token has no session to end; revoke it instead.")
    note(action="sign-out", durable=True)
    with begin() as conn:
        sessions.end(conn, current_user.secret)
    logout_user()
    flask.session.clear()
    flash(_("Bạn đã đăng xuất."), "done")
    return redirect(url_for("sign_in.page"), 303)


def own_path(wanted: str) -> str:
    """`wanted` if it is a path of this service, else the start page.

    Browsers read `//` and `/\\` as another host, and leave out tabs and line breaks.
    """
    leads_away = wanted.startswith("//") or "\\" in wanted or not wanted.isprintable()
    return wanted if wanted.startswith("/") and not leads_away else "/"


def _attempt(wanted: str) -> str | tuple[str, int] | Response:
    step = request.form.get("step", "")
    said = _opened(step) if step else _typed()
    note(action="sign-in", durable=True)
    if said is None:
        return _form(wanted, expired=True), 401
    login, password = said
    with begin() as conn:
        outcome = sign_in(
            conn,
            login,
            password,
            request.form.get("code", "").strip() or None,
            address=request.remote_addr or "",
            agent=request.user_agent.string,
        )
    _tell_log(login, outcome)
    if outcome.secret is not None:
        return _enter(outcome.secret, wanted)
    if outcome.answer == "totp":
        form = _form(wanted, step=step or _sealed(login, password), failed=bool(step))
        return form, 401 if step else 200
    return _form(wanted, step=step, login=login, failed=True), 401


def _typed() -> tuple[str, str]:
    return request.form.get("login", "")[:MAX_LOGIN], request.form.get("password", "")


def _sealed(login: str, password: str) -> str:
    """What the second step needs of the first, readable to this service only and for a while."""
    until = int(time.time()) + STEP_SECONDS
    return base64.b64encode(seal(json.dumps([login, password, until]), _STEP)).decode()


def _opened(step: str) -> tuple[str, str] | None:
    """The login and password of the first step; None when it is too long ago or not ours."""
    try:
        login, password, until = json.loads(unseal(base64.b64decode(step), _STEP))
    except (UnavailableError, binascii.Error, ValueError):
        return None
    return (login, password) if time.time() < until else None


def _tell_log(login: str, outcome: Outcome) -> None:
    province_code, commune_code = outcome.place
    note(
        login=folded_login(login),
        account_id=outcome.account_id,
        province_code=province_code,
        commune_code=commune_code,
        reason=str(Told("code-asked")) if outcome.answer == "totp" else "",
    )


def _enter(secret: str, wanted: str) -> Response:
    with begin() as conn:
        if current_user.is_authenticated:
            sessions.end(conn, current_user.secret)
        found = sessions.find(conn, secret)
    if found is None:  # disabled in this very moment
        return redirect(url_for("sign_in.page"), 303)
    flask.session.clear()  # nothing of before: not the form token, not another person's session
    login_user(SignedIn(found.user, secret, ""))
    return redirect(wanted, 303)


def _form(
    wanted: str, *, step: str = "", login: str = "", failed: bool = False, expired: bool = False
) -> str:
    return render_template(
        "sign_in.html",
        title=_("Đăng nhập"),
        active="sign_in",
        next=wanted,
        step=step,
        login=login,
        failed=failed,
        expired=expired,
    )
