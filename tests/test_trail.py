"""The access log is only added to, by one chain; readers find what concerns their areas."""

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, exc, insert, select, text

from geo import schema, trail
from geo.account_tables import access_log
from geo.db import become_runtime
from geo.errors import UsageError
from geo.scope import NOBODY, OPERATOR, Scope, bind
from geo.trail import Entry
from geo.trail_proof import verify
from tests import records_world as world

LOOK = Entry(via="page", action="records.read", login="lan", account_id=7, address="10.0.0.9")


def fill(conn, count=6):
    for number in range(count):
        trail.append(conn, Entry(via="api", action="records.read", subject_id=f"H{number}"))


def stored(conn):
    return conn.execute(select(access_log).order_by(access_log.c.entry_id)).mappings().all()


def test_entry_is_numbered_dated_and_hashed_as_the_documents_say(conn):
    before = conn.execute(text("SELECT clock_timestamp()")).scalar_one()
    trail.append(conn, Entry(via="page", action="ids.read", login="lê", rows=3, reason="a:b"))
    (row,) = stored(conn)
    assert row["entry_id"] == 1
    assert before <= row["at"] <= conn.execute(text("SELECT clock_timestamp()")).scalar_one()
    passed = row["at"] - datetime(1970, 1, 1, tzinfo=UTC)
    time = str(passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds)
    told = f"1:1{len(time)}:{time}-3:lê4:page0:8:ids.read0:0:0:0:0:0:1:37:allowed3:a:b"
    assert bytes(row["previous_hash"]) == bytes(32)
    assert bytes(row["hash"]) == hashlib.sha256(bytes(32) + told.encode()).digest()


def test_what_the_client_sends_for_number_time_and_hashes_is_not_taken(conn):
    fill(conn, 2)
    sent = {
        "entry_id": 99, "at": datetime(2000, 1, 1, tzinfo=UTC), "previous_hash": b"x", "hash": b"y",
        "via": "api", "action": "a", "outcome": "allowed",
    }  # fmt: skip
    conn.execute(insert(access_log), sent)
    last = stored(conn)[-1]
    assert last["entry_id"] == 3
    assert last["at"].year > 2000
    assert bytes(last["previous_hash"]) == bytes(stored(conn)[1]["hash"])
    assert verify(conn).whole


def test_several_entries_of_one_statement_follow_each_other(conn):
    entry = {"via": "api", "action": "a", "outcome": "denied"}
    conn.execute(insert(access_log).values([{"entry_id": 0, **entry} for _ in range(3)]))
    assert [row["entry_id"] for row in stored(conn)] == [1, 2, 3]
    assert verify(conn).whole


words = st.text(max_size=8) | st.sampled_from(["", "-", "1:a", "\0", "\ud800", "e\u0301", "🏠"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words, words, words, st.none() | st.integers(-(2**63), 2**63 - 1))
def test_python_and_the_database_agree_on_every_entry(conn, query, reason, agent, rows):
    with conn.begin_nested() as savepoint:
        trail.append(conn, Entry("api", "a", query=query, reason=reason, login=agent, rows=rows))
        found = verify(conn)
        assert (found.entries, found.problems) == (1, [])
        savepoint.rollback()


def test_long_text_is_cut(conn):
    trail.append(conn, Entry("api", "a", query="ă" * 5000))
    assert stored(conn)[0]["query"] == "ă" * 1999 + "…"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_log SET login = 'x'",
        "UPDATE access_log SET login = 'x' WHERE false",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
    ],
)
@pytest.mark.parametrize("replica", [False, True])
def test_nobody_changes_an_entry_not_even_the_owner(conn, statement, replica):
    fill(conn)
    if replica:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
    with pytest.raises(exc.ProgrammingError, match="never changed"), conn.begin_nested():
        conn.execute(text(statement))
    assert verify(conn).entries == 6


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_log SET login = 'x'",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
        "ALTER TABLE access_log DISABLE TRIGGER ALL",
        "DROP TRIGGER access_log_keep ON access_log",
        "SET LOCAL session_replication_role = replica",
    ],
)
def test_role_of_the_web_server_may_only_add(conn, statement):
    fill(conn)
    become_runtime(conn)
    bind(conn, Scope(everything=True, write=True))
    with (
        pytest.raises(exc.ProgrammingError, match=r"permission denied|must be owner"),
        conn.begin_nested(),
    ):
        conn.execute(text(statement))
    trail.append(conn, LOOK)
    conn.execute(text("RESET ROLE"))
    assert verify(conn).entries == 7


def test_entry_is_chained_also_by_whom_sees_no_entry(conn):
    fill(conn, 2)
    become_runtime(conn)
    bind(conn, NOBODY)
    trail.append(conn, LOOK)
    assert stored(conn) == []
    conn.execute(text("RESET ROLE"))
    bind(conn, OPERATOR)
    found = verify(conn)
    assert (found.entries, found.head_id, found.problems) == (3, 3, [])


