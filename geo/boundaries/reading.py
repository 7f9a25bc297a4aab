"""The polygons of areas as they stand now: for verdicts, and where they come from."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from sqlalchemy import Connection, Row, func, select

from geo import db
from geo.db import sql
from geo.tables import area, boundary, boundary_version
from geo.verdicts.matching import AreaShapes

_CURRENT = boundary.c.superseded_at.is_(None)
_PRESENT = area.c.valid_to.is_(None)


@dataclass(frozen=True)
class SourceNote:
    """Where current boundaries come from; `accuracy_m` is the worst of them, 1 σ in metres."""

    source: str
    licence: str
    sketch: bool
    accuracy_m: float
    loaded_at: datetime


_sources: dict[tuple[object, ...], SourceNote | None] = {}
_SOURCES = 200


def current_source(conn: Connection, province_code: str | None = None) -> SourceNote | None:
    """Where the communes of a province, or all of them, have their present polygons from.

    Kept in the process as the polygons are: every page tells it.
    """
    key = (*_state(conn), province_code)
    try:
        return _sources[key]
    except KeyError:
        note = _read_source(conn, province_code)
    if len(_sources) >= _SOURCES:
        _sources.clear()
    _sources[key] = note
    return note


def _read_source(conn: Connection, province_code: str | None) -> SourceNote | None:
    statement = (
        select(
            func.string_agg(boundary_version.c.source.distinct(), "; "),
            func.string_agg(boundary_version.c.licence.distinct(), "; "),
            func.bool_or(boundary_version.c.sketch),
            func.max(boundary_version.c.accuracy_m),
            func.max(boundary_version.c.loaded_at),
        )
        .select_from(boundary.join(area).join(boundary_version))
        .where(_CURRENT, _PRESENT, area.c.level == "commune")
    )
    if province_code is not None:
        statement = statement.where(area.c.province_code == province_code)
    found = conn.execute(statement).one()
    return SourceNote(*found) if found[0] is not None else None


def versions(conn: Connection) -> list[Row]:
    """Every version, newest first, with how many of its polygons are current and where."""
    return list(conn.execute(sql("boundary_versions")))


_cache: dict[tuple[object, ...], AreaShapes] = {}
_cache_lock = threading.Lock()
_CACHED = 2


def shapes(conn: Connection, codes: Iterable[str] | None = None) -> AreaShapes:
    """Current full-resolution polygons of present communes, by code; all of them or `codes`.

    All of them are kept in the process for as long as the versions in the database stay the same.
    """
    key = _state(conn)
    with _cache_lock:
        known = _cache.get(key)
    if codes is None:
        return known or _load_all(conn, key)
    wanted = sorted(set(codes))
    if known is None:
        return _read_shapes(conn, wanted)
    places = [i for i in (known.index(code) for code in wanted) if i is not None]
    return AreaShapes(
        tuple(known.codes[i] for i in places),
        known.polygons[places],
        known.accuracy_m[places],
        known.versions[places],
    )


def _load_all(conn: Connection, key: tuple[object, ...]) -> AreaShapes:
    # One thread reads; the others wait for it instead of reading the same 100 MB again.
    with _cache_lock:
        if key not in _cache:
            _cache[key] = _read_shapes(conn, None)
            while len(_cache) > _CACHED:
                _cache.pop(next(iter(_cache)))
        return _cache[key]


def _read_shapes(conn: Connection, codes: list[str] | None) -> AreaShapes:
    statement = (
        select(
            area.c.code,
            func.ST_AsBinary(boundary.c.geom),
            boundary_version.c.accuracy_m,
            boundary_version.c.version,
        )
        .select_from(boundary.join(area).join(boundary_version))
        .where(area.c.level == "commune", _PRESENT, _CURRENT)
        .order_by(area.c.code)
    )
    if codes is not None:
        statement = statement.where(area.c.code.in_(codes))
    polygons: list[np.ndarray] = []
    about: list[tuple[str, float, int]] = []
    # By pieces: the country's polygons as bytes and as shapes would need twice the memory.
    for piece in conn.execute(statement, execution_options={"yield_per": 200}).partitions():
        polygons.append(shapely.from_wkb(np.array([bytes(row[1]) for row in piece], dtype=object)))
        about += [(row[0], row[2], row[3]) for row in piece]
    return AreaShapes(
        tuple(code for code, _, _ in about),
        np.concatenate([np.empty(0, dtype=object), *polygons]),
        np.array([accuracy for _, accuracy, _ in about], dtype=float),
        np.array([version for _, _, version in about], dtype=np.int64),
    )


def _state(conn: Connection) -> tuple[object, ...]:
    """What the current polygons are, as far as the cache must know: cheap, and never reused."""
    return (db.name(conn), *conn.execute(sql("boundary_state")).one())
