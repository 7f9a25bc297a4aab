"""Enumerators of the audit's proof: their phones, their days, what they send when all is honest."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.fault_land import apart_m, moved

SEASON = pd.Timestamp("2025-09-03", tz="Asia/Ho_Chi_Minh")
_A_ROUND = (50, 110)
_SEASON_DAYS = 75

# model: share, median of the true 68 % radius in metres, reported ÷ true
_MODELS = {
    "good": (0.25, 4.5, 1.0),
    "usual": (0.35, 8.0, 1.0),
    "optimistic": (0.2, 8.0, 1 / 1.5),
    "cautious": (0.15, 7.0, 2.0),
    "old": (0.05, 18.0, 1.2),
}


@dataclass
class Enumerator:
    """One person (two with one tablet): names in turn, device, phone, habits."""

    names: tuple[str, ...]
    device: str | None
    model: str
    captures: str  # where in an interview the form takes its point: start, end, mixed
    coverage: str  # online, evening, days: when forms are sent
    tells_sent: bool
    decimals: int


def visits(rng: np.random.Generator, homes: pd.DataFrame) -> pd.DataFrame:
    """The honest surveys of all households, one row a visit, as they are sent and as they were.

    Sent: survey_id, household_code, province_code, commune_code, enumerator, device_id,
    surveyed_at, lon, lat, accuracy_m, mock_location, altitude_m, satellites, crs; see also `sent`.
    True: house (row of homes), true_lon, true_lat, round,
    condition (what is unusual and honest).
    """
    rounds = _rounds(rng, homes)
    people = _people(rng, homes["province_code"].iloc[0], len(rounds))
    found = pd.concat(
        [
            _round(rng, homes, own, person).assign(round=number)
            for number, (own, person) in enumerate(zip(rounds, people, strict=True))
        ],
        ignore_index=True,
    )
    _measured(rng, found)
    found["survey_id"] = [str(UUID(bytes=rng.bytes(16), version=4)) for _ in range(len(found))]
    for name in ("household_code", "province_code", "commune_code"):
        found[name] = homes[name].to_numpy()[found["house"]]
    found["mock_location"] = np.where(rng.random(len(found)) < 0.7, 0.0, np.nan)
    found["mock_location"] = found["mock_location"].map({0.0: False}).astype(object)
    found["altitude_m"] = rng.uniform(2, 900, len(found)).round(1)
    found["satellites"] = rng.integers(5, 25, len(found)).astype(float)
    found["crs"] = "EPSG:4326"
    return found


def _rounds(rng: np.random.Generator, homes: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Consecutive households of a commune for each enumerator; now and then of two communes."""
    found = []
    for _, rows in homes.groupby("commune_code", sort=True).indices.items():
        start = 0
        while start < len(rows):
            size = int(rng.integers(*_A_ROUND))
            size = len(rows) - start if len(rows) - start - size < 30 else size
            found.append(np.asarray(rows[start : start + size]))
            start += size
    joined: list[NDArray[np.int64]] = []
    for own in found:
        if joined and len(joined[-1]) + len(own) < 180 and rng.random() < 0.15:
            joined[-1] = np.concatenate([joined[-1], own])
        else:
            joined.append(own)
    return joined


def _people(rng: np.random.Generator, province: str, count: int) -> list[Enumerator]:
    names = list(_MODELS)
    shares = [share for share, _, _ in _MODELS.values()]
    people = []
    for number in range(count):
        name = f"Điều tra viên {province}-{number:03d}"
        shared = rng.random() < 0.05
        people.append(
            Enumerator(
                (name, name + "b") if shared else (name,),
                None if not shared and rng.random() < 0.05 else f"dev-{province}-{number:03d}",
                str(rng.choice(names, p=shares)),
                str(rng.choice(["start", "end", "mixed"], p=[0.6, 0.3, 0.1])),
                str(rng.choice(["online", "evening", "days"], p=[0.5, 0.4, 0.1])),
                bool(rng.random() < 0.7),
                int(rng.choice([7, 6, 5], p=[0.6, 0.37, 0.03])),
            )
        )
    # Two people of one name, as there are in every province.
    one, two = rng.choice(count, 2, replace=False)
    if abs(one - two) > 3:
        people[two].names = people[one].names[:1]
    return people


