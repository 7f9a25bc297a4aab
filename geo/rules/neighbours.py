"""Rules about how far a point lies from where the household and its neighbours are known to be."""

import numpy as np
import pandas as pd

from geo.geometry import Floats
from geo.rules.references import Hamlets, homes, metres, sigma
from geo.rules.rule import SITE, SURVEY, Context, Rule
from geo.verdicts.matching import OUTSIDE


def far_from_home(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The point is far from the household's own former point."""
    lon, lat = homes(rows, context.settings)
    return _far(rows, context, lon, lat, "home", context.settings.far_home_m)


def far_from_site(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The point is far from the household's house that is being built."""
    lon, lat = rows["site_lon"].to_numpy(float), rows["site_lat"].to_numpy(float)
    return _far(rows, context, lon, lat, "site", context.settings.far_site_m)


def _far(
    rows: pd.DataFrame, context: Context, lon: Floats, lat: Floats, what: str, least_m: float
) -> pd.DataFrame:
    settings = context.settings
    errors = sigma(rows["accuracy_m"], settings), sigma(rows[f"{what}_accuracy_m"], settings)
    limit = np.maximum(least_m, settings.far_sigmas * np.hypot(*errors))
    found = pd.DataFrame(
        {
            "distance_m": metres(rows, lon, lat),
            "limit_m": limit,
            f"{what}_lon": lon,
            f"{what}_lat": lat,
        },
        rows.index,
    )
    return found[found["distance_m"] > found["limit_m"]]


def far_from_hamlet(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The point is in its commune, but far from all that is known of its hamlet.

    Far from the hamlet's middle, beyond what its own spread explains; and at most one other
    household stands nearer than half that way: a hamlet of several clusters accuses nobody.
    """
    settings = context.settings
    hamlets = Hamlets(rows, settings)
    asked = rows[rows["lon"].notna() & (rows["verdict"] != OUTSIDE)]
    around = hamlets.around(asked)
    errors = np.hypot(around["spread_m"], sigma(asked["accuracy_m"], settings))
    found = pd.DataFrame(
        {
            "distance_m": metres(asked, around["lon"].to_numpy(), around["lat"].to_numpy()),
            "limit_m": np.maximum(settings.hamlet_m, settings.hamlet_spreads * errors),
            "spread_m": around["spread_m"],
            "households": around["households"],
            "hamlet_lon": around["lon"],
            "hamlet_lat": around["lat"],
        }
    )
    found = found[
        (found["distance_m"] > found["limit_m"])
        & (found["households"] >= settings.hamlet_households)
    ]
    found = found[hamlets.second_nearest(rows.loc[found.index]) > found["distance_m"] / 2]
    names = rows["village"] if "village" in rows else rows["village_key"]
    return found.assign(village=names[found.index])


NEIGHBOURS = (
    Rule(
        "far_from_hamlet",
        "location",
        2,
        0.35,
        "Xa thôn, bản của hộ",
        "Far from its hamlet",
        "Điểm cách trung tâm {village} {distance_m}, mức cho phép là {limit_m}; {households} hộ "
        "khác của thôn đã xác minh, độ tản mát {spread_m}.",
        "The point is {distance_m} from the middle of {village}, the limit is {limit_m}; "
        "{households} other verified households of the hamlet, spread {spread_m}.",
        "Điểm ở trong xã nhưng xa các hộ khác cùng thôn. Cần xem hộ có thật sự ở tách biệt, tên "
        "thôn ghi có đúng, hay phiếu được lập ở nơi khác.",
        "The point is in the commune, but far from the other households of the hamlet. See whether "
        "the household lives apart, the hamlet is misnamed, or the survey was made elsewhere.",
        far_from_hamlet,
    ),
    Rule(
        "far_from_home",
        "location",
        2,
        0.3,
        "Xa điểm đã biết của hộ",
        "Far from the household's known point",
        "Điểm cách điểm đã biết của chính hộ {distance_m}, mức cho phép là {limit_m}.",
        "The point is {distance_m} from the household's own known point; the limit is {limit_m}.",
        "Hai điểm của cùng một hộ cách nhau xa hơn sai số của chúng: hộ đã chuyển nhà, điểm cũ "
        "chưa đúng, hoặc điểm này không đo tại nhà.",
        "Two points of one household are further apart than their errors explain: it moved, the "
        "former point is wrong, or this one was not measured at the house.",
        far_from_home,
        (SURVEY, SITE),
    ),
    Rule(
        "far_from_site",
        "location",
        2,
        0.25,
        "Xa nhà đang xây, sửa",
        "Far from its rebuild site",
        "Điểm cách nhà đang xây, sửa của hộ {distance_m}, mức cho phép là {limit_m}.",
        "The point is {distance_m} from the household's rebuild site; the limit is {limit_m}.",
        "Phiếu và công trình của cùng một hộ ở hai nơi: nhà xây trên đất khác, hoặc một trong hai "
        "điểm chưa đúng.",
        "The survey and the building of one household are in two places: the house is built on "
        "other land, or one of the two points is wrong.",
        far_from_site,
    ),
)
