"""Whatever is done to the access log behind the service's back, verify tells."""

import resource
from contextlib import contextmanager

import pytest
from sqlalchemy import insert, text, update

from geo import trail_proof
from geo.account_tables import access_log
from geo.errors import RejectedError, UsageError
from geo.trail_proof import Anchor, verify
from tests.test_trail import fill, stored


@contextmanager
def unguarded(conn):
    """As the superuser: the triggers are off, and on again afterwards."""
    conn.execute(text("ALTER TABLE access_log DISABLE TRIGGER ALL"))
    yield
    for name in ("access_log_chain", "access_log_keep"):
        conn.execute(text(f"ALTER TABLE access_log ENABLE ALWAYS TRIGGER {name}"))


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
        ("ALTER TABLE access_log DISABLE ROW LEVEL SECURITY",
         "row-level security of the log is switched off"),
        ("ALTER TABLE access_log NO FORCE ROW LEVEL SECURITY",
         "row-level security of the log is not forced on its owner"),
        *((f"GRANT {right} ON access_log TO {role}",
           f"{right.split()[0]} on the log is granted to {told}")
          for right in ("UPDATE", "DELETE", "TRUNCATE", "UPDATE (login)")
          for role, told in (("ancu_runtime", "ancu_runtime"), ("PUBLIC", "everyone"))),
        ("CREATE TABLE more () INHERITS (access_log)", "the table more inherits from the log"),
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


def test_a_disk_that_takes_a_part_of_an_anchor_leaves_the_file_as_it_was(conn, tmp_path):
    fill(conn, 1)
    path = tmp_path / "log-anchors.jsonl"
    trail_proof.anchor(conn, path, settled_s=0)
    before = path.read_bytes()
    fill(conn, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
    try:
        with pytest.raises(UsageError, match="cannot be written: No space left on device"):
            trail_proof.anchor(conn, path, settled_s=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    trail_proof.anchor(conn, path, settled_s=0)
    assert [one.entry_id for one in trail_proof.read_anchors(path)] == [1, 2]
