"""Queries about accounts carry the scope themselves: they hold without row-level security, too."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from geo.accounts import rights, store, teams
from geo.accounts.roles import reach
from geo.errors import NotFoundError
from geo.scope import bind
from tests.accounts_world import NOW, World, build


@pytest.fixture
def world(areas_conn: Connection) -> World:
    """As the database's superuser, whom no policy holds, with the scope of Huế's administrator."""
    made = build(areas_conn)
    for where in (made.country, made.hanoi, made.hue, made.in_hue):
        teams.create(areas_conn, None, where, "Ban chỉ đạo")
    bind(areas_conn, reach(made.user("hue"), "accounts.manage"))
    return made


def test_one_account_is_found_in_scope_only(world):
    assert store.get(world.conn, world.ids["in_hue"]).login == "in_hue"
    assert store.by_login(world.conn, "hue").login == "hue"
    for login in ("top", "hanoi", "officer", "both"):
        with pytest.raises(NotFoundError):
            store.get(world.conn, world.ids[login])
        with pytest.raises(NotFoundError):
            store.by_login(world.conn, login)


def test_lists_of_accounts_are_of_the_scope_whatever_area_is_asked_for(world):
    conn, late = world.conn, NOW + timedelta(days=5000)
    for where, logins in ((world.country, ["hue", "in_hue"]), (world.hanoi, [])):
        assert [one.login for one in store.listing(conn, where)] == logins
        assert [one.login for one in store.unused(conn, where, now=late)] == logins
    several = store.several(conn, [world.ids["officer"], world.ids["in_hue"]])
    assert [one.login for one in several] == ["in_hue"]


def test_who_has_access_is_told_of_the_scope_only(world):
    told = {(one.role, one.area_code) for one in rights.holders(world.conn, world.country)}
    assert told == {("administrator", "46"), ("officer", world.in_hue.code)}


def test_groups_are_those_of_the_scope_whatever_area_is_asked_for(world):
    found = teams.activity(world.conn, world.country, NOW)
    assert [one.team.area_code for one in found] == ["46", world.in_hue.code]
    assert teams.activity(world.conn, world.hanoi, NOW) == []
    for one in found:
        assert teams.get(world.conn, one.team.team_id) == one.team
    with pytest.raises(NotFoundError):
        teams.get(world.conn, found[0].team.team_id - 1)  # Hà Nội's, made before Huế's
