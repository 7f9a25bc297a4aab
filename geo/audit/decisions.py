"""Decisions about findings: who decided what, when and why; only added to, the last one counts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import takewhile
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, select, tuple_, update

from geo import metrics, paging, scope
from geo.audit import due, evidence, lately, repairs, revisits, store
from geo.audit.actors import By
from geo.audit_tables import DECISIONS, audit_decision, audit_item
from geo.errors import ConflictError, NotFoundError, RejectedError, UsageError
from geo.paging import Record
from geo.tables import finding

MAX_REASON = 1000
MAX_AT_ONCE = 500


Subject = repairs.Key


def decide(
    conn: Connection,
    subjects: Sequence[Subject],
    decision: str,
    reason: str,
    by: By,
    *,
    point: repairs.Point | None = None,
    due_on: date | None = None,
    seen: dict[Subject, int] | None = None,
) -> list[Record]:
    """Decide about surveys and sites with one reason; their new rows of the queue.

    confirmed: the doubt is right. explained: it is not, for a reason, which is required. repaired:
    the point is corrected, to `point` or to what a finding proposes; the one that was sent is
    kept. revisit: the enumerator shall go again, until `due_on`; any other decision takes a visit
    back that the one before it asked for and nobody made yet.
    seen: the last decision's id that the auditor saw of each (0 for none); where another one came
    since, nothing is decided.
    Raises RejectedError, NotFoundError, ConflictError; all are decided or none.
    """
    if decision not in DECISIONS or decision == "reopened":
        raise UsageError(f"{decision!r} is no decision.")
    reason = _checked(subjects, decision, reason, point)
    if decision == "revisit":
        revisits.check_due(due_on)
    rows = _locked(conn, subjects, seen)
    batch = str(uuid4()) if len(rows) > 1 else None
    moved = set[tuple[str, str]]()
    for subject, row in rows.items():
        details = _as_it_is(conn, subject, row)
        # First, so that what is found in the corrected point leaves these as they were.
        _set_state(conn, subject, decision)
        if decision == "repaired":
            repairs.check_reason(point, details["findings"], reason)
            details |= repairs.repair(conn, subject, point, details["findings"], moved)
        if decision == "revisit":
            details["revisit_id"] = revisits.ask(conn, row, reason, due_on, by)
        else:
            _take_visits_back(conn, subject, _since_open(conn, subject), by)
        _add(conn, subject, row, decision, reason, details, by, batch)
    _renew(conn, rows, moved)
    return [dict(row) | {"state": decision} for row in rows.values()]


def reopen(
    conn: Connection,
    subjects: Sequence[Subject],
    reason: str,
    by: By,
    *,
    seen: dict[Subject, int] | None = None,
) -> list[Record]:
    """Take all that is decided about each back: the point as it was sent, no visit asked for.

    seen: as for `decide`. Raises NotFoundError, ConflictError, RejectedError where nothing is
    decided; all are reopened or none.
    """
    reason = _checked(subjects, "reopened", reason, None)
    rows = _locked(conn, subjects, seen)
    moved = set[tuple[str, str]]()
    for subject, row in rows.items():
        made = _since_open(conn, subject)
        if not made:
            raise RejectedError(f"Nothing is decided about {row['household_code']}.")
        _set_state(conn, subject, "open")
        corrected = [one for one in made if one["decision"] == "repaired"]
        if corrected:
            # The first correction replaced the point that was sent.
            repairs.undo(conn, subject, corrected[-1]["details"]["before"], moved)
        _take_visits_back(conn, subject, made, by)
        details = {"taken_back": made[0]["decision"]}
        _add(conn, subject, row, "reopened", reason, details, by, None)
    _renew(conn, rows, moved)
    return [dict(row) | {"state": "open"} for row in rows.values()]


def history(conn: Connection, subject: str, key: tuple[str, str, str]) -> list[Record]:
    """The decisions about one survey or site (province, commune, id), the latest first."""
    found = conn.execute(
        select(
            audit_decision.c.decision_id,
            audit_decision.c.decision,
            audit_decision.c.reason,
            audit_decision.c.decided_by_name,
            audit_decision.c.decided_at,
            audit_decision.c.details,
            audit_decision.c.batch,
        )
        .where(scope.within(conn, audit_decision), _is(audit_decision, Subject(subject, *key)))
        .order_by(audit_decision.c.decision_id.desc())
    )
    made = [paging.plain(row) for row in found.mappings()]
    return evidence.decisions_within(scope.of(conn), key[0], made)


def _checked(
    subjects: Sequence[Subject], decision: str, reason: str, point: repairs.Point | None
) -> str:
    reason = reason.strip()
    if not subjects:
        raise RejectedError("Choose at least one survey or site.")
    if len(subjects) > MAX_AT_ONCE:
        raise RejectedError(f"At most {MAX_AT_ONCE} can be decided at once.")
    if decision == "explained" and not reason:
        raise RejectedError("Say what explains it: others rely on the reason later.")
    if len(reason) > MAX_REASON:
        raise RejectedError(f"The reason is longer than {MAX_REASON} characters.")
    if point is not None and len(subjects) != 1:
        raise RejectedError("A point can be given to one survey or site only.")
    return reason


def _locked(
    conn: Connection, subjects: Sequence[Subject], seen: dict[Subject, int] | None
) -> dict[Subject, Record]:
    """The queue's rows, locked; the pass over their provinces waits until these are stored."""
    for province_code in sorted({one.province_code for one in subjects}):
        store.hold_decisions(conn, province_code, deciding=True)
    keys = ("subject", "province_code", "commune_code", "subject_id")
    found = conn.execute(
        select(audit_item)
        .where(
            scope.within(conn, audit_item),
            tuple_(*(audit_item.c[name] for name in keys)).in_([tuple(one) for one in subjects]),
        )
        .order_by(*(audit_item.c[name] for name in keys))
        .with_for_update()
    )
    rows = {Subject(*(row[name] for name in keys)): paging.plain(row) for row in found.mappings()}
    missing = [one for one in subjects if one not in rows]
    if missing:
        raise NotFoundError(
            f"There is no finding about {missing[0].subject_id} (any more); load the list again."
        )
    for one in rows if seen is not None else ():
        last = _last(conn, one)
        if (last["decision_id"] if last else 0) != (seen or {}).get(one, 0):
            raise ConflictError(
                f"{last['decided_by_name'] if last else 'Somebody'} decided about "
                f"{rows[one]['household_code']} meanwhile; nothing was changed. Look at it again."
            )
    return {one: rows[one] for one in dict.fromkeys(subjects)}


