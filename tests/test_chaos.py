"""A short `make chaos`: one kill of each, a cut line, and a full disk."""

import pytest

from tests import chaos
from tests.chaos import Chaos
from tests.chaos_world import small_disk


def test_what_was_acknowledged_before_a_kill_or_a_cut_is_there_once_after_it():
    run = Chaos(seed=1, times=1, rows=2_000)
    run.kills()
    assert run.wrong == []


def test_a_full_disk_loses_nothing_and_passes_when_there_is_room_again(tmp_path):
    try:
        with small_disk(tmp_path, 1):
            pass
    except PermissionError as error:
        pytest.skip(f"no small disk can be made here: {error}")
    run = Chaos(seed=1, times=1)
    run.full_disk()
    assert run.wrong == []


def test_a_run_says_what_was_wrong_and_fails(monkeypatch, capsys):
    def lose(run):
        run.wrong.append("one survey is lost")

    for step in ("kills", "full_disk", "clocks"):
        monkeypatch.setattr(Chaos, step, lose)
    monkeypatch.setattr("sys.argv", ["chaos", "--seed", "7"])
    assert chaos.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("seed 7\n") and said.count("WRONG: one survey is lost\n") == 3
