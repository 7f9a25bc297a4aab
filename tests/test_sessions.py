"""Sessions and tokens: stored hashed, limited in time, over the moment they are ended."""

import hashlib
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event, select, update

from geo.account_tables import account, account_role, login_session, token
from geo.accounts import rights, sessions, tokens
from geo.accounts.roles import ACTIONS, User, can
from geo.errors import ForbiddenError, NotFoundError, RejectedError, UsageError
from geo.scope import NOBODY, of
from tests.accounts_world import NOW, World, build, managing, served

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def world(areas_conn: Connection) -> World:
    return build(areas_conn)


def start(world: World, login: str = "officer", at: datetime = NOW, agent: str = "") -> str:
    with served(world.conn, NOBODY) as conn:
        return sessions.start(conn, world.ids[login], "192.0.2.7", agent, at)


def found(world: World, secret: str, at: datetime = NOW) -> sessions.Session | None:
    with served(world.conn, NOBODY) as conn:
        return sessions.find(conn, secret, at)


def seen(world: World, login: str = "officer") -> datetime | None:
    return world.conn.execute(
        select(account.c.last_seen_at).where(account.c.login == login)
    ).scalar_one()


def test_a_session_is_found_by_its_secret_of_which_only_the_hash_is_stored(world):
    secret, other = start(world), start(world)
    assert len(secret) == len(other) == 43  # 256 bits in base64
    assert secret != other
    session = found(world, secret)
    assert session.user == world.user("officer")
    assert (session.created_at, session.expires_at) == (NOW, NOW + 12 * HOUR)
    stored = world.conn.execute(select(login_session.c.session_hash)).scalars()
    wanted = {hashlib.sha256(one.encode()).digest() for one in (secret, other)}
    assert {bytes(one) for one in stored} == wanted


def test_what_a_secret_opened_is_closed_again_behind_it(world):
    secret = start(world)
    with served(world.conn, NOBODY) as conn:
        assert sessions.find(conn, secret, NOW)
        assert of(conn) == NOBODY
        assert conn.execute(select(login_session)).all() == []
        assert conn.execute(select(account)).all() == []


@pytest.mark.parametrize("secret", ["", "x", "\0", "\ud800", "x" * 100_000, "' OR true --"])
def test_what_is_no_secret_finds_nothing(world, secret):
    start(world)
    assert found(world, secret) is None


@pytest.mark.parametrize(
    ("used", "asked", "there"),
    [
        ([], HOUR - MINUTE, True),
        ([], HOUR, False),
        ([HOUR - MINUTE], 2 * HOUR - 2 * MINUTE, True),
        ([HOUR - MINUTE], 2 * HOUR - MINUTE, False),
        ([n * HOUR / 2 for n in range(24)], 12 * HOUR - MINUTE, True),
        ([n * HOUR / 2 for n in range(24)], 12 * HOUR, False),
    ],
    ids=["idle 59", "idle 60", "used again", "idle after use", "11:59", "12 hours"],
)
def test_a_session_ends_when_idle_and_in_any_case(world, used, asked, there):
    secret = start(world)
    for after in used:
        assert found(world, secret, NOW + after)
    assert (found(world, secret, NOW + asked) is not None) is there


def test_that_it_was_used_is_noted_once_a_minute(world):
    secret, statements = start(world), []

    def note(_conn, _cursor, statement, *_rest) -> None:
        if statement.startswith("UPDATE"):
            statements.append(statement)

    event.listen(world.conn, "before_cursor_execute", note)
    for seconds in (0, 30, 59, 61, 90, 120, 121):
        found(world, secret, NOW + timedelta(seconds=seconds))
    event.remove(world.conn, "before_cursor_execute", note)
    assert len(statements) == 4  # the session and the account, at 61 and at 121
    assert seen(world) == NOW + timedelta(seconds=121)


def test_a_session_or_token_of_a_disabled_account_is_nobodys_even_where_it_was_left(world):
    secret, (_, bearing) = start(world), make(world, "surveys.send")
    world.conn.execute(update(account).values(disabled_at=NOW))
    assert found(world, secret) is None
    assert bearer(world, bearing) is None


