"""One's own tokens: made for a device or programme, shown once, revoked."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from api.access import begin, current, signed_in
from geo.accounts import roles, tokens
from geo.accounts.clock import moment
from geo.config import settings
from geo.errors import RejectedError
from web import labels, once
from web.account import people_only, tell_log
from web.language import language
from web.messages import in_words

pages = Blueprint("own_tokens", __name__, url_prefix="/account/tokens")
pages.before_request(people_only)

DAYS = (7, 30, 90, 180, 365)


@pages.get("")
@signed_in
def index() -> str:
    """The tokens, one just made with its secret, and the form for another."""
    return _page({}, {})


@pages.post("")
@signed_in
def make() -> tuple[str, int] | Response:
    """A new token; the page after this one shows it, once."""
    typed: dict[str, Any] = {
        "name": request.form.get("name", "").replace("\0", ""),
        "actions": request.form.getlist("actions"),
        "days": request.form.get("days", type=int),
    }
    tell_log("token-made", typed["name"][:100])
    errors = _checked(typed)
    try:
        if not errors:
            with begin() as conn:
                _id, secret = tokens.make(conn, current(), **typed)
                once.keep(conn, "token", secret)
            return redirect(url_for("own_tokens.index"), 303)
    except RejectedError as error:
        errors = {"name": in_words(str(error).removeprefix("name: "), language())}
    return _page(typed, errors), 422


@pages.post("/<int:token_id>/revoke")
@signed_in
def revoke(token_id: int) -> Response:
    """End a token, from its next request on."""
    tell_log("token-revoked", str(token_id))
    with begin() as conn:
        tokens.revoke(conn, current(), token_id)
    flash(_("Đã thu hồi mã truy cập."), "done")
    return redirect(url_for("own_tokens.index"), 303)


def _checked(typed: dict[str, Any]) -> dict[str, str]:
    errors = {}
    if not set(typed["actions"]) <= set(_offered()) or not typed["actions"]:
        errors["actions"] = _("Chọn ít nhất một việc mà mã được làm.")
    if typed["days"] not in _lives():
        errors["days"] = _("Chọn thời hạn.")
    return errors


def _offered() -> list[str]:
    """The actions that the account has and a token may do."""
    return [key for key in roles.ACTIONS if key not in tokens.NEVER and current().may(key)]


def _lives() -> Sequence[int]:
    return [days for days in DAYS if days <= settings().token_days] or [settings().token_days]


def _page(typed: dict[str, Any], errors: dict[str, str]) -> str:
    with begin() as conn:
        listed = tokens.listing(conn, current().account_id)
        made = once.take(conn, "token")
    return render_template(
        "tokens.html",
        active="account",
        title=_("Mã truy cập"),
        listed=listed,
        now=moment(None),
        made=made,
        offered=_offered(),
        action_labels=labels.ACTIONS,
        lives=_lives(),
        typed=typed,
        errors=errors,
    )
