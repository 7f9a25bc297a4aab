"""What an audit report of an area and a period is made of, read in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, and_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from geo import areas, paging, scope
from geo.areas import Area
from geo.audit import changes, estimates, evidence, profiles, queue, revisits, samples
from geo.audit.queue import midnight
from geo.audit_tables import audit_decision, audit_item
from geo.config import Settings, settings
from geo.errors import RejectedError, UsageError
from geo.metrics import TIME_ZONE
from geo.paging import Page, Record
from geo.rules.rule import RuleSettings
from geo.tables import area as area_table
from geo.tables import boundary, boundary_version, finding, site, survey

MOST_SURVEYS = 400_000
"""With more surveys a report is refused; ask for parts of the area or of the time."""
MOST_CASES = 10_000
MOST_DECISIONS = 20_000
MOST_REVISITS = 10_000
MOST_SAMPLES = 50
_PAGE = 1000
_NAMES = sorted(name for name in dir(RuleSettings) if not name.startswith("_"))
"""The settings on which verdicts and findings depend."""


@dataclass(frozen=True)
class Asked:
    """Whose report: of which area, of surveys and acts on which days (both included)."""

    area: Area
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise UsageError("The first day is after the last one.")

    @property
    def whole(self) -> bool:
        """Whether no day is asked for; only then houses belong to it, which have no day."""
        return self.since is None and self.until is None

    def has(self, moment: datetime) -> bool:
        """Whether a moment is in the period."""
        day = moment.astimezone(TIME_ZONE).date()
        return (not self.since or day >= self.since) and (not self.until or day <= self.until)


@dataclass(frozen=True)
class Report:
    """All that a report tells; each list as far as its limit, `all_…` how many there are."""

    asked: Asked
    by: str
    made_at: datetime
    boundaries: list[Record]
    settings: dict[str, Any]
    defaults: dict[str, Any]
    data: Record
    verdicts: dict[str, dict[str, int]]
    rules: list[Record]
    totals: Record
    cases: list[Record]
    profiles: dict[str, list[Record]]
    samples: list[tuple[Record, estimates.Estimate]]
    decisions: list[Record]
    all_decisions: int
    revisits: list[Record]
    changes: list[Record]
    outdated: int
    names: dict[str, str]


def gather(conn: Connection, asked: Asked, by: str) -> Report:
    """Read a report; by: who makes it. Raises RejectedError where the area is too large."""
    data = _data(conn, asked)
    if data["surveys"] > MOST_SURVEYS:
        raise RejectedError(
            f"A report holds at most {MOST_SURVEYS} surveys, these are {data['surveys']}. "
            "Choose a smaller area or fewer days."
        )
    wanted = queue.Asked(asked.area, queue.ALL, since=asked.since, until=asked.until)
    cases = _all(lambda cursor: queue.cases(conn, wanted, cursor, _PAGE), MOST_CASES)
    _add_findings(conn, cases)
    decisions, all_decisions = _decisions(conn, asked)
    visits = _all(
        lambda cursor: revisits.listing(conn, asked.area, state="all", cursor=cursor, limit=_PAGE),
        MOST_REVISITS,
    )
    return Report(
        asked=asked,
        by=by,
        made_at=datetime.now(TIME_ZONE),
        boundaries=_boundaries(conn, asked.area),
        settings={name: getattr(settings(), name) for name in _NAMES},
        defaults={name: Settings.model_fields[name].default for name in _NAMES},
        data=data,
        verdicts=_verdicts(conn, asked),
        rules=_rules(conn, asked),
        totals=queue.totals(conn, wanted),
        cases=cases,
        profiles={
            kind: profiles.of(
                conn, profiles.Asked(asked.area, kind, since=asked.since, until=asked.until)
            )
            for kind in profiles.BY
        },
        samples=_samples(conn, asked),
        decisions=decisions,
        all_decisions=all_decisions,
        revisits=[one for one in visits if asked.has(one["asked_at"])],
        changes=changes.summary(conn, asked.area, asked.since, asked.until),
        outdated=changes.outdated(conn, asked.area),
        names=_names(conn, asked.area),
    )


def _all(read: Callable[[str | None], Page], most: int) -> list[Record]:
    found: list[Record] = []
    cursor = None
    while len(found) < most:
        page = read(cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found[:most]


def _during(column: ColumnElement, asked: Asked) -> list[ColumnElement[bool]]:
    chosen = []
    if asked.since:
        chosen.append(column >= midnight(asked.since))
    if asked.until:
        chosen.append(column < midnight(asked.until + timedelta(days=1)))
    return chosen


def _of(conn: Connection, table: Table, area: Area) -> list[ColumnElement[bool]]:
    return [scope.within(conn, table), areas.scope(area, table)]


def _surveys(conn: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    here = [*_of(conn, survey, asked.area), ~survey.c.removed]
    return here + _during(survey.c.surveyed_at, asked)


def _data(conn: Connection, asked: Asked) -> Record:
    """surveys, last_at (received), demo, and `digest`: the same for the same surveys and verdicts.

    The digest is SHA-256 over identity, content and verdict of each survey in the order of its key.
    """
    one = func.concat_ws(
        "|", survey.c.commune_code, survey.c.survey_id, survey.c.content_hash, survey.c.verdict
    )
    keys = (survey.c.province_code, survey.c.commune_code, survey.c.survey_id)
    text = func.string_agg(func.md5(one), aggregate_order_by(literal(","), *keys))
    counted = conn.execute(
        select(
            func.count().label("surveys"),
            func.max(survey.c.received_at).label("last_at"),
            func.coalesce(func.bool_or(survey.c.demo), False).label("demo"),
        ).where(*_surveys(conn, asked))
    ).mappings()
    found = dict(counted.one())
    digest = None
    if found["surveys"] <= MOST_SURVEYS:
        hashed = func.encode(func.sha256(func.convert_to(func.coalesce(text, ""), "UTF8")), "hex")
        digest = conn.scalar(select(hashed).where(*_surveys(conn, asked)))
    return found | {"digest": digest}


def _verdicts(conn: Connection, asked: Asked) -> dict[str, dict[str, int]]:
    """subject → verdict → how many."""
    told: dict[str, dict[str, int]] = {"survey": {}, "site": {}}
    groups = [("survey", survey, _surveys(conn, asked))]
    if asked.whole:
        groups.append(("site", site, [*_of(conn, site, asked.area), ~site.c.removed]))
    for subject, table, conditions in groups:
        query = select(table.c.verdict, func.count()).where(*conditions).group_by(table.c.verdict)
        told[subject] = {row[0]: row[1] for row in conn.execute(query)}
    return told


def _rules(conn: Connection, asked: Asked) -> list[Record]:
    """rule, surveys, sites, open (not decided), blameless (held against nobody) of each rule."""
    rule = func.unnest(audit_item.c.rules).label("rule")
    each = (
        select(rule, audit_item.c.subject, audit_item.c.state, audit_item.c.counted)
        .where(*_of(conn, audit_item, asked.area), *_during(audit_item.c.happened_at, asked))
        .subquery()
    )
    held = each.c.rule == func.any(each.c.counted)
    found = conn.execute(
        select(
            each.c.rule,
            func.count().filter(each.c.subject == "survey").label("surveys"),
            func.count().filter(each.c.subject == "site").label("sites"),
            func.count().filter(held, each.c.state == "open").label("open"),
            func.count().filter(~held).label("blameless"),
        ).group_by(each.c.rule)
    )
    return [paging.plain(row) for row in found.mappings()]


def _add_findings(conn: Connection, cases: Sequence[Record]) -> None:
    """Give each case the findings of its worst row."""
    names = ("subject", "province_code", "commune_code", "subject_id")
    by_key: dict[tuple[str, ...], list[Record]] = {
        tuple(one[name] for name in names): [] for one in cases
    }
    columns = [finding.c[name] for name in names]
    # One join: a list of thousands of keys would be compared with every row.
    lists = [literal([key[i] for key in by_key], ARRAY(Text)) for i in range(len(names))]
    wanted = func.unnest(*lists).table_valued(*names).render_derived()
    found = conn.execute(
        select(*columns, finding.c.rule, finding.c.severity, finding.c.evidence)
        .join(wanted, and_(*(finding.c[name] == wanted.c[name] for name in names)))
        .where(scope.within(conn, finding))
        .order_by(finding.c.severity.desc(), finding.c.rule)
    )
    for row in found.mappings():
        by_key[tuple(row[name] for name in names)].append(paging.plain(row))
    for one in cases:
        told = by_key[tuple(one[name] for name in names)]
        one["findings"] = evidence.findings_within(scope.of(conn), one["province_code"], told)


def _decisions(conn: Connection, asked: Asked) -> tuple[list[Record], int]:
    """The decisions of the period, the latest first, and how many there are."""
    column = audit_decision.c
    here = [*_of(conn, audit_decision, asked.area), *_during(column.decided_at, asked)]
    keys = ("province_code", "commune_code", "subject", "subject_id")
    same = [column[name] == audit_item.c[name] for name in keys]
    names = (*keys, "decision", "reason", "decided_by_name", "decided_at")
    found = conn.execute(
        select(*(column[name] for name in names), audit_item.c.household_code)
        .select_from(audit_decision)
        .outerjoin(audit_item, and_(*same))
        .where(*here)
        .order_by(column.decision_id.desc())
        .limit(MOST_DECISIONS)
    )
    number = conn.scalar(select(func.count()).select_from(audit_decision).where(*here))
    return [paging.plain(row) for row in found.mappings()], number or 0


def _samples(conn: Connection, asked: Asked) -> list[tuple[Record, estimates.Estimate]]:
    """The draws of the period, the latest first, with what each says of all."""
    drawn = [one for one in samples.listing(conn, asked.area) if asked.has(one["drawn_at"])]
    return [(one, samples.estimate(one, samples.items(conn, one))) for one in drawn[:MOST_SAMPLES]]


def _boundaries(conn: Connection, area: Area) -> list[Record]:
    """The versions of the present boundaries of an area's communes, the newest first."""
    version = boundary_version.c
    named = [version[name] for name in ("version", "source", "licence", "accuracy_m", "sketch")]
    found = conn.execute(
        select(*named, version.loaded_at, func.count().label("communes"))
        .select_from(boundary)
        .join(boundary_version, version.version == boundary.c.version)
        .join(area_table, area_table.c.area_id == boundary.c.area_id)
        .where(boundary.c.superseded_at.is_(None), *_present(area))
        .group_by(*named, version.loaded_at)
        .order_by(version.version.desc())
    )
    return [paging.plain(row) for row in found.mappings()]


def _names(conn: Connection, area: Area) -> dict[str, str]:
    """code → name of an area's communes."""
    found = conn.execute(select(area_table.c.code, area_table.c.full_name).where(*_present(area)))
    return {row[0]: row[1] for row in found}


def _present(area: Area) -> list[ColumnElement[bool]]:
    column = area_table.c
    here = [column.level == "commune", column.valid_to.is_(None)]
    if area.level == "commune":
        here.append(column.code == area.code)
    elif area.level != "country":
        here.append(column.province_code == area.province_code)
    return here
