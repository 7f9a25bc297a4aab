"""What waits for the rules that see a province's rows together."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select

from geo import areas
from geo.areas import Area
from geo.audit_tables import audit_due
from geo.sending import Statement, send
from geo.tables import NO_COMMUNE, site, survey


def mark(conn: Connection, communes: Collection[tuple[str, str]]) -> None:
    """Note that something in these communes (province, commune) changed that rules read."""
    send(conn, marking(communes))


def marking(communes: Collection[tuple[str, str]]) -> list[Statement]:
    """What `mark` sends."""
    if not communes:
        return []
    provinces, codes = map(list, zip(*sorted(communes), strict=True))
    return [("mark_due", {"provinces": provinces, "communes": codes})]


def mark_all(conn: Connection, area: Area | None) -> None:
    """The same for an area, or for everything: rules and their limits may have changed."""
    for table in (survey, site):
        within = [] if area is None else [areas.scope(area, table)]
        found = select(table.c.province_code).where(*within).distinct()
        mark(conn, {(province_code, NO_COMMUNE) for province_code in conn.scalars(found)})


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
