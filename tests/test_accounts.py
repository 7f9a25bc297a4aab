"""Accounts through the server's own role: made, found, listed, and what they are just now."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select, update

from geo import areas
from geo.account_tables import account, account_role, handover, login_session, token
from geo.accounts import (
    rights,
    sign_in,
    store,
)
from geo.accounts.roles import can, reach
from geo.errors import (
    ConflictError,
    NotFoundError,
    RejectedError,
    UsageError,
)
from geo.scope import NOBODY
from geo.tables import area
from tests.accounts_world import HANOI, NOW, World, build, managing, served


@pytest.fixture
def world(areas_conn: Connection) -> World:
    return build(areas_conn)


# ── making and finding ──────────────────────────────────────────────────────────────────────────


def test_a_new_account_signs_in_with_the_password_that_was_told(world):
    by = world.user("hanoi")
    with managing(world.conn, by) as conn:
        made, password = store.create(
            conn,
            by,
            login=" Nguyen.Van-A@Hanoi ",
            full_name="Nguyễn  Văn A",
            position="Trưởng thôn",
            home=world.ba_dinh,
        )
    found = store.get(world.conn, made)
    assert (found.login, found.full_name, found.position) == (
        "nguyen.van-a@hanoi",
        "Nguyễn Văn A",
        "Trưởng thôn",
    )
    assert (found.home_code, found.must_change_password, found.held) == (
        world.ba_dinh.code,
        True,
        (),
    )
    with served(world.conn, NOBODY) as conn:
        assert sign_in.sign_in(conn, "NGUYEN.van-a@hanoi", password, now=NOW).answer == "in"


@pytest.mark.parametrize(
    "login",
    ["", "ab", "-an", ".an", "an nguyen", "nguyễn", "a" * 65, "an/..", "an<b>", "an'--", "an\0x"],
)
def test_a_login_of_other_characters_is_refused(world, login):
    with pytest.raises(RejectedError, match="A login has 3 to 64"):
        store.create(world.conn, None, login=login, full_name="An", home=world.hanoi)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "An\0", "An\u202e", "\u200b"])
def test_a_name_that_cannot_be_shown_is_refused(world, name):
    with pytest.raises(RejectedError, match="1 to 200 characters"):
        store.create(world.conn, None, login="an.nguyen", full_name=name, home=world.hanoi)


def test_a_login_is_given_once(world):
    with pytest.raises(ConflictError, match="'officer' is in use"):
        store.create(world.conn, None, login="OFFICER", full_name="An", home=world.hue)


def test_an_area_that_has_ended_has_no_accounts(world):
    former = world.conn.execute(
        select(area.c.code, area.c.valid_to).where(
            area.c.level == "district", area.c.province_code == HANOI
        )
    ).first()
    ended = areas.get(world.conn, former.code, on=former.valid_to)
    with pytest.raises(UsageError, match="has ended"):
        store.create(world.conn, None, login="an.nguyen", full_name="An", home=ended)
    with pytest.raises(UsageError, match="has ended"):
        rights.grant(world.conn, None, world.ids["officer"], "officer", ended)


SEEN = {
    "top": {
        "top", "hanoi", "hanoi2", "hue", "local", "officer", "beside", "in_hue", "both", "above"
    },
    "hanoi": {"hanoi", "hanoi2", "local", "officer", "beside", "both", "above"},
    "hue": {"hue", "in_hue"},
    "local": {"local", "officer", "both", "above"},
    "officer": {"officer"},
}  # fmt: skip


@pytest.mark.parametrize("who", SEEN)
def test_an_administrator_finds_the_accounts_of_their_areas_and_no_others(world, who):
    by = world.user(who)
    with served(world.conn, reach(by, "accounts.manage")) as conn:
        found = set()
        for login, account_id in world.ids.items():
            try:
                assert store.get(conn, account_id).login == login
                assert store.by_login(conn, login.upper()).account_id == account_id
                found.add(login)
            except NotFoundError:
                with pytest.raises(NotFoundError):
                    store.by_login(conn, login)
        by_sql = set(conn.execute(select(account.c.login)).scalars())
    assert found == by_sql == SEEN[who]


def test_what_is_hidden_reads_as_what_does_not_exist(world):
    by = world.user("hue")
    with managing(world.conn, by) as conn:
        said = []
        for login in ("officer", "nobody.at.all"):
            with pytest.raises(NotFoundError) as caught:
                store.by_login(conn, login)
            said.append(str(caught.value).replace(login, "…"))
    assert said[0] == said[1]


def test_without_a_scope_the_servers_role_sees_no_account(world):
    with served(world.conn, NOBODY) as conn:
        for table in (account, account_role, handover, login_session, token):
            assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_a_listing_is_of_an_area_by_login_and_goes_on_where_it_stopped(world):
    by = world.user("hanoi")
    with managing(world.conn, by) as conn:
        whole = [one.login for one in store.listing(conn, world.hanoi)]
        assert whole == ["above", "beside", "both", "hanoi", "hanoi2", "local", "officer"]
        page = store.listing(conn, world.hanoi, after="both", limit=2)
        assert [one.login for one in page] == ["hanoi", "hanoi2"]
        local = store.listing(conn, world.ba_dinh)
        assert [one.login for one in local] == ["above", "both", "local", "officer"]
        assert store.listing(conn, world.hue) == []
        assert [one.login for one in store.listing(conn, world.country)] == whole


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("FIC", ["officer"]),
        ("người off", ["officer"]),
        ("NGƯỜI Bo", ["both"]),
        ("%", []),
        ("_", []),
        ("'; DROP TABLE account --", []),
    ],
)
def test_a_listing_looks_for_part_of_a_login_or_name(world, query, found):
    listed = store.listing(world.conn, world.ba_dinh, query=query)
    assert [one.login for one in listed] == found


def test_accounts_not_used_for_thirty_days(world):
    conn = world.conn
    values = {
        "officer": {"last_login_at": NOW - timedelta(days=31)},
        "both": {"last_login_at": NOW - timedelta(days=29)},
        "beside": {"last_login_at": NOW - timedelta(days=90), "last_seen_at": NOW},
        "above": {"last_login_at": NOW - timedelta(days=90), "disabled_at": NOW},
        "local": {"created_at": NOW - timedelta(days=3)},
    }
    conn.execute(update(account).values(created_at=NOW - timedelta(days=100)))
    for login, changed in values.items():
        conn.execute(update(account).where(account.c.login == login).values(changed))
    by = world.user("hanoi")
    with managing(conn, by) as seen:
        found = store.unused(seen, world.hanoi, days=30, now=NOW)
    # hanoi and hanoi2 never signed in.
    assert [one.login for one in found] == ["hanoi", "hanoi2", "officer"]


# ── roles at this moment ────────────────────────────────────────────────────────────────────────


def test_a_user_has_the_roles_that_the_account_has(world):
    found = world.user("both")
    assert {(one.role, one.area_code) for one in found.assignments} == {
        ("officer", world.ba_dinh.code),
        ("officer", world.in_hue.code),
    }
    assert can(found, "records.read", world.ba_dinh)
    assert not can(found, "records.read", world.beside)


def test_an_area_that_ended_gives_no_rights_but_is_listed(world):
    conn, code = world.conn, world.ba_dinh.code
    conn.execute(
        update(area)
        .where(area.c.code == code, area.c.valid_to.is_(None))
        .values(valid_to=date(2026, 6, 30))
    )
    assert world.user("officer").assignments == ()
    held = store.get(conn, world.ids["officer"]).held
    assert [(one.role, one.area_code, one.counts) for one in held] == [("officer", code, False)]


def test_a_commune_moved_to_another_province_gives_no_rights_there(world):
    world.conn.execute(
        update(area).where(area.c.area_id == world.ba_dinh.area_id).values(province_code="46")
    )
    assert world.user("officer").assignments == ()


def test_a_new_area_under_an_old_code_does_not_widen_rights(world):
    conn, code = world.conn, world.ba_dinh.code
    row = (
        conn.execute(select(area).where(area.c.code == code, area.c.valid_to.is_(None)))
        .mappings()
        .one()
    )
    merged = {key: value for key, value in row.items() if key != "area_id"}
    conn.execute(
        update(area).where(area.c.area_id == row["area_id"]).values(valid_to=date(2026, 6, 30))
    )
    conn.execute(insert(area).values(merged | {"valid_from": date(2026, 7, 1), "valid_to": None}))
    assert world.user("officer").assignments == ()
    conn.execute(update(account_role).values(granted_at=NOW + timedelta(days=365)))
    assert len(world.user("officer").assignments) == 1
