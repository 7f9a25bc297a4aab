"""Rules about one point by itself: against its recorded area, and how it was measured."""

import numpy as np
import pandas as pd

from geo.geometry import Floats, Texts
from geo.rules.rule import SITE, SURVEY, Context, Rule, RuleSettings
from geo.verdicts.border import Flags
from geo.verdicts.matching import INSIDE, OUTSIDE, UNCERTAIN, UNLOCATED

_PLACE = ["probability", "distance_m", "accuracy_used_m", "recorded_code", "located_code"]


def outside(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """The point is outside the commune that the address names."""
    return rows.loc[rows["verdict"] == OUTSIDE, _PLACE]


def uncertain(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """The point is so near the border that its accuracy does not tell the side."""
    return rows.loc[rows["verdict"] == UNCERTAIN, _PLACE]


def no_point(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """There is no usable point."""
    return rows.loc[rows["lon"].isna() | rows["lat"].isna(), ["recorded_code"]]


def no_address(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """There is a point, but no commune with a polygon to hold it against."""
    located = rows["lon"].notna() & rows["lat"].notna()
    return rows.loc[located & (rows["verdict"] == UNLOCATED), ["recorded_code", "located_code"]]


def mock_location(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """The device said that its position came from an app, not from its receiver."""
    mocked = rows["mock_location"].astype("boolean").fillna(value=False).astype(bool)
    return rows.loc[mocked, ["mock_location"]]


def accuracy_missing(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """The point came without an accuracy (negative counts as none); one was assumed."""
    none = ~(rows["accuracy_m"] >= 0) & rows["lon"].notna()
    return rows.loc[none, ["accuracy_used_m"]]


def accuracy_zero(rows: pd.DataFrame, _context: Context) -> pd.DataFrame:
    """The accuracy is exactly 0, as mocked and hand-placed points have it."""
    return rows.loc[(rows["accuracy_m"] == 0) & rows["lon"].notna(), ["accuracy_used_m"]]


def accuracy_poor(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The accuracy is worse than the setting allows."""
    poor = (rows["accuracy_m"] > context.settings.poor_accuracy_m) & rows["lon"].notna()
    return rows.loc[poor, ["accuracy_m"]].assign(limit_m=context.settings.poor_accuracy_m)


def beyond_doubt(
    verdict: Texts,
    lon: Floats,
    lat: Floats,
    accuracy_m: Floats,
    mocked: Flags,
    settings: RuleSettings,
) -> Flags:
    """The rows that none of the rules here hits; told far sooner than by asking each of them."""
    measured = (accuracy_m > 0) & ~(accuracy_m > settings.poor_accuracy_m)
    return (verdict == INSIDE) & ~np.isnan(lon) & ~np.isnan(lat) & measured & ~mocked


LOCATION = (
    Rule(
        "outside",
        "location",
        3,
        0.6,
        "Lệch địa bàn",
        "Outside its area",
        "Điểm nằm ngoài địa bàn ghi nhận, cách ranh giới {distance_m}; xác suất ở trong là "
        "{probability}.",
        "The point lies outside the recorded area, {distance_m} from its border; the probability "
        "of being inside is {probability}.",
        "Điểm khảo sát nằm ngoài xã ghi trong địa chỉ, vượt quá sai số của điểm và của ranh giới.",
        "The point lies outside the commune of the recorded address, by more than the errors of "
        "the point and of the border explain.",
        outside,
        (SURVEY, SITE),
        alone=True,
        on_border=True,
    ),
    Rule(
        "mock_location",
        "measurement",
        3,
        0.6,
        "Vị trí giả lập",
        "Mocked location",
        "Thiết bị báo vị trí là giả lập.",
        "The device reported a mocked location.",
        "Thiết bị báo rằng vị trí do một ứng dụng đặt ra, không phải do máy thu định vị đo được.",
        "The device reported that an app set its position instead of the receiver.",
        mock_location,
        alone=True,
    ),
    Rule(
        "accuracy_zero",
        "measurement",
        2,
        0.25,
        "Sai số bằng 0",
        "Accuracy of zero",
        "Thiết bị báo sai số bằng 0; hệ thống dùng mức giả định {accuracy_used_m}.",
        "The device reported an accuracy of 0; {accuracy_used_m} is assumed.",
        "Không máy thu nào đo được với sai số bằng 0; điểm giả lập hay đặt tay thường như vậy.",
        "No receiver measures without error; mocked and hand-placed points look like this.",
        accuracy_zero,
        alone=True,
    ),
    Rule(
        "uncertain",
        "location",
        1,
        0.08,
        "Gần ranh giới, chưa chắc chắn",
        "Too near the border to tell",
        "Điểm cách ranh giới {distance_m}; xác suất ở trong địa bàn là {probability}.",
        "The point is {distance_m} from the border; the probability of being inside is "
        "{probability}.",
        "Với sai số của điểm và của ranh giới, chưa thể nói điểm ở trong hay ở ngoài xã.",
        "With the errors of point and border it cannot be told on which side the point lies.",
        uncertain,
        (SURVEY, SITE),
        alone=True,
        on_border=True,
    ),
    Rule(
        "unlocated_no_point",
        "measurement",
        1,
        0.15,
        "Không có toạ độ",
        "No point",
        "Không có toạ độ dùng được.",
        "There is no usable point.",
        "Phiếu không có toạ độ dùng được nên không kiểm tra được vị trí.",
        "There is no usable point, so the location cannot be checked.",
        no_point,
        (SURVEY, SITE),
        alone=True,
    ),
    Rule(
        "unlocated_no_address",
        "location",
        1,
        0.05,
        "Chưa xác định được địa bàn",
        "Address leads to no area",
        "Địa chỉ ghi nhận không dẫn tới một xã có ranh giới.",
        "The recorded address leads to no commune with a border.",
        "Địa chỉ ghi nhận không dẫn tới một xã có ranh giới, nên không có gì để đối chiếu.",
        "The recorded address leads to no commune with a border to compare with.",
        no_address,
        (SURVEY, SITE),
        alone=True,
        on_border=True,
    ),
    Rule(
        "accuracy_missing",
        "measurement",
        1,
        0.05,
        "Thiếu sai số",
        "Accuracy missing",
        "Điểm không kèm sai số; hệ thống dùng mức giả định {accuracy_used_m}.",
        "The point came without an accuracy; {accuracy_used_m} is assumed.",
        "Điểm không kèm sai số; hệ thống dùng một sai số giả định.",
        "The point came without an accuracy; an assumed one was used.",
        accuracy_missing,
        alone=True,
    ),
    Rule(
        "accuracy_poor",
        "measurement",
        1,
        0.05,
        "Sai số lớn",
        "Poor accuracy",
        "Sai số của điểm là {accuracy_m}, mức cho phép là {limit_m}.",
        "The point is accurate to {accuracy_m}; the limit is {limit_m}.",
        "Sai số của điểm lớn hơn mức cho phép.",
        "The point's accuracy is worse than the limit.",
        accuracy_poor,
        alone=True,
    ),
)
