"""Draws areas for maps: in several resolutions, of which each keeps the borders that areas share.

The communes of the whole country are one coverage: simplified together, neighbours keep the same
corners along their border. Provinces are unions of these communes and the country is the union of
the provinces, so that levels share their borders as well.
"""

from collections.abc import Iterator

import numpy as np
import shapely
from sqlalchemy import Connection, delete, func, select

from geo import cells, copying
from geo.areas import COUNTRY
from geo.boundaries.files import as_multi
from geo.boundaries.store import Placed, current
from geo.shape_tables import area_shape
from geo.tables import area, boundary

TOLERANCES_DEG = (0.02, 0.008, 0.002, 0.0005)
"""By resolution: the square root of the smallest triangle that is kept; about half a pixel."""
LAST_ZOOMS = (5, 7, 9, 11)
"""By resolution: the highest zoom that it is for; beyond come the boundaries themselves."""
FINEST = len(TOLERANCES_DEG) - 1

_GAP_DEG = 0.001
"""Narrower gaps between communes (about 100 m) are where sources do not meet."""
_CURRENT = boundary.c.superseded_at.is_(None)
_PRESENT = area.c.valid_to.is_(None)


def resolution(zoom: int) -> int | None:
    """The resolution that maps of a zoom are drawn with; None where it is the boundary itself."""
    return next((number for number, last in enumerate(LAST_ZOOMS) if zoom <= last), None)


def draw(conn: Connection, known: Placed | None = None) -> None:
    """Draw all present areas anew from their current boundaries.

    The result depends on these alone, not on the order in which they came. `known` are current
    communes that the caller has at hand, so that they need not be read again.
    """
    communes = current(conn, "commune", without=None if known is None else known.area_ids)
    if known is not None:
        communes = communes.joined(known)
    tree = _Tree(conn, communes.by_code(), _loaded_apart(conn))
    conn.execute(delete(area_shape))
    labels = np.empty(0, dtype=object)
    for number, shown in zip(range(FINEST, -1, -1), tree.drawn(), strict=True):
        if number == FINEST:
            labels = shapely.point_on_surface(shown)
        _store(conn, number, tree.area_ids, shown, labels)


def done(conn: Connection) -> bool:
    """Whether areas are drawn; not so where the database is older than their drawing."""
    return conn.execute(select(area_shape.c.area_id).limit(1)).first() is not None


def coverages(shapes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """n polygons (EPSG:4326) as multipolygons in all resolutions, the finest first.

    Nothing vanishes, and neighbours have the same corners on both sides: where sources overlap or
    leave narrow gaps, the land goes to one of them. The second array tells which areas lie wholly
    under others: these are drawn as they are, over them.
    """
    simple = _simplified(shapes, FINEST)
    shown = shapely.coverage_clean(simple, gap_width=_GAP_DEG) if len(simple) else simple
    covered = shapely.is_empty(shown)
    beside, under = shown[~covered], simple[covered]
    for number in range(FINEST, -1, -1):
        if number != FINEST:
            beside = _simplified(beside, number)
        drawn = shown.copy()
        drawn[~covered] = beside
        drawn[covered] = [_simplified(np.array([one]), number)[0] for one in under]
        yield as_multi(drawn), covered


def _simplified(shapes: np.ndarray, number: int) -> np.ndarray:
    return shapely.coverage_simplify(shapes, TOLERANCES_DEG[number]) if len(shapes) else shapes


class _Tree:
    """The communes, and what stands above them.

    apart: provinces whose polygon was loaded as such, later than those of their communes.
    """

    def __init__(self, conn: Connection, communes: Placed, apart: Placed) -> None:
        present = conn.execute(
            select(area.c.code, area.c.area_id).where(
                area.c.level.in_(("country", "province")), _PRESENT
            )
        )
        ids = {row.code: row.area_id for row in present}
        above = set(communes.province_codes) - set(apart.codes)
        self._communes, self._apart = communes, apart
        self._united = sorted(above & ids.keys())
        united = [ids[code] for code in self._united]
        country = [ids[COUNTRY]] if COUNTRY in ids and (united or len(apart)) else []
        self.area_ids = [*communes.area_ids.tolist(), *apart.area_ids.tolist(), *united, *country]

    def drawn(self) -> Iterator[np.ndarray]:
        """The shapes of `area_ids` in all resolutions, the finest first."""
        of = self._communes.province_codes
        for (communes, covered), (apart, _) in zip(
            coverages(self._communes.shapes), coverages(self._apart.shapes), strict=True
        ):
            members = [of == code for code in self._united]
            unions = [_union(communes[mine], covered[mine]) for mine in members]
            provinces = np.array([*apart, *unions], dtype=object)
            known = len(communes) + len(provinces)
            if len(self.area_ids) == known:
                whole = []
            elif len(apart) or covered.any():
                whole = [shapely.union_all(provinces)]
            else:
                whole = [shapely.coverage_union_all(provinces)]
            yield as_multi(np.array([*communes, *provinces, *whole], dtype=object))


def _union(shapes: np.ndarray, covered: np.ndarray) -> shapely.Geometry:
    """The union of a province's communes; quick, because those side by side share their borders."""
    if covered.all():
        return shapely.union_all(shapes)
    return shapely.coverage_union_all(shapes[~covered])


def _loaded_apart(conn: Connection) -> Placed:
    """Provinces with a polygon that is not the union of their communes' current ones."""
    commune = area.alias()
    theirs = boundary.alias()
    newest = (
        select(commune.c.province_code, func.max(theirs.c.version).label("version"))
        .join(theirs, theirs.c.area_id == commune.c.area_id)
        .where(commune.c.level == "commune", commune.c.valid_to.is_(None))
        .where(theirs.c.superseded_at.is_(None))
        .group_by(commune.c.province_code)
        .subquery()
    )
    united = conn.execute(
        select(area.c.code)
        .join(boundary, boundary.c.area_id == area.c.area_id)
        .join(newest, newest.c.province_code == area.c.code)
        .where(area.c.level == "province", _PRESENT, _CURRENT)
        .where(boundary.c.version <= newest.c.version)
    )
    return current(conn, "province").without(set(united.scalars()))


def _store(
    conn: Connection, number: int, area_ids: list[int], shapes: np.ndarray, labels: np.ndarray
) -> None:
    lon, lat = shapely.get_x(labels), shapely.get_y(labels)
    copying.copy(
        conn,
        area_shape,
        {
            "area_id": area_ids,
            "resolution": [number] * len(area_ids),
            "geom": shapely.to_wkb(
                shapely.set_srid(shapes, 4326), hex=True, include_srid=True
            ).tolist(),
            "label": copying.points(lon, lat),
            "cell": cells.cells(lon, lat).tolist(),
        },
    )
