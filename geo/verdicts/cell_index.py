"""Borders for bulk work: the answers of `Borders` several times as fast, once an index is built.

Each area's edges lie in runs and groups of runs with boxes. Each area's box is divided into cells,
and of the middle of each it is known how far the border is, where, and on which side. A point
nearer to the middle than the border is on the same side; only the others are tested. Where rounding
could decide, GEOS is asked, so the answers are the same.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import owens_t

from geo.geometry import Floats, metres_between, metres_per_degree
from geo.verdicts import kernels, reach
from geo.verdicts.border import Borders, Flags
from geo.verdicts.edges import RUN, Edges, Indices, counted
from geo.verdicts.kernels import CELLS, DOUBTFUL, GROUP, IN, Arrays, Cells, Room
from geo.verdicts.parts import in_parts
from geo.verdicts.planes import FAR, Planes
from geo.verdicts.probability import REACH, probability_inside
from geo.verdicts.reach import Pairs, Seen

_COLUMNS = 512
"""The box of all areas is divided into so many columns and rows; each cell lists its areas."""

_PAIRS = 250_000


class CellIndex:
    """The index over n areas, one or more; many threads may ask.

    Building it takes about 0.1 µs a vertex; it holds 3 bytes a vertex and 2.5 KB an area beside
    the edges of `borders`, 16 bytes a vertex.
    """

    def __init__(self, borders: Borders):
        self._borders = borders
        edges = borders.edges()
        self._arrays = _arrays(edges, borders.planes)
        self._most_groups = int(np.diff(self._arrays.group_of).max())
        self._pairs = max(_PAIRS, RUN * int(np.diff(edges.run_of).max()))
        self._lists = _Lists(borders.planes)
        self._cells = self._look_around(len(borders.planes.west))

    def measure(
        self, area: Indices, lon: Floats, lat: Floats, sigma_m: Floats
    ) -> tuple[Flags, Floats, Floats]:
        """As `Borders.measure`."""
        n = len(area)
        inside, metres, probability = np.empty(n, bool), np.empty(n), np.empty(n)

        def measure_rows(rows: Indices) -> None:
            inside[rows], metres[rows], probability[rows] = self._measure(
                area[rows], lon[rows], lat[rows], sigma_m[rows]
            )

        # Small integers are sorted in a single pass.
        small = area.astype(np.uint16) if len(self._cells.run) <= 1 << 16 else area
        in_parts(np.argsort(small, kind="stable"), measure_rows)
        return inside, metres, probability

    def locate(self, lon: Floats, lat: Floats) -> tuple[Indices, Flags]:
        """The first area that holds each of n points, -1 for none; and for which that is unsure.

        Unsure are points on a border, but for rounding.
        """
        found, within = np.full(len(lon), -1, dtype=np.int64), self._lists.within(lon, lat)

        def locate_rows(part: Indices) -> None:
            cell = self._lists.cell(lon[part], lat[part])
            lists = self._lists.first, self._lists.area
            found[part] = kernels.locate(self._arrays, *lists, cell, lon[part], lat[part])

        in_parts(np.flatnonzero(within), locate_rows)
        return np.maximum(found, -1), found < -1

    def _look_around(self, n: int) -> Cells:
        shape = n, CELLS * CELLS
        cells = Cells(np.empty(shape, np.int64), np.empty(shape), np.empty(shape, np.int8))

        def look(part: Indices) -> None:
            if len(part):
                kernels.look_around(self._arrays, part[0], part[-1] + 1, cells, self._room())

        in_parts(np.arange(n), look, worth=50)
        return cells

    def _room(self) -> Room:
        return Room(np.empty(self._most_groups), np.empty(GROUP), np.empty(RUN))

    def _measure(
        self, area: Indices, lon: Floats, lat: Floats, sigma_m: Floats
    ) -> tuple[Flags, Floats, Floats]:
        side, metres = np.empty(len(area), np.int8), np.empty(len(area))
        room = self._room()
        kernels.measure(self._arrays, self._cells, area, lon, lat, FAR, side, metres, room)
        far = np.flatnonzero(np.isnan(metres))
        if len(far):
            metres[far] = self._by_geodesic(area[far], lon[far], lat[far], room)
        inside = side == IN
        doubtful = np.flatnonzero(side == DOUBTFUL)
        if len(doubtful):
            one = area[doubtful], lon[doubtful], lat[doubtful]
            inside[doubtful] = self._borders.holds(*one)
        probability = inside.astype(float)
        near = np.flatnonzero(metres < REACH * sigma_m)
        if len(near):
            probability[near] = self._probability(
                area[near], lon[near], lat[near], sigma_m[near], inside[near]
            )
        return inside, np.where(inside, metres, -metres), probability

    def _by_geodesic(self, area: Indices, lon: Floats, lat: Floats, room: Room) -> Floats:
        foot = np.empty((len(area), 2))
        kernels.feet(self._arrays, area, *self._borders.planes.place(area, lon, lat), room, foot)
        return metres_between(lon, lat, foot[:, 0], foot[:, 1])

    def _probability(
        self, area: Indices, lon: Floats, lat: Floats, sigma_m: Floats, inside: Flags
    ) -> Floats:
        along, up = metres_per_degree(lat)
        seen = Seen(area, lon, lat, along / sigma_m, up / sigma_m)
        h, one, two = np.empty((3, self._pairs))
        pairs = Pairs(np.empty(self._pairs, np.int64), h, one, two)
        touching = np.zeros(len(area), dtype=bool)
        swept, done = np.zeros(len(area)), 0
        while done < len(area):
            done, n = reach.edges_in_reach(self._arrays, seen, done, REACH, pairs, touching)
            with np.errstate(over="ignore"):  # where a point lies in line with an edge
                parts = owens_t(pairs.h[:n], pairs.two[:n]) - owens_t(pairs.h[:n], pairs.one[:n])
            swept += np.bincount(pairs.point[:n], weights=parts, minlength=len(area))
        result = np.clip(inside - swept, 0.0, 1.0)
        if touching.any():
            area, lon, lat = area[touching], lon[touching], lat[touching]
            sigma_m, inside = sigma_m[touching], inside[touching]
            edges = self._borders.edges()
            result[touching] = probability_inside(edges, area, lon, lat, sigma_m, inside)
        return result


class _Lists:
    """Cells over the box of all areas, each with the areas whose boxes meet it, in order."""

    def __init__(self, planes: Planes):
        self._low = np.array([planes.west.min(), planes.south.min()])
        self._high = np.array([planes.east.max(), planes.north.max()])
        west, south = self._place(planes.west, planes.south)
        east, north = self._place(planes.east, planes.north)
        number = (east - west + 1) * (north - south + 1)
        of, k = np.repeat(np.arange(len(number)), number), counted(number)
        row, column = np.divmod(k, (east - west + 1)[of])
        cell = (south[of] + row) * _COLUMNS + west[of] + column
        order = np.argsort(cell, kind="stable")
        self.area = of[order]
        self.first = np.searchsorted(cell[order], np.arange(_COLUMNS * _COLUMNS + 1))

    def within(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Which of n points lie in the box of all areas."""
        beside = (lon >= self._low[0]) & (lon <= self._high[0])
        return beside & (lat >= self._low[1]) & (lat <= self._high[1])

    def cell(self, lon: Floats, lat: Floats) -> Indices:
        """The cell of each of n points in the box of all areas."""
        column, row = self._place(lon, lat)
        return row * _COLUMNS + column

    def _place(self, lon: Floats, lat: Floats) -> tuple[Indices, Indices]:
        step = _COLUMNS / (self._high - self._low)
        column, row = (lon - self._low[0]) * step[0], (lat - self._low[1]) * step[1]
        last = _COLUMNS - 1
        return np.minimum(column.astype(np.int64), last), np.minimum(row.astype(np.int64), last)


def _arrays(edges: Edges, planes: Planes) -> Arrays:
    runs = np.diff(edges.run_of)
    groups = -(-runs // GROUP)
    first = np.repeat(edges.run_of[:-1], groups) + GROUP * counted(groups)
    low = np.minimum.reduceat(edges.run_box[:2], first, axis=1)
    high = np.maximum.reduceat(edges.run_box[2:], first, axis=1)
    return Arrays(
        edges.x,
        edges.y,
        edges.run_first,
        edges.run_last,
        edges.run_box,
        edges.run_of,
        GROUP,
        np.concatenate((low, high)),
        np.concatenate(([0], np.cumsum(groups))),
        planes,
    )
