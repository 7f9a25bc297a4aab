"""The access log: who did or asked what, where and when; only ever added to.

The database numbers, dates and chains the entries (`geo/sql/trail_schema.sql`); `geo.trail_proof`
proves that none was changed.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    case,
    cast,
    literal,
    not_,
    or_,
    select,
)

from geo import areas, paging, scope
from geo.account_tables import access_log, account
from geo.areas import Area
from geo.db import at_the_end
from geo.paging import Page
from geo.tables import household, site, survey
from geo.trail_texts import hidden, storable

_RECORDS = {
    "household": (household, household.c.household_code),
    "site": (site, site.c.site_code),
    "survey": (survey, cast(survey.c.survey_id, Text)),
}
_MASKED = ("query", "reason", "route")
_SEARCHED = ("login", "action", "route", "subject_id", "query", "reason", "address")
_SHOWN = [column for column in access_log.c if column.name not in ("previous_hash", "hash")]


@dataclass(frozen=True)
class Entry:
    """One thing that somebody did or was refused; number, time and hashes come from the database.

    via: page, api, tile, command …; route: the URL rule; subject, subject_id: the one record, with
    its area; rows: how many records an answer held; outcome: allowed, denied or failed.
    """

    via: str
    action: str
    outcome: str = "allowed"
    account_id: int | None = None
    login: str = ""
    address: str = ""
    route: str = ""
    subject: str = ""
    subject_id: str = ""
    province_code: str = ""
    commune_code: str = ""
    query: str = ""
    rows: int | None = None
    reason: str = ""


# The number is the trigger's; the column must be given one all the same.
_ADD = """
INSERT INTO access_log (
    entry_id, via, action, outcome, account_id, login, address, route, subject, subject_id,
    province_code, commune_code, query, rows, reason
) VALUES (
    0, %(via)s, %(action)s, %(outcome)s, %(account_id)s, %(login)s, %(address)s, %(route)s,
    %(subject)s, %(subject_id)s, %(province_code)s, %(commune_code)s, %(query)s, %(rows)s,
    %(reason)s
)
"""
_WITHOUT_WAITING = "SET LOCAL synchronous_commit = off; "


def append(conn: Connection, entry: Entry, *, durable: bool = True) -> None:
    """Add an entry when the transaction ends: other writers of the log wait from it to the commit.

    durable=False is for plain reads: the commit does not wait for the disk, so a crash may lose
    the entries of the last second, and whatever else the transaction wrote.
    """
    masked = _masked(entry)
    told = {
        name: storable(hidden(value) if name in masked else value)
        if isinstance(value, str)
        else value
        for name, value in asdict(entry).items()
    }
    at_the_end(conn, _ADD if durable else _WITHOUT_WAITING + _ADD, told)


def _masked(entry: Entry) -> tuple[str, ...]:
    """The texts in which no number of an identity paper may stand: what people typed freely."""
    tried = ("subject_id",) if entry.outcome != "allowed" else ()
    return (*_MASKED, *tried, *(("login",) if entry.account_id is None else ()))


def page(
    conn: Connection,
    *conditions: ColumnElement[bool],
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Entries that meet all conditions, the newest first, of the areas in the transaction's scope.

    They are about these areas, or were left by accounts whose home lies there. Raises UsageError
    for a cursor or limit that cannot be.
    """
    paging.check_limit(limit)
    own = _left_by(scope.within(conn, account))
    query = select(*_shown(conn, own)).where(or_(scope.within(conn, access_log), own), *conditions)
    if cursor:
        (last,) = paging.decode(cursor, [int])
        query = query.where(access_log.c.entry_id < literal(last))
    return paging.page(conn, query.order_by(access_log.c.entry_id.desc()), ["entry_id"], limit)


def _left_by(whose: ColumnElement[bool]) -> ColumnElement[bool]:
    return access_log.c.account_id.in_(select(account.c.account_id).where(whose))


def _shown(conn: Connection, own: ColumnElement[bool]) -> list[ColumnElement[Any]]:
    """The columns of entries, without the area of an own account's attempt on a foreign record.

    The database puts such an entry under the record's area. Shown here it would tell whoever also
    knows the account that the record exists, and where.
    """
    if scope.of(conn).everything:
        return list(_SHOWN)
    there = [
        and_(access_log.c.subject == name, _exists(conn, table, key))
        for name, (table, key) in _RECORDS.items()
    ]
    tried = and_(access_log.c.outcome != "allowed", access_log.c.subject.in_(_RECORDS))
    hide = and_(tried, own, not_(or_(*there)))
    return [
        case((hide, ""), else_=column).label(column.name)
        if column.name in ("province_code", "commune_code")
        else column
        for column in _SHOWN
    ]


def _exists(conn: Connection, table: Table, key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an entry's record is in the scope."""
    return (
        select(table.c.province_code)
        .where(
            key == access_log.c.subject_id,
            table.c.province_code == access_log.c.province_code,
            table.c.commune_code == access_log.c.commune_code,
            scope.within(conn, table),
        )
        .exists()
    )


def by_account(account_id: int) -> ColumnElement[bool]:
    """What one account did."""
    return access_log.c.account_id == account_id


def by_login(login: str) -> ColumnElement[bool]:
    """What was done or tried under a login, also one that no account has."""
    return access_log.c.login == login.lower()


def about_subject(
    subject: str, subject_id: str, province_code: str, commune_code: str
) -> ColumnElement[bool]:
    """Who looked at or changed one record, such as a household by its code and area."""
    return (
        (access_log.c.subject == subject)
        & (access_log.c.subject_id == subject_id)
        & (access_log.c.province_code == province_code)
        & (access_log.c.commune_code == commune_code)
    )


def in_area(area: Area) -> ColumnElement[bool]:
    """What concerned an area or something below it, or was done by accounts whose home lies there.

    Raises UsageError for an area that ended.
    """
    return or_(areas.scope(area, access_log), _left_by(areas.scope(area, account)))


def denied() -> ColumnElement[bool]:
    """What was refused."""
    return access_log.c.outcome == "denied"


def matching(wanted: str) -> ColumnElement[bool]:
    """Entries that hold a text in login, action, route, record, query, reason or address."""
    wanted = storable(wanted)
    columns: list[Any] = [access_log.c[name] for name in _SEARCHED]
    return or_(*(column.icontains(wanted, autoescape=True) for column in columns))
