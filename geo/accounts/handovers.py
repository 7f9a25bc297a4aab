"""Hand-overs of the administration of areas, as they were recorded."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from geo import areas
from geo.account_tables import account, handover
from geo.accounts.store import shown
from geo.areas import Area
from geo.scope import within


@dataclass(frozen=True)
class Handover:
    """Who handed an area's administration to whom; a name is '' where the scope hides it."""

    area_code: str
    giver: str
    receiver: str
    receiver_login: str
    reason: str
    at: datetime


def listing(conn: Connection, area: Area, limit: int = 100) -> list[Handover]:
    """The hand-overs of an area and of all below it, the latest first."""
    giver, receiver = account.alias("giver"), account.alias("receiver")
    rows = conn.execute(
        select(
            handover.c.area_code,
            func.coalesce(giver.c.full_name, "").label("giver"),
            func.coalesce(receiver.c.full_name, "").label("receiver"),
            func.coalesce(receiver.c.login, "").label("receiver_login"),
            handover.c.reason,
            handover.c.at,
        )
        .outerjoin(
            giver,
            (giver.c.account_id == handover.c.from_account_id) & shown(conn, giver),
        )
        .outerjoin(
            receiver,
            (receiver.c.account_id == handover.c.to_account_id) & shown(conn, receiver),
        )
        .where(areas.scope(area, handover), within(conn, handover))
        .order_by(handover.c.at.desc(), handover.c.handover_id.desc())
        .limit(limit)
    )
    return [Handover(**row._mapping) for row in rows]
