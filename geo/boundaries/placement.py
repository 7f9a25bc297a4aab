"""Finds the area of each polygon of a boundary file: by code, by another code, or a new area."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Row, func, insert, select, update

from geo.boundaries.files import LoadOptions, Polygons
from geo.boundaries.store import Placed
from geo.errors import RejectedError
from geo.gazetteer import area_row
from geo.tables import area
from geo.text import fold

_FAR_DEG = 0.5
"""A polygon further than this (about 50 km) from the area's known point is doubtful."""


@dataclass(frozen=True)
class _Known:
    """Present areas of the level, by every code that they are known by."""

    by_code: dict[str, Row]
    rows: list[Row]


def place(conn: Connection, polygons: Polygons, options: LoadOptions) -> tuple[Placed, list[str]]:
    """Return the polygons with their areas, and what a reader of the report should know.

    An unknown code is (1) another code of the one present area of that name, in the province
    that the file names, which the file leaves without a polygon; (2) with --valid-from a new area.
    Raises RejectedError for all others.
    """
    known = _known(conn, options.level)
    found: list[Row | None] = [known.by_code.get(code) for code in polygons.codes]
    notes: list[str] = []
    problems: list[tuple[int | None, str]] = []
    taken = {row.area_id for row in found if row is not None}
    for i in (i for i, row in enumerate(found) if row is None):
        twin = _same_name(known.rows, taken, polygons, i)
        if twin is not None:
            found[i] = twin
            taken.add(twin.area_id)
            notes.append(_attach(conn, twin, polygons.codes[i]))
        elif options.valid_from is not None:
            found[i], reason = _create(conn, polygons, i, options)
            if reason:
                problems.append((i + 1, reason))
            else:
                notes.append(f"New area {polygons.codes[i]} {polygons.names[i][:60]}.")
        else:
            problems.append(
                (
                    i + 1,
                    f"{polygons.codes[i]} {polygons.names[i][:60]}: no present {options.level} has "
                    "this code. Is it a code of before 2025-07-01? A new area needs --valid-from.",
                )
            )
    placed_rows = [row for row in found if row is not None]
    problems += _twice(placed_rows)
    if problems:
        raise RejectedError(
            f"{len(problems)} of {len(found)} polygons have no area; nothing was stored.",
            problems[:20],
        )
    notes += _doubts(placed_rows, polygons)
    return _placed(placed_rows, polygons), notes


def _placed(rows: list[Row], polygons: Polygons) -> Placed:
    return Placed(
        np.array([row.area_id for row in rows], dtype=int),
        np.array([row.code for row in rows], dtype=object),
        np.array([row.province_code for row in rows], dtype=object),
        polygons.shapes,
    )


def _known(conn: Connection, level: str) -> _Known:
    rows = list(
        conn.execute(
            select(
                area.c.area_id,
                area.c.code,
                area.c.other_codes,
                area.c.name,
                area.c.full_name,
                area.c.province_code,
                area.c.lon,
                area.c.lat,
            ).where(area.c.level == level, area.c.valid_to.is_(None))
        )
    )
    by_code = {code: row for row in rows for code in row.other_codes}
    return _Known(by_code | {row.code: row for row in rows}, rows)


def _same_name(rows: list[Row], taken: set[int], polygons: Polygons, i: int) -> Row | None:
    name, province = fold(polygons.names[i]), polygons.parents[i]
    if not name:
        return None
    fits = [
        row
        for row in rows
        if row.area_id not in taken
        and name in (fold(row.full_name), fold(row.name))
        and province in ("", row.province_code)
    ]
    return fits[0] if len(fits) == 1 else None


def _attach(conn: Connection, twin: Row, code: str) -> str:
    conn.execute(
        update(area)
        .where(area.c.area_id == twin.area_id)
        .values(other_codes=func.array_append(area.c.other_codes, code))
    )
    return (
        f"ATTENTION: the code {code} is unknown; by its name and province it was taken for "
        f"{twin.full_name} ({twin.code}). Both codes find it from now on."
    )


def _create(
    conn: Connection, polygons: Polygons, i: int, options: LoadOptions
) -> tuple[Row | None, str]:
    """Add a dated area; its row, and why not when that cannot be."""
    code, name, parent = polygons.codes[i], polygons.names[i], polygons.parents[i]
    digits = 5 if options.level == "commune" else 2
    if not (code.isascii() and code.isdecimal() and len(code) == digits):
        return None, f"{code[:20]}: a {options.level}'s code has {digits} digits."
    if not name:
        return None, f"{code}: a new area needs a name (--name-column)."
    if options.level == "commune":
        exists = select(area.c.area_id).where(
            area.c.level == "province", area.c.code == parent, area.c.valid_to.is_(None)
        )
        if conn.execute(exists).first() is None:
            return (
                None,
                f"{code} {name[:60]}: its province {parent!r} is unknown (--parent-column).",
            )
    row = (
        area_row("commune", code, name, parent, parent, valid_from=options.valid_from)
        if options.level == "commune"
        else area_row("province", code, name, "VN", code, valid_from=options.valid_from)
    )
    made = conn.execute(
        insert(area).returning(
            area.c.area_id,
            area.c.code,
            area.c.name,
            area.c.full_name,
            area.c.province_code,
            area.c.lon,
            area.c.lat,
        ),
        row,
    )
    return made.one(), ""


def _twice(rows: list[Row]) -> list[tuple[int | None, str]]:
    """Two codes of one area in the same file."""
    seen: set[int] = set()
    problems: list[tuple[int | None, str]] = []
    for i, row in enumerate(rows, start=1):
        if row.area_id in seen:
            problems.append((i, f"{row.full_name} ({row.code}) already has a polygon in this file"))
        seen.add(row.area_id)
    return problems


def _doubts(rows: list[Row], polygons: Polygons) -> list[str]:
    """What does not stop a load and still should be looked at."""
    pairs = list(zip(rows, polygons.names, polygons.parents, polygons.shapes, strict=True))
    named = [
        f"{row.code} {row.full_name} is {name[:60]!r}"
        for row, name, _, _ in pairs
        if name and fold(name) not in (fold(row.full_name), fold(row.name))
    ]
    moved = [
        f"{row.code} {row.full_name} in {parent[:20]!r}, not {row.province_code}"
        for row, _, parent, _ in pairs
        if parent and parent != row.province_code
    ]
    far = [f"{row.code} {row.full_name}" for row, _, _, shape in pairs if _far(row, shape.bounds)]
    return [
        *_listed("areas have another name in the file", named),
        *_listed("areas are in another province in the file", moved),
        *_listed("polygons lie more than about 50 km from the area's known point", far),
    ]


def _far(row: Row, bounds: tuple[float, float, float, float]) -> bool:
    if row.lon is None or row.lat is None:
        return False
    west, south, east, north = bounds
    return not (
        west - _FAR_DEG <= row.lon <= east + _FAR_DEG
        and south - _FAR_DEG <= row.lat <= north + _FAR_DEG
    )


def _listed(what: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = f"; and {len(items) - 10} more" if len(items) > 10 else ""
    return [f"{len(items)} {what}: {'; '.join(items[:10])}{more}."]
