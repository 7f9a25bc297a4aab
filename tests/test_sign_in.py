"""Signing in: one answer for all that is wrong, locks that last, codes that work once."""

import threading
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from sqlalchemy import Connection, select, update

from geo import areas
from geo.account_tables import account
from geo.accounts import credentials, lockout, passwords, sessions, sign_in, totp
from geo.db import served as served_transaction
from geo.db import transaction
from geo.errors import ConflictError, ForbiddenError, RejectedError
from geo.scope import NOBODY, OPERATOR
from tests.accounts_world import (
    HANOI,
    NOW,
    PASSWORD,
    World,
    build,
    managing,
    person,
    served,
    user,
)

HASHED = passwords.hash_password(PASSWORD)
WRONG = "không phải mật khẩu này"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(areas_conn: Connection) -> World:
    made = build(areas_conn)
    areas_conn.execute(update(account).values(password_hash=HASHED))
    return made


def attempt(world: World, login: str, password: str, code: str | None = None, at=NOW) -> str:
    with served(world.conn, NOBODY) as conn:
        return sign_in.sign_in(conn, login, password, code, now=at).answer


def stored(world: World, login: str):
    return world.conn.execute(select(account).where(account.c.login == login)).one()


def set_up(world: World, login: str, at: datetime = NOW) -> pyotp.TOTP:
    """Codes in use since an hour before `at`."""
    with served(world.conn, NOBODY) as conn:
        secret, _ = totp.begin(conn, world.ids[login])
        app = pyotp.TOTP(secret)
        assert totp.confirm(conn, world.ids[login], app.at(at - 60 * MINUTE), at - 60 * MINUTE)
    return app


def test_the_right_password_opens_a_session_of_that_account(world):
    with served(world.conn, NOBODY) as conn:
        found = sign_in.sign_in(
            conn, " Officer ", PASSWORD, address="192.0.2.7", agent="Firefox", now=NOW
        )
        session = sessions.find(conn, found.secret, NOW)
    assert (found.answer, found.account_id) == ("in", world.ids["officer"])
    assert session.user == world.user("officer")
    assert not session.must_change_password
    assert not session.must_set_totp
    row = stored(world, "officer")
    assert (row.last_login_at, row.last_seen_at, row.failures) == (NOW, NOW, 0)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("officer", WRONG),
        ("officer", ""),
        ("officer", PASSWORD.upper()),
        ("nobody", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", PASSWORD),
        ("officer\ud800", PASSWORD),
        ("officer\0", PASSWORD),
        ("officer", PASSWORD + "\ud800"),
        ("x" * 100_000, "y" * 100_000),
    ],
)
def test_whatever_is_wrong_gets_the_same_answer(world, login, password):
    with served(world.conn, NOBODY) as conn:
        found = sign_in.sign_in(conn, login, password, now=NOW)
    assert (found.answer, found.secret) == ("wrong", None)


def test_an_account_without_a_password_cannot_be_signed_in_to(world):
    world.conn.execute(update(account).values(password_hash=None))
    assert attempt(world, "officer", "") == "wrong"
    assert attempt(world, "officer", PASSWORD) == "wrong"


def test_every_attempt_costs_one_hash_and_no_more(world, monkeypatch):
    world.conn.execute(
        update(account).where(account.c.login == "both").values(locked_until=NOW + MINUTE)
    )
    world.conn.execute(update(account).where(account.c.login == "above").values(disabled_at=NOW))
    real, work = passwords._HASHER, []

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            work.append(hashed[:30])
            return real.verify(hashed, password)

        check_needs_rehash = staticmethod(real.check_needs_rehash)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    for login in ("officer", "nobody", "both", "above"):
        for password in (WRONG, PASSWORD):
            attempt(world, login, password)
    assert work == ["$argon2id$v=19$m=65536,t=3,p=4"] * 8


def test_a_disabled_account_answers_like_a_wrong_password(world):
    world.conn.execute(update(account).values(disabled_at=NOW))
    assert attempt(world, "officer", PASSWORD) == "wrong"


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        *((n, None) for n in (0, 1, 2, 3, 4, 6, 9, 11)),
        (5, 15),
        (10, 30),
        (15, 60),
        (20, 120),
        (30, 480),
        (35, 960),
        (40, 1440),
        (45, 1440),
        (5_000_000, 1440),
    ],
)
def test_each_fifth_failure_locks_twice_as_long_up_to_a_day(failures, minutes):
    wanted = None if minutes is None else timedelta(minutes=minutes)
    assert lockout.lock_for(failures) == wanted


def test_after_five_failures_the_right_password_is_wrong_until_the_lock_ends(world):
    world.conn.execute(update(account).where(account.c.login == "officer").values(failures=3))
    assert attempt(world, "officer", WRONG) == "wrong"
    assert attempt(world, "officer", WRONG) == "wrong"  # the fifth
    assert stored(world, "officer").locked_until == NOW + 15 * MINUTE
    assert attempt(world, "officer", PASSWORD, at=NOW + 14 * MINUTE) == "wrong"
    assert attempt(world, "officer", WRONG, at=NOW + 14 * MINUTE) == "wrong"
    assert stored(world, "officer").failures == 5  # a lock is not made longer from outside
    assert attempt(world, "officer", PASSWORD, at=NOW + 15 * MINUTE) == "in"
    row = stored(world, "officer")
    assert (row.failures, row.locked_until) == (0, None)


