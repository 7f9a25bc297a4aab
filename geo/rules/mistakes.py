"""Rules about mistakes in writing coordinates: each proposes the point that was meant.

Asked about surveys whose point lies outside the recorded area, or so far outside the country that
it was only kept as sent. One repair a survey: the simplest that leads into the recorded area and
is believable, see `_believed`.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import shapely

from geo.geometry import metres_between
from geo.rules import miswritten
from geo.rules.references import Hamlets, precise, sigma
from geo.rules.rule import Context, Find, Rule
from geo.verdicts.border import Flags
from geo.verdicts.matching import INSIDE, OUTSIDE, AreaShapes, Recorded, judge

_WAYS: dict[str, Callable[..., pd.DataFrame]] = {
    "swapped": miswritten.swapped,
    "lost_sign": miswritten.lost_sign,
    "degrees_minutes": miswritten.degrees_minutes,
    "wrong_zone": miswritten.wrong_zone,
}
"""The simplest first."""

_EVIDENCE = [
    *("repaired_lon", "repaired_lat", "repaired_verdict", "repaired_probability"),
    *("repaired_distance_m", "how"),
]
_NONE = pd.DataFrame(columns=["rule", *_EVIDENCE])


def repairs(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The repair of each row that has one: its rule and the evidence that goes with it."""
    if context.shapes is None or not len(context.shapes):
        return _NONE
    sent = as_sent(rows)
    asked = rows[(rows["verdict"] == OUTSIDE) & rows["lon"].notna() | sent["lon"].notna()]
    if not len(asked):
        return _NONE
    source = asked[["lon", "lat"]].fillna(sent)
    recorded = _recorded(asked)
    tried = _tried(source, asked["crs"].to_numpy(object), recorded, context.shapes)
    judged = _judged(tried, asked, recorded, context)
    if not len(judged):
        return _NONE
    kept = judged[_believed(judged, rows, asked, context)]
    best = kept.sort_values(["place", "order", "apart_m", "step"], kind="stable")
    best = best.drop_duplicates("place")
    return best.set_index(asked.index[best["place"]])[["rule", *_EVIDENCE]]


def as_sent(rows: pd.DataFrame) -> pd.DataFrame:
    """lon, lat as the device sent them, of rows whose point could not be kept as one."""
    lost = rows["lon"].isna()
    if "sent_lon" not in rows:
        return pd.DataFrame(np.nan, rows.index, ["lon", "lat"])
    return pd.DataFrame(
        {name: rows[f"sent_{name}"].astype(float).where(lost) for name in ("lon", "lat")}
    )


def _recorded(asked: pd.DataFrame) -> list[tuple[str, ...]]:
    """The communes that each row is compared with, as the verdict has them."""
    both = zip(asked["candidates"], asked["commune_code"], strict=True)
    return [tuple(several) if len(several) else (one,) * bool(one) for several, one in both]


def _tried(
    source: pd.DataFrame,
    crs: np.ndarray,
    recorded: list[tuple[str, ...]],
    shapes: AreaShapes,
) -> pd.DataFrame:
    """What every way makes of every row, as far as it lies in a recorded commune's box."""
    x, y = source["lon"].to_numpy(), source["lat"].to_numpy()
    found = [
        way(x, y, crs).assign(rule=code, order=order)
        for order, (code, way) in enumerate(_WAYS.items())
    ]
    tried = pd.concat(found, ignore_index=True)
    flat = Recorded.lists(recorded)
    area = shapes.indices(flat.codes)
    row = np.repeat(np.arange(len(recorded)), np.diff(flat.offsets))
    bounds = np.full((len(recorded), 4), [np.inf, np.inf, -np.inf, -np.inf])
    boxes = shapely.bounds(shapes.polygons[area[area >= 0]])
    np.minimum.at(bounds[:, :2], row[area >= 0], boxes[:, :2])
    np.maximum.at(bounds[:, 2:], row[area >= 0], boxes[:, 2:])
    west, south, east, north = bounds[tried["place"]].T
    near = tried["lon"].between(west, east) & tried["lat"].between(south, north)
    return miswritten.refined(tried[near], x, y)


def _judged(
    tried: pd.DataFrame, asked: pd.DataFrame, recorded: list[tuple[str, ...]], context: Context
) -> pd.DataFrame:
    """The tried points with their verdicts; those outside are left behind."""
    assert context.shapes is not None  # noqa: S101 - repairs() asked  # nosec B101
    of = asked.iloc[tried["place"]]
    found = judge(
        context.shapes,
        tried["lon"],
        tried["lat"],
        of["accuracy_m"],
        [recorded[place] for place in tried["place"]],
        context.settings,
    )
    judged = tried.assign(
        repaired_lon=tried["lon"],
        repaired_lat=tried["lat"],
        repaired_verdict=found.verdict,
        repaired_probability=found.probability,
        repaired_distance_m=found.distance_m,
        step=np.arange(len(tried)),
    )
    return judged[(found.verdict != OUTSIDE) & (found.probability > 0)]


def _believed(
    judged: pd.DataFrame, rows: pd.DataFrame, asked: pd.DataFrame, context: Context
) -> Flags:
    """Whether a repair is more than a coincidence. Adds `apart_m`, metres to a known place.

    A point outside the country is a mistake for sure, and leads back into its commune by one way
    only. Any other lies in some commune, and one of many ways may lead to the right one by
    chance: it must come near to where the household is known to stand; where nothing is known, it
    must lie surely inside, and have been far outside.
    """
    of = asked.iloc[judged["place"]]
    known = _known_places(of, rows, context)
    lon, lat, limit = (known[name].to_numpy(float) for name in ("lon", "lat", "limit_m"))
    judged["apart_m"] = metres_between(judged["lon"].to_numpy(), judged["lat"].to_numpy(), lon, lat)
    confirmed = judged["apart_m"].to_numpy() <= limit
    abroad = of["lon"].isna().to_numpy()
    far = (of["distance_m"] < -context.settings.repair_m).to_numpy()
    alone = np.isnan(lon) & far & (judged["repaired_verdict"] == INSIDE).to_numpy()
    return np.asarray(abroad | confirmed | alone, dtype=bool)


