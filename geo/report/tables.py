"""Tables of a report: columns with their kinds, so that print and workbook write the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from geo.metrics import TIME_ZONE
from geo.rules.telling import Numbers

NOTHING = "–"
Kind = Literal["text", "number", "points", "share", "chance", "metres", "moment", "day"]


@dataclass(frozen=True)
class Column:
    """One column; width: its part of the printed line, 0 where it is only in the workbook."""

    head: str
    kind: Kind = "text"
    width: float = 1.0


@dataclass(frozen=True)
class Table:
    """One part of a report. printed: how many rows are printed, the workbook has all.

    sheet: the workbook's name of it. notes: what must be said about the rows; empty: said instead.
    """

    sheet: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    notes: tuple[str, ...] = ()
    empty: str = ""
    printed: int | None = None


def written(value: Any, kind: Kind, numbers: Numbers) -> str:
    """A value as the report's language prints it; times are Viet Nam's, nothing is a dash."""
    if value is None or value == "" or value != value:
        return NOTHING
    if kind == "number":
        return numbers.plain(value)
    if kind == "points":
        return numbers.plain(value, 1)
    if kind == "share":
        return numbers.plain(100 * value, 1) + "\N{NO-BREAK SPACE}%"
    if kind == "chance":
        return numbers.percent(value).replace(" ", "\N{NO-BREAK SPACE}")
    if kind == "metres":
        return ("−" if value < 0 else "") + numbers.length(value).replace(" ", "\N{NO-BREAK SPACE}")
    if kind == "moment":
        return local(value).strftime("%d/%m/%Y %H:%M")
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else str(value)


def local(moment: datetime | str) -> datetime:
    """A time in Viet Nam."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at.astimezone(TIME_ZONE)
