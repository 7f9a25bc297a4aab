"""Roles as accounts hold them, and which of them count: those in areas that still exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Date, Row, and_, case, cast, func, or_, select

from geo.account_tables import account_role
from geo.accounts.roles import Assignment
from geo.tables import area


@dataclass(frozen=True)
class Held:
    """A role in an area; `counts` is False once the area has ended, which gives no rights."""

    role: str
    area_code: str
    province_code: str
    commune_code: str
    area_name: str
    counts: bool
    granted_by: int | None
    granted_at: datetime

    @property
    def assignment(self) -> Assignment:
        """The same as `geo.accounts.roles` decides by."""
        return Assignment(self.role, self.area_code, self.province_code or None, self.commune_code)


def held_by_accounts(conn: Connection, account_ids: Sequence[int]) -> dict[int, list[Held]]:
    """The roles of each of the accounts, highest area first.

    A role counts for the area as it was when the role was given: when areas are merged under one
    of their codes, nobody's rights grow with it.
    """
    granted_on = cast(func.timezone("Asia/Ho_Chi_Minh", account_role.c.granted_at), Date)
    same = and_(
        area.c.code == account_role.c.area_code,
        area.c.valid_to.is_(None),
        or_(area.c.valid_from.is_(None), area.c.valid_from <= granted_on),
        func.coalesce(area.c.province_code, "") == account_role.c.province_code,
        case((area.c.level == "commune", area.c.code), else_="") == account_role.c.commune_code,
    )
    rows = conn.execute(
        select(account_role, area.c.full_name)
        .outerjoin(area, same)
        .where(account_role.c.account_id.in_(account_ids))
        .order_by(account_role.c.province_code, account_role.c.commune_code, account_role.c.role)
    )
    found: dict[int, list[Held]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(_held(row))
    return found


def _held(row: Row) -> Held:
    return Held(
        role=row.role,
        area_code=row.area_code,
        province_code=row.province_code,
        commune_code=row.commune_code,
        area_name=row.full_name or row.area_code,
        counts=row.full_name is not None,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
    )