def _known_places(of: pd.DataFrame, rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Where the households of some rows are known to stand, and within which metres of it."""
    settings = context.settings
    around = rows[rows["commune_code"].isin(of["commune_code"].unique())]
    known = precise(around, settings).loc[of.index].reset_index(drop=True)
    hamlet = Hamlets(around, settings).around(of).reset_index(drop=True)
    error = sigma(of["accuracy_m"], settings)
    limits = [
        np.maximum(least, sigmas * np.hypot(spread.to_numpy(float), error))
        for least, sigmas, spread in (
            (settings.far_home_m, settings.far_sigmas, known["sigma_m"]),
            (settings.hamlet_m, settings.hamlet_spreads, hamlet["spread_m"]),
        )
    ]
    exact, learned = known["lon"].notna(), hamlet["households"] >= settings.hamlet_households
    return pd.DataFrame(
        {
            "lon": known["lon"].where(exact, hamlet["lon"].where(learned)),
            "lat": known["lat"].where(exact, hamlet["lat"].where(learned)),
            "limit_m": np.where(exact, *limits),
        }
    )


def _rule(code: str) -> Find:
    def find(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
        found = repairs(rows, context)
        return found.loc[found["rule"] == code, _EVIDENCE]

    return find


def outside_country(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The point lies outside the country, and no known mistake explains it."""
    sent = as_sent(rows).dropna().rename(columns="sent_{}".format)
    return sent.drop(index=repairs(rows, context).index, errors="ignore")


_SAYS_VI = (
    "Đổi lại theo cách {how} thì điểm là {repaired_lon}, {repaired_lat}, xác suất ở trong địa bàn "
    "ghi nhận là {repaired_probability}."
)
_SAYS_EN = (
    "Read by {how} the point is {repaired_lon}, {repaired_lat}, inside the recorded area with "
    "probability {repaired_probability}."
)

MISTAKES = (
    Rule(
        "swapped",
        "coordinates",
        3,
        0.4,
        "Đảo kinh độ, vĩ độ",
        "Latitude and longitude swapped",
        "Kinh độ và vĩ độ có vẻ bị đảo chỗ. " + _SAYS_VI,
        "Longitude and latitude look swapped. " + _SAYS_EN,
        "Nhiều khả năng chỉ là ghi nhầm cột. Có thể sửa theo điểm đề xuất; toạ độ gốc "
        "được giữ lại.",
        "Most likely only the columns were mixed up. The proposed point can be taken over; the "
        "original one is kept.",
        _rule("swapped"),
    ),
    Rule(
        "lost_sign",
        "coordinates",
        3,
        0.4,
        "Sai dấu toạ độ",
        "Wrong sign",
        "Toạ độ có vẻ sai dấu. " + _SAYS_VI,
        "A coordinate seems to have the wrong sign. " + _SAYS_EN,
        "Việt Nam ở kinh độ đông, vĩ độ bắc, toạ độ không có dấu âm. Có thể sửa theo điểm đề xuất.",
        "Viet Nam lies east and north: no coordinate is negative. The proposed point can be taken "
        "over.",
        _rule("lost_sign"),
    ),
    Rule(
        "degrees_minutes",
        "coordinates",
        3,
        0.4,
        "Độ, phút ghi thành số thập phân",
        "Degrees and minutes taken as decimal",
        "Toạ độ có vẻ là độ và phút ghi thành số thập phân. " + _SAYS_VI,
        "The coordinates look like degrees and minutes written as a decimal number. " + _SAYS_EN,
        "Nhiều khả năng chỉ là cách ghi. Nên xem các phiếu khác của cùng người, cùng thiết bị.",
        "Most likely only the way of writing. Look at other surveys of the same person and device.",
        _rule("degrees_minutes"),
    ),
    Rule(
        "wrong_zone",
        "coordinates",
        3,
        0.4,
        "Sai kinh tuyến trục",
        "Wrong TM-3 zone",
        "Toạ độ VN-2000 có vẻ được chuyển đổi với kinh tuyến trục khác. " + _SAYS_VI,
        "VN-2000 coordinates seem to have been transformed with another central meridian. "
        + _SAYS_EN,
        "Mỗi tỉnh dùng một kinh tuyến trục; chọn sai thì điểm lệch theo hướng đông – tây, khoảng "
        "100 km mỗi độ.",
        "Each province has its central meridian; a wrong one moves points east or west, about "
        "100 km a degree.",
        _rule("wrong_zone"),
    ),
    Rule(
        "outside_country",
        "coordinates",
        2,
        0.3,
        "Toạ độ ngoài Việt Nam",
        "Outside Viet Nam",
        "Toạ độ thiết bị gửi là {sent_lon}, {sent_lat}, ở ngoài Việt Nam.",
        "The device sent {sent_lon}, {sent_lat}, which lies outside Viet Nam.",
        "Không cách ghi nhầm nào đã biết giải thích được toạ độ này; cần đo lại tại nhà.",
        "No known mistake explains these coordinates; the house has to be measured again.",
        outside_country,
    ),
)
