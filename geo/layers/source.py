"""What a layer of records is drawn from: a table with cells, classes and doubts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    false,
    literal_column,
    select,
    tuple_,
)

from geo.areas import Area
from geo.layers.layer import StyleClass
from geo.layers.nets import Nets
from geo.tables import finding

Filters = Mapping[str, Any]
HELD = and_(finding.c.state == "open", ~finding.c.blameless)
"""Open, and held against somebody: such findings flag their record."""
COUNTRY = Area(0, "VN", "country", "", "", "", None, None, None, None)
"""Stands for any area: statements get the area as a parameter."""


@dataclass(frozen=True, eq=False)
class Source:
    """One table of records with cells, as maps show it.

    classed_by: the column of the class. told: the columns that points carry besides, by the name
    of their attribute. conditions: the filters of the noun's listing. subject: what findings call
    such a record, where there are any. doubted: what makes a row flagged by itself. key_of: class
    → its key among the classes. stored: the condition for the classes in the pyramid that these
    filters leave, None where it cannot tell. by_day: whether tile_day has the records. kept_by:
    the column of `rows` that tells the class as squares have it.
    """

    name: str
    table: Table
    identity: str
    classed_by: str
    classes: tuple[StyleClass, ...]
    told: Mapping[str, str]
    conditions: Callable[..., list[ColumnElement[bool]]]
    stored: Callable[[Filters, ColumnElement[str]], ColumnElement[bool] | None]
    subject: str | None = None
    by_day: bool = False
    doubted: ColumnElement[bool] | None = None
    kept_by: str = "class"
    key_of: Callable[[Any], str] = str

    def rows(self, nets: Nets, filters: Filters, *, few: bool = False) -> Select:
        """A tile's records: province_code, commune_code, class, id, cell, what is told, doubted.

        few: they are few of the tile's, whose findings are looked up by their keys.
        """
        table, given = self.table, dict(filters)
        rule = given.pop("rule", None) if self.subject else None
        columns: dict[str, ColumnElement[Any]] = {
            name: table.c[column] for name, column in self.told.items()
        }
        columns |= {"province_code": table.c.province_code, "commune_code": table.c.commune_code}
        columns |= {"class": table.c[self.classed_by], "id": table.c[self.identity]}
        columns |= {"cell": table.c.cell}
        if self.doubted is not None:
            columns["doubted"] = self.doubted
        found = select(*(column.label(name) for name, column in columns.items())).where(
            in_tile(table), *nets.conditions(table), *self.conditions(COUNTRY, **given)
        )
        if rule is None:
            return found
        if few:
            one = (table.c.province_code, table.c.commune_code, table.c[self.identity])
            return found.where(self._doubted(nets, one, finding.c.rule == rule))
        # The cell finds a finding's record sooner than its key would.
        by_rule = self.findings(nets, finding.c.rule == rule).subquery()
        of_it = and_(
            table.c.cell == by_rule.c.cell,
            table.c.commune_code == by_rule.c.commune_code,
            cast(table.c[self.identity], String) == by_rule.c.subject_id,
        )
        return found.join(by_rule, of_it)

    def flagged(self, nets: Nets, rows: FromClause, *, few: bool = False) -> ColumnElement[bool]:
        """Whether one of `rows` has an open finding that is held against somebody."""
        if self.doubted is not None:
            return rows.c.doubted
        if self.subject is None:
            return false()
        if few:
            one = (rows.c.province_code, rows.c.commune_code, rows.c.id)
            return self._doubted(nets, one, HELD)
        doubts = self.findings(nets, HELD).cte("doubts")
        # The cell tells it soonest, the key for certain: points may coincide.
        key = tuple_(rows.c.commune_code, cast(rows.c.id, String))
        keys = select(doubts.c.commune_code, doubts.c.subject_id)
        return and_(rows.c.cell.in_(select(doubts.c.cell)), key.in_(keys))

    def _doubted(
        self, nets: Nets, key: tuple[ColumnElement[Any], ...], which: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        """Whether the record of a key (province, commune, id) has such a finding, looked up."""
        province, commune, identity = key
        asked = select(finding.c.rule).where(
            finding.c.province_code == province,
            finding.c.commune_code == commune,
            finding.c.subject == self.subject,
            finding.c.subject_id == cast(identity, String),
            which,
            *nets.conditions(finding),
        )
        # OFFSET keeps it a look into the index: in a join row-level security holds the cast back.
        return asked.offset(literal_column("0")).exists()

    def findings(self, nets: Nets, which: ColumnElement[bool]) -> Select:
        """The tile's findings about such records: cell, commune_code, subject_id, held."""
        return select(
            finding.c.cell, finding.c.commune_code, finding.c.subject_id, HELD.label("held")
        ).where(
            in_tile(finding), finding.c.subject == self.subject, which, *nets.conditions(finding)
        )


def in_tile(table: Table) -> ColumnElement[bool]:
    """Whether a record's cell is in the tile: from the parameter `first` to before `after`."""
    return and_(table.c.cell >= bindparam("first"), table.c.cell < bindparam("after"))
