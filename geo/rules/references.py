"""Where a household is known to stand, apart from the point at hand: its own, its site, its hamlet.

Points in degrees (EPSG:4326), distances and σ of one axis in metres.
"""

import numpy as np
import pandas as pd

from geo.geometry import Floats, metres_between
from geo.rules.rule import RuleSettings
from geo.verdicts.border import Indices
from geo.verdicts.matching import INSIDE, RADIUS_68_IN_SIGMA

_MEDIAN_IN_SIGMA = 1.1774
"""Half of a two-dimensional Gaussian lies within so many σ: √(2 ln 2)."""

_NO_MEMBER = -1
_ALL, _EITHER = -1, -2


def sigma(accuracy_m: pd.Series, settings: RuleSettings) -> Floats:
    """σ in metres of 68 % radii; the assumed one where none above 0 is known."""
    given = accuracy_m.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        known = (given > 0) & (given < np.inf)
    return np.where(known, given, settings.assumed_accuracy_m) / RADIUS_68_IN_SIGMA


def metres(rows: pd.DataFrame, lon: Floats, lat: Floats) -> Floats:
    """Distances from the rows' points to n others; NaN where either is missing."""
    return metres_between(rows["lon"].to_numpy(float), rows["lat"].to_numpy(float), lon, lat)


def homes(rows: pd.DataFrame, settings: RuleSettings) -> tuple[Floats, Floats]:
    """The households' own former points, NaN where there is none of their own.

    `home_shared_by` households at exactly one point do not live there: it stands for their village.
    """
    lon, lat = rows["home_lon"].to_numpy(float), rows["home_lat"].to_numpy(float)
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    points = pd.DataFrame({"lon": lon[known], "lat": lat[known]}).groupby(["lon", "lat"])
    stands = pd.DataFrame({"point": points.ngroup(), "household": households(rows)[known]})
    number = np.bincount(stands.drop_duplicates()["point"])
    own = np.zeros(len(rows), dtype=bool)
    own[known] = number[stands["point"]] < settings.home_shared_by
    return np.where(own, lon, np.nan), np.where(own, lat, np.nan)


def precise(rows: pd.DataFrame, settings: RuleSettings) -> pd.DataFrame:
    """The household's own point, else its site: lon, lat, sigma_m; NaN where neither is known."""
    lon, lat = homes(rows, settings)
    home = np.isfinite(lon) & np.isfinite(lat)
    return pd.DataFrame(
        {
            "lon": np.where(home, lon, rows["site_lon"].to_numpy(float)),
            "lat": np.where(home, lat, rows["site_lat"].to_numpy(float)),
            "sigma_m": np.where(
                home,
                sigma(rows["home_accuracy_m"], settings),
                sigma(rows["site_accuracy_m"], settings),
            ),
        },
        rows.index,
    )


