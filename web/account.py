"""One's own account: name and roles, where it is signed in, its password and its second factor."""

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import begin, caller, current, note, signed_in, while_unsettled
from geo import areas
from geo.accounts import credentials, passwords, roles, sessions, store, totp
from geo.accounts.changes import Told
from geo.accounts.held import Held
from geo.areas import COUNTRY
from geo.errors import ForbiddenError, RejectedError
from web import devices, labels
from web.language import language
from web.messages import in_words
from web.shell import area_or_none, with_province

pages = Blueprint("account", __name__, url_prefix="/account")

Errors = dict[str, str]


@pages.before_request
def people_only() -> None:
    """Refuse tokens: whoever finds one must not get at the account that it belongs to."""
    if caller().via != "session":
        raise ForbiddenError("A token does not open the pages of its account; sign in.")


def tell_log(change: str, details: str = "") -> None:
    """Tell the access log what one changes in one's own account."""
    reason = str(Told(change, details))
    login = current().login
    note(action="account.own", subject="account", subject_id=login, reason=reason, durable=True)


@pages.get("")
@signed_in
def index() -> str:
    """Who one is here, what one may do where, and where one is signed in."""
    user = current()
    with begin() as conn:
        found = store.get(conn, user.account_id)
        return render_template(
            "account.html",
            active="account",
            title=_("Tài khoản của tôi"),
            found=found,
            held=[(one, _where(conn, one)) for one in found.held],
            role_labels=labels.ROLES,
            may_do=[labels.ACTIONS[key] for key in roles.ACTIONS if user.may(key)],
            listed=sessions.listing(conn, user.account_id, current_user.secret),
            device=devices.device,
        )


@pages.post("/sessions/end")
@signed_in
def end_session() -> Response:
    """Sign out at one other place."""
    tell_log("own-signed-out")
    with begin() as conn:
        sessions.end_one(conn, current().account_id, request.form.get("key", ""))
    flash(_("Đã đăng xuất ở nơi đó."), "done")
    return redirect(url_for("account.index"), 303)


@pages.post("/sessions/end-others")
@signed_in
def end_others() -> Response:
    """Sign out everywhere but here."""
    tell_log("own-signed-out")
    with begin() as conn:
        ended = sessions.end_all(conn, current().account_id, but=current_user.secret)
    flash(_("Đã đăng xuất ở %(n)s nơi khác.", n=ended), "done")
    return redirect(url_for("account.index"), 303)


@pages.route("/password", methods=["GET", "POST"])
@signed_in
@while_unsettled
def password() -> str | tuple[str, int] | Response:
    """A new password, with the present one typed again."""
    errors = _change_password() if request.method == "POST" else {}
    if request.method == "POST" and not errors:
        flash(_("Đã đổi mật khẩu. Mọi nơi đăng nhập khác đã bị đăng xuất."), "done")
        return _next_step()
    shown = render_template(
        "password.html",
        active="account",
        title=_("Đổi mật khẩu"),
        errors=errors,
        forced=caller().unsettled == "password",
        least=passwords.MIN_LENGTH,
    )
    return (shown, 422) if errors else shown


@pages.get("/second-factor")
@signed_in
@while_unsettled
def second_factor() -> str:
    """How the second factor stands, and how to set it up or do without."""
    with begin() as conn:
        return _second_factor(conn)


@pages.post("/second-factor")
@signed_in
@while_unsettled
def begin_second_factor() -> Response:
    """Make a new secret; the page then shows it as a QR code."""
    tell_log("own-code-begun")
    with begin() as conn:
        totp.begin(conn, current().account_id)
    return redirect(url_for("account.second_factor"), 303)


@pages.post("/second-factor/confirm")
@signed_in
@while_unsettled
def confirm_second_factor() -> tuple[str, int] | Response:
    """Ask for codes from now on, once the app has shown a right one."""
    tell_log("own-code-on")
    with begin() as conn:
        right = totp.confirm(conn, current().account_id, request.form.get("code", ""))
        if not right:
            return _second_factor(conn, code=_wrong_code()), 422
    flash(_("Đã bật xác thực hai bước."), "done")
    return _next_step()


@pages.post("/second-factor/remove")
@signed_in
def remove_second_factor() -> tuple[str, int] | Response:
    """Do without codes; administrators cannot."""
    tell_log("own-code-off")
    with begin() as conn:
        removed = totp.remove(conn, current(), request.form.get("code", ""))
        if not removed:
            return _second_factor(conn, code=_wrong_code()), 422
    flash(_("Đã tắt xác thực hai bước."), "done")
    return redirect(url_for("account.second_factor"), 303)


def _next_step() -> Response:
    """Where to go from a step that had to be done: the start page leads to the next one."""
    done = "progress.home" if caller().unsettled else "account.index"
    return redirect(url_for(done), 303)


def _change_password() -> Errors:
    old, new = request.form.get("old", ""), request.form.get("new", "")
    if new != request.form.get("again", ""):
        return {"again": _("Hai lần nhập mật khẩu mới không giống nhau.")}
    tell_log("own-password")
    try:
        with begin() as conn:
            changed = credentials.change_password(
                conn, current().account_id, old, new, session=current_user.secret
            )
    except RejectedError as error:
        return {"new": in_words(str(error), language())}
    return {} if changed else {"old": _("Mật khẩu hiện tại không đúng, hoặc tài khoản bị khoá.")}


def _second_factor(conn: Connection, **errors: str) -> str:
    user = current()
    pending = totp.pending(conn, user.account_id)
    return render_template(
        "second_factor.html",
        active="account",
        title=_("Xác thực hai bước"),
        since=store.get(conn, user.account_id).totp_confirmed_at,
        secret=pending and _spaced(pending[0]),
        code_image=pending and _image(pending[1]),
        needed=bool(roles.held_by(user.assignments, roles.ADMINISTRATOR)),
        forced=caller().unsettled == "totp",
        errors=errors,
    )


def _image(address: str) -> Markup:
    """The QR code as SVG; it is made of path commands only, whatever the address holds."""
    made = segno.make(address, error="m", micro=False)
    return Markup(made.svg_inline(scale=5, border=3, light="#fff", svgclass="qr"))  # noqa: S704


def _spaced(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _where(conn: Connection, held: Held) -> str:
    """The area of a role, by its full name."""
    found = area_or_none(conn, held.area_code) if held.counts else None
    return with_province(conn, found, areas.get(conn, COUNTRY)) if found else held.area_name


def _wrong_code() -> str:
    return _("Mã không đúng. Chờ mã mới trong ứng dụng rồi nhập lại; giờ của điện thoại phải đúng.")
