"""What waits for the rules that see a province's rows together."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, insert, select

from geo.audit_tables import audit_due


def mark(conn: Connection, communes: Collection[tuple[str, str]]) -> None:
    """Note that something in these communes (province, commune) changed that rules read."""
    if communes:
        rows = [{"province_code": p, "commune_code": c} for p, c in sorted(communes)]
        conn.execute(insert(audit_due), rows)


def provinces(conn: Connection) -> list[str]:
    """The provinces that wait, the longest waiting first."""
    first = func.min(audit_due.c.since)
    found = select(audit_due.c.province_code).group_by(audit_due.c.province_code).order_by(first)
    return list(conn.scalars(found))


def take(conn: Connection, province_code: str) -> int:
    """Take a province's marks away before its rows are read; how many there were.

    What is marked later, or by a transaction that is not committed yet, waits for the next pass.
    """
    gone = conn.execute(delete(audit_due).where(audit_due.c.province_code == province_code))
    return gone.rowcount
