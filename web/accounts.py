"""Accounts of an administrator's areas: the list with its states, and new ones."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import asked, begin, current, needs, note, own_area, query_text
from geo import areas
from geo.accounts import overview, rights, roles, store
from geo.accounts.changes import Told
from geo.areas import Area
from web import admin_labels as labels
from web import once, own_areas
from web.forms import Refused, all_typed, attempt, typed
from web.shell import chosen, page

pages = Blueprint("accounts", __name__, url_prefix="/accounts")

ACTION = "accounts.manage"


@pages.app_context_processor
def _words() -> dict[str, Any]:
    """What the templates of all administrators' pages name things by."""
    return {"labels": labels}


@pages.get("")
@needs(ACTION)
def index() -> str:
    """Accounts of an area and below it, by name; filtered by state and words."""
    state = chosen("state", overview.STATES, "")
    query = request.args.get("q", "").strip()[:100]
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="accounts", query=query_text())
        sheet = overview.listing(
            conn, area, state=state, query=query, cursor=request.args.get("cursor") or None
        )
        note(rows=len(sheet.accounts))
        return page(
            conn,
            "accounts.html",
            active="accounts",
            area=area,
            title=_("Tài khoản") + ": " + area.full_name,
            options=own_areas.around(conn, area, ACTION),
            counts=overview.counts(conn, area),
            sheet=sheet,
            state=state,
            query=query,
            state_of=overview.state_of,
            homes=own_areas.names(conn, (one.home_code for one in sheet.accounts), area),
        )


@pages.get("/new")
@needs(ACTION)
def new() -> str:
    """The form of a new account."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        return _form(conn, area, {"area": own_areas.titled(area)})


@pages.post("/new")
@needs(ACTION)
def create() -> Response | tuple[str, int]:
    """Make an account; its page shows the random password, once."""
    given = request.form.getlist("role")
    login = store.folded_login(typed("login"))
    note(subject="account", subject_id=login, reason=str(Told("created")), durable=True)

    def made(conn: Connection) -> int:
        home = own_areas.named(conn, typed("area"), ACTION)
        details = ", ".join(f"{role}@{home.code}" for role in given)
        note(**place_of(home), reason=str(Told("created", details)))
        account_id, password = store.create(
            conn,
            current(),
            login=login,
            full_name=typed("full_name"),
            position=typed("position"),
            home=home,
        )
        for role in given:
            rights.grant(conn, current(), account_id, role, home)
        once.keep(conn, f"password {account_id}", password)
        return account_id

    done = attempt(made)
    if isinstance(done, Refused):
        with begin() as conn:
            area = areas.get(conn, own_area(current(), ACTION))
            values = {**all_typed(), "roles": given}
            return _form(conn, area, values, done), done.status
    return redirect(url_for("account_page.index", account_id=done), 303)


def place_of(area: Area) -> dict[str, str]:
    """Where something stands that is about an area, for the access log."""
    return {"province_code": area.province_code or "", "commune_code": area.commune_code}


def _form(
    conn: Connection, area: Area, values: dict[str, Any], refused: Refused | None = None
) -> str:
    return page(
        conn,
        "account_new.html",
        active="accounts",
        area=area,
        title=_("Tạo tài khoản"),
        values=values,
        refused=refused,
        suggestions=own_areas.suggestions(conn, area, ACTION),
        role_keys=list(roles.ROLES),
    )
