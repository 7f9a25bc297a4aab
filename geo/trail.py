"""The access log: who did or asked what, where and when; only ever added to.

The database numbers, dates and chains the entries (`geo/sql/trail_schema.sql`); `geo.trail_proof`
proves that none was changed.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, literal, or_, select, text

from geo import areas, paging, scope
from geo.account_tables import access_log
from geo.areas import Area
from geo.paging import Page

LONGEST = 2_000
"""Characters of one text in an entry; the rest is left out."""

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


def append(conn: Connection, entry: Entry, *, durable: bool = True) -> None:
    """Add an entry. Make it the transaction's last step: other writers of the log wait for its end.

    durable=False is for plain reads: the commit does not wait for the disk, so a crash may lose
    the entries of the last second, and whatever else the transaction wrote.
    """
    if not durable:
        conn.execute(text("SET LOCAL synchronous_commit = off"))
    told = {
        name: _storable(value) if isinstance(value, str) else value
        for name, value in asdict(entry).items()
    }
    # The number is the trigger's; SQLAlchemy wants one all the same.
    conn.execute(insert(access_log), {"entry_id": 0, **told})


def _storable(value: str) -> str:
    """What PostgreSQL can store of a text from outside."""
    plain = value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def page(
    conn: Connection,
    *conditions: ColumnElement[bool],
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Entries about areas in the transaction's scope that meet all conditions, the newest first.

    Raises UsageError for a cursor or limit that cannot be.
    """
    paging.check_limit(limit)
    query = select(*_SHOWN).where(scope.within(conn, access_log), *conditions)
    if cursor:
        (last,) = paging.decode(cursor, [int])
        query = query.where(access_log.c.entry_id < literal(last))
    return paging.page(conn, query.order_by(access_log.c.entry_id.desc()), ["entry_id"], limit)


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
    """What concerned an area or something below it; raises UsageError for an area that ended."""
    return areas.scope(area, access_log)


def denied() -> ColumnElement[bool]:
    """What was refused."""
    return access_log.c.outcome == "denied"


def matching(wanted: str) -> ColumnElement[bool]:
    """Entries that hold a text in login, action, route, record, query, reason or address."""
    wanted = _storable(wanted)
    columns: list[Any] = [access_log.c[name] for name in _SEARCHED]
    return or_(*(column.icontains(wanted, autoescape=True) for column in columns))
