"""`ancu user` as it is typed: accounts made and changed, and the entries that this leaves."""

import getpass
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, create_engine, select, text, update

from api.cli import main
from geo import config, schema
from geo.account_tables import access_log, account
from geo.accounts import passwords, store
from geo.db import engine, transaction
from geo.scope import OPERATOR
from tests import page_data

PASSWORD = re.compile(r"[a-z2-9]{4}(-[a-z2-9]{4}){5}\n")


@pytest.fixture(scope="module")
def database_url(make_database: Callable[..., str]) -> str:
    url = make_database()
    made = create_engine(url)
    with made.begin() as conn:
        schema.migrate(conn)
        page_data.add_areas(conn)
    made.dispose()
    return url


@pytest.fixture
def ancu(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Result]]:
    """ancu("user", …) runs the command; accounts of the test before are gone."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    with transaction(scope=OPERATOR) as conn:
        conn.execute(text("TRUNCATE account CASCADE"))
    yield lambda *arguments: CliRunner().invoke(main, ["user", *arguments])
    engine(None).dispose()
    engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def add(ancu: Callable[..., Result], login: str = "lo.sen", *more: str) -> Result:
    return ancu("add", login, "--name", "Lò Thị Sen", "--area", "05001", *more)


def found(login: str = "lo.sen") -> store.Account:
    with transaction(scope=OPERATOR) as conn:
        return store.by_login(conn, login)


def last_entry(conn: Connection) -> dict:
    query = select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    return dict(conn.execute(query).mappings().one())


def test_an_account_is_made_with_roles_and_its_password_alone_is_on_stdout(ancu) -> None:
    done = add(ancu, "Lo.Sen", "--role", "officer@05001", "--role", "planner@19")
    assert done.exit_code == 0
    assert PASSWORD.fullmatch(done.stdout)
    made = found()
    assert {(one.role, one.area_code) for one in made.held} == {
        ("officer", "05001"),
        ("planner", "19"),
    }
    assert (made.full_name, made.home_code, made.must_change_password) == (
        "Lò Thị Sen", "05001", True,
    )  # fmt: skip
    with transaction(scope=OPERATOR) as conn:
        hashed = conn.execute(select(account.c.password_hash)).scalar_one()
    assert passwords.verify(hashed, done.stdout.strip())


def test_each_change_leaves_an_entry_of_who_worked_on_the_machine(ancu) -> None:
    password = add(ancu, "lo.sen", "--role", "officer@05001").stdout.strip()
    with transaction(scope=OPERATOR) as conn:
        entry = last_entry(conn)
    assert {name: entry[name] for name in ("login", "via", "subject", "subject_id", "reason")} == {
        "login": f"os:{getpass.getuser()}",
        "via": "command",
        "subject": "account",
        "subject_id": "lo.sen",
        "reason": "created: officer@05001",
    }
    assert (entry["province_code"], entry["commune_code"]) == ("19", "05001")
    assert password not in str(entry)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["disable", "lo.sen"], "disabled"),
        (["enable", "lo.sen"], "enabled"),
        (["reset-password", "lo.sen"], "password-reset"),
        (["reset-totp", "lo.sen"], "code-reset"),
        (["grant", "lo.sen", "planner@19"], "granted: planner@19"),
        (["revoke", "lo.sen", "officer@05001"], "revoked: officer@05001"),
    ],
)
def test_changes_are_made_and_logged(ancu, arguments: list[str], reason: str) -> None:
    add(ancu, "lo.sen", "--role", "officer@05001")
    assert ancu(*arguments).exit_code == 0
    with transaction(scope=OPERATOR) as conn:
        assert last_entry(conn)["reason"] == reason


def test_disabled_and_enabled(ancu) -> None:
    add(ancu)
    ancu("disable", "lo.sen")
    assert found().disabled_at is not None
    ancu("enable", "lo.sen")
    assert found().disabled_at is None


def test_roles_are_given_and_taken(ancu) -> None:
    add(ancu)
    assert "is planner@19" in ancu("grant", "lo.sen", "planner@19").stderr
    assert "was already planner@19" in ancu("grant", "lo.sen", "planner@19").stderr
    assert [(one.role, one.area_code) for one in found().held] == [("planner", "19")]
    ancu("revoke", "lo.sen", "planner@19")
    assert found().held == ()


def test_a_new_password_replaces_the_old_one(ancu) -> None:
    first = add(ancu).stdout.strip()
    second = ancu("reset-password", "lo.sen").stdout.strip()
    with transaction(scope=OPERATOR) as conn:
        hashed = conn.execute(select(account.c.password_hash)).scalar_one()
    assert passwords.verify(hashed, second) and not passwords.verify(hashed, first)


def test_show_and_list_tell_state_and_roles(ancu) -> None:
    add(ancu, "lo.sen", "--role", "officer@05001", "--position", "Công chức xã")
    add(ancu, "ma.sau")
    ancu("disable", "ma.sau")
    listed = ancu("list", "--area", "05001")
    assert listed.stdout.splitlines() == [
        "lo.sen\tnever\tofficer@05001\tLò Thị Sen",
        "ma.sau\tdisabled\t-\tLò Thị Sen",
    ]
    assert listed.stderr == "2 accounts\n"
    assert ancu("list", "--query", "sau").stdout.splitlines() == listed.stdout.splitlines()[1:]
    shown = ancu("show", "lo.sen").stdout
    assert "Position:      Công chức xã" in shown
    assert "Role:          officer@05001 Xã Ba Bể" in shown


def test_list_finds_what_nobody_used_for_long(ancu) -> None:
    add(ancu, "new.one")
    add(ancu, "old.one")
    with transaction(scope=OPERATOR) as conn:
        conn.execute(
            update(account)
            .where(account.c.login == "old.one")
            .values(created_at=text("now() - interval '31 days'"))
        )
    assert ancu("list", "--unused", "30").stdout.startswith("old.one\t")
    assert ancu("list", "--unused", "32").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "nobody"], 1, "There is no account 'nobody'."),
        (["disable", "nobody"], 1, "There is no account 'nobody'."),
        (["add", "a", "--name", "A", "--area", "19"], 1, "A login has 3 to 64"),
        (["add", "abc", "--name", "A", "--area", "77"], 1, "no area with the code '77'"),
        (["add", "abc", "--name", "A", "--area", "19", "--role", "officer"], 2, "officer@19"),
        (["add", "abc", "--name", "A", "--area", "19", "--role", "king@19"], 2, "no role 'king'"),
        (["add", "abc", "--name", "A"], 2, "Missing option"),
        (["list", "--unused", "3", "--query", "x"], 2, "not both"),
    ],
)
def test_what_cannot_be_is_said_and_stores_nothing(
    ancu, arguments: list[str], code: int, said: str
) -> None:
    done = ancu(*arguments)
    assert done.exit_code == code
    assert said in done.stderr and "Traceback" not in done.output
    with transaction(scope=OPERATOR) as conn:
        assert conn.execute(select(account.c.login)).all() == []


def test_a_login_in_use_is_refused_with_exit_code_1(ancu) -> None:
    add(ancu)
    again = add(ancu, "LO.SEN")
    assert again.exit_code == 1 and "in use" in again.stderr and again.stdout == ""
