"""What readers ask of the access log: whose entries, about what, where, on which day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, or_, select

from geo import areas, paging, trail
from geo.account_tables import access_log
from geo.areas import Area
from geo.errors import UsageError
from geo.paging import Record
from geo.tables import site, survey

MOST = 50_000
"""Entries of one file."""
HOUSEHOLD = "household"
TILE = "tile"
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Wanted:
    """Filters that all hold; an empty one does not filter. `day` is one of Viet Nam.

    tiles: also the tiles that maps asked for and got, which are most of all entries.
    """

    area: Area
    login: str = ""
    subject: str = ""
    subject_id: str = ""
    action: str = ""
    outcome: str = ""
    day: date | None = None
    tiles: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as conditions for `geo.trail.page`."""
        found = [trail.in_area(self.area)]
        if self.login:
            found.append(trail.by_login(self.login))
        if self.subject == HOUSEHOLD and self.subject_id:
            found.append(_about_household(self.subject_id, self.area))
        else:
            found += self._equal("subject", "subject_id")
        found += self._equal("action", "outcome")
        if not self.tiles and self.subject != TILE:
            found.append(~_tile_given())
        if self.day:
            start = datetime.combine(self.day, time(), _ZONE)
            found += [access_log.c.at >= start, access_log.c.at < start + timedelta(days=1)]
        return found

    def _equal(self, *names: str) -> list[ColumnElement[bool]]:
        return [access_log.c[name] == asked for name in names if (asked := getattr(self, name))]


def _tile_given() -> ColumnElement[bool]:
    """A refused tile is not one of these: refusals are what readers look for."""
    return and_(access_log.c.subject == TILE, access_log.c.outcome == "allowed")


def _about_household(code: str, area: Area) -> ColumnElement[bool]:
    """Whoever opens one of a household's surveys or sites has looked at the household, too."""
    visits = select(cast(survey.c.survey_id, Text)).where(
        areas.scope(area, survey), survey.c.household_code == code
    )
    houses = select(site.c.site_code).where(areas.scope(area, site), site.c.household_code == code)
    subject, key = access_log.c.subject, access_log.c.subject_id
    return or_(
        and_(subject == HOUSEHOLD, key == code),
        and_(subject == "survey", key.in_(visits)),
        and_(subject == "site", key.in_(houses)),
    )


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
