"""Visits that are asked for once more: by an auditor, or because a sample drew the household."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Connection,
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

from geo import areas, paging, scope
from geo.areas import Area
from geo.audit.actors import By
from geo.audit_tables import revisit
from geo.errors import NotFoundError, UsageError
from geo.paging import Page, Record
from geo.tables import household, survey

STATES = ("open", "done", "all")
_KEYS = ("asked_at", "revisit_id")


def ask(
    conn: Connection,
    row: Record,
    reason: str,
    due_on: date | None,
    by: By,
    sample_id: int | None = None,
) -> int:
    """Ask for another visit to the household of a survey or site; the revisit's id.

    row: subject, subject_id, province_code, commune_code, household_code, enumerator, demo. It is
    done by itself when a survey of the household is made after this moment.
    """
    return conn.execute(
        insert(revisit)
        .values(
            **{name: row[name] for name in ("province_code", "commune_code", "household_code")},
            survey_id=row["subject_id"] if row["subject"] == "survey" else None,
            enumerator=row.get("enumerator") or "",
            sample_id=sample_id,
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
    """Take a request back, whoever asked; raises NotFoundError where none is open."""
    gone = conn.execute(
        update(revisit)
        .where(
            scope.within(conn, revisit),
            revisit.c.province_code == province_code,
            revisit.c.commune_code == commune_code,
            revisit.c.revisit_id == revisit_id,
            revisit.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=func.now(), withdrawn_by=by.account_id, withdrawn_by_name=by.name)
    )
    if gone.rowcount != 1:
        raise NotFoundError("There is no such request for a visit (any more).")


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
        select(later.c.survey_id.label("done_survey_id"), later.c.surveyed_at.label("done_at"))
        .where(
            later.c.province_code == revisit.c.province_code,
            later.c.commune_code == revisit.c.commune_code,
            later.c.household_code == revisit.c.household_code,
            later.c.surveyed_at > revisit.c.asked_at,
        )
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
        )
        .select_from(revisit)
        .join(household, and_(*of_household))
        .outerjoin(doubted, same)
        .outerjoin(done, true())
    )
