"""Tiles with squares: how many records stand in each, of which class, and how many are flagged.

From the pyramid (geo.pyramid) where it can tell, so that the country costs what a commune costs;
else counted from the index on the cells.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from geo import cells, choice_squares, day_squares, moments, pyramid
from geo.layers import choices, days, mvt, spans
from geo.layers.layer import EXTENT, Tile
from geo.layers.nets import Nets, Parameters
from geo.layers.points import NO_BYTES
from geo.layers.source import COUNTRY, HELD, Filters, Source
from geo.tables import finding
from geo.tile_tables import tile_square

FINER = 6
"""A tile has the squares that are tiles so many zooms further: 64 by 64."""

CROWD = 300_000
"""Of more records in a tile none are read where stored squares tell it, however coarse."""

_Choice = tuple[tuple[str, Any], ...]
_TIMES = ("since", "until")


def draw(
    conn: Connection, source: Source, at: Tile, nets: Nets, filters: Filters, given: Parameters
) -> bytes:
    """The tile with one point a square."""
    made, stored, level, more = _chosen(conn, source, at, nets, filters, given)
    below = 2 * (cells.ZOOM - stored)
    first, after = given["first"] >> below, given["after"] >> below
    more |= {"first_square": first, "after_square": after, "shift": 2 * (stored - level)}
    rows = conn.execute(made, given | more).mappings()
    return _encoded(source, at, level, [dict(row) for row in rows])


def _chosen(
    conn: Connection, source: Source, at: Tile, nets: Nets, filters: Filters, given: Parameters
) -> tuple[Select, int, int, Parameters]:
    """The statement, the level of what it reads, that of its squares, and what else it is given."""
    chosen, finest = tuple(filters.items()), at.z + FINER
    kept = _stored(source, nets, chosen) if finest <= pyramid.LEVELS[-1] + _COARSER else None
    if kept is not None:
        level = min(finest, pyramid.LEVELS[-1])
        stored = pyramid.level_for(level)
        return kept, stored, level, {"level": stored}
    by_day = source.by_day and days.answer(filters)
    summed = by_day or choices.answer(source, filters)
    if summed and (at.z <= spans.UP_TO or _crowded(conn, source, at, nets, given)):
        level = min(finest, day_squares.LEVEL)
        asked = moments.span(filters.get("since"), filters.get("until"))
        rest = tuple((name, value) for name, value in chosen if name not in _TIMES)
        made = _on_blocks(source, nets, rest, len(rest) < len(chosen), asked.less)
        some = (day_squares if by_day else choice_squares).blocks(asked.first, asked.behind)
        more = {**spans.given(some), "cell_shift": 2 * (cells.ZOOM - level)}
        return made, day_squares.LEVEL, level, more
    return _counted(source, nets, chosen), cells.ZOOM, finest, {}


_COARSER = 2
"""Zooms further at which the pyramid's finest squares still serve: 16 by 16 a tile."""


def _crowded(conn: Connection, source: Source, at: Tile, nets: Nets, given: Parameters) -> bool:
    """Whether a tile that is no smaller than stored squares has more than CROWD records."""
    if at.z > day_squares.LEVEL:
        return False
    # What is looked at about a finding is its survey.
    name = "surveys" if source.name == "findings" else source.name
    below = 2 * (cells.ZOOM - day_squares.LEVEL)
    first, after = given["first"] >> below, given["after"] >> below
    asked = {"layer": name, "first_square": first, "after_square": after}
    return conn.execute(_number(nets), given | asked).scalar_one() > CROWD


@lru_cache(maxsize=64)
def _number(nets: Nets) -> Select:
    return select(func.coalesce(func.sum(tile_square.c.records), 0)).where(
        tile_square.c.layer == bindparam("layer"),
        tile_square.c.level == literal(day_squares.LEVEL),
        tile_square.c.square >= bindparam("first_square"),
        tile_square.c.square < bindparam("after_square"),
        *nets.conditions(tile_square),
    )


@lru_cache(maxsize=512)
def _stored(source: Source, nets: Nets, filters: _Choice) -> Select | None:
    """Squares of the pyramid added up; None where it does not know the filters."""
    left = source.stored(dict(filters), tile_square.c["class"])
    if left is None:
        return None
    square = tile_square.c.square.bitwise_rshift(_shift())
    found = (
        select(
            square.label("square"),
            tile_square.c["class"],
            func.sum(tile_square.c.records).label("records"),
            func.sum(tile_square.c.flagged).label("flagged"),
            func.sum(tile_square.c.lon_sum).label("lon"),
            func.sum(tile_square.c.lat_sum).label("lat"),
        )
        .where(
            tile_square.c.layer == source.name,
            tile_square.c.level == bindparam("level"),
            tile_square.c.square >= bindparam("first_square"),
            tile_square.c.square < bindparam("after_square"),
            left,
            *nets.conditions(tile_square),
        )
        .group_by(square, tile_square.c["class"])
        .subquery()
    )
    return _by_class(found)


@lru_cache(maxsize=512)
def _on_blocks(
    source: Source,
    nets: Nets,
    filters: _Choice,
    timed: bool,
    less: tuple[tuple[datetime, datetime], ...],
) -> Select:
    """Squares added up from blocks of days, less the records of some times at their ends."""
    given = dict(filters)
    # What is no verdict, status or stage is refused in the words of the listing.
    source.conditions(COUNTRY, **given)
    if source.by_day and days.answer(given):
        stored = days.squares(nets, given.get("verdict"))
    else:
        stored = choices.squares(source, nets, given, timed=timed)
    taken = [
        _live(source, nets, {**given, "since": since, "until": until}) for since, until in less
    ]
    return _by_class((spans.less(stored, taken) if taken else stored).subquery())


