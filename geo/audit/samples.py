"""Verification samples as they are kept: drawn, listed, checked visit by visit, estimated from."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import UUID

from geo import areas, paging, scope
from geo.areas import Area
from geo.audit import estimates, sampling
from geo.audit.actors import By
from geo.audit.estimates import Checked, Estimate, OfOne
from geo.audit.sampling import Drawn, Plan, Unit
from geo.audit_tables import (
    SAMPLE_OUTCOMES,
    audit_item,
    audit_sample,
    audit_sample_item,
    revisit,
)
from geo.errors import ConflictError, NotFoundError, RejectedError, UsageError
from geo.paging import Record
from geo.tables import household, survey

MAX_NOTE = 500
MOST_LISTED = 200
REMOVED = "removed-"
"""How the identity of a survey begins whose household was removed at the person's request."""

_TOLD = [column for column in audit_sample.c if column.name != "frame"]
_PLACE = ("province_code", "commune_code")


def draw(conn: Connection, area: Area, plan: Plan, by: By) -> Record:
    """Draw a sample of an area's surveys, keep it, and ask for the visits; the row of `get`.

    The frame is read first; then the database makes the seed (geo/sql/sample_seed.sql). Append
    the request's entry to the access log next: it proves that the seed was the log's last hash.
    Raises RejectedError, UsageError for an area that has ended.
    """
    rows: dict[str, list[Row]] = defaultdict(list)
    frame = []
    for row in surveys_of(conn, area, sampling.MOST_IN_FRAME + 1):
        unit = unit_of(row)
        rows[unit.key].append(row)
        frame.append(unit)
    strata = sampling.counts(frame)
    sampling.check(plan, strata)
    text = sampling.text(frame)
    demo = any(row.demo for found in rows.values() for row in found)
    made = conn.execute(
        insert(audit_sample).returning(audit_sample.c.sample_id, audit_sample.c.seed),
        {
            "province_code": area.province_code or "",
            "commune_code": area.commune_code,
            "area_code": area.code,
            "method": plan.method,
            "size": plan.size,
            "at_least": plan.at_least,
            "frame_size": len(frame),
            "frame_sha256": sampling.digest(text),
            "frame": zlib.compress(text.encode()),
            "strata": strata,
            "drawn_by": by.account_id,
            "drawn_by_name": by.name,
            "demo": demo,
        },
    ).one()
    drawn = sampling.draw(frame, plan, made.seed)
    # Surveys of one id in two communes have one key; both are in the frame, and both come up.
    chosen = [(one, rows[one.key].pop(0)) for one in drawn]
    _add_items(conn, made.sample_id, chosen, demo)
    _ask_for_visits(conn, made.sample_id, [row for _one, row in chosen], by, demo)
    return get(conn, made.sample_id)


def surveys_of(conn: Connection, area: Area, limit: int | None = None) -> Sequence[Row]:
    """The surveys that a sample of an area is drawn from, with their risk (0 without a finding)."""
    survey_id = cast(survey.c.survey_id, String)
    risk = and_(
        audit_item.c.province_code == survey.c.province_code,
        audit_item.c.commune_code == survey.c.commune_code,
        audit_item.c.subject == "survey",
        audit_item.c.subject_id == survey_id,
    )
    query = (
        select(
            *(survey.c[name] for name in (*_PLACE, "household_code", "enumerator", "demo")),
            survey_id.label("survey_id"),
            survey.c.received_at,
            func.coalesce(audit_item.c.risk, 0.0).label("risk"),
        )
        .select_from(survey.outerjoin(audit_item, risk))
        .where(~survey.c.removed, scope.within(conn, survey), areas.scope(area, survey))
        .order_by(survey.c.province_code, survey.c.commune_code, survey.c.survey_id)
        .limit(limit)
    )
    return conn.execute(query).all()


def unit_of(row: Row) -> Unit:
    """A survey as frames have it; its size is 1 and its risk (0 to 100), in hundredths."""
    return Unit(
        sampling.key(row.survey_id), 100 + round(100 * row.risk), sampling.stratum(row.enumerator)
    )


def _add_items(
    conn: Connection, sample_id: int, chosen: Sequence[tuple[Drawn, Row]], demo: bool
) -> None:
    rows = [
        {
            **{name: getattr(row, name) for name in (*_PLACE, "household_code")},
            "sample_id": sample_id,
            "subject_id": row.survey_id,
            "stratum": one.stratum,
            "inclusion": one.inclusion,
            "demo": demo,
        }
        for one, row in chosen
    ]
    conn.execute(insert(audit_sample_item), rows)


