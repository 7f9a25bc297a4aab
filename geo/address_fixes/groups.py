"""Households whose commune is not known yet, by the address that they share with look-alikes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, func, select, true

from geo import addresses, areas, scope
from geo.account_tables import removed_household
from geo.address_fixes import stored
from geo.addresses import Resolution, Resolver
from geo.areas import Area
from geo.counter_tables import commune_counter
from geo.errors import NotFoundError
from geo.intake.session import one_of
from geo.paging import Record
from geo.scope import Scope
from geo.tables import NO_COMMUNE, household

MOST_TEXTS = 20_000
"""Different texts that are read for one page, the most frequent first."""
SHOWN = 50
REASONS = ("unknown", "conflict", "successors", "namesakes", "unsure")


@dataclass
class Group:
    """Households of one province whose addresses look alike.

    reason: why they are open, one of REASONS. safe: whether one fix can hold for all of them.
    example: what the texts share, as one of them writes it. households: how many there are.
    candidates: codes of present communes. texts: the addresses as they are recorded.
    """

    province_code: str
    key: str
    reason: str
    safe: bool
    example: str
    households: int = 0
    candidates: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """Groups of an area, those with the most households first, and how many there are by reason.

    more: whether there are more texts than are read at once.
    """

    groups: list[Group]
    households: int
    reasons: dict[str, int]
    more: bool


def listing(conn: Connection, of: Area, reason: str = "") -> Sheet:
    """The groups of an area; of a commune none, as its households have one."""
    rows = conn.execute(
        select(
            household.c.province_code,
            household.c.recorded_address,
            household.c.candidates,
            func.count().label("households"),
        )
        .where(open_(conn, of))
        .group_by(household.c.province_code, household.c.recorded_address, household.c.candidates)
        .order_by(func.count().desc(), household.c.recorded_address)
        .limit(MOST_TEXTS + 1)
    ).all()
    found = _grouped(addresses.resolver(conn), [tuple(row) for row in rows[:MOST_TEXTS]])
    reasons = dict.fromkeys(REASONS, 0)
    for group in found:
        reasons[group.reason] += group.households
    return Sheet(
        groups=[group for group in found if reason in ("", group.reason)],
        households=sum(reasons.values()),
        reasons=reasons,
        more=len(rows) > MOST_TEXTS,
    )


def one(conn: Connection, of: Area, province_code: str, key: str) -> Group:
    """The group of a key in a province; raises NotFoundError when nothing of it is open."""
    found = find(conn, of, province_code, key)
    if found is None:
        raise NotFoundError("No household waits under this address any more.")
    return found


def find(conn: Connection, of: Area, province_code: str, key: str) -> Group | None:
    """The same; None when nothing of it is open."""
    for group in listing(conn, of).groups:
        if (group.province_code, group.key) == (province_code, key):
            return group
    return None


def households(conn: Connection, group: Group, limit: int = SHOWN) -> list[Record]:
    """The first households of a group: province_code, household_code, head_name, address."""
    names = ("province_code", "commune_code", "household_code", "head_name", "recorded_address")
    rows = conn.execute(
        select(*(household.c[name] for name in names))
        .where(of_texts(conn, [group.province_code], group.texts))
        .order_by(household.c.household_code)
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def of_texts(
    conn: Connection, provinces: Sequence[str], texts: Iterable[str]
) -> ColumnElement[bool]:
    """The condition for open households in scope with one of these addresses."""
    return and_(
        scope.within(conn, household),
        household.c.province_code.in_(provinces),
        household.c.commune_code == NO_COMMUNE,
        ~household.c.removed,
        household.c.recorded_address == one_of(set(texts)),
    )


def open_(conn: Connection, of: Area) -> ColumnElement[bool]:
    """The condition for the households in scope and area whose commune is not known."""
    # The key begins with the province: where none is asked for, those that have any are named.
    counter = commune_counter.c
    provinces = select(counter.province_code).where(
        counter.commune_code == NO_COMMUNE, counter.households > 0
    )
    return and_(
        scope.within(conn, household),
        areas.scope(of, household),
        household.c.province_code.in_(provinces) if of.level == "country" else true(),
        household.c.commune_code == NO_COMMUNE,
        ~household.c.removed,
    )


def why(said: Resolution, levels: frozenset[str]) -> str:
    """Why an address is open, one of REASONS; levels: those whose kinds are written in it."""
    if not said.candidates:
        return "unknown"
    if len(said.candidates) > 1:
        return "namesakes" if said.area_id is None else "successors"
    named = {match.level for match in said.matched}
    return "conflict" if levels - named else "unsure"


def waiting(conn: Connection, reach: Scope) -> int:
    """How many households in `reach` have no known commune, from the counters.

    Those that were removed at a person's request stay counted, but wait for nothing.
    """
    total = 0
    for table, figure in (
        (commune_counter, func.coalesce(func.sum(commune_counter.c.households), 0)),
        (removed_household, -func.count()),
    ):
        query = select(figure).select_from(table).where(table.c.commune_code == NO_COMMUNE)
        if not reach.everything:
            query = query.where(table.c.province_code.in_(sorted(reach.provinces)))
        total += int(conn.scalar(query) or 0)
    return total


def _marks(text: str) -> tuple[int, int]:
    """How fully a text is written: letters that only Vietnamese has, and its length."""
    return sum(not c.isascii() for c in text), len(text)


def _grouped(resolver: Resolver, rows: Sequence[tuple[str, str, list[str], int]]) -> list[Group]:
    groups: dict[tuple[str, str], Group] = {}
    for province, text, candidates, households in rows:
        said = resolver.resolve(text)
        shared = stored.shared(text, said)
        group = groups.get((province, shared.key))
        if group is None:
            group = groups[province, shared.key] = Group(
                province, shared.key, why(said, shared.levels), shared.safe, shared.shown or text
            )
        group.example = max(group.example, shared.shown, key=_marks)
        group.households += households
        group.candidates += [code for code in candidates if code not in group.candidates]
        group.texts += [text] if text not in group.texts else []
    return sorted(groups.values(), key=lambda g: (-g.households, g.province_code, g.key))
