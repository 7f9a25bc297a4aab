"""Points of one maker that lie close together, found in a time that does not grow with crowds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.geometry import Floats
from geo.rules.references import households, sigma
from geo.rules.rule import RuleSettings
from geo.verdicts.border import Indices

_COARSE_DECIMALS = 4
_AT_ONE_PLACE = 32
"""So many households at exactly one point are looked at; the others are at the same."""


def coarse(rows: pd.DataFrame) -> np.ndarray:
    """Whether points have so few decimals (11 m) that they coincide by rounding."""
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)
    off = (np.abs(np.round(degrees, _COARSE_DECIMALS) - degrees) for degrees in (lon, lat))
    return np.logical_and.reduce([apart < 1e-9 for apart in off])


@dataclass(frozen=True)
class Points:
    """Points of one kind of maker, each place of a household once; σ of one axis in metres."""

    row: Indices
    maker: Indices
    household: Indices
    x: Floats
    y: Floats
    sigma: Floats

    def neighbours(self, of: Indices, within_m: float, most: int) -> tuple[Floats, Indices]:
        """Metres to and places of the `most` nearest points of the same maker; inf for none.

        The first is the point itself, or one at the very same place.
        """
        if not len(of):
            return np.zeros((0, most)), np.zeros((0, most), dtype=np.int64)
        apart = 4 * within_m  # a third axis keeps makers out of each other's reach
        here = np.column_stack((self.x, self.y, self.maker * apart))
        tree = cKDTree(here, balanced_tree=False, compact_nodes=False)
        found, other = tree.query(here[of], k=range(1, most + 1), distance_upper_bound=within_m)
        return found, np.where(np.isfinite(found), other, 0)


def points_of(
    rows: pd.DataFrame, maker: Indices, x: Floats, y: Floats, settings: RuleSettings
) -> Points:
    """The points of the surveys whose maker (≥ 0) and place (x, y in metres) are known."""
    known = pd.DataFrame(
        {
            "row": np.arange(len(rows)),
            "maker": maker,
            "household": households(rows),
            "x": x,
            "y": y,
        }
    )[(maker >= 0) & np.isfinite(x) & np.isfinite(y)]
    same = known.duplicated(["maker", "x", "y"], keep=False)
    crowd = known[same].assign(id=rows["survey_id"].iloc[known.loc[same, "row"]].astype(str))
    crowd = crowd.sort_values("id").drop_duplicates(["maker", "household", "x", "y"])
    # A tree cannot part what is at one place, and would compare it all with all.
    crowd = crowd[crowd.groupby(["maker", "x", "y"]).cumcount() < _AT_ONE_PLACE]
    known = pd.concat([known[~same], crowd.drop(columns="id")])
    known = known.sort_values(["maker", "x", "y"], kind="stable")
    row, whose, household = (known[name].to_numpy() for name in ("row", "maker", "household"))
    error_m = sigma(rows["accuracy_m"].iloc[row], settings)
    return Points(row, whose, household, known["x"].to_numpy(), known["y"].to_numpy(), error_m)


def bunch_names(
    of: Indices, one: Indices, two: Indices, ids: Callable[[Indices], NDArray[np.object_]]
) -> NDArray[np.object_]:
    """The smallest id among the points that each of `of` hangs together with.

    one, two: pairs of points, by their places; each of `of` is among them. ids: their texts.
    """
    points, place = np.unique(np.concatenate((one, two)), return_inverse=True)
    shape = len(points), len(points)
    links = coo_array(
        (np.ones(len(one), dtype=bool), (place[: len(one)], place[len(one) :])), shape
    )
    _, bunch = connected_components(links, directed=False)
    least = pd.Series(ids(points), dtype=object).groupby(bunch).transform("min")
    return np.asarray(least.to_numpy(object)[np.searchsorted(points, of)])
