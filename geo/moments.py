"""Days and moments: what `since` and `until` mean wherever records are asked for by time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from geo.errors import UsageError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

EVER = 1 << 22
"""More days than the calendar has."""
_EPOCH = datetime(1969, 12, 31, 17, tzinfo=UTC)
_DAY, _NONE = timedelta(days=1), timedelta()

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


def days(since: Moment | None, until: Moment | None) -> tuple[int, int] | None:
    """The first day and the first one behind, where `during` asks for whole days at UTC+7.

    Days are counted from 1970-01-01; an open end lies EVER away. None for what begins or ends
    within a day, as all moments `until` do, which are included. Raises UsageError as `during` does.
    """
    if isinstance(until, datetime):
        return None
    first = (-EVER, _NONE) if since is None else divmod(_begins(since) - _EPOCH, _DAY)
    behind = (EVER, _NONE) if until is None else divmod(_begins(until, _DAY) - _EPOCH, _DAY)
    return None if first[1] or behind[1] else (first[0], behind[0])


def count_day(moment: datetime) -> int:
    """The number of the day at UTC+7 on which a moment with a zone is."""
    return (moment - _EPOCH).days


def _begins(value: Moment, later: timedelta = _NONE) -> datetime:
    """The moment, or when the day begins, in UTC: PostgreSQL knows fewer zones than Python."""
    try:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        with_zone = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        return with_zone.astimezone(UTC) + later
    except OverflowError:
        raise UsageError("This time lies beyond the years 1 to 9999.") from None
