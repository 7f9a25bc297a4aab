"""Verdicts per second against geopandas.sjoin + distance, on the same points and polygons.

Points are uniform in the communes, each commune as often; 5 % are recorded in another commune,
half of those in a neighbour. `python tests/bench_matching.py --n 100000 --boundaries FILE`
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely

from geo.config import Settings
from geo.verdicts.matching import AreaShapes, Recorded, judge

MISPLACED = 0.05
SAMPLE = 100_000


def bench(n: int, boundaries: Path) -> list[dict]:
    """Measure n verdicts: the first run with nothing prepared, the second with the indexes kept.

    The very first run after an installation compiles as well.
    """
    communes = geopandas.read_parquet(boundaries).sort_values("code", ignore_index=True)
    shapes = shapes_of(communes)
    lon, lat, recorded = surveys(shapes, n)
    accuracy = np.random.default_rng(2).choice([5.0, 12.0, 30.0, np.nan], n)
    ours = []
    for _ in range(2):
        start = time.perf_counter()
        found = judge(shapes, lon, lat, accuracy, Recorded.single(recorded), Settings())
        ours.append(time.perf_counter() - start)
    metric = communes.set_index("code").geometry.to_crs(3405)  # not counted against geopandas
    start = time.perf_counter()
    other_code, other_metres = by_geopandas(communes, metric, lon, lat, recorded)
    other = time.perf_counter() - start
    agreement(found.located_code, other_code, found.distance_m, other_metres)
    against = "geopandas.sjoin + distance of the mismatches"
    entry = {"n": n, "other": n / other, "unit": "rows/s", "against": against}
    return [
        {"name": f"verdicts, {name}", "ours": n / took, "ratio": other / took} | entry
        for name, took in zip(("first run", "indexes kept"), ours, strict=True)
    ] + [equal_work(shapes, communes, metric, lon, lat, recorded)]


def equal_work(
    shapes: AreaShapes,
    communes: geopandas.GeoDataFrame,
    metric: geopandas.GeoSeries,
    lon: np.ndarray,
    lat: np.ndarray,
    recorded: np.ndarray,
) -> dict:
    """The distance of every row, as a verdict has it, not only of the mismatches; 100,000 rows."""
    lon, lat, recorded = lon[:SAMPLE], lat[:SAMPLE], recorded[:SAMPLE]
    start = time.perf_counter()
    judge(shapes, lon, lat, np.full(len(lon), 12.0), Recorded.single(recorded), Settings())
    ours = time.perf_counter() - start
    borders = metric.boundary
    start = time.perf_counter()
    by_geopandas(communes, metric, lon, lat, recorded)
    points = geopandas.GeoSeries(geopandas.points_from_xy(lon, lat), crs=4326).to_crs(3405)
    points.distance(borders[recorded], align=False)
    other = time.perf_counter() - start
    return {
        "name": "verdicts, distance of every row",
        "n": len(lon),
        "ours": len(lon) / ours,
        "other": len(lon) / other,
        "ratio": other / ours,
        "unit": "rows/s",
        "against": "geopandas.sjoin + distance of every row",
    }


def shapes_of(communes: geopandas.GeoDataFrame) -> AreaShapes:
    size = len(communes)
    polygons = communes.geometry.to_numpy().copy()
    return AreaShapes(tuple(communes["code"]), polygons, np.full(size, 10.0), np.ones(size, int))


def surveys(shapes: AreaShapes, n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n points uniform in the communes and the commune that each is recorded in."""
    rng = np.random.default_rng(seed)
    area = np.sort(rng.integers(len(shapes), size=n))
    west, south, east, north = shapely.bounds(shapes.polygons).T
    lon, lat = np.empty(n), np.empty(n)
    bounds = np.searchsorted(area, np.arange(len(shapes) + 1))
    for index, (first, last) in enumerate(itertools.pairwise(bounds)):
        missing = np.arange(first, last)
        polygon = shapely.from_wkb(shapely.to_wkb(shapes.polygons[index]))
        shapely.prepare(polygon)
        while len(missing):
            lon[missing] = rng.uniform(west[index], east[index], len(missing))
            lat[missing] = rng.uniform(south[index], north[index], len(missing))
            missing = missing[~shapely.contains_xy(polygon, lon[missing], lat[missing])]
    recorded = area.copy()
    wrong = rng.random(n) < MISPLACED
    recorded[wrong] = rng.integers(len(shapes), size=wrong.sum())
    beside = np.flatnonzero(wrong & (rng.random(n) < 0.5))
    recorded[beside] = neighbours(shapes, rng)[area[beside]]
    shuffled = rng.permutation(n)
    return lon[shuffled], lat[shuffled], shapes.names(recorded)[shuffled]


def neighbours(shapes: AreaShapes, rng: np.random.Generator) -> np.ndarray:
    """For each commune another one whose box meets its own, itself where there is none."""
    one, two = shapes.tree.query(shapely.box(*shapely.bounds(shapes.polygons).T))
    mixed = rng.permutation(np.flatnonzero(one != two))
    chosen = np.arange(len(shapes))
    chosen[one[mixed]] = two[mixed]
    return chosen


def by_geopandas(
    communes: geopandas.GeoDataFrame,
    metric: geopandas.GeoSeries,
    lon: np.ndarray,
    lat: np.ndarray,
    recorded: np.ndarray,
) -> tuple[pd.Series, pd.Series]:
    """The usual way: every point joined to its commune, metres for the mismatches only."""
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat), crs=4326)
    # "within" prepares the polygons; "intersects", the default, takes 13 times as long.
    joined = points.sjoin(communes[["code", "geometry"]], predicate="within")
    joined = joined[~joined.index.duplicated()].reindex(points.index)
    wrong = np.flatnonzero(joined["code"].to_numpy() != recorded)
    metres = points.geometry.iloc[wrong].to_crs(3405).distance(metric[recorded[wrong]], align=False)
    return joined["code"], pd.Series(metres.to_numpy(), index=wrong)


def agreement(code: np.ndarray, other: pd.Series, metres: np.ndarray, others: pd.Series) -> None:
    """Raise where the two ways tell different things, so that only equal work is compared."""
    differing = np.mean(code != other.to_numpy())
    if differing > 1e-4:
        raise AssertionError(f"{differing:.2%} of the points lie in different communes")
    near = others[(others > 10) & (others < 20_000)]
    ratio = -metres[near.index] / near
    if not ratio.between(0.995, 1.005).mean() > 0.99:
        raise AssertionError(f"distances differ: {ratio.describe()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--boundaries", type=Path, required=True)
    options = parser.parse_args()
    print(json.dumps(bench(options.n, options.boundaries), indent=2))