def test_adding_leaves_the_scope_of_the_transaction_alone(conn):
    bind(conn, NOBODY)
    trail.append(conn, LOOK)
    assert conn.execute(text("SELECT current_setting('ancu.all')")).scalar_one() == ""


def test_owner_that_row_security_holds_keeps_the_chain_whole(conn):
    conn.execute(text("CREATE ROLE plain_owner NOSUPERUSER"))
    conn.execute(text("GRANT ALL ON SCHEMA public TO plain_owner"))
    owned = ("access_log", "account", "household", "site", "survey")
    for what in (*(f"TABLE {name}" for name in owned), "FUNCTION access_log_chain()"):
        conn.execute(text(f"ALTER {what} OWNER TO plain_owner"))
    fill(conn, 2)
    become_runtime(conn)
    bind(conn, NOBODY)
    trail.append(conn, replace(LOOK, outcome="failed", subject="household", subject_id="H1"))
    conn.execute(text("RESET ROLE"))
    bind(conn, OPERATOR)
    assert (verify(conn).head_id, verify(conn).problems) == (3, [])


def test_writers_at_the_same_time_make_one_chain(make_database):
    engine = create_engine(make_database(), pool_size=8)
    with engine.begin() as conn:
        schema.migrate(conn)

    def write(writer: int) -> None:
        for number in range(50):
            with engine.begin() as conn:
                become_runtime(conn)
                bind(conn, NOBODY)
                entry = Entry("api", "a", account_id=writer, subject_id=str(number))
                trail.append(conn, entry, durable=number % 2 == 0)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        found = verify(conn)
        assert (found.entries, found.head_id, found.problems) == (400, 400, [])
    engine.dispose()


@pytest.fixture
def told(conn):
    """Entries 1 to 6, by what is asked for below."""
    world.build(conn)
    for entry in (
        Entry("page", "records.read", account_id=7, login="lan", province_code="01",
              commune_code="00101", subject="household", subject_id="H1"),
        Entry("api", "records.export", account_id=8, login="nam", province_code="01", rows=40,
              query="kind=households&area=01"),
        Entry("page", "records.read", "denied", account_id=7, login="lan", province_code="02",
              commune_code="00201", subject="household", subject_id="H1"),
        Entry("page", "figures.read", account_id=8, login="nam"),
        Entry("page", "sign-in", "denied", login="nobody_at_all", address="10.1.1.1"),
        Entry("api", "ids.read", account_id=7, login="lan", province_code="01",
              commune_code="00101", subject="household", subject_id="H1", reason="100% sai"),
    ):  # fmt: skip
        trail.append(conn, entry)


def ids(page):
    return [row["entry_id"] for row in page.items]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([], [6, 5, 4, 3, 2, 1]),
        ([trail.by_account(7)], [6, 3, 1]),
        ([trail.by_login("NOBODY_at_all")], [5]),
        ([trail.about_subject("household", "H1", "01", "00101")], [6, 1]),
        ([trail.about_subject("household", "H1", "02", "00201")], [3]),
        ([trail.denied()], [5, 3]),
        ([trail.denied(), trail.by_account(7)], [3]),
        ([trail.matching("HOUSEholds&")], [2]),
        ([trail.matching("100%")], [6]),
        ([trail.matching("10_")], []),
        ([trail.matching("10.1.")], [5]),
        ([trail.matching("\0")], []),
    ],
)
def test_entries_are_found_newest_first(conn, told, conditions, found):
    assert ids(trail.page(conn, *conditions)) == found


@pytest.mark.parametrize(
    ("code", "found"), [("VN", [6, 5, 4, 3, 2, 1]), ("01", [6, 2, 1]), ("00101", [6, 1])]
)
def test_entries_of_an_area(conn, told, code, found):
    area = world.areas.get(conn, code)
    assert ids(trail.page(conn, trail.in_area(area))) == found


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (NOBODY, []),
        (Scope(provinces=frozenset({"01"})), [6, 2, 1]),
        (Scope(communes=frozenset({"00201"})), [3]),
        (OPERATOR, [6, 5, 4, 3, 2, 1]),
    ],
)
def test_entries_about_areas_outside_the_scope_are_not_there(conn, told, scope, found):
    bind(conn, scope)
    assert ids(trail.page(conn)) == found


def test_pages_go_on_where_the_last_ended_while_entries_are_added(conn, told):
    first = trail.page(conn, limit=4)
    trail.append(conn, LOOK)
    second = trail.page(conn, cursor=first.next_cursor, limit=4)
    assert (ids(first), ids(second), second.next_cursor) == ([6, 5, 4, 3], [2, 1], None)
    assert "hash" not in first.items[0]


@pytest.mark.parametrize(("cursor", "limit"), [("x", 4), ("WyJhIl0", 4), (None, 0), (None, 1001)])
def test_wrong_cursor_or_limit_is_refused(conn, cursor, limit):
    with pytest.raises(UsageError):
        trail.page(conn, cursor=cursor, limit=limit)
