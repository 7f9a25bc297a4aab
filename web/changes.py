"""Verdicts that changed: what new boundaries, addresses, points or settings did to them."""

from flask import Blueprint, request, url_for
from flask_babel import gettext as _

from api.access import asked, begin, needs, note, query_text
from geo.audit import changes
from geo.audit.repairs import Key
from geo.paging import Record
from geo.tables import VERDICTS
from web import audit_labels, desk_evidence, own_areas
from web.desk import Desk
from web.shell import area_names, chosen, page

pages = Blueprint("changes", __name__, url_prefix="/audit/changes")

ACTION = "records.read"
PAGE_SIZE = 50


@pages.get("")
@needs(ACTION)
def index() -> str:
    """What changed in an area, counted by cause, and the changed verdicts, the latest first."""
    reason, before, after = (
        chosen(name, allowed, "") or None
        for name, allowed in (
            ("reason", changes.REASONS),
            ("was", VERDICTS),
            ("now", VERDICTS),
        )
    )
    note(subject="changes", query=query_text())
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        listed = changes.listing(
            conn,
            area,
            reason=reason,
            before=before,
            after=after,
            cursor=request.args.get("cursor") or None,
            limit=PAGE_SIZE,
        )
        note(rows=len(listed.items))
        outdated = changes.outdated(conn, area)
        return page(
            conn,
            "changes.html",
            active="audit",
            area=area,
            title=_("Kết luận thay đổi") + ": " + area.full_name,
            options=own_areas.around(conn, area, ACTION),
            summary=changes.summary(conn, area),
            page=listed,
            names=area_names(conn, [_recorded(one) for one in listed.items], area),
            outdated=outdated,
            chosen=(reason, before, after),
            words=audit_labels,
            record_page=_record_page,
            group_url=lambda one: url_for(
                "changes.index",
                area=area.code,
                reason=one["reason"] or None,
                was=one["verdict_before"],
                now=one["verdict_after"],
            ),
            after_url=listed.next_cursor
            and Desk.of(request.args).link(
                "changes.index", cursor=listed.next_cursor, reason=reason, was=before, now=after
            ),
        )


def _recorded(one: Record) -> Record:
    recorded = one["recorded_after"] or one["recorded_before"]
    return {**one, "recorded_code": recorded, "located_code": None}


def _record_page(one: Record) -> str:
    return desk_evidence.page_of(
        Key(one["subject"], one["province_code"], one["commune_code"], one["subject_id"])
    )
