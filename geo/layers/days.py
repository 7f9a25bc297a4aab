"""Squares of surveys that were made on some days, added up from the stored squares of days."""

from sqlalchemy import (
    Float,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)

from geo import day_squares, findings
from geo.layers import spans
from geo.layers.nets import Nets
from geo.layers.source import Filters
from geo.tables import VERDICTS
from geo.tile_tables import tile_day


def answer(filters: Filters) -> bool:
    """Whether filters of surveys ask for no more than days and a verdict."""
    return filters.keys() <= {"since", "until", "verdict"}


def squares(nets: Nets, verdict: str | None) -> Select:
    """The tile's squares by verdict, with the sums of degrees; verdict: may be `doubtful`.

    One of several verdicts stands where all surveys of its square and these days do.
    """
    groups = {"": VERDICTS, findings.DOUBTFUL: findings.DOUBTED}
    asked = verdict or ""
    found = _summed(nets).cte("found")
    total = sum((found.c[name] for name in VERDICTS), start=literal(0))
    parts = []
    for name in groups.get(asked, (asked,)):
        own = found.c[name]
        parts.append(
            select(
                found.c.square,
                literal(name, String).label("class"),
                own.label("records"),
                found.c[f"{name}_flagged"].label("flagged"),
                (found.c.lon_sum * own / cast(total, Float)).label("lon"),
                (found.c.lat_sum * own / cast(total, Float)).label("lat"),
            ).where(own > 0)
        )
    return select(union_all(*parts).subquery())


def _summed(nets: Nets) -> Select:
    """The numbers of each square on the days that are asked for."""
    both, read, wanted = spans.on_blocks(tile_day, nets, day_squares.NUMBERS)
    square = read.c.square.bitwise_rshift(cast(bindparam("shift"), Integer))
    sums = {name: func.sum(read.c[name] * wanted.c.signs) for name in day_squares.NUMBERS}
    return (
        select(square.label("square"), *(total.label(name) for name, total in sums.items()))
        .select_from(both)
        .group_by(square)
    )
