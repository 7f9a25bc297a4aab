"""The access log is only added to; whatever is done to it behind its back, verify tells."""

import hashlib
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, exc, insert, select, text, update

from geo import schema, trail, trail_proof
from geo.account_tables import access_log
from geo.db import become_runtime
from geo.errors import RejectedError, UsageError
from geo.scope import NOBODY, OPERATOR, Scope, bind
from geo.trail import Entry
from geo.trail_proof import Anchor, verify
from tests import records_world as world

LOOK = Entry(via="page", action="records.read", login="lan", account_id=7, address="10.0.0.9")


def fill(conn, count=6):
    for number in range(count):
        trail.append(conn, Entry(via="api", action="records.read", subject_id=f"H{number}"))


def stored(conn):
    return conn.execute(select(access_log).order_by(access_log.c.entry_id)).mappings().all()


@contextmanager
def unguarded(conn):
    """As the superuser: the triggers are off, and on again afterwards."""
    conn.execute(text("ALTER TABLE access_log DISABLE TRIGGER ALL"))
    yield
    for name in ("access_log_chain", "access_log_keep"):
        conn.execute(text(f"ALTER TABLE access_log ENABLE ALWAYS TRIGGER {name}"))


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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
    for what in ("TABLE access_log", "FUNCTION access_log_chain()"):
        conn.execute(text(f"ALTER {what} OWNER TO plain_owner"))
    fill(conn, 2)
    become_runtime(conn)
    bind(conn, NOBODY)
    trail.append(conn, LOOK)
    conn.execute(text("RESET ROLE"))
    bind(conn, OPERATOR)
    assert (verify(conn).head_id, verify(conn).problems) == (3, [])


def test_log_without_entries_is_whole(conn):
    found = verify(conn)
    assert (found.entries, found.head_id, found.head_hash, found.problems) == (0, 0, "", [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE access_log SET subject_id = 'other' WHERE entry_id = 3",
         ["entry 3 is not what its hash was made of"]),
        ("UPDATE access_log SET at = at + interval '1 microsecond' WHERE entry_id = 3",
         ["entry 3 is not what its hash was made of"]),
        ("UPDATE access_log SET at = 'infinity' WHERE entry_id = 3",
         ["entry 3 is not what its hash was made of"]),
        ("UPDATE access_log SET rows = 0 WHERE entry_id = 3",
         ["entry 3 is not what its hash was made of"]),
        ("UPDATE access_log SET login = 'a', via = 'pi' WHERE entry_id = 3",
         ["entry 3 is not what its hash was made of"]),
        ("UPDATE access_log SET hash = sha256('x') WHERE entry_id = 3",
         ["entry 3 is not what its hash was made of",
          "entry 4 does not carry the hash of the entry before it"]),
        ("UPDATE access_log SET hash = 'x', previous_hash = '' WHERE entry_id = 3",
         ["entry 3 does not carry the hash of the entry before it",
          "entry 3 is not what its hash was made of",
          "entry 4 does not carry the hash of the entry before it"]),
        ("UPDATE access_log a SET subject_id = b.subject_id FROM access_log b"
         " WHERE (a.entry_id, b.entry_id) IN ((3, 4), (4, 3))",
         ["entry 3 is not what its hash was made of", "entry 4 is not what its hash was made of"]),
        ("UPDATE access_log SET entry_id = -entry_id WHERE entry_id IN (3, 4);"
         "UPDATE access_log SET entry_id = 7 + entry_id WHERE entry_id < 0",
         ["entry 3 does not carry the hash of the entry before it",
          "entry 3 is not what its hash was made of",
          "entry 4 does not carry the hash of the entry before it",
          "entry 4 is not what its hash was made of",
          "entry 5 does not carry the hash of the entry before it"]),
        ("DELETE FROM access_log WHERE entry_id = 3", ["entries 3 to 3 are missing"]),
        ("DELETE FROM access_log WHERE entry_id < 4", ["entries 1 to 3 are missing"]),
        ("DELETE FROM access_log WHERE entry_id = 3;"
         "UPDATE access_log SET entry_id = entry_id - 1 WHERE entry_id > 3",
         ["entry 3 does not carry the hash of the entry before it",
          *(f"entry {number} is not what its hash was made of" for number in (3, 4, 5))]),
        ("INSERT INTO access_log SELECT 0, at, account_id, login, via, address, action, route,"
         " subject, 'forged', province_code, commune_code, query, rows, outcome, reason,"
         " previous_hash, hash FROM access_log WHERE entry_id = 1",
         ["entry 0 stands after entry 0", "entry 0 is not what its hash was made of",
          "entry 1 does not carry the hash of the entry before it"]),
    ],
)  # fmt: skip
def test_tampering_is_found(conn, change, told):
    fill(conn)
    with unguarded(conn):
        for statement in change.split(";"):
            conn.execute(text(statement))
    assert verify(conn).problems == told


def test_forged_entry_at_the_end_is_found(conn):
    fill(conn, 2)
    with unguarded(conn):
        forged = dict(stored(conn)[-1]) | {"entry_id": 3, "subject_id": "forged"}
        conn.execute(insert(access_log), forged)
    assert verify(conn).problems == [
        "entry 3 does not carry the hash of the entry before it",
        "entry 3 is not what its hash was made of",
    ]


def anchored(conn, tmp_path):
    path = tmp_path / "anchors.jsonl"
    trail_proof.anchor(conn, path, settled_s=0)
    return trail_proof.read_anchors(path)


