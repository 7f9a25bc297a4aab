"""Keeps counters and squares of communes with every write: counted from the tables or counted on.

Whoever changes households, surveys or sites calls `recount` in the same transaction, whoever
changes findings only `touch`. Both lock the counters of the communes in one order for all writers;
whoever waited counts what the others committed, which needs READ COMMITTED (see `geo.db`).
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from sqlalchemy import BigInteger, Connection, cast, func, select, text

from geo import areas, pyramid, scope
from geo.additions import Additions
from geo.areas import Area
from geo.counter_tables import commune_revision
from geo.db import sql
from geo.pyramid import Pair
from geo.sending import Statement, send

_MANY = 300


def recount(
    conn: Connection,
    communes: Iterable[Pair],
    added: Additions | None = None,
    *,
    sites_only: bool = False,
) -> None:
    """Count the given (province_code, commune_code) pairs again from the tables.

    Call it once, at the end of the transaction that changed them, with the communes of every
    household, survey and site that was added, changed, moved (where from and where to) or
    removed; for a survey also the commune of its household, whose coverage it changes.
    added: rows that were only added, in whatever communes: these are counted on.
    sites_only: nothing but sites and their findings changed.
    """
    whole = sorted(set(communes))
    known = Additions() if added is None else added
    lock = _lock(conn, known.communes.union(whole))
    if whole:
        send(conn, [*lock, ("recount_add", _lists(whole))])
        lock = []
        steps = ("sites", "clear_due", "due")
        for step in steps if sites_only else ("communes", *steps):
            conn.execute(sql(f"recount_{step}"), _lists(whole))
        pyramid.recount(conn, whole, ("sites", "findings") if sites_only else pyramid.PYRAMID)
    send(conn, chain(lock, known.counting(conn, whole)))


def touch(conn: Connection, communes: Iterable[Pair], moved: Collection[Pair] = ()) -> None:
    """Renew what tiles show of the given communes where only findings or decisions changed.

    Call it once, at the end of the transaction, instead of `recount`; moved: communes in which
    points or verdicts changed as well, which are counted whole.
    """
    doubted = set(communes).difference(moved)
    send(conn, _lock(conn, doubted.union(moved)))
    if moved:
        recount(conn, moved)
    pyramid.recount_doubts(conn, doubted)


def revision(conn: Connection, area: Area) -> int:
    """A number that grows with every change of what the scope sees of an area, and else stays.

    Read it before what it stands for: a change between the two then shows as a later revision.
    Raises UsageError for an area that has ended.
    """
    total = cast(func.coalesce(func.sum(commune_revision.c.revision), 0), BigInteger)
    within = (areas.scope(area, commune_revision), scope.within(conn, commune_revision))
    return conn.execute(select(total).where(*within)).scalar_one()


def _lock(conn: Connection, communes: Collection[Pair]) -> list[Statement]:
    """What lets nobody else count these communes until the commit; their revisions grow."""
    if len(communes) >= _MANY:
        # A whole country's households are then grouped in memory; until the transaction ends.
        conn.execute(text("SET LOCAL work_mem = '256MB'"))
    return [("recount_revise", _lists(sorted(communes)))] if communes else []


def _lists(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    return {"provinces": [p for p, _ in pairs], "communes": [c for _, c in pairs]}
