"""Makes and undoes fixes: open households of look-alike addresses get the commune, or lose it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from geo import addresses, areas, metrics, moving, scope
from geo.address_fixes import groups, stored
from geo.areas import Area
from geo.audit import run as audit
from geo.audit.actors import By
from geo.audit_tables import address_fix
from geo.config import settings
from geo.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    UsageError,
)
from geo.intake.session import Key, one_of
from geo.moving import Move
from geo.persons import history
from geo.tables import NO_COMMUNE, household, site, survey

FIX, SURVEY = "fix", "survey"
"""placed_by of a household whose commune a fix decided, or a visit inside it."""


@dataclass(frozen=True)
class Made:
    """A fix, and what it did: households that got the commune, and those that could not.

    left: their codes, because the commune has a household, survey or site of that code already.
    """

    fix_id: int
    commune: Area
    moved: int
    left: tuple[str, ...] = ()


def make(conn: Connection, text: str, commune_code: str, reason: str, by: By) -> Made:
    """Decide that `text` and its look-alikes mean a commune, for stored households and later ones.

    The same again serves households that came since. Raises NotFoundError for an unknown commune,
    UsageError for another area, ForbiddenError for one outside the areas in scope, RejectedError,
    ConflictError where a fix leads elsewhere.
    """
    why = history.checked(reason)
    commune = _commune(conn, commune_code)
    shared = stored.shared(text, addresses.resolver(conn).resolve(text))
    if not shared.safe:
        raise RejectedError(
            "The address names no commune that others could share; correct the household itself."
        )
    fix_id = _holding(conn, shared.key, commune)
    if fix_id is None:
        fix_id = conn.execute(
            insert(address_fix).returning(address_fix.c.fix_id),
            {
                **_home(commune),
                "key": shared.key,
                "example": shared.shown,
                "reason": why,
                "fixed_by": by.account_id,
                "fixed_by_name": by.name,
            },
        ).scalar_one()
    wanted = _open(conn, str(commune.province_code), shared.key)
    moved, communes = _move(conn, wanted, commune.code, FIX)
    for key in moved:
        history.add(conn, key, "commune_code", NO_COMMUNE, commune.code, why)
    _judge(conn, moved, commune, communes)
    metrics.recount(conn, communes)
    counted = address_fix.c.households + len(moved)
    conn.execute(
        update(address_fix).where(address_fix.c.fix_id == fix_id).values(households=counted)
    )
    left = sorted({key[2] for key in wanted} - {key[2] for key in moved})
    return Made(fix_id, commune, len(moved), tuple(left))


def undo(conn: Connection, fix_id: int, by: By) -> Made:
    """Take a fix back: its households are open again, unless something else has decided meanwhile.

    Raises NotFoundError, ForbiddenError where households would go back to a province that is not
    in scope.
    """
    fix = _locked(conn, fix_id)
    commune = areas.get(conn, fix["commune_code"])
    texts = _texts(conn, _placed(commune), fix["key"])
    _keep_visited(conn, commune, texts)
    keys = _keys(conn, and_(_placed(commune), household.c.recorded_address == one_of(texts)))
    if keys and not scope.of(conn).covers(commune.province_code):
        raise ForbiddenError(
            "Without the fix its households have no commune; ask who works for the province to "
            "undo it."
        )
    moved, communes = _move(conn, keys, NO_COMMUNE, None)
    for key in moved:
        history.add(conn, key, "commune_code", commune.code, NO_COMMUNE, fix["reason"])
    _judge(conn, moved, commune, communes)
    metrics.recount(conn, communes)
    conn.execute(
        update(address_fix)
        .where(address_fix.c.fix_id == fix_id)
        .values(undone_at=func.now(), undone_by=by.account_id, undone_by_name=by.name)
    )
    left = sorted({key[2] for key in keys} - {key[2] for key in moved})
    return Made(fix_id, commune, len(moved), tuple(left))


def _commune(conn: Connection, code: str) -> Area:
    if not code:
        raise RejectedError("Choose a commune.")
    found = areas.get(conn, code)
    if found.level != "commune":
        raise UsageError(f"{found.full_name} ({found.code}) is no commune; choose one of today.")
    if not scope.of(conn).covers(found.province_code, found.code):
        raise ForbiddenError(f"{found.full_name} ({found.code}) is not one of your areas.")
    return found


def _home(commune: Area) -> dict[str, str | None]:
    return {"province_code": commune.province_code, "commune_code": commune.code}


def _holding(conn: Connection, key: str, commune: Area) -> int | None:
    """The fix that says the same already; ConflictError where one says something else."""
    for _province, code in stored.in_force(conn, key).get(key, ()):
        if code != commune.code:
            name = areas.get(conn, code).full_name
            raise ConflictError(f"A fix leads these addresses to {name} ({code}); undo it first.")
    return conn.scalar(
        select(address_fix.c.fix_id).where(
            scope.within(conn, address_fix),
            address_fix.c.key == key,
            address_fix.c.commune_code == commune.code,
            address_fix.c.undone_at.is_(None),
        )
    )


def _locked(conn: Connection, fix_id: int) -> dict[str, str]:
    found = (
        conn.execute(
            select(address_fix.c.commune_code, address_fix.c.key, address_fix.c.reason)
            .where(
                scope.within(conn, address_fix),
                address_fix.c.fix_id == fix_id,
                address_fix.c.undone_at.is_(None),
            )
            .with_for_update()
        )
        .mappings()
        .first()
    )
    if found is None:
        raise NotFoundError(f"There is no fix {fix_id} that holds in your areas.")
    return {str(name): value for name, value in found.items()}


def _open(conn: Connection, province_code: str, key: str) -> list[Key]:
    """The open households of a province whose addresses share a key."""
    open_ = and_(
        scope.within(conn, household),
        household.c.province_code == province_code,
        household.c.commune_code == NO_COMMUNE,
        ~household.c.removed,
    )
    texts = _texts(conn, open_, key)
    return _keys(conn, groups.of_texts(conn, [province_code], texts))


def _placed(commune: Area) -> ColumnElement[bool]:
    """The condition for the households of a commune that a fix placed there."""
    return and_(areas.scope(commune, household), household.c.placed_by == FIX, ~household.c.removed)


def _texts(conn: Connection, which: ColumnElement[bool], key: str) -> list[str]:
    """The different addresses of some households that share a key."""
    resolver = addresses.resolver(conn)
    texts = conn.scalars(select(household.c.recorded_address).distinct().where(which))
    return [text for text in texts if stored.shared(text, resolver.resolve(text)).key == key]


def _keys(conn: Connection, which: ColumnElement[bool]) -> list[Key]:
    names = ("province_code", "commune_code", "household_code")
    rows = conn.execute(
        select(*(household.c[name] for name in names)).where(which).with_for_update()
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _move(
    conn: Connection, keys: Collection[Key], to_commune: str, placed_by: str | None
) -> tuple[list[Key], set[tuple[str, str]]]:
    """Move households; the new keys of those that moved, and the communes to recount."""
    moved = moving.move(conn, [Move(*key, to_commune) for key in keys], placed_by)
    touched = {(one.province_code, code) for one in moved for code in (one[1], one.to_commune)}
    return sorted((one.province_code, one.to_commune, one.household_code) for one in moved), touched


def _keep_visited(conn: Connection, commune: Area, texts: Sequence[str]) -> None:
    """Households that a survey found inside the commune, one of their candidates, stay."""
    visited = exists().where(
        survey.c.province_code == household.c.province_code,
        survey.c.commune_code == household.c.commune_code,
        survey.c.household_code == household.c.household_code,
        survey.c.verdict == "inside",
    )
    conn.execute(
        update(household)
        .where(
            _placed(commune),
            household.c.recorded_address == one_of(texts),
            household.c.candidates.contains([commune.code]),
            visited,
        )
        .values(placed_by=SURVEY)
    )


def _compared_with(table: Table, commune_code: str) -> ColumnElement:
    """What surveys and sites without an address of their own are compared with."""
    if commune_code:
        return literal([commune_code], ARRAY(Text))
    unsure = and_(
        household.c.address_confidence < settings().address_confidence,
        household.c.candidates != literal([], ARRAY(Text)),
    )
    return (
        select(
            # As geo.intake.placing.unsure: beside a guess the place may be another.
            case(
                (unsure, func.array_append(household.c.candidates, NO_COMMUNE)),
                else_=household.c.candidates,
            )
        )
        .where(
            household.c.province_code == table.c.province_code,
            household.c.commune_code == table.c.commune_code,
            household.c.household_code == table.c.household_code,
        )
        .scalar_subquery()
    )


def _judge(
    conn: Connection, moved: Sequence[Key], commune: Area, communes: set[tuple[str, str]]
) -> None:
    """Hold the surveys and sites of moved households against what they belong to now.

    communes: takes up those whose counts have to be renewed.
    """
    if not moved:
        return
    province_code, commune_code, _ = moved[0]
    codes = [key[2] for key in moved]
    visited: set[str] = set()
    for table in (survey, site):
        own = and_(
            table.c.province_code == province_code,
            table.c.commune_code == commune_code,
            table.c.household_code == one_of(codes),
        )
        visited |= set(conn.scalars(select(table.c.household_code).distinct().where(own)))
        conn.execute(
            update(table)
            .where(own, table.c.recorded_address.is_(None))
            .values(candidates=_compared_with(table, commune_code))
        )
    if commune_code and visited:
        audit.run(conn, commune, communes=communes)
    elif visited:
        province = areas.get(conn, province_code)
        for code in sorted(visited):
            audit.run(conn, province, household_code=code, communes=communes)
