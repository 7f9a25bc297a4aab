"""Pages of records by keyset: each page starts after the last record of the one before."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, or_, tuple_

from geo import cells
from geo.errors import ConflictError, UsageError

MAX_LIMIT = 1000

Record = dict[str, Any]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Page:
    """Records in order, and the cursor of the next page or None after the last."""

    items: list[Record]
    next_cursor: str | None


def encode(values: Sequence[object]) -> str:
    """An opaque cursor that holds `values`."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).rstrip(b"=").decode()


def decode(cursor: str, types: Sequence[type]) -> list[Any]:
    """The values of a cursor; datetimes come back as such, None stays None.

    Raises UsageError when the cursor was not made by `encode` for values of these types.
    """
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError
        return [_typed(value, kind) for value, kind in zip(values, types, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise UsageError("The cursor is not one of this listing; start again without it.") from None


def _typed(value: object, kind: type) -> object:
    if value is None:
        return None
    if kind is datetime:
        return datetime.fromisoformat(str(value))
    if kind is float and isinstance(value, int | float):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, str) and "\0" in value):
        raise ValueError
    return value


def known(values: Sequence[Any]) -> Sequence[Any]:
    """The values of a cursor, none of which may be None; raises UsageError."""
    if any(value is None for value in values):
        raise UsageError("The cursor is not one of this listing; start again without it.")
    return values


def check_limit(limit: int) -> None:
    """Raise UsageError unless 1 ≤ limit ≤ 1000."""
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit must be from 1 to {MAX_LIMIT}, not {limit}.")


def by_key(
    conn: Connection, query: Select, keys: Sequence[ColumnElement], cursor: str | None, limit: int
) -> Page:
    """One page of `query` in the order of `keys`: text columns that identify a record.

    The first two are province and commune.
    """
    check_limit(limit)
    after = known(decode(cursor, [str] * len(keys))) if cursor else None
    found: list[Record] = []
    for conditions in following(keys, after):
        if len(found) <= limit:
            rest = query.where(*conditions).order_by(*keys).limit(limit + 1 - len(found))
            found += map(plain, conn.execute(rest).mappings())
    return first(found, [key.key or "" for key in keys], limit)


def following(
    keys: Sequence[ColumnElement], after: Sequence[str] | None
) -> list[list[ColumnElement[bool]]]:
    """The conditions for what follows a row, in turn: in its commune, its province, elsewhere.

    One comparison of whole keys would say the same, but PostgreSQL would walk through all of the
    province up to the row: where an area is fixed, the index is entered by that alone.
    """
    if after is None:
        return [[]]
    if len(keys) == 1:
        return [[keys[0] > after[0]]]
    province, commune, *own = keys
    own_after = [literal(value) for value in after[2:]]
    return [
        [province == after[0], commune == after[1], tuple_(*own) > tuple_(*own_after)],
        [province == after[0], commune > after[1]],
        [province > after[0]],
    ]


def page(conn: Connection, ordered: Select, keys: Sequence[str], limit: int) -> Page:
    """The first `limit` records of an ordered query; the cursor holds the last one's `keys`."""
    return first(
        [plain(row) for row in conn.execute(ordered.limit(limit + 1)).mappings()], keys, limit
    )


def first(found: list[Record], keys: Sequence[str], limit: int) -> Page:
    """The page of the first `limit` of what was found, which is one more where others follow."""
    items = found[:limit]
    more = len(found) > limit
    return Page(items, encode([items[-1][key] for key in keys]) if more else None)


def plain(row: Mapping[Any, Any]) -> Record:
    """A row as a dict with text keys."""
    return {str(key): value for key, value in row.items()}


def only(rows: Sequence[Mapping[Any, Any]], code: str) -> Record:
    """The one record found; ConflictError that names the communes where there are several."""
    if len(rows) > 1:
        communes = ", ".join(sorted(row["commune_code"] or "''" for row in rows))
        raise ConflictError(
            f"{code[:60]!r} exists in several communes: {communes}. "
            "Name one by the parameter commune."
        )
    return plain(rows[0])


def within(table: Table, bbox: Box) -> ColumnElement[bool]:
    """Whether a record's point lies in the box (minlon, minlat, maxlon, maxlat), EPSG:4326.

    The edges belong to the box. Ranges of cells find what is near by the index.
    """
    west, south, east, north = bbox
    lon, lat = func.ST_X(table.c.geom), func.ST_Y(table.c.geom)
    near = or_(*(in_range(table, found) for found in cells.box_ranges(*bbox)))
    return and_(near, lon >= west, lon <= east, lat >= south, lat <= north)


def in_range(table: Table, cell_range: cells.Range) -> ColumnElement[bool]:
    """Whether a record's cell is in the range, such as that of a tile."""
    first, after = cell_range
    return and_(table.c.cell >= first, table.c.cell < after)


def position(table: Table) -> list[ColumnElement]:
    """The columns lon and lat of a record's point."""
    return [func.ST_X(table.c.geom).label("lon"), func.ST_Y(table.c.geom).label("lat")]
