"""Profiles of enumerators and devices: how often their surveys are doubted, against the others."""

from urllib.parse import urlencode

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from api.access import asked, begin, needs, note, query_text, scope
from api.answers import table
from geo.areas import Area
from geo.audit import profiles
from geo.audit.profiles import Asked
from geo.config import settings
from geo.paging import Record
from web import audit_labels, own_areas
from web.desk import day_or_none
from web.shell import chosen, page

pages = Blueprint("profiles", __name__, url_prefix="/audit/people")

ACTION = "audit.read"
BY = {"enumerator": _l("Điều tra viên"), "device_id": _l("Thiết bị")}
SHOWN = 200
FILE_COLUMNS = (
    *("name", "surveys", "days", "last_at", "doubted", "rate", "low", "high", "peers"),
    *("p_adjusted", "stands_out"),
)


@pages.get("")
@needs(ACTION)
def index() -> str:
    """The profiles of an area, those who stand out first."""
    note(subject="profiles", query=query_text())
    with begin() as conn:
        wanted = _wanted(asked(conn, request.args.get("area")))
        found = profiles.of(conn, wanted)
        note(rows=len(found))
        return page(
            conn,
            "profiles.html",
            active="audit",
            area=wanted.area,
            title=_("Hồ sơ điều tra viên") + ": " + wanted.area.full_name,
            options=own_areas.around(conn, wanted.area, ACTION),
            wanted=wanted,
            kinds=BY,
            profiles=found[:SHOWN],
            total=len(found),
            standing_out=sum(bool(one["stands_out"]) for one in found),
            least=settings().profile_surveys,
            bar=_bar,
            queue_of=lambda one: url_for("audit.index") + "?" + urlencode(_filter(wanted, one)),
            file_url=url_for("profiles.file") + "?" + urlencode(_filter(wanted)),
            words=audit_labels,
        )


@pages.get("/file.csv")
@needs(ACTION)
def file() -> Response:
    """All profiles of `index` as CSV, for those who may export, too."""
    scope("records.export")
    note(subject="profiles", query=query_text())
    with begin() as conn:
        wanted = _wanted(asked(conn, request.args.get("area")))
        rows = profiles.of(conn, wanted)
    note(rows=len(rows))
    return table(f"profiles-{wanted.area.code}", "csv", FILE_COLUMNS, rows)


def _wanted(area: Area) -> Asked:
    return Asked(
        area,
        chosen("by", BY, "enumerator"),
        day_or_none(request.args.get("since", "")),
        day_or_none(request.args.get("until", "")),
    )


def _filter(wanted: Asked, one: Record | None = None) -> dict[str, str]:
    """The page's filters as an address has them; of one profile, the queue's."""
    days = {"since": wanted.since, "until": wanted.until}
    kept = {name: day.isoformat() for name, day in days.items() if day}
    if one is None:
        return {"area": wanted.area.code, "by": wanted.by, **kept}
    column = {"enumerator": "enumerator", "device_id": "device"}[wanted.by]
    return {"area": wanted.area.code, column: str(one["name"]), "state": "all", **kept}


def _bar(one: Record) -> dict[str, float]:
    """Where a profile's bar begins and ends and its peers' mark stands, in hundredths."""
    peers = one["peers"]
    return {
        "left": 100 * one["low"],
        "width": max(1.0, 100 * (one["high"] - one["low"])),
        "rate": 100 * one["rate"],
        "peers": 100 * peers if peers == peers else -1.0,
    }
