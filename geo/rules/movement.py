"""Rules about the way from one survey to the next: too fast, too soon, too many in a day."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.geometry import Floats, metres_between
from geo.rules import visits
from geo.rules.references import households
from geo.rules.rule import Context, Rule, RuleSettings
from geo.verdicts.border import Indices
from geo.verdicts.matching import OUTSIDE

Truths = NDArray[np.bool_]

_SHORTEST_S = 60.0
"""Times are often whole minutes: a way is reckoned to take no less."""

_HALF = 0.5
"""Of a limit: what is below it is still so unlikely that it tells which of two is wrong."""


def travel_speed(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Nobody can have gone from one survey to the next in this time.

    Of the two the one is hit without which the round is possible, else the one that is outside
    its area; where neither tells, both are.
    """
    settings = context.settings
    found = []
    for way in _ways(rows, settings):
        one = way.too_fast(settings)
        first, second = _doubtful(rows, way, one, _HALF * settings.travel_kmh)
        found.append(way.hits(rows, one[first], one[first] + 1))
        found.append(way.hits(rows, one[second] + 1, one[second]))
    return _fastest(pd.concat(found), rows)


@dataclass(frozen=True)
class _Way:
    """Surveys with a point and a time in the order of their rounds: n of each, degrees, metres."""

    row: Indices
    group: Indices
    moment_s: Floats
    lon: Floats
    lat: Floats
    error_m: Floats
    name: NDArray[np.object_]

    def too_fast(self, settings: RuleSettings) -> Indices:
        """The places from which nobody gets to the next survey of the round in time."""
        one = np.flatnonzero(self.group[:-1] == self.group[1:])
        far = self.net_m(one, one + 1) > settings.travel_m
        return one[far & (self.speed_kmh(one, one + 1) > settings.travel_kmh)]

    def by(self, group: Indices) -> "_Way":
        """The same surveys in other rounds, in each by time as before."""
        at = np.lexsort((np.arange(len(group)), group))
        values = (getattr(self, each.name) for each in fields(self))
        of = _Way(*(value[at] for value in values))
        return replace(of, group=group[at])

    def distance_m(self, one: Indices, two: Indices) -> Floats:
        """Metres between the surveys at these places of the way."""
        return metres_between(self.lon[one], self.lat[one], self.lon[two], self.lat[two])

    def net_m(self, one: Indices, two: Indices) -> Floats:
        """The same without what the errors of both points explain."""
        return self.distance_m(one, two) - self.error_m[one] - self.error_m[two]

    def speed_kmh(self, one: Indices, two: Indices) -> Floats:
        """How fast one must go from the first to the second; 0 where these are of two rounds."""
        apart_s = np.maximum(np.abs(self.moment_s[two] - self.moment_s[one]), _SHORTEST_S)
        speed = self.net_m(one, two) / apart_s * 3.6
        return np.where(self.group[one] == self.group[two], speed, 0.0)

    def hits(self, rows: pd.DataFrame, own: Indices, other: Indices) -> pd.DataFrame:
        """The surveys at these places, with what is told of the way to the others."""
        return pd.DataFrame(
            {
                "row": self.row[own],
                "speed_kmh": np.round(self.speed_kmh(own, other), 1),
                "distance_m": np.round(self.distance_m(own, other), 1),
                "apart_s": np.abs(self.moment_s[own] - self.moment_s[other]),
                "other_survey": rows["survey_id"].to_numpy()[self.row[other]],
                "other_at": rows["surveyed_at"].array[self.row[other]],
                "other_commune": rows["commune_code"].to_numpy()[self.row[other]],
                "group": self.name[own],
            }
        )


def _ways(rows: pd.DataFrame, settings: RuleSettings) -> Iterator[_Way]:
    """The rounds of enumerators, and those of shared devices."""
    moment_s = visits.seconds(rows["surveyed_at"])
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)
    located = np.isfinite(lon) & np.isfinite(lat)
    error_m = rows["accuracy_used_m"].fillna(settings.assumed_accuracy_m).to_numpy(float)
    for group, name in _named_rounds(rows, moment_s, settings):
        group = np.where(located, group, visits.NOBODY)
        row = visits.order(group, moment_s, rows["survey_id"])
        way = _Way(row, group[row], moment_s[row], lon[row], lat[row], error_m[row], name[row])
        yield _by_namesake(rows, way, settings)


def _named_rounds(
    rows: pd.DataFrame, moment_s: Floats, settings: RuleSettings
) -> Iterator[tuple[Indices, NDArray[np.object_]]]:
    """The rounds of enumerators and of shared devices, with what they are called."""
    makers = ("enumerator", "device_id")
    for maker, group in zip(makers, visits.rounds(rows, moment_s, settings), strict=True):
        yield group, visits.names(group, rows[maker], moment_s, rows["survey_id"])


