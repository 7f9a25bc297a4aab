"""Cells: a point's place on the Web-Mercator grid as one number, in which every tile is one range.

The grid is that of zoom 31. The bits of a cell's column stand in the even and those of its row in
the odd places (Morton order), so that the cells of a tile of any lower zoom follow one another.
"""

import numpy as np
from numpy.typing import NDArray

from geo.geometry import Floats

ZOOM = 31
NOWHERE = -1
"""The cell of what has no point."""

Range = tuple[int, int]
"""The first cell, and the first one behind."""

_SIDE = 1 << ZOOM
# Each step moves the upper half of every group of bits away from the lower: 32 → 16 → … → 1.
_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)
_FINER_THAN_LIMIT = 4
_MOST_QUADS = 1024
"""Where a box leaves out a little at the grid's edges, all quads along them join to one range."""
_PER_DEGREE = 1 << 20

Cells = NDArray[np.int64]


def cells(lon: Floats, lat: Floats) -> Cells:
    """The cells of n points (EPSG:4326 degrees), NOWHERE where a coordinate is NaN.

    What lies beyond the grid (85.05° and more) belongs to its outermost cells.
    """
    column, row = _grid(np.asarray(lon, float), np.asarray(lat, float))
    found = _spread(column) | _spread(row) << np.uint64(1)
    return np.where(np.isnan(lon) | np.isnan(lat), NOWHERE, found.astype(np.int64))


def stored(lon: Floats, lat: Floats) -> list[int | None]:
    """The same as it is stored: None where there is no point."""
    return [None if cell == NOWHERE else cell for cell in cells(lon, lat).tolist()]


def exact(degrees: Floats) -> list[float]:
    """Degrees rounded to 2^-20 (0.1 m): sums of these are exact in whatever order."""
    return (np.rint(np.asarray(degrees, float) * _PER_DEGREE) / _PER_DEGREE).tolist()


def tile_range(z: int, x: int, y: int) -> Range:
    """The cells of a tile (OSM slippy map numbering)."""
    code = _code(x, y)
    below = 2 * (ZOOM - z)
    return code << below, (code + 1) << below


def pixels(cells_in: Cells, z: int, bits: int) -> tuple[Cells, Cells]:
    """Where cells stand in the tile of zoom z that each is in: columns, rows, 0 to 2^bits - 1."""
    found = []
    for place in (0, 1):
        along = _gather(cells_in.astype(np.uint64) >> np.uint64(place)) & (1 << ZOOM - z) - 1
        finer = ZOOM - z - bits
        found.append(along >> finer if finer >= 0 else along << -finer)
    return found[0], found[1]


def middles(squares: Cells, level: int) -> tuple[Floats, Floats]:
    """The middles of the tiles of zoom `level` with these Morton codes: shares of the grid's sides.

    Columns from the west and rows from the north, 0 to 1.
    """
    column, row = (_gather(squares.astype(np.uint64) >> np.uint64(place)) for place in (0, 1))
    return (column + 0.5) / (1 << level), (row + 0.5) / (1 << level)


def shares(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Points (EPSG:4326 degrees) as shares of the grid's sides, from the west and the north."""
    column = (lon + 180.0) / 360.0
    return column, (1.0 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2.0


def box_ranges(
    west: float, south: float, east: float, north: float, limit: int = 16
) -> list[Range]:
    """At most `limit` ranges in order that hold all points of a box (EPSG:4326 degrees).

    They hold others nearby as well: compare the coordinates, too.
    """
    columns, rows = _grid(np.array([west, east]), np.array([north, south]))
    # One cell more on every side: the grid's formula may round two near latitudes differently.
    box = _Box(*(int(edge) for edge in (columns[0] - 1, rows[0] - 1, columns[1] + 1, rows[1] + 1)))
    quads, ranges = [(0, 0, 0)], [(0, 1 << 2 * ZOOM)]
    for _level in range(ZOOM):
        finer = [part for quad in quads for part in box.parts(quad)]
        if finer == quads:
            break
        quads, ranges = finer, _joined([tile_range(*quad) for quad in finer])
        if len(ranges) > _FINER_THAN_LIMIT * limit or len(quads) > _MOST_QUADS:
            break
    return _fewer(ranges, limit)


class _Box:
    """A box of cells by columns and rows, all inclusive."""

    def __init__(self, left: int, top: int, right: int, bottom: int) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom

    def parts(self, quad: tuple[int, int, int]) -> list[tuple[int, int, int]]:
        """The quad itself where it is inside, else those of its quarters that the box meets."""
        z, x, y = quad
        if self._holds(quad):
            return [quad]
        quarters = [(z + 1, 2 * x + dx, 2 * y + dy) for dy in (0, 1) for dx in (0, 1)]
        return [quarter for quarter in quarters if self._meets(quarter)]

    def _holds(self, quad: tuple[int, int, int]) -> bool:
        left, top, right, bottom = _edges(quad)
        return (
            self.left <= left and right <= self.right and self.top <= top and bottom <= self.bottom
        )

    def _meets(self, quad: tuple[int, int, int]) -> bool:
        left, top, right, bottom = _edges(quad)
        return (
            self.left <= right and left <= self.right and self.top <= bottom and top <= self.bottom
        )


def _edges(quad: tuple[int, int, int]) -> tuple[int, int, int, int]:
    z, x, y = quad
    width = 1 << ZOOM - z
    return x * width, y * width, (x + 1) * width - 1, (y + 1) * width - 1


def _joined(ranges: list[Range]) -> list[Range]:
    """The ranges in order, neighbours made one."""
    joined: list[Range] = []
    for first, after in sorted(ranges):
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], after)
        else:
            joined.append((first, after))
    return joined


def _fewer(ranges: list[Range], limit: int) -> list[Range]:
    """At most `limit` ranges: the smallest gaps are closed."""
    gaps = [(ranges[i + 1][0] - ranges[i][1], i + 1) for i in range(len(ranges) - 1)]
    starts = sorted(place for _gap, place in sorted(gaps)[max(len(gaps) - limit + 1, 0) :])
    ends = [*starts, len(ranges)]
    return [(ranges[a][0], ranges[b - 1][1]) for a, b in zip([0, *starts], ends, strict=True)]


def _grid(lon: Floats, lat: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Column and row of points; 0 where a coordinate is NaN."""
    column, row = shares(lon, lat)
    return _whole(column), _whole(row)


def _whole(share: Floats) -> NDArray[np.int64]:
    scaled = np.floor(np.nan_to_num(share) * _SIDE)
    return np.clip(scaled, 0, _SIDE - 1).astype(np.int64)


def _spread(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The bits of 32-bit numbers in the even places of 64-bit ones."""
    spread = values.astype(np.uint64)
    for step, mask in _SPREAD:
        spread = (spread | spread << np.uint64(step)) & np.uint64(mask)
    return spread


def _gather(values: NDArray[np.uint64]) -> Cells:
    """The bits in the even places of 64-bit numbers as 32-bit ones."""
    gathered = values & np.uint64(_SPREAD[-1][1])
    masks = (0xFFFFFFFF, *(mask for _step, mask in _SPREAD))
    for (step, _mask), mask in zip(reversed(_SPREAD), reversed(masks[:-1]), strict=True):
        gathered = (gathered | gathered >> np.uint64(step)) & np.uint64(mask)
    return gathered.astype(np.int64)


def _code(x: int, y: int) -> int:
    """The Morton code of one column and row; numpy would take ten times as long for one."""
    for step, mask in _SPREAD:
        x, y = (x | x << step) & mask, (y | y << step) & mask
    return x | y << 1
