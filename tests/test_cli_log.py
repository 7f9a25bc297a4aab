"""`ancu log` as it is typed: what it shows, and that a tampered log ends with exit code 1."""

import getpass
import re

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import NullPool, create_engine, select, text

from api.cli import main, serve
from geo import config, schema, trail, trail_proof
from geo.account_tables import access_log
from geo.db import engine
from geo.scope import OPERATOR, bind
from geo.trail import Entry
from tests import records_world as world


@pytest.fixture(scope="module")
def template(make_database):
    url = make_database()
    made = create_engine(url, poolclass=NullPool)
    with made.begin() as conn:
        schema.migrate(conn)
        world.build(conn)
        for entry in (
            Entry("page", "records.read", login="lan", account_id=7, province_code="01",
                  commune_code="00101", subject="household", subject_id="H1"),
            Entry("api", "records.export", "denied", login="nam", province_code="02", rows=0,
                  query="q=\x1b]0;owned\x07  reason: none"),
        ):  # fmt: skip
            trail.append(conn, entry)
    return url


@pytest.fixture
def begin(make_database, template, monkeypatch, tmp_path):
    """begin() opens a transaction on the database that the commands of this test use."""
    url = make_database(template)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield create_engine(url, poolclass=NullPool).begin
    engine(None).dispose()
    engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def ancu(*arguments):
    return CliRunner().invoke(main, ["log", *map(str, arguments)])


def settled(monkeypatch):
    """Whatever is there may be anchored, however new."""
    monkeypatch.setattr(trail_proof.anchor, "__defaults__", (0,))


def tamper(begin, statement):
    with begin() as conn:
        conn.execute(text("ALTER TABLE access_log DISABLE TRIGGER ALL"))
        conn.execute(text(statement))
        for name in ("access_log_chain", "access_log_keep"):
            conn.execute(text(f"ALTER TABLE access_log ENABLE ALWAYS TRIGGER {name}"))


def test_whole_log_is_said_to_be_whole_and_anchored(begin, monkeypatch):
    settled(monkeypatch)
    first = ancu("verify")
    assert (first.exit_code, first.stderr) == (0, "")
    with begin() as conn:
        head = conn.execute(
            select(access_log.c.hash).where(access_log.c.entry_id == 2)
        ).scalar_one()
    assert first.stdout == (f"Entries: 2\nLast:    2 {head.hex()}\nAnchors: 0\nThe log is whole.\n")
    lines = trail_proof.anchors_file().read_bytes().splitlines()
    assert [orjson.loads(line)["hash"] for line in lines] == [head.hex()]
    assert "Entries: 3\n" in ancu("verify").stdout  # the first reading left an entry


def test_tampered_log_ends_with_an_error_that_names_the_entries(begin):
    tamper(begin, "UPDATE access_log SET login = 'nobody' WHERE entry_id = 1")
    result = ancu("verify")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "ancu: The access log is not whole: 1 problem.",
        "  entry 1 is not what its hash was made of",
    ]
    assert not trail_proof.anchors_file().exists()


def test_anchors_kept_elsewhere_tell_of_entries_that_were_taken_away(begin, tmp_path, monkeypatch):
    settled(monkeypatch)
    assert ancu("verify").exit_code == 0
    copy = trail_proof.anchors_file().rename(tmp_path / "copy.jsonl")
    tamper(begin, "DELETE FROM access_log WHERE entry_id > 1")
    assert ancu("verify").exit_code == 0
    result = ancu("verify", "--anchors", copy)
    assert result.exit_code == 1
    assert "entry 2 is not the one that was there" in result.stderr


def test_damaged_anchors_are_an_error_without_a_trace(begin):
    path = trail_proof.anchors_file()
    path.parent.mkdir()
    path.write_text("?\n", "utf-8")
    result = ancu("verify")
    assert result.exit_code == 1
    assert result.stderr == f"ancu: {path}, line 1, is not an anchor of the log.\n"


def test_home_that_cannot_be_written_is_an_error_without_a_trace(begin, monkeypatch, tmp_path):
    settled(monkeypatch)
    (tmp_path / "home").write_text("a file", "utf-8")
    result = ancu("verify")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_server_anchors_the_log_and_says_when_it_cannot(begin, monkeypatch, capsys):
    monkeypatch.setattr(trail_proof.anchor, "__defaults__", (3600,))
    assert serve.anchor_log() is False  # nothing that no crash takes back
    settled(monkeypatch)
    assert serve.anchor_log() is True
    path = trail_proof.anchors_file()
    assert [one.entry_id for one in trail_proof.read_anchors(path)] == [2]
    path.write_text("?\n", "utf-8")
    assert serve.anchor_log() is False
    assert "the access log was not anchored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["2", "1"]),
        (["--account", "LAN"], ["1"]),
        (["--household", "01/00101/H1"], ["1"]),
        (["--household", "01/00102/H1"], []),
        (["--area", "02"], ["2"]),
        (["--denied"], ["2"]),
        (["--text", "owned"], ["2"]),
        (["--text", "owned", "--account", "lan"], []),
        (["--limit", "1"], ["2"]),
    ],
)
def test_entries_are_shown_newest_first(begin, options, shown):
    result = ancu("show", *options)
    assert result.exit_code == 0, result.stderr
    assert re.findall(r"^(\d+) ", result.stdout, re.MULTILINE) == shown
    assert ("There are more" in result.stderr) == ("--limit" in options)


def test_text_from_guests_does_not_steer_the_terminal(begin):
    shown = ancu("show", "--denied").stdout
    assert shown.endswith("rows: 0  query: q=\ufffd]0;owned\ufffd reason: none\n")


def test_reading_the_log_leaves_an_entry(begin):
    ancu("show", "--denied")
    with begin() as conn:
        bind(conn, OPERATOR)
        last = trail.page(conn, limit=1).items[0]
    assert (last["via"], last["route"], last["rows"]) == ("command", "ancu log show", 1)
    assert last["login"] == f"os:{getpass.getuser()}"


@pytest.mark.parametrize("household", ["H1", "01/H1", "/00101/H1", "01/00101/"])
def test_household_that_is_not_fully_named_is_wrong_usage(begin, household):
    result = ancu("show", "--household", household)
    assert result.exit_code == 2
    assert "PROVINCE/COMMUNE/CODE" in result.stderr