def test_rights_are_those_of_the_moment(world):
    secret, by = start(world), world.user("local")
    assert can(found(world, secret).user, "records.read", world.ba_dinh)
    with managing(world.conn, by) as conn:
        rights.revoke(conn, by, world.ids["officer"], "officer", world.ba_dinh.code)
    assert found(world, secret).user.assignments == ()
    with managing(world.conn, by) as conn:
        rights.grant(conn, by, world.ids["officer"], "supervisor", world.ba_dinh)
    assert can(found(world, secret).user, "records.export", world.ba_dinh)


@pytest.mark.parametrize(
    ("login", "values", "password", "codes"),
    [
        ("officer", {}, False, False),
        ("officer", {"must_change_password": True}, True, False),
        ("local", {}, False, True),
        ("local", {"totp_confirmed_at": NOW}, False, False),
        ("local", {"must_change_password": True}, True, True),
    ],
)
def test_a_session_tells_what_must_be_done_first(world, login, values, password, codes):
    if values:
        world.conn.execute(update(account).where(account.c.login == login).values(values))
    session = found(world, start(world, login))
    assert (session.must_change_password, session.must_set_totp) == (password, codes)


def test_signing_out_ends_one_session_and_everywhere_ends_all(world):
    first, second, third = (start(world) for _ in range(3))
    elsewhere = start(world, "beside")
    with served(world.conn, NOBODY) as conn:
        sessions.end(conn, first)
    assert [bool(found(world, one)) for one in (first, second, third)] == [False, True, True]
    with served(world.conn, NOBODY) as conn:
        assert sessions.end_all(conn, world.ids["officer"], but=third) == 1
    assert [bool(found(world, one)) for one in (second, third)] == [False, True]
    with served(world.conn, NOBODY) as conn:
        assert sessions.end_all(conn, world.ids["officer"]) == 1
    assert found(world, third) is None
    assert found(world, elsewhere)


def test_the_places_where_one_is_signed_in_are_listed_and_ended_one_by_one(world):
    here = start(world, at=NOW, agent="Firefox\0\n")
    start(world, at=NOW + MINUTE, agent="Chrome" * 100)
    start(world, "beside")
    with served(world.conn, NOBODY) as conn:
        listed = sessions.listing(conn, world.ids["officer"], here, NOW + MINUTE)
        assert [(one.agent[:7], one.current) for one in listed] == [
            ("ChromeC", False),
            ("Firefox", True),
        ]
        assert {one.address for one in listed} == {"192.0.2.7"}
        assert len(listed[0].agent) == 200
        for key in ("", "xyz", "00"):
            sessions.end_one(conn, world.ids["officer"], key)
        sessions.end_one(conn, world.ids["beside"], listed[0].key)  # not theirs
        assert len(sessions.listing(conn, world.ids["officer"], here, NOW + MINUTE)) == 2
        sessions.end_one(conn, world.ids["officer"], listed[0].key)
        left = sessions.listing(conn, world.ids["officer"], here, NOW + MINUTE)
        assert [one.current for one in left] == [True]
        assert sessions.listing(conn, world.ids["officer"], here, NOW + 2 * HOUR) == []
    assert found(world, left[0].key) is None  # the key in the list opens nothing


def test_a_new_session_clears_those_that_are_over(world):
    start(world, at=NOW)
    start(world, at=NOW + 2 * HOUR)
    assert len(world.conn.execute(select(login_session)).all()) == 1


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────


def make(world: World, *actions: str, login: str = "officer", days: int = 30) -> tuple[int, str]:
    asks = world.user(login)
    with served(world.conn, NOBODY) as conn:
        return tokens.make(conn, asks, "Máy tính bảng 1", actions, days, NOW)


def bearer(world: World, secret: str, at: datetime = NOW) -> User | None:
    with served(world.conn, NOBODY) as conn:
        return tokens.find(conn, secret, at)


def test_a_token_is_its_account_limited_to_its_actions(world):
    _, secret = make(world, "surveys.send")
    asks = bearer(world, secret)
    assert secret.startswith("ancu_")
    assert len(secret) == 5 + 43
    assert (asks.login, asks.limited_to) == ("officer", {"surveys.send"})
    assert {action for action in ACTIONS if asks.may(action)} == {"surveys.send"}
    assert can(asks, "surveys.send", world.ba_dinh)
    assert not can(asks, "surveys.send", world.beside)
    stored = world.conn.execute(select(token.c.token_hash)).scalar_one()
    assert bytes(stored) == hashlib.sha256(secret.encode()).digest()