class Hamlets:
    """Hamlets (commune, former commune, name) as learned from their households' verified surveys.

    Each household counts once, with the middle of its own points; what is asked about a row
    leaves the row's own household out.
    """

    def __init__(self, rows: pd.DataFrame, settings: RuleSettings):
        named = rows["village_key"].notna() & (rows["village_key"] != "")
        mocked = rows["mock_location"].astype("boolean").fillna(value=False).astype(bool)
        accuracy = rows["accuracy_m"]
        good = (accuracy > 0) & (accuracy <= settings.poor_accuracy_m) & ~mocked
        verified = named & good & (rows["verdict"] == INSIDE) & rows["lon"].notna()
        self._hamlet = pd.Series(_NO_MEMBER, rows.index, dtype=np.int64)
        area = _former_areas(rows[named])
        of_hamlet = rows[named].groupby(["commune_code", area, "village_key"], dropna=False)
        self._hamlet[named] = of_hamlet.ngroup().where(area != _EITHER, _NO_MEMBER)
        self._household = pd.Series(households(rows), rows.index)
        verified &= self._hamlet != _NO_MEMBER
        members = rows.loc[verified, ["lon", "lat"]].assign(
            hamlet=self._hamlet[verified], household=self._household[verified]
        )
        middle = members.groupby("household").median().astype({"hamlet": np.int64})
        self._members = middle.reset_index()
        self._place = pd.Series(np.arange(len(middle)), middle.index)

    def around(self, rows: pd.DataFrame) -> pd.DataFrame:
        """lon, lat (component-wise median), spread_m (σ) and households of each row's hamlet.

        rows: some of those that the hamlets were learned from. NaN and 0 where nothing is known.
        """
        hamlet = self._hamlet[rows.index].to_numpy().astype(np.int64)
        place = self._place.reindex(self._household[rows.index])
        own = place.fillna(_NO_MEMBER).to_numpy().astype(np.int64)
        groups = self._members["hamlet"].to_numpy()
        lon, lat = (self._members[name].to_numpy() for name in ("lon", "lat"))
        found = {name: _medians(groups, v, hamlet, own) for name, v in (("lon", lon), ("lat", lat))}
        nobody = np.full(len(groups), _NO_MEMBER)
        middle = (_medians(groups, v, groups, nobody) for v in (lon, lat))
        apart = metres_between(lon, lat, *middle)
        found["spread_m"] = _medians(groups, apart, hamlet, own) / _MEDIAN_IN_SIGMA
        number = pd.Series(np.bincount(groups)).reindex(hamlet).fillna(0).to_numpy()
        others = number.astype(np.int64) - (own != _NO_MEMBER)
        return pd.DataFrame(found | {"households": others}, rows.index)

    def second_nearest(self, rows: pd.DataFrame) -> Floats:
        """Metres from each row's point to the second nearest other household of its hamlet.

        For few rows: each is compared with all of its hamlet. Infinite where there are not two.
        """
        asked = pd.DataFrame(
            {
                "row": np.arange(len(rows)),
                "hamlet": self._hamlet[rows.index].to_numpy(),
                "own": self._household[rows.index].to_numpy(),
                "at_lon": rows["lon"].to_numpy(float),
                "at_lat": rows["lat"].to_numpy(float),
            }
        )
        pairs = asked.merge(self._members, on="hamlet")
        pairs = pairs[pairs["own"] != pairs["household"]]
        pairs["metres"] = metres_between(
            *(pairs[name].to_numpy() for name in ("at_lon", "at_lat", "lon", "lat"))
        )
        second = pairs.sort_values("metres").groupby("row")["metres"].nth(1)
        result = np.full(len(rows), np.inf)
        result[pairs.loc[second.index, "row"]] = second
        return result


def _former_areas(rows: pd.DataFrame) -> pd.Series:
    """Which former commune each hamlet is of, as numbers: merged communes have one name twice.

    An address that does not tell is of the only one that others of that name tell; _EITHER where
    they tell several, _ALL where none is told.
    """
    if "area_id" not in rows:
        return pd.Series(_ALL, rows.index, name="area")
    told = pd.Series(pd.factorize(rows["area_id"])[0], rows.index, name="area")
    by_name = told.where(told >= 0).groupby([rows["commune_code"], rows["village_key"]])
    least, most = by_name.transform("min"), by_name.transform("max")
    other = least.where(least == most, _EITHER).where(least.notna(), _ALL)
    return told.where(told >= 0, other).astype(np.int64)


def households(rows: pd.DataFrame) -> Indices:
    """A number for each household; its code is unique in its commune only."""
    found = rows.groupby(["commune_code", "household_code"], dropna=False, sort=False)
    return found.ngroup().to_numpy().astype(np.int64)


def _medians(
    groups: Indices,
    values: Floats,
    asked: Indices,
    without: Indices,
) -> Floats:
    """For each asked group the median of its members' values without one of them.

    without: the place of the member that is left out, _NO_MEMBER for none. NaN without members.
    """
    if not len(groups):
        return np.full(len(asked), np.nan)
    order = np.lexsort((values, groups))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups))
    size = np.bincount(groups, minlength=int(asked.max(initial=0)) + 1)
    known = asked != _NO_MEMBER
    first = np.where(known, (np.cumsum(size) - size)[asked], 0)
    left_out = without != _NO_MEMBER
    number = np.where(known, size[asked], 0) - left_out
    gap = np.where(left_out, rank[without], len(groups))
    low, high = first + (number - 1) // 2, first + number // 2
    low, high = (np.where(at >= gap, at + 1, at) for at in (low, high))
    last = len(groups) - 1
    pair = values[order][np.minimum(low, last)], values[order][np.minimum(high, last)]
    return np.where(number > 0, (pair[0] + pair[1]) / 2, np.nan)