def _ask_for_visits(
    conn: Connection, sample_id: int, rows: Sequence[Row], by: By, demo: bool
) -> None:
    """Into the list of revisits, for nobody in particular: who surveyed must not verify."""
    asked = [
        {
            **{name: getattr(row, name) for name in (*_PLACE, "household_code", "survey_id")},
            "sample_id": sample_id,
            "asked_by": by.account_id,
            "asked_by_name": by.name,
            "demo": demo,
        }
        for row in rows
    ]
    conn.execute(insert(revisit), asked)


def get(conn: Connection, sample_id: int) -> Record:
    """One sample, all but its frame; raises NotFoundError."""
    found = conn.execute(
        select(*_TOLD).where(
            scope.within(conn, audit_sample), audit_sample.c.sample_id == sample_id
        )
    ).mappings()
    row = found.first()
    if row is None:
        raise NotFoundError("There is no such sample.")
    return dict(row)


def frame_text(conn: Connection, sample_id: int) -> str:
    """What a sample was drawn from, as `sampling.text` wrote it; raises NotFoundError."""
    found = conn.scalar(
        select(audit_sample.c.frame).where(
            scope.within(conn, audit_sample), audit_sample.c.sample_id == sample_id
        )
    )
    if found is None:
        raise NotFoundError("There is no such sample.")
    return zlib.decompress(found).decode()


def listing(conn: Connection, area: Area) -> list[Record]:
    """The draws for an area and all below it, the latest first, with counts of their outcomes."""
    found = conn.execute(
        select(*_TOLD)
        .where(scope.within(conn, audit_sample), areas.scope(area, audit_sample))
        .order_by(audit_sample.c.drawn_at.desc(), audit_sample.c.sample_id.desc())
        .limit(MOST_LISTED)
    )
    listed = [dict(row) for row in found.mappings()]
    ids = [one["sample_id"] for one in listed]
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for sample_id, outcome, count in conn.execute(
        select(audit_sample_item.c.sample_id, audit_sample_item.c.outcome, func.count())
        .where(scope.within(conn, audit_sample_item), audit_sample_item.c.sample_id.in_(ids))
        .group_by(audit_sample_item.c.sample_id, audit_sample_item.c.outcome)
    ):
        counted[sample_id][outcome or "waiting"] += count
    return [
        {**one, "outcomes": {key: counted[one["sample_id"]][key] for key in SAMPLE_OUTCOMES}}
        for one in listed
    ]


def items(conn: Connection, sample: Record) -> list[Record]:
    """The surveys of a sample, in the order of a round: commune, hamlet, household.

    With household, point (EPSG:4326) and verdict as they are now; removed where the household was
    removed at the person's request. One that moved out of the scope is not among them.
    """
    home = [household.c[name] == audit_sample_item.c[name] for name in (*_PLACE, "household_code")]
    item = audit_sample_item.c
    shown = (
        select(
            *(item[name] for name in (*_PLACE, "subject_id", "household_code", "stratum")),
            *(item[name] for name in ("inclusion", "outcome", "note")),
            *(item[name] for name in ("checked_by_name", "checked_at")),
            *(household.c[name] for name in ("head_name", "recorded_address", "village")),
            survey.c.verdict,
            survey.c.surveyed_at,
            func.ST_X(survey.c.geom).label("lon"),
            func.ST_Y(survey.c.geom).label("lat"),
            item.subject_id.startswith(REMOVED).label("removed"),
        )
        .select_from(audit_sample_item)
        .outerjoin(survey, _of_item())
        .outerjoin(household, and_(*home))
        .where(scope.within(conn, audit_sample_item), item.sample_id == sample["sample_id"])
        .order_by(
            *(item[name] for name in _PLACE), household.c.village, item.household_code,
            item.subject_id,
        )
    )  # fmt: skip
    return [paging.plain(row) for row in conn.execute(shown).mappings()]


def _of_item() -> ColumnElement[bool]:
    """The survey of an item; a cast of the item's side, so that the survey's key is used."""
    named = audit_sample_item.c.subject_id
    survey_id = case((~named.startswith(REMOVED), cast(named, UUID(as_uuid=False))))
    return and_(
        *(survey.c[name] == audit_sample_item.c[name] for name in _PLACE),
        survey.c.survey_id == survey_id,
    )


