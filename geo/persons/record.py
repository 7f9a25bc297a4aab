"""A person's record: everything that is stored about one household, and who looked at it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from geo import findings, households, paging, scope, sites, surveys
from geo.account_tables import access_log
from geo.intake.session import Key
from geo.paging import Record
from geo.persons import audited, history
from geo.photos import storing as photos
from geo.tables import import_conflict, survey

LISTS = (
    *("statuses", "surveys", "sites", "photos", *audited.LISTS),
    *("conflicts", "changes", "accesses"),
)
LOOKED_AT_MOST = 1000
_NOT_TOLD = ("geom", "cell", "content_hash", "removed")
_ACCESS = ("at", "via", "action", "subject", "subject_id", "outcome", "account_id", "reason")


def record(
    conn: Connection,
    province_code: str,
    household_code: str,
    commune_code: str | None = None,
    *,
    full_ids: bool = False,
) -> Record:
    """Everything about a household by part: household, and the LISTS; positions in EPSG:4326.

    Accounts stand in it by their numbers: whose they are the access log's readers can tell.
    full_ids: personal IDs in full, which the caller must log; else masked.
    Raises NotFoundError, ConflictError where the commune is needed, UnavailableError.
    """
    home = households.get(conn, province_code, household_code, commune_code)
    key = (province_code, home["commune_code"], household_code)
    parts = {name: home.pop(name) for name in ("statuses", "surveys", "sites")}
    if full_ids and home.pop("national_id_masked"):
        home["national_id"] = households.national_id(conn, province_code, household_code, key[1])[1]
    visits = _surveys(conn, key)
    houses = [sites.get(conn, key[0], one["site_code"], key[1]) for one in parts["sites"]]
    subjects = [
        ("household", household_code),
        *(("survey", str(one["survey_id"])) for one in visits),
        *(("site", one["site_code"]) for one in houses),
    ]
    return {
        "made_at": datetime.now(UTC),
        "household": home,
        "statuses": parts["statuses"],
        "surveys": visits,
        "sites": houses,
        "photos": photos.of_household(conn, key),
        **audited.of_household(conn, key, subjects),
        "conflicts": _conflicts(conn, key, subjects, full_ids),
        "changes": history.of(conn, key, full_ids=full_ids),
        "accesses": _accesses(conn, key, subjects),
    }


def rows(made: Record) -> int:
    """How many stored rows a record holds."""
    return 1 + sum(len(made[name]) for name in LISTS)


def _surveys(conn: Connection, key: Key) -> list[Record]:
    columns = [c for c in survey.c if c.name not in _NOT_TOLD]
    found = conn.execute(
        select(*columns, *paging.position(survey))
        .where(
            scope.within(conn, survey),
            survey.c.province_code == key[0],
            survey.c.commune_code == key[1],
            survey.c.household_code == key[2],
        )
        .order_by(survey.c.surveyed_at.desc(), survey.c.survey_id)
    )
    visits = [paging.plain(row) for row in found.mappings()]
    for one in visits:
        own = (key[0], key[1], str(one["survey_id"]))
        one["findings"] = findings.of(conn, "survey", own)
        one["history"] = surveys.history(conn, "survey", own)
    return visits


def _conflicts(
    conn: Connection, key: Key, subjects: list[tuple[str, str]], full_ids: bool
) -> list[Record]:
    told = ("kind", "key", "reason", "row", "received_at")
    found = conn.execute(
        select(*(import_conflict.c[name] for name in told))
        .where(
            scope.within(conn, import_conflict),
            _about(import_conflict, key, "kind", "key", [(f"{s}s", i) for s, i in subjects]),
        )
        .order_by(import_conflict.c.received_at.desc())
    )
    copies = [paging.plain(row) for row in found.mappings()]
    for one in copies:
        if isinstance(kept := one["row"].get("national_id"), dict):
            shown = history.shown_id(kept, key, full_ids)
            one["row"] = {**one["row"], "national_id": shown}
    return copies


def _accesses(conn: Connection, key: Key, subjects: list[tuple[str, str]]) -> list[Record]:
    """Who looked at it or changed it, the latest first."""
    found = conn.execute(
        select(*(access_log.c[name] for name in _ACCESS))
        .where(
            scope.within(conn, access_log),
            _about(access_log, key, "subject", "subject_id", subjects),
        )
        .order_by(access_log.c.entry_id.desc())
        .limit(LOOKED_AT_MOST)
    )
    return [paging.plain(row) for row in found.mappings()]


def _about(
    table: Table, key: Key, kind: str, identity: str, subjects: list[tuple[str, str]]
) -> ColumnElement[bool]:
    """Whether a row stands in the household's commune and is about one of the subjects."""
    by_kind: dict[str, list[Any]] = {}
    for name, one in subjects:
        by_kind.setdefault(name, []).append(one)
    return and_(
        table.c.province_code == key[0],
        table.c.commune_code == key[1],
        or_(*(and_(table.c[kind] == k, table.c[identity].in_(ids)) for k, ids in by_kind.items())),
    )
