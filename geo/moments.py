"""Days and moments: what `since` and `until` mean wherever records are asked for by time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from geo.errors import UsageError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

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
        chosen.append(column < _begins(until, timedelta(days=1)))
    return chosen


def _begins(value: Moment, later: timedelta = timedelta()) -> datetime:
    """The moment, or when the day begins, in UTC: PostgreSQL knows fewer zones than Python."""
    try:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        with_zone = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        return with_zone.astimezone(UTC) + later
    except OverflowError:
        raise UsageError("This time lies beyond the years 1 to 9999.") from None
