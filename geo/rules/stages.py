"""Rules about the stages of a site: their order, the days between them, where they were reported.

Of each stage the last report counts: it corrects the ones before it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from geo.geometry import metres_between
from geo.rules.rule import SITE, Context, Rule, RuleSettings
from geo.tables import STAGES

_SITE = ["province_code", "commune_code", "site_code"]
_PLACE = {stage: place for place, stage in enumerate(STAGES)}


def stage_order(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A later stage is dated before an earlier one."""
    dated = _dated(rows, context)
    earlier = dated.groupby("row")["day"].cummax()
    back = (earlier - dated["day"]).where(dated["day"] < earlier)
    worst = dated.assign(days_back=back).dropna(subset="days_back")
    worst = worst.sort_values(["row", "days_back", "place"]).drop_duplicates("row", keep="last")
    # The stage before it that has the later date; of several the last one.
    pairs = worst.merge(dated, on="row", suffixes=("", "_before"))
    pairs = pairs[
        (pairs["place_before"] < pairs["place"])
        & (pairs["day_before"] - pairs["day"] == pairs["days_back"])
    ].drop_duplicates("row", keep="last")
    return _told(
        rows,
        pairs,
        {
            "stage": pairs["stage"],
            "stage_on": _on(pairs["day"]),
            "before_stage": pairs["stage_before"],
            "before_on": _on(pairs["day_before"]),
            "days_back": pairs["days_back"].astype(int),
        },
    )


