"""One province of the audit's proof: honest data, its truth, and the rows that faults may take."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from tests import fault_land, fault_people, fault_sites
from tests.fault_land import Floats, Style, moved

Rows = NDArray[np.int64]

TM3 = {"08": "EPSG:9209", "33": "EPSG:9209", "79": "EPSG:9210"}
STYLES = {"08": fault_land.MOUNTAIN, "33": fault_land.DELTA, "79": fault_land.CITY}
"""Tuyên Quang (mountains), Hưng Yên (the delta), Hồ Chí Minh City (with Côn Đảo)."""


@dataclass
class Province:
    """What was sent, and beside it what is true: `fault` names what was done to a row, '' none.

    surveys also has true_lon, true_lat (the house that was meant), camera_lon, camera_lat (where
    the device really was), event (rows of one event share a number), sigmas (how far beyond the
    border a fault puts the point, in σ), beside (the fault of another row that tells of this one).
    """

    code: str
    rng: np.random.Generator
    polygons: dict[str, shapely.Geometry]
    homes: pd.DataFrame
    surveys: pd.DataFrame
    sites: pd.DataFrame
    stages: pd.DataFrame
    photos: pd.DataFrame
    centres: pd.DataFrame
    places: pd.DataFrame
    events: int = 0

    def free(self, condition: NDArray[np.bool_] | pd.Series | bool = True) -> NDArray[np.bool_]:
        """Which surveys are honest and usual and fulfil the condition."""
        untouched = (self.surveys["fault"] == "") & (self.surveys["beside"] == "")
        usual = untouched & (self.surveys["condition"] == "")
        return (usual & condition).to_numpy()

    def some(self, count: int, condition: NDArray[np.bool_] | pd.Series | bool = True) -> Rows:
        """At most `count` of those, by lot."""
        places = np.flatnonzero(self.free(condition))
        return self.rng.permutation(places)[:count]

    def groups(self, count: int, least: int, most: int) -> Iterator[Rows]:
        """Free surveys one after another of one round and day, by lot, until `count` are marked.

        Each group has `least` to `most`; a group that the caller does not mark is not counted.
        """
        day = self.surveys["round"].astype(str) + self.surveys["surveyed_at"].dt.date.astype(str)
        group = pd.factorize(day)[0]
        before = (self.surveys["fault"] != "").sum()
        for first in self.rng.permutation(len(group) - most + 1):
            rows = np.arange(first, first + int(self.rng.integers(least, most + 1)))
            if group[rows[0]] != group[rows[-1]]:
                continue
            usual = self.surveys["fault"].iloc[rows].eq("") & self.surveys["condition"].iloc[
                rows
            ].isin(["", "again"])
            if usual.all():
                yield rows
                if (self.surveys["fault"] != "").sum() - before >= count:
                    return

    def mark(self, rows: Rows, kind: str, *, together: bool = False) -> None:
        """Note what was done to the rows."""
        numbers = np.zeros(len(rows), int) if together else np.arange(len(rows))
        self.surveys.loc[rows, "fault"] = kind
        self.surveys.loc[rows, "event"] = self.events + 1 + numbers
        self.events += int(numbers.max(initial=-1)) + 1

    def put(self, rows: Rows, lon: Floats, lat: Floats, *, really: bool) -> None:
        """Give the rows this point; `really`: the device was there."""
        names = ["lon", "lat", "camera_lon", "camera_lat"] if really else ["lon", "lat"]
        for name, values in zip(names, (lon, lat, lon, lat), strict=False):
            self.surveys.loc[rows, name] = values

    def fix(self, rows: Rows, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """What the rows' phones would have told of these places."""
        accuracy = self.surveys["accuracy_m"].to_numpy()[rows]
        error = self.rng.normal(0, 1, (2, len(rows))) * accuracy / 1.515
        lon, lat = moved(lon, lat, *error)
        return lon.round(7), lat.round(7)


def province(
    code: str,
    polygons: dict[str, shapely.Geometry],
    count: int,
    seed: int,
    style: Style | None = None,
) -> Province:
    """An honest province of about `count` households: the same for the same seed."""
    rng = np.random.default_rng([seed, int(code)])
    style = style or STYLES[code]
    homes, centres = fault_land.households(rng, polygons, code, style, count)
    surveys = fault_people.visits(rng, homes)
    surveys = surveys.assign(fault="", event=0, sigmas=np.nan, beside="")
    surveys["camera_lon"], surveys["camera_lat"] = surveys["true_lon"], surveys["true_lat"]
    sites, stages = fault_sites.sites(rng, homes, polygons)
    sites["fault"] = ""
    stages["household_code"] = sites["household_code"].to_numpy()[stages["site"]]
    places = _places(rng, code, polygons, centres)
    return Province(
        code, rng, polygons, homes, surveys, sites, stages, pd.DataFrame(), centres, places
    )


def _places(
    rng: np.random.Generator,
    code: str,
    polygons: dict[str, shapely.Geometry],
    centres: pd.DataFrame,
) -> pd.DataFrame:
    """The office of each commune near its centre, a school and a market anywhere."""
    found = []
    for commune, lon, lat in centres.itertuples(index=False):
        east, north = rng.uniform(-400, 400, 2)
        spots = np.vstack(
            [
                np.column_stack(moved(np.array([lon]), np.array([lat]), east, north)),
                fault_land.scattered(rng, polygons[commune], 2),
            ]
        )
        for kind, (x, y) in zip(("office", "school", "market"), spots, strict=True):
            found.append((code, commune, f"{kind} {commune}", kind, x, y, 50.0))
    names = ["province_code", "commune_code", "name", "kind", "lon", "lat", "radius_m"]
    return pd.DataFrame(found, columns=names)
