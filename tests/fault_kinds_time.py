"""Faults of time and movement, injected into honest surveys by lot; see tests.fault_kinds."""

import numpy as np
import pandas as pd

from tests.fault_kinds import Inject
from tests.fault_land import apart_m
from tests.fault_world import Province, Rows


def _times(land: Province, rows: Rows, times: pd.Series | pd.DatetimeIndex) -> None:
    """New times of the rows, in UTC."""
    new = pd.Series(np.asarray(times, "datetime64[ns]"), land.surveys.index[rows])
    land.surveys.loc[rows, "surveyed_at"] = new.dt.tz_localize("UTC").dt.floor("s")


def office(land: Province, count: int) -> None:
    """10 to 25 forms of one day filled in one after another at the office or at home."""
    centre = land.places[land.places["kind"] == "office"].set_index("commune_code")
    for rows in _rounds_apart(land, count, 10, 25):
        first = rows[0]
        if land.rng.random() < 0.5:
            place = centre.loc[land.surveys.at[first, "commune_code"]]
            spot = place["lon"], place["lat"]
        else:
            spot = land.surveys.at[first, "true_lon"], land.surveys.at[first, "true_lat"]
        spots = (np.full(len(rows), value) for value in spot)
        land.put(rows, *land.fix(rows, *spots), really=True)
        steps = np.cumsum(land.rng.uniform(7, 14, len(rows)))
        start = land.surveys.at[first, "surveyed_at"].tz_localize(None)
        _times(land, rows, start + pd.to_timedelta(steps - steps[0], unit="m"))
        land.mark(rows, "office", together=True)


def bulk_day(land: Province, count: int) -> None:
    """45 to 60 households in a single day, all at their houses."""
    for rows in _rounds_apart(land, count, 45, 60):
        steps = np.cumsum(land.rng.uniform(8, 13, len(rows)))
        # A day in the middle: all that was done on it belongs to the group.
        middle = land.surveys.at[rows[len(rows) // 2], "surveyed_at"]
        day = middle.tz_convert("Asia/Ho_Chi_Minh").normalize()
        start = day.tz_convert("UTC").tz_localize(None) + pd.Timedelta(hours=7)
        _times(land, rows, start + pd.to_timedelta(steps, unit="m"))
        land.mark(rows, "bulk_day", together=True)


def _rounds_apart(land: Province, count: int, least: int, most: int) -> list[Rows]:
    """Unfaulted surveys one after another of one round, over days, one group a round."""
    found: list[Rows] = []
    free = ((land.surveys["fault"] == "") & (land.surveys["beside"] == "")).to_numpy()
    rounds = land.surveys["round"].to_numpy()
    for number in land.rng.permutation(rounds.max() + 1):
        if sum(map(len, found)) >= count:
            break
        own = np.flatnonzero(rounds == number)
        size = int(land.rng.integers(least, most + 1))
        for start in land.rng.permutation(max(0, len(own) - size)):
            rows = own[start : start + size]
            if free[rows].all():
                found.append(rows)
                break
    return found


def impossible_travel(land: Province, count: int) -> None:
    """A form made up between two visits far away: nobody rides 150 to 600 km/h there."""
    frame = land.surveys
    done = 0
    for row in land.some(len(frame)):
        if done >= count:
            return
        own = np.flatnonzero((frame["round"] == frame.at[row, "round"]).to_numpy())
        way = apart_m(frame.at[row, "lon"], frame.at[row, "lat"], *_points(land, own))
        honest = ((frame["fault"] == "") & (frame["beside"] == "")).to_numpy()[own]
        # Between `before` and the next visit, none of them changed, there must be time to spare.
        at = frame["surveyed_at"].iloc[own].reset_index(drop=True)
        gap = (at.shift(-1) - at).dt.total_seconds().to_numpy()
        fits = honest & np.append(honest[1:], False) & (way > 2000) & (gap > 900) & (gap < 7200)
        fits &= own != row
        for before in land.rng.permutation(np.flatnonzero(fits))[:1]:
            seconds = way[before] / (land.rng.uniform(150, 600) / 3.6)
            if seconds < gap[before] / 2:
                when = at.iloc[before].tz_localize(None) + pd.Timedelta(seconds=seconds)
                one = np.array([row])
                _times(land, one, pd.DatetimeIndex([when]))
                land.mark(one, "impossible_travel")
                frame.loc[own[before : before + 2], "beside"] = "impossible_travel"
                done += 1


def _points(land: Province, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return land.surveys["lon"].to_numpy()[rows], land.surveys["lat"].to_numpy()[rows]


def too_quick(land: Province, count: int) -> None:
    """4 to 11 forms filled 25 to 100 s after each other, after one that took its time."""
    for rows in land.groups(count, 5, 12):
        steps = np.cumsum(land.rng.uniform(25, 100, len(rows)))
        start = land.surveys.at[rows[0], "surveyed_at"].tz_localize(None)
        _times(land, rows, start + pd.to_timedelta(steps - steps[0], unit="s"))
        land.mark(rows[1:], "too_quick", together=True)


def night(land: Province, count: int) -> None:
    """Forms filled between 23:00 and 03:30."""
    rows = land.some(count)
    local = land.surveys["surveyed_at"].iloc[rows].dt.tz_convert("Asia/Ho_Chi_Minh")
    midnight = local.dt.normalize() + pd.Timedelta(days=1)
    new = midnight + pd.to_timedelta(land.rng.uniform(-1, 3.5, len(rows)), unit="h")
    _times(land, rows, new.dt.tz_convert("UTC").dt.tz_localize(None))
    land.mark(rows, "night")


def clock_ahead(land: Province, count: int) -> None:
    """The device's clock ran 1 to 30 h ahead until it was mended before sending."""
    rows = land.some(count)
    frame = land.surveys
    later = frame.loc[rows, "sent_at"].fillna(frame.loc[rows, "received_at"])
    ahead = pd.to_timedelta(land.rng.uniform(1, 30, len(rows)), unit="h")
    frame.loc[rows, "surveyed_at"] = (later + ahead).dt.floor("s")
    land.mark(rows, "clock_ahead")


def clock_jump(land: Province, count: int) -> None:
    """A device's clock stands 1 to 400 days back for 5 to 15 forms; sending knows the time."""
    frame = land.surveys
    for rows in _rounds_apart(land, 3 * count, 5, 15):
        if frame["tells_sent"].iloc[rows].all() and frame["device_id"].iloc[rows].notna().all():
            back = pd.Timedelta(hours=float(land.rng.uniform(24, 24 * 400)))
            frame.loc[rows, "surveyed_at"] = frame.loc[rows, "surveyed_at"] - back.floor("s")
            land.mark(rows, "clock_jump", together=True)
            count -= len(rows)
        if count <= 0:
            return


def sent_late(land: Province, count: int) -> None:
    """Sent 4 to 30 days after the visit."""
    rows = land.some(count, land.surveys["tells_sent"])
    late = pd.to_timedelta(land.rng.uniform(4, 30, len(rows)), unit="D").floor("s")
    frame = land.surveys
    frame.loc[rows, "sent_at"] = frame.loc[rows, "surveyed_at"] + late
    frame.loc[rows, "received_at"] = frame.loc[rows, "sent_at"] + pd.Timedelta(seconds=5)
    land.mark(rows, "sent_late")


WHOLE_DAYS: tuple[Inject, ...] = (office, bulk_day)
VISITS: tuple[Inject, ...] = (too_quick, impossible_travel, night)
CLOCKS: tuple[Inject, ...] = (clock_jump, clock_ahead, sent_late)
"""The last ones change what is told of the sending."""
