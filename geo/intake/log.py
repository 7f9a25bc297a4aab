"""What was taken in lately, what was kept aside, and whether any of it is demo data."""

from typing import Any

from sqlalchemy import Connection, RowMapping, exists, select

from geo.tables import household, import_conflict, import_job


def recent_imports(conn: Connection, limit: int = 20) -> list[RowMapping]:
    """The last imports, latest first: import_id, kind, source, finished_at, report, demo."""
    query = select(import_job).order_by(import_job.c.finished_at.desc()).limit(limit)
    return list(conn.execute(query).mappings())


def recent_conflicts(conn: Connection, limit: int = 20) -> list[RowMapping]:
    """The last second copies that were kept aside: kind, key, reason, row, received_at."""
    query = select(import_conflict).order_by(import_conflict.c.received_at.desc()).limit(limit)
    return list(conn.execute(query).mappings())


def conflicts_of(conn: Connection, kind: str, province_code: str, key: str) -> list[RowMapping]:
    """The second copies of one record, latest first."""
    query = (
        select(import_conflict)
        .where(
            import_conflict.c.province_code == province_code,
            import_conflict.c.kind == kind,
            import_conflict.c.key == key,
        )
        .order_by(import_conflict.c.received_at.desc())
    )
    return list(conn.execute(query).mappings())


def demo_present(conn: Connection) -> bool:
    """Whether any household is demo data; reads one entry of a partial index."""
    found: Any = conn.execute(select(exists().where(household.c.demo))).scalar()
    return bool(found)
