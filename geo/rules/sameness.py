"""Rules about surveys and sites of different households at exactly the same point.

A second survey of the same household is never a duplicate.
"""

import numpy as np
import pandas as pd

from geo.rules import visits
from geo.rules.bunches import coarse
from geo.rules.metric import plane
from geo.rules.references import homes, households, sigma
from geo.rules.rule import SITE, SURVEY, Context, Rule


def same_point_exact(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """One enumerator, or one device, gave several households exactly the same point."""
    shared = _shared(rows)
    by_one = _by_one(rows, shared, context)
    hit = by_one["copied"]
    found = _evidence(rows, shared[hit])
    told = by_one.loc[hit, ["households", "surveys"]].set_axis(found.index)
    return found.assign(households=told["households"], surveys=told["surveys"])


def same_fix(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Two households have the same point from one maker within a short time: one fix for both."""
    shared = _shared(rows)
    by_one = _by_one(rows, shared, context)
    hit = by_one["one_fix"] & ~by_one["copied"]
    found = _evidence(rows, shared[hit]).drop(columns=["households", "surveys"])
    return found.assign(apart_s=by_one.loc[hit, "apart_s"].to_numpy())


def same_point_others(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Several households have exactly the same point, from several hands."""
    shared = _shared(rows)
    by_one = _by_one(rows, shared, context)
    return _evidence(rows, shared[~by_one["copied"] & ~by_one["one_fix"]])


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


def _by_one(rows: pd.DataFrame, shared: pd.DataFrame, context: Context) -> pd.DataFrame:
    """What one maker did with each shared point: copied, one_fix, households, surveys, apart_s.

    one_fix: these two households alone, within a short time, with the same accuracy, not known to
    live apart. Sites have no maker.
    """
    names = ["copied", "one_fix", "households", "surveys", "apart_s"]
    found = pd.DataFrame(dict.fromkeys(names, 0), shared.index).astype({"apart_s": float})
    found = found.astype({"copied": bool, "one_fix": bool})
    if "enumerator" not in rows or shared.empty:
        return found
    alone = shared.groupby("place")["household"].transform("nunique") == 2
    at = shared["row"].to_numpy()
    moment_s = visits.seconds(rows["surveyed_at"].iloc[at])
    accuracy_m = rows["accuracy_m"].iloc[at].fillna(-1.0).to_numpy()
    home_m = sigma(rows["home_accuracy_m"].iloc[at], context.settings)
    x, y = (axis[at] for axis in plane(*homes(rows, context.settings)))
    for maker in visits.makers(rows, context.settings):
        own = shared.assign(maker=maker[at], moment_s=moment_s, accuracy_m=accuracy_m)
        own = own.assign(x=x, y=y, square_m2=home_m**2)
        own = own[own["maker"] >= 0]
        by = own.groupby(["place", "maker"])
        number = by["household"].transform("nunique")
        apart_s, east, north = (
            by[name].transform("max") - by[name].transform("min") for name in ("moment_s", "x", "y")
        )
        error_m = 2 * np.sqrt(by["square_m2"].transform("max") * 2)
        apart = np.hypot(east, north) > context.settings.homes_apart_m + error_m
        soon = apart_s <= 60 * context.settings.same_fix_minutes
        # An accuracy belongs to its fix: another one tells another measurement.
        same = by["accuracy_m"].transform("nunique") == 1
        together = soon & same & ~apart & alone[own.index]
        found.loc[own.index, "copied"] |= (number > 2) | ((number == 2) & ~together)
        found.loc[own.index, "one_fix"] |= (number == 2) & together
        found.loc[own.index, "apart_s"] = np.fmax(found.loc[own.index, "apart_s"], apart_s)
        for name, many in (("households", number), ("surveys", by["id"].transform("size"))):
            found.loc[own.index, name] = np.maximum(found.loc[own.index, name], many)
    return found


def _evidence(rows: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """How many households have the point, one of the others, and what they share: the point."""
    place = shared.groupby("place")
    first = shared.sort_values(["place", "id"]).drop_duplicates(["place", "household"])
    one, two = first.groupby("place").nth(0), first.groupby("place").nth(1)
    own = shared["place"].map(one.set_index("place")["household"]) == shared["household"]
    second = shared["place"].map(two.set_index("place")["row"])
    other = second.where(own, shared["place"].map(one.set_index("place")["row"]))
    ids, communes = (rows[name].reset_index(drop=True) for name in (_id_of(rows), "commune_code"))
    found = pd.DataFrame(
        {
            "households": place["household"].transform("nunique"),
            "surveys": place["id"].transform("size"),
            "point_lon": shared["lon"],
            "point_lat": shared["lat"],
            "other": other.map(ids.astype(str)),
            "other_commune": other.map(communes),
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
        "same_fix",
        "sameness",
        1,
        0.15,
        "Một lần đo cho hai hộ",
        "One fix for two households",
        "Hai hộ có toạ độ trùng hoàn toàn, hai phiếu lập cách nhau {apart_s}.",
        "Two households have exactly the same point, in surveys {apart_s} apart.",
        "Máy có thể đã dùng lại vị trí vừa đo, nhất là khi hai nhà gần nhau hoặc hai phiếu được "
        "hỏi cùng một chỗ. Một trong hai hộ chưa có toạ độ của mình.",
        "The device may have given its last position again, above all between next-door houses "
        "or where both were asked together. One of the two has no point of its own yet.",
        same_fix,
        hidden_vi="Hai hộ có toạ độ trùng hoàn toàn, do cùng một điều tra viên hoặc thiết bị lập "
        "trong thời gian ngắn; hộ kia ở một xã khác.",
        hidden_en="Two households have exactly the same point, by one enumerator or device within "
        "a short time; the other is in another commune.",
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
