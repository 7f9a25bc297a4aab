"""Rules about the way from one survey to the next: too fast, too soon, too many in a day."""

import numpy as np
import pandas as pd

from geo.geometry import Floats, metres_between
from geo.rules import visits
from geo.rules.references import households
from geo.rules.rule import Context, Rule
from geo.verdicts.border import Indices
from geo.verdicts.matching import OUTSIDE

_SHORTEST_S = 60.0
"""Times are often whole minutes: a way is reckoned to take no less."""

_CLEAR = 2.0
"""The one of two surveys that lies so many times further off its round is the doubtful one."""

_HALF = 0.5


def travel_speed(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Nobody can have gone from one survey to the next in this time.

    Of the two the one is hit that lies off the round (the way over it is the longer detour), else
    the one that is outside its area; where neither tells, both are.
    """
    moment_s = visits.seconds(rows["surveyed_at"])
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)
    located = np.isfinite(lon) & np.isfinite(lat)
    error_m = rows["accuracy_used_m"].fillna(context.settings.assumed_accuracy_m).to_numpy(float)
    found = []
    for group in visits.rounds(rows, moment_s):
        group = np.where(located, group, visits.NOBODY)
        way = visits.order(group, moment_s, rows["survey_id"])
        one, two = _consecutive(way, group)
        distance_m = metres_between(lon[one], lat[one], lon[two], lat[two])
        apart_s = moment_s[two] - moment_s[one]
        net_m = distance_m - error_m[one] - error_m[two]
        limit = context.settings.travel_kmh / 3.6 * np.maximum(apart_s, _SHORTEST_S)
        fast = np.flatnonzero((net_m > limit) & (net_m > context.settings.travel_m))
        if len(fast):
            place = np.empty(len(rows), dtype=np.int64)
            place[way] = np.arange(len(way))
            one, two = one[fast], two[fast]
            far_m = distance_m[fast]
            first, second = _doubtful(rows, group, way, place, (one, two), far_m)
            told = _Legs(one, two, far_m, net_m[fast], apart_s[fast])
            found += [told.hits(rows, first, at_end=False), told.hits(rows, second, at_end=True)]
    return _fastest(found, rows)


class _Legs:
    """Ways between two surveys, with what is told of them."""

    def __init__(
        self, one: Indices, two: Indices, distance_m: Floats, net_m: Floats, apart_s: Floats
    ):
        self._one, self._two = one, two
        self._distance_m, self._net_m, self._apart_s = distance_m, net_m, apart_s

    def hits(self, rows: pd.DataFrame, hit: np.ndarray, *, at_end: bool) -> pd.DataFrame:
        """The surveys at the start or the end of the ways that are hit."""
        own, other = (self._two, self._one) if at_end else (self._one, self._two)
        own, other = own[hit], other[hit]
        apart_s = self._apart_s[hit]
        speed = self._net_m[hit] / np.maximum(apart_s, _SHORTEST_S) * 3.6
        return pd.DataFrame(
            {
                "row": own,
                "speed_kmh": np.round(speed, 1),
                "distance_m": np.round(self._distance_m[hit], 1),
                "apart_s": apart_s,
                "other_survey": rows["survey_id"].to_numpy()[other],
                "other_at": rows["surveyed_at"].array[other],
            }
        )


def _consecutive(way: Indices, group: Indices) -> tuple[Indices, Indices]:
    """The rows before and after each step of the ways."""
    same = group[way[1:]] == group[way[:-1]]
    return way[:-1][same], way[1:][same]


def _doubtful(
    rows: pd.DataFrame,
    group: Indices,
    way: Indices,
    place: Indices,
    ends: tuple[Indices, Indices],
    distance_m: Floats,
) -> tuple[np.ndarray, np.ndarray]:
    """Of each pair of surveys, whether the first and whether the second is hit."""
    one, two = ends
    first_m, second_m = (_detour_m(rows, group, way, place[end]) for end in ends)
    by_first = (first_m > _CLEAR * second_m) & (first_m > _HALF * distance_m)
    by_second = (second_m > _CLEAR * first_m) & (second_m > _HALF * distance_m)
    outside = (rows["verdict"] == OUTSIDE).to_numpy()
    told = by_first | by_second
    one_outside = outside[one] & ~outside[two] & ~told
    two_outside = outside[two] & ~outside[one] & ~told
    neither = ~(told | one_outside | two_outside)
    return by_first | one_outside | neither, by_second | two_outside | neither


def _detour_m(rows: pd.DataFrame, group: Indices, way: Indices, place: Indices) -> Floats:
    """How many metres longer the way is over each survey than past it; 0 where it has no others.

    place: where the surveys stand in the way. At the ends the two nearest in time stand for the
    one before and the one after.
    """
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)

    def at(steps: int) -> Indices:
        there = np.clip(place + steps, 0, len(way) - 1)
        known = (place + steps == there) & (group[way[there]] == group[way[place]])
        return np.where(known, way[there], visits.NOBODY)

    before, after = at(-1), at(1)
    last, next_ = np.where(before < 0, at(2), before), np.where(after < 0, at(-2), after)
    alone = (last < 0) | (next_ < 0)
    own = way[place]

    def apart(a: Indices, b: Indices) -> Floats:
        return metres_between(lon[a], lat[a], lon[b], lat[b])

    return np.where(alone, 0.0, apart(last, own) + apart(own, next_) - apart(last, next_))


def _fastest(found: list[pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    """Each survey once, with the fastest of its ways."""
    if not found:
        return rows.iloc[:0][[]]
    hits = pd.concat(found).sort_values(["row", "speed_kmh", "other_survey"])
    hits = hits.drop_duplicates("row", keep="last")
    return hits.set_axis(rows.index[hits["row"]]).drop(columns="row")


def too_quick(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The same enumerator surveyed another household moments before, and not just this once."""
    settings = context.settings
    moment_s = visits.seconds(rows["surveyed_at"])
    household = households(rows)
    found = []
    for group in visits.rounds(rows, moment_s):
        one, two = _consecutive(visits.order(group, moment_s, rows["survey_id"]), group)
        apart_s = moment_s[two] - moment_s[one]
        quick = (apart_s < 60 * settings.quick_minutes) & (household[one] != household[two])
        one, two, apart_s = one[quick], two[quick], apart_s[quick]
        times = pd.Series(group[two]).groupby(group[two]).transform("size").to_numpy()
        hit = (times >= settings.quick_times) | (apart_s < _HALF * 60 * settings.quick_minutes)
        found.append(
            pd.DataFrame(
                {
                    "row": two[hit],
                    "apart_s": apart_s[hit],
                    "times": times[hit],
                    "other_survey": rows["survey_id"].to_numpy()[one[hit]],
                }
            )
        )
    hits = pd.concat(found).drop_duplicates("row")
    return hits.set_axis(rows.index[hits["row"]]).drop(columns="row")


def impossible_day(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """One enumerator, or one device, surveyed more households on a day than anybody can."""
    moment_s = visits.seconds(rows["surveyed_at"])
    found = []
    for kind, group in zip(("person", "device"), visits.rounds(rows, moment_s), strict=True):
        visited = pd.DataFrame({"group": group, "household": households(rows)})[group >= 0]
        number = visited.drop_duplicates().groupby("group").size()
        many = number[number > context.settings.day_households]
        hit = visited[visited["group"].isin(many.index)]
        hits = pd.DataFrame({"households": many.reindex(hit["group"]).to_numpy()}, hit.index)
        hits["limit"] = context.settings.day_households
        hits["day_on"] = visits.days_on(moment_s[hit.index])
        maker = rows["enumerator" if kind == "person" else "device_id"].to_numpy()[hit.index]
        # Of two devices of one person each has a first survey of its own.
        first = rows["survey_id"].iloc[hit.index].astype(str).groupby(hit["group"].to_numpy())
        hits["group"] = [
            f"{day} {who} {one}"
            for day, who, one in zip(hits["day_on"], maker, first.transform("min"), strict=True)
        ]
        found.append(hits)
    hits = pd.concat(found)
    hits = hits[~hits.index.duplicated()]
    return hits.set_axis(rows.index[hits.index])


MOVEMENT = (
    Rule(
        "travel_speed",
        "movement",
        3,
        0.4,
        "Di chuyển quá nhanh",
        "Travelled too fast",
        "Phiếu liền kề của cùng điều tra viên hoặc thiết bị ({other_at}) cách điểm này "
        "{distance_m} và chỉ cách {apart_s}: phải đi với tốc độ {speed_kmh}.",
        "The next survey by the same enumerator or device ({other_at}) is {distance_m} away and "
        "only {apart_s} apart: that takes {speed_kmh}.",
        "Không ai đi kịp giữa hai điểm trong thời gian đó. Toạ độ hoặc giờ của một trong hai phiếu "
        "chưa đúng; hãy xem tuyến đi trong ngày để biết phiếu nào.",
        "Nobody gets from one point to the other in that time. The point or the time of one of "
        "the two surveys is wrong; the day's route shows which.",
        travel_speed,
    ),
    Rule(
        "too_quick",
        "movement",
        2,
        0.25,
        "Khảo sát quá nhanh",
        "Too quick",
        "Phiếu này chỉ cách phiếu của hộ khác trước đó {apart_s}; trong ngày có {times} lần như "
        "vậy.",
        "This survey comes only {apart_s} after another household's; that happened {times} times "
        "that day.",
        "Một lần rà soát cần nhiều thời gian hơn. Có thể phiếu được nhập sau một lượt; hãy hỏi "
        "điều tra viên đã đến từng hộ như thế nào.",
        "A review takes longer. The forms may have been entered together afterwards; ask how the "
        "households were visited.",
        too_quick,
    ),
    Rule(
        "impossible_day",
        "movement",
        2,
        0.25,
        "Quá nhiều hộ trong một ngày",
        "Too many in a day",
        "Ngày {day_on}, cùng một điều tra viên hoặc thiết bị khảo sát {households} hộ; mức cao "
        "nhất là {limit}.",
        "On {day_on} one enumerator or device surveyed {households} households; the limit is "
        "{limit}.",
        "Khó có thể rà soát kỹ nhiều hộ như vậy trong một ngày. Có thể nhiều người dùng chung một "
        "tên hoặc một máy.",
        "So many households can hardly be reviewed with care in a day. Several people may share "
        "one name or one device.",
        impossible_day,
    ),
)