def stages_too_close(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Between two stages lie fewer days than the work takes."""
    dated = _dated(rows, context)
    kind = rows["kind"].to_numpy()
    found = []
    for house, first, last, least in _fewest_days(context.settings):
        start = dated[dated["stage"] == first]
        # What was not reported itself is reached with any stage behind it.
        end = dated[dated["place"] >= _PLACE[last]].drop_duplicates("row")
        pairs = start.merge(end, on="row", suffixes=("", "_last"))
        days = pairs["day_last"] - pairs["day"]
        pairs = pairs.assign(days=days, least=least, missing=least - days)
        close = (kind[pairs["row"].to_numpy(int)] == house) & (days >= 0) & (days < least)
        found.append(pairs[close])
    pairs = pd.concat(found).sort_values(["row", "missing"], kind="stable")
    pairs = pairs.drop_duplicates("row", keep="last")
    return _told(
        rows,
        pairs,
        {
            "before_stage": pairs["stage"],
            "before_on": _on(pairs["day"]),
            "stage": pairs["stage_last"],
            "stage_on": _on(pairs["day_last"]),
            "days": pairs["days"].astype(int),
            "least_days": pairs["least"].astype(int),
        },
    )


def stage_places(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Stages of one site were reported from places further apart than their errors explain."""
    reports = _reports(rows, context)
    placed = reports[np.isfinite(reports["lon"]) & np.isfinite(reports["lat"])]
    pairs = placed.merge(placed, on="row", suffixes=("", "_before"))
    pairs = pairs[pairs["place_before"] < pairs["place"]]
    assumed = context.settings.assumed_accuracy_m
    one, two = (pairs[name] for name in ("accuracy_m", "accuracy_m_before"))
    error_m = one.where(one > 0, assumed) + two.where(two > 0, assumed)
    distance_m = metres_between(
        *(pairs[name].to_numpy(float) for name in ("lon", "lat", "lon_before", "lat_before"))
    )
    pairs = pairs.assign(distance_m=distance_m, limit_m=context.settings.stage_m + error_m)
    pairs = pairs[pairs["distance_m"] > pairs["limit_m"]]
    pairs = pairs.sort_values(["row", "distance_m", "place", "place_before"])
    pairs = pairs.drop_duplicates("row", keep="last")
    return _told(
        rows,
        pairs,
        {
            "before_stage": pairs["stage_before"],
            "stage": pairs["stage"],
            "distance_m": pairs["distance_m"].round(1),
            "limit_m": pairs["limit_m"].round(1),
        },
    )


def _fewest_days(settings: RuleSettings) -> tuple[tuple[str, str, str, int], ...]:
    """For which kind of work, from which stage to which, how many days at least."""
    return (
        ("new", "started", "completed", settings.started_completed_days),
        ("new", "started", "roof", settings.started_roof_days),
        ("new", "foundation", "completed", settings.foundation_completed_days),
        ("new", "foundation", "roof", settings.foundation_roof_days),
        ("new", "frame", "completed", settings.frame_completed_days),
        ("repair", "started", "completed", settings.repair_days),
    )


def _reports(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The last report of each stage of the rows' sites: row, place (of the stage), and as given."""
    columns = [*_SITE, "stage", "stage_on", "reported_at", "lon", "lat", "accuracy_m"]
    stages = context.stages.reindex(columns=columns)
    sites = rows[_SITE].assign(row=np.arange(len(rows)))
    keys = dict.fromkeys(_SITE, object)
    found = stages.astype(keys).merge(sites.astype(keys), on=_SITE)
    found["place"] = found["stage"].map(_PLACE).astype(float)
    found = found.dropna(subset="place").sort_values(["row", "place", "reported_at"])
    numbers = dict.fromkeys(("lon", "lat", "accuracy_m"), float)
    return found.drop_duplicates(["row", "place"], keep="last").astype(numbers)


def _dated(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The stages with a date, in their order: row, place, stage, day (a number).

    A site's own date of approval stands for that stage where nobody reported it.
    """
    columns = ["row", "place", "stage", "stage_on"]
    reports = _reports(rows, context)[columns].astype(object)
    approved = pd.DataFrame({"row": np.arange(len(rows)), "stage_on": rows["approved_on"].array})
    approved = approved.assign(place=_PLACE["approved"], stage="approved")[columns].astype(object)
    found = pd.concat([reports, approved]).astype({"row": int, "place": int})
    found["day"] = _day(found["stage_on"])
    return (
        found.dropna(subset="day").drop_duplicates(["row", "place"]).sort_values(["row", "place"])
    )


def _day(dates: pd.Series) -> pd.Series:
    """Days as numbers since 1970; NaN where there is none."""
    return (pd.to_datetime(dates) - pd.Timestamp(0)) / pd.Timedelta(days=1)


def _on(day: pd.Series) -> list[str]:
    return pd.to_datetime(day, unit="D").dt.strftime("%Y-%m-%d").tolist()


def _told(
    rows: pd.DataFrame, pairs: pd.DataFrame, evidence: dict[str, Iterable[object]]
) -> pd.DataFrame:
    """The evidence of each site that is hit."""
    return pd.DataFrame(
        {name: list(values) for name, values in evidence.items()},
        rows.index[pairs["row"].to_numpy(int)],
    )


STAGE = (
    Rule(
        "stages_too_close",
        "stage",
        3,
        0.4,
        "Giai đoạn quá sát nhau",
        "Stages too close",
        "Giai đoạn {stage} ({stage_on}) chỉ sau {before_stage} ({before_on}) {days} ngày; công "
        "việc cần ít nhất {least_days} ngày.",
        "The stage {stage} ({stage_on}) comes only {days} day(s) after {before_stage} "
        "({before_on}); the work takes at least {least_days} days.",
        "Khó có thể thi công nhanh như vậy. Một trong hai ngày chưa đúng, hoặc giai đoạn được báo "
        "khi chưa làm xong; hãy đối chiếu với ảnh và hồ sơ nghiệm thu.",
        "Building hardly goes so fast. One of the two dates is wrong, or a stage was reported "
        "before it was done; compare photos and the acceptance papers.",
        stages_too_close,
        (SITE,),
    ),
    Rule(
        "stage_places",
        "stage",
        3,
        0.4,
        "Các giai đoạn ở khác chỗ",
        "Stages at different places",
        "Giai đoạn {stage} được báo cách chỗ của {before_stage} {distance_m}; sai số chỉ cho phép "
        "{limit_m}.",
        "The stage {stage} was reported {distance_m} from the place of {before_stage}; errors "
        "explain up to {limit_m}.",
        "Một ngôi nhà không dời chỗ. Có thể một báo cáo thuộc công trình khác, hoặc toạ độ được "
        "lấy ở nơi khác.",
        "A house does not move. One of the reports may be of another house, or its point was "
        "taken elsewhere.",
        stage_places,
        (SITE,),
    ),
    Rule(
        "stage_order",
        "stage",
        2,
        0.25,
        "Ngày của giai đoạn bị ngược",
        "Stage dates go back",
        "Giai đoạn {stage} ghi ngày {stage_on}, sớm hơn {days_back} ngày so với {before_stage} "
        "({before_on}).",
        "The stage {stage} is dated {stage_on}, {days_back} day(s) before {before_stage} "
        "({before_on}).",
        "Giai đoạn sau không thể xong trước giai đoạn trước. Một trong hai ngày cần được sửa.",
        "A later stage cannot come before an earlier one. One of the two dates must be mended.",
        stage_order,
        (SITE,),
    ),
)
