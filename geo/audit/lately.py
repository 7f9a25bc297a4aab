"""The latest decisions: what an auditor saw of them, and what one of them was about."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, and_, func, select, tuple_

from geo import scope
from geo.audit.repairs import Key
from geo.audit_tables import audit_decision, audit_item
from geo.paging import Record, plain

_KEY = tuple(audit_decision.c[name] for name in Key._fields)


def seen(conn: Connection, keys: Collection[Key]) -> dict[Key, int]:
    """The id of the last decision about each survey or site; those without one are left out."""
    if not keys:
        return {}
    found = conn.execute(
        select(*_KEY, func.max(audit_decision.c.decision_id))
        .where(scope.within(conn, audit_decision), tuple_(*_KEY).in_([tuple(k) for k in keys]))
        .group_by(*_KEY)
    )
    return {Key(*row[:4]): row[4] for row in found}


def made_with(conn: Connection, decision_id: int) -> list[Record]:
    """A decision and those made with it at once, as long as each is the last about its subject.

    Rows: decision_id, decision, decided_by, and the fields of Key. Empty for an unknown id.
    """
    one = audit_decision.c
    batch = conn.execute(
        select(one.batch).where(scope.within(conn, audit_decision), one.decision_id == decision_id)
    ).scalar()
    together = one.decision_id == decision_id if batch is None else one.batch == UUID(str(batch))
    rows = conn.execute(
        select(one.decision_id, one.decision, one.decided_by, *_KEY)
        .where(scope.within(conn, audit_decision), together)
        .order_by(one.decision_id)
    )
    made = [plain(row) for row in rows.mappings()]
    last = seen(conn, [key_of(row) for row in made])
    return [row for row in made if last[key_of(row)] == row["decision_id"]]


def waiting_for(
    conn: Connection, revisit_id: int, province_code: str, commune_code: str
) -> list[Key]:
    """The surveys and sites in the queue whose last decision asked for this visit."""
    joined = audit_decision.join(
        audit_item, and_(*(audit_item.c[column.name] == column for column in _KEY))
    )
    found = conn.execute(
        select(*_KEY, func.max(audit_decision.c.decision_id))
        .select_from(joined)
        .where(
            scope.within(conn, audit_decision),
            audit_decision.c.province_code == province_code,
            audit_decision.c.commune_code == commune_code,
            audit_decision.c.decision == "revisit",
            audit_decision.c.details["revisit_id"].as_integer() == revisit_id,
        )
        .group_by(*_KEY)
        .order_by(*_KEY)
    )
    asked = {Key(*row[:4]): row[4] for row in found}
    last = seen(conn, list(asked))
    return [key for key, decision_id in asked.items() if last[key] == decision_id]


def newest(conn: Connection) -> int:
    """The id of the last decision that the scope holds; 0 for none."""
    found = select(func.max(audit_decision.c.decision_id))
    return conn.scalar(found.where(scope.within(conn, audit_decision))) or 0


def key_of(row: Record) -> Key:
    """Which survey or site a row of the queue or of the decisions is about."""
    return Key(*(row[name] for name in Key._fields))
