"""Corrections of a household: the old value is kept, and no older file brings it back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, update
from sqlalchemy.dialects.postgresql import insert

from geo import metrics, personal_ids
from geo.errors import RejectedError, UsageError
from geo.intake import as_stored
from geo.intake.batches import canonical, fingerprint
from geo.intake.records import validated
from geo.intake.session import Key
from geo.intake.storing_households import search_key
from geo.persons import history, holding, moves
from geo.tables import household, household_status

FIELDS = (
    "head_name",
    "village",
    "members",
    "ethnicity",
    "recorded_address",
    "national_id",
    "causes",
    "status",
)


def correct(
    conn: Connection,
    key: tuple[str, str, str | None],
    field: str,
    value: object,
    reason: str,
    year: int | None = None,
) -> Key:
    """Correct one of FIELDS of a household; returns its key: a new address may lead elsewhere.

    key: province, household code, commune (None where the code stands for one). value: as in an
    import, '' or None for none. year: of a status, which none takes back.
    Correcting back undoes it. Raises UsageError, RejectedError, NotFoundError, ConflictError.
    """
    if field not in FIELDS:
        raise UsageError(f"{field!r} cannot be corrected; there are: {', '.join(FIELDS)}.")
    why = history.checked(reason)
    stored = holding.locked(conn, *key)
    found = holding.key_of(stored)
    if field == "status":
        new, old_value, new_value = _status(conn, stored, value, year)
    else:
        parsed = _parsed(field, value)
        new = {field: parsed}
        old_value = _told(stored, field, _current(stored, field))
        new_value = _told(stored, field, new)
    if old_value == new_value or _same_id(stored, field, new):
        raise RejectedError("This is what is stored already; nothing was changed.")
    before = as_stored.record(stored)
    given = as_stored.given(before, stored)
    after = before.model_copy(update=new)
    if field == "national_id":
        given.pop("national_id", None)
    columns = _columns(stored, field, new)
    target = found
    if field == "recorded_address":
        target, place = moves.by_address(conn, stored, str(new[field]))
        columns |= place
        if given.get("commune_code") == found[1]:
            given["commune_code"] = target[1]
    columns["search_key"] = search_key(after)
    columns["content_hash"] = fingerprint(canonical(after, **given))
    conn.execute(update(household).where(holding.is_(target)).values(**columns))
    history.add(conn, target, field, old_value, new_value, why)
    communes = {found[:2], target[:2]}
    if target != found:
        history.add(conn, target, "commune_code", found[1], target[1], why)
        moves.judge_again(conn, target, communes)
    metrics.recount(conn, communes)
    return target


def _parsed(field: str, value: object) -> Any:
    """The value as an import reads it; raises RejectedError."""
    row: dict[str, object] = {"household_code": "-", "head_name": "-", "recorded_address": "-"}
    given = value.strip() if isinstance(value, str) else value
    if "\0" in str(value):
        raise RejectedError("a text holds a NUL character; remove it")
    if given in ("", None, [], ()):
        row.pop(field, None)
    else:
        row[field] = given
    (record,), problems = validated("households", [row])
    if record is None:
        raise RejectedError("; ".join(problems[0]))
    return getattr(record, field)


def _status(
    conn: Connection, stored: RowMapping, value: object, year: int | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Store the status of a year; the household's own present one, and what was and is."""
    status, year = _parsed("status", value), _parsed("status_year", year)
    if year is None:
        raise RejectedError("status: name the year that it is of.")
    found = holding.key_of(stored)
    known = moves.statuses(conn, found)
    if stored["status_year"] is not None:
        known.setdefault(stored["status_year"], stored["status"])
    old = known.pop(year, None)
    if status is None:
        own = and_(holding.is_(found, household_status), household_status.c.year == year)
        conn.execute(delete(household_status).where(own))
    else:
        known[year] = status
        values = dict(zip(("province_code", "commune_code", "household_code"), found, strict=True))
        conn.execute(
            insert(household_status)
            .values(**values, year=year, status=status)
            .on_conflict_do_update(constraint="household_status_pk", set_={"status": status})
        )
    latest = max(known, default=None)
    present = {"status": None if latest is None else known[latest], "status_year": latest}
    return present, {"year": year, "status": old}, {"year": year, "status": status}


def _columns(stored: RowMapping, field: str, new: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be stored of a new value."""
    if field == "national_id":
        return personal_ids.values(new[field], stored["province_code"], stored["household_code"])
    return {name: list(v) if isinstance(v, tuple) else v for name, v in new.items()}


def _current(stored: RowMapping, field: str) -> dict[str, Any]:
    """The value that is stored; an ID is opened only where it is the one to correct."""
    if field == "national_id":
        return {field: _opened(stored)}
    value = stored[field]
    return {field: tuple(value) if isinstance(value, list) else value}


def _told(stored: RowMapping, field: str, values: Mapping[str, Any]) -> Any:
    """A value as the history keeps it."""
    value = values[field]
    if field == "national_id" and value is not None:
        return personal_ids.aside(value, stored["province_code"], stored["household_code"])
    return list(value) if isinstance(value, tuple) else value


def _same_id(stored: RowMapping, field: str, new: Mapping[str, Any]) -> bool:
    """Whether an ID stays: sealed twice it looks different."""
    return field == "national_id" and new[field] == _opened(stored)


def _opened(stored: RowMapping) -> str | None:
    sealed = stored["national_id_sealed"]
    if sealed is None:
        return None
    return personal_ids.opened(sealed, stored["province_code"], stored["household_code"])
