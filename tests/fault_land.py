"""The land of the audit's proof: real communes, hamlets along roads, houses, households.

EPSG:4326 degrees, metres. Nothing here knows a rule of the service.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BORDER_SIGMA_M = 10.0
"""1 σ between a commune's true border and its polygon, as houses at the border feel it."""


@dataclass(frozen=True)
class Style:
    """How people live: households a hamlet, metres between houses (median, least, most)."""

    hamlet: int
    gap_m: tuple[float, float, float]
    scattered: float = 0.0
    flats: float = 0.0
    canopy: float = 1.0


MOUNTAIN = Style(16, (80.0, 20.0, 300.0), scattered=0.35, canopy=2.2)
DELTA = Style(24, (45.0, 20.0, 300.0))
CITY = Style(30, (18.0, 8.0, 60.0), flats=0.03, canopy=1.4)


def moved(lon: Floats, lat: Floats, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
    """The points that lie so many metres away, on the sphere."""
    lat = np.asarray(lat, float)
    return lon + east_m / (111_195.0 * np.cos(np.radians(lat))), lat + north_m / 111_195.0


def apart_m(lon: Floats, lat: Floats, to_lon: Floats, to_lat: Floats) -> Floats:
    """Great-circle distances in metres."""
    one, two = np.radians(lat), np.radians(to_lat)
    half = np.sin((two - one) / 2) ** 2
    half = half + np.cos(one) * np.cos(two) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return 2 * 6_371_000 * np.arcsin(np.sqrt(half))


def scattered(rng: np.random.Generator, polygon: shapely.Geometry, count: int) -> Floats:
    """`count` points evenly in the polygon, (count, 2)."""
    west, south, east, north = polygon.bounds
    found = np.empty((0, 2))
    while len(found) < count:
        tried = rng.uniform((west, south), (east, north), (4 * count + 20, 2))
        held = shapely.contains_xy(polygon, tried[:, 0], tried[:, 1])
        found = np.concatenate([found, tried[held]])
    return found[:count]


def households(
    rng: np.random.Generator,
    communes: dict[str, shapely.Geometry],
    province_code: str,
    style: Style,
    count: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """About `count` households in the order of the roads, and each commune's centre.

    Columns: province_code, commune_code, household_code, hamlet, village, lon, lat (the truth),
    canopy, border; home_lon, home_lat, home_accuracy_m as an earlier review has them.
    """
    parts, centres = [], []
    share = rng.dirichlet(np.full(len(communes), 8.0))
    for (code, polygon), n in zip(communes.items(), rng.multinomial(count, share), strict=True):
        shapely.prepare(polygon)
        centre = scattered(rng, polygon, 1)[0]
        centres.append((code, *centre))
        parts.append(_commune(rng, polygon, centre, style, int(n)).assign(commune_code=code))
    found = pd.concat(parts, ignore_index=True)
    found["province_code"] = province_code
    found["household_code"] = [f"H{province_code}-{i:06d}" for i in range(len(found))]
    found["village"] = "Thôn " + (found["hamlet"] + 1).astype(str)
    found.loc[rng.random(len(found)) < 0.1, "village"] = None
    _one_roof(rng, found, style)
    _former_points(rng, found, communes)
    columns = ["commune_code", "lon", "lat"]
    return found, pd.DataFrame(centres, columns=columns)


def _commune(
    rng: np.random.Generator, polygon: shapely.Geometry, centre: Floats, style: Style, n: int
) -> pd.DataFrame:
    hamlets = max(3, round(n / style.hamlet))
    sizes = rng.multinomial(n, rng.dirichlet(np.full(hamlets, 5.0)))
    middles = scattered(rng, polygon, hamlets)
    middles[0] = centre
    # Slivers that the polygon's makers left over are no islands: 1e-5 square degrees are 11 ha.
    parts_of_it = shapely.get_parts(polygon)
    islands = [part for part in parts_of_it if 1e-5 < part.area < 0.5 * polygon.area]
    for place, island in enumerate(islands[: hamlets - 1], start=1):
        middles[place] = scattered(rng, island, 1)[0]
    parts = []
    for number, (size, middle) in enumerate(zip(sizes, middles, strict=True)):
        border = number > len(islands) and rng.random() < 0.08
        if border:
            place, lone = _at_border(rng, polygon, style, int(size)), np.zeros(size, bool)
        else:
            place, lone = _hamlet(rng, polygon, middle, style, int(size))
        canopy = float(rng.uniform(1, style.canopy))
        parts.append(
            pd.DataFrame({"lon": place[:, 0], "lat": place[:, 1]}).assign(
                hamlet=number, border=border, canopy=canopy, lone=lone
            )
        )
    return pd.concat(parts, ignore_index=True)


def _hamlet(
    rng: np.random.Generator, polygon: shapely.Geometry, middle: Floats, style: Style, size: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Houses along a winding road, and which of them stand far from the others.

    In some hamlets two settlements have one name, in some a house stands alone.
    """
    far = np.zeros(size, bool)
    if size > 9 and rng.random() < 0.03:
        other = scattered(rng, polygon, 1)[0]
        half = size // 2
        one = _along_road(rng, polygon, middle, style, half)
        two = _along_road(rng, polygon, other, style, size - half)
        return np.concatenate([one, two]), ~far
    found = _along_road(rng, polygon, middle, style, size)
    for lone in np.flatnonzero(rng.random(size) < 0.004):
        way, angle = rng.uniform(900, 2500), rng.uniform(0, 2 * np.pi)
        lon, lat = moved(found[lone, 0], found[lone, 1], way * np.cos(angle), way * np.sin(angle))
        if shapely.contains_xy(polygon, lon, lat):
            found[lone], far[lone] = (lon, lat), True
    return found, far


def _along_road(
    rng: np.random.Generator, polygon: shapely.Geometry, middle: Floats, style: Style, size: int
) -> Floats:
    median, least, most = style.gap_m
    wide = style.scattered > 0 and rng.random() < style.scattered
    gap = np.clip(rng.lognormal(np.log(median * (2 if wide else 1)), 0.6, size), least, most)
    if wide:
        jump = rng.random(size) < 0.2
        gap = np.where(jump, rng.uniform(300, 900, size), gap)
    turn = np.cumsum(rng.normal(0, 0.25, size)) + rng.uniform(0, 2 * np.pi)
    if style.flats:  # a city's alleys turn at right angles
        turn = turn + np.pi / 2 * np.cumsum(rng.choice([0, 0, 0, 0, 0, 0, 0, 1, -1], size))
    east, north = np.cumsum(gap * np.cos(turn)), np.cumsum(gap * np.sin(turn))
    if size:
        east, north = east - east.mean(), north - north.mean()
    found = np.column_stack(moved(middle[0], middle[1], east, north))
    for _ in range(2):  # a road that leaves the commune turns back
        lost = ~shapely.contains_xy(polygon, found[:, 0], found[:, 1])
        if not lost.any():
            return found
        found[lost] = middle + (found[lost] - middle) * rng.uniform(0.2, 0.8, (lost.sum(), 1))
    # What still lies outside stands anywhere near the middle.
    step = rng.uniform(-400, 400, (2, 50 * size + 50))
    near = np.column_stack(moved(np.full(step.shape[1], middle[0]), middle[1], *step))
    near = near[shapely.contains_xy(polygon, near[:, 0], near[:, 1])]
    found[lost] = near[rng.permutation(len(near))[: lost.sum()]] if len(near) > size else middle
    return found


def _at_border(
    rng: np.random.Generator, polygon: shapely.Geometry, style: Style, size: int
) -> Floats:
    """Houses 3 to 150 m inside the true border, which the polygon misses a little."""
    largest = max(shapely.get_parts(polygon), key=lambda part: part.area)
    ring = largest.exterior
    gap = np.clip(rng.lognormal(np.log(style.gap_m[0]), 0.6, size), *style.gap_m[1:])
    along = rng.uniform(0, ring.length) + np.cumsum(gap) / 108_000
    along %= ring.length
    here = shapely.get_coordinates(shapely.line_interpolate_point(ring, along))
    ahead = shapely.get_coordinates(
        shapely.line_interpolate_point(ring, (along + 3e-4) % ring.length)
    )
    squeeze = np.cos(np.radians(here[:, 1]))
    way = (ahead - here) * np.column_stack((squeeze, np.ones(size)))
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-12)[:, None]
    normal = np.column_stack((-way[:, 1], way[:, 0]))
    probe = np.column_stack(moved(here[:, 0], here[:, 1], 2 * normal[:, 0], 2 * normal[:, 1]))
    side = np.where(shapely.contains_xy(polygon, probe[:, 0], probe[:, 1]), 1.0, -1.0)
    deep = rng.uniform(3, 150, size)
    place = _inside_by(polygon, here, normal * side[:, None], deep)
    shift = (rng.normal(0, BORDER_SIGMA_M, size) * side)[:, None] * normal
    return np.column_stack(moved(place[:, 0], place[:, 1], shift[:, 0], shift[:, 1]))


def _inside_by(polygon: shapely.Geometry, here: Floats, inward: Floats, deep: Floats) -> Floats:
    """Points `deep` metres inward; nearer to the border where that leaves a narrow commune."""
    for _ in range(8):
        step = inward * deep[:, None]
        place = np.column_stack(moved(here[:, 0], here[:, 1], step[:, 0], step[:, 1]))
        lost = ~shapely.contains_xy(polygon, place[:, 0], place[:, 1])
        deep = np.where(lost, deep / 2, deep)
    return place


def _one_roof(rng: np.random.Generator, found: pd.DataFrame, style: Style) -> None:
    """Some households share the house of the one before; in cities some live above each other."""
    same = rng.random(len(found)) < 0.03
    for start in np.flatnonzero(rng.random(len(found)) < style.flats / 4):
        same[start + 1 : start + int(rng.integers(3, 7))] = True
    neighbour = found["hamlet"].eq(found["hamlet"].shift()) & found["commune_code"].eq(
        found["commune_code"].shift()
    )
    same &= neighbour.to_numpy()
    found["one_roof"] = same
    found["shared_house"] = same | np.append(same[1:], False)
    for name in ("lon", "lat"):
        kept = found[name].where(~same)
        found[name] = kept.ffill()


def _former_points(
    rng: np.random.Generator, found: pd.DataFrame, communes: dict[str, shapely.Geometry]
) -> None:
    """Half of the households have a point of an earlier review; some of these moved since."""
    n = len(found)
    accuracy = np.clip(rng.lognormal(np.log(9), 0.5, n), 3, 80)
    lon, lat = found["lon"].to_numpy().copy(), found["lat"].to_numpy().copy()
    found["moved_house"] = rng.random(n) < 0.003
    for row in np.flatnonzero(found["moved_house"]):
        lon[row], lat[row] = scattered(rng, communes[found.at[row, "commune_code"]], 1)[0]
    error = rng.normal(0, 1, (2, n)) * accuracy / 1.515
    lon, lat = moved(lon, lat, *error)
    known = rng.random(n) < 0.5
    found["home_lon"] = np.where(known, lon, np.nan)
    found["home_lat"] = np.where(known, lat, np.nan)
    told = known & (rng.random(n) < 0.8)
    found["home_accuracy_m"] = np.where(told, accuracy.round(1), np.nan)
    found["moved_house"] &= known