def record(
    conn: Connection,
    sample_id: int,
    key: tuple[str, str, str],
    outcome: str | None,
    note: str,
    by: By,
    was: str | None,
) -> None:
    """Keep what the visit to one survey of a sample (province, commune, id) found.

    outcome: match, mismatch, unreachable, or None to take it back. was: what whoever records saw;
    where it is another now, nothing is stored. Raises NotFoundError, ConflictError, RejectedError.
    """
    if outcome is not None and outcome not in SAMPLE_OUTCOMES:
        raise UsageError(f"{outcome!r} is none of: {', '.join(SAMPLE_OUTCOMES)}.")
    note = " ".join(note.split())
    if len(note) > MAX_NOTE:
        raise RejectedError(f"The note is longer than {MAX_NOTE} characters.")
    item = audit_sample_item.c
    here = and_(
        scope.within(conn, audit_sample_item),
        item.sample_id == sample_id,
        *(item[name] == value for name, value in zip(_PLACE, key, strict=False)),
        item.subject_id == key[2],
    )
    query = select(item.outcome, item.checked_at).where(here).with_for_update()
    found = conn.execute(query).one_or_none()
    if found is None or key[2].startswith(REMOVED):
        raise NotFoundError("There is no such survey in this sample (any more).")
    if found.outcome != was:
        raise ConflictError("Somebody recorded this visit meanwhile; nothing was changed.")
    moment = conn.scalar(select(func.clock_timestamp()))
    told: dict[str, Any] = dict.fromkeys(("checked_by", "checked_at")) | {"checked_by_name": ""}
    if outcome:
        told = {
            "checked_by": by.account_id,
            "checked_by_name": by.name,
            "checked_at": moment,
        }
    values = {"outcome": outcome, "note": note if outcome else "", **told}
    conn.execute(update(audit_sample_item).where(here).values(values))
    _end_visit(conn, sample_id, key, found.checked_at, moment if outcome else None, by)


def _end_visit(
    conn: Connection,
    sample_id: int,
    key: tuple[str, str, str],
    before: datetime | None,
    moment: datetime | None,
    by: By,
) -> None:
    """Nobody is to go there any more from `moment` on, or (None) again after all.

    before: when the visit was recorded last. One that ended at another time was abandoned, and
    stays so.
    """
    ended: dict[str, Any] = {
        "withdrawn_at": moment,
        "withdrawn_by": by.account_id,
        "withdrawn_by_name": by.name,
    }
    back = {"withdrawn_at": None, "withdrawn_by": None, "withdrawn_by_name": ""}
    conn.execute(
        update(revisit)
        .where(
            *(revisit.c[name] == value for name, value in zip(_PLACE, key, strict=False)),
            revisit.c.survey_id == literal(key[2], UUID(as_uuid=False)),
            revisit.c.sample_id == sample_id,
            or_(revisit.c.withdrawn_at.is_(None), revisit.c.withdrawn_at == before),
        )
        .values(ended if moment else back)
    )


def open_visits(conn: Connection, sample_id: int) -> int:
    """How many surveys of a sample still stand in the list of revisits."""
    open_ones = select(func.count()).select_from(revisit).where(*_open(conn, sample_id))
    return conn.scalar(open_ones) or 0


def abandon(conn: Connection, sample_id: int, by: By) -> int:
    """Ask for no more visits of a sample, which itself is kept; how many were open.

    For good: those that were recorded end anew, so that taking an outcome back asks for none.
    Raises NotFoundError, ConflictError where none is open.
    """
    get(conn, sample_id)
    left = open_visits(conn, sample_id)
    if not left:
        raise ConflictError("No visit of this sample is asked for any more.")
    ended = {
        "withdrawn_at": func.clock_timestamp(),
        "withdrawn_by": by.account_id,
        "withdrawn_by_name": by.name,
    }
    every = (scope.within(conn, revisit), revisit.c.sample_id == sample_id)
    conn.execute(update(revisit).where(*every).values(ended))
    return left


def _open(conn: Connection, sample_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        scope.within(conn, revisit),
        revisit.c.sample_id == sample_id,
        revisit.c.withdrawn_at.is_(None),
    )


def checked(sample: Record, listed: Sequence[Record]) -> list[Checked]:
    """What estimates are made of. Out of reach: who was removed unvisited, and who moved away."""
    seen = [
        Checked(
            one["stratum"],
            one["inclusion"],
            one["outcome"] or ("unreachable" if one["removed"] else None),
        )
        for one in listed
    ]
    share = sample["size"] / sample["frame_size"]
    return seen + [Checked("", share, "unreachable")] * (sample["size"] - len(seen))


def estimate(sample: Record, listed: Sequence[Record]) -> Estimate:
    """What the sample says of all surveys that it was drawn from; listed: its `items`."""
    return estimates.estimate(checked(sample, listed), sample["method"], sample["strata"])


def of_each(sample: Record, listed: Sequence[Record]) -> list[OfOne]:
    """What was found of each enumerator; nothing where surveys of one weigh differently."""
    if sample["method"] == "weighted":
        return []
    seen = [one for one in checked(sample, listed) if one.stratum in sample["strata"]]
    return estimates.of_each(seen, sample["strata"])
