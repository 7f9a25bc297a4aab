"""Points against areas in bulk: is each where its address says, how surely, and where instead.

See docs/verdict.md for the reasoning. Everything is EPSG:4326 and metres on the ellipsoid; a row's
result never depends on the other rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import infer_dtype

from geo.geometry import Floats, Texts
from geo.verdicts.border import Borders, Flags
from geo.verdicts.edges import Indices

if TYPE_CHECKING:
    from geo.verdicts.cell_index import CellIndex

INSIDE, UNCERTAIN, OUTSIDE, UNLOCATED = "inside", "uncertain", "outside", "unlocated"
_WORDS = np.array([INSIDE, UNCERTAIN, OUTSIDE, UNLOCATED], dtype=object)

RADIUS_68_IN_SIGMA = 1.515
"""The radius that holds 68 % of a two-dimensional Gaussian, in σ of one axis: √(−2 ln 0.3173)."""

_LEAST_SIGMA_M = 0.001

_BULK_ROWS = 20_000
"""From so many rows on the index is worth building, and waiting until its code is compiled."""

_building = Lock()


class VerdictSettings(Protocol):
    """The settings that a verdict depends on; `geo.config.Settings` has them."""

    @property
    def inside_probability(self) -> float: ...
    @property
    def outside_probability(self) -> float: ...
    @property
    def assumed_accuracy_m(self) -> float: ...


@dataclass(frozen=True, eq=False)
class AreaShapes:
    """The polygons of the present communes, n each, ordered by code.

    polygons: polygons or multipolygons in EPSG:4326; accuracy_m: σ of their border; versions:
    the boundary version each came with. Indexes are built when asked for and kept with it.
    Raises ValueError when the codes are not ordered or the lengths differ.
    """

    codes: tuple[str, ...]
    polygons: NDArray[np.object_]
    accuracy_m: Floats
    versions: Indices

    def __post_init__(self) -> None:
        if any(a >= b for a, b in zip(self.codes, self.codes[1:], strict=False)):
            raise ValueError("AreaShapes needs each code once, in order.")
        if not len(self.codes) == len(self.polygons) == len(self.accuracy_m) == len(self.versions):
            raise ValueError("AreaShapes needs as many polygons, accuracies and versions as codes.")

    def __len__(self) -> int:
        return len(self.codes)

    def index(self, code: str) -> int | None:
        """The place of `code`, None when it has no polygon."""
        return self._places.get(code)

    def indices(self, codes: Texts) -> Indices:
        """The places of n codes, -1 for those without a polygon."""
        return self._lookup.get_indexer(pd.Index(codes, dtype=object)).astype(np.int64)

    def names(self, indices: Indices) -> Texts:
        """The codes at n places, None for -1."""
        return self._codes_or_none[indices]

    def nearest_border(self, code: str, lon: float, lat: float) -> tuple[float, float] | None:
        """The point of the area's border nearest to a point, in degrees; None without polygon."""
        place = self.index(code)
        return None if place is None else self.borders.nearest(place, lon, lat)

    @cached_property
    def borders(self) -> Borders:
        """The polygons' borders."""
        return Borders(self.polygons)

    def index_for(self, rows: int) -> "Borders | CellIndex":
        """What answers quickest for so many rows; the answers are the same."""
        if rows < _BULK_ROWS or not len(self):
            return self.borders
        with _building:  # a second thread waits instead of building another
            return self._cells

    @cached_property
    def _cells(self) -> "CellIndex":
        # Imported only now: it brings a compiler along.
        from geo.verdicts.cell_index import CellIndex

        return CellIndex(self.borders)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The polygons' boxes."""
        return shapely.STRtree(self.polygons)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {code: place for place, code in enumerate(self.codes)}

    @cached_property
    def _lookup(self) -> pd.Index:
        return pd.Index(self.codes, dtype=object)

    @cached_property
    def _codes_or_none(self) -> Texts:
        return np.array([*self.codes, None], dtype=object)


