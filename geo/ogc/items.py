"""Features of a collection: pages of them by keyset, and single ones by their id."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Connection, Select, false, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import UUID as UUID_TYPE

from geo import paging
from geo.areas import Area
from geo.errors import NotFoundError, UsageError
from geo.ogc import literals
from geo.ogc.collections import PLACE, Collection, Conditions, Property, Source
from geo.ogc.cql2 import Filter
from geo.ogc.literals import Interval
from geo.ogc.systems import CRS84, System
from geo.paging import Page, Record

MAX_LIMIT = 10_000
COUNTED = 10_000
"""So many features are counted for numberMatched at most: some milliseconds."""


@dataclass(frozen=True)
class Wanted:
    """What features are asked for. equal: property → value as the request has it, unread."""

    box: BaseGeometry | None = None
    interval: Interval | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    filter: Filter | None = None


def page(
    conn: Connection,
    collection: Collection,
    area: Area | None,
    wanted: Wanted,
    limit: int,
    cursor: str | None = None,
) -> Page:
    """One page of features by identity, of an area or of all that the transaction may see.

    1 ≤ limit ≤ 10,000. Raises UsageError.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit must be from 1 to {MAX_LIMIT}, not {limit}.")
    found: list[Record] = []
    keys = collection.sources[0].keys
    for following in paging.following(keys, _after(collection, cursor)):
        if len(found) <= limit:
            query = _ordered(conn, collection, area, wanted, following, limit + 1 - len(found))
            found += map(paging.plain, conn.execute(query).mappings())
    return paging.first(found, [key.name for key in keys], limit)


def matched(
    conn: Connection, collection: Collection, area: Area | None, wanted: Wanted
) -> int | None:
    """How many features there are up to COUNTED, of an area or of all; None for more.

    None also where something is filtered: to find the next match may take a look at millions.
    """
    if wanted != Wanted():
        return None
    number = 0
    for source in collection.sources:
        some = _half(conn, collection, source, area, wanted).with_only_columns(literal(1))
        limited = some.limit(COUNTED + 1 - number).subquery()
        number += conn.execute(select(func.count()).select_from(limited)).scalar_one()
    return number if number <= COUNTED else None


def _ordered(
    conn: Connection,
    collection: Collection,
    area: Area | None,
    wanted: Wanted,
    following: Conditions,
    limit: int,
) -> Select:
    """The first rows of all sources together."""
    halves = [
        _half(conn, collection, source, area, wanted)
        .where(*following)
        .order_by(*source.keys)
        .limit(limit)
        for source in collection.sources
    ]
    if len(halves) == 1:
        return halves[0]
    both = union_all(*(half.subquery().select() for half in halves)).subquery()
    names = [key.name for key in collection.sources[0].keys]
    return both.select().order_by(*(both.c[name] for name in names)).limit(limit)


def one(conn: Connection, collection: Collection, feature_id: str) -> Record:
    """The feature with this id, within what the transaction may see; raises NotFoundError."""
    named = collection.named_by(feature_id)
    for source in collection.sources if named else ():
        known = [_is(source.columns[name], value) for name, value in (named or {}).items()]
        query = source.query.where(*source.rows(conn, None), *known).limit(1)
        found = conn.execute(query).mappings().first()
        if found is not None:
            return paging.plain(found)
    raise NotFoundError(f"There is no feature {feature_id[:80]!r} in {collection.name}.")


def feature(collection: Collection, row: Record, shape: dict[str, Any] | None) -> dict[str, Any]:
    """A row with its geometry as a GeoJSON feature."""
    properties = {name: value for name, value in row.items() if name not in PLACE}
    return {
        "type": "Feature",
        "id": collection.feature_id(row),
        "geometry": shape,
        "properties": properties,
    }


def shapes(rows: list[Record], system: System = CRS84) -> list[dict[str, Any] | None]:
    """The geometries of rows as GeoJSON in a system and its axis order; None for no point."""
    if rows and "shape" in rows[0]:
        return [_polygon(row["shape"], system) for row in rows]
    numbers = [[row["lon"], row["lat"]] for row in rows]
    points = np.array(numbers, dtype=float).reshape(-1, 2)  # None becomes NaN
    there = ~np.isnan(points[:, 0])
    given = np.full_like(points, np.nan)
    given[there] = np.column_stack(system.given(points[there, 0], points[there, 1]))
    return [
        {"type": "Point", "coordinates": pair} if located else None
        for pair, located in zip(given.tolist(), there.tolist(), strict=True)
    ]


def _polygon(stored: Any, system: System) -> dict[str, Any] | None:
    if stored is None:
        return None
    shown = system.shown(shapely.from_wkb(bytes(stored)))
    made: dict[str, Any] = shapely.geometry.mapping(shown)
    return made


def _half(
    conn: Connection,
    collection: Collection,
    source: Source,
    area: Area | None,
    wanted: Wanted,
) -> Select:
    """The rows of one source."""
    chosen = source.rows(conn, area)
    if wanted.box is not None:
        chosen.append(source.near(wanted.box))
    if wanted.interval is not None and source.at is not None:
        start, end = wanted.interval
        chosen += [source.at >= start] if start else []
        chosen += [source.at <= end] if end else []
    for name, value in wanted.equal.items():
        chosen.append(equals(collection.properties[name], source.columns[name], value))
    if wanted.filter is not None:
        chosen.append(wanted.filter.condition(collection, source))
    return source.query.where(*chosen)


def _after(collection: Collection, cursor: str | None) -> list[str] | None:
    """The keys of the last row before; raises UsageError for what is no cursor of this."""
    if cursor is None:
        return None
    keys = collection.sources[0].keys
    values = list(paging.known(paging.decode(cursor, [str] * len(keys))))
    for key, value in zip(keys, values, strict=True):
        if isinstance(key.type, UUID_TYPE) and not _is_uuid(value):
            raise UsageError("The cursor is not one of this listing; start again without it.")
    return values


def equals(of: Property, column: Any, value: str) -> ColumnElement[bool]:
    """The condition for a property to have a value as an address holds it; raises UsageError."""
    if of.values and value not in of.values:
        raise UsageError(f"{value[:40]!r} is no {of.name}; there are: {', '.join(of.values)}.")
    read, form = _READERS[of.kind]
    try:
        return cast(ColumnElement[bool], column == read(value))
    except (ValueError, KeyError):
        raise UsageError(f"{of.name}: {value[:40]!r} is not {form}.") from None


def _whole(value: str) -> int:
    if not _DIGITS.fullmatch(value):
        raise ValueError
    return int(value)


def _number(value: str) -> float:
    found = float(value)
    if not math.isfinite(found):
        raise ValueError
    return found


_DIGITS = re.compile(r"-?[0-9]{1,18}")
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "text": (str, "text"),
    "uuid": (lambda value: str(UUID(value)), "a UUID"),
    "whole": (_whole, "a whole number"),
    "number": (_number, "a number"),
    "yes": (lambda value: {"true": True, "false": False}[value], "true or false"),
    "day": (literals.day, "a day"),
    "moment": (literals.moment, "a moment"),
}


def _is(column: Any, value: str) -> ColumnElement[bool]:
    """The condition for a key to be as a feature's id says."""
    if isinstance(column.type, UUID_TYPE) and not _is_uuid(value):
        return false()
    return cast(ColumnElement[bool], column == value)


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