def _last(conn: Connection, subject: Subject) -> Record | None:
    found = history(conn, subject.subject, subject[1:])
    return found[0] if found else None


def _since_open(conn: Connection, subject: Subject) -> list[Record]:
    """The decisions that hold: those since the last reopening, the latest first."""
    made = history(conn, subject.subject, subject[1:])
    return list(takewhile(lambda one: one["decision"] != "reopened", made))


def _take_visits_back(conn: Connection, subject: Subject, made: list[Record], by: By) -> None:
    """Nobody is to go there any more, unless another survey of the household needs it."""
    ids = {one["details"].get("revisit_id") for one in made if one["decision"] == "revisit"}
    for revisit_id in sorted(ids - {None}):
        others = set(lately.waiting_for(conn, revisit_id, *subject[1:3])) - {subject}
        if not others:
            revisits.end(conn, revisit_id, subject.province_code, subject.commune_code, by)


def _renew(
    conn: Connection, subjects: Iterable[Subject], moved: Collection[tuple[str, str]]
) -> None:
    """Let the pass see what was decided, and tiles and figures show it; moved: where points did."""
    communes = {(one.province_code, one.commune_code) for one in subjects}
    due.mark(conn, communes)
    metrics.touch(conn, communes, moved)


def _is(table: Table, subject: Subject) -> ColumnElement[bool]:
    return and_(
        table.c.province_code == subject.province_code,
        table.c.commune_code == subject.commune_code,
        table.c.subject == subject.subject,
        table.c.subject_id == subject.subject_id,
    )


def _as_it_is(conn: Connection, subject: Subject, row: Record) -> dict[str, Any]:
    """What was decided about: the findings with their evidence, the verdict, the risk."""
    found = conn.execute(
        select(finding.c.rule, finding.c.severity, finding.c.evidence)
        .where(_is(finding, subject))
        .order_by(finding.c.rule)
    )
    return {
        "verdict": row["verdict"],
        "distance_m": row["distance_m"],
        "risk": row["risk"],
        "findings": [paging.plain(one) for one in found.mappings()],
    }


def _add(
    conn: Connection,
    subject: Subject,
    row: Record,
    decision: str,
    reason: str,
    details: dict[str, Any],
    by: By,
    batch: str | None,
) -> None:
    conn.execute(
        insert(audit_decision).values(
            **subject._asdict(),
            decision=decision,
            reason=reason,
            details=details,
            batch=batch,
            decided_by=by.account_id,
            decided_by_name=by.name,
            demo=row["demo"],
        )
    )


def _set_state(conn: Connection, subject: Subject, state: str) -> None:
    for table in (finding, audit_item):
        conn.execute(update(table).where(_is(table, subject)).values(state=state))
