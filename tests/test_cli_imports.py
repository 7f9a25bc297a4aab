"""`ancu import` as it is typed: exit codes, and what is said where."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine

from api.cli import main
from geo import config, schema
from geo.db import engine
from tests import intake_world as world
from tests.test_import_runs import write_csv


@pytest.fixture(scope="module")
def database_url(make_database: Callable[..., str]) -> str:
    url = make_database()
    made = create_engine(url)
    with made.begin() as conn:
        schema.migrate(conn)
        world.build(conn)
    made.dispose()
    return url


@pytest.fixture
def ancu(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Result]]:
    """ancu("import", …) runs the command on a database of this module's own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])
    engine(None).dispose()
    engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def test_an_import_ends_with_0_and_says_what_became_of_the_rows(ancu, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "hộ.csv", [world.household("K1"), world.household("K2")])
    tried = ancu("import", "households", path, "--dry-run")
    assert tried.exit_code == 0
    assert "2 added" in tried.stdout and "Dry run: nothing was stored." in tried.stdout
    done = ancu("import", "households", path)
    assert done.exit_code == 0
    assert done.stdout.startswith("hộ.csv: 2 rows in ") and "2 added" in done.stdout
    again = ancu("import", "households", path)
    assert again.exit_code == 0 and "2 unchanged" in again.stdout


def test_refused_rows_end_it_with_1_and_are_named(ancu, tmp_path: Path) -> None:
    rows = [world.household("M1"), world.household("M2", status="nghèo")]
    path = write_csv(tmp_path / "h.csv", rows)
    done = ancu("import", "households", path)
    assert done.exit_code == 1
    assert "1 of 2 rows cannot be stored. Nothing was stored." in done.stderr
    assert "line 3: status: “nghèo” is not one of" in done.stderr
    assert not done.stdout.strip()


@pytest.mark.parametrize("dry", [True, False], ids=["dry", "stored"])
def test_with_a_rejects_file_it_ends_with_0_and_names_it(ancu, tmp_path: Path, dry: bool) -> None:
    path = write_csv(tmp_path / "h.csv", [world.household("N1"), world.household("N2", members=0)])
    refused = tmp_path / "refused.csv"
    done = ancu("import", "households", path, "--rejects", refused, *["--dry-run"] * dry)
    assert done.exit_code == 0
    assert "1 added" in done.stdout and "1 rejected" in done.stdout
    assert f"The rejected rows are in {refused}" in done.stdout
    assert "N2" in refused.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cows", "h.csv"], "'cows' is not one of"),
        (["households", "missing.csv"], "There is no file"),
        (["households", "."], "is a directory"),
        (["households"], "Missing argument"),
        (["households", "h.csv", "--rejects", "h.csv"], "would overwrite"),
        (["households", "h.csv", "--rejects", "no/where.csv"], "cannot be written"),
    ],
)
def test_wrong_usage_ends_it_with_2(
    ancu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    content = write_csv(tmp_path / "h.csv", [world.household("L1")]).read_bytes()
    done = ancu("import", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert (tmp_path / "h.csv").read_bytes() == content
