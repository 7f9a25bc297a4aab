"""Rules about shifts: VN-2000 read as WGS 84, and points of one device all off by one vector.

The vector goes from a survey's point to where the household is known to stand, its own point or
its site; a hamlet's middle would be too coarse.
"""

import numpy as np
import pandas as pd

from geo.geometry import Floats, metres_per_degree, to_wgs84
from geo.rules.references import households, precise, sigma
from geo.rules.rule import Context, Rule, RuleSettings
from geo.verdicts.border import Flags
from geo.verdicts.matching import Recorded, judge

VN2000 = "EPSG:4756"
_HOW = "VN-2000 → WGS 84"
_LEAST_SIGMAS = 5.0
_SAME_SIGMAS = 3.0
_CONSTANT = 1 / 3
"""A shift is constant when its spread is at most this part of its length, and no wider than the
points' errors make it: forms filled in at one office lead to houses apart, each by its own way."""

_MAD_IN_SIGMA = 1.4826


def vn2000_as_wgs84(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The household is known to stand where the point would be, were it VN-2000."""
    known = _vectors(rows, context.settings)
    return _repaired(rows, known.index[_is_vn2000(known, context.settings)], context)


def shifted_device(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """All points of one device, else of one enumerator, are off by about the same vector."""
    found: list[pd.DataFrame] = []
    rest = rows
    for who in ("device_id", "enumerator"):
        found.append(_shifted(rest, context, who))
        rest = rest.drop(index=found[-1].index)
    return pd.concat([one for one in found if len(one)] or found[:1])


def _vectors(rows: pd.DataFrame, settings: RuleSettings) -> pd.DataFrame:
    """Of rows with a known place: east_m, north_m to it, their σ, and VN-2000's own vector."""
    place = precise(rows, settings)
    known = (place["lon"] - rows["lon"]).notna() & (place["lat"] - rows["lat"]).notna()
    rows, place = rows[known], place[known]
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)
    east, north = _metres(lon, lat, place["lon"].to_numpy(float), place["lat"].to_numpy(float))
    vn_east, vn_north = _metres(lon, lat, *to_wgs84(lon, lat, VN2000))
    return pd.DataFrame(
        {
            "east_m": east,
            "north_m": north,
            "vn_east_m": vn_east,
            "vn_north_m": vn_north,
            "sigma_m": np.hypot(place["sigma_m"], sigma(rows["accuracy_m"], settings)),
        },
        rows.index,
    )


def _metres(lon: Floats, lat: Floats, to_lon: Floats, to_lat: Floats) -> tuple[Floats, Floats]:
    along, up = metres_per_degree((lat + to_lat) / 2)
    return (to_lon - lon) * along, (to_lat - lat) * up


def _is_vn2000(known: pd.DataFrame, settings: RuleSettings) -> Flags:
    """Whether one vector is that of VN-2000, and cannot be an error of the two points."""
    length = np.hypot(known["east_m"], known["north_m"])
    left = np.hypot(known["east_m"] - known["vn_east_m"], known["north_m"] - known["vn_north_m"])
    near = left <= np.maximum(settings.shift_tolerance_m, _SAME_SIGMAS * known["sigma_m"])
    sure = (length > _LEAST_SIGMAS * known["sigma_m"]) & (left < length / 2)
    return np.asarray(near & sure, dtype=bool)


def _shifted(rows: pd.DataFrame, context: Context, who: str) -> pd.DataFrame:
    """The rows of shifted devices or enumerators, with their shift."""
    settings = context.settings
    known = _vectors(rows, settings).assign(
        who=rows[who], household=pd.Series(households(rows), rows.index)
    )
    # A household counts once, however often it was visited.
    pairs = known.dropna(subset="who").groupby(["who", "household"]).median().reset_index("who")
    shifts = _shifts_of(pairs, settings)
    hit = rows[rows["lon"].notna() & rows[who].isin(shifts.index)]
    told = shifts.loc[hit[who]].set_index(hit.index)
    far = known.reindex(hit.index)
    left = np.hypot(far["east_m"] - told["east_m"], far["north_m"] - told["north_m"])
    allowed = _LEAST_SIGMAS * np.hypot(far["sigma_m"], told["spread_m"])
    told = told[~(left > allowed)]  # without a known place of its own it is off like the others
    evidence = told.assign(group=hit[who], how=None)
    repaired = _repaired(rows, told.index[told["vn2000"].astype(bool)], context)
    evidence.loc[repaired.index, "how"] = _HOW
    evidence = evidence.drop(columns="vn2000").join(repaired.drop(columns="how"))
    return evidence.astype({"repaired_verdict": object})


