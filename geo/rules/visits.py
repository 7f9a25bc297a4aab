"""Visits: whose surveys, on which day in Viet Nam, and which of them followed one another."""

from hashlib import sha256

import numpy as np
import pandas as pd

from geo.geometry import Floats
from geo.rules.rule import RuleSettings
from geo.verdicts.border import Indices

NOBODY = -1
_ZONE_S, _DAY_S = 7 * 3600, 86_400  # Viet Nam has one time and no summer time
_EPOCH = pd.Timestamp(0, tz="UTC")


def seconds(moments: pd.Series) -> Floats:
    """Times as seconds since 1970 (UTC); NaN where there is none."""
    known = pd.to_datetime(moments, utc=True)
    since = (known - _EPOCH) / pd.Timedelta(seconds=1)
    return np.asarray(since, dtype=np.float64)


def days(moment_s: Floats) -> Floats:
    """The number of each time's day in Viet Nam."""
    return np.floor((moment_s + _ZONE_S) / _DAY_S)


def days_on(moment_s: Floats) -> list[str]:
    """Each time's day in Viet Nam as ISO 8601 text."""
    return [day.isoformat()[:10] for day in pd.to_datetime(days(moment_s), unit="D")]


def hours(moment_s: Floats) -> Floats:
    """The hour of the day in Viet Nam, with its fraction: 13.5 is half past one."""
    return np.mod(moment_s + _ZONE_S, _DAY_S) / 3600


def timed(moment_s: Floats) -> np.ndarray:
    """Whether a time has an hour: midnight sharp, here or in UTC, is a day without one."""
    with np.errstate(invalid="ignore"):
        midnight = (np.mod(moment_s, _DAY_S) == 0) | (np.mod(moment_s + _ZONE_S, _DAY_S) == 0)
    return np.isfinite(moment_s) & ~midnight


def makers(rows: pd.DataFrame, settings: RuleSettings) -> tuple[Indices, Indices]:
    """Who made each survey, as numbers: its enumerator, and its device where several share that.

    NOBODY where there is none, and for devices of one enumerator: they would say the same again.
    What more than `device_shared_by` enumerators give as theirs is a model or a default.
    """
    people = _codes(rows["enumerator"])
    devices = _codes(rows["device_id"])
    pairs = pd.DataFrame({"device": devices, "person": people}).drop_duplicates()
    users = pairs[(pairs >= 0).all(axis=1)].groupby("device").size()
    shared = users.index[users.between(2, settings.device_shared_by)]
    return people, np.where(np.isin(devices, shared), devices, NOBODY)


def rounds(rows: pd.DataFrame, moment_s: Floats, settings: RuleSettings) -> tuple[Indices, Indices]:
    """The same by day: what one enumerator, or one shared device, did on one day.

    Two people may have one name: who was in several communes with several devices on one day
    counts once for each device.
    """
    people, shared = makers(rows, settings)
    day = days(moment_s)
    parts = pd.DataFrame(
        {
            "round": _pairs(people, day),
            "device": pd.Series(_codes(rows["device_id"])).replace(NOBODY, np.nan),
            "commune": _codes(rows["commune_code"]),
        }
    )
    several = parts.groupby("round")[["device", "commune"]].nunique() > 1
    namesakes = several.index[several.all(axis=1)]
    device = parts["device"].where(parts["round"].isin(namesakes)).fillna(NOBODY)
    by_person = _pairs(parts["round"].to_numpy(), device.to_numpy())
    return by_person, _pairs(shared, day)


def names(group: Indices, maker: pd.Series, moment_s: Floats, ids: pd.Series) -> np.ndarray:
    """What each survey's round (see `rounds`) is called, the same in the next pass; None for none.

    A part of the first survey's id tells the devices of two people of one name apart; it is
    hashed, because who reads the name may not see that survey.
    """
    kept = np.flatnonzero(group >= 0)
    _, at, of = np.unique(group[kept], return_index=True, return_inverse=True)
    first = ids.iloc[kept].astype(str).groupby(group[kept]).min()
    days_of, makers_of = days_on(moment_s[kept[at]]), maker.iloc[kept[at]]
    called = [
        f"{day} {who} {sha256(one.encode()).hexdigest()[:8]}"
        for day, who, one in zip(days_of, makers_of, first, strict=True)
    ]
    found = np.full(len(group), None, dtype=object)
    found[kept] = np.array(called, dtype=object)[of]
    return found


def order(group: Indices, moment_s: Floats, ids: pd.Series) -> Indices:
    """The places of the rows of each group in the order of their times, group after group.

    Rows of NOBODY or without an hour are left out. Of two at one time the smaller id comes first.
    """
    kept = np.flatnonzero((group >= 0) & timed(moment_s))
    keys = pd.DataFrame({"group": group[kept], "moment": moment_s[kept]})
    tied = keys.duplicated(keep=False).to_numpy()
    rank = np.zeros(len(kept))
    rank[tied] = ids.iloc[kept[tied]].astype(str).rank(method="dense").to_numpy()
    return kept[np.lexsort((rank, moment_s[kept], group[kept]))]


def _codes(values: pd.Series) -> Indices:
    """Equal values as equal numbers; NOBODY for none and for blank text."""
    return pd.factorize(values.replace("", None), sort=True)[0].astype(np.int64)


def _pairs(one: Indices, two: np.ndarray) -> Indices:
    """A number for each pair; NOBODY where the first is NOBODY or the second is missing."""
    known = (one >= 0) & ~np.isnan(two.astype(float))
    result = np.full(len(one), NOBODY, dtype=np.int64)
    pairs = pd.DataFrame({"one": one[known], "two": two[known]})
    result[known] = pairs.groupby(["one", "two"]).ngroup().to_numpy()
    return result
