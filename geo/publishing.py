"""Which figures a transaction may see: all of its own areas, elsewhere all but what is hidden."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from geo import areas, scope
from geo.areas import Area
from geo.counter_tables import commune_counter
from geo.disclosure import Hidden, hide
from geo.errors import ForbiddenError
from geo.tables import area as area_table

_NOTHING = Hidden()


def hidden_in(conn: Connection, asked: Area) -> Hidden:
    """What the transaction may not see of the figures of a present area and of all below it.

    The same for every area outside its own, so that no two answers can be held against each other.
    Raises UsageError for an area that has ended, ForbiddenError for one that is not its own when
    it may not see figures elsewhere.
    """
    areas.scope(asked, commune_counter)
    own = scope.of(conn)
    if own.covers(asked.province_code, asked.commune_code):
        return _NOTHING
    if not own.figures_elsewhere:
        raise ForbiddenError(f"{asked.full_name} ({asked.code}) is not one of your areas.")
    tree = _tree(conn)
    known = {(p, c) for p, communes in tree.items() for c in communes if own.covers(p or None, c)}
    return hide(tree, known)


def is_hidden(hidden: Hidden, area: Area) -> bool:
    """Whether an area's own figures are hidden."""
    if area.level == "country":
        return hidden.country
    if area.level == "province":
        return area.code in hidden.provinces
    return (area.province_code, area.code) in hidden.communes


def hidden_below(hidden: Hidden, area: Area) -> Collection[str]:
    """The codes of those rows directly below an area that are hidden; '' is what has no child."""
    if area.level == "country":
        return hidden.provinces
    return {commune for province, commune in hidden.communes if province == area.code}


def _tree(conn: Connection) -> dict[str, dict[str, int]]:
    """Households by the rows that pages show: each present commune below its province, and ''."""
    present = select(area_table.c.code, area_table.c.parent_code, area_table.c.level).where(
        area_table.c.valid_to.is_(None), area_table.c.level.in_(("province", "commune"))
    )
    found = [tuple(row) for row in conn.execute(present)]
    tree: dict[str, dict[str, int]] = {code: {} for code, _, level in found if level == "province"}
    for code, parent, level in found:
        if level == "commune" and parent in tree:
            tree[parent][code] = 0
    counter = commune_counter.c
    counted = select(counter.province_code, counter.commune_code, counter.households)
    for province, commune, households in conn.execute(counted):
        known = tree.get(province, {})
        below = tree.setdefault(province if province in tree else "", {})
        row = commune if commune in known else ""
        below[row] = below.get(row, 0) + households
    return tree
