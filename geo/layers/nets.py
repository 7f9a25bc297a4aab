"""Where a tile may look: area and scope as parameters of statements that are made only once."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, any_, bindparam, false, or_, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import NamedFromClause

from geo import areas, scope
from geo.areas import Area
from geo.tables import survey

Parameters = dict[str, Any]


class Nets(NamedTuple):
    """Which conditions a statement needs: on the area's level, on kinds of areas in scope."""

    level: str
    everything: bool
    provinces: bool
    communes: bool

    def conditions(self, table: NamedFromClause) -> list[ColumnElement[bool]]:
        """Those for rows of `table`; their values are given by `around`."""
        found: list[ColumnElement[bool]] = []
        if self.level != "country":
            found.append(table.c.province_code == bindparam("area_province"))
        if self.level == "commune":
            found.append(table.c.commune_code == bindparam("area_commune"))
        return [*found, self._in_scope(table)]

    def _in_scope(self, table: NamedFromClause) -> ColumnElement[bool]:
        if self.everything:
            return true()
        parts: list[ColumnElement[bool]] = []
        if self.provinces:
            parts.append(table.c.province_code == any_(_texts("scope_provinces")))
        if self.communes:
            parts.append(table.c.commune_code == any_(_texts("scope_communes")))
        return or_(false(), *parts)


def around(conn: Connection, area: Area) -> tuple[Nets, Parameters]:
    """What a statement about an area needs, and its values; UsageError for an ended area."""
    if area.level != "country":
        areas.scope(area, survey)  # refuses what has ended
    asks = scope.of(conn)
    nets = Nets(area.level, asks.everything, bool(asks.provinces), bool(asks.communes))
    return nets, {
        "area_province": area.province_code,
        "area_commune": area.code,
        "scope_provinces": sorted(asks.provinces),
        "scope_communes": sorted(asks.communes),
    }


def _texts(name: str) -> Any:
    return bindparam(name, type_=ARRAY(Text))
