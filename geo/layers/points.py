"""Tiles with single points, up to a number that maps can still draw."""

from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import (
    UUID,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    case,
    false,
    func,
    literal_column,
    select,
)

from geo import cells
from geo.layers import mvt
from geo.layers.layer import EXTENT, Tile
from geo.layers.nets import Nets, Parameters
from geo.layers.source import Filters, Source

MOST = 10_000
"""Points in a tile; where there are more the tile has squares."""

_BITS = EXTENT.bit_length() - 1
NO_BYTES: ColumnElement[bytes] = literal_column("''::bytea")


def draw(
    conn: Connection, source: Source, at: Tile, nets: Nets, filters: Filters, given: Parameters
) -> bytes | None:
    """The tile with one point a record; None where it has more than MOST."""
    made = _statement(source, nets, tuple(filters.items()))
    groups = list(conn.execute(made, given).mappings())
    counts = [group["number"] for group in groups]
    if sum(counts) > MOST:
        return None
    return _encoded(source, at, groups, np.array(counts, np.int64))


@lru_cache(maxsize=512)
def _statement(source: Source, nets: Nets, filters: tuple[tuple[str, Any], ...]) -> Select:
    """Records in groups that have all but place and id in common, so that few rows come back."""
    given = dict(filters)
    seldom = "enumerator" in given
    rows = source.rows(nets, given, few=seldom).limit(MOST + 1).cte("records")
    # Where there are too many to be drawn nothing is looked up about them.
    few = select(func.count()).select_from(rows).scalar_subquery() <= MOST
    flagged = case((few, source.flagged(nets, rows, few=seldom)), else_=false())
    same = [column for column in rows.c if column.name not in ("cell", "id", "doubted")]
    return select(
        *same,
        flagged.label("flagged"),
        func.count().label("number"),
        func.string_agg(func.int8send(rows.c.cell), NO_BYTES).label("cells"),
        (
            func.string_agg(func.uuid_send(rows.c.id), NO_BYTES)
            if _has_uuids(source)
            else func.array_agg(rows.c.id)
        ).label("ids"),
    ).group_by(*same, "flagged")


def _has_uuids(source: Source) -> bool:
    return isinstance(source.table.c[source.identity].type, UUID)


def _encoded(source: Source, at: Tile, groups: list[RowMapping], counts: mvt.Ints) -> bytes:
    if not groups:
        return b""
    found = np.frombuffer(b"".join(group["cells"] for group in groups), ">i8")
    if _has_uuids(source):
        ids = mvt.uuids("id", b"".join(group["ids"] for group in groups))
    else:
        ids = mvt.texts("id", [one for group in groups for one in group["ids"]])
    attributes = [ids, _shared(source.classed_by, [group["class"] for group in groups], counts)]
    attributes += [_shared(key, [group[key] for group in groups], counts) for key in source.told]
    flags = np.array([group["flagged"] for group in groups], np.int64)
    attributes.append(mvt.numbers("flagged", np.repeat(flags, counts)))
    return mvt.encode(source.name, *cells.pixels(found, at.z, _BITS), attributes)


def _shared(key: str, values: list[Any], counts: mvt.Ints) -> mvt.Attribute:
    """An attribute that the records of a group have in common; None is left out."""
    if isinstance(values[0], int):
        return mvt.numbers(key, np.repeat(np.array(values, np.int64), counts))
    distinct = [value for value in dict.fromkeys(values) if value is not None]
    places = {value: place for place, value in enumerate(distinct)}
    index = np.array([places.get(value, -1) for value in values], np.int64)
    return mvt.words(key, distinct, np.repeat(index, counts))
