"""Who has access to an area, and the hand-over of its administration."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import asked, begin, current, needs, note
from geo import areas
from geo.accounts import handovers, overview, rights, roles, store
from geo.accounts.changes import Told
from geo.accounts.roles import ADMINISTRATOR
from geo.areas import Area
from web import own_areas
from web.accounts import ACTION, place_of
from web.forms import Refused, all_typed, attempt, typed
from web.shell import page

pages = Blueprint("area_access", __name__, url_prefix="/accounts/area")

MOST = 1000
CANDIDATES = 300


@pages.get("")
@needs(ACTION)
def find() -> Response:
    """The page of the area that the form on it names, by default of the user's own."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
    return redirect(url_for("area_access.index", code=area.code))


@pages.get("/<code>")
@needs(ACTION)
def index(code: str) -> str:
    """Everybody whose roles reach the area, as a table to print, and the hand-overs so far."""
    note(subject="access", subject_id=code[:20])
    with begin() as conn:
        area = asked(conn, code)
        held = rights.holders(conn, area, MOST)
        note(rows=len(held))
        covering = {one.code for one in (area, *areas.ancestors(conn, area.code))}
        given = handovers.listing(conn, area)
        codes = [one.area_code for one in held] + [one.area_code for one in given]
        return page(
            conn,
            "area_access.html",
            active="accounts",
            area=area,
            title=_("Người có quyền") + ": " + area.full_name,
            options=own_areas.around(conn, area, ACTION),
            whole=[one for one in held if one.area_code in covering],
            part=[one for one in held if one.area_code not in covering],
            cut=len(held) == MOST,
            hidden_above=own_areas.beyond(conn, area, ACTION),
            names=own_areas.names(conn, codes, area),
            handovers=given,
        )


@pages.get("/<code>/handover")
@needs(ACTION)
def choose(code: str) -> str:
    """The form of a hand-over."""
    note(subject="access", subject_id=code[:20])
    with begin() as conn:
        return _form(conn, asked(conn, code), {})


@pages.post("/<code>/handover")
@needs(ACTION)
def hand_over(code: str) -> Response | tuple[str, int]:
    """Hand the area's administration to an account of it; keep one's own role or give it up."""
    login, keep = store.folded_login(typed("login")), typed("keep") != "no"
    kept = "kept" if keep else "given up"
    note(subject="account", subject_id=login, durable=True)

    def handed(conn: Connection) -> Area:
        area = asked(conn, code)
        note(**place_of(area), reason=str(Told("handed-over", f"{area.code}, {kept}")))
        receiver = store.by_login(conn, login)
        reason = typed("reason")
        rights.hand_over(conn, current(), receiver.account_id, area, reason=reason, keep=keep)
        return area

    done = attempt(handed)
    if isinstance(done, Refused):
        with begin() as conn:
            return _form(conn, asked(conn, code), all_typed(), done), done.status
    flash(
        _("Đã bàn giao quản trị %(area)s cho %(login)s.", area=done.full_name, login=login), "done"
    )
    # Whoever gave up the only role that reaches the area may not see its page any more.
    return redirect(url_for("area_access.index", code=done.code) if keep else "/", 303)


def _form(
    conn: Connection, area: Area, values: dict[str, Any], refused: Refused | None = None
) -> str:
    mine = roles.held_by(current().assignments, ADMINISTRATOR)
    people = overview.listing(conn, area, limit=CANDIDATES).accounts
    return page(
        conn,
        "handover.html",
        active="accounts",
        area=area,
        title=_("Bàn giao quản trị") + ": " + area.full_name,
        values=values,
        refused=refused,
        people=[
            one
            for one in people
            if one.disabled_at is None and one.account_id != current().account_id
        ],
        shortest=rights.SHORTEST,
        may_give_up=any(one.area_code == area.code for one in mine),
    )
