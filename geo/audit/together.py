"""The pass over a province: all rules over all its rows, findings and the queue made anew."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection

from geo import db, metrics
from geo.audit import changes, due, frames, items, store
from geo.audit.applying import findings_of, rules_for
from geo.rules import SITE, SURVEY
from geo.scope import OPERATOR
from geo.tables import site, survey

_TABLES = ((SURVEY, survey, "survey_id"), (SITE, site, "site_code"))


@dataclass
class PassReport:
    """What a pass read, and what it changed."""

    province_code: str
    surveys: int = 0
    sites: int = 0
    findings_added: int = 0
    findings_removed: int = 0
    items: int = 0


def run(conn: Connection, province_code: str) -> PassReport:
    """Run all rules over a province's surveys and sites; renew its findings and its queue.

    Needs a scope that holds the whole province. Two passes over one province follow each other;
    auditors decide meanwhile, and wait only while the result is written.
    """
    report = PassReport(province_code)
    store.one_pass_at_a_time(conn, province_code)
    due.take(conn, province_code)
    read = [(frames.rows(conn, subject, province_code), subject) for subject, *_ in _TABLES]
    context = frames.context(conn, province_code, [frame for frame, _ in read])
    found = [
        _without_blame(conn, findings_of(frame, context, subject, key), subject, key, province_code)
        for (frame, subject), (_, _, key) in zip(read, _TABLES, strict=True)
    ]
    store.hold_decisions(conn, province_code)
    touched = set[tuple[str, str]]()
    for (frame, subject), hits, (_, table, key) in zip(read, found, _TABLES, strict=True):
        rows = store.Rows(conn, subject, table, key)
        rules = [rule.code for rule in rules_for(subject, alone=False)]
        renewed = rows.renew_findings(frame, hits, rules)
        report.findings_added += renewed.added
        report.findings_removed += renewed.removed
        touched |= renewed.communes
    report.surveys, report.sites = len(read[0][0]), len(read[1][0])
    report.items = items.renew(conn, province_code)
    metrics.touch(conn, touched)
    return report


def _without_blame(
    conn: Connection, found: pd.DataFrame, subject: str, key: str, province_code: str
) -> pd.DataFrame:
    """The findings, with those marked that only new boundaries caused."""
    caused = changes.caused_by_boundaries(conn, subject, province_code)
    whose = zip(found["commune_code"], found[key], found["rule"], strict=True)
    blameless = [
        (commune, one) in caused and changes.rests_on_border(rule) for commune, one, rule in whose
    ]
    return found.assign(blameless=blameless)


def run_due(
    url: str | None = None, told: Callable[[PassReport], None] | None = None
) -> list[PassReport]:
    """Pass over each province that waits, each in a transaction of its own, as the operator.

    A pass that fails leaves its province waiting, and the others go on; the first failure is
    raised at the end. url: of the database, by default the service's. told: is called after each.
    """
    with db.transaction(url, scope=OPERATOR) as conn:
        waiting = due.provinces(conn)
    reports: list[PassReport] = []
    failures: list[Exception] = []
    for province_code in waiting:
        try:
            with db.transaction(url, scope=OPERATOR) as conn:
                reports.append(run(conn, province_code))
        except Exception as failure:  # noqa: BLE001 - raised below, when the others had their turn
            failures.append(failure)
            continue
        if told:
            told(reports[-1])
    if failures:
        raise failures[0]
    return reports
