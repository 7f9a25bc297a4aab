"""Finds the household that a person's request is about, and holds it for the change."""

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, select

from geo import paging, scope
from geo.errors import NotFoundError
from geo.intake import as_stored
from geo.intake.session import Key
from geo.tables import household


def locked(
    conn: Connection, province_code: str, household_code: str, commune_code: str | None
) -> RowMapping:
    """The household's row with lon, lat and recorded_code, locked until the transaction's end.

    Raises NotFoundError, ConflictError where the commune is needed.
    """
    found = (
        conn.execute(
            select(
                *as_stored.COLUMNS,
            )
            .where(
                scope.within(conn, household),
                ~household.c.removed,
                household.c.province_code == province_code,
                household.c.household_code == household_code,
                *([] if commune_code is None else [household.c.commune_code == commune_code]),
            )
            .with_for_update(of=household)
        )
        .mappings()
        .all()
    )
    if not found:
        raise NotFoundError(
            f"There is no household {household_code[:60]!r} in province {province_code!r}."
        )
    paging.only(found, household_code)
    return found[0]


def key_of(row: RowMapping) -> Key:
    """Province, commune and code of a household's row."""
    return row["province_code"], row["commune_code"], row["household_code"]


def is_(key: Key, table: Table = household) -> ColumnElement[bool]:
    """Whether a row is this household, or belongs to it."""
    return and_(
        table.c.province_code == key[0],
        table.c.commune_code == key[1],
        table.c.household_code == key[2],
    )
