"""Households: the units of the review, with their recorded address and poverty status."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
)

from geo import areas, moments, paging, personal_ids, scope, sites, surveys
from geo.accounts import sealing
from geo.areas import Area
from geo.errors import NotFoundError, UsageError
from geo.moments import Moment
from geo.paging import Box, Page, Record
from geo.tables import STATUSES, household, household_status, survey
from geo.text import clean, fold

_KEY = ("province_code", "commune_code", "household_code")
# The ID is told by its end only; what is removed is not shown at all.
_PRIVATE = ("geom", "cell", "content_hash", "search_key", "removed")
_SEALED = ("national_id_sealed", "national_id_print", "national_id_end")
_LISTED = (
    "province_code",
    "household_code",
    "commune_code",
    "head_name",
    "recorded_address",
    "village",
    "members",
    "ethnicity",
    "status",
    "status_year",
    "causes",
    "accuracy_m",
    "demo",
    "received_at",
)


def select_households() -> Select:
    """The columns of a listing, with the point as lon, lat."""
    return select(*(household.c[name] for name in _LISTED), *paging.position(household))


def conditions(
    area: Area,
    *,
    status: str | None = None,
    surveyed: bool | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    bbox: Box | None = None,
) -> list[ColumnElement[bool]]:
    """The filters of a listing; raises UsageError for a status that does not exist."""
    if status and status not in STATUSES:
        raise UsageError(f"{status!r} is no status; there are: {', '.join(STATUSES)}.")
    chosen: list[ColumnElement[bool]] = [areas.scope(area, household), ~household.c.removed]
    if status:
        chosen.append(household.c.status == status)
    if surveyed is not None:
        visits = exists().where(
            survey.c.province_code == household.c.province_code,
            survey.c.commune_code == household.c.commune_code,
            survey.c.household_code == household.c.household_code,
        )
        chosen.append(visits if surveyed else ~visits)
    chosen += moments.during(household.c.received_at, since, until)
    if bbox:
        chosen.append(paging.within(household, bbox))
    return chosen


def listing(
    conn: Connection,
    area: Area,
    *,
    status: str | None = None,
    surveyed: bool | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    bbox: Box | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """One page of an area's households by identity; `since`, `until`: when they were received.

    `surveyed` false leaves those that no survey has reached yet.
    Raises UsageError.
    """
    query = select_households().where(
        scope.within(conn, household),
        *conditions(area, status=status, surveyed=surveyed, since=since, until=until, bbox=bbox),
    )
    keys = [household.c.province_code, household.c.commune_code, household.c.household_code]
    return paging.by_key(conn, query, keys, cursor, limit)


def get(
    conn: Connection, province_code: str, household_code: str, commune_code: str | None = None
) -> Record:
    """All of one household, its personal ID masked, with its yearly statuses, surveys and sites.

    commune_code: needed where several communes of the province have a household of this code.
    Raises NotFoundError, ConflictError where it is needed.
    """
    columns = [c for c in household.c if c.name not in (*_PRIVATE, *_SEALED)]
    columns.append(household.c.national_id_end)
    found = _one(conn, columns, province_code, household_code, commune_code)
    found["national_id_masked"] = personal_ids.masked(found.pop("national_id_end"))
    key = (province_code, found["commune_code"], household_code)
    found["statuses"] = _statuses(conn, *key)
    found["surveys"] = surveys.of_household(conn, *key)
    found["sites"] = sites.of_household(conn, *key)
    return found


def national_id(
    conn: Connection, province_code: str, household_code: str, commune_code: str | None = None
) -> tuple[str, str]:
    """The household's commune and its personal ID in full; who asks must log why.

    Raises NotFoundError also where there is no ID, ConflictError as `get`, UnavailableError.
    """
    columns = [household.c.commune_code, household.c.national_id_sealed]
    found = _one(conn, columns, province_code, household_code, commune_code)
    if found["national_id_sealed"] is None:
        raise NotFoundError("No personal ID of this household is stored.")
    opened = personal_ids.opened(found["national_id_sealed"], province_code, household_code)
    return found["commune_code"], opened


def same_id(conn: Connection, one: Record) -> list[Record]:
    """The other households in the transaction's scope that have the personal ID of this one."""
    own = and_(*(household.c[name] == one[name] for name in _KEY))
    wanted = select(household.c.national_id_print).where(own).scalar_subquery()
    found = conn.execute(
        select_households()
        .where(scope.within(conn, household), household.c.national_id_print == wanted, ~own)
        .order_by(*(household.c[name] for name in _KEY))
        .limit(20)
    )
    return [paging.plain(row) for row in found.mappings()]