def _live(source: Source, nets: Nets, filters: Filters) -> Select:
    """The tile's records in the squares and classes of what is stored, counted now."""
    rows = source.rows(nets, filters, few=True).subquery()
    square = rows.c.cell.bitwise_rshift(cast(bindparam("cell_shift"), Integer))
    return select(
        square.label("square"),
        rows.c[source.kept_by].label("class"),
        func.count().label("records"),
        func.count().filter(source.flagged(nets, rows, few=True)).label("flagged"),
    ).group_by(square, rows.c[source.kept_by])


@lru_cache(maxsize=512)
def _counted(source: Source, nets: Nets, filters: _Choice) -> Select:
    """Squares counted now."""
    if source.subject is not None and [name for name, _value in filters] == ["rule"]:
        return _by_class(_ruled(source, nets, filters[0][1]).subquery())
    given = dict(filters)
    rows = source.rows(nets, given, few="enumerator" in given).subquery()
    square = rows.c.cell.bitwise_rshift(_shift())
    # Of all records those are flagged that the open findings are about: these need not be joined.
    apart = source.subject is not None and not filters
    few = "enumerator" in given
    flagged = literal(0) if apart else func.count().filter(source.flagged(nets, rows, few=few))
    found = select(
        square.label("square"),
        rows.c["class"],
        func.count().label("records"),
        flagged.label("flagged"),
    ).group_by(square, rows.c["class"])
    return _by_class((union_all(found, _doubted(source, nets)) if apart else found).subquery())


def _doubted(source: Source, nets: Nets) -> Select:
    """How many records of each square have open findings, as rows without a class."""
    doubts = source.findings(nets, HELD).subquery()
    square = doubts.c.cell.bitwise_rshift(_shift())
    whose = func.distinct(tuple_(doubts.c.commune_code, doubts.c.subject_id))
    return select(square, _no_class(), literal(0), func.count(whose)).group_by(square)


def _ruled(source: Source, nets: Nets, rule: str) -> Select:
    """How many records of each square a rule doubts: its findings tell it, without the records.

    The records' classes are not known then; to look them up would take ten times as long.
    """
    doubts = source.findings(nets, finding.c.rule == rule).subquery()
    others = source.findings(nets, HELD).subquery()
    square = doubts.c.cell.bitwise_rshift(_shift())
    key = tuple_(doubts.c.commune_code, doubts.c.subject_id)
    flagged = or_(doubts.c.held, key.in_(select(others.c.commune_code, others.c.subject_id)))
    return select(
        square.label("square"),
        _no_class().label("class"),
        func.count().label("records"),
        func.count().filter(flagged).label("flagged"),
    ).group_by(square)


def _no_class() -> ColumnElement[Any]:
    return cast(null(), Text)


def _shift() -> Any:
    return cast(bindparam("shift"), Integer)


def _by_class(found: Any) -> Select:
    """One row a class, with all its squares in columns of bytes: few rows are quick to read."""
    places = [name for name in ("lon", "lat") if name in found.c]
    return select(
        found.c["class"],
        *(
            func.string_agg(func.int8send(cast(found.c[name], BigInteger)), NO_BYTES).label(name)
            for name in ("square", "records", "flagged")
        ),
        *(func.string_agg(func.float8send(found.c[name]), NO_BYTES).label(name) for name in places),
    ).group_by(found.c["class"])


def _encoded(source: Source, at: Tile, level: int, rows: list[dict[str, Any]]) -> bytes:
    if not rows:
        return b""
    told = [np.frombuffer(row["square"], ">i8").astype(np.int64) for row in rows]
    squares, place = np.unique(np.concatenate(told), return_inverse=True)
    ends = np.cumsum([len(some) for some in told])
    places = np.split(place, ends[:-1])

    def added(name: str, chosen: list[int]) -> Any:
        total = np.zeros(len(squares), np.float64)
        for one in chosen:
            kind = ">f8" if name in ("lon", "lat") else ">i8"
            total[places[one]] += np.frombuffer(rows[one][name], kind)
        return total

    everything = list(range(len(rows)))
    count = added("records", everything)
    if "lon" in rows[0]:
        x, y = cells.shares(added("lon", everything) / count, added("lat", everything) / count)
    else:
        x, y = cells.middles(squares, level)
    keys = [source.key_of(row["class"]) for row in rows]
    attributes = [mvt.numbers("count", count.astype(np.int64))]
    attributes.append(mvt.numbers("flagged", added("flagged", everything).astype(np.int64)))
    for one in source.classes:
        of_it = added("records", [place for place, key in enumerate(keys) if key == one.key])
        attributes.append(mvt.numbers(one.key, of_it.astype(np.int64)))
    return mvt.encode(source.name, _pixels(x, at.x, at.z), _pixels(y, at.y, at.z), attributes)


def _pixels(share: Any, tile: int, z: int) -> mvt.Ints:
    """Shares of the grid's side as pixels of the tile; what rounding moved out stays in."""
    found = np.floor((share * (1 << z) - tile) * EXTENT)
    return np.clip(found, 0, EXTENT - 1).astype(np.int64)
