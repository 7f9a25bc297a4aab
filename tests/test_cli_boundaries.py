"""`ancu boundaries` as it is typed: exit codes, messages, and the forms that the docs show."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from geo import config
from geo.db import engine
from tests.test_boundaries import HOME, square, write


@pytest.fixture(scope="module")
def database_url(make_database: Callable[..., str]) -> str:
    return make_database()


@pytest.fixture
def ancu(database_url, monkeypatch, tmp_path) -> Iterator[Callable[..., Result]]:
    """ancu("boundaries", "list") runs the command on a database of this module's own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANCU_DOWNLOAD_URL", "http://127.0.0.1:9/x")
    monkeypatch.delenv("ANCU_BOUNDARIES", raising=False)
    config.settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])
    engine(None).dispose()
    engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def test_a_file_is_loaded_listed_and_checked(ancu, tmp_path):
    path = write(tmp_path, {code: square(corner) for code, corner in HOME.items()})
    done = ancu("boundaries", "load", path, "--source", "a [red]survey", "--accuracy-m", "12")
    assert (done.exit_code, "Loaded 4 commune polygons" in done.stderr) == (0, True)
    again = ancu("boundaries", "load", path, "--source", "a [red]survey", "--accuracy-m", "12")
    assert "is loaded already; nothing changed" in again.stderr
    listed = ancu("boundaries", "list")
    assert listed.exit_code == 0
    assert "[red]" in listed.stdout
    checked = ancu("boundaries", "check", "--province", "19")
    assert "4 communes: 0 overlaps above 1 ha (0.00 km²), 0 gaps" in checked.stdout


def test_rejected_input_exits_with_1_and_names_the_row(ancu, tmp_path):
    path = write(tmp_path, {"99999": square(HOME["05443"])}, "bad.parquet")
    done = ancu("boundaries", "load", path)
    assert done.exit_code == 1
    assert "nothing was stored" in done.stderr
    assert "line 1: 99999" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["load", "/no/such/file.gpkg"], "is not a file"),
        (["load", "x.gpkg", "--accuracy-m", "0"], "--accuracy-m must be"),
        (["download"], "Name the provinces"),
        (["download", "19"], "Put --province before the codes"),
        (["download", "--province", "19", "99"], "No present province has the code 99"),
        (["sketch", "--province", "02"], "No present province has the code 02"),
        (["check", "--province", "05443"], "is no province"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_to_do(ancu, arguments, said):
    done = ancu("boundaries", *arguments)
    assert (done.exit_code, said in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "codes", [["19", "46", "08"], ["19", "--province", "46", "--province", "08"], ["19,46,08"]]
)
def test_several_provinces_can_be_named_in_every_usual_way(ancu, codes):
    done = ancu("boundaries", "download", "--province", *codes)
    assert done.exit_code == 1
    assert "127.0.0.1 does not answer" in done.stderr


def test_a_sketch_says_that_it_is_one(ancu):
    done = ancu("boundaries", "sketch", "--province", "46")
    assert done.exit_code == 0
    assert "not for audits" in done.stderr
    assert "(SKETCH)" in " ".join(ancu("boundaries", "list").stdout.split())