def test_taking_the_last_entries_away_is_found_by_the_anchor(conn, tmp_path):
    fill(conn)
    anchors = anchored(conn, tmp_path)
    with unguarded(conn):
        conn.execute(text("DELETE FROM access_log WHERE entry_id > 4"))
    assert verify(conn).whole  # the chain alone cannot tell
    (problem,) = verify(conn, anchors).problems
    assert problem == f"entries 5 to 6 are missing: the last was there at {anchors[0].seen_at}"


def rehash(conn, first):
    """Write all entries from `first` on anew, as somebody who knows how the hash is made."""
    before = trail_proof.GENESIS
    for row in list(trail_proof._entries(conn)):
        if row["entry_id"] >= first:
            made = trail_proof.digest(dict(row) | {"previous_hash": before})
            conn.execute(
                update(access_log)
                .where(access_log.c.entry_id == row["entry_id"])
                .values(previous_hash=before, hash=made)
            )
            before = made
        else:
            before = row["hash"]


def test_writing_the_chain_anew_is_found_by_the_anchor(conn, tmp_path):
    fill(conn)
    anchors = anchored(conn, tmp_path)
    fill(conn, 2)
    with unguarded(conn):
        conn.execute(text("UPDATE access_log SET login = 'somebody else' WHERE entry_id = 3"))
        rehash(conn, 3)
    assert verify(conn).whole
    (problem,) = verify(conn, anchors).problems
    assert problem == f"entry 6 is not the one that was there at {anchors[0].seen_at}"


def test_emptied_log_that_begins_again_is_found_by_the_anchor(conn, tmp_path):
    fill(conn, 3)
    anchors = anchored(conn, tmp_path)
    with unguarded(conn):
        conn.execute(text("DELETE FROM access_log"))
    fill(conn, 4)
    assert verify(conn).whole
    assert len(verify(conn, anchors).problems) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE access_log DISABLE TRIGGER access_log_chain",
         "the trigger access_log_chain is switched off"),
        ("ALTER TABLE access_log DISABLE TRIGGER ALL",
         "the trigger access_log_keep is switched off"),
        ("ALTER TABLE access_log ENABLE TRIGGER access_log_keep",
         "the trigger access_log_keep is switched off"),
        ("DROP TRIGGER access_log_keep ON access_log", "the trigger access_log_keep is gone"),
        ("DROP TRIGGER access_log_keep ON access_log; CREATE TRIGGER access_log_keep"
         " BEFORE TRUNCATE ON access_log EXECUTE FUNCTION access_log_keep();"
         "ALTER TABLE access_log ENABLE ALWAYS TRIGGER access_log_keep",
         "the trigger access_log_keep is not as it was installed"),
        ("CREATE OR REPLACE FUNCTION access_log_keep() RETURNS trigger LANGUAGE plpgsql AS"
         " 'BEGIN RETURN NULL; END'", "the trigger access_log_keep is not as it was installed"),
        ("CREATE TRIGGER zz BEFORE INSERT ON access_log FOR EACH ROW EXECUTE FUNCTION"
         " suppress_redundant_updates_trigger()", "zz acts on the log and is not of this service"),
        ("CREATE RULE quiet AS ON INSERT TO access_log DO INSTEAD NOTHING",
         "quiet acts on the log and is not of this service"),
    ],
)  # fmt: skip
def test_verify_tells_when_the_log_is_not_guarded(conn, change, told):
    conn.execute(text(change))
    assert told in verify(conn).problems


def test_problems_of_a_log_that_is_all_wrong_are_counted_out_at_some_point(conn, monkeypatch):
    monkeypatch.setattr(trail_proof, "MOST_PROBLEMS", 3)
    fill(conn)
    with unguarded(conn):
        conn.execute(text("UPDATE access_log SET login = 'x'"))
    found = verify(conn)
    assert (len(found.problems), found.entries) == (3, 6)


def test_anchor_is_noted_once_while_nothing_is_added(conn, tmp_path):
    path = tmp_path / "log-anchors.jsonl"
    assert trail_proof.anchor(conn, path, settled_s=0) is None
    assert trail_proof.read_anchors(path) == []
    fill(conn, 2)
    for _ in range(2):
        trail_proof.anchor(conn, path, settled_s=0)
    fill(conn, 1)
    trail_proof.anchor(conn, path, settled_s=0)
    noted = trail_proof.read_anchors(path)
    assert [one.entry_id for one in noted] == [2, 3]
    assert [one.hash for one in noted] == [stored(conn)[n]["hash"].hex() for n in (1, 2)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert verify(conn, noted).whole


def test_entry_that_a_crash_could_take_back_is_no_anchor(conn, tmp_path):
    fill(conn, 2)
    assert trail_proof.anchor(conn, tmp_path / "anchors", settled_s=3600) is None


@pytest.mark.parametrize("line", ["", "{", "[]", "1", '{"entry_id": 1}', '{"entry_id": "x"}'])
def test_damaged_anchor_is_refused_with_its_line(tmp_path, line):
    path = tmp_path / "anchors"
    path.write_text('{"entry_id": 1, "hash": "ab", "seen_at": "t"}\n' + line + "\n", "utf-8")
    with pytest.raises(RejectedError, match="line 2"):
        trail_proof.read_anchors(path)


def test_anchor_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "anchors"
    path.write_text('{"entry_id": 1, "hash": "ab", "seen_at": "t"}\n', "utf-8")
    assert trail_proof.read_anchors(path) == [Anchor(1, "ab", "t")]


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
