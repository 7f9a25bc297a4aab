"""Visits to be made once more: what enumerators have to do, and what of it is done."""

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from api import entries
from api.access import asked, begin, current, needs, note, query_text
from api.answers import table
from geo.areas import Area
from geo.audit import decisions, lately, revisits
from geo.audit.actors import By
from geo.audit.repairs import Key
from geo.paging import Record
from web import audit_labels, desk, desk_evidence, own_areas
from web.desk import Desk
from web.desk_case import DECIDE, may_decide
from web.forms import typed
from web.shell import chosen, page

pages = Blueprint("revisits", __name__, url_prefix="/revisits")

ACTION = "records.read"
PAGE_SIZE = 50
AT_A_TIME = 1000
STATES = {"open": _l("Chưa làm"), "done": _l("Đã làm"), "all": _l("Tất cả")}
FILE_COLUMNS = (
    "revisit_id", "province_code", "commune_code", "household_code", "head_name",
    "recorded_address", "village", "lat", "lon", "enumerator", "reason", "due_on",
    "asked_by_name", "asked_at", "survey_id", "sample_id", "done_survey_id", "done_at",
)  # fmt: skip


@pages.get("")
@needs(ACTION)
def index() -> str:
    """What is to be visited again in an area, the oldest request first."""
    enumerator, state, cursor = _wanted()
    note(subject="revisits", query=query_text())
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        listed = revisits.listing(
            conn, area, enumerator=enumerator, state=state, cursor=cursor, limit=PAGE_SIZE
        )
        note(rows=len(listed.items))
        before, after = Desk.of(request.args).pages(listed.next_cursor, "revisits.index")
        return page(
            conn,
            "revisits.html",
            active="audit",
            area=area,
            title=_("Khảo sát lại") + ": " + area.full_name,
            options=own_areas.around(conn, area, ACTION),
            page=listed,
            enumerator=enumerator or "",
            state=state,
            states=STATES,
            communes=_communes(conn, listed.items, area),
            today=desk.today(),
            before=before,
            after=after,
            words=audit_labels,
            survey_page=_survey_page,
            may_withdraw=lambda one: one["sample_id"] is None and may_decide(_place(one)),
            file_url=_file_url(area),
        )


@pages.get("/file.csv")
@needs("records.export")
def file() -> Response:
    """The visits of `index`, all of them, as CSV."""
    enumerator, state, _cursor = _wanted()
    note(subject="revisits", query=query_text())
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        rows = list(_all(conn, area, enumerator, state))
    return table(f"revisits-{area.code}", "csv", FILE_COLUMNS, rows)


@pages.post("/<int:revisit_id>/withdraw")
@needs(DECIDE)
def withdraw(revisit_id: int) -> Response:
    """Take a request back; where a decision asked for it, the decision with it."""
    province_code, commune_code = typed("province"), typed("commune")
    by = By(current().account_id, current().full_name)
    note(subject="revisit", subject_id=str(revisit_id), durable=True)
    note(reason="withdrawn")
    with entries.change() as conn:
        keys = lately.waiting_for(conn, revisit_id, province_code, commune_code)
        if keys:
            decisions.reopen(conn, keys, "", by)
        else:
            revisits.withdraw(conn, revisit_id, province_code, commune_code, by)
        note(province_code=province_code, commune_code=commune_code)
    flash(_("Đã rút yêu cầu khảo sát lại."), "done")
    return redirect(Desk.read(typed("back")).link("revisits.index"), 303)


def _wanted() -> tuple[str | None, str, str | None]:
    """The enumerator, the state and the cursor that the address asks for."""
    enumerator = request.args.get("enumerator", "").strip()[:200] or None
    return enumerator, chosen("state", STATES, "open"), request.args.get("cursor") or None


def _all(conn: Connection, area: Area, enumerator: str | None, state: str) -> Iterator[Record]:
    cursor: str | None = None
    while True:
        listed = revisits.listing(
            conn, area, enumerator=enumerator, state=state, cursor=cursor, limit=AT_A_TIME
        )
        yield from listed.items
        cursor = listed.next_cursor
        if cursor is None:
            return


def _file_url(area: Area) -> str:
    kept = {name: request.args.get(name, "") for name in ("enumerator", "state")}
    query = {"area": area.code, **{name: value for name, value in kept.items() if value}}
    return url_for("revisits.file") + "?" + urlencode(query)


def _communes(conn: Connection, items: list[Record], area: Area) -> dict[str, str]:
    if area.level == "commune":
        return {}
    return own_areas.names(conn, (one["commune_code"] for one in items), area)


def _place(one: Record) -> Key:
    return Key("survey", one["province_code"], one["commune_code"], "")


def _survey_page(one: Record, survey_id: object) -> str:
    return desk_evidence.page_of(
        Key("survey", one["province_code"], one["commune_code"], str(survey_id))
    )
