"""RULES: what makes a survey's or a site's location doubtful, one pure function each.

A rule's `find` gets a DataFrame with one row a survey or site and the settings, and returns the
rows it hits (same index) with the evidence columns worth keeping. Columns that rules read:
verdict, probability, distance_m, accuracy_m (as reported, may be NaN), accuracy_used_m,
mock_location (may be missing), lon, lat (NaN for no point), recorded_code, located_code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from geo.verdicts.matching import OUTSIDE, UNCERTAIN, UNLOCATED, VerdictSettings

SURVEY, SITE = "survey", "site"


class RuleSettings(VerdictSettings, Protocol):
    """The settings that rules read; `geo.config.Settings` has them."""

    @property
    def poor_accuracy_m(self) -> float: ...


@dataclass(frozen=True)
class Rule:
    """One doubt: how grave (1 to 3), its name and meaning in both languages, and who is hit."""

    code: str
    severity: int
    vi: str
    en: str
    means_vi: str
    means_en: str
    find: Callable[[pd.DataFrame, RuleSettings], pd.DataFrame]
    subjects: tuple[str, ...] = (SURVEY,)


_PLACE = ["probability", "distance_m", "accuracy_used_m", "recorded_code", "located_code"]


def outside(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """The point is outside the commune that the address names."""
    return rows.loc[rows["verdict"] == OUTSIDE, _PLACE]


def uncertain(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """The point is so near the border that its accuracy does not tell the side."""
    return rows.loc[rows["verdict"] == UNCERTAIN, _PLACE]


def no_point(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """There is no usable point."""
    return rows.loc[rows["lon"].isna() | rows["lat"].isna(), ["recorded_code"]]


def no_address(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """There is a point, but no commune with a polygon to hold it against."""
    located = rows["lon"].notna() & rows["lat"].notna()
    return rows.loc[located & (rows["verdict"] == UNLOCATED), ["recorded_code", "located_code"]]


def mock_location(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """The device said that its position came from an app, not from its receiver."""
    mocked = rows["mock_location"].astype("boolean").fillna(value=False).astype(bool)
    return rows.loc[mocked, ["mock_location"]]


def accuracy_missing(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """The point came without an accuracy (negative counts as none); one was assumed."""
    none = ~(rows["accuracy_m"] >= 0) & rows["lon"].notna()
    return rows.loc[none, ["accuracy_used_m"]]


def accuracy_zero(rows: pd.DataFrame, _settings: RuleSettings) -> pd.DataFrame:
    """The accuracy is exactly 0, as mocked and hand-placed points have it."""
    return rows.loc[(rows["accuracy_m"] == 0) & rows["lon"].notna(), ["accuracy_used_m"]]


def accuracy_poor(rows: pd.DataFrame, settings: RuleSettings) -> pd.DataFrame:
    """The accuracy is worse than the setting allows."""
    poor = (rows["accuracy_m"] > settings.poor_accuracy_m) & rows["lon"].notna()
    return rows.loc[poor, ["accuracy_m"]].assign(limit_m=settings.poor_accuracy_m)


_ALL = (
    Rule(
        "outside",
        3,
        "Lệch địa bàn",
        "Outside its area",
        "Điểm khảo sát nằm ngoài xã ghi trong địa chỉ, vượt quá sai số của điểm và của ranh giới.",
        "The point lies outside the commune of the recorded address, by more than the errors of "
        "the point and of the border explain.",
        outside,
        (SURVEY, SITE),
    ),
    Rule(
        "mock_location",
        3,
        "Vị trí giả lập",
        "Mocked location",
        "Thiết bị báo rằng vị trí do một ứng dụng đặt ra, không phải do máy thu định vị đo được.",
        "The device reported that an app set its position instead of the receiver.",
        mock_location,
    ),
    Rule(
        "accuracy_zero",
        2,
        "Sai số bằng 0",
        "Accuracy of zero",
        "Không máy thu nào đo được với sai số bằng 0; điểm giả lập hay đặt tay thường như vậy.",
        "No receiver measures without error; mocked and hand-placed points look like this.",
        accuracy_zero,
    ),
    Rule(
        "uncertain",
        1,
        "Gần ranh giới, chưa chắc chắn",
        "Too near the border to tell",
        "Với sai số của điểm và của ranh giới, chưa thể nói điểm ở trong hay ở ngoài xã.",
        "With the errors of point and border it cannot be told on which side the point lies.",
        uncertain,
        (SURVEY, SITE),
    ),
    Rule(
        "unlocated_no_point",
        1,
        "Không có toạ độ",
        "No point",
        "Phiếu không có toạ độ dùng được nên không kiểm tra được vị trí.",
        "There is no usable point, so the location cannot be checked.",
        no_point,
        (SURVEY, SITE),
    ),
    Rule(
        "unlocated_no_address",
        1,
        "Chưa xác định được địa bàn",
        "Address leads to no area",
        "Địa chỉ ghi nhận không dẫn tới một xã có ranh giới, nên không có gì để đối chiếu.",
        "The recorded address leads to no commune with a border to compare with.",
        no_address,
        (SURVEY, SITE),
    ),
    Rule(
        "accuracy_missing",
        1,
        "Thiếu sai số",
        "Accuracy missing",
        "Điểm không kèm sai số; hệ thống dùng một sai số giả định.",
        "The point came without an accuracy; an assumed one was used.",
        accuracy_missing,
    ),
    Rule(
        "accuracy_poor",
        1,
        "Sai số lớn",
        "Poor accuracy",
        "Sai số của điểm lớn hơn mức cho phép.",
        "The point's accuracy is worse than the limit.",
        accuracy_poor,
    ),
)

RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}


def explain(row: Mapping[str, Any], language: str) -> str:
    """One survey's or site's verdict in plain words, in Vietnamese (`vi`) or English (`en`).

    row: verdict, probability, distance_m, accuracy_m, accuracy_used_m, boundary_accuracy_m,
    lon, lat; what is missing is left out of the sentence. Plain text, not markup.
    """
    words = _WORDS["en" if language == "en" else "vi"]
    verdict = row["verdict"]
    if verdict == UNLOCATED:
        lon = row.get("lon")
        return words["no_point" if lon is None or lon != lon else "no_address"]
    numbers = _Numbers(language)
    told = {
        "distance": numbers.length(row.get("distance_m")),
        "probability": numbers.percent(row.get("probability")),
        "accuracy": numbers.length(row.get("accuracy_used_m")),
        "border": numbers.length(row.get("boundary_accuracy_m")),
        "assumed": "" if (row.get("accuracy_m") or 0) > 0 else words["assumed"],
    }
    side = "side_in" if (row.get("distance_m") or 0) >= 0 else "side_out"
    return " ".join((words[side], words["errors"], words[verdict])).format_map(told)


class _Numbers:
    """Numbers as the language writes them: 1.234,5 m in Vietnamese, 1,234.5 m in English."""

    def __init__(self, language: str):
        self._swap = None if language == "en" else str.maketrans(",.", ".,")

    def _text(self, value: float, digits: int) -> str:
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if digits else text
        return text.translate(self._swap) if self._swap else text

    def length(self, metres: float | None) -> str:
        if metres is None or metres != metres:
            return "–"
        size = abs(metres)
        if size >= 999.5:
            return self._text(size / 1000, 1) + " km"
        return self._text(size, 0 if size >= 9.95 else 1) + " m"

    def percent(self, share: float | None) -> str:
        if share is None or share != share:
            return "–"
        if share < 0.001:
            return "< " + self._text(0.1, 1) + " %"
        if share > 0.999:
            return "> " + self._text(99.9, 1) + " %"
        return self._text(100 * share, 1) + " %"


_WORDS = {
    "vi": {
        "no_point": "Không có toạ độ dùng được nên không kiểm tra được vị trí.",
        "no_address": "Địa chỉ ghi nhận không dẫn tới một xã có ranh giới, nên không có gì để "
        "đối chiếu với điểm.",
        "side_in": "Điểm nằm trong địa bàn ghi nhận, cách ranh giới {distance}.",
        "side_out": "Điểm nằm ngoài địa bàn ghi nhận, cách ranh giới {distance}.",
        "errors": "Sai số của điểm là {accuracy}{assumed}, của ranh giới là {border}.",
        "assumed": " (thiết bị không cho biết sai số của điểm, đây là mức giả định)",
        "inside": "Xác suất vị trí thật ở trong địa bàn là {probability}: khớp địa bàn.",
        "uncertain": "Xác suất vị trí thật ở trong địa bàn là {probability}: chưa chắc chắn.",
        "outside": "Xác suất vị trí thật ở trong địa bàn là {probability}: lệch địa bàn.",
    },
    "en": {
        "no_point": "There is no usable point, so the location cannot be checked.",
        "no_address": "The recorded address leads to no commune with a border, so there is "
        "nothing to compare the point with.",
        "side_in": "The point lies inside the recorded area, {distance} from its border.",
        "side_out": "The point lies outside the recorded area, {distance} from its border.",
        "errors": "The point is accurate to {accuracy}{assumed}, the border to {border}.",
        "assumed": " (the device did not tell the point's accuracy, this one is assumed)",
        "inside": "The probability that the true place is inside is {probability}: inside.",
        "uncertain": "The probability that the true place is inside is {probability}: "
        "it cannot be told.",
        "outside": "The probability that the true place is inside is {probability}: outside.",
    },
}
