"""The auditors' queue: cases worst first, what they are made of, and what to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    case,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from geo import areas, paging, scope
from geo.areas import Area
from geo.audit_tables import STATES, SUBJECTS, audit_due, audit_item
from geo.errors import UsageError
from geo.metrics import TIME_ZONE
from geo.paging import Page, Record
from geo.rules import RULES
from geo.tables import VERDICTS, household, site, survey

DECIDED, ALL = "decided", "all"
_FACETS = 20
_CASE = ("province_code", "case_key")


@dataclass(frozen=True)
class Asked:
    """What an auditor wants to see. state: one of STATES, `decided` or `all`; days are local."""

    area: Area
    state: str = "open"
    rule: str | None = None
    enumerator: str | None = None
    device_id: str | None = None
    since: date | None = None
    until: date | None = None
    verdict: str | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        for value, allowed in (
            (self.state, (*STATES, DECIDED, ALL)),
            (self.rule, (None, *RULES)),
            (self.verdict, (None, *VERDICTS)),
            (self.subject, (None, *SUBJECTS)),
        ):
            if value not in allowed:
                raise UsageError(f"{value!r} is none of: {', '.join(filter(None, allowed))}.")


def cases(conn: Connection, asked: Asked, cursor: str | None = None, limit: int = 50) -> Page:
    """One page of cases, the greatest risk first; each with its worst row and its size.

    Of a case only what the scope and the filters hold is counted and shown.
    """
    paging.check_limit(limit)
    of_case = [audit_item.c[name] for name in _CASE]
    worst = (audit_item.c.risk.desc(), audit_item.c.commune_code, audit_item.c.subject_id)
    ranked = (
        select(
            audit_item,
            func.count().over(partition_by=of_case).label("size"),
            func.row_number().over(partition_by=of_case, order_by=worst).label("place"),
        )
        .where(*_conditions(conn, asked))
        .subquery()
    )
    keys = (ranked.c.risk, ranked.c.province_code, ranked.c.case_key)
    first = select(ranked).where(ranked.c.place == 1)
    if cursor:
        risk, province, key = paging.known(paging.decode(cursor, [float, str, str]))
        after = (-ranked.c.risk, ranked.c.province_code, ranked.c.case_key)
        first = first.where(tuple_(*after) > tuple_(-risk, province, key))
    first = first.order_by(keys[0].desc(), *keys[1:]).limit(limit + 1)
    shown = first.subquery()
    ordered = _with_record(shown).order_by(
        shown.c.risk.desc(), shown.c.province_code, shown.c.case_key
    )
    page = paging.page(conn, ordered, ("risk", *_CASE), limit)
    _add_rules(conn, asked, page.items)
    return page


def members(
    conn: Connection,
    province_code: str,
    case_key: str,
    limit: int = 200,
    asked: Asked | None = None,
    offset: int = 0,
) -> list[Record]:
    """The rows of one case that the scope, and with `asked` its filters, hold.

    What is not decided comes first, then the greatest risk: so the rest of a great case moves up.
    """
    conditions = [scope.within(conn, audit_item)] if asked is None else _conditions(conn, asked)
    found = (
        select(audit_item)
        .where(
            *conditions,
            audit_item.c.province_code == province_code,
            audit_item.c.case_key == case_key,
        )
        .subquery()
    )
    ordered = _with_record(found).order_by(
        found.c.state != "open", found.c.risk.desc(), found.c.commune_code, found.c.subject_id
    )
    rows = conn.execute(ordered.limit(limit).offset(offset)).mappings()
    return [paging.plain(row) for row in rows]


def extents(
    conn: Connection, asked: Asked, cases: Sequence[tuple[str, str]], within: scope.Scope
) -> dict[tuple[str, str], tuple[int, int]]:
    """How many rows the filters and a scope hold of each case, and a sum that tells which.

    Cases without such rows are left out. Two answers that are alike are about the same rows.
    """
    columns = [audit_item.c[name] for name in _CASE]
    names = [audit_item.c[name] for name in ("commune_code", "subject", "subject_id")]
    which = func.sum(func.hashtext(func.concat_ws(":", *names)))
    query = (
        select(*columns, func.count(), which)
        .where(
            *_conditions(conn, asked),
            scope.rows_of(within, audit_item),
            tuple_(*columns).in_(list(cases)),
        )
        .group_by(*columns)
    )
    found = conn.execute(query) if cases else ()
    return {(row[0], row[1]): (row[2], int(row[3])) for row in found}


def worst(conn: Connection, asked: Asked, province_code: str, case_key: str) -> Record | None:
    """The row that stands for a case in the list; None where the filters hold none of it."""
    one = audit_item.c
    query = (
        select(audit_item)
        .where(
            *_conditions(conn, asked), one.province_code == province_code, one.case_key == case_key
        )
        .order_by(one.risk.desc(), one.commune_code, one.subject_id)
    )
    row = conn.execute(query.limit(1)).mappings().first()
    return None if row is None else paging.plain(row)


def size(conn: Connection, province_code: str, case_key: str) -> int:
    """How many rows of a case the scope holds, however many are listed."""
    counted = select(func.count()).where(
        scope.within(conn, audit_item),
        audit_item.c.province_code == province_code,
        audit_item.c.case_key == case_key,
    )
    return int(conn.execute(counted).scalar_one())


def item(conn: Connection, subject: str, key: tuple[str, str, str]) -> Record | None:
    """One survey's or site's row (province, commune, id); None where nothing is found in it."""
    found = (
        select(audit_item)
        .where(
            scope.within(conn, audit_item),
            audit_item.c.subject == subject,
            tuple_(
                audit_item.c.province_code, audit_item.c.commune_code, audit_item.c.subject_id
            ).in_([key]),
        )
        .subquery()
    )
    row = conn.execute(_with_record(found)).mappings().first()
    return None if row is None else paging.plain(row)


def totals(conn: Connection, asked: Asked) -> dict[str, Any]:
    """How many cases and rows the filters hold, rows by state whatever state is asked for, and

    `waiting`: changes of the area that the rules have not seen yet.
    """
    everything = Asked(**(vars(asked) | {"state": ALL}))
    by_state = (
        select(audit_item.c.state, func.count())
        .where(*_conditions(conn, everything))
        .group_by(audit_item.c.state)
    )
    states = {row[0]: row[1] for row in conn.execute(by_state)}
    number = func.count(func.distinct(tuple_(*(audit_item.c[name] for name in _CASE))))
    counted = conn.execute(select(number, func.count()).where(*_conditions(conn, asked))).one()
    waiting = conn.scalar(
        select(func.count())
        .select_from(audit_due)
        .where(scope.within(conn, audit_due), areas.scope(asked.area, audit_due))
    )
    return {
        "cases": counted[0],
        "items": counted[1],
        "states": {state: states.get(state, 0) for state in STATES},
        "waiting": waiting,
    }


def facets(conn: Connection, asked: Asked) -> dict[str, Any]:
    """What there is to filter by: rules with their rows, and who and which device has most."""
    conditions = _conditions(conn, asked)
    rule = func.unnest(audit_item.c.rules).label("rule")
    unnested = select(rule).where(*conditions).subquery()
    rules = conn.execute(select(unnested.c.rule, func.count()).group_by(unnested.c.rule))

    def most(column: ColumnElement[str]) -> list[tuple[str, int]]:
        count = func.count()
        found = (
            select(column, count)
            .where(*conditions, column.is_not(None))
            .group_by(column)
            .order_by(count.desc(), column)
            .limit(_FACETS)
        )
        return [(name, number) for name, number in conn.execute(found)]

    return {
        "rules": {row[0]: row[1] for row in rules},
        "enumerators": most(audit_item.c.enumerator),
        "devices": most(audit_item.c.device_id),
    }


def _conditions(conn: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    column = audit_item.c
    chosen = [scope.within(conn, audit_item), areas.scope(asked.area, audit_item)]
    if asked.state == DECIDED:
        chosen.append(column.state != "open")
    elif asked.state != ALL:
        chosen.append(column.state == asked.state)
    if asked.state == "open":
        chosen.append(column.risk > 0)  # what is held against nobody needs no decision
    if asked.rule:
        chosen.append(column.rules.contains([asked.rule]))
    for name in ("enumerator", "device_id", "verdict", "subject"):
        if getattr(asked, name):
            chosen.append(column[name] == getattr(asked, name))
    if asked.since:
        chosen.append(column.happened_at >= midnight(asked.since))
    if asked.until:
        chosen.append(column.happened_at < midnight(asked.until + timedelta(days=1)))
    return chosen


def midnight(day: date) -> datetime:
    """When the day begins in Viet Nam."""
    return datetime.combine(day, time(), TIME_ZONE)


def _with_record(found: Any) -> Select:
    """The rows with their household's head and the point as it stands now."""
    geom = func.coalesce(survey.c.geom, site.c.geom)
    # A cast of the row's side: the tables' keys keep their indexes.
    survey_id = as_type(case((found.c.subject == "survey", found.c.subject_id)), UUID)
    site_code = case((found.c.subject == "site", found.c.subject_id))
    return (
        select(
            found,
            household.c.head_name,
            household.c.village,
            func.ST_X(geom).label("lon"),
            func.ST_Y(geom).label("lat"),
        )
        .select_from(found)
        .join(household, _same(household, "household_code", found, found.c.household_code))
        .outerjoin(survey, _same(survey, "survey_id", found, survey_id))
        .outerjoin(site, _same(site, "site_code", found, site_code))
    )


