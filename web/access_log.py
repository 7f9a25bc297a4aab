"""The access log for administrators: who looked at what, newest first, and as a file."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from api.access import asked, begin, needs, note, query_text
from api.answers import table
from geo import trail
from geo.areas import Area
from geo.errors import UsageError
from geo.paging import Record
from geo.trail_filters import Wanted, entries
from web import admin_labels as labels
from web import own_areas
from web.accounts import place_of
from web.shell import chosen, page

pages = Blueprint("access_log", __name__, url_prefix="/log")

ACTION = "log.read"
SHOWN = 100
FILE_COLUMNS = (
    "entry_id", "at", "login", "via", "address", "action", "route", "subject", "subject_id",
    "province_code", "commune_code", "query", "rows", "outcome", "reason",
)  # fmt: skip


@pages.app_template_global("log_about")
def log_about(subject: str, subject_id: str, area: Area) -> str | None:
    """The address of the log's entries about a record; None for those who may not read them."""
    if not own_areas.allowed(area, ACTION):
        return None
    return url_for("access_log.index", area=area.code, subject=subject, id=subject_id)


@pages.get("")
@needs(ACTION)
def index() -> str:
    """Entries about an area and below it, filtered."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="log", query=query_text())
        wanted = _wanted(area)
        listed = trail.page(
            conn, *wanted.conditions(), cursor=request.args.get("cursor") or None, limit=SHOWN
        )
        note(rows=len(listed.items))
        return page(
            conn,
            "log.html",
            active="access_log",
            area=area,
            title=_("Nhật ký truy cập") + ": " + area.full_name,
            options=own_areas.around(conn, area, ACTION),
            page=listed,
            wanted=wanted,
            places=own_areas.names(conn, map(_place, listed.items), area),
            file_url=_file_url(),
        )


@pages.get("/file.csv")
@needs(ACTION)
def file() -> Response:
    """The entries of `index`, all of them, as CSV."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="log", query=query_text(), **place_of(area))
        rows = list(entries(conn, _wanted(area)))
    return table(f"log-{area.code}", "csv", FILE_COLUMNS, rows)


def _place(entry: Record) -> str:
    return entry["commune_code"] or entry["province_code"]


def _file_url() -> str:
    """The address of the file that holds what the page shows."""
    kept = {name: value for name, value in request.args.items() if value and name != "cursor"}
    return url_for("access_log.file") + ("?" + urlencode(kept) if kept else "")


def _wanted(area: Area) -> Wanted:
    """What the address asks for."""
    asked_for: dict[str, Any] = {
        name: request.args.get(parameter, "").strip()[:200]
        for name, parameter in (("login", "account"), ("subject", "subject"), ("subject_id", "id"))
    }
    return Wanted(
        area,
        action=chosen("action", labels.ACTIONS, ""),
        outcome=chosen("outcome", labels.OUTCOMES, ""),
        day=_day(request.args.get("day", "")),
        tiles=request.args.get("tiles") == "1",
        **asked_for,
    )


def _day(text: str) -> date | None:
    """The day that is asked for; raises UsageError for one that cannot be."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = date.max
    if day == date.max:  # which has no next day, either
        raise UsageError(
            _("Không có ngày “%(day)s”. Viết ngày theo dạng 2026-12-31.", day=text.strip()[:20])
        )
    return day