def test_the_next_lock_is_longer_when_the_first_taught_nothing(world):
    world.conn.execute(update(account).where(account.c.login == "officer").values(failures=9))
    attempt(world, "officer", WRONG)
    assert stored(world, "officer").locked_until == NOW + 30 * MINUTE


def test_one_accounts_lock_is_no_others(world):
    world.conn.execute(update(account).where(account.c.login == "officer").values(failures=4))
    attempt(world, "officer", WRONG)
    assert attempt(world, "beside", PASSWORD) == "in"


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(world):
    weak = passwords.PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    world.conn.execute(update(account).values(password_hash=weak))
    assert attempt(world, "officer", PASSWORD) == "in"
    assert not passwords.needs_rehash(stored(world, "officer").password_hash)
    assert attempt(world, "officer", PASSWORD) == "in"


@pytest.fixture
def committed(make_database, gazetteer_engine) -> str:
    """A database of its own, where attempts at once really meet; it holds one officer.

    The password's hash is a quick one, or the attempts would wait for the processor one by one.
    """
    url = make_database(gazetteer_engine.url.render_as_string(hide_password=False))
    quick = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with transaction(url, scope=OPERATOR) as conn:
        person(conn, "officer", areas.get(conn, HANOI), password_hash=quick)
    return url


def test_attempts_at_once_are_all_counted_and_none_slips_past_the_lock(committed):
    answers: list[str] = []
    start = threading.Barrier(12)

    def work() -> None:
        start.wait()
        for _ in range(3):
            with served_transaction(NOBODY, committed) as conn:
                answers.append(sign_in.sign_in(conn, "officer", WRONG, now=NOW).answer)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == ["wrong"] * 36
    with transaction(committed, scope=OPERATOR) as conn:
        row = conn.execute(select(account)).one()
        assert (row.failures, row.locked_until) == (5, NOW + 15 * MINUTE)
        assert sign_in.sign_in(conn, "officer", PASSWORD, now=NOW).answer == "wrong"


# ── codes ───────────────────────────────────────────────────────────────────────────────────────


def test_the_address_in_the_qr_code_names_the_service_the_login_and_the_secret(world):
    with served(world.conn, NOBODY) as conn:
        secret, uri = totp.begin(conn, world.ids["officer"])
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == (
        "otpauth",
        "totp",
        "/An Cư:officer",
    )
    assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["An Cư"]}
    assert secret.encode() not in bytes(stored(world, "officer").totp_sealed)


def test_codes_count_only_once_one_was_shown(world):
    with served(world.conn, NOBODY) as conn:
        secret, _ = totp.begin(conn, world.ids["officer"])
        assert not totp.confirm(conn, world.ids["officer"], "000000", NOW)
    assert attempt(world, "officer", PASSWORD) == "in"
    with served(world.conn, NOBODY) as conn:
        assert totp.confirm(conn, world.ids["officer"], pyotp.TOTP(secret).at(NOW), NOW)
    assert attempt(world, "officer", PASSWORD) == "totp"


def test_with_codes_the_password_alone_gives_no_session(world):
    app = set_up(world, "officer")
    with served(world.conn, NOBODY) as conn:
        found = sign_in.sign_in(conn, "officer", PASSWORD, now=NOW)
    assert (found.answer, found.secret) == ("totp", None)
    assert stored(world, "officer").last_login_at is None
    assert attempt(world, "officer", WRONG) == "wrong"
    assert attempt(world, "officer", WRONG, app.at(NOW)) == "wrong"
    assert attempt(world, "officer", PASSWORD, app.at(NOW)) == "in"


@pytest.mark.parametrize(
    ("steps", "answer"),
    [(-3, "wrong"), (-2, "wrong"), (-1, "in"), (0, "in"), (1, "in"), (2, "wrong")],
)
def test_a_code_may_be_one_step_off(world, steps, answer):
    app = set_up(world, "officer")
    code = app.at(NOW + steps * timedelta(seconds=30))
    assert attempt(world, "officer", PASSWORD, code) == answer


def test_a_code_works_once_and_no_earlier_one_after_it(world):
    app = set_up(world, "officer")
    assert attempt(world, "officer", PASSWORD, app.at(NOW)) == "in"
    assert attempt(world, "officer", PASSWORD, app.at(NOW)) == "wrong"
    assert attempt(world, "officer", PASSWORD, app.at(NOW - timedelta(seconds=30))) == "wrong"
    later = NOW + timedelta(seconds=30)
    assert attempt(world, "officer", PASSWORD, app.at(later), at=later) == "in"