def _by_namesake(rows: pd.DataFrame, way: _Way, settings: RuleSettings) -> _Way:
    """The ways, those of one name apart by commune where they can only be several people's.

    No device tells who it was, the name comes back to a commune from another, is in each more
    than once, and nothing is wrong with what it did in each alone.
    """
    if not len(way.row):
        return way
    commune = pd.factorize(rows["commune_code"].iloc[way.row])[0]
    device = rows["device_id"].replace("", None).iloc[way.row].notna().to_numpy()
    apart = way.group * (int(commune.max()) + 1) + commune
    alone = way.by(apart)
    wrong = alone.row[alone.too_fast(settings)]
    steps = pd.DataFrame({"group": way.group, "apart": apart, "bad": device})
    steps["bad"] |= np.isin(way.row, wrong)
    steps["run"] = np.diff(apart, prepend=-1) != 0
    steps["times"] = steps.groupby("apart")["apart"].transform("size")
    by = steps.groupby("group")
    told = by.agg(bad=("bad", "any"), runs=("run", "sum"), communes=("apart", "nunique"))
    told["times"] = by["times"].min()
    several = (told["communes"] > 1) & (told["runs"] > told["communes"]) & (told["times"] > 1)
    several &= ~told["bad"]
    split = np.isin(way.group, told.index[several])
    return way.by(np.where(split, apart, way.group * (int(commune.max()) + 1)))


def _doubtful(
    rows: pd.DataFrame, way: _Way, one: Indices, likely_kmh: float
) -> tuple[Truths, Truths]:
    """Of the surveys at `one` and behind it, whether the first and whether the second is hit.

    Each is tried without the other: whoever then is still too fast from the survey before or to
    the one after both is the one that is wrong.
    """
    two = one + 1
    last = len(way.row) - 1

    def too_fast(own: Indices) -> Truths:
        before, after = np.maximum(one - 1, 0), np.minimum(two + 1, last)
        from_before = np.where(one > 0, way.speed_kmh(before, own), 0.0)
        to_after = np.where(two < last, way.speed_kmh(own, after), 0.0)
        return np.asarray(np.maximum(from_before, to_after) > likely_kmh)

    first, second = too_fast(one), too_fast(two)
    outside = (rows["verdict"] == OUTSIDE).to_numpy()[way.row]
    told = first != second
    return (
        np.where(told, first, outside[one] | ~outside[two]),
        np.where(told, second, outside[two] | ~outside[one]),
    )


def _fastest(hits: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Each survey once, with the fastest of its ways."""
    hits = hits.sort_values(["row", "speed_kmh", "other_survey"])
    hits = hits.drop_duplicates("row", keep="last")
    return hits.set_axis(rows.index[hits["row"].to_numpy(int)]).drop(columns="row")


def _consecutive(way: Indices, group: Indices) -> tuple[Indices, Indices]:
    """The rows before and after each step of the ways."""
    same = group[way[1:]] == group[way[:-1]]
    return way[:-1][same], way[1:][same]


def too_quick(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The same enumerator surveyed another household moments before, and not just this once."""
    settings = context.settings
    moment_s = visits.seconds(rows["surveyed_at"])
    household = households(rows)
    found = []
    for group, name in _named_rounds(rows, moment_s, settings):
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
                    "other_commune": rows["commune_code"].to_numpy()[one[hit]],
                    "group": name[two[hit]],
                }
            )
        )
    hits = pd.concat(found).drop_duplicates("row")
    return hits.set_axis(rows.index[hits["row"]]).drop(columns="row")


def impossible_day(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """One enumerator, or one device, surveyed more households on a day than anybody can."""
    moment_s = visits.seconds(rows["surveyed_at"])
    found = []
    for group, name in _named_rounds(rows, moment_s, context.settings):
        visited = pd.DataFrame({"group": group, "household": households(rows)})[group >= 0]
        number = visited.drop_duplicates().groupby("group").size()
        many = number[number > context.settings.day_households]
        hit = visited[visited["group"].isin(many.index)]
        hits = pd.DataFrame({"households": many.reindex(hit["group"]).to_numpy()}, hit.index)
        hits["limit"] = context.settings.day_households
        hits["day_on"] = visits.days_on(moment_s[hit.index])
        hits["group"] = name[hit.index]
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
        hidden_vi="Phiếu liền kề của cùng điều tra viên hoặc thiết bị ở một xã khác: phải đi với "
        "tốc độ {speed_kmh}. Người phụ trách cả tỉnh xem được phiếu đó.",
        hidden_en="The next survey by the same enumerator or device is in another commune: that "
        "takes {speed_kmh}. Who oversees the province can see that survey.",
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
        hidden_vi="Phiếu này đến quá nhanh sau phiếu của một hộ ở xã khác; trong ngày có {times} "
        "lần như vậy.",
        hidden_en="This survey comes too soon after that of a household in another commune; that "
        "happened {times} times that day.",
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
