"""Rebuild sites: one house of one household in one programme."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from geo import areas, findings, moments, paging, scope
from geo.areas import Area
from geo.errors import NotFoundError, UsageError
from geo.moments import Moment
from geo.paging import Box, Page, Record
from geo.surveys import VERDICT_COLUMNS, history
from geo.tables import STAGES, household, site, site_stage

_OF_HOUSEHOLD = (
    (household.c.province_code == site.c.province_code)
    & (household.c.commune_code == site.c.commune_code)
    & (household.c.household_code == site.c.household_code)
)
_LISTED = (
    "province_code",
    "site_code",
    "household_code",
    "commune_code",
    "kind",
    "stream",
    "eligible",
    "approved_on",
    "due_on",
    "stage",
    "stage_on",
    "cost_planned",
    "cost_paid",
    "accuracy_m",
    *VERDICT_COLUMNS,
    "demo",
    "received_at",
)

_PRIVATE = ("geom", "cell", "content_hash", "removed")


def select_sites() -> Select:
    """The columns of a listing, with the household's head and the point as lon, lat."""
    return select(
        *(site.c[name] for name in _LISTED), household.c.head_name, *paging.position(site)
    ).join(household, _OF_HOUSEHOLD)


def conditions(
    area: Area,
    *,
    stage: str | None = None,
    verdict: str | None = None,
    rule: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    bbox: Box | None = None,
) -> list[ColumnElement[bool]]:
    """The filters of a listing; raises UsageError for a stage or verdict that does not exist."""
    if stage and stage not in STAGES:
        raise UsageError(f"{stage!r} is no stage; there are: {', '.join(STAGES)}.")
    chosen: list[ColumnElement[bool]] = [areas.scope(area, site), ~site.c.removed]
    if stage:
        chosen.append(site.c.stage == stage)
    if verdict:
        chosen.append(findings.with_verdict(site, verdict))
    if rule:
        chosen.append(findings.about_site(rule))
    chosen += moments.during(site.c.received_at, since, until)
    if bbox:
        chosen.append(paging.within(site, bbox))
    return chosen


def listing(
    conn: Connection,
    area: Area,
    *,
    stage: str | None = None,
    verdict: str | None = None,
    rule: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    bbox: Box | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """One page of an area's sites by identity; `since`, `until`: when they were received.

    Raises UsageError.
    """
    query = select_sites().where(
        scope.within(conn, site),
        *conditions(
            area, stage=stage, verdict=verdict, rule=rule, since=since, until=until, bbox=bbox
        ),
    )
    keys = [site.c.province_code, site.c.commune_code, site.c.site_code]
    return paging.by_key(conn, query, keys, cursor, limit)


def overdue(one: Mapping[str, Any], on: date) -> bool:
    """Whether a site that is not completed was due before the day `on`."""
    unfinished = STAGES.index(one["stage"]) < STAGES.index("completed")
    return unfinished and one["due_on"] is not None and one["due_on"] < on


def get(
    conn: Connection, province_code: str, site_code: str, commune_code: str | None = None
) -> Record:
    """All of one site, with its household's head, stages, findings and former verdicts.

    commune_code: needed where several communes of the province have a site of this code.
    Raises NotFoundError, ConflictError where it is needed.
    """
    columns = [c for c in site.c if c.name not in _PRIVATE]
    rows = (
        conn.execute(
            select(
                *columns,
                household.c.head_name,
                household.c.recorded_address.label("household_address"),
                *paging.position(site),
            )
            .join(household, _OF_HOUSEHOLD)
            .where(
                scope.within(conn, site),
                ~site.c.removed,
                site.c.province_code == province_code,
                site.c.site_code == site_code,
                *([] if commune_code is None else [site.c.commune_code == commune_code]),
            )
        )
        .mappings()
        .all()
    )
    if not rows:
        raise NotFoundError(f"There is no site {site_code[:60]!r} in province {province_code!r}.")
    found = paging.only(rows, site_code)
    key = (province_code, found["commune_code"], site_code)
    found["stages"] = _stages(conn, key)
    found["findings"] = findings.of(conn, "site", key)
    found["history"] = history(conn, "site", key)
    return found


def _stages(conn: Connection, key: tuple[str, str, str]) -> list[Record]:
    province_code, commune_code, site_code = key
    found = conn.execute(
        select(site_stage.c.stage, site_stage.c.stage_on, site_stage.c.reported_at)
        .where(
            scope.within(conn, site_stage),
            site_stage.c.province_code == province_code,
            site_stage.c.commune_code == commune_code,
            site_stage.c.site_code == site_code,
        )
        .order_by(site_stage.c.reported_at)
    )
    return [paging.plain(row) for row in found.mappings()]


def of_household(
    conn: Connection, province_code: str, commune_code: str, household_code: str
) -> list[Record]:
    """The sites of one household."""
    found = conn.execute(
        select_sites()
        .where(
            scope.within(conn, site),
            site.c.province_code == province_code,
            site.c.commune_code == commune_code,
            site.c.household_code == household_code,
        )
        .order_by(site.c.site_code)
    )
    return [paging.plain(row) for row in found.mappings()]
