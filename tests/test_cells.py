"""A cell stands in one tile of every zoom, and a box is covered by few ranges of cells."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import cells

LON, LAT = st.floats(-180, 180), st.floats(-85, 85)


def cell(lon: float, lat: float) -> int:
    return int(cells.cells(np.array([lon]), np.array([lat]))[0])


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """The tile that the formula of OSM's slippy map names."""
    side = 1 << z
    x = math.floor((lon + 180.0) / 360.0 * side)
    y = math.floor((1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * side)
    return min(x, side - 1), min(y, side - 1)


def inside(one: int, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= one < after for first, after in ranges)


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (-180.0, 85.06, 0),
        (180.0, 85.06, int("01" * 31, 2)),
        (-180.0, -85.06, int("10" * 31, 2)),
        (180.0, -90.0, (1 << 62) - 1),
        (0.0, 0.0, 3 << 60),
        (float("nan"), 21.0, cells.NOWHERE),
        (105.0, float("nan"), cells.NOWHERE),
    ],
)
def test_corners_of_the_grid_and_what_has_no_point(lon: float, lat: float, expected: int) -> None:
    assert cell(lon, lat) == expected


@given(LON, LAT, st.integers(0, 22))
def test_a_point_s_cell_is_in_the_range_of_its_tile(lon: float, lat: float, z: int) -> None:
    x, y = tile_of(lon, lat, z)
    near = [
        (x + dx, y + dy)
        for dx in (-1, 0, 1)
        for dy in (-1, 0, 1)
        if 0 <= x + dx < 1 << z and 0 <= y + dy < 1 << z
    ]
    holding = [one for one in near if inside(cell(lon, lat), [cells.tile_range(z, *one)])]
    assert len(holding) == 1
    # Within a billionth of the world beside an edge the two formulas may round differently.
    exact = (1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * (1 << z)
    if abs(exact - round(exact)) > 1e-9 * (1 << z):
        assert holding == [(x, y)]


@given(st.integers(0, 12))
def test_tiles_of_a_zoom_divide_the_cells_among_them(z: int) -> None:
    some = range(0, 1 << z, max(1, (1 << z) // 8))
    ranges = sorted(cells.tile_range(z, x, y) for x in some for y in some)
    assert all(after - first == 1 << 2 * (31 - z) for first, after in ranges)
    assert all(one[1] <= two[0] for one, two in pairwise(ranges))


@given(LON, LON, LAT, LAT, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20))
def test_a_box_is_covered_by_few_ranges(
    a: float, b: float, c: float, d: float, shares: list[tuple[float, float]]
) -> None:
    west, east, south, north = min(a, b), max(a, b), min(c, d), max(c, d)
    ranges = cells.box_ranges(west, south, east, north)
    assert 1 <= len(ranges) <= 16
    assert all(one[1] < two[0] for one, two in pairwise(ranges))
    corners = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    for u, v in (*corners, *shares):
        lon = min(west + u * (east - west), east)
        lat = min(south + v * (north - south), north)
        assert inside(cell(lon, lat), ranges)


def test_the_ranges_of_a_box_hold_little_else() -> None:
    west, south, east, north = 105.03, 20.97, 105.27, 21.19
    ranges = cells.box_ranges(west, south, east, north)
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(104.5, 105.8, 20_000), rng.uniform(20.5, 21.7, 20_000)
    found = np.array([inside(one, ranges) for one in cells.cells(lon, lat).tolist()])
    wanted = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    assert not (wanted & ~found).any()
    assert found.sum() < 1.4 * wanted.sum()


def test_stored_cells_are_plain_numbers() -> None:
    assert cells.stored(np.array([0.0, np.nan]), np.array([0.0, 1.0])) == [3 << 60, None]


@given(LON, LAT, st.integers(0, 19))
def test_pixel_is_where_the_point_lies_in_its_tile(lon, lat, z):
    x, y = tile_of(lon, lat, z + 12)
    column, row = cells.pixels(np.array([cell(lon, lat)]), z, 12)
    # Rounding may put a point on an edge into the next pixel.
    assert abs(int(column[0]) - x % 4096) in (0, 1, 4095)
    assert abs(int(row[0]) - y % 4096) in (0, 1, 4095)


@pytest.mark.parametrize("z", [20, 22])
def test_pixels_beyond_the_grid_are_multiples(z):
    column, _row = cells.pixels(np.array([cell(105.8, 21.0)]), z, 12)
    assert 0 <= int(column[0]) < 4096
    assert int(column[0]) % (1 << z + 12 - cells.ZOOM) == 0


@given(st.integers(0, 14), st.integers(0, 2**14 - 1), st.integers(0, 2**14 - 1))
def test_middle_of_a_square_is_half_a_square_in(level, x, y):
    x, y = x % (1 << level), y % (1 << level)
    first, _after = cells.tile_range(level, x, y)
    square = np.array([first >> 2 * (cells.ZOOM - level)])
    east, south = cells.middles(square, level)
    assert (east[0] * (1 << level), south[0] * (1 << level)) == (x + 0.5, y + 0.5)


@pytest.mark.parametrize(
    "box",
    [
        (-179.99999409617533, -85.06000069309985, 179.99999409617533, 85.06000069309985),
        (-180.0, -85.0, 180.0, 85.0),
        (-179.9999, -1e-9, 179.9999, 85.05),
        (0.0, -85.05, 179.99999, 85.05),
        (102.0, 8.0, 102.0000001, 24.0),
        (100.0, 16.0, 110.0, 16.0000001),
    ],
)
def test_long_edges_of_a_box_are_not_followed_to_the_last_cell(box):
    """Quads along the edges of the grid join to one range however many they are."""
    parts = 0

    class Counting(cells._Box):
        def parts(self, quad):
            nonlocal parts
            parts += 1
            return super().parts(quad)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cells, "_Box", Counting)
        ranges = cells.box_ranges(*box)
    assert len(ranges) <= 16
    assert parts < 10_000
    west, south, east, north = box
    corners = cells.cells(
        np.array([west, east, west, east]), np.array([south, south, north, north])
    )
    assert all(any(first <= cell < after for first, after in ranges) for cell in corners.tolist())