@dataclass(frozen=True, eq=False)
class Recorded:
    """The candidate communes of n rows: row i has codes[offsets[i]:offsets[i + 1]]."""

    codes: Texts
    offsets: Indices

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def lists(cls, candidates: Sequence[Sequence[str]]) -> "Recorded":
        """From one sequence of codes a row; empty means unresolved."""
        once = [codes if len(codes) < 2 else tuple(dict.fromkeys(codes)) for codes in candidates]
        offsets = np.zeros(len(once) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, once), np.int64, len(once)), out=offsets[1:])
        return cls(np.array(list(chain.from_iterable(once)), dtype=object), offsets)

    @classmethod
    def single(cls, codes: ArrayLike) -> "Recorded":
        """From one code a row; empty or null means unresolved."""
        given = np.asarray(codes, dtype=object)
        known = np.asarray(given != "")
        if infer_dtype(given, skipna=False) != "string":  # a quick look spares a slow one
            known &= ~pd.isna(given)
        if known.all():
            return cls(given, np.arange(len(given) + 1))
        return cls(given[known], np.concatenate(([0], np.cumsum(known))).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The verdicts of n rows with the numbers they were reached with.

    verdict: inside, uncertain, outside, unlocated. probability: that the true place is in one of
    the candidates; distance_m: to the border of the decided or nearest one, positive inside; both
    NaN when unlocated. accuracy_used_m: the point's 68 % radius; boundary_accuracy_m: σ of that
    border. recorded_code: the decided candidate, None if none; located_code: the commune that
    holds the point, None if none; boundary_version: of the recorded commune, 0 if none.
    """

    verdict: Texts
    probability: Floats
    distance_m: Floats
    accuracy_used_m: Floats
    boundary_accuracy_m: Floats
    recorded_code: Texts
    located_code: Texts
    boundary_version: Indices

    def frame(self, index: pd.Index | None = None) -> pd.DataFrame:
        """The same as a DataFrame, one column each; codes stay objects, None where unknown."""
        columns = {
            name: pd.Series(values, index, dtype=values.dtype)
            for name, values in vars(self).items()
        }
        return pd.DataFrame(columns)


_Rows = Indices | slice
"""Which row each of some values belongs to; all of them when each row has one, as nearly always."""

_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Measured pairs of a row's point and one of its candidates, ordered by row."""

    row: _Rows
    area: Indices
    inside: Flags
    metres: Floats
    probability: Floats

    def at(self, best: Indices, values: NDArray[Any], missing: Any) -> NDArray[Any]:
        """One of the pairs' values for each row, by the row's pair; `missing` where it has none."""
        return values if isinstance(self.row, slice) else _of(values, best, missing)


def judge(
    shapes: AreaShapes,
    lon: ArrayLike,
    lat: ArrayLike,
    accuracy_m: ArrayLike,
    recorded: Recorded | Sequence[Sequence[str]],
    settings: VerdictSettings,
) -> Verdicts:
    """Compare n points with the communes that their addresses name.

    lon, lat: degrees (EPSG:4326), NaN for no point; accuracy_m: 68 % radius in metres, NaN for
    missing; 0, negative and infinite count as missing, and `settings.assumed_accuracy_m` is used.
    recorded: the candidates of each row, none when its address is unresolved.
    Candidates are disjoint, so their probabilities add up; the greatest one is decided for, the
    nearest among equals. Where a candidate has no polygon, only `inside` can be told.
    """
    if not isinstance(recorded, Recorded):
        recorded = Recorded.lists(recorded)
    lon, lat, accuracy = (np.asarray(v, dtype=float) for v in (lon, lat, accuracy_m))
    if not len(lon) == len(lat) == len(accuracy) == len(recorded):
        raise ValueError("judge needs as many longitudes, latitudes and accuracies as rows.")
    with np.errstate(invalid="ignore"):
        used = np.where((accuracy > 0) & (accuracy < np.inf), accuracy, settings.assumed_accuracy_m)
        usable = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    area = shapes.indices(recorded.codes)
    number = np.diff(recorded.offsets)
    row = _ALL if (number == 1).all() else np.repeat(np.arange(len(lon)), number)
    pairs = _measure(shapes, row, area, lon, lat, used, usable)
    best = _decide(pairs, len(lon))
    located = _located(shapes, pairs, best, lon, lat, usable)
    return _verdicts(shapes, recorded, (row, area), pairs, best, located, used, settings)


def locate(shapes: AreaShapes, lon: Floats, lat: Floats, rows: int | None = None) -> Indices:
    """The place in `shapes` of the commune that holds each of n points, -1 for none.

    A point on a border or in an overlap belongs to the smallest code. rows: of the whole batch,
    which decides for the way there; n when not given.
    """
    index = shapes.index_for(len(lon) if rows is None else rows)
    if isinstance(index, Borders):
        return _locate(shapes, lon, lat)
    found, unsure = index.locate(lon, lat)
    if unsure.any():
        found[unsure] = _locate(shapes, lon[unsure], lat[unsure])
    return found


def _locate(shapes: AreaShapes, lon: Floats, lat: Floats) -> Indices:
    found = np.full(len(lon), len(shapes), dtype=np.int64)
    point, area = shapes.tree.query(shapely.points(lon, lat))
    held = shapes.borders.holds(area, lon[point], lat[point])
    np.minimum.at(found, point[held], area[held])
    return np.where(found < len(shapes), found, -1)


def _measure(
    shapes: AreaShapes,
    row: _Rows,
    area: Indices,
    lon: Floats,
    lat: Floats,
    accuracy_m: Floats,
    usable: Flags,
) -> _Pairs:
    keep = (area >= 0) & usable[row]
    if not keep.all():
        row = np.flatnonzero(keep) if isinstance(row, slice) else row[keep]
        area = area[keep]
    across, along = accuracy_m[row] / RADIUS_68_IN_SIGMA, shapes.accuracy_m[area]
    sigma = np.maximum(np.sqrt(across * across + along * along), _LEAST_SIGMA_M)
    measured = shapes.index_for(len(accuracy_m)).measure(area, lon[row], lat[row], sigma)
    return _Pairs(row, area, *measured)


def _decide(pairs: _Pairs, n: int) -> Indices:
    """For each of n rows the pair decided for: most probable, then nearest, then smallest code."""
    if isinstance(pairs.row, slice):
        return np.arange(n)
    best = np.full(n, -1, dtype=np.int64)
    alone = np.bincount(pairs.row, minlength=n)[pairs.row] == 1
    best[pairs.row[alone]] = np.flatnonzero(alone)
    several = np.flatnonzero(~alone)
    rank = (pairs.area[several], -pairs.metres[several], -pairs.probability[several])
    several = several[np.lexsort((*rank, pairs.row[several]))]
    rows, first = np.unique(pairs.row[several], return_index=True)
    best[rows] = several[first]
    return best


def _located(
    shapes: AreaShapes, pairs: _Pairs, best: Indices, lon: Floats, lat: Floats, usable: Flags
) -> Indices:
    """The commune that holds each point: the decided one, another candidate, else any; or -1."""
    found = pairs.at(best, np.where(pairs.inside, pairs.area, len(shapes)), len(shapes))
    if not isinstance(pairs.row, slice):
        other = np.flatnonzero(pairs.inside & (found == len(shapes))[pairs.row])
        np.minimum.at(found, pairs.row[other], pairs.area[other])
    elsewhere = np.flatnonzero((found == len(shapes)) & usable)
    found[elsewhere] = locate(shapes, lon[elsewhere], lat[elsewhere], len(best))
    found[found == len(shapes)] = -1
    return found


def _of(values: NDArray[Any], index: Indices, missing: Any) -> NDArray[Any]:
    """The values at n places, `missing` where the place is -1."""
    return np.append(values, np.array(missing, values.dtype))[index]


def _total(pairs: _Pairs, n: int) -> Floats:
    """P that the true place is in any of the candidates, for n rows."""
    if isinstance(pairs.row, slice):
        return pairs.probability
    return np.minimum(np.bincount(pairs.row, weights=pairs.probability, minlength=n), 1.0)


def _verdicts(
    shapes: AreaShapes,
    recorded: Recorded,
    flat: tuple[_Rows, Indices],
    pairs: _Pairs,
    best: Indices,
    located: Indices,
    accuracy_used_m: Floats,
    settings: VerdictSettings,
) -> Verdicts:
    n, (row, area) = len(best), flat
    judged, total = best >= 0, _total(pairs, n)
    certain = np.ones(n, dtype=bool)
    certain[np.arange(n)[row][area < 0]] = False
    judged &= certain | (total >= settings.inside_probability)
    word = np.full(n, 1, dtype=np.int8)
    word[total >= settings.inside_probability] = 0
    word[total <= settings.outside_probability] = 2
    word[~judged] = 3

    place, alone = area, np.ones(n, dtype=bool)
    if not isinstance(row, slice):
        alone = np.diff(recorded.offsets) == 1
        place = _of(area, np.where(alone, recorded.offsets[:-1], -1), -1)
    place = np.where(judged, pairs.at(best, pairs.area, -1), place)
    code = shapes.names(place)
    unknown = alone & (place < 0)
    code[unknown] = recorded.codes[recorded.offsets[:-1][unknown]]
    return Verdicts(
        verdict=_WORDS[word],
        probability=np.where(judged, total, np.nan),
        distance_m=np.where(judged, pairs.at(best, pairs.metres, np.nan), np.nan),
        accuracy_used_m=accuracy_used_m,
        boundary_accuracy_m=_of(shapes.accuracy_m, place, np.nan),
        recorded_code=code,
        located_code=shapes.names(located),
        boundary_version=_of(shapes.versions, place, 0),
    )
