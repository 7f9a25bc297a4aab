"""Blocks of days as parameters of statements, and what is taken away of the days at their ends."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    Table,
    bindparam,
    cast,
    column,
    func,
    lateral,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import FromClause

from geo.day_squares import Blocks
from geo.layers.nets import Nets, Parameters

UP_TO = 7
"""Tiles up to this zoom are added up from blocks of days: 8 by 8 squares at the last."""
_COLUMNS = ("scales", "starts", "ends", "signs")
_NUMBERS = ("records", "flagged")


def given(blocks: Iterable[Blocks]) -> Parameters:
    """The parameters of a statement with `on_blocks`."""
    columns = [list(values) for values in zip(*blocks, strict=True)]
    return dict(zip(_COLUMNS, columns or [[], [], [], []], strict=True))


def on_blocks(
    table: Table, nets: Nets, names: Sequence[str], chosen: Sequence[ColumnElement[bool]] = ()
) -> tuple[FromClause, FromClause, FromClause]:
    """The tile's rows of a table by scale, block and square: what to select from, rows, blocks.

    names: the columns that are read beside the square. The blocks' `signs` say whether a row is to
    be added or taken away.
    """
    wanted = (
        func.unnest(*(_numbers(name) for name in _COLUMNS))
        .table_valued(*(column(name, Integer) for name in _COLUMNS), name="wanted")
        .render_derived()
    )
    # OFFSET keeps it a loop over the few ranges of blocks, each of which is one of the index.
    read = lateral(
        select(table.c.square, *(table.c[name] for name in names))
        .where(
            table.c.scale == wanted.c.scales,
            table.c.block >= wanted.c.starts,
            table.c.block < wanted.c.ends,
            table.c.square >= bindparam("first_square"),
            table.c.square < bindparam("after_square"),
            *chosen,
            *nets.conditions(table),
        )
        .offset(literal_column("0"))
    )
    return wanted.join(read, true()), read, wanted


def less(stored: Select, taken: Sequence[Select]) -> Select:
    """Squares without some of their records (square, class, records, flagged).

    They stay where all that is stored of their days is on average.
    """
    whole = stored.subquery()
    known = select(
        whole.c.square,
        whole.c["class"],
        *(whole.c[name] for name in _NUMBERS),
        whole.c.records.label("all"),
        whole.c.lon,
        whole.c.lat,
    )
    nothing: list[ColumnElement[Any]] = [literal_column("0") for _ in range(3)]
    parts = [select(t.c.square, t.c["class"], -t.c.records, -t.c.flagged, *nothing)
             for t in (one.subquery() for one in taken)]  # fmt: skip
    both = union_all(known, *parts).subquery()
    records = func.sum(both.c.records)
    return (
        select(
            both.c.square,
            both.c["class"],
            records.label("records"),
            func.sum(both.c.flagged).label("flagged"),
            *(
                (func.sum(both.c[name]) * records / cast(func.sum(both.c.all), Float)).label(name)
                for name in ("lon", "lat")
            ),
        )
        .group_by(both.c.square, both.c["class"])
        .having(records > 0)
    )


def _numbers(name: str) -> ColumnElement[Any]:
    return cast(bindparam(name, type_=ARRAY(Integer)), ARRAY(Integer))
