"""Writes polygons to the database: full resolution, display copy, provinces and the country."""

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import shapely
from sqlalchemy import Connection, bindparam, func, select, update

from geo.areas import COUNTRY
from geo.boundaries.files import areas_m2, as_multi, polygons_only
from geo.tables import area, boundary

Progress = Callable[[int, int | None], None]

DISPLAY_DEG = 0.0005
"""Corners of less than about 50 × 50 m are left out of the display copy of communes."""
PROVINCE_DISPLAY_DEG = 0.002
LEAST_HOLE_M2 = 1e6
"""Smaller holes in a province or the country are where the sources leave a gap, not enclaves."""
_COPY_ROWS = 200
_CURRENT = boundary.c.superseded_at.is_(None)
_PRESENT = area.c.valid_to.is_(None)


@dataclass(frozen=True)
class Placed:
    """n polygons and the areas that they belong to; multipolygons in EPSG:4326."""

    area_ids: np.ndarray
    codes: np.ndarray
    province_codes: np.ndarray
    shapes: np.ndarray

    def __len__(self) -> int:
        return len(self.area_ids)


def replace(
    conn: Connection,
    version: int,
    placed: Placed,
    repaired: dict[int, str],
    level: str,
    progress: Progress,
) -> None:
    """Make `placed` the current polygons of their areas, and derive what follows from them.

    Communes: their provinces become the union of all their current communes, and all of these get
    a new display copy. Other provinces keep theirs. The country is the union of the provinces.
    """
    if level == "province":
        progress(2, 5)
        provinces, displays = placed, display(placed.shapes, PROVINCE_DISPLAY_DEG)
        notes = repaired
    else:
        touched = sorted(set(placed.province_codes))
        kept = current(conn, "commune", touched, without=placed.area_ids)
        progress(1, 5)
        everything = _joined(placed, kept)
        shown = display(everything.shapes, DISPLAY_DEG)
        progress(2, 5)
        _supersede(conn, placed.area_ids)
        _copy(conn, version, placed, shown[: len(placed)], repaired)
        _show_again(conn, kept, shown[len(placed) :])
        progress(3, 5)
        provinces = _unions(conn, everything, touched)
        outlines = without_gaps(_by_province(shown, everything.province_codes, touched))
        displays, notes = display(outlines, PROVINCE_DISPLAY_DEG), {}
    _supersede(conn, provinces.area_ids)
    _copy(conn, version, provinces, displays, notes)
    progress(4, 5)
    _derive_country(conn, version)
    progress(5, 5)


def display(shapes: np.ndarray, tolerance_deg: float) -> np.ndarray:
    """Simplify as a coverage, so that neighbours still share their borders; none vanishes.

    `tolerance_deg` is the square root of the smallest triangle that is kept (Visvalingam).
    """
    simple = shapely.coverage_simplify(shapes, tolerance_deg)
    for i in np.flatnonzero(~shapely.is_valid(simple)):
        simple[i] = shapely.make_valid(simple[i], method="structure", keep_collapsed=False)
    result = as_multi(simple)
    lost = shapely.is_empty(result)
    result[lost] = shapes[lost]
    return result


def without_gaps(shapes: np.ndarray) -> np.ndarray:
    """n polygons or multipolygons without their holes of less than LEAST_HOLE_M2; EPSG:4326."""
    return as_multi(np.array([_without_gaps(shape) for shape in shapes], dtype=object))


def _without_gaps(shape: shapely.Geometry) -> shapely.Geometry:
    parts = []
    for part in shapely.get_parts(shape):
        holes = np.array(part.interiors, dtype=object)
        kept = holes[areas_m2(shapely.polygons(holes)) >= LEAST_HOLE_M2] if len(holes) else holes
        parts.append(shapely.Polygon(part.exterior, list(kept)))
    return shapely.multipolygons(parts)


def current(
    conn: Connection,
    level: str,
    provinces: Iterable[str] | None = None,
    without: np.ndarray | None = None,
    shown: bool = False,
) -> Placed:
    """The current polygons of present areas of a level, by code; `shown` takes display copies."""
    column = boundary.c.display if shown else boundary.c.geom
    statement = (
        select(area.c.area_id, area.c.code, area.c.province_code, func.ST_AsBinary(column))
        .join(boundary, boundary.c.area_id == area.c.area_id)
        .where(area.c.level == level, _PRESENT, _CURRENT)
        .order_by(area.c.code)
    )
    if provinces is not None:
        statement = statement.where(area.c.province_code.in_(list(provinces)))
    if without is not None:
        statement = statement.where(area.c.area_id.notin_([int(i) for i in without]))
    rows = conn.execute(statement).all()
    return Placed(
        np.array([r[0] for r in rows], dtype=int),
        np.array([r[1] for r in rows], dtype=object),
        np.array([r[2] for r in rows], dtype=object),
        shapely.from_wkb(np.array([bytes(r[3]) for r in rows], dtype=object)),
    )


