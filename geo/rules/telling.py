"""Verdicts and findings in plain words, with the numbers as the language writes them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geo.rules.rule import HIDDEN, Rule
from geo.terms import STAGE_TERMS
from geo.verdicts.matching import UNLOCATED

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_HOUR, _DAY = 3600.0, 86_400.0


class Numbers:
    """Numbers as the language writes them: 1.234,5 m in Vietnamese, 1,234.5 m in English."""

    def __init__(self, language: str):
        self._language = "en" if language == "en" else "vi"
        self._swap = None if language == "en" else str.maketrans(",.", ".,")

    def plain(self, value: float, digits: int = 0) -> str:
        """A number with separators and at most so many digits after the decimal sign."""
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if digits else text
        return text.translate(self._swap) if self._swap else text

    def length(self, metres: float | None) -> str:
        """Metres, from 1 km on kilometres; without a sign."""
        if metres is None or metres != metres:
            return "–"
        size = abs(metres)
        if size >= 999.5:
            return self.plain(size / 1000, 1) + " km"
        return self.plain(size, 0 if size >= 9.95 else 1) + " m"

    def percent(self, share: float | None) -> str:
        """A probability or share, 0 to 1."""
        if share is None or share != share:
            return "–"
        if share < 0.001:
            return "< " + self.plain(0.1, 1) + " %"
        if share > 0.999:
            return "> " + self.plain(99.9, 1) + " %"
        return self.plain(100 * share, 1) + " %"

    def duration(self, seconds: float | None) -> str:
        """Seconds, minutes, hours or days, whichever reads best."""
        if seconds is None or seconds != seconds:
            return "–"
        size, names = abs(seconds), _UNITS[self._language]
        if size < 90:
            return f"{self.plain(size)} {names[0]}"
        if size < 90 * 60:
            return f"{self.plain(size / 60, 1 if size < 600 else 0)} {names[1]}"
        if size < 2 * _DAY:
            return f"{self.plain(size / _HOUR, 1)} {names[2]}"
        return f"{self.plain(size / _DAY, 1)} {names[3]}"

    def moment(self, iso: str) -> str:
        """An ISO 8601 time with zone, in Viet Nam."""
        return datetime.fromisoformat(iso).astimezone(_LOCAL).strftime("%H:%M %d/%m/%Y")

    def day(self, iso: str) -> str:
        """An ISO 8601 day."""
        return datetime.fromisoformat(iso).strftime("%d/%m/%Y")

    def stage(self, code: str) -> str:
        """A stage of building by its official term, in quotes."""
        term = STAGE_TERMS.get(code, (code, code))[self._language == "en"]
        return f"“{term}”"

    def told(self, name: str, value: Any) -> str:
        """A value of a finding's evidence; the end of its name tells what it measures.

        _m metres, _s seconds, _kmh kilometres an hour, _at a time, _on a day, _lon and _lat
        degrees, probability and _share shares, stage a stage's code, anything else a number or
        text as it is.
        """
        if value is None or value == "" or value != value:
            return "–"
        end = name.rsplit("_", 1)[-1]
        if end in _MEASURES:
            return _MEASURES[end](self, value)
        if end in ("lon", "lat"):
            return self.plain(float(value), 6)
        if isinstance(value, bool):
            return _TRUTH[self._language][value]
        if isinstance(value, int | float):
            return self.plain(float(value), 0 if float(value).is_integer() else 2)
        if isinstance(value, list):
            return ", ".join(self.told("", one) for one in value)
        return str(value)


_UNITS = {"vi": ("giây", "phút", "giờ", "ngày"), "en": ("s", "min", "h", "days")}
_TRUTH = {"vi": ("không", "có"), "en": ("no", "yes")}
_MEASURES: dict[str, Callable[[Numbers, Any], str]] = {
    "m": Numbers.length,
    "s": Numbers.duration,
    "at": Numbers.moment,
    "on": Numbers.day,
    "probability": Numbers.percent,
    "share": Numbers.percent,
    "stage": Numbers.stage,
    "kmh": lambda numbers, value: numbers.plain(value) + " km/h",
}


class _Evidence(dict[str, str]):
    """Evidence for a sentence; what an older finding does not hold is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def say(rule: Rule, evidence: Mapping[str, Any], language: str) -> str:
    """What a rule found, with its numbers, in Vietnamese (`vi`) or English (`en`). Plain text."""
    numbers = Numbers(language)
    sentence = rule.says_en if language == "en" else rule.says_vi
    if evidence.get(HIDDEN):
        sentence = (rule.hidden_en if language == "en" else rule.hidden_vi) or sentence
    return sentence.format_map(
        _Evidence({name: numbers.told(name, value) for name, value in evidence.items()})
    )


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
    numbers = Numbers(language)
    told = {
        "distance": numbers.length(row.get("distance_m")),
        "probability": numbers.percent(row.get("probability")),
        "accuracy": numbers.length(row.get("accuracy_used_m")),
        "border": numbers.length(row.get("boundary_accuracy_m")),
        "assumed": "" if (row.get("accuracy_m") or 0) > 0 else words["assumed"],
    }
    side = "side_in" if (row.get("distance_m") or 0) >= 0 else "side_out"
    return " ".join((words[side], words["errors"], words[verdict])).format_map(told)


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
