"""The time, in one place: functions take it as a parameter, so that tests need not wait."""

from datetime import UTC, datetime


def moment(now: datetime | None) -> datetime:
    """`now`, or the present time when the caller gives none."""
    return now or datetime.now(UTC)