def _same(table: Table, key: str, found: Any, value: ColumnElement) -> ColumnElement[bool]:
    home = [table.c[name] == found.c[name] for name in ("province_code", "commune_code")]
    return and_(*home, table.c[key] == value)


def _add_rules(conn: Connection, asked: Asked, listed: Sequence[Record]) -> None:
    """Give each listed case the rules of all its rows, the gravest first."""
    keys = [tuple(one[name] for name in _CASE) for one in listed]
    columns = [audit_item.c[name] for name in _CASE]
    rule = func.unnest(audit_item.c.rules).label("rule")
    # A join: a list of a thousand cases would be compared with every row.
    lists = [literal([key[i] for key in keys], ARRAY(Text)) for i in range(len(_CASE))]
    wanted = func.unnest(*lists).table_valued(*_CASE).render_derived()
    found = (
        select(*columns, rule)
        .join(wanted, and_(*(audit_item.c[name] == wanted.c[name] for name in _CASE)))
        .where(*_conditions(conn, asked))
        .distinct()
    )
    rules: dict[tuple[str, ...], list[str]] = {}
    for row in conn.execute(found):
        rules.setdefault(tuple(row[:2]), []).append(row[2])
    for one, of_it in zip(listed, keys, strict=True):
        one["rules"] = sorted(rules.get(of_it, []), key=_gravest_first)


def _gravest_first(code: str) -> tuple[float, str]:
    rule = RULES.get(code)
    return (-rule.weight if rule else 0.0, code)
