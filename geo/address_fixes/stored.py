"""Fixes as they are stored: which commune a person chose for addresses that look alike."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from geo import areas, paging, scope
from geo.addresses.lookalikes import Lookalike, lookalike
from geo.addresses.resolver import Resolution
from geo.areas import Area
from geo.audit_tables import address_fix
from geo.paging import Record
from geo.tables import area

SHOWN = 100

Target = tuple[str, str]
"""Province and commune that a fix leads to."""


def shared(text: str, said: Resolution) -> Lookalike:
    """What an address shares with its look-alikes, as the resolver reads it."""
    return lookalike(text, len(said.candidates))


def in_force(conn: Connection, key: str | None = None) -> dict[str, set[Target]]:
    """Key → where its fixes lead that hold in the areas in scope; all keys, or one."""
    fix = address_fix.c
    query = select(fix.key, fix.province_code, fix.commune_code).where(
        scope.within(conn, address_fix), fix.undone_at.is_(None)
    )
    found: dict[str, set[Target]] = {}
    for one, *target in conn.execute(query if key is None else query.where(fix.key == key)):
        found.setdefault(one, set()).add((target[0], target[1]))
    return found


def listing(conn: Connection, of: Area, limit: int = SHOWN) -> Sequence[Record]:
    """The fixes that lead into an area: those that hold first, each group the latest first.

    With full_name: that of the commune.
    """
    fix = address_fix.c
    rows = conn.execute(
        select(*fix, area.c.full_name)
        .join(area, (area.c.code == fix.commune_code) & area.c.valid_to.is_(None), isouter=True)
        .where(scope.within(conn, address_fix), areas.scope(of, address_fix))
        .order_by(fix.undone_at.is_not(None), fix.fix_id.desc())
        .limit(limit)
    )
    return [paging.plain(row) for row in rows.mappings()]
