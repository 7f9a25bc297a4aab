"""Groups of an area and the share of their members that are active."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, update

from geo.account_tables import account, team, team_member
from geo.accounts import store, teams
from geo.errors import ConflictError, ForbiddenError, NotFoundError, RejectedError
from tests.accounts_world import HANOI, NOW, World, build, managing, person

SINCE = NOW - timedelta(days=30)


@pytest.fixture
def world(areas_conn: Connection) -> World:
    return build(areas_conn)


def test_ten_groups_with_366_of_366_members_active(world):
    """The report's figure: 10 groups, 366 members, all of them active."""
    conn, by = world.conn, world.user("hanoi")
    sizes = [12, 25, 31, 36, 40, 41, 42, 44, 46, 49]
    assert (len(sizes), sum(sizes)) == (10, 366)
    with managing(conn, by):
        made = [
            teams.create(conn, by, world.hanoi, f"Tổ giúp việc {number}", "tổ giúp việc")
            for number in range(10)
        ]
    people = conn.execute(
        insert(account)
        .values(
            [
                {
                    "login": f"member{number}",
                    "full_name": "Thành viên",
                    "province_code": HANOI,
                    "last_login_at": NOW - timedelta(days=number % 30),
                }
                for number in range(366)
            ]
        )
        .returning(account.c.account_id)
    ).scalars()
    for group, size in zip(made, sizes, strict=True):
        conn.execute(
            insert(team_member),
            [{"team_id": group, "account_id": next(people)} for _ in range(size)],
        )
    with managing(conn, by):
        groups = teams.activity(conn, world.hanoi, SINCE)
    total = teams.total(groups)
    assert (total.teams, total.members, total.signed_in, total.active) == (10, 366, 366, 366)
    assert total.share == 1.0
    assert [one.members for one in groups] == sizes


def test_activity_tells_apart_who_ever_signed_in_and_who_lately_did(world):
    conn = world.conn
    group = teams.create(conn, None, world.ba_dinh, "Ban chỉ đạo")
    seen = {
        "m-never": {},
        "m-long-ago": {"last_login_at": NOW - timedelta(days=31)},
        "m-at-the-limit": {"last_login_at": SINCE},
        "m-by-token": {"last_seen_at": NOW},
        "m-still-in": {"last_login_at": NOW - timedelta(days=40), "last_seen_at": NOW},
        "m-disabled": {"last_login_at": NOW, "disabled_at": NOW},
    }
    for login, values in seen.items():
        teams.add(conn, None, group, person(conn, login, world.ba_dinh, **values))
    (found,) = teams.activity(conn, world.ba_dinh, SINCE)
    assert (found.members, found.signed_in, found.active) == (5, 3, 3)
    assert found.share == 0.6
    assert [one.login for one in teams.members(conn, group)] == sorted(set(seen) - {"m-disabled"})


def test_a_group_without_members_has_no_share(world):
    teams.create(world.conn, None, world.ba_dinh, "Ban chỉ đạo")
    (found,) = teams.activity(world.conn, world.ba_dinh, SINCE)
    assert (found.members, found.share) == (0, None)
    assert teams.total([]).share is None


def test_groups_are_those_of_the_area_and_below_it(world):
    conn = world.conn
    for where in (world.country, world.hanoi, world.ba_dinh, world.in_hue):
        teams.create(conn, None, where, f"Ban chỉ đạo {where.code}")

    def names(who: str, where) -> list[str]:
        by = world.user(who)
        with managing(conn, by):
            return [one.team.area_code for one in teams.activity(conn, where, SINCE)]

    assert names("top", world.country) == ["VN", "01", world.ba_dinh.code, world.in_hue.code]
    assert names("hanoi", world.hanoi) == ["01", world.ba_dinh.code]
    assert names("local", world.hanoi) == [world.ba_dinh.code]
    assert names("hue", world.hanoi) == []


def test_members_are_added_with_their_position_and_taken_out(world):
    conn, by = world.conn, world.user("hanoi")
    with managing(conn, by):
        group = teams.create(conn, by, world.hanoi, "Ban chỉ đạo")
        teams.add(conn, by, group, world.ids["officer"], "Uỷ viên")
        teams.add(conn, by, group, world.ids["officer"], "Trưởng ban")
        teams.add(conn, by, group, world.ids["beside"])
        found = teams.members(conn, group)
        assert [(one.login, one.position) for one in found] == [
            ("beside", ""),
            ("officer", "Trưởng ban"),
        ]
        teams.take_out(conn, by, group, world.ids["beside"])
        assert [one.login for one in teams.members(conn, group)] == ["officer"]


def test_a_name_is_given_once_in_an_area(world):
    conn = world.conn
    first = teams.create(conn, None, world.hanoi, "Ban chỉ đạo")
    second = teams.create(conn, None, world.hanoi, "Tổ giúp việc")
    teams.create(conn, None, world.ba_dinh, "Ban chỉ đạo")
    with pytest.raises(ConflictError, match="group of this name"):
        teams.create(conn, None, world.hanoi, "Ban  chỉ đạo")
    with pytest.raises(ConflictError, match="group of this name"):
        teams.rename(conn, None, second, "Ban chỉ đạo")
    teams.rename(conn, None, first, "Ban chỉ đạo", "ban chỉ đạo")
    assert teams.get(conn, first).kind == "ban chỉ đạo"


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\0"])
def test_a_name_can_be_shown(world, name):
    with pytest.raises(RejectedError):
        teams.create(world.conn, None, world.hanoi, name)


def test_groups_of_other_areas_cannot_be_seen_or_changed(world):
    conn = world.conn
    group = teams.create(conn, None, world.in_hue, "Ban chỉ đạo")
    by = world.user("hanoi")
    attempts = [
        lambda: teams.get(conn, group),
        lambda: teams.members(conn, group),
        lambda: teams.rename(conn, by, group, "Mới"),
        lambda: teams.remove(conn, by, group),
        lambda: teams.add(conn, by, group, world.ids["officer"]),
        lambda: teams.take_out(conn, by, group, world.ids["in_hue"]),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError, match=f"no group {group}"), managing(conn, by):
            attempt()
    with pytest.raises(ForbiddenError), managing(conn, by):
        teams.create(conn, by, world.hue, "Ban chỉ đạo")


def test_people_of_other_areas_are_not_taken_in(world):
    conn, by = world.conn, world.user("hanoi")
    with managing(conn, by):
        group = teams.create(conn, by, world.hanoi, "Ban chỉ đạo")
    with pytest.raises(NotFoundError), managing(conn, by):
        teams.add(conn, by, group, world.ids["in_hue"])


def test_a_dissolved_group_leaves_its_members_accounts(world):
    conn = world.conn
    group = teams.create(conn, None, world.hanoi, "Ban chỉ đạo")
    teams.add(conn, None, group, world.ids["officer"])
    teams.remove(conn, None, group)
    assert conn.execute(team.select()).all() == []
    assert store.get(conn, world.ids["officer"]).login == "officer"


def test_who_moves_away_stays_a_member_until_taken_out(world):
    conn, by = world.conn, world.user("hanoi")
    group = teams.create(conn, None, world.hanoi, "Ban chỉ đạo")
    teams.add(conn, None, group, world.ids["officer"])
    conn.execute(update(account).where(account.c.login == "officer").values(province_code="46"))
    with managing(conn, by):
        assert teams.members(conn, group) == []  # not to be seen from Hà Nội any more
        teams.take_out(conn, by, group, world.ids["officer"])
    assert teams.members(conn, group) == []
