"""The rule about many households surveyed from one spot, such as the office, on one day."""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import chi2

from geo.geometry import Floats
from geo.rules import visits
from geo.rules.bunches import Points, bunch_names, points_of
from geo.rules.metric import plane
from geo.rules.references import homes, households, sigma
from geo.rules.rule import Context, Rule, RuleSettings
from geo.verdicts.border import Indices
from geo.verdicts.matching import RADIUS_68_IN_SIGMA

_LOOKED_AT = 4
"""Of revisits and households at one place, so many times the households that make a spot."""

_APART_TIMES = 1.5
"""A household whose own point is so many times further off than a spot is wide lives elsewhere."""

_FURTHEST = 5.0
"""A point of poor accuracy counts at most so many times a spot's width from its middle."""

_TOLD = ["households", "elsewhere", "hamlets", "spread_m", "told"]
_LIKELY = 0.999
_OPTIMISTIC = 1.5
"""Phones err up to so many times more than they say."""


def one_spot(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Many households of one maker and day have their points at one spot, but do not live there.

    That they do not is told by their own points, else by their hamlets.
    """
    hits = _crowds(rows, context)
    return hits[hits["told"]].drop(columns="told")


def one_spot_tight(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The same where nothing tells where they live, but the points can only be of one place."""
    hits = _crowds(rows, context)
    return hits[~hits["told"]].drop(columns=["told", "elsewhere", "hamlets"])


def _crowds(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The hits of both rules; told: whether something tells that homes are elsewhere."""
    moment_s = visits.seconds(rows["surveyed_at"])
    x, y = plane(rows["lon"], rows["lat"])
    household, width_m = households(rows), context.settings.spot_m
    found = []
    for maker in visits.rounds(rows, moment_s, context.settings):
        number = np.bincount(maker[maker >= 0], minlength=1)
        enough = (maker >= 0) & (number[maker] >= context.settings.spot_households)
        points = points_of(rows, np.where(enough, maker, visits.NOBODY), x, y, context.settings)
        spots = _spots(rows, points, context.settings)
        members = _members(maker, x, y, sigma(rows["accuracy_m"], context.settings), spots, width_m)
        members["household"] = household[members["row"]]
        several = members.groupby("spot")["household"].transform("nunique")
        members = members[several >= context.settings.spot_households]
        if len(members):
            found.append(_elsewhere(_described(rows, members, context.settings), context.settings))
    if not found:
        return pd.DataFrame({name: [] for name in _TOLD}, rows.index[:0]).astype({"told": bool})
    hits = pd.concat(found).sort_values(["told", "households"], kind="stable")
    hits = hits.drop_duplicates("row", keep="last")
    return hits.set_axis(rows.index[hits["row"].to_numpy(int)]).drop(columns="row")


def _spots(rows: pd.DataFrame, points: Points, settings: RuleSettings) -> pd.DataFrame:
    """The middles of where so many households of one maker have points: maker, spot, x, y."""
    many, width_m = settings.spot_households, settings.spot_m
    everybody = np.arange(len(points.row))
    distance, _ = points.neighbours(everybody, width_m, many)
    of = everybody[np.isfinite(distance[:, -1])]
    distance, other = points.neighbours(of, width_m, _LOOKED_AT * many)
    there = np.isfinite(distance)
    who = np.sort(np.where(there, points.household[other], -1), axis=1)
    core = (np.diff(who, axis=1, prepend=-1) > 0).sum(axis=1) >= many
    ends = np.repeat(of[core], there[core].sum(axis=1)), other[core][there[core]]
    ids = rows["survey_id"].iloc[points.row]
    member = np.unique(np.concatenate(ends))
    places = pd.DataFrame(
        {
            "maker": points.maker[member],
            "x": points.x[member],
            "y": points.y[member],
            "spot": bunch_names(member, *ends, lambda of: ids.iloc[of].astype(str).to_numpy()),
        }
    )
    return places.groupby(["maker", "spot"], as_index=False)[["x", "y"]].median()


def _members(
    maker: Indices, x: Floats, y: Floats, sigma_m: Floats, spots: pd.DataFrame, width_m: float
) -> pd.DataFrame:
    """The rows that lie at a spot of their maker, as far as their accuracy tells: row, spot."""
    at = np.flatnonzero(np.isin(maker, spots["maker"]) & np.isfinite(x) & np.isfinite(y))
    if not len(at):
        return pd.DataFrame({"row": at, "spot": np.array([], dtype=object)})
    reach_m = _FURTHEST * width_m
    apart = 4 * reach_m  # a third axis keeps makers out of each other's reach
    middles = cKDTree(np.column_stack((spots["x"], spots["y"], spots["maker"] * apart)))
    here = np.column_stack((x[at], y[at], maker[at] * apart))
    distance, nearest = middles.query(here, distance_upper_bound=reach_m)
    there = distance <= width_m + RADIUS_68_IN_SIGMA * sigma_m[at]
    spot = spots["spot"].to_numpy()[nearest[there]]
    return pd.DataFrame({"row": at[there], "spot": spot})


def _elsewhere(members: pd.DataFrame, settings: RuleSettings) -> pd.DataFrame:
    """The members of those spots where their households do not live, with the evidence."""
    each = members.drop_duplicates(["spot", "household"]).groupby("spot")
    told = pd.DataFrame(
        {
            "households": each.size(),
            "known": each["known"].sum(),
            "elsewhere": each["far"].sum(),
            "hamlets": each["hamlet"].nunique(),
            "spread_m": np.sqrt(each["square_m2"].mean()).round(1),
            "squares": each["squares"].sum(),
        }
    )
    likely = chi2.ppf(_LIKELY, 2 * told["households"] - 2)
    tight = (told["spread_m"] <= settings.spot_tight_m) & (told["squares"] <= likely)
    by_homes = told["elsewhere"] >= settings.spot_elsewhere_share * told["known"]
    known = told["known"] >= settings.spot_known
    told["told"] = by_homes.where(known, told["hamlets"] >= settings.spot_hamlets).astype(bool)
    doubted = told["told"] | (tight & ~known)
    # Who is known to live at the spot is at home, whoever else came there.
    hit = members["spot"].isin(told.index[doubted]) & (members["far"] | ~members["known"])
    members = members[hit]
    told = told[_TOLD].loc[members["spot"]]
    return told.reset_index(drop=True).assign(
        day_on=members["day_on"].to_numpy(),
        row=members["row"].to_numpy(),
        group=members["spot"].to_numpy(),
    )


def _described(rows: pd.DataFrame, members: pd.DataFrame, settings: RuleSettings) -> pd.DataFrame:
    """The members with what is known of their homes, and how far off the spot's middle they are."""
    lon, lat = homes(rows, settings)
    at = members["row"].to_numpy()
    there, number = rows.iloc[at], len(members)
    x, y = plane(np.append(there["lon"], lon[at]), np.append(there["lat"], lat[at]))
    places = pd.DataFrame({"x": x[:number], "y": y[:number], "spot": members["spot"].to_numpy()})
    middle = places.groupby("spot").transform("median").to_numpy()
    apart_m = np.hypot(x[number:] - x[:number], y[number:] - y[:number])
    off_m = np.hypot(x[:number] - middle[:, 0], y[:number] - middle[:, 1])
    point_m = sigma(there["accuracy_m"], settings)
    error_m = 2 * np.hypot(point_m, sigma(there["home_accuracy_m"], settings))
    named = (there["village_key"].notna() & (there["village_key"] != "")).to_numpy()
    hamlet = there.groupby(["commune_code", "village_key"], dropna=False).ngroup().to_numpy()
    return members.assign(
        known=np.isfinite(apart_m),
        far=apart_m > _APART_TIMES * settings.spot_m + error_m,
        square_m2=off_m**2,
        squares=(off_m / (_OPTIMISTIC * point_m)) ** 2,
        hamlet=np.where(named, hamlet, np.nan),
        day_on=visits.days_on(visits.seconds(there["surveyed_at"])),
    )


SPOTS = (
    Rule(
        "one_spot",
        "sameness",
        3,
        0.5,
        "Nhiều hộ từ một chỗ",
        "Many from one spot",
        "Ngày {day_on}, phiếu của {households} hộ được lập tại cùng một chỗ (các điểm lệch nhau "
        "khoảng {spread_m}); đã biết {elsewhere} hộ trong số đó ở nơi khác, các hộ thuộc "
        "{hamlets} thôn.",
        "On {day_on} the surveys of {households} households were made at one spot (points scatter "
        "by about {spread_m}); {elsewhere} of them are known to live elsewhere, and they are of "
        "{hamlets} hamlets.",
        "Có thể phiếu được lập tại trụ sở, nhà văn hoá thôn hoặc nhà điều tra viên thay vì tại "
        "từng hộ. Hãy hỏi điều tra viên trước khi kết luận.",
        "The forms may have been filled in at an office, a community house or the enumerator's "
        "home instead of at each household's. Ask before concluding.",
        one_spot,
    ),
    Rule(
        "one_spot_tight",
        "sameness",
        1,
        0.15,
        "Nhiều hộ ở một chỗ, chưa rõ nơi ở",
        "Many at one spot, homes unknown",
        "Ngày {day_on}, phiếu của {households} hộ được lập tại cùng một chỗ (các điểm lệch nhau "
        "khoảng {spread_m}); chưa có gì cho biết các hộ ở đâu.",
        "On {day_on} the surveys of {households} households were made at one spot (points scatter "
        "by about {spread_m}); nothing tells where they live.",
        "Các hộ có thể ở chung một toà nhà, hoặc phiếu được lập tại một chỗ. Chỉ là ghi nhận: hãy "
        "đối chiếu khi biết nhà của các hộ.",
        "The households may live in one building, or the forms were filled in at one place. Only a "
        "remark: compare when their homes are known.",
        one_spot_tight,
    ),
)