def _round(
    rng: np.random.Generator, homes: pd.DataFrame, own: NDArray[np.int64], person: Enumerator
) -> pd.DataFrame:
    """One enumerator's season: houses along the road, day by day; who was out is seen later."""
    lon, lat = homes["lon"].to_numpy(), homes["lat"].to_numpy()
    one_roof = homes["one_roof"].to_numpy()
    away = rng.random(len(own)) < 0.06
    again = own[rng.random(len(own)) < 0.03]
    route = np.concatenate([own[~away], own[away], again])
    day = _Day(rng, person)
    rows = []
    here = route[0]
    for number, house in enumerate(route):
        condition = "again" if number >= len(own) else ""
        way = float(apart_m(lon[here], lat[here], lon[house], lat[house]))
        near = number > 0 and way < 120 and house != route[number - 1]
        spot = house
        if near and rng.random() < 0.02:
            # Both were talked to at once; the second form takes some minutes.
            spot = here if rng.random() < 0.5 else house
            when, condition = day.at_once(), "together"
        else:
            when = day.visit(way if number else 0.0)
            if near and one_roof[house]:
                condition = condition or "one_roof"
        here = spot
        rows.append((house, spot, person.names[number % len(person.names)], when, condition))
    found = pd.DataFrame(rows, columns=["house", "spot", "enumerator", "surveyed_at", "condition"])
    found["true_lon"], found["true_lat"] = lon[found["spot"]], lat[found["spot"]]
    found["canopy"] = homes["canopy"].to_numpy()[found["spot"]]
    found["surveyed_at"] = found["surveyed_at"].dt.tz_convert("UTC").dt.floor("s")
    given = {name: getattr(person, name) for name in ("model", "coverage", "tells_sent")}
    return found.assign(device_id=person.device, decimals=person.decimals, **given)


class _Day:
    """The clock of one enumerator's working days."""

    def __init__(self, rng: np.random.Generator, person: Enumerator) -> None:
        self._rng, self._person = rng, person
        first = SEASON + pd.Timedelta(days=int(rng.integers(0, _SEASON_DAYS - 30)))
        self._now, self._ends = _morning(rng, first)
        self._form = self._now

    def visit(self, way_m: float) -> pd.Timestamp:
        """Ride there and talk; when the form takes its point."""
        rng = self._rng
        self._now += pd.Timedelta(minutes=_travel(rng, way_m))
        if self._now > self._ends:
            tomorrow = self._now.normalize() + pd.Timedelta(days=1)
            self._now, self._ends = _morning(rng, tomorrow)
        elif 11.4 < self._now.hour + self._now.minute / 60 < 13:
            lunch = pd.Timedelta(minutes=float(rng.uniform(780, 830)))
            self._now = self._now.normalize() + lunch
        mixed = self._person.captures == "mixed" and rng.random() < 0.5
        length = pd.Timedelta(minutes=float(np.clip(rng.lognormal(np.log(27), 0.3), 15, 50)))
        begun, self._now = self._now, self._now + length
        self._form = self._now
        if self._person.captures == "start" or mixed:
            self._form = begun + pd.Timedelta(minutes=float(rng.uniform(0.5, 3)))
        return self._form

    def at_once(self) -> pd.Timestamp:
        """A second form, 3 to 6 minutes after the one before."""
        self._form += pd.Timedelta(minutes=float(self._rng.uniform(3, 6)))
        self._now = max(self._now, self._form)
        return self._form


