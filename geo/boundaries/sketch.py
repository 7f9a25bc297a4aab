"""Approximate communes from known points: something to look at offline, never for an audit."""

from collections.abc import Iterable

import numpy as np
import shapely
from scipy.spatial import Voronoi
from sqlalchemy import Connection

from geo.boundaries.files import LoadOptions, Polygons, as_multi, usable
from geo.db import sql
from geo.errors import UsageError

DEMO_PROVINCES = ("19", "46", "08")

ACCURACY_M = 1800.0
"""1 σ of a sketched border; docs/boundaries.md says how it was measured."""

OPTIONS = LoadOptions(
    accuracy_m=ACCURACY_M,
    source="Sketch from the commune points of vietnamadminunits 1.0.4: approximate, not for audits",
    licence="MIT",
    sketch=True,
)

_REACH_KM = 6.0
"""Land is taken to end this far from the outermost points (measured: area and overlap fit best)."""
_AROUND_KM = 60.0
"""Points of neighbours that far beyond a province still shape its outer border."""


def polygons(conn: Connection, provinces: Iterable[str] = DEMO_PROVINCES) -> Polygons:
    """Sketch the communes of provinces: Voronoi cells of known points, merged by present commune.

    Raises UsageError for a province that has no known points.
    """
    wanted = sorted(set(provinces))
    rows = conn.execute(sql("sketch_points")).all()
    known = {row.province_code for row in rows}
    unknown = [code for code in wanted if code not in known]
    if unknown or not wanted:
        raise UsageError(
            f"No present province has the code {', '.join(unknown) or '(none given)'}."
        )
    points = np.array([(row.lon, row.lat) for row in rows], dtype=float)
    codes = np.array([row.code for row in rows], dtype=object)
    inside = np.isin([row.province_code for row in rows], wanted)
    names = {row.code: (row.name, row.province_code) for row in rows}

    order = sorted(set(codes[inside]))
    shapes = merged_cells(points, codes, order)
    return usable(
        Polygons(
            order,
            [names[code][0] for code in order],
            [names[code][1] for code in order],
            shapes,
        )
    )


def merged_cells(points: np.ndarray, labels: np.ndarray, wanted: list[str]) -> np.ndarray:
    """Voronoi cells (lon, lat in degrees; n × 2) merged by label, cut off beyond the points' reach.

    Returns one multipolygon per wanted label. Cells are made in a local plane in kilometres.
    """
    mine = np.isin(labels, wanted)
    middle = points[mine].mean(axis=0)
    scale = np.array([111.32 * np.cos(np.radians(middle[1])), 110.6])
    flat = (points - middle) * scale
    low, high = flat[mine].min(axis=0) - _AROUND_KM, flat[mine].max(axis=0) + _AROUND_KM
    near = ((flat >= low) & (flat <= high)).all(axis=1)
    # Two units on the same spot would share one cell: the first keeps it.
    _, first = np.unique(flat[near].round(3), axis=0, return_index=True)
    flat, labels = flat[near][np.sort(first)], labels[near][np.sort(first)]

    cells = _cells(flat)
    land = shapely.union_all(shapely.buffer(shapely.points(flat), _REACH_KM, quad_segs=8))
    shapely.prepare(land)
    kept = np.isin(labels, wanted)
    cut = shapely.intersection(cells[kept], land)
    owners = labels[kept]
    merged = np.array([shapely.union_all(cut[owners == label]) for label in wanted], dtype=object)
    degrees = shapely.transform(merged, lambda xy: xy / scale + middle)
    return as_multi(shapely.set_precision(degrees, 1e-6))


def _cells(points: np.ndarray) -> np.ndarray:
    """The Voronoi cell of every point (n × 2, km): by Qhull, since GEOS' overlap for some inputs.

    Four guards far away close the outer cells; they bend nothing within hundreds of kilometres.
    """
    far = np.abs(points).max() + 5_000.0
    guards = far * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    diagram = Voronoi(np.vstack([points, guards]))
    regions = [diagram.regions[diagram.point_region[i]] for i in range(len(points))]
    # Cells are convex, so the hull of the corners is the cell, in whatever order they come.
    corners = np.concatenate([diagram.vertices[region] for region in regions])
    owners = np.repeat(np.arange(len(regions)), [len(region) for region in regions])
    return shapely.convex_hull(shapely.multipoints(corners, indices=owners))
