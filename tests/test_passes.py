"""Passes: rights that were read a moment ago count only while the database still says the same."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, event, insert, select, update

from geo.account_tables import account, account_role, login_session, token
from geo.accounts import passes, sessions, tokens
from geo.accounts.passes import SESSION, TOKEN
from geo.scope import NOBODY, of
from geo.tables import area
from tests.accounts_world import World, build, served

NOW = datetime.now(UTC)
"""Not the other tests' day: what ends by itself is held against the clock."""


@pytest.fixture
def world(areas_conn: Connection) -> World:
    return build(areas_conn)


def opened(world: World, kind: str, login: str = "officer") -> str:
    """The secret of a new session or token, read once as a request does."""
    user = world.user(login)
    with served(world.conn, NOBODY) as conn:
        if kind == SESSION:
            secret = sessions.start(conn, user.account_id, "192.0.2.7", "", NOW)
        else:
            secret = tokens.make(conn, user, "x", ["records.read"], 3, NOW)[1]
    read(world, kind, secret)
    return secret


def read(world: World, kind: str, secret: str) -> None:
    with served(world.conn, NOBODY) as conn:
        if kind == SESSION:
            user = sessions.find(conn, secret, NOW).user
        else:
            user = tokens.find(conn, secret, NOW)
        passes.keep(conn, kind, secret, user, "")


def holds(world: World, kind: str, secret: str) -> bool:
    """Whether the next request gets in by the pass that is kept."""
    known = passes.known(kind, secret)
    if known is None:
        return False
    with served(world.conn, NOBODY) as conn:
        return passes.holds(conn, known)


@pytest.mark.parametrize("kind", [SESSION, TOKEN])
def test_a_pass_holds_while_nothing_changed_and_takes_one_statement(world, kind):
    secret = opened(world, kind)
    known = passes.known(kind, secret)
    asked: list[str] = []
    with served(world.conn, NOBODY) as conn:
        event.listen(conn, "before_cursor_execute", lambda *told: asked.append(told[2]))
        held = passes.holds(conn, known)
        many = len(asked)
    assert (held, many) == (True, 1)
    if kind == SESSION:
        assert known.user == world.user("officer")
    else:
        assert known.user.limited_to == frozenset({"records.read"})


def mine(world: World, table):
    return table.c.account_id == world.ids["officer"]


CHANGES = {
    "disabled": lambda w: update(account).where(mine(w, account)).values(disabled_at=NOW),
    "another home": lambda w: update(account).where(mine(w, account)).values(commune_code="9"),
    "must choose a password": lambda w: (
        update(account).where(mine(w, account)).values(must_change_password=True)
    ),
    "the code is gone": lambda w: (
        update(account).where(mine(w, account)).values(totp_confirmed_at=None)
    ),
    "role taken": lambda w: delete(account_role).where(mine(w, account_role)),
    "role given": lambda w: insert(account_role).values(
        account_id=w.ids["officer"], role="auditor", area_code="VN"
    ),
    "area ended": lambda w: (
        update(area)
        .where(area.c.code.in_(select(account_role.c.area_code).where(mine(w, account_role))))
        .values(valid_to=NOW.date())
    ),
}
OF_KIND = {
    (SESSION, "signed out"): lambda w: delete(login_session),
    (SESSION, "over"): lambda w: update(login_session).values(expires_at=NOW - timedelta(hours=1)),
    (SESSION, "idle"): lambda w: update(login_session).values(last_seen_at=NOW - timedelta(days=1)),
    (TOKEN, "revoked"): lambda w: update(token).values(revoked_at=NOW),
    (TOKEN, "over"): lambda w: update(token).values(expires_at=NOW - timedelta(hours=1)),
    (TOKEN, "for less"): lambda w: update(token).values(actions=["figures.read"]),
}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *(
            pytest.param(kind, change, id=f"{kind}, {name}")
            for kind in (SESSION, TOKEN)
            for name, change in CHANGES.items()
        ),
        *(
            pytest.param(kind, change, id=f"{kind}, {name}")
            for (kind, name), change in OF_KIND.items()
        ),
    ],
)
def test_whatever_it_rests_on_changes_the_pass_is_void_with_the_next_request(world, kind, change):
    world.conn.execute(update(account).values(totp_confirmed_at=NOW, must_change_password=False))
    secret = opened(world, kind)
    assert holds(world, kind, secret)
    world.conn.execute(change(world))
    assert not holds(world, kind, secret)
    assert passes.known(kind, secret) is None


@pytest.mark.parametrize("kind", [SESSION, TOKEN])
def test_another_s_secret_opens_nothing(world, kind):
    secret = opened(world, kind)
    assert passes.known(kind, secret + "x") is None
    assert passes.known({SESSION: TOKEN, TOKEN: SESSION}[kind], secret) is None


def test_a_pass_is_read_anew_after_a_minute(world, monkeypatch):
    secret = opened(world, SESSION)
    kept = passes.known(SESSION, secret)
    monkeypatch.setattr(passes, "monotonic", lambda: kept.until - 0.001)
    assert passes.known(SESSION, secret) is kept
    monkeypatch.setattr(passes, "monotonic", lambda: kept.until)
    assert passes.known(SESSION, secret) is None


def test_what_was_named_to_find_it_is_named_no_more(world):
    secret = opened(world, SESSION)
    with served(world.conn, NOBODY) as conn:
        assert passes.holds(conn, passes.known(SESSION, secret))
        assert of(conn) == NOBODY
        assert conn.execute(select(login_session)).all() == []
        assert conn.execute(select(account)).all() == []
