"""Audit: which survey locations are doubtful, worst first, with the evidence on the map."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, session
from flask_babel import gettext as _
from sqlalchemy import Connection

from api.access import asked, begin, current, needs, note, query_text
from geo import metrics, rules
from geo.accounts import roles
from geo.areas import Area
from geo.audit import decisions, lately, queue
from geo.audit.queue import Asked
from geo.audit.repairs import Key
from geo.errors import NotFoundError
from geo.paging import Record
from web import audit_labels, desk, desk_case, labels, maps, own_areas
from web.desk import Desk
from web.forms import Refused
from web.language import language
from web.shell import page

pages = Blueprint("audit", __name__)

ACTION = "records.read"
PAGE_SIZE = 50
SAVED = "desk_saved"
"""Where the session keeps the id of the decision that it saved last."""


@pages.get("/audit")
@needs(ACTION)
def index() -> str:
    """The desk: the queue of an area, and the chosen case with its evidence."""
    with begin() as conn:
        return shown(conn, Desk.of(request.args))


@pages.get("/audit/case")
@needs(ACTION)
def case() -> str:
    """The chosen case alone: what the desk's script puts beside its list."""
    asked_for = Desk.of(request.args)
    note(subject="audit", query=query_text())
    with begin() as conn:
        wanted = asked_for.asked(asked(conn, asked_for.get("area"), ACTION))
        key = desk_case.chosen(conn, asked_for, wanted)
        if key is None:
            raise NotFoundError(_("Không có trường hợp này, hoặc cảnh báo của nó đã hết."))
        return render_template("audit_case.html", **_case(conn, asked_for, key))


def shown(
    conn: Connection,
    asked_for: Desk,
    refused: Refused | None = None,
    typed: Mapping[str, Any] | None = None,
) -> str:
    """The desk's page; with why a decision was refused and what its form held."""
    area = asked(conn, asked_for.get("area"), ACTION)
    if request.method == "GET":
        note(subject="audit", query=query_text())
    wanted = asked_for.asked(area)
    listed = queue.cases(conn, wanted, asked_for.get("cursor") or None, PAGE_SIZE)
    before, after = asked_for.pages(listed.next_cursor)
    key = desk_case.chosen(conn, asked_for, wanted)
    one = _case_or_none(conn, asked_for, key, typed)
    picks = _picks(conn, wanted, listed.items)
    facets = queue.facets(conn, replace(wanted, rule=None, enumerator=None, device_id=None))
    made = maps.LocalMap(_("Bản đồ các trường hợp"))
    maps.outline(area.code, listed.items if area.level == "commune" else ()).add_to(made)
    maps.case_points().add_to(made)
    maps.survey_points(area.code, hidden=True).add_to(made)
    maps.evidence(one["case"]["evidence"] if one else None).add_to(made)
    return page(
        conn,
        "audit.html",
        active="audit",
        area=area,
        title=_("Kiểm tra vị trí") + ": " + area.full_name,
        options=own_areas.around(conn, area, ACTION),
        wanted=wanted,
        page=listed,
        picks=picks,
        most=decisions.MAX_AT_ONCE,
        communes=_communes(conn, listed.items, area),
        totals=queue.totals(conn, wanted),
        bare=not listed.items and not metrics.figures(conn, area)["surveys"],
        families=_families(facets["rules"]),
        facets=facets,
        before=before,
        after=after,
        lost=key is None and bool(_names_one(asked_for)),
        done=_done(conn, asked_for),
        map=maps.render(made),
        points=[_point(item) for item in listed.items if item["lon"] is not None],
        download=lambda format: _download(wanted, format),
        **(_nothing(asked_for) | (one or {}) | {"refused": refused}),
    )


def _case(
    conn: Connection, asked_for: Desk, key: Key, typed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the templates need to show a case."""
    found = desk_case.shown(conn, key, typed)
    note(subject=key.subject, subject_id=key.subject_id, rows=len(found["members"]) or 1)
    note(province_code=key.province_code, commune_code=key.commune_code)
    return _nothing(asked_for) | {"case": found}


def _case_or_none(
    conn: Connection, asked_for: Desk, key: Key | None, typed: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    try:
        return _case(conn, asked_for, key, typed) if key else None
    except NotFoundError:
        return None


def _nothing(asked_for: Desk) -> dict[str, Any]:
    """The names that the case's template uses, without a case."""
    return {
        "case": None,
        "refused": None,
        "desk": asked_for,
        "words": audit_labels,
        "case_text": desk.case_text,
        "key_text": desk.key_text,
        "key_of": lately.key_of,
        "desk_today": desk.today,
        "ticked": desk.ticked(request.form),
        "rule_titles": {code: getattr(one, language()) for code, one in rules.RULES.items()},
    }


def _names_one(asked_for: Desk) -> str:
    return asked_for.get("case") or asked_for.get("item") or asked_for.get("survey")


def _families(counted: Mapping[str, int]) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """The rules by family, each with how many rows it doubts."""
    return [
        (
            str(name),
            [
                (code, getattr(rule, language()), counted.get(code, 0))
                for code, rule in rules.RULES.items()
                if rule.family == family
            ],
        )
        for family, name in audit_labels.FAMILY_NAMES.items()
    ]


def _communes(conn: Connection, items: list[Record], area: Area) -> dict[str, str]:
    """code → name of the communes of the listed rows; of `area` itself it says nothing."""
    if area.level == "commune":
        return {}
    return own_areas.names(conn, (one["commune_code"] for one in items), area)


def _done(conn: Connection, asked_for: Desk) -> dict[str, Any] | None:
    """What was just decided, as long as nothing else was decided about it since."""
    number = asked_for.get("done")
    rows = lately.made_with(conn, int(number)) if number.isdigit() and len(number) < 19 else []
    mine = [one for one in rows if saved_here(number, one)]
    return {"decision": mine[0]["decision"], "count": len(mine), "id": number} if mine else None


def saved_here(number: str, row: Record) -> bool:
    """Whether this very session of the user saved the decision last; only that is undone at once.

    What somebody else decided, or the user long ago, is opened again with a reason of its own.
    """
    own = row["decided_by"] == current().account_id and session.get(SAVED) == number
    return own and desk_case.may_decide(lately.key_of(row))


def _picks(conn: Connection, wanted: Asked, items: list[Record]) -> dict[str, desk.Pick]:
    """What the listed cases' ticks carry, of those that the user may decide about."""
    listed = [(one["province_code"], one["case_key"]) for one in items]
    mine = roles.reach(current(), desk_case.DECIDE)
    newest = lately.newest(conn)
    return {
        desk.case_text(*case): desk.Pick(newest, *extent, case)
        for case, extent in queue.extents(conn, wanted, listed, mine).items()
    }


def _point(item: Record) -> dict[str, Any]:
    """A listed case as the map draws it."""
    name = item["head_name"] or item["household_code"]
    return {
        "case": desk.case_text(item["province_code"], item["case_key"]),
        "at": [round(item["lat"], 7), round(item["lon"], 7)],
        "verdict": item["verdict"],
        "text": f"{name} · {labels.VERDICTS[item['verdict']]}",
    }


def _download(wanted: Asked, format: str) -> str:
    """The address of the file that holds the surveys of the list."""
    query = {
        "area": wanted.area.code,
        "verdict": wanted.verdict,
        "rule": wanted.rule,
        "state": None if wanted.state == queue.ALL else wanted.state,
        "enumerator": wanted.enumerator,
        "device": wanted.device_id,
        "since": wanted.since,
        "until": wanted.until,
        "format": format,
    }
    return "/api/v1/findings?" + urlencode({k: v for k, v in query.items() if v})
