"""Who administers whom, through the server's own role: roles, hand-over, shutting out."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, select, text, update

from api.cli.first_run import make_first_admin
from geo.account_tables import account, account_role, handover
from geo.accounts import (
    credentials,
    first,
    passwords,
    rights,
    sessions,
    sign_in,
    store,
    tokens,
    totp,
)
from geo.accounts.roles import ROLES, User, can, reach
from geo.areas import Area
from geo.errors import (
    AncuError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UsageError,
)
from geo.scope import NOBODY
from tests.accounts_world import (
    COUNTRY,
    HANOI,
    HUE,
    NOW,
    World,
    build,
    managing,
    person,
    served,
    user,
)


@pytest.fixture
def world(areas_conn: Connection) -> World:
    return build(areas_conn)


# ── who may change what ─────────────────────────────────────────────────────────────────────────

ACTS: dict[str, Callable[[Connection, User, int, World], object]] = {
    "grant": lambda conn, by, who, w: rights.grant(conn, by, who, "enumerator", w.ba_dinh),
    "rename": lambda conn, by, who, w: store.rename(conn, by, who, full_name="Tên Mới"),
    "set_home": lambda conn, by, who, w: store.set_home(conn, by, who, w.ba_dinh),
    "disable": lambda conn, by, who, w: store.disable(conn, by, who, NOW),
    "enable": lambda conn, by, who, w: store.enable(conn, by, who),
    "reset_password": lambda conn, by, who, w: credentials.reset_password(conn, by, who, NOW),
    "reset_totp": lambda conn, by, who, w: totp.reset(conn, by, who),
    "list_tokens": lambda conn, by, who, w: tokens.listing_of(conn, by, who),
}
DONE, HIDDEN, REFUSED = "done", NotFoundError, ForbiddenError
# Rows: who is changed; columns: who changes, as administrators of …
OUTCOMES = {
    #            country  Hà Nội   commune  Huế
    "top": (REFUSED, HIDDEN, HIDDEN, HIDDEN),
    "hanoi": (DONE, REFUSED, HIDDEN, HIDDEN),
    "hanoi2": (DONE, DONE, HIDDEN, HIDDEN),
    "hue": (DONE, HIDDEN, HIDDEN, REFUSED),
    "local": (DONE, DONE, REFUSED, HIDDEN),
    "officer": (DONE, DONE, DONE, HIDDEN),
    "beside": (DONE, DONE, HIDDEN, HIDDEN),
    "in_hue": (DONE, HIDDEN, HIDDEN, DONE),
    "both": (DONE, REFUSED, REFUSED, HIDDEN),
    "above": (DONE, DONE, REFUSED, HIDDEN),
}
ADMINISTRATORS = ("top", "hanoi", "local", "hue")


@pytest.mark.parametrize("act", ACTS)
def test_who_may_change_whose_account(world, act, monkeypatch):
    monkeypatch.setattr(passwords, "hash_password", lambda _: "$argon2id$none")
    outside = {"grant", "set_home"} if act in ("grant", "set_home") else set()
    for whose, wanted in OUTCOMES.items():
        for who, outcome in zip(ADMINISTRATORS, wanted, strict=True):
            if outside and who == "hue" and outcome == DONE:
                outcome = REFUSED  # the place is in Hà Nội
            assert attempt(world, act, who, whose) == outcome, (who, whose)


def attempt(world: World, act: str, who: str, whose: str) -> object:
    """What came of it; whatever was changed is undone."""
    by = world.user(who)
    undo = world.conn.begin_nested()
    try:
        with managing(world.conn, by) as conn:
            ACTS[act](conn, by, world.ids[whose], world)
            return DONE
    except AncuError as error:
        return type(error)
    finally:
        undo.rollback()


@pytest.mark.parametrize(
    ("who", "where", "allowed"),
    [
        ("top", "country", True),
        ("top", "in_hue", True),
        ("hanoi", "country", False),
        ("hanoi", "hanoi", True),
        ("hanoi", "ba_dinh", True),
        ("hanoi", "hue", False),
        ("hanoi", "in_hue", False),
        ("local", "hanoi", False),
        ("local", "ba_dinh", True),
        ("local", "beside", False),
        ("officer", "ba_dinh", False),
    ],
)
@pytest.mark.parametrize("role", ["enumerator", "administrator"])
def test_accounts_and_roles_are_given_within_ones_own_areas(world, who, where, allowed, role):
    by, place = world.user(who), getattr(world, where)
    new = person(world.conn, "newcomer", world.ba_dinh)
    with served(world.conn, reach(by, "accounts.manage")) as conn:
        if allowed:
            assert rights.grant(conn, by, new, role, place)
            assert not rights.grant(conn, by, new, role, place)
        else:
            with pytest.raises((ForbiddenError, NotFoundError)):
                rights.grant(conn, by, new, role, place)
            with pytest.raises(ForbiddenError):
                store.create(conn, by, login="another", full_name="An", home=place)


def test_row_level_security_stops_what_the_rules_forgot(world):
    by = world.user("hanoi")
    attempts = [
        insert(account_role).values(
            account_id=world.ids["hanoi"], role="officer", area_code=HANOI, province_code=HANOI
        ),
        insert(account_role).values(
            account_id=world.ids["officer"], role="officer", area_code=HUE, province_code=HUE
        ),
        insert(account).values(login="smuggled", full_name="An", province_code=HUE),
    ]
    for statement in attempts:
        with pytest.raises(Exception, match="row-level security"), managing(world.conn, by) as conn:
            conn.execute(statement)
    with managing(world.conn, by) as conn:
        changed = conn.execute(
            update(account).where(account.c.login == "in_hue").values(full_name="X")
        )
        assert changed.rowcount == 0


def test_an_unknown_role_is_named(world):
    with pytest.raises(UsageError, match="no role 'king'; there are enumerator"):
        rights.grant(world.conn, None, world.ids["officer"], "king", world.ba_dinh)


def test_a_role_taken_back_is_gone_at_once(world):
    by = world.user("local")
    with managing(world.conn, by) as conn:
        rights.revoke(conn, by, world.ids["officer"], "officer", world.ba_dinh.code)
        with pytest.raises(NotFoundError, match="does not have this role"):
            rights.revoke(conn, by, world.ids["officer"], "officer", world.ba_dinh.code)
    assert world.user("officer").assignments == ()


def test_nobody_takes_back_a_role_given_from_above(world):
    by = world.user("local")
    with managing(world.conn, by) as conn, pytest.raises(ForbiddenError):
        rights.revoke(conn, by, world.ids["above"], "planner", HANOI)


# ── handing over ────────────────────────────────────────────────────────────────────────────────


WHY = "Phân cấp quản trị"


def handovers(conn: Connection) -> list[tuple]:
    columns = (handover.c.from_account_id, handover.c.to_account_id, handover.c.area_code)
    return [tuple(row) for row in conn.execute(select(*columns, handover.c.reason))]


def test_a_province_hands_a_commune_to_a_local_administrator_and_stays_responsible(world):
    by, to = world.user("hanoi"), world.ids["beside"]
    with managing(world.conn, by) as conn:
        rights.hand_over(conn, by, to, world.beside, reason="Phân cấp quản trị")
    assert can(user(world.conn, to), "accounts.manage", world.beside)
    assert can(world.user("hanoi"), "accounts.manage", world.beside)
    assert handovers(world.conn) == [
        (world.ids["hanoi"], to, world.beside.code, "Phân cấp quản trị")
    ]


def test_who_leaves_hands_over_all_of_the_area(world):
    by, to = world.user("local"), world.ids["officer"]
    with managing(world.conn, by) as conn:
        rights.hand_over(conn, by, to, world.ba_dinh, reason=WHY, keep=False)
    assert can(user(world.conn, to), "accounts.manage", world.ba_dinh)
    assert world.user("local").assignments == ()
    assert len(handovers(world.conn)) == 1


@pytest.mark.parametrize(
    ("who", "to", "where", "keep", "error"),
    [
        ("hanoi", "officer", "ba_dinh", False, UsageError),  # the giver's role is above
        ("hanoi", "officer", "beside", True, UsageError),  # not of that area
        ("hanoi", "in_hue", "beside", True, NotFoundError),
        ("hanoi", "officer", "hue", True, ForbiddenError),
        ("hanoi", "hanoi", "hanoi", True, ForbiddenError),
        ("hanoi", "both", "ba_dinh", True, ForbiddenError),
        ("hanoi", "local", "ba_dinh", True, ConflictError),
        ("officer", "officer", "ba_dinh", True, ForbiddenError),
    ],
)
def test_a_hand_over_that_cannot_be_leaves_everything_as_it_was(world, who, to, where, keep, error):
    by = world.user(who)
    before = world.conn.execute(select(account_role).order_by(text("1, 2, 3"))).all()
    with pytest.raises(error), served(world.conn, reach(by, "accounts.manage")) as conn:
        rights.hand_over(conn, by, world.ids[to], getattr(world, where), reason=WHY, keep=keep)
    assert world.conn.execute(select(account_role).order_by(text("1, 2, 3"))).all() == before
    assert handovers(world.conn) == []


def test_who_has_access_to_an_area_is_told_as_far_as_in_scope(world):
    def told(who: str, where: Area) -> list[tuple[str, str, str]]:
        by = world.user(who)
        with managing(world.conn, by) as conn:
            found = rights.holders(conn, where)
        return sorted((one.login, one.role, one.area_code) for one in found)

    commune = world.ba_dinh.code
    local = [("both", "officer", commune), ("local", "administrator", commune)]
    local = sorted([*local, ("officer", "officer", commune)])
    assert told("local", world.ba_dinh) == local
    province = [
        ("above", "planner", HANOI),
        ("hanoi", "administrator", HANOI),
        ("hanoi2", "administrator", HANOI),
    ]
    assert told("hanoi", world.ba_dinh) == sorted([*local, *province])
    top = [("top", "administrator", COUNTRY)]
    assert told("top", world.ba_dinh) == sorted([*local, *province, *top])
    in_hue = ("", "officer", world.in_hue.code)  # an account of Hà Nội: its name is not Huế's
    assert in_hue in told("hue", world.hue)


# ── shutting out ────────────────────────────────────────────────────────────────────────────────


def test_a_disabled_account_is_out_on_its_next_request(world):
    conn, officer = world.conn, world.ids["officer"]
    secret = sessions.start(conn, officer, "127.0.0.1", "test", NOW)
    _, bearer = tokens.make(conn, world.user("officer"), "máy", {"records.read"}, 30, NOW)
    by = world.user("local")
    with managing(conn, by):
        store.disable(conn, by, officer, NOW)
    with served(conn, NOBODY):
        assert sessions.find(conn, secret, NOW) is None
        assert tokens.find(conn, bearer, NOW) is None
    with managing(conn, by):
        store.enable(conn, by, officer)
    with served(conn, NOBODY):
        assert sessions.find(conn, secret, NOW) is None
        assert tokens.find(conn, bearer, NOW) is None


# ── the first administrator ─────────────────────────────────────────────────────────────────────


def test_the_first_administrator_has_all_roles_in_the_country_and_is_made_once(areas_conn):
    login, password = first.first_admin(areas_conn, ROLES)
    found = store.by_login(areas_conn, login)
    assert (login, found.home_code, found.must_change_password) == ("admin", COUNTRY, True)
    assert {(one.role, one.area_code) for one in found.held} == {(one, COUNTRY) for one in ROLES}
    assert totp.must_set(store.as_user(found), found.totp_confirmed_at)
    assert sign_in.sign_in(areas_conn, login, password, now=NOW).answer == "in"
    assert first.first_admin(areas_conn) is None
    store.disable(areas_conn, None, found.account_id)
    assert first.first_admin(areas_conn) is None


@pytest.mark.parametrize(
    ("to_try", "roles", "said"),
    [
        (True, set(ROLES), "all six roles in the whole country"),
        (False, {"administrator"}, "sees no household and no figure"),
    ],
)
def test_only_to_try_the_service_out_the_first_administrator_has_all_roles(
    areas_conn, to_try, roles, said
):
    introduced = make_first_admin(areas_conn, to_try=to_try)
    found = store.by_login(areas_conn, "admin")
    assert {(one.role, one.area_code) for one in found.held} == {(one, COUNTRY) for one in roles}
    assert said in introduced
    (password,) = re.findall(r"password  (\S+)", introduced)
    assert sign_in.sign_in(areas_conn, "admin", password, now=NOW).answer == "in"
    assert make_first_admin(areas_conn, to_try=to_try) is None
