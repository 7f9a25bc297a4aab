"""Groups (ban chỉ đạo, tổ giúp việc …) of areas: their members, and how many are active."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import asked, begin, current, needs, note, own_area, query_text
from geo import areas
from geo.accounts import overview, store, teams
from geo.accounts.changes import Told
from geo.accounts.teams import Team
from geo.areas import Area
from geo.errors import UsageError
from web import own_areas
from web.accounts import ACTION, place_of
from web.admin_labels import CHANGES
from web.forms import Refused, all_typed, attempt, typed
from web.shell import chosen, page

pages = Blueprint("teams", __name__, url_prefix="/groups")

PERIODS = ("7", "30", "90", "365")
"""Days in which a member who signed in or asked for something was active."""
SHOWN = 500


@pages.get("")
@needs(ACTION)
def index() -> str:
    """The groups of an area and below it, with their members' activity."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="groups", query=query_text())
        return _list(conn, area, {})


@pages.post("")
@needs(ACTION)
def create() -> Response | tuple[str, int]:
    """Make a group."""
    note(subject="group", subject_id=typed("name")[:80], durable=True)
    note(reason=str(Told("group-made")))

    def made(conn: Connection) -> int:
        where = own_areas.named(conn, typed("area"), ACTION)
        note(**place_of(where))
        name, kind = typed("name"), typed("kind")
        return teams.create(conn, current(), where, name, kind)

    done = attempt(made)
    if isinstance(done, Refused):
        with begin() as conn:
            area = areas.get(conn, own_area(current(), ACTION))
            return _list(conn, area, all_typed(), done), done.status
    flash(_("Đã lưu: %(what)s.", what=CHANGES["group-made"]), "done")
    return redirect(url_for("teams.group", team_id=done), 303)


@pages.get("/<int:team_id>")
@needs(ACTION)
def group(team_id: int) -> str:
    """One group with its members."""
    note(subject="group", subject_id=str(team_id))
    with begin() as conn:
        return _one(conn, team_id, {})


@pages.post("/<int:team_id>")
@needs(ACTION)
def change(team_id: int) -> Response | tuple[str, int]:
    """Do the one thing that the form's `change` names."""
    what = typed("change")
    note(subject="group", subject_id=str(team_id), durable=True)

    def changed(conn: Connection) -> Team:
        found = _noted(teams.get(conn, team_id))
        if what not in _CHANGES:
            raise UsageError(_("Không có thao tác này; tải lại trang rồi chọn lại."))
        note(reason=str(Told(what)))
        _CHANGES[what](conn, found)
        return found

    done = attempt(changed)
    if isinstance(done, Refused):
        with begin() as conn:
            return _one(conn, team_id, all_typed(), done), done.status
    flash(_("Đã lưu: %(what)s.", what=CHANGES[what]), "done")
    if what == "group-dissolved":
        return redirect(url_for("teams.index", area=done.area_code), 303)
    return redirect(url_for("teams.group", team_id=team_id), 303)


def _rename(conn: Connection, found: Team) -> None:
    teams.rename(conn, current(), found.team_id, typed("name"), typed("kind"))


def _dissolve(conn: Connection, found: Team) -> None:
    teams.remove(conn, current(), found.team_id)


def _add(conn: Connection, found: Team) -> None:
    login = store.folded_login(typed("login"))
    note(reason=str(Told("joined", login[:64])))
    member = store.by_login(conn, login)
    teams.add(conn, current(), found.team_id, member.account_id, typed("position"))


def _take_out(conn: Connection, found: Team) -> None:
    member = store.by_login(conn, typed("login"))
    note(reason=str(Told("left", member.login)))
    teams.take_out(conn, current(), found.team_id, member.account_id)


_CHANGES: dict[str, Callable[[Connection, Team], None]] = {
    "group-renamed": _rename,
    "group-dissolved": _dissolve,
    "joined": _add,
    "left": _take_out,
}


def _noted(found: Team) -> Team:
    note(
        subject_id=found.name,
        province_code=found.province_code,
        commune_code=found.commune_code,
    )
    return found


def _since() -> tuple[str, datetime]:
    days = chosen("days", PERIODS, "30")
    return days, datetime.now(UTC) - timedelta(days=int(days))


def _list(
    conn: Connection, area: Area, values: dict[str, Any], refused: Refused | None = None
) -> str:
    days, since = _since()
    found = teams.activity(conn, area, since)
    note(rows=len(found))
    shown = found[:SHOWN]
    return page(
        conn,
        "teams.html",
        active="teams",
        area=area,
        title=_("Nhóm") + ": " + area.full_name,
        options=own_areas.around(conn, area, ACTION),
        groups=shown,
        total=teams.total(found),
        names=own_areas.names(conn, (one.team.area_code for one in shown), area),
        days=days,
        periods=PERIODS,
        values={"area": own_areas.titled(area), **values},
        refused=refused,
        suggestions=own_areas.suggestions(conn, area, ACTION),
    )


def _one(
    conn: Connection, team_id: int, values: dict[str, Any], refused: Refused | None = None
) -> str:
    found = _noted(teams.get(conn, team_id))
    days, since = _since()
    area = areas.get(conn, found.area_code)
    members = teams.members(conn, team_id)
    note(rows=len(members))
    return page(
        conn,
        "team.html",
        active="teams",
        area=area,
        title=found.name,
        team=found,
        members=members,
        since=since,
        days=days,
        periods=PERIODS,
        values={"name": found.name, "kind": found.kind, **values},
        refused=refused,
        people=overview.outside(conn, area, team_id),
    )
