"""What was taken in lately, what was kept aside, and whether any of it is demo data."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, exists, or_, select

from geo import scope
from geo.errors import NotFoundError
from geo.tables import household, import_conflict, import_job


def recent_imports(conn: Connection, limit: int = 20) -> list[RowMapping]:
    """The last imports, latest first: import_id, kind, source, finished_at, report, demo.

    Those of senders who work for an area of one's own, and one's own for several areas.
    """
    query = select(import_job).where(_seen(conn)).order_by(import_job.c.finished_at.desc())
    return list(conn.execute(query.limit(limit)).mappings())


def report_of(conn: Connection, import_id: str | None) -> dict[str, Any]:
    """The report of one of these imports; raises NotFoundError, also for None."""
    query = select(import_job.c.report).where(_seen(conn), import_job.c.import_id == import_id)
    found: dict[str, Any] | None = conn.execute(query).scalar()
    if found is None:
        raise NotFoundError("There is no report of this import.")
    return found


def _seen(conn: Connection) -> ColumnElement[bool]:
    seen = [scope.within(conn, import_job)]
    if (own := scope.of(conn).account_id) is not None:
        seen.append((import_job.c.account_id == own) & (import_job.c.province_code == ""))
    return or_(*seen)


def recent_conflicts(conn: Connection, limit: int = 20) -> list[RowMapping]:
    """The last second copies that were kept aside: kind, key, reason, row, received_at."""
    query = select(import_conflict).where(scope.within(conn, import_conflict))
    latest = query.order_by(import_conflict.c.received_at.desc()).limit(limit)
    return list(conn.execute(latest).mappings())


def conflicts_of(
    conn: Connection, kind: str, province_code: str, commune_code: str, key: str
) -> list[RowMapping]:
    """The second copies of one record, latest first."""
    query = (
        select(import_conflict)
        .where(
            scope.within(conn, import_conflict),
            import_conflict.c.province_code == province_code,
            import_conflict.c.commune_code == commune_code,
            import_conflict.c.kind == kind,
            import_conflict.c.key == key,
        )
        .order_by(import_conflict.c.received_at.desc())
    )
    return list(conn.execute(query).mappings())


def demo_present(conn: Connection) -> bool:
    """Whether any household in scope is demo data; reads one entry of a partial index."""
    shown = exists().where(household.c.demo, scope.within(conn, household))
    found: Any = conn.execute(select(shown)).scalar()
    return bool(found)
