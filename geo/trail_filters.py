"""What readers ask of the access log: whose entries, about what, where, on which day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection

from geo import paging, trail
from geo.account_tables import access_log
from geo.areas import Area
from geo.errors import UsageError
from geo.paging import Record

MOST = 50_000
"""Entries of one file."""
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Wanted:
    """Filters that all hold; an empty one does not filter. `day` is one of Viet Nam."""

    area: Area
    login: str = ""
    subject: str = ""
    subject_id: str = ""
    action: str = ""
    outcome: str = ""
    day: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as conditions for `geo.trail.page`."""
        found = [trail.in_area(self.area)]
        if self.login:
            found.append(trail.by_login(self.login))
        for name in ("subject", "subject_id", "action", "outcome"):
            if asked := getattr(self, name):
                found.append(access_log.c[name] == asked)
        if self.day:
            start = datetime.combine(self.day, time(), _ZONE)
            found += [access_log.c.at >= start, access_log.c.at < start + timedelta(days=1)]
        return found


def entries(conn: Connection, wanted: Wanted) -> Iterator[Record]:
    """All entries that are wanted, the newest first; UsageError when there are more than MOST."""
    cursor, count = None, 0
    while True:
        page = trail.page(conn, *wanted.conditions(), cursor=cursor, limit=paging.MAX_LIMIT)
        count += len(page.items)
        if count > MOST:
            raise UsageError(
                f"These are more than {MOST} entries. Choose a day, an account or a smaller area."
            )
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
