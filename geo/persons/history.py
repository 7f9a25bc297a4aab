"""The history of corrections: which field was changed when, from what to what, by whom and why."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from geo import paging, personal_ids, scope
from geo.account_tables import record_change
from geo.errors import RejectedError
from geo.intake.session import Key
from geo.paging import Record
from geo.text import clean, says_something

SHORTEST, LONGEST = 10, 500
"""Characters of a reason."""


def checked(reason: str) -> str:
    """A reason as it is kept, without personal IDs; RejectedError for one that says nothing."""
    tidy = clean(reason.replace("\0", " "))
    if not says_something(tidy, SHORTEST):
        raise RejectedError(f"Give the reason in {SHORTEST} characters and more, in words.")
    if len(tidy) > LONGEST:
        raise RejectedError(f"Give the reason in at most {LONGEST} characters.")
    return personal_ids.hidden(tidy)


def add(conn: Connection, key: Key, field: str, old: object, new: object, reason: str) -> None:
    """Keep one correction of a household; personal IDs as `personal_ids.aside` seals them."""
    province_code, commune_code, household_code = key
    conn.execute(
        insert(record_change).values(
            province_code=province_code,
            commune_code=commune_code,
            subject="household",
            subject_id=household_code,
            field=field,
            old_value=old,
            new_value=new,
            reason=reason,
            account_id=scope.of(conn).account_id,
        )
    )


def of(conn: Connection, key: Key, *, full_ids: bool = False) -> list[Record]:
    """The corrections of a household, the latest first; IDs masked unless in full.

    Raises UnavailableError where an ID cannot be opened.
    """
    province_code, commune_code, household_code = key
    names = ("changed_at", "field", "old_value", "new_value", "reason", "account_id")
    found = conn.execute(
        select(*(record_change.c[name] for name in names))
        .where(
            scope.within(conn, record_change),
            record_change.c.province_code == province_code,
            record_change.c.commune_code == commune_code,
            record_change.c.subject == "household",
            record_change.c.subject_id == household_code,
        )
        .order_by(record_change.c.change_id.desc())
    )
    told = [paging.plain(row) for row in found.mappings()]
    for change in told:
        if change["field"] == "national_id":
            for name in ("old_value", "new_value"):
                change[name] = shown_id(change[name], key, full_ids)
    return told


def shown_id(kept: Mapping[str, Any] | None, key: Key, full: bool) -> str | None:
    """A personal ID that was kept sealed: in full or masked."""
    if kept is None:
        return None
    return (
        personal_ids.from_aside(kept, key[0], key[2])
        if full
        else personal_ids.masked(str(kept["end"]))
    )