def _shifts_of(pairs: pd.DataFrame, settings: RuleSettings) -> pd.DataFrame:
    """Who has a constant shift: shift_m, east_m, north_m, spread_m, households, vn2000."""
    groups = pairs.groupby("who")
    middle = groups[["east_m", "north_m", "vn_east_m", "vn_north_m"]].median()
    number = groups.size()
    apart = (
        pairs[["east_m", "north_m"]] - middle.loc[pairs["who"], ["east_m", "north_m"]].to_numpy()
    ).abs()
    spread = _MAD_IN_SIGMA * apart.assign(who=pairs["who"]).groupby("who").median().max(axis=1)
    length = np.hypot(middle["east_m"], middle["north_m"])
    left = np.hypot(
        middle["east_m"] - middle["vn_east_m"], middle["north_m"] - middle["vn_north_m"]
    )
    error = np.maximum(_SAME_SIGMAS * groups["sigma_m"].median(), settings.shift_tolerance_m)
    constant = spread <= np.minimum(_CONSTANT * length, error)
    constant &= length > _LEAST_SIGMAS * spread / np.sqrt(number)
    found = pd.DataFrame(
        {
            "shift_m": length,
            "east_m": middle["east_m"],
            "north_m": middle["north_m"],
            "spread_m": spread,
            "households": number,
            "vn2000": left <= settings.shift_tolerance_m,
        }
    )
    return found[constant & (length > settings.shift_m) & (number >= settings.shift_households)]


def _repaired(rows: pd.DataFrame, which: pd.Index, context: Context) -> pd.DataFrame:
    """Where the points lie when they are VN-2000, and the verdict there."""
    of = rows.loc[which]
    lon, lat = to_wgs84(of["lon"].to_numpy(float), of["lat"].to_numpy(float), VN2000)
    evidence = pd.DataFrame({"repaired_lon": lon, "repaired_lat": lat}, of.index)
    evidence = evidence.assign(
        repaired_verdict=None, repaired_probability=np.nan, repaired_distance_m=np.nan, how=_HOW
    )
    if context.shapes is None or not len(of):
        return evidence
    both = zip(of["candidates"], of["commune_code"], strict=True)
    recorded = Recorded.lists([tuple(c) if len(c) else (one,) * bool(one) for c, one in both])
    found = judge(context.shapes, lon, lat, of["accuracy_m"], recorded, context.settings)
    return evidence.assign(
        repaired_verdict=found.verdict,
        repaired_probability=found.probability,
        repaired_distance_m=found.distance_m,
    )


SHIFTS = (
    Rule(
        "vn2000_as_wgs84",
        "coordinates",
        2,
        0.3,
        "VN-2000 ghi là WGS 84",
        "VN-2000 taken as WGS 84",
        "Điểm có vẻ là toạ độ VN-2000 ghi thành WGS 84. Chuyển đổi lại thì điểm là {repaired_lon}, "
        "{repaired_lat}, xác suất ở trong địa bàn ghi nhận là {repaired_probability}.",
        "The point looks like VN-2000 taken for WGS 84. Transformed it is {repaired_lon}, "
        "{repaired_lat}, inside the recorded area with probability {repaired_probability}.",
        "Điểm đã biết của hộ nằm đúng ở chỗ mà phép chuyển đổi dẫn tới, cách điểm ghi khoảng "
        "224 m. Nhiều khả năng chỉ là chọn nhầm hệ toạ độ.",
        "The household's known point lies where the transformation leads, some 224 m from the "
        "recorded one. Most likely only the wrong reference system was chosen.",
        vn2000_as_wgs84,
    ),
    Rule(
        "shifted_device",
        "coordinates",
        2,
        0.3,
        "Thiết bị lệch có hệ thống",
        "Device shifted throughout",
        "Các điểm của cùng một thiết bị hay điều tra viên lệch như nhau: {shift_m} (độ tản mát "
        "{spread_m}) so với điểm đã biết của {households} hộ. Cách giải thích: {how}.",
        "Points of one device or enumerator are all off alike: by {shift_m} (spread {spread_m}) "
        "from the known points of {households} households. Explanation: {how}.",
        "Lệch như nhau ở nhiều hộ là do cài đặt hay cách đo, không phải do từng phiếu. Nên kiểm "
        "tra hệ toạ độ của thiết bị trước khi xem từng hộ.",
        "The same shift at many households comes from a setting or a way of measuring, not from "
        "single surveys. Check the device's reference system before looking at households.",
        shifted_device,
    ),
)
