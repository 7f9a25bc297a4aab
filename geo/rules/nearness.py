"""The rule about points of different households that are nearly the same."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, poisson

from geo.geometry import Floats
from geo.rules import visits
from geo.rules.bunches import Points, bunch_names, coarse, points_of
from geo.rules.metric import plane
from geo.rules.references import homes, households, sigma
from geo.rules.rule import Context, Rule
from geo.verdicts.border import Indices

Truths = NDArray[np.bool_]

_MOST = 32
"""So many neighbours of a point are looked at: what thousands at one place cannot make slow."""

_CHANCE = 0.1
"""Of two fixes at one place one in ten comes so near to the other."""

_NEAR = np.sqrt(-2 * np.log1p(-_CHANCE))
"""… which is within this many σ of their difference (its length is Rayleigh's)."""

_AROUND = 3.0
"""Compared with so many times that distance, in which lie at one place _SHARE as many."""
_SHARE = _CHANCE / -np.expm1(_AROUND**2 * np.log1p(-_CHANCE))
_TIGHTER = 0.03
_UNLIKELY = 2e-4
_CELL_M = 10.0
_HOUSES = 4
"""More do not stand in a cell: beyond that they are points, not houses."""
_BLOCK_M2 = (3 * _CELL_M) ** 2

_MOSTLY = 0.5
_SAME_M = 0.01
"""Points nearer than this are the same; that is another rule's."""


def same_point_near(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Several households' points by one maker are nearer to each other than chance allows.

    Nearer than _NEAR σ, in a bunch too tight for their accuracies and for what else stands around
    (houses of a dense quarter are near too); or nearer so though the two households' own points
    tell that they live apart.
    """
    x, y = plane(rows["lon"], rows["lat"])
    density = _Density(rows, x, y)
    x, y = (np.where(coarse(rows), np.nan, value) for value in (x, y))
    home = plane(*homes(rows, context.settings))
    found = []
    for maker in visits.makers(rows, context.settings):
        points = points_of(rows, maker, x, y, context.settings)
        limit_m = context.settings.same_near_m
        distance, _ = points.neighbours(np.arange(len(points.row)), limit_m, 2)
        of = np.flatnonzero(np.isfinite(distance[:, 1]))
        pairs = []
        for part in np.array_split(of, max(1, len(of) // 100_000)):
            bunch = _Bunch.of(points, part, limit_m)
            many = bunch.tight(density) & (
                bunch.near_households + 1 >= context.settings.same_near_households
            )
            apart = bunch.known_apart(rows, *home, context)
            pairs.append(bunch.pairs(bunch.differ() & (many | apart)))
        found.append(_told(rows, points, pd.concat(pairs)))
    hits = pd.concat(found)
    hits = hits[~hits.index.duplicated()]
    return hits.set_axis(rows.index[hits.index.astype(int)])


class _Density:
    """How many households stand around a point, whoever surveyed them."""

    def __init__(self, rows: pd.DataFrame, x: Floats, y: Floats):
        known = np.isfinite(x) & np.isfinite(y)
        east, north = (np.floor(v[known] / _CELL_M).astype(np.int64) for v in (x, y))
        cells = pd.DataFrame({"cell": _cell(east, north), "household": households(rows)[known]})
        here = cells.drop_duplicates()["cell"].to_numpy()
        self._cells, number = np.unique(here, return_counts=True)
        self._number = np.minimum(number, _HOUSES)

    def around(self, x: Floats, y: Floats) -> Floats:
        """Households in the 3 × 3 cells around each of n points."""
        east, north = (np.floor(v / _CELL_M).astype(np.int64) for v in (x, y))
        total = np.zeros(len(x))
        for step in range(9):
            cell = _cell(east + step // 3 - 1, north + step % 3 - 1)
            place = np.searchsorted(self._cells, cell).clip(max=max(0, len(self._cells) - 1))
            total += np.where(self._cells[place] == cell, self._number[place], 0)
        return total


def _cell(east: Indices, north: Indices) -> Indices:
    return east * 10_000_000 + north


@dataclass(frozen=True)
class _Bunch:
    """Points with those near to them; n points, up to _MOST others each."""

    points: Points
    own: Indices
    other: Indices
    distance: Floats
    near: Truths
    around: Truths

    @classmethod
    def of(cls, points: Points, of: Indices, limit_m: float) -> "_Bunch":
        distance, other = points.neighbours(of, _AROUND * limit_m, _MOST)
        foreign = np.isfinite(distance) & (points.household[other] != points.household[of, None])
        reach = _NEAR * np.hypot(points.sigma[other], points.sigma[of, None])
        near = foreign & (distance <= np.minimum(reach, limit_m))
        around = foreign & (distance <= _AROUND * np.minimum(reach, limit_m))
        return cls(points, of, other, distance, near, around)

    def _households(self, which: Truths) -> Indices:
        """How many households are among the others of each point."""
        if not which.size:
            return np.zeros(len(self.own), dtype=np.int64)
        named = np.sort(np.where(which, self.points.household[self.other], -1), axis=1)
        return (np.diff(named, axis=1, prepend=-1) > 0).sum(axis=1)

    @property
    def near_households(self) -> Indices:
        """Other households that are near."""
        return self._households(self.near)

    def differ(self) -> Truths:
        """Whether somebody near is not at the very same point."""
        return np.asarray((self.near & (self.distance > _SAME_M)).any(axis=1))

    def tight(self, density: _Density) -> Truths:
        """Whether so many are near though neither accuracies nor the quarter let them be."""
        near, around = self.near_households, self._households(self.around)
        tighter = binom.sf(near - 1, around, _SHARE) <= _TIGHTER
        beside = density.around(self.points.x[self.own], self.points.y[self.own]) - 1 - near
        reach = np.where(self.near, self.distance, 0.0).max(axis=1, initial=0.0)
        expected = np.maximum(beside, 0.5) / _BLOCK_M2 * np.pi * reach**2
        likely = poisson.sf(near - 1, expected)
        return np.asarray(tighter & (likely <= _UNLIKELY))

    def known_apart(self, rows: pd.DataFrame, x: Floats, y: Floats, context: Context) -> Truths:
        """Whether somebody near is known to live apart; x, y: the households' own points."""
        error_m = sigma(rows["home_accuracy_m"], context.settings)
        own, others = self.points.row[self.own][:, None], self.points.row[self.other]
        apart_m = np.hypot(x[own] - x[others], y[own] - y[others])
        limit_m = context.settings.homes_apart_m + 2 * np.hypot(error_m[own], error_m[others])
        return np.asarray((self.near & (apart_m > limit_m)).any(axis=1))

    def pairs(self, hit: Truths) -> pd.DataFrame:
        """The points that are hit with each of those near to them: one, two, distance_m."""
        near = self.near[hit]
        return pd.DataFrame(
            {
                "one": np.repeat(self.own[hit], near.sum(axis=1)),
                "two": self.other[hit][near],
                "distance_m": self.distance[hit][near],
            }
        )


def _told(rows: pd.DataFrame, points: Points, pairs: pd.DataFrame) -> pd.DataFrame:
    """The members of bunches with the evidence, by the place of their row.

    A bunch hangs together by what was found near; where most of its members were not found
    themselves, chance brought it about.
    """
    hit = np.unique(pairs["one"])

    def ids(of: Indices) -> NDArray[np.object_]:
        return rows["survey_id"].iloc[points.row[of]].astype(str).to_numpy(object)

    back = pairs.rename(columns={"one": "two", "two": "one"})
    ends = pd.concat([pairs, back]).drop_duplicates(["one", "two"])
    if ends.empty:
        return pd.DataFrame(index=np.array([], dtype=np.int64))
    ends["other"] = ids(ends["two"].to_numpy())
    communes = rows["commune_code"].to_numpy()
    ends["other_commune"] = communes[points.row[ends["two"].to_numpy()]]
    # Of several that are equally near the smallest id, whatever the order of the rows.
    ends["distance_m"] = ends["distance_m"].round(2)
    members = ends.sort_values(["one", "distance_m", "other"]).drop_duplicates("one")
    one = members["one"].to_numpy()
    members["group"] = bunch_names(one, ends["one"].to_numpy(), ends["two"].to_numpy(), ids)
    members["household"] = points.household[one]
    members["hit"] = np.isin(one, hit)
    bunch = members.groupby("group")
    members["households"] = bunch["household"].transform("nunique")
    members["accuracy_m"] = rows["accuracy_m"].to_numpy(float)[points.row[one]]
    row = pd.Index(points.row[one])
    members = members.set_axis(row)[(bunch["hit"].transform("mean") >= _MOSTLY).to_numpy()]
    told = ["households", "distance_m", "accuracy_m", "other", "other_commune", "group"]
    return members[told]


NEARNESS = (
    Rule(
        "same_point_near",
        "sameness",
        2,
        0.4,
        "Điểm gần như trùng nhau",
        "Nearly the same point",
        "Các điểm của {households} hộ do cùng một điều tra viên hoặc thiết bị lập gần như trùng "
        "nhau; điểm gần nhất cách {distance_m}, trong khi sai số là {accuracy_m}.",
        "Points of {households} households by the same enumerator or device are nearly the same; "
        "the nearest is {distance_m} away, while the accuracy is {accuracy_m}.",
        "Các lần đo khác nhau thường lệch nhau nhiều hơn. Có thể các phiếu được lập tại cùng một "
        "chỗ, hoặc các hộ ở chung một nhà.",
        "Different measurements scatter more than this. The surveys may have been made at one "
        "place, or the households may share a house.",
        same_point_near,
        hidden_vi="Các điểm của {households} hộ do cùng một điều tra viên hoặc thiết bị lập gần "
        "như trùng nhau; điểm gần nhất thuộc một xã khác.",
        hidden_en="Points of {households} households by the same enumerator or device are nearly "
        "the same; the nearest is of another commune.",
    ),
)
