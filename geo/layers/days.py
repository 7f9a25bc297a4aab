"""Squares of surveys that were made on some days, added up from the stored squares of days."""

from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    lateral,
    literal,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from geo import day_squares, findings, moments
from geo.layers.nets import Nets, Parameters
from geo.layers.source import Filters
from geo.tables import VERDICTS
from geo.tile_tables import tile_day

UP_TO = 7
"""Tiles up to this zoom have these squares, 8 by 8 at the last; further in few visits are read."""
_BLOCKS = ("scales", "starts", "ends", "signs")


class Asked(NamedTuple):
    """What filters ask of the squares of days: some verdicts on some days."""

    verdicts: tuple[str, ...]
    blocks: tuple[day_squares.Blocks, ...]

    def given(self) -> Parameters:
        """The blocks as parameters of the statement."""
        columns = [list(values) for values in zip(*self.blocks, strict=True)]
        return dict(zip(_BLOCKS, columns or [[], [], [], []], strict=True))


def asked(filters: Filters) -> Asked | None:
    """What filters of surveys ask for, None where it is more than whole days and a verdict.

    Raises UsageError for days beyond the calendar.
    """
    if not filters.keys() <= {"since", "until", "verdict"}:
        return None
    days = moments.days(filters.get("since"), filters.get("until"))
    if days is None:
        return None
    verdict = str(filters.get("verdict") or "")
    groups = {"": VERDICTS, findings.DOUBTFUL: findings.DOUBTED}
    verdicts = groups.get(verdict, (verdict,))
    if not set(verdicts) <= set(VERDICTS):
        return None  # refused in the words of the listing
    return Asked(verdicts, tuple(day_squares.blocks(*days)))


def squares(nets: Nets, verdicts: tuple[str, ...]) -> Select:
    """The tile's squares by verdict, with the sums of degrees.

    One of several verdicts stands where all surveys of its square and these days do.
    """
    found = _summed(nets).cte("found")
    total = sum((found.c[verdict] for verdict in VERDICTS), start=literal(0))
    parts = []
    for verdict in verdicts:
        own = found.c[verdict]
        parts.append(
            select(
                found.c.square,
                literal(verdict, String).label("class"),
                own.label("records"),
                found.c[f"{verdict}_flagged"].label("flagged"),
                (found.c.lon_sum * own / cast(total, Float)).label("lon"),
                (found.c.lat_sum * own / cast(total, Float)).label("lat"),
            ).where(own > 0)
        )
    return select(union_all(*parts).subquery())


def _summed(nets: Nets) -> Select:
    """The numbers of each square on the days that are asked for."""
    wanted = (
        func.unnest(*(_numbers(name) for name in _BLOCKS))
        .table_valued(*(column(name, Integer) for name in _BLOCKS), name="wanted")
        .render_derived()
    )
    # OFFSET keeps it a loop over the few ranges of blocks, each of which is one of the index.
    read = lateral(
        select(tile_day.c.square, *(tile_day.c[name] for name in day_squares.NUMBERS))
        .where(
            tile_day.c.scale == wanted.c.scales,
            tile_day.c.block >= wanted.c.starts,
            tile_day.c.block < wanted.c.ends,
            tile_day.c.square >= bindparam("first"),
            tile_day.c.square < bindparam("after"),
            *nets.conditions(tile_day),
        )
        .offset(literal_column("0"))
    )
    square = read.c.square.bitwise_rshift(cast(bindparam("shift"), Integer))
    sums = {name: func.sum(read.c[name] * wanted.c.signs) for name in day_squares.NUMBERS}
    return (
        select(square.label("square"), *(total.label(name) for name, total in sums.items()))
        .select_from(wanted.join(read, true()))
        .group_by(square)
    )


def _numbers(name: str) -> ColumnElement[Any]:
    return cast(bindparam(name, type_=ARRAY(Integer)), ARRAY(Integer))
