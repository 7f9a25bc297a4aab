"""Roles given and taken back, and the administration of an area handed over."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geo import areas
from geo.account_tables import account, account_role, handover
from geo.accounts import delegation, store
from geo.accounts.roles import ADMINISTRATOR, User, held_by
from geo.areas import Area
from geo.errors import ConflictError, NotFoundError, RejectedError, UsageError
from geo.scope import within
from geo.text import says_something

SHORTEST, _MAX_REASON = 10, 500


def grant(conn: Connection, by: User | None, account_id: int, role: str, where: Area) -> bool:
    """Give the account a role in an area and all below it; False when it has it already.

    A role that no longer counts, because its area was made anew, counts again.
    """
    found, spot = store.get(conn, account_id), delegation.place(where)
    delegation.check_grant(by, account_id, found.home, found.places, role, spot)
    if any((one.role, one.area_code, one.counts) == (role, where.code, True) for one in found.held):
        return False
    giver = by.account_id if by else None
    values = {"province_code": spot[0], "commune_code": spot[1], "granted_by": giver}
    conn.execute(
        upsert(account_role)
        .values(account_id=account_id, role=role, area_code=where.code, **values)
        .on_conflict_do_update(
            index_elements=["account_id", "role", "area_code"],
            set_={**values, "granted_at": func.now()},
        )
    )
    return True


def revoke(conn: Connection, by: User | None, account_id: int, role: str, area_code: str) -> None:
    """Take a role back, from the account's next request on; NotFoundError when it has none."""
    found = store.get(conn, account_id)
    held = [one for one in found.held if (one.role, one.area_code) == (role, area_code)]
    if not held:
        raise NotFoundError("The account does not have this role there.")
    spot = (held[0].province_code, held[0].commune_code)
    delegation.check_grant(by, account_id, found.home, found.places, role, spot)
    _take(conn, account_id, role, area_code)


def hand_over(
    conn: Connection,
    by: User,
    account_id: int,
    where: Area,
    *,
    reason: str,
    keep: bool = True,
) -> int:
    """Make an account of the area its administrator, and record that; the record's number.

    keep False: the giver's own administrator role of exactly this area ends. One of an area above
    stays in any case, because it is for more than this area: keep False is a UsageError then.
    """
    found, spot = store.get(conn, account_id), delegation.place(where)
    delegation.check_grant(by, account_id, found.home, found.places, ADMINISTRATOR, spot)
    if not says_something(reason, SHORTEST):
        raise RejectedError(f"Give the reason in {SHORTEST} characters and more, in words.")
    if not _lies_in(found.home, spot):
        raise UsageError(f"The account must belong to {where.full_name} or to an area below it.")
    own = [one for one in held_by(by.assignments, ADMINISTRATOR) if one.area_code == where.code]
    if not keep and not own:
        raise UsageError(
            "You administer this area by a role in an area above, which stays: hand over with keep."
        )
    if not grant(conn, by, account_id, ADMINISTRATOR, where) and keep:
        raise ConflictError("The account is administrator there already.")
    number = conn.execute(
        insert(handover)
        .values(
            area_code=where.code,
            province_code=spot[0],
            commune_code=spot[1],
            from_account_id=by.account_id,
            to_account_id=account_id,
            reason=store.name(reason, _MAX_REASON),
        )
        .returning(handover.c.handover_id)
    ).scalar_one()
    if not keep:
        _take(conn, by.account_id, ADMINISTRATOR, where.code)
    return number


@dataclass(frozen=True)
class Holder:
    """Somebody who has a role that reaches an area; login '' where the scope does not show it."""

    account_id: int
    login: str
    full_name: str
    disabled: bool
    role: str
    area_code: str


def holders(conn: Connection, where: Area, limit: int = 1000) -> list[Holder]:
    """Who has access to an area: by a role there, below it or above it, as far as in scope.

    The highest area comes first. Roles above the administrator's own areas are out of scope.
    """
    province_code, _ = delegation.place(where)
    above = (account_role.c.province_code == "") | (
        (account_role.c.province_code == province_code) & (account_role.c.commune_code == "")
    )
    rows = conn.execute(
        select(
            account_role.c.account_id,
            func.coalesce(account.c.login, "").label("login"),
            func.coalesce(account.c.full_name, "").label("full_name"),
            account.c.disabled_at.is_not(None).label("disabled"),
            account_role.c.role,
            account_role.c.area_code,
        )
        .outerjoin(account, (account.c.account_id == account_role.c.account_id) & store.shown(conn))
        .where(or_(areas.scope(where, account_role), above), within(conn, account_role))
        .order_by(
            account_role.c.province_code,
            account_role.c.commune_code,
            account_role.c.role,
            account_role.c.account_id,
        )
        .limit(limit)
    )
    return [Holder(**row._mapping) for row in rows]


def _lies_in(home: delegation.Place, spot: delegation.Place) -> bool:
    return all(part in ("", own) for part, own in zip(spot, home, strict=True))


def _take(conn: Connection, account_id: int, role: str, area_code: str) -> None:
    conn.execute(
        delete(account_role).where(
            account_role.c.account_id == account_id,
            account_role.c.role == role,
            account_role.c.area_code == area_code,
        )
    )
