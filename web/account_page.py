"""One account as its administrators see and change it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import begin, current, needs, note
from geo.accounts import changes, delegation, overview, rights, roles, store, tokens
from geo.accounts.changes import Told
from geo.accounts.store import Account
from geo.errors import ForbiddenError, UsageError
from web import once, own_areas
from web.accounts import ACTION
from web.admin_labels import CHANGES
from web.forms import Refused, all_typed, attempt, typed
from web.shell import area_or_none, page

pages = Blueprint("account_page", __name__, url_prefix="/accounts")


@pages.get("/<int:account_id>")
@needs(ACTION)
def index(account_id: int) -> str:
    """What the account is, what it may do where, and what can be changed."""
    note(subject="account", subject_id=str(account_id))
    with begin() as conn:
        return _page(conn, account_id)


@pages.post("/<int:account_id>")
@needs(ACTION)
def change(account_id: int) -> Response | tuple[str, int]:
    """Do the one thing that the form's `change` names."""
    note(subject="account", subject_id=str(account_id), durable=True)
    done = attempt(lambda conn: _changed(conn, account_id))
    if isinstance(done, Refused):
        with begin() as conn:
            return _page(conn, account_id, done), done.status
    flash(_("Đã lưu: %(what)s.", what=CHANGES[typed("change")]), "done")
    return redirect(url_for("account_page.index", account_id=account_id), 303)


def _changed(conn: Connection, account_id: int) -> None:
    """Do what the form says; a new password waits for the page that shows it once."""
    what = typed("change")
    found = _noted(store.get(conn, account_id))
    note(reason=str(Told(what)) if what in CHANGES else "")
    if what in changes.ACTS:
        password = changes.ACTS[what](conn, current(), account_id)
        if password:
            once.keep(conn, f"password {account_id}", password)
        return
    if what not in _WITH_DETAILS:
        raise UsageError(_("Không có thao tác này; tải lại trang rồi chọn lại."))
    _WITH_DETAILS[what](conn, found)


def _rename(conn: Connection, found: Account) -> None:
    names = {"full_name": typed("full_name"), "position": typed("position")}
    store.rename(conn, current(), found.account_id, **names)


def _move(conn: Connection, found: Account) -> None:
    home = own_areas.named(conn, typed("area"), ACTION)
    note(reason=str(Told("moved", f"{found.home_code} → {home.code}")))
    store.set_home(conn, current(), found.account_id, home)


def _grant(conn: Connection, found: Account) -> None:
    role = typed("role")
    where = own_areas.named(conn, typed("area"), ACTION)
    note(reason=str(Told("granted", f"{role[:40]}@{where.code}")))
    rights.grant(conn, current(), found.account_id, role, where)


def _revoke(conn: Connection, found: Account) -> None:
    role, _at, code = typed("held").partition("@")
    note(reason=str(Told("revoked", f"{role[:40]}@{code[:20]}")))
    rights.revoke(conn, current(), found.account_id, role, code)


def _revoke_token(conn: Connection, found: Account) -> None:
    number = typed("token")
    note(reason=str(Told("token-revoked", number[:20])))
    token_id = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0
    tokens.revoke(conn, current(), token_id, account_id=_another(found))


_WITH_DETAILS: dict[str, Callable[[Connection, Account], None]] = {
    "renamed": _rename,
    "moved": _move,
    "granted": _grant,
    "revoked": _revoke,
    "token-revoked": _revoke_token,
}


def _another(found: Account) -> int:
    """The account's id; one's own tokens are ended on one's own page."""
    _check(found)
    return found.account_id


def _noted(found: Account) -> Account:
    """Tell the access log whose account it is, and where it belongs."""
    note(
        subject_id=found.login,
        province_code=found.province_code,
        commune_code=found.commune_code,
        rows=1,
    )
    return found


def _check(found: Account) -> None:
    delegation.check_change(current(), found.account_id, found.home, found.places)


def _closed(found: Account) -> str:
    """Why the account is not who asks' to change; '' when it is."""
    try:
        _check(found)
    except ForbiddenError as error:
        return str(error)
    return ""


def _page(conn: Connection, account_id: int, refused: Refused | None = None) -> str:
    found = _noted(store.get(conn, account_id))
    home = area_or_none(conn, found.home_code)
    closed = _closed(found)
    values: dict[str, Any] = {"area": own_areas.titled(home) if home else found.home_code}
    if refused:
        values |= all_typed()
    return page(
        conn,
        "account_one.html",
        active="accounts",
        area=home if home and own_areas.allowed(home, ACTION) else None,
        title=found.full_name,
        account=found,
        home=home,
        state=overview.state_of(found),
        sessions=overview.open_sessions(conn, account_id),
        tokens=[] if closed else tokens.listing_of(conn, current(), account_id),
        closed=closed,
        password=once.take(conn, f"password {account_id}"),
        refused=refused,
        values=values,
        suggestions=own_areas.suggestions(conn, home, ACTION) if home else [],
        role_keys=list(roles.ROLES),
    )