def test_a_code_may_be_typed_with_a_space(world):
    code = set_up(world, "officer").at(NOW)
    assert attempt(world, "officer", PASSWORD, f" {code[:3]} {code[3:]} ") == "in"


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 10_000])
def test_what_is_no_code_is_wrong_and_counts(world, code):
    set_up(world, "officer")
    assert attempt(world, "officer", PASSWORD, code) == "wrong"
    assert stored(world, "officer").failures == 1


def test_guessed_codes_lock_the_account_too(world):
    app = set_up(world, "officer")
    world.conn.execute(update(account).where(account.c.login == "officer").values(failures=4))
    assert attempt(world, "officer", PASSWORD, "000000") == "wrong"
    assert attempt(world, "officer", PASSWORD, app.at(NOW)) == "wrong"
    assert stored(world, "officer").locked_until == NOW + 15 * MINUTE


def test_asking_for_the_code_does_not_clear_the_count(world):
    set_up(world, "officer")
    world.conn.execute(update(account).where(account.c.login == "officer").values(failures=4))
    assert attempt(world, "officer", PASSWORD) == "totp"
    assert stored(world, "officer").failures == 4


def test_one_accounts_secret_is_no_others(world):
    set_up(world, "officer")
    world.conn.execute(
        update(account)
        .where(account.c.login == "beside")
        .values(
            totp_sealed=stored(world, "officer").totp_sealed,
            totp_confirmed_at=NOW,
        )
    )
    with pytest.raises(Exception, match="sealed value cannot be opened"):
        attempt(world, "beside", PASSWORD, "123456")


def test_codes_in_use_are_not_replaced_without_one(world):
    app, officer = set_up(world, "officer"), world.user("officer")
    with served(world.conn, NOBODY) as conn:
        with pytest.raises(ConflictError, match="set up already"):
            totp.begin(conn, world.ids["officer"])
        assert not totp.remove(conn, officer, "000000", NOW)
        assert totp.remove(conn, officer, app.at(NOW), NOW)
    assert attempt(world, "officer", PASSWORD) == "in"


def test_administrators_must_have_codes_and_keep_them(world):
    assert totp.must_set(world.user("local"), None)
    assert not totp.must_set(world.user("local"), NOW)
    assert not totp.must_set(world.user("officer"), None)
    app, local = set_up(world, "local"), world.user("local")
    with served(world.conn, NOBODY) as conn, pytest.raises(ForbiddenError, match="always"):
        totp.remove(conn, local, app.at(NOW), NOW)


def test_who_lost_the_device_is_helped_by_an_administrator(world):
    set_up(world, "local")
    by = world.user("hanoi")
    with managing(world.conn, by) as conn:
        totp.reset(conn, by, world.ids["local"])
    assert attempt(world, "local", PASSWORD) == "in"
    assert totp.must_set(user(world.conn, world.ids["local"]), None)


# ── passwords changed and reset ─────────────────────────────────────────────────────────────────

NEW = "mùa-gặt-tháng-mười-2026"


def test_a_changed_password_ends_all_other_sessions(world):
    who = world.ids["officer"]
    with served(world.conn, NOBODY) as conn:
        here, there = (sessions.start(conn, who, "", "", NOW) for _ in range(2))
        assert credentials.change_password(conn, who, PASSWORD, NEW, session=here, now=NOW)
        assert sessions.find(conn, here, NOW) is not None
        assert sessions.find(conn, there, NOW) is None
    assert attempt(world, "officer", PASSWORD) == "wrong"
    assert attempt(world, "officer", NEW) == "in"


def test_the_old_password_is_required_and_guessing_it_locks(world):
    who = world.ids["officer"]
    world.conn.execute(update(account).values(failures=4))
    with served(world.conn, NOBODY) as conn:
        assert not credentials.change_password(conn, who, WRONG, NEW, now=NOW)
        assert not credentials.change_password(conn, who, PASSWORD, NEW, now=NOW)
    assert stored(world, "officer").locked_until == NOW + 15 * MINUTE
    assert stored(world, "officer").password_hash == HASHED


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (PASSWORD, "is the old one"),
        ("ngắn", "at least 12"),
        ("officer-officer", "made of the login"),
    ],
)
def test_a_new_password_that_cannot_be_is_refused_with_the_reason(world, new, said):
    with (
        served(world.conn, NOBODY) as conn,
        pytest.raises(RejectedError, match=said),
    ):
        credentials.change_password(conn, world.ids["officer"], PASSWORD, new, now=NOW)


def test_a_reset_gives_a_password_for_one_use_and_ends_everything(world):
    conn, who, by = world.conn, world.ids["officer"], world.user("local")
    secret = sessions.start(conn, who, "", "", NOW)
    conn.execute(update(account).values(failures=7, locked_until=NOW + MINUTE))
    with managing(conn, by):
        password = credentials.reset_password(conn, by, who, NOW)
    with served(conn, NOBODY):
        assert sessions.find(conn, secret, NOW) is None
        found = sign_in.sign_in(conn, "officer", password, now=NOW)
        assert sessions.find(conn, found.secret, NOW).must_change_password
        assert credentials.change_password(conn, who, password, NEW, now=NOW)
    assert attempt(world, "officer", PASSWORD) == "wrong"
    assert not stored(world, "officer").must_change_password
