"""Writes boundaries to the database, and what follows from them: provinces and the country."""

import os
import struct
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import shapely
from sqlalchemy import Connection, func, select, update

from geo.areas import COUNTRY
from geo.boundaries.files import areas_m2, as_multi, polygons_only
from geo.tables import area, boundary

Progress = Callable[[int, int | None], None]

STEPS = 5
"""Of a load, for its progress: four here, and drawing for maps."""
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

    def joined(self, other: "Placed") -> "Placed":
        """These and the others."""
        return Placed(
            np.concatenate([self.area_ids, other.area_ids]),
            np.concatenate([self.codes, other.codes]),
            np.concatenate([self.province_codes, other.province_codes]),
            np.concatenate([self.shapes, other.shapes]),
        )

    def without(self, codes: Collection[str]) -> "Placed":
        """These but for some."""
        return self._picked(np.array([code not in codes for code in self.codes], dtype=bool))

    def by_code(self) -> "Placed":
        """The same in the order of their codes."""
        return self._picked(np.argsort(self.codes.astype(str), kind="stable"))

    def _picked(self, which: np.ndarray) -> "Placed":
        return Placed(
            self.area_ids[which],
            self.codes[which],
            self.province_codes[which],
            self.shapes[which],
        )


def replace(
    conn: Connection,
    version: int,
    placed: Placed,
    repaired: dict[int, str],
    level: str,
    progress: Progress,
) -> Placed | None:
    """Make `placed` the current polygons of their areas, and derive what follows from them.

    Communes: their provinces become the union of all their current communes, which are returned.
    Other provinces keep theirs. The country is the union of the provinces.
    """
    communes = None
    provinces, notes = placed, repaired
    if level == "commune":
        touched = sorted(set(placed.province_codes))
        communes = placed.joined(current(conn, "commune", touched, without=placed.area_ids))
        progress(1, STEPS)
        _supersede(conn, placed.area_ids)
        _copy(conn, version, placed, repaired)
        progress(2, STEPS)
        provinces, notes = _unions(conn, communes, touched), {}
    _supersede(conn, provinces.area_ids)
    _copy(conn, version, provinces, notes)
    progress(3, STEPS)
    _derive_country(conn, version)
    progress(4, STEPS)
    return communes


def current(
    conn: Connection,
    level: str,
    provinces: Iterable[str] | None = None,
    without: np.ndarray | None = None,
) -> Placed:
    """The current polygons of present areas of a level, by code."""
    statement = (
        select(area.c.area_id, area.c.code, area.c.province_code, func.ST_AsBinary(boundary.c.geom))
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
    placed = Placed(
        np.array([country]),
        np.array([COUNTRY], dtype=object),
        np.array([None], dtype=object),
        np.array([polygons_only(shapely.union_all(outlines.shapes))], dtype=object),
    )
    _supersede(conn, placed.area_ids)
    _copy(conn, version, placed, {})


def _supersede(conn: Connection, area_ids: np.ndarray) -> None:
    conn.execute(
        update(boundary)
        .where(boundary.c.area_id.in_([int(i) for i in area_ids]), _CURRENT)
        .values(superseded_at=func.clock_timestamp())
    )


def _copy(
    conn: Connection,
    version: int,
    placed: Placed,
    repaired: dict[int, str],
) -> None:
    """Binary COPY in pieces, so that the country's 7 M vertices never exist twice in memory."""
    driver = conn.connection.driver_connection
    assert driver is not None  # noqa: S101  (a connection in use has its driver's connection)  # nosec B101
    with driver.cursor() as cursor:
        for start in range(0, len(placed), _COPY_ROWS):
            piece = slice(start, start + _COPY_ROWS)
            rows = _binary_rows(version, placed, repaired, piece)
            stream = BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"".join(rows) + b"\xff\xff")
            cursor.copy_expert(
                "COPY boundary (area_id, version, geom, area_km2, repaired) "
                "FROM STDIN (FORMAT binary)",
                stream,
                1 << 20,
            )


def _binary_rows(
    version: int,
    placed: Placed,
    repaired: dict[int, str],
    piece: slice,
) -> Iterator[bytes]:
    columns = zip(
        placed.area_ids[piece],
        _ewkb(placed.shapes[piece]),
        areas_m2(placed.shapes[piece]) / 1e6,
        strict=True,
    )
    for i, (area_id, full, km2) in enumerate(columns, start=piece.start):
        note = repaired.get(i)
        yield struct.pack("!hiqiq", 5, 8, int(area_id), 8, version)
        yield from _field(full)
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
