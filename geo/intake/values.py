"""Single values as people write them, made what the models need; each raises ValueError."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from geo import personal_ids
from geo.text import clean

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
CLOCK_SKEW = timedelta(minutes=10)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
# Only the ten digits of ASCII are digits here: int() and float() take those of all scripts.
_DECIMAL = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)(e[+-]?[0-9]+)?", re.I).fullmatch
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.I).fullmatch
_WHOLE = re.compile(r"([+-]?[0-9]{1,15})([.,]0*)?").fullmatch
_DONG = re.compile(r"[0-9]{1,18}").fullmatch
_GROUPED = re.compile(r"[0-9]{1,3}(?:([., \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3}){0,5}").fullmatch
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})").fullmatch
_CRS = re.compile(r"(?:EPSG\s*:+\s*)?([0-9]{1,6})(?:\.0*)?", re.I).fullmatch
_EXCEL_ERRORS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")
)
_DOT_SEGMENT = re.compile(r"(?:^|/)\.\.?(?:/|$)").search
_INFINITE = float("inf")
_NO_DIGITS = re.compile(r"\D+")
_TRUE = frozenset(("1", "true", "yes", "y", "có", "co", "x", "đúng"))
_FALSE = frozenset(("0", "false", "no", "n", "không", "khong", "sai"))


def shown(value: object) -> str:
    """A value short enough for a message, control characters made visible, IDs masked."""
    if isinstance(value, int) and value.bit_length() > 1000:
        return "an enormous number"  # Python refuses to write it out
    text = repr(str(value))[1:-1]
    lost_zero = isinstance(value, int) and len(text) == personal_ids.DIGITS - 1
    text = personal_ids.hidden(f"0{text}" if lost_zero else text)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def excel_error(value: object) -> str | None:
    """What is wrong with a cell that holds one of Excel's errors; None when it does not."""
    if isinstance(value, str) and value[:1] == "#" and value in _EXCEL_ERRORS:
        return f"the cell holds Excel's error {value}; mend its formula"
    return None


def tidy(value: object) -> object:
    """Text in its stored form (NFC, single spaces); numbers as text, whole ones without “.0”."""
    if isinstance(value, str):
        if value[:1] == "#" and (problem := excel_error(value)):
            raise ValueError(problem)
        if value.isascii() and value.isprintable() and "  " not in value:
            return value.strip()
        return clean(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ValueError(f"{shown(value)} is not text")
    return shown(value) if abs(value) >= 1 << 1000 else str(value)


def code(value: object) -> object:
    """A record's code, tidy; no page's address can hold dots alone between slashes."""
    text = tidy(value)
    if isinstance(text, str) and "." in text and _DOT_SEGMENT(text):
        raise ValueError(
            f"{shown(text)} has only dots between slashes; write the code without them"
        )
    return text


def number(value: object) -> float:
    """A decimal number, also with a decimal comma; NaN and infinite are refused."""
    if isinstance(value, str):
        text = value.strip()
        if not _DECIMAL(text) and not _NOT_FINITE(text):
            raise ValueError(f"{shown(value)} is not a number")
        value = float(text.replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"{shown(value)} is not a number")
    if not -_INFINITE < value < _INFINITE:
        raise ValueError(f"{value} is not a finite number; leave the cell blank when unknown")
    if isinstance(value, int) and value.bit_length() > 1000:
        raise ValueError(f"{shown(value)} is not a number")
    return value if isinstance(value, int) else float(value)


def whole(value: object) -> int:
    """A whole number, also written 4.0 or 4,0."""
    if isinstance(value, str) and (found := _WHOLE(value.strip())):
        return int(found[1])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{shown(value)} is not a whole number")


def crs(value: object) -> object:
    """A reference system's name; its bare number is one of EPSG's."""
    text = tidy(value)
    if isinstance(text, str) and (found := _CRS(text)):
        return f"EPSG:{int(found[1])}"
    return text.upper() if isinstance(text, str) else text


def money(value: object) -> object:
    """Whole đồng; groups of three digits as Vietnamese write them (60.000.000) are understood."""
    if isinstance(value, str):
        text = value.strip()
        if text and _GROUPED(text):
            return int(_NO_DIGITS.sub("", text))
        if text and not _DONG(text):
            raise ValueError(f"{shown(value)} is not a whole number of đồng, such as 60000000")
        return int(text) if text else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{shown(value)} is not a whole number of đồng, such as 60000000")


def truth(value: object) -> object:
    """Yes or no: 1/0, true/false, yes/no, có/không."""
    if value == "0" or value is False:
        return False
    if value == "1" or value is True:
        return True
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    text = value.strip().lower() if isinstance(value, str) else ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"{shown(value)} is neither 1 (có) nor 0 (không)")


def choice(value: object) -> object:
    """A code word, whatever its case."""
    if problem := excel_error(value):
        raise ValueError(problem)
    return value.strip().lower() if isinstance(value, str) else value


def uuid(value: object) -> str:
    """A UUID in its lower-case form; `uuid:` in front, as ODK writes it, is left out."""
    if isinstance(value, str):
        text = value.strip().lower()
        if _UUID(text):
            return text
        try:
            if text.isascii() and "_" not in text:  # int() would skip it
                return str(UUID(text.removeprefix("uuid:")))
        except ValueError:
            pass  # the message below
    if isinstance(value, UUID):
        return str(value)
    raise ValueError(f"{shown(value)} is not a UUID, such as 0f8fad5b-d9cb-469f-a165-70867728950e")


def moment(value: object) -> object:
    """A time with zone from text; a spreadsheet's zoneless time is taken as Vietnamese time."""
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(
                f"{shown(value)} is not a time, such as 2026-09-30T08:15:00+07:00"
            ) from None
        if when.tzinfo is None:
            raise ValueError(f"{shown(value)} has no zone; write it as {_with_zone(when)}")
        return when
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=LOCAL)
    raise ValueError(f"{shown(value)} is not a time; format the cells as date and time")


def _with_zone(when: datetime) -> str:
    return when.replace(tzinfo=LOCAL).isoformat(timespec="seconds")


def day(value: object) -> object:
    """A date: ISO, day first (30/9/2026) as Vietnamese write it, or a spreadsheet's."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            if found := _DAY_FIRST(text):
                return date(int(found[3]), int(found[2]), int(found[1]))
            return datetime.fromisoformat(text).date()
        except ValueError:
            pass  # the message below
    raise ValueError(f"{shown(value)} is not a date, such as 2026-09-30 or 30/9/2026")
