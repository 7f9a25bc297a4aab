"""`ancu person` as it is typed: what is written, asked for, said and logged."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, select

from api.cli import main
from geo import config, db, schema
from geo.account_tables import access_log
from geo.scope import OPERATOR
from tests import intake_world as world
from tests.persons_world import ID, MASKED, OTHER, WHY, build

PERSON = ("01", "H1", "--reason", WHY)
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def filled(make_database: Callable[..., str]) -> str:
    url = make_database()
    with db.transaction(url, scope=OPERATOR) as conn:
        schema.migrate(conn)
        world.build(conn)
    with db.transaction(url, scope=OPERATOR) as conn:
        build(conn)
    db.engine(url).dispose()
    return url


@pytest.fixture
def url(make_database: Callable[..., str], filled: str) -> str:
    return make_database(filled)


@pytest.fixture
def ancu(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Command]:
    """ancu("record", …, input=…) runs `ancu person`."""
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield lambda *typed, **more: CliRunner().invoke(main, ["person", *map(str, typed)], **more)
    db.engine(None).dispose()
    db.engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def entries(conn: Connection) -> list[tuple[str, str, str, str, int, str]]:
    names = ("via", "action", "subject_id", "commune_code", "rows", "reason")
    columns = (access_log.c[name] for name in names)
    return [tuple(row) for row in conn.execute(select(*columns).order_by(access_log.c.entry_id))]


def logged(url: str) -> list[tuple[str, str, str, str, int, str]]:
    with db.transaction(url, scope=OPERATOR) as conn:
        return entries(conn)


def test_a_record_goes_to_stdout_masked_and_to_a_file_of_ones_own_in_full(
    ancu: Command, url: str, tmp_path: Path
) -> None:
    done = ancu("record", *PERSON)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["household"]["national_id_masked"] == MASKED
    assert ID not in done.stdout
    file = tmp_path / "record.json"
    assert ancu("record", *PERSON, "--full-ids", "--out", file).exit_code == 0
    assert json.loads(file.read_bytes())["household"]["national_id"] == ID
    assert file.stat().st_mode & 0o077 == 0
    # The first one's entry is part of the second.
    assert logged(url) == [
        ("command", "person.export", "H1", "00101", rows, WHY) for rows in (7, 8)
    ]


def test_a_correction_by_command(ancu: Command, url: str) -> None:
    assert ancu("correct", "01", "H1", "members", "9", "--reason", WHY).exit_code == 0
    done = ancu("correct", "01", "H1", "national_id", "-", "--reason", WHY, input=f"{OTHER}\n")
    assert done.exit_code == 0 and OTHER not in done.output
    status = ("status", "near_poor", "--year", "2026")
    assert ancu("correct", "01", "H1", *status, "--reason", WHY).exit_code == 0
    made = json.loads(ancu("record", *PERSON, "--full-ids").stdout)["household"]
    assert (made["members"], made["national_id"], made["status"]) == (9, OTHER, "near_poor")
    assert [entry[5] for entry in logged(url)[:3]] == [
        f"{field}: {WHY}" for field in ("members", "national_id", "status")
    ]


def test_a_removal_by_command(ancu: Command, url: str) -> None:
    assert ancu("remove", *PERSON).exit_code == 2
    wrong = ancu("remove", *PERSON, "--confirm", "H2")
    assert wrong.exit_code == 1 and "not the household's code" in wrong.stderr
    assert ancu("remove", *PERSON, "--confirm", "H1").exit_code == 0
    assert logged(url) == [("command", "person.remove", "H1", "00101", 1, WHY)]
    gone = ancu("record", *PERSON)
    assert gone.exit_code == 1 and "There is no household 'H1'" in gone.stderr


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("record", "01", "H1", "--reason", "x"), 1, "Give the reason in 10 characters"),
        (("record", *PERSON, "--out", "/no/such/file"), 2, "cannot be written"),
        (("record", "01", "H1"), 2, "Missing option '--reason'"),
        (("correct", "01", "H1", "geom", "1", "--reason", WHY), 2, "'geom' is not one of"),
        (("correct", "01", "H1", "members", "0", "--reason", WHY), 1, "“0” is less than 1"),
        (("remove", "01", "H9", "--reason", WHY, "--confirm", "H9"), 1, "There is no household"),
    ],
)
def test_what_is_refused_is_said_and_not_done(
    ancu: Command, typed: tuple[str, ...], code: int, said: str
) -> None:
    done = ancu(*typed)
    assert done.exit_code == code and said in done.stderr
    assert "Traceback" not in done.output


def test_an_import_of_ids_without_keys_names_the_command_that_makes_them(
    ancu: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "h.csv"
    head = "household_code,head_name,recorded_address,national_id"
    file.write_text(f"{head}\nH8,An,Xã An Hoà,{ID}\n", encoding="utf-8")
    monkeypatch.setenv("ANCU_KEYS", str(tmp_path / "none.json"))
    config.settings.cache_clear()
    done = CliRunner().invoke(main, ["import", "households", str(file)])
    assert done.exit_code == 2
    assert "Make one with `ancu keys make`" in done.stderr and ID not in done.output
