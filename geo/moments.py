"""Days and moments: what `since` and `until` mean wherever records are asked for by time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from geo.errors import UsageError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

EVER = 1 << 22
"""More days than the calendar has."""
_EPOCH = datetime(1969, 12, 31, 17, tzinfo=UTC)
_DAY, _TICK, _NONE = timedelta(days=1), timedelta(microseconds=1), timedelta()

Moment = date | datetime
"""A day of Viet Nam, or a moment; one without a zone is Viet Nam's."""


def during(
    column: ColumnElement[Any], since: Moment | None, until: Moment | None
) -> list[ColumnElement[bool]]:
    """The conditions that a time is at or after `since` and not after `until`.

    The day `until` is included whole, the moment `until` is included, too. Raises UsageError for
    what lies beyond the calendar.
    """
    chosen: list[ColumnElement[bool]] = []
    if since is not None:
        chosen.append(column >= _begins(since))
    if isinstance(until, datetime):
        chosen.append(column <= _begins(until))
    elif until is not None:
        chosen.append(column < _begins(until, _DAY))
    return chosen


class Span(NamedTuple):
    """Whole days at UTC+7, counted from 1970-01-01, less parts of the first and the last of them.

    From `first` to before `behind`; an open end lies EVER away. less: what is taken away again, as
    `since` and `until` that are both included.
    """

    first: int
    behind: int
    less: tuple[tuple[datetime, datetime], ...] = ()


def span(since: Moment | None, until: Moment | None) -> Span:
    """The days that hold what `during` asks for; raises UsageError as it does."""
    begin = None if since is None else _begins(since)
    # Times are stored to the microsecond.
    later = _TICK if isinstance(until, datetime) else _DAY
    end = None if until is None else _begins(until, later)
    if begin is not None and end is not None and begin >= end:
        return Span(0, 0)
    first, behind, less = -EVER, EVER, []
    if begin is not None:
        first = count_day(begin)
        if _day(first) < begin:
            less.append((_day(first), begin - _TICK))
    if end is not None:
        behind = count_day(end - _TICK) + 1
        if end < _day(behind):
            less.append((end, _day(behind) - _TICK))
    return Span(first, behind, tuple(less))


def count_day(moment: datetime) -> int:
    """The number of the day at UTC+7 on which a moment with a zone is."""
    return (moment - _EPOCH).days


def _day(number: int) -> datetime:
    """When a day at UTC+7 begins, as far as the calendar goes."""
    try:
        return _EPOCH + number * _DAY
    except OverflowError:
        return (datetime.max if number > 0 else datetime.min).replace(tzinfo=UTC)


def _begins(value: Moment, later: timedelta = _NONE) -> datetime:
    """The moment, or when the day begins, in UTC: PostgreSQL knows fewer zones than Python."""
    try:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        with_zone = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        return with_zone.astimezone(UTC) + later
    except OverflowError:
        raise UsageError("This time lies beyond the years 1 to 9999.") from None
