"""What the audit keeps of one household: decisions, visits asked for, checks of samples."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Table, select, tuple_

from geo import paging, scope
from geo.audit import evidence
from geo.audit_tables import audit_decision, audit_sample_item, revisit
from geo.intake.session import Key
from geo.paging import Record

LISTS = ("decisions", "revisits", "checks")
_DECISION = ("decided_at", "subject", "subject_id", "decision", "reason", "details", "decided_by")
_REVISIT = ("asked_at", "survey_id", "reason", "due_on", "sample_id", "asked_by", "withdrawn_at")
_CHECK = ("sample_id", "subject", "subject_id", "outcome", "note", "checked_at", "checked_by")


def of_household(
    conn: Connection, key: Key, subjects: Sequence[tuple[str, str]]
) -> dict[str, list[Record]]:
    """The LISTS of a household (province, commune, code), the latest first.

    subjects: its surveys and sites by kind and identity. Accounts stand in it by their numbers.
    found: what the check found, while `outcome` in a record is that of a request.
    """

    def about(table: Table) -> ColumnElement[bool]:
        return tuple_(table.c.subject, table.c.subject_id).in_(list(subjects))

    of_it = revisit.c.household_code == key[2]
    made = _rows(conn, audit_decision, key, about(audit_decision), _DECISION)
    return {
        "decisions": evidence.decisions_within(scope.of(conn), key[0], made),
        "revisits": _rows(conn, revisit, key, of_it, _REVISIT),
        "checks": [
            {("found" if name == "outcome" else name): value for name, value in one.items()}
            for one in _rows(conn, audit_sample_item, key, about(audit_sample_item), _CHECK)
        ],
    }


def _rows(
    conn: Connection, table: Table, key: Key, which: ColumnElement[bool], columns: Sequence[str]
) -> list[Record]:
    """Some columns; the first, a moment or a number that counts up, tells which is the latest."""
    found = conn.execute(
        select(*(table.c[name] for name in columns))
        .where(
            scope.within(conn, table),
            table.c.province_code == key[0],
            table.c.commune_code == key[1],
            which,
        )
        .order_by(table.c[columns[0]].desc())
    )
    return [paging.plain(row) for row in found.mappings()]