def _morning(rng: np.random.Generator, day: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """When a working day begins, and after what time no new house is begun."""
    day = day.normalize()
    if day.weekday() == 6:
        day += pd.Timedelta(days=1)
    kind = rng.random()
    if kind < 0.04:  # before people go to the fields
        first, last = rng.uniform(5.3, 6.0), rng.uniform(9.5, 11)
    elif kind < 0.12:  # after they come home
        first, last = rng.uniform(14, 15.5), rng.uniform(19.3, 20.6)
    else:
        first, last = rng.normal(7.6, 0.25), rng.uniform(15.6, 17.2)
    return day + pd.Timedelta(hours=first), day + pd.Timedelta(hours=last)


def _travel(rng: np.random.Generator, way_m: float) -> float:
    """Minutes from one house to the next: on foot near by, else by motorbike; and greeting."""
    way = 1.4 * way_m
    greeting = float(rng.uniform(2, 8))
    if way < 200:
        return way / 70 + greeting
    return way / 1000 / float(rng.uniform(15, 40)) * 60 + greeting


def _measured(rng: np.random.Generator, found: pd.DataFrame) -> None:
    """Where each phone sees itself, and what accuracy it tells."""
    n = len(found)
    median = found["model"].map({name: radius for name, (_, radius, _) in _MODELS.items()})
    told = found["model"].map({name: ratio for name, (_, _, ratio) in _MODELS.items()})
    true = median.to_numpy() * rng.lognormal(0, 0.35, n) * found["canopy"].to_numpy()
    lost = rng.random(n) < 0.01
    true[lost] = rng.uniform(60, 200, lost.sum())
    reported = np.where(lost, true, true * told.to_numpy())
    error = rng.normal(0, 1, (2, n)) * true / 1.515
    lon, lat = moved(found["true_lon"].to_numpy(), found["true_lat"].to_numpy(), *error)
    digits = 10.0 ** found["decimals"].to_numpy()
    # Two forms under one roof can share the fix that the app still had.
    cached = found["condition"].eq("one_roof").to_numpy() & (rng.random(n) < 0.02)
    cached[0] = False
    for name, values in (("lon", lon), ("lat", lat), ("accuracy_m", reported)):
        kept = pd.Series(values).where(~cached)
        found[name] = kept.ffill().to_numpy()
    found["lon"] = np.round(found["lon"] * digits) / digits
    found["lat"] = np.round(found["lat"] * digits) / digits
    found["accuracy_m"] = np.maximum(found["accuracy_m"].round(1), 1.0)
    found.loc[cached | np.append(cached[1:], False), "condition"] = "cached"
    found.loc[lost & found["condition"].eq("").to_numpy(), "condition"] = "poor_fix"


def sent(rng: np.random.Generator, found: pd.DataFrame) -> None:
    """When forms are sent and received: at once, or all that wait on an evening with a network.

    In the hills such an evening comes every third day; now and then a single form waits on.
    Adds sent_at (NaT where the app does not tell) and received_at.
    """
    n = len(found)
    at = found["surveyed_at"]
    local = at.dt.tz_convert("Asia/Ho_Chi_Minh")
    at_once = at + pd.to_timedelta(rng.uniform(0.3, 25, n), unit="m")
    evening = local.dt.normalize() + pd.Timedelta(hours=21.5)
    evening = evening.where(evening > local, evening + pd.Timedelta(days=1))
    third = -(evening.dt.day_of_year + found["round"]) % 3
    wait = np.where(found["coverage"] == "days", third, 0)
    wait = wait + np.where(rng.random(n) < 0.005, rng.integers(1, 3, n), 0)
    evening = evening + pd.to_timedelta(wait, unit="D")
    # One after another, in the order in which they were filled in.
    order = at.groupby([found["round"], evening]).rank(method="first")
    evening = evening + pd.to_timedelta(order * 4, unit="s")
    going = at_once.where(found["coverage"] == "online", evening.dt.tz_convert("UTC"))
    going = going.dt.floor("s")
    found["sent_at"] = going.where(found["tells_sent"])
    by_file = np.where(found["tells_sent"], 4 / 86_400, rng.uniform(0, 20, n))
    found["received_at"] = going + pd.to_timedelta(by_file, "D")
