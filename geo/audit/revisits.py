"""Visits that are asked for once more: by an auditor, or because a sample drew the household."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    func,
    insert,
    lateral,
    select,
    true,
    tuple_,
    update,
)

from geo import areas, metrics, paging, scope
from geo.areas import Area
from geo.audit.actors import By
from geo.audit_tables import revisit
from geo.errors import NotFoundError, RejectedError, UsageError
from geo.paging import Page, Record
from geo.tables import household, survey

STATES = ("open", "done", "all")
_KEYS = ("asked_at", "revisit_id")


def check_due(due_on: date | None) -> None:
    """Raises RejectedError for a day that is over in Viet Nam."""
    if due_on is not None and due_on < metrics.today():
        raise RejectedError("The visit cannot be due on a day that is over.")


def ask(conn: Connection, row: Record, reason: str, due_on: date | None, by: By) -> int:
    """Ask for another visit to the household of a survey or site; the revisit's id.

    row: subject, subject_id, province_code, commune_code, household_code, enumerator, demo. It is
    done by itself when a survey of the household is made after this moment. Where an auditor has
    asked for one that is not made yet, that one stays, with the new reason and day.
    """
    place = {name: row[name] for name in ("province_code", "commune_code", "household_code")}
    asked_already = conn.scalar(
        select(revisit.c.revisit_id)
        .where(
            scope.within(conn, revisit),
            *(revisit.c[name] == value for name, value in place.items()),
            revisit.c.sample_id.is_(None),
            *_open(),
        )
        .order_by(revisit.c.revisit_id)
        .limit(1)
    )
    if asked_already is not None:
        told = {"reason": reason, "due_on": due_on}
        conn.execute(
            update(revisit)
            .where(scope.within(conn, revisit), revisit.c.revisit_id == asked_already)
            .values({"demo": row["demo"]} | {name: value for name, value in told.items() if value})
        )
        return asked_already
    return conn.execute(
        insert(revisit)
        .values(
            **place,
            survey_id=row["subject_id"] if row["subject"] == "survey" else None,
            enumerator=row.get("enumerator") or "",
            reason=reason,
            due_on=due_on,
            asked_by=by.account_id,
            asked_by_name=by.name,
            demo=row["demo"],
        )
        .returning(revisit.c.revisit_id)
    ).scalar_one()


def withdraw(
    conn: Connection, revisit_id: int, province_code: str, commune_code: str, by: By
) -> None:
    """Take a request back, whoever asked.

    Raises NotFoundError where none is open, RejectedError for a visit that a sample drew.
    """
    here = _is(conn, revisit_id, province_code, commune_code)
    if conn.scalar(select(revisit.c.sample_id).where(*here)) is not None:
        raise RejectedError(
            "A sample drew this visit; record it there as unreachable, with the reason."
        )
    if not end(conn, revisit_id, province_code, commune_code, by):
        raise NotFoundError("There is no such request for a visit (any more).")


def end(conn: Connection, revisit_id: int, province_code: str, commune_code: str, by: By) -> bool:
    """Take a request back if it is still open, neither made nor taken back; whether it was."""
    gone = conn.execute(
        update(revisit)
        .where(*_is(conn, revisit_id, province_code, commune_code), *_open())
        .values(withdrawn_at=func.now(), withdrawn_by=by.account_id, withdrawn_by_name=by.name)
    )
    return gone.rowcount == 1


def _is(
    conn: Connection, revisit_id: int, province_code: str, commune_code: str
) -> tuple[ColumnElement[bool], ...]:
    return (
        scope.within(conn, revisit),
        revisit.c.province_code == province_code,
        revisit.c.commune_code == commune_code,
        revisit.c.revisit_id == revisit_id,
    )


def _open() -> tuple[ColumnElement[bool], ...]:
    made = select(survey.c.survey_id).where(*_makes(survey)).correlate(revisit)
    return revisit.c.withdrawn_at.is_(None), ~made.exists()


def _makes(later: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Which surveys make the visit: of that household, begun and received after it was asked for.

    A device whose clock is ahead dates a survey later than the request that it came before.
    """
    return (
        later.c.province_code == revisit.c.province_code,
        later.c.commune_code == revisit.c.commune_code,
        later.c.household_code == revisit.c.household_code,
        later.c.surveyed_at > revisit.c.asked_at,
        later.c.received_at >= revisit.c.asked_at,
        ~later.c.removed,
    )


def of_household(
    conn: Connection, province_code: str, commune_code: str, household_code: str
) -> list[Record]:
    """The visits asked for of one household as `listing` tells them, the latest first."""
    query = _listed().where(
        scope.within(conn, revisit),
        revisit.c.withdrawn_at.is_(None),
        revisit.c.province_code == province_code,
        revisit.c.commune_code == commune_code,
        revisit.c.household_code == household_code,
    )
    found = conn.execute(query.order_by(*(revisit.c[name].desc() for name in _KEYS)))
    return [paging.plain(row) for row in found.mappings()]


def listing(
    conn: Connection,
    area: Area,
    *,
    enumerator: str | None = None,
    state: str = "open",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Visits that are asked for in an area, the oldest first; withdrawn ones are left out.

    done: by the first survey of the household that was made after it was asked for. lon, lat: the
    household's own point, else that of the doubted survey.
    """
    paging.check_limit(limit)
    if state not in STATES:
        raise UsageError(f"{state!r} is none of: {', '.join(STATES)}.")
    query = _listed().where(
        scope.within(conn, revisit), areas.scope(area, revisit), revisit.c.withdrawn_at.is_(None)
    )
    if enumerator:
        query = query.where(revisit.c.enumerator == enumerator)
    if state != "all":
        done = query.selected_columns["done_survey_id"]
        query = query.where(done.is_(None) if state == "open" else done.is_not(None))
    keys = [revisit.c[name] for name in _KEYS]
    if cursor:
        when, last = paging.known(paging.decode(cursor, [datetime, int]))
        query = query.where(tuple_(*keys) > tuple_(when, last))
    return paging.page(conn, query.order_by(*keys), _KEYS, limit)


def _listed() -> Select:
    of_household = [
        household.c[name] == revisit.c[name]
        for name in ("province_code", "commune_code", "household_code")
    ]
    later, doubted = survey.alias("later"), survey.alias("doubted")
    done = lateral(
        select(
            later.c.survey_id.label("done_survey_id"),
            later.c.surveyed_at.label("done_at"),
            later.c.verdict.label("done_verdict"),
        )
        .where(*_makes(later))
        .order_by(later.c.surveyed_at, later.c.survey_id)
        .limit(1)
    ).alias("done")
    same = and_(
        doubted.c.province_code == revisit.c.province_code,
        doubted.c.commune_code == revisit.c.commune_code,
        doubted.c.survey_id == revisit.c.survey_id,
    )
    place: Any = func.coalesce(household.c.geom, doubted.c.geom)
    names = (
        *("province_code", "commune_code", "revisit_id", "household_code", "survey_id"),
        *("enumerator", "sample_id", "reason", "due_on", "asked_by_name", "asked_at"),
    )
    return (
        select(
            *(revisit.c[name] for name in names),
            household.c.head_name,
            household.c.recorded_address,
            household.c.village,
            func.ST_X(place).label("lon"),
            func.ST_Y(place).label("lat"),
            done.c.done_survey_id,
            done.c.done_at,
            done.c.done_verdict,
        )
        .select_from(revisit)
        .join(household, and_(*of_household))
        .outerjoin(doubted, same)
        .outerjoin(done, true())
    )