def _one(
    conn: Connection,
    columns: Sequence[Column[Any]],
    province_code: str,
    household_code: str,
    commune_code: str | None,
) -> Record:
    rows = (
        conn.execute(
            select(*columns, *paging.position(household)).where(
                scope.within(conn, household),
                ~household.c.removed,
                household.c.province_code == province_code,
                household.c.household_code == household_code,
                *([] if commune_code is None else [household.c.commune_code == commune_code]),
            )
        )
        .mappings()
        .all()
    )
    if not rows:
        raise NotFoundError(
            f"There is no household {household_code[:60]!r} in province {province_code!r}."
        )
    return paging.only(rows, household_code)


def _statuses(
    conn: Connection, province_code: str, commune_code: str, household_code: str
) -> list[Record]:
    found = conn.execute(
        select(household_status.c.year, household_status.c.status, household_status.c.recorded_at)
        .where(
            scope.within(conn, household_status),
            household_status.c.province_code == province_code,
            household_status.c.commune_code == commune_code,
            household_status.c.household_code == household_code,
        )
        .order_by(household_status.c.year.desc())
    )
    return [paging.plain(row) for row in found.mappings()]


_RANKED = 1000
"""Households among which the best are chosen; nobody reads on where more hold a word or letter."""


def search(conn: Connection, query: str, area: Area, limit: int = 20) -> list[Record]:
    """Households whose code is `query` or whose name, address or village holds all its words.

    Tone marks and case do not matter, nor do signs between the parts of a code. First the code's
    own household, then those whose name holds the query as one phrase, then other phrases. Of what
    more than 1,000 hold, the first 1,000 by commune and code are put in order.
    """
    paging.check_limit(limit)
    code, words = clean(query)[:200], fold(query)[:200].split()[:10]
    if not code:
        return []
    same_code = household.c.household_code == code
    holds = and_(*(household.c.search_key.contains(word) for word in words)) if words else false()
    net = (scope.within(conn, household), areas.scope(area, household), ~household.c.removed)
    key = tuple(household.primary_key)
    first = select(*key).where(*net, same_code).limit(limit)
    others = select(*key).where(*net, or_(holds, _alike(words))).order_by(*key).limit(_RANKED)
    chosen = union(first.subquery().select(), others.subquery().select()).subquery()
    found = conn.execute(
        select_households()
        .where(*net, tuple_(*key).in_(select(chosen)))
        .order_by(case((same_code, 0), (_alike(words), 1), else_=2), *_by_phrase(words))
        .order_by(household.c.household_code, household.c.commune_code)
        .limit(limit)
    )
    return [paging.plain(row) for row in found.mappings()]


def _alike(words: Sequence[str]) -> ColumnElement[bool]:
    """Whether the code is these words, whatever signs stand between them: `vp001` is VP-001.

    No more signs than letters and one: to compare lengths first spares nearly all rows the rest.
    """
    if not words:
        return false()
    joined = "".join(words)
    plain = func.translate(household.c.household_code, "Đđ", "Dd")
    parts = func.lower(func.normalize(plain, literal_column("NFD")))
    # The key begins with the code; to compare that first spares most rows the longer way.
    return and_(
        func.length(household.c.household_code) <= 2 * len(joined) + 1,
        func.replace(household.c.search_key, " ", "").startswith(joined),
        func.regexp_replace(parts, "[^0-9a-z]+", "", "g") == joined,
    )


def _by_phrase(words: Sequence[str]) -> list[ColumnElement[int]]:
    """The order of who has the words as one phrase: in the name, elsewhere, not at all."""
    key = household.c.search_key
    at = func.strpos(literal(" ").concat(key).concat(" "), f" {' '.join(words)} ")
    # The key is the code, the name, then the rest, so a name ends about here.
    code_length = func.length(household.c.household_code)
    name_ends = code_length + func.length(household.c.head_name) + 1
    return [
        case((at == 0, 2), (at <= name_ends, 0), else_=1),
        case((at == 0, 0), else_=func.greatest(at - code_length, 0)),
    ]


def by_national_id(conn: Connection, number: str, limit: int = 20) -> list[Record]:
    """The households in scope that have this personal ID; who asks must log it."""
    found = conn.execute(
        select_households()
        .where(
            scope.within(conn, household),
            household.c.national_id_print == sealing.fingerprint(number),
        )
        .order_by(*(household.c[name] for name in _KEY))
        .limit(limit)
    )
    return [paging.plain(row) for row in found.mappings()]