@pytest.mark.parametrize(
    ("actions", "error"),
    [
        ((), RejectedError),
        (("surveys.send", "audit.decide"), ForbiddenError),  # an officer decides no findings
        (("accounts.manage",), ForbiddenError),
        (("everything",), UsageError),
        (("surveys.send\0",), UsageError),
    ],
)
def test_a_token_for_more_than_the_account_may_is_refused(world, actions, error):
    with pytest.raises(error):
        make(world, *actions)


def test_no_token_administers_accounts(world):
    with pytest.raises(ForbiddenError, match=r"cannot be for accounts\.manage"):
        make(world, "accounts.manage", login="hanoi")


@pytest.mark.parametrize("days", [0, -1, 367, 10**9])
def test_a_token_lives_a_year_at_most(world, days):
    with pytest.raises(RejectedError, match="between 1 and 366 days"):
        make(world, "surveys.send", days=days)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\0"])
def test_a_token_has_a_name_that_can_be_shown(world, name):
    officer = world.user("officer")
    with pytest.raises(RejectedError, match="1 to 100 characters"):
        tokens.make(world.conn, officer, name, {"surveys.send"}, 30, NOW)


def test_a_token_ends_on_its_day(world):
    _, secret = make(world, "surveys.send", days=30)
    assert bearer(world, secret, NOW + 30 * DAY - MINUTE)
    assert bearer(world, secret, NOW + 30 * DAY) is None


def test_a_revoked_token_is_nobody_on_the_next_request(world):
    token_id, secret = make(world, "surveys.send")
    officer = world.user("officer")
    assert bearer(world, secret)
    with served(world.conn, NOBODY) as conn:
        tokens.revoke(conn, officer, token_id, now=NOW)
    assert bearer(world, secret) is None


def test_tokens_of_others_are_revoked_by_their_administrators_only(world):
    token_id, secret = make(world, "surveys.send")
    for who, error in (("beside", NotFoundError), ("hue", NotFoundError)):
        by = world.user(who)
        with pytest.raises(error), managing(world.conn, by) as conn:
            tokens.revoke(conn, by, token_id, account_id=world.ids["officer"], now=NOW)
        with pytest.raises(NotFoundError), managing(world.conn, by) as conn:
            tokens.revoke(conn, by, token_id, now=NOW)  # as if it were one's own
    assert bearer(world, secret)
    by = world.user("local")
    with managing(world.conn, by) as conn:
        listed = tokens.listing_of(conn, by, world.ids["officer"])
        assert [(one.token_id, one.revoked_at) for one in listed] == [(token_id, None)]
        tokens.revoke(conn, by, token_id, account_id=world.ids["officer"], now=NOW)
    assert bearer(world, secret) is None


def test_a_token_loses_what_its_account_loses(world):
    _, secret = make(world, "surveys.send", "records.send")
    world.conn.execute(
        update(account_role)
        .where(account_role.c.account_id == world.ids["officer"])
        .values(role="enumerator")
    )
    asks = bearer(world, secret)
    assert {action for action in ACTIONS if asks.may(action)} == {"surveys.send"}


def test_the_use_of_a_token_is_noted_and_listed(world):
    token_id, secret = make(world, "surveys.send", "records.read")
    bearer(world, secret, NOW + DAY)
    bearer(world, secret, NOW + DAY + timedelta(seconds=30))
    with served(world.conn, NOBODY) as conn:
        (listed,) = tokens.listing(conn, world.ids["officer"])
        assert tokens.listing(conn, world.ids["beside"]) == []
    assert (listed.token_id, listed.name) == (token_id, "Máy tính bảng 1")
    assert listed.actions == ("records.read", "surveys.send")
    assert (listed.created_at, listed.last_used_at) == (NOW, NOW + DAY)
    assert seen(world) == NOW + DAY


@pytest.mark.parametrize("secret", ["", "ancu_", "ancu_x", "x", "ancu_\0", "ancu_\ud800"])
def test_what_is_no_token_is_nobody(world, secret):
    make(world, "surveys.send")
    assert bearer(world, secret) is None


def test_a_sessions_secret_is_no_token_and_the_other_way_round(world):
    _, secret = make(world, "surveys.send")
    session = start(world)
    assert bearer(world, session) is None
    assert bearer(world, f"ancu_{session}") is None
    assert found(world, secret) is None
