"""Groups (ban chỉ đạo, tổ giúp việc …) of an area, their members, and who of them is active."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo import areas
from geo.account_tables import account, team, team_member
from geo.accounts import delegation, store
from geo.accounts.roles import User
from geo.areas import Area
from geo.errors import ConflictError, NotFoundError
from geo.scope import within


@dataclass(frozen=True)
class Team:
    """A group of people who work for an area."""

    team_id: int
    name: str
    kind: str
    area_code: str
    province_code: str
    commune_code: str


@dataclass(frozen=True)
class Member:
    """Somebody in a group, and what they are in it."""

    account_id: int
    login: str
    full_name: str
    position: str
    last_login_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True)
class Activity:
    """How many members a group has, and how many of them ever signed in and lately were active."""

    team: Team
    members: int
    signed_in: int
    active: int

    @property
    def share(self) -> float | None:
        """The active members' share of all, 0 to 1; None for a group without members."""
        return share(self.active, self.members)


_COLUMNS = tuple(team.c[name] for name in Team.__dataclass_fields__)


def create(conn: Connection, by: User | None, where: Area, name: str, kind: str = "") -> int:
    """A new group of an area; raises ConflictError when the area has one of this name."""
    spot = delegation.place(where)
    delegation.check_create(by, spot)
    made = conn.execute(
        upsert(team)
        .values(
            name=store.name(name),
            kind=store.name(kind) if kind.strip() else "",
            area_code=where.code,
            province_code=spot[0],
            commune_code=spot[1],
        )
        .on_conflict_do_nothing()
        .returning(team.c.team_id)
    ).scalar()
    if made is None:
        raise ConflictError(f"{where.full_name} has a group of this name already.")
    return made


def get(conn: Connection, team_id: int) -> Team:
    """One group in scope; raises NotFoundError."""
    found = conn.execute(
        select(*_COLUMNS).where(team.c.team_id == team_id, within(conn, team))
    ).first()
    if found is None:
        raise NotFoundError(f"There is no group {team_id}.")
    return Team(**found._mapping)


def rename(conn: Connection, by: User | None, team_id: int, name: str, kind: str = "") -> None:
    """Give a group another name and kind; raises ConflictError when the name is taken."""
    found = _checked(conn, by, team_id)
    new = store.name(name)
    taken = conn.execute(
        select(team.c.team_id).where(
            team.c.area_code == found.area_code, team.c.name == new, team.c.team_id != team_id
        )
    ).first()
    if taken:
        raise ConflictError("The area has a group of this name already.")
    values = {"name": new, "kind": store.name(kind) if kind.strip() else ""}
    conn.execute(update(team).where(team.c.team_id == team_id).values(values))


def remove(conn: Connection, by: User | None, team_id: int) -> None:
    """Dissolve a group; its members' accounts stay."""
    _checked(conn, by, team_id)
    conn.execute(delete(team).where(team.c.team_id == team_id))


def add(
    conn: Connection, by: User | None, team_id: int, account_id: int, position: str = ""
) -> None:
    """Take an account of the administrator's areas into a group, or change its position there."""
    _checked(conn, by, team_id)
    member = store.get(conn, account_id)
    delegation.check_create(by, member.home)
    known = store.name(position) if position.strip() else ""
    conn.execute(
        upsert(team_member)
        .values(team_id=team_id, account_id=account_id, position=known)
        .on_conflict_do_update(index_elements=["team_id", "account_id"], set_={"position": known})
    )


def take_out(conn: Connection, by: User | None, team_id: int, account_id: int) -> None:
    """Take a member out of a group; nothing happens when it is none."""
    _checked(conn, by, team_id)
    conn.execute(
        delete(team_member).where(
            team_member.c.team_id == team_id, team_member.c.account_id == account_id
        )
    )


def members(conn: Connection, team_id: int) -> list[Member]:
    """Who is in a group, by name in Vietnamese order; disabled accounts are not."""
    get(conn, team_id)
    rows = conn.execute(
        select(
            account.c.account_id,
            account.c.login,
            account.c.full_name,
            team_member.c.position,
            account.c.last_login_at,
            account.c.last_seen_at,
        )
        .join(account, account.c.account_id == team_member.c.account_id)
        .where(
            team_member.c.team_id == team_id,
            account.c.disabled_at.is_(None),
            store.shown(conn),
        )
    )
    found = [Member(**row._mapping) for row in rows]
    return sorted(found, key=lambda one: (areas.name_order(one.full_name), one.account_id))


def activity(conn: Connection, where: Area, since: datetime) -> list[Activity]:
    """The groups of an area and of all below it, with their members active since then.

    Disabled accounts are no members.
    """
    seen = func.greatest(account.c.last_login_at, account.c.last_seen_at)
    usable = and_(
        account.c.account_id == team_member.c.account_id,
        account.c.disabled_at.is_(None),
        store.shown(conn),
    )
    rows = conn.execute(
        select(
            *_COLUMNS,
            func.count(account.c.account_id).label("members"),
            func.count(account.c.last_login_at).label("signed_in"),
            func.count(account.c.account_id).filter(seen >= since).label("active"),
        )
        .select_from(team.outerjoin(team_member).outerjoin(account, usable))
        .where(areas.scope(where, team), within(conn, team))
        .group_by(team.c.team_id)
        .order_by(team.c.province_code, team.c.commune_code, team.c.name)
    )
    return [_activity(dict(row._mapping)) for row in rows]


@dataclass(frozen=True)
class Total:
    """The groups of an area together; somebody in two groups counts in both."""

    teams: int
    members: int
    signed_in: int
    active: int

    @property
    def share(self) -> float | None:
        """The active members' share of all, 0 to 1; None without members."""
        return share(self.active, self.members)


def total(groups: Sequence[Activity]) -> Total:
    """The sums over groups."""
    return Total(
        len(groups),
        sum(one.members for one in groups),
        sum(one.signed_in for one in groups),
        sum(one.active for one in groups),
    )


def share(part: int, whole: int) -> float | None:
    """part / whole; None of nothing."""
    return part / whole if whole else None


def _checked(conn: Connection, by: User | None, team_id: int) -> Team:
    found = get(conn, team_id)
    delegation.check_create(by, (found.province_code, found.commune_code))
    return found


def _activity(row: dict) -> Activity:
    counts = {name: row.pop(name) for name in ("members", "signed_in", "active")}
    return Activity(Team(**row), **counts)
