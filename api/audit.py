"""The audit over HTTP: the queue, one case, decisions, and what is to be visited again."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Connection

from api import answers, entries
from api.access import asked, begin, current, needs, note, query_text
from api.audit_models import CaseAnswer, Decided, QueuePage, RevisitPage
from api.errors import PROBLEMS
from api.params import OWN_AREA, Area, Day, Query, Rule, State, Word, no_nul
from geo.audit import decisions, lately, queue, revisits
from geo.audit.actors import By
from geo.audit.repairs import Key, Point
from geo.errors import NotFoundError
from geo.paging import MAX_LIMIT

blueprint = APIBlueprint(
    "api_audit", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="audit")],
    abp_responses=PROBLEMS,
)  # fmt: skip

Subject = Literal["survey", "site"]
Text = Annotated[str, BeforeValidator(no_nul), Field(max_length=decisions.MAX_REASON)]


class Page(Query):
    """What both lists take."""

    area: Area | None = Field(None, description=OWN_AREA)
    enumerator: Word | None = None
    cursor: Word | None = Field(None, description="next_cursor of the page before.")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)


class QueueQuery(Page):
    state: State | Literal["all"] = "open"
    rule: Rule | None = Field(None, description="Only rows that this audit rule doubts.")
    verdict: Literal["inside", "uncertain", "outside", "unlocated"] | None = None
    subject: Subject | None = None
    device: Word | None = None
    since: Day | None = Field(None, description="First day, in Viet Nam.")
    until: Day | None = Field(None, description="Last day.")


class CaseQuery(Query):
    province_code: Area
    case_key: Annotated[str, BeforeValidator(no_nul), Field(max_length=400)]


class RevisitQuery(Page):
    state: Literal["open", "done", "all"] = "open"


class Which(BaseModel):
    """A survey or site. seen: last_decision_id as the queue told it; another one is a conflict."""

    model_config = ConfigDict(extra="forbid")

    subject: Subject
    province_code: Area
    commune_code: Area
    subject_id: Word
    seen: int | None = Field(None, ge=0, le=2**63 - 1)


class Place(BaseModel):
    """Where it really is (EPSG:4326)."""

    model_config = ConfigDict(extra="forbid")

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    accuracy_m: float | None = Field(None, gt=0, le=10_000)


class Decision(BaseModel):
    """One decision about one or many, with the same reason; all are decided or none."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["confirmed", "explained", "repaired", "revisit", "reopened"] = Field(
        description="reopened takes all that is decided back."
    )
    reason: Text = Field("", description="Required for explained.")
    subjects: list[Which] = Field(min_length=1, max_length=decisions.MAX_AT_ONCE)
    point: Place | None = Field(
        None, description="For repaired; without it the point that a finding proposes."
    )
    due_on: date | None = Field(None, description="For revisit: until when.")


@blueprint.get("/audit", summary="The auditors' queue", responses={200: QueuePage})
@needs("records.read")
def listing(query: QueueQuery) -> Response:
    """Cases, the greatest risk first, each with its worst survey or site."""
    note(subject="audit", query=query_text())
    given = query.model_dump(exclude={"area", "cursor", "limit", "device"})
    with begin() as conn:
        area = asked(conn, query.area)
        wanted = queue.Asked(area, device_id=query.device, **given)
        page = queue.cases(conn, wanted, query.cursor, query.limit)
        _add_last(conn, page.items)
    note(rows=len(page.items))
    return answers.json({"items": page.items, "next_cursor": page.next_cursor})


@blueprint.get("/audit/case", summary="One case", responses={200: CaseAnswer})
@needs("records.read")
def case(query: CaseQuery) -> Response:
    """The surveys and sites of a case that are the caller's to see, the greatest risk first."""
    note(subject="audit", query=query_text())
    with begin() as conn:
        rows = queue.members(conn, query.province_code, query.case_key, MAX_LIMIT)
        _add_last(conn, rows)
    if not rows:
        raise NotFoundError(f"There is no case {query.case_key[:60]!r}.")
    note(province_code=query.province_code, rows=len(rows))
    return answers.json({"items": rows})


@blueprint.post(
    "/audit/decisions",
    summary="Decide about surveys and sites",
    responses={200: Decided, 409: PROBLEMS[400], 422: PROBLEMS[400]},
)
@needs("audit.decide")
def decide(body: Decision) -> Response:
    """What was decided is kept with its reason, who decided and when."""
    keys = [
        Key(one.subject, one.province_code, one.commune_code, one.subject_id)
        for one in body.subjects
    ]
    note(subject="audit", reason=f"{body.decision}: {body.reason}", durable=True)
    note_place(keys)
    user = current()
    by = By(user.account_id, user.full_name)
    with entries.change() as conn:
        if body.decision == "reopened":
            rows = decisions.reopen(conn, keys, body.reason, by, seen=_seen(conn, body, keys))
        else:
            rows = decisions.decide(
                conn, keys, body.decision, body.reason, by,
                point=Point(**body.point.model_dump()) if body.point else None,
                due_on=body.due_on,
                seen=_seen(conn, body, keys),
            )  # fmt: skip
        _add_last(conn, rows)
    return answers.json({"items": rows})


@blueprint.get("/revisits", summary="What is to be visited again", responses={200: RevisitPage})
@needs("records.read")
def to_visit(query: RevisitQuery) -> Response:
    """Requests for another visit, the oldest first; done by a later survey of the household."""
    note(subject="revisits", query=query_text())
    with begin() as conn:
        area = asked(conn, query.area)
        page = revisits.listing(
            conn, area, **query.model_dump(include={"enumerator", "state", "cursor", "limit"})
        )
    note(rows=len(page.items))
    return answers.json(asdict(page))


def note_place(keys: Sequence[Key]) -> None:
    """Tell the access log what a decision is about: the one record, else how many and where.

    Where is told as far as it is one province or one commune.
    """
    provinces = {key.province_code for key in keys}
    communes = {key.commune_code for key in keys}
    if len(keys) == 1:
        note(subject=keys[0].subject, subject_id=keys[0].subject_id)
    if len(provinces) == 1:
        commune = next(iter(communes)) if len(communes) == 1 else ""
        note(province_code=next(iter(provinces)), commune_code=commune)
    note(rows=len(keys))


def _seen(conn: Connection, body: Decision, keys: list[Key]) -> dict[Key, int]:
    """The last decisions as the caller saw them; as they are where the caller does not say."""
    now = lately.seen(conn, keys)
    return {
        key: now.get(key, 0) if one.seen is None else one.seen
        for key, one in zip(keys, body.subjects, strict=True)
    }


def _add_last(conn: Connection, rows: list[dict[str, Any]]) -> None:
    last = lately.seen(conn, [lately.key_of(row) for row in rows])
    for row in rows:
        row["last_decision_id"] = last.get(lately.key_of(row), 0)
