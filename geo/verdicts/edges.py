"""The edges of many areas in one place, in runs of neighbours with a box around each."""

from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.geometry import Floats

Indices = NDArray[np.int64]

RUN = 16
"""Consecutive edges of a ring that share one box."""

_PAIRS = 2_000_000
_AREAS_AT_A_TIME = 200


class Edges:
    """The edges of many areas (polygons or multipolygons, EPSG:4326) in one place.

    Edge i goes from coordinate i (x, y) to i + 1. Up to RUN neighbours of a ring share a box, so
    that only few edges near a point are looked at: run r goes from coordinate run_first[r] to
    run_last[r], run_box[:, r] is its west, south, east and north, and area a has the runs from
    run_of[a] to before run_of[a + 1].
    """

    def __init__(self, polygons: NDArray[np.object_]):
        # Some areas at a time: the copies on the way to coordinates are larger than the result.
        pieces = range(0, len(polygons), _AREAS_AT_A_TIME)
        read = [_coordinates(polygons[i : i + _AREAS_AT_A_TIME]) for i in pieces]
        self.x, self.y, lengths, rings = (
            np.concatenate([np.empty(0, kind), *(part[i] for part in read)])
            for i, kind in enumerate((float, float, np.int64, np.int64))
        )
        last = np.cumsum(lengths) - 1
        runs = -(-(lengths - 1) // RUN)
        self.run_first = np.repeat(last - lengths + 1, runs) + RUN * counted(runs)
        self.run_last = np.minimum(self.run_first + RUN, np.repeat(last, runs))
        of_ring, ring_of = (np.concatenate(([0], np.cumsum(n))) for n in (runs, rings))
        self.run_of = of_ring[ring_of]
        self.run_box = np.array(
            [
                extreme(extreme.reduceat(values, self.run_first), values[self.run_last])
                for extreme in (np.minimum, np.maximum)
                for values in (self.x, self.y)
            ]
        ).reshape(4, -1)

    def ends(self, edge: Indices) -> tuple[Floats, Floats]:
        """The starts and ends of m edges; (m, 2) degrees each."""
        one, two = ((self.x[end], self.y[end]) for end in (edge, edge + 1))
        return np.column_stack(one), np.column_stack(two)

    def of_area(self, area: int) -> Indices:
        """All edges of one area."""
        return self._of_runs(np.arange(self.run_of[area], self.run_of[area + 1]))[0]

    def near(
        self, area: Indices, lon: Floats, lat: Floats, dx: Floats, dy: Floats
    ) -> tuple[Indices, Indices]:
        """Pairs (point, edge of its area) whose boxes come within dx, dy degrees; by point."""
        first, runs = self.run_of[area], self.run_of[area + 1] - self.run_of[area]
        point = np.repeat(np.arange(len(area)), runs)
        run = np.repeat(first, runs) + counted(runs)
        west, south, east, north = self.run_box
        overlap = west[run] <= (lon + dx)[point]
        overlap &= east[run] >= (lon - dx)[point]
        overlap &= south[run] <= (lat + dy)[point]
        overlap &= north[run] >= (lat - dy)[point]
        edge, of = self._of_runs(run[overlap])
        return point[overlap][of], edge

    def _of_runs(self, run: Indices) -> tuple[Indices, Indices]:
        """The edges of some runs, and which of the runs each belongs to."""
        number = self.run_last[run] - self.run_first[run]
        of = np.repeat(np.arange(len(run)), number)
        edge = self.run_first[run][of] + counted(number)
        # A vertex given twice makes no edge.
        real = (self.x[edge] != self.x[edge + 1]) | (self.y[edge] != self.y[edge + 1])
        return edge[real], of[real]

    def chunks(self, area: Indices) -> list[slice]:
        """Slices of the rows of `area` that keep the pairs in memory few."""
        piece = np.cumsum(self.run_of[area + 1] - self.run_of[area]) // _PAIRS
        bounds = [0, *(np.flatnonzero(np.diff(piece)) + 1), len(area)]
        return [slice(a, b) for a, b in pairwise(bounds)]


def _coordinates(polygons: NDArray[np.object_]) -> tuple[Floats, Floats, Indices, Indices]:
    """All x, all y, how many coordinates each ring has, and how many rings each area."""
    oriented = shapely.orient_polygons(polygons)
    parts, of_part = shapely.get_parts(oriented, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    lengths = shapely.get_num_coordinates(rings).astype(np.int64)
    number = np.bincount(of_part[of_ring], minlength=len(polygons))
    xy = shapely.get_coordinates(rings)
    return xy[:, 0].copy(), xy[:, 1].copy(), lengths, number.astype(np.int64)


def counted(numbers: Indices) -> Indices:
    """0 to n - 1 for each n of `numbers`, one behind the other."""
    return np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
