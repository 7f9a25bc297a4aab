"""How figures, dates and distances are written on pages, in the page's language.

Vietnamese: 1.234,5; English: 1,234.5; days are 31/12/2026 in both. Times are shown in
Asia/Ho_Chi_Minh. Nothing is known → an en dash, never 0.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import Any

from babel.numbers import format_decimal
from flask import Flask
from flask_babel import format_date, format_datetime, get_locale
from flask_babel import gettext as _

NOTHING = "–"
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|m|km|đ)(?!\w))|(?<=[<>]) (?=\d)")
Number = int | float


def number(value: Number | None, digits: int = 0) -> str:
    """A number with at most `digits` decimals."""
    if value is None:
        return NOTHING
    return _decimal(value, "#,##0" + ("." + "#" * digits if digits else ""))


def percent(value: float | None, digits: int = 1) -> str:
    """A ratio as per cent, with exactly `digits` decimals."""
    if value is None:
        return NOTHING
    return _decimal(100 * value, "#,##0" + ("." + "0" * digits if digits else "")) + " %"


def probability(value: float | None) -> str:
    """A probability as per cent that never claims certainty."""
    if value is None:
        return NOTHING
    if 0 <= value < 0.001:
        return "< " + percent(0.001)
    if 0.999 < value <= 1:
        return "> " + percent(0.999)
    return percent(value)


def distance(metres: float | None) -> str:
    """A length in metres, in kilometres from 1,000 m on; the sign is left to the words around."""
    if metres is None:
        return NOTHING
    length = abs(metres)
    if length >= 999.5:
        return number(length / 1000, 1) + " km"
    return number(length, 0 if length >= 10 else 1) + " m"


def money(dong: int | None) -> str:
    """Whole đồng."""
    return NOTHING if dong is None else number(dong) + " đ"


def day(value: date | datetime | str | None) -> str:
    """A day; of a time, the day it was in Viet Nam."""
    found = _parsed(value)
    if found is None:
        return NOTHING
    return format_date(found, "dd/MM/yyyy")


def moment(value: datetime | str | None) -> str:
    """A time to the minute, in Viet Nam's zone."""
    found = _parsed(value)
    if found is None:
        return NOTHING
    return format_datetime(found, "dd/MM/yyyy HH:mm")


def ago(days: int) -> str:
    """How many days ago, in words."""
    if days <= 0:
        return _("hôm nay")
    return _("hôm qua") if days == 1 else _("%(n)s ngày trước", n=number(days))


def unbroken(text: str) -> str:
    """`text` whose numbers stay on the line of their units."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)


def degrees(lat: float | None, lon: float | None) -> str:
    """A position in EPSG:4326, latitude first, as people write it."""
    if lat is None or lon is None:
        return NOTHING
    return f"{lat:.6f}, {lon:.6f}"


def figure(value: Any, kind: str) -> str:
    """A metric's value by its kind: count, ratio, money or time."""
    if kind == "ratio":
        return percent(value)
    if kind == "time":
        return moment(value)
    return money(value) if kind == "money" else number(value)


def _decimal(value: Number, pattern: str) -> str:
    # Without a sign for nothing: kept texts do not tell -0.0 from 0.
    return _written(value or 0, pattern, str(get_locale()))


@lru_cache(maxsize=20_000)
def _written(value: Number, pattern: str, locale: str) -> str:
    """A page of a province writes some seven hundred numbers, most of them the same small ones."""
    return format_decimal(value, pattern, locale)


def _parsed(value: date | datetime | str | None) -> date | datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _on_one_line(function: Callable[..., str]) -> Callable[..., str]:
    """`function` whose values never part from their signs and units; each is written once.

    A page of a province writes some seven hundred values, most of them the same small numbers.
    """

    @lru_cache(maxsize=20_000)
    def written(_locale: str, *values: Any) -> str:
        return unbroken(function(*values))

    return wraps(function)(lambda *values: written(str(get_locale()), *values))


def install(app: Flask) -> None:
    """Make the formats usable as filters in templates."""
    for function in (number, percent, probability, distance, money, day, moment, figure, ago):
        app.jinja_env.filters[function.__name__] = _on_one_line(function)
    app.jinja_env.globals["degrees"] = degrees
