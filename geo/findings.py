"""Findings: what the audit rules doubt about surveys and sites."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    cast,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from geo import areas, moments, paging, scope
from geo.areas import Area
from geo.audit import evidence
from geo.errors import UsageError
from geo.moments import Moment
from geo.paging import Page, Record
from geo.tables import VERDICTS, finding, site, survey

DOUBTFUL = "doubtful"
"""Stands for the verdicts of DOUBTED where records are filtered by verdict."""
DOUBTED = ("outside", "uncertain")


def with_verdict(table: Table, verdict: str) -> ColumnElement[bool]:
    """The condition for a verdict, or for `doubtful`; raises UsageError for any other word."""
    if verdict == DOUBTFUL:
        # The second half lets PostgreSQL use the index of surveys that are not inside.
        return and_(table.c.verdict.in_(DOUBTED), table.c.verdict != "inside")
    if verdict not in VERDICTS:
        allowed = ", ".join((*VERDICTS, DOUBTFUL))
        raise UsageError(f"{verdict!r} is no verdict; there are: {allowed}.")
    return table.c.verdict == verdict


def of(conn: Connection, subject: str, key: tuple[str, str, str]) -> list[Record]:
    """The findings about one survey or site (province, commune, id), the most severe first.

    Their evidence is that which the scope may see, see `geo.audit.evidence`.
    """
    province_code, commune_code, subject_id = key
    found = conn.execute(
        select(
            finding.c.rule,
            finding.c.severity,
            finding.c.evidence,
            finding.c.state,
            finding.c.blameless,
            finding.c.found_at,
        )
        .where(
            scope.within(conn, finding),
            finding.c.province_code == province_code,
            finding.c.commune_code == commune_code,
            finding.c.subject == subject,
            finding.c.subject_id == subject_id,
        )
        .order_by(finding.c.severity.desc(), finding.c.rule)
    )
    plain = [paging.plain(row) for row in found.mappings()]
    return evidence.findings_within(scope.of(conn), province_code, plain)


def about_survey(rule: str | None = None) -> ColumnElement[bool]:
    """The condition for surveys that a rule, or any rule, doubts."""
    return _about(survey, "survey", cast(survey.c.survey_id, String), rule)


def about_site(rule: str | None = None) -> ColumnElement[bool]:
    """The condition for sites that a rule, or any rule, doubts."""
    return _about(site, "site", site.c.site_code, rule)


def _about(
    table: Table, subject: str, key: ColumnElement[str], rule: str | None
) -> ColumnElement[bool]:
    return exists().where(
        finding.c.province_code == table.c.province_code,
        finding.c.commune_code == table.c.commune_code,
        finding.c.subject == subject,
        finding.c.subject_id == key,
        *([finding.c.rule == rule] if rule else []),
    )


DECIDED = "decided"
"""Stands for every state but open where findings are filtered by state."""


def conditions(
    area: Area,
    *,
    rule: str | None = None,
    state: str | None = None,
    severity: int | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    enumerator: str | None = None,
) -> list[ColumnElement[bool]]:
    """The filters of single findings that have a place.

    With a time of visit or an enumerator only findings about surveys are left.
    """
    chosen: list[ColumnElement[bool]] = [areas.scope(area, finding)]
    for column, value in ((finding.c.rule, rule), (finding.c.severity, severity)):
        if value is not None:
            chosen.append(column == value)
    if state is not None:
        chosen.append(in_state(finding.c.state, state))
    visit = moments.during(survey.c.surveyed_at, since, until)
    if enumerator is not None:
        visit.append(survey.c.enumerator == enumerator)
    if visit:
        # The cell finds a finding's survey sooner than its key would.
        chosen.append(
            exists().where(
                ~survey.c.removed,
                survey.c.cell == finding.c.cell,
                survey.c.province_code == finding.c.province_code,
                survey.c.commune_code == finding.c.commune_code,
                finding.c.subject == "survey",
                cast(survey.c.survey_id, String) == finding.c.subject_id,
                *visit,
            )
        )
    return chosen


def in_state(column: ColumnElement[str], state: str) -> ColumnElement[bool]:
    """The condition for a state of findings, or for `decided`."""
    return column != "open" if state == DECIDED else column == state


def of_surveys(
    area: Area,
    *,
    verdict: str | None = None,
    rule: str | None = None,
    state: str | None = None,
    enumerator: str | None = None,
    device: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Select:
    """One row for each survey with findings: the columns of `ancu export findings`, lon, lat.

    rules are sorted and joined by `;`, severity is the greatest, state is open while any is.
    since, until: the time of the visit, see `geo.moments`.
    """
    grouped = (
        select(
            finding.c.province_code,
            finding.c.commune_code,
            finding.c.subject_id,
            func.string_agg(finding.c.rule, aggregate_order_by(literal(";"), finding.c.rule)).label(
                "rules"
            ),
            func.max(finding.c.severity).label("severity"),
            # Open while any of them is.
            func.coalesce(
                func.max(finding.c.state).filter(finding.c.state == "open"),
                func.max(finding.c.state),
            ).label("state"),
        )
        .where(finding.c.subject == "survey")
        .where(areas.scope(area, finding))
        .group_by(finding.c.province_code, finding.c.commune_code, finding.c.subject_id)
    )
    doubts = grouped.subquery()
    query = (
        select(
            survey.c.survey_id,
            survey.c.household_code,
            survey.c.verdict,
            survey.c.probability,
            survey.c.distance_m,
            survey.c.recorded_code.label("recorded_commune"),
            survey.c.located_code.label("located_commune"),
            doubts.c.rules,
            doubts.c.severity,
            doubts.c.state,
            survey.c.province_code,
            survey.c.commune_code,
            *paging.position(survey),
            survey.c.demo,
        )
        .join(
            doubts,
            (doubts.c.province_code == survey.c.province_code)
            & (doubts.c.commune_code == survey.c.commune_code)
            & (doubts.c.subject_id == cast(survey.c.survey_id, String)),
        )
        .where(areas.scope(area, survey))
    )
    exact = ((survey.c.enumerator, enumerator), (survey.c.device_id, device))
    query = query.where(*(column == value for column, value in exact if value))
    query = query.where(*moments.during(survey.c.surveyed_at, since, until))
    if verdict:
        query = query.where(with_verdict(survey, verdict))
    if rule:
        query = query.where(about_survey(rule))
    if state:
        query = query.where(in_state(doubts.c.state, state))
    return query


def listing(
    conn: Connection,
    area: Area,
    *,
    cursor: str | None = None,
    limit: int = 50,
    **filters: Any,
) -> Page:
    """Surveys with findings by identity; `filters` are those of `of_surveys`."""
    query = of_surveys(area, **filters).where(scope.within(conn, survey))
    keys = [survey.c.province_code, survey.c.commune_code, survey.c.survey_id]
    return paging.by_key(conn, query, keys, cursor, limit)
