"""What new boundaries, addresses or settings changed, and what is therefore held against nobody."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, select, tuple_
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import UUID

from geo import areas, paging, scope
from geo.areas import Area
from geo.audit.queue import midnight
from geo.db import sql
from geo.errors import UsageError
from geo.paging import Page, Record
from geo.rules import RULES
from geo.tables import area as area_table
from geo.tables import boundary, site, survey, verdict_history

REASONS = ("boundary", "address", "point", "settings")
_KEYS = ("replaced_at", "subject", "subject_id", "commune_code")


def rests_on_border(rule_code: str) -> bool:
    """Whether a rule's finding stands and falls with the verdict, so with where borders lie."""
    rule = RULES.get(rule_code)
    return rule is not None and (rule.on_border or rule.family == "coordinates")


def caused_by_boundaries(
    conn: Connection, subject: str, province_code: str
) -> set[tuple[str, str]]:
    """The surveys or sites (commune, id) whose verdict only new boundaries made worse.

    Since the last other change each was better: inside before uncertain before outside.
    """
    found = conn.execute(
        sql("audit_blameless"), {"province_code": province_code, "subject": subject}
    )
    return {(row.commune_code, row.subject_id) for row in found}


def summary(
    conn: Connection, area: Area, since: date | None = None, until: date | None = None
) -> list[Record]:
    """How many verdicts changed from what to what, why, with which boundaries; the latest first.

    since, until: the days (in Viet Nam, both included) on which they changed.
    reason, boundary_version (of the new verdict), verdict_before, verdict_after, number, first_at,
    last_at. A change of numbers alone (the distance, not the verdict) counts with both the same.
    """
    moves = _moves(conn, area).subquery()
    during = []
    if since:
        during.append(moves.c.replaced_at >= midnight(since))
    if until:
        during.append(moves.c.replaced_at < midnight(until + timedelta(days=1)))
    by = [moves.c[name] for name in ("reason", "version_after", "verdict_before", "verdict_after")]
    found = conn.execute(
        select(
            *by,
            func.count().label("number"),
            func.min(moves.c.replaced_at).label("first_at"),
            func.max(moves.c.replaced_at).label("last_at"),
        )
        .where(*during)
        .group_by(*by)
        .order_by(func.max(moves.c.replaced_at).desc(), *by)
    )
    return [paging.plain(row) for row in found.mappings()]


def outdated(conn: Connection, area: Area) -> int:
    """How many surveys and sites of an area were judged with boundaries that are replaced since."""
    number = 0
    for table in (survey, site):
        newer = (
            select(boundary.c.version)
            .join(area_table, area_table.c.area_id == boundary.c.area_id)
            .where(
                area_table.c.code == table.c.recorded_code,
                area_table.c.valid_to.is_(None),
                boundary.c.superseded_at.is_(None),
                boundary.c.version != table.c.boundary_version,
            )
        )
        number += (
            conn.scalar(
                select(func.count())
                .select_from(table)
                .where(
                    scope.within(conn, table),
                    areas.scope(area, table),
                    ~table.c.removed,
                    newer.exists(),
                )
            )
            or 0
        )
    return number


def listing(
    conn: Connection,
    area: Area,
    *,
    reason: str | None = None,
    before: str | None = None,
    after: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Changed verdicts of an area, the latest first, each with both verdicts and their numbers."""
    paging.check_limit(limit)
    if reason is not None and reason not in REASONS:
        raise UsageError(f"{reason!r} is none of: {', '.join(REASONS)}.")
    moves = _moves(conn, area).subquery()
    query = select(moves)
    for name, value in (("reason", reason), ("verdict_before", before), ("verdict_after", after)):
        if value is not None:
            query = query.where(moves.c[name] == value)
    keys = [moves.c[name] for name in _KEYS]
    if cursor:
        types = [datetime, str, str, str]
        query = query.where(tuple_(*keys) < tuple_(*paging.known(paging.decode(cursor, types))))
    return paging.page(conn, query.order_by(*(key.desc() for key in keys)), _KEYS, limit)


def _moves(conn: Connection, area: Area) -> Select:
    """Each former verdict with the one that replaced it: the next former one, or the present."""
    old = verdict_history.c
    survey_id = as_type(case((old.subject == "survey", old.subject_id)), UUID)
    site_code = case((old.subject == "site", old.subject_id))
    whose = [old[name] for name in ("province_code", "commune_code", "subject", "subject_id")]

    def after(name: str) -> ColumnElement[Any]:
        following = func.lead(old[name]).over(partition_by=whose, order_by=old.replaced_at)
        return func.coalesce(following, survey.c[name], site.c[name])

    return (
        select(
            *whose,
            old.replaced_at,
            old.reason,
            old.verdict.label("verdict_before"),
            old.distance_m.label("distance_before_m"),
            old.recorded_code.label("recorded_before"),
            old.boundary_version.label("version_before"),
            after("verdict").label("verdict_after"),
            after("distance_m").label("distance_after_m"),
            after("recorded_code").label("recorded_after"),
            after("boundary_version").label("version_after"),
            func.coalesce(survey.c.household_code, site.c.household_code).label("household_code"),
            func.coalesce(survey.c.enumerator, literal("")).label("enumerator"),
        )
        .select_from(verdict_history)
        .outerjoin(survey, and_(*_same(survey, old), survey.c.survey_id == survey_id))
        .outerjoin(site, and_(*_same(site, old), site.c.site_code == site_code))
        .where(scope.within(conn, verdict_history), areas.scope(area, verdict_history))
    )


def _same(table: Any, old: Any) -> list[ColumnElement[bool]]:
    return [table.c[name] == old[name] for name in ("province_code", "commune_code")]
