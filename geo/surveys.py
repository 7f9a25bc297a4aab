"""Surveys: one visit each, with its verdict."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, tuple_

from geo import areas, findings, moments, paging, scope
from geo.areas import Area
from geo.errors import NotFoundError, UsageError
from geo.moments import Moment
from geo.paging import Box, Page, Record
from geo.tables import household, survey, verdict_history

ORDERS = ("id", "recent", "worst")

_OF_HOUSEHOLD = (
    (household.c.province_code == survey.c.province_code)
    & (household.c.commune_code == survey.c.commune_code)
    & (household.c.household_code == survey.c.household_code)
)
VERDICT_COLUMNS = (
    "verdict",
    "probability",
    "distance_m",
    "accuracy_used_m",
    "boundary_accuracy_m",
    "recorded_code",
    "located_code",
    "boundary_version",
    "judged_at",
)
_LISTED = (
    "province_code",
    "survey_id",
    "household_code",
    "commune_code",
    "surveyed_at",
    "enumerator",
    "accuracy_m",
    "mock_location",
    *VERDICT_COLUMNS,
    "demo",
    "received_at",
)


# The same id may have come in for two communes.
_IDENTITY = (survey.c.survey_id, survey.c.commune_code)

_PRIVATE = ("geom", "cell", "content_hash", "removed")


def select_surveys() -> Select:
    """The columns of a listing, with the household's head and the point as lon, lat."""
    return select(
        *(survey.c[name] for name in _LISTED), household.c.head_name, *paging.position(survey)
    ).join(household, _OF_HOUSEHOLD)


def conditions(
    area: Area,
    *,
    verdict: str | None = None,
    rule: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    enumerator: str | None = None,
    bbox: Box | None = None,
) -> list[ColumnElement[bool]]:
    """The filters of a listing; raises UsageError for a verdict that does not exist."""
    chosen: list[ColumnElement[bool]] = [areas.scope(area, survey), ~survey.c.removed]
    if verdict:
        chosen.append(findings.with_verdict(survey, verdict))
    if rule:
        chosen.append(findings.about_survey(rule))
    chosen += moments.during(survey.c.surveyed_at, since, until)
    if enumerator is not None:
        chosen.append(survey.c.enumerator == enumerator)
    if bbox:
        chosen.append(paging.within(survey, bbox))
    return chosen


def listing(
    conn: Connection,
    area: Area,
    *,
    verdict: str | None = None,
    rule: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    enumerator: str | None = None,
    bbox: Box | None = None,
    cursor: str | None = None,
    limit: int = 50,
    order: str = "worst",
) -> Page:
    """One page of an area's surveys.

    worst: outside, the farthest from the recorded area first, then uncertain, by the same signed
    distance; only these two unless a verdict or a rule is asked for. recent: the latest visit
    first. id: by identity, for reading everything. `since`, `until`: the time of the visit.
    Raises UsageError.
    """
    paging.check_limit(limit)
    query = select_surveys().where(
        scope.within(conn, survey),
        *conditions(
            area,
            verdict=verdict,
            rule=rule,
            since=since,
            until=until,
            enumerator=enumerator,
            bbox=bbox,
        ),
    )
    if order == "id":
        keys = [survey.c.province_code, survey.c.commune_code, survey.c.survey_id]
        return paging.by_key(conn, query, keys, cursor, limit)
    if order == "recent":
        return _recent(conn, query, cursor, limit)
    if order != "worst":
        raise UsageError(f"{order!r} is no order; there are: {', '.join(ORDERS)}.")
    if not verdict and not rule:
        query = query.where(findings.with_verdict(survey, findings.DOUBTFUL))
    return _worst(conn, query, rule is not None and not verdict, cursor, limit)


def _recent(conn: Connection, query: Select, cursor: str | None, limit: int) -> Page:
    keys = [survey.c.surveyed_at, survey.c.survey_id, survey.c.commune_code]
    if cursor:
        when, last, commune = paging.decode(cursor, [datetime, str, str])
        query = query.where(tuple_(*keys) < tuple_(*paging.known([when, _uuid(last), commune])))
    ordered = query.order_by(*(key.desc() for key in keys))
    return paging.page(conn, ordered, [key.name for key in keys], limit)


