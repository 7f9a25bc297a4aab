"""Rules about surveys and sites of different households at exactly the same point.

A second survey of the same household is never a duplicate.
"""

import numpy as np
import pandas as pd

from geo.rules import visits
from geo.rules.bunches import coarse
from geo.rules.references import households
from geo.rules.rule import SITE, SURVEY, Context, Rule
from geo.verdicts.border import Indices


def same_point_exact(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """One enumerator, or one device, gave several households exactly the same point."""
    shared = _shared(rows)
    by_one, surveys = _by_one(rows, shared)
    hit = by_one > 1
    found = _evidence(rows, shared[hit])
    return found.assign(households=by_one[hit], surveys=surveys[hit])


def same_point_others(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """Several households have exactly the same point, from several hands."""
    shared = _shared(rows)
    by_one, _surveys = _by_one(rows, shared)
    return _evidence(rows, shared[by_one <= 1])


def _shared(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose point another household has as well: row, place, household, lon, lat, id."""
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)
    fine = np.isfinite(lon) & np.isfinite(lat) & ~coarse(rows)
    points = pd.DataFrame({"lon": lon, "lat": lat})[fine]
    points = points[points.duplicated(keep=False)]
    points["place"] = points.groupby(["lon", "lat"]).ngroup()
    points["household"] = households(rows.iloc[points.index])
    number = points.groupby("place")["household"].transform("nunique")
    points = points[number > 1].rename_axis("row").reset_index()
    return points.assign(id=rows[_id_of(rows)].iloc[points["row"]].astype(str).to_numpy())


def _id_of(rows: pd.DataFrame) -> str:
    return "survey_id" if "survey_id" in rows else "site_code"


def _by_one(rows: pd.DataFrame, shared: pd.DataFrame) -> tuple[Indices, Indices]:
    """Of how many households, and in how many surveys, one maker has the point; 0 for sites."""
    number = np.zeros(len(shared), dtype=np.int64)
    surveys = number.copy()
    if "enumerator" not in rows:
        return number, surveys
    for maker in visits.makers(rows):
        own = shared.assign(maker=maker[shared["row"]])
        own = own[own["maker"] >= 0]
        by = own.groupby(["place", "maker"])
        number[own.index] = np.maximum(number[own.index], by["household"].transform("nunique"))
        surveys[own.index] = np.maximum(surveys[own.index], by["id"].transform("size"))
    return number, surveys


def _evidence(rows: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """How many households have the point, one of the others, and what they share: the point."""
    place = shared.groupby("place")
    first = shared.sort_values(["place", "id"]).drop_duplicates(["place", "household"])
    one, two = first.groupby("place").nth(0), first.groupby("place").nth(1)
    own = shared["place"].map(one.set_index("place")["household"]) == shared["household"]
    second = shared["place"].map(two.set_index("place")["id"])
    other = second.where(own, shared["place"].map(one.set_index("place")["id"]))
    found = pd.DataFrame(
        {
            "households": place["household"].transform("nunique"),
            "surveys": place["id"].transform("size"),
            "point_lon": shared["lon"],
            "point_lat": shared["lat"],
            "other": other,
            "group": [
                f"{lon:.7f} {lat:.7f}"
                for lon, lat in zip(shared["lon"], shared["lat"], strict=True)
            ],
        }
    )
    return found.set_axis(rows.index[shared["row"].to_numpy(int)])


SAMENESS = (
    Rule(
        "same_point_exact",
        "sameness",
        3,
        0.6,
        "Trùng toạ độ",
        "Same point",
        "Toạ độ trùng hoàn toàn với phiếu của hộ khác: {households} hộ, {surveys} phiếu của cùng "
        "một điều tra viên hoặc thiết bị.",
        "Exactly the same point as another household's: {households} households in {surveys} "
        "surveys by the same enumerator or device.",
        "Hai lần đo không bao giờ cho đúng một toạ độ. Điểm đã được chép lại, hoặc máy gửi lại vị "
        "trí cũ; ít nhất một hộ chưa có toạ độ của mình.",
        "Two measurements never give exactly one point. It was copied, or the device sent an old "
        "position; at least one household has no point of its own yet.",
        same_point_exact,
    ),
    Rule(
        "same_point_others",
        "sameness",
        2,
        0.3,
        "Trùng toạ độ với nơi khác",
        "Same point as others",
        "Toạ độ trùng hoàn toàn với điểm của hộ khác do người khác lập: {households} hộ cùng một "
        "điểm.",
        "Exactly the same point as another household's from other hands: {households} households "
        "have it.",
        "Điểm có thể được nhập tay từ một danh sách, lấy từ trung tâm thôn, hoặc chép lại.",
        "The point may have been typed in from a list, taken from the middle of the hamlet, or "
        "copied.",
        same_point_others,
        (SURVEY, SITE),
    ),
)