def _joined(first: Placed, second: Placed) -> Placed:
    return Placed(
        np.concatenate([first.area_ids, second.area_ids]),
        np.concatenate([first.codes, second.codes]),
        np.concatenate([first.province_codes, second.province_codes]),
        np.concatenate([first.shapes, second.shapes]),
    )


def _unions(conn: Connection, communes: Placed, provinces: list[str]) -> Placed:
    ids = conn.execute(
        select(area.c.code, area.c.area_id).where(area.c.level == "province", _PRESENT)
    )
    by_code = {row.code: row.area_id for row in ids}
    codes = np.array(provinces, dtype=object)
    return Placed(
        np.array([by_code[code] for code in provinces], dtype=int),
        codes,
        codes,
        _by_province(communes.shapes, communes.province_codes, provinces),
    )


def _by_province(shapes: np.ndarray, of: np.ndarray, provinces: list[str]) -> np.ndarray:
    """The union of each province's shapes. Not coverage_union: sources overlap here and there."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        unions = list(pool.map(lambda code: shapely.union_all(shapes[of == code]), provinces))
    return as_multi(np.array(unions, dtype=object))


def _derive_country(conn: Connection, version: int) -> None:
    country = conn.execute(
        select(area.c.area_id).where(area.c.code == COUNTRY, _PRESENT)
    ).scalar_one()
    outlines = current(conn, "province")
    shown = current(conn, "province", shown=True)
    placed = Placed(
        np.array([country]),
        np.array([COUNTRY], dtype=object),
        np.array([None], dtype=object),
        np.array([polygons_only(shapely.union_all(outlines.shapes))], dtype=object),
    )
    outline = without_gaps(np.array([polygons_only(shapely.union_all(shown.shapes))], dtype=object))
    _supersede(conn, placed.area_ids)
    _copy(conn, version, placed, outline, {})


def _supersede(conn: Connection, area_ids: np.ndarray) -> None:
    conn.execute(
        update(boundary)
        .where(boundary.c.area_id.in_([int(i) for i in area_ids]), _CURRENT)
        .values(superseded_at=func.clock_timestamp())
    )


def _show_again(conn: Connection, kept: Placed, displays: np.ndarray) -> None:
    if len(kept):
        conn.execute(
            update(boundary)
            .where(boundary.c.area_id == bindparam("of"), _CURRENT)
            .values(display=func.ST_GeomFromEWKB(bindparam("shape"))),
            [
                {"of": int(of), "shape": shape}
                for of, shape in zip(kept.area_ids, _ewkb(displays), strict=True)
            ],
        )


def _copy(
    conn: Connection,
    version: int,
    placed: Placed,
    displays: np.ndarray,
    repaired: dict[int, str],
) -> None:
    """Binary COPY in pieces, so that the country's 7 M vertices never exist twice in memory."""
    driver = conn.connection.driver_connection
    assert driver is not None  # noqa: S101  (a connection in use has its driver's connection)  # nosec B101
    with driver.cursor() as cursor:
        for start in range(0, len(placed), _COPY_ROWS):
            piece = slice(start, start + _COPY_ROWS)
            rows = _binary_rows(version, placed, displays, repaired, piece)
            stream = BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"".join(rows) + b"\xff\xff")
            cursor.copy_expert(
                "COPY boundary (area_id, version, geom, display, area_km2, repaired) "
                "FROM STDIN (FORMAT binary)",
                stream,
                1 << 20,
            )


def _binary_rows(
    version: int,
    placed: Placed,
    displays: np.ndarray,
    repaired: dict[int, str],
    piece: slice,
) -> Iterator[bytes]:
    columns = zip(
        placed.area_ids[piece],
        _ewkb(placed.shapes[piece]),
        _ewkb(displays[piece]),
        areas_m2(placed.shapes[piece]) / 1e6,
        strict=True,
    )
    for i, (area_id, full, simple, km2) in enumerate(columns, start=piece.start):
        note = repaired.get(i)
        yield struct.pack("!hiiii", 6, 4, int(area_id), 4, version)
        yield from _field(full)
        yield from _field(simple)
        yield struct.pack("!id", 8, km2)
        yield from _field(None if note is None else note.encode())


def _field(value: bytes | None) -> Iterator[bytes]:
    if value is None:
        yield struct.pack("!i", -1)
    else:
        yield struct.pack("!i", len(value))
        yield value


def _ewkb(shapes: np.ndarray) -> np.ndarray:
    return shapely.to_wkb(shapely.set_srid(shapes, 4326), include_srid=True)
