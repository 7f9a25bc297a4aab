"""Looks for overlaps and gaps between the current boundaries of communes."""

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import STRtree
from sqlalchemy import Connection, select

from geo.boundaries import store as boundary_store
from geo.boundaries.files import areas_m2, polygons_only
from geo.tables import area, boundary

OVERLAP_M2 = 10_000.0
"""Smaller overlaps are rounding: 1 ha."""


@dataclass(frozen=True)
class Overlap:
    """Two communes that claim the same land."""

    first: str
    second: str
    area_m2: float


@dataclass(frozen=True)
class Gap:
    """Land that belongs to no commune, between the communes that it touches; a place in it."""

    between: tuple[str, ...]
    lon: float
    lat: float
    area_m2: float


@dataclass(frozen=True)
class CheckReport:
    """What is wrong with the current boundaries; codes are those of communes."""

    polygons: int
    overlaps: list[Overlap] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)


def check(conn: Connection, province_code: str | None = None) -> CheckReport:
    """Overlaps above 1 ha, gaps enclosed by communes, and communes without a polygon.

    `missing` holds only provinces of which some communes have a polygon and some have not. With
    `province_code` only what is within that province.
    """
    only = None if province_code is None else [province_code]
    communes = boundary_store.current(conn, "commune", only)
    outlines = boundary_store.current(conn, "country" if only is None else "province", only)
    return CheckReport(
        len(communes),
        overlaps(communes.codes, communes.shapes),
        gaps(communes.codes, communes.shapes, outlines.shapes),
        _missing(conn, sorted(set(communes.province_codes))),
    )


def overlaps(codes: np.ndarray, shapes: np.ndarray) -> list[Overlap]:
    """Pairs whose common land is larger than 1 ha, largest first; EPSG:4326, m² on the ellipsoid.

    Only polygons that break the coverage (shared borders, nothing in common) are intersected.
    """
    if len(shapes) == 0:
        return []
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    left, right = STRtree(shapes[suspects]).query(shapes[suspects])
    once = left < right
    left, right = suspects[left[once]], suspects[right[once]]
    common = shapely.intersection(shapes[left], shapes[right])
    sizes = areas_m2(np.array([polygons_only(shape) for shape in common], dtype=object))
    return [
        Overlap(codes[left[i]], codes[right[i]], float(sizes[i]))
        for i in np.argsort(-sizes)
        if sizes[i] > OVERLAP_M2
    ]


def gaps(codes: np.ndarray, shapes: np.ndarray, outlines: np.ndarray) -> list[Gap]:
    """Holes of the outlines that no polygon fills, largest first; EPSG:4326, m² on the ellipsoid.

    `outlines` are unions of the polygons: of a province's communes, or the country.
    """
    parts = shapely.get_parts(outlines)
    rings, owners = shapely.get_rings(parts, return_index=True)
    # The first ring of each part is its outer border.
    inner = np.diff(owners, prepend=-1) == 0
    holes = shapely.polygons(rings[inner])
    tree = STRtree(shapes)
    found = []
    for hole in holes:
        touching = np.sort(tree.query(hole, predicate="intersects"))
        rest = polygons_only(shapely.difference(hole, shapely.union_all(shapes[touching])))
        # Another province's communes fill an enclave up to rounding.
        size = float(areas_m2(np.array([rest]))[0])
        if size > 0 and len(touching):
            spot = rest.representative_point()
            found.append(Gap(tuple(codes[touching]), spot.x, spot.y, size))
    return sorted(found, key=lambda gap: -gap.area_m2)


def _missing(conn: Connection, provinces: list[str]) -> dict[str, list[str]]:
    has_one = select(boundary.c.area_id).where(boundary.c.superseded_at.is_(None))
    rows = conn.execute(
        select(area.c.province_code, area.c.code)
        .where(area.c.level == "commune", area.c.valid_to.is_(None))
        .where(area.c.province_code.in_(provinces), area.c.area_id.notin_(has_one))
        .order_by(area.c.code)
    )
    missing: dict[str, list[str]] = {}
    for province, code in rows:
        missing.setdefault(province, []).append(code)
    return missing