def _worst(
    conn: Connection, query: Select, all_verdicts: bool, cursor: str | None, limit: int
) -> Page:
    # The alphabet has outside, uncertain and unlocated in the right order; inside belongs last.
    first: Sequence[ColumnElement] = [survey.c.verdict == "inside"] if all_verdicts else []
    if cursor:
        verdict, distance, last, commune = paging.decode(cursor, [str, float, str, str])
        after = (_uuid(last), *paging.known([commune]))
        query = query.where(_after(verdict, distance, after, all_verdicts))
    ordered = query.order_by(
        *first, survey.c.verdict, survey.c.distance_m.asc().nulls_last(), *_IDENTITY
    )
    keys = ["verdict", "distance_m", "survey_id", "commune_code"]
    return paging.page(conn, ordered, keys, limit)


def _after(
    verdict: str, distance: float | None, last: Sequence[Any], all_verdicts: bool
) -> ColumnElement[bool]:
    """What follows a record in the order of `_worst`; an unknown distance comes last."""
    one, metres = survey.c.verdict, survey.c.distance_m
    later_id = tuple_(*_IDENTITY) > tuple_(*last)
    if distance is None:
        nearer = and_(metres.is_(None), later_id)
    else:
        same = and_(metres == distance, later_id)
        nearer = or_(metres > distance, same, metres.is_(None))
    later: ColumnElement[bool] = one > verdict
    if all_verdicts and verdict == "inside":
        return and_(one == verdict, nearer)
    if all_verdicts:
        later = or_(later, one == "inside")
    return or_(later, and_(one == verdict, nearer))


def _uuid(value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise UsageError("The cursor is not one of this listing; start again without it.") from None


def get(conn: Connection, survey_id: str, commune_code: str | None = None) -> Record:
    """All of one survey, with its household's head and address, findings and former verdicts.

    commune_code: needed where several communes have a survey of this id.
    Raises NotFoundError, ConflictError where it is needed.
    """
    try:
        wanted = str(UUID(survey_id))
    except ValueError:
        raise NotFoundError(f"{survey_id[:40]!r} is not the id of a survey (a UUID).") from None
    columns = [c for c in survey.c if c.name not in _PRIVATE]
    rows = (
        conn.execute(
            select(
                *columns,
                household.c.head_name,
                func.coalesce(survey.c.recorded_address, household.c.recorded_address).label(
                    "address"
                ),
                household.c.recorded_address.label("household_address"),
                *paging.position(survey),
            )
            .join(household, _OF_HOUSEHOLD)
            .where(
                scope.within(conn, survey),
                ~survey.c.removed,
                survey.c.survey_id == wanted,
                *([] if commune_code is None else [survey.c.commune_code == commune_code]),
            )
        )
        .mappings()
        .all()
    )
    if not rows:
        raise NotFoundError(f"There is no survey {wanted}.")
    found = paging.only(rows, wanted)
    key = (found["province_code"], found["commune_code"], wanted)
    found["findings"] = findings.of(conn, "survey", key)
    found["history"] = history(conn, "survey", key)
    return found


def history(conn: Connection, subject: str, key: tuple[str, str, str]) -> list[Record]:
    """The former verdicts of a survey or site (province, commune, id), the latest first."""
    province_code, commune_code, subject_id = key
    found = conn.execute(
        select(
            verdict_history.c.replaced_at, *(verdict_history.c[name] for name in VERDICT_COLUMNS)
        )
        .where(
            scope.within(conn, verdict_history),
            verdict_history.c.province_code == province_code,
            verdict_history.c.commune_code == commune_code,
            verdict_history.c.subject == subject,
            verdict_history.c.subject_id == subject_id,
        )
        .order_by(verdict_history.c.replaced_at.desc())
    )
    return [paging.plain(row) for row in found.mappings()]


def of_household(
    conn: Connection, province_code: str, commune_code: str, household_code: str
) -> list[Record]:
    """The surveys of one household, the latest first."""
    found = conn.execute(
        select_surveys()
        .where(
            scope.within(conn, survey),
            survey.c.province_code == province_code,
            survey.c.commune_code == commune_code,
            survey.c.household_code == household_code,
        )
        .order_by(survey.c.surveyed_at.desc(), survey.c.survey_id)
    )
    return [paging.plain(row) for row in found.mappings()]
