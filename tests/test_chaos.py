"""A short `make chaos`: a kill of each, a cut line, and a full disk, all on one service."""

import pytest

from tests import chaos
from tests.chaos import Chaos
from tests.chaos_world import Senders
from tests.served import Enumerator


def test_what_was_acknowledged_is_there_once_after_kills_a_cut_and_a_full_disk():
    run = Chaos(seed=1, times=1, rows=500, communes=3, households=20)
    disk_was_full = run.short()
    assert run.wrong == []
    if not disk_was_full:
        pytest.skip("no small disk can be made here; the rest of the run was right")


def test_a_device_that_dies_fails_the_run_and_says_why():
    class Broken:
        url = "http://127.0.0.1:9"

        def said(self):
            return ""

    nowhere = Enumerator("05443", "ancu_x", (), 105.0, 21.0)  # no household to visit
    with Senders(Broken(), [nowhere]) as senders, pytest.raises(AssertionError) as told:
        senders.wait_for_more()
    assert "the device of 05443 died" in str(told.value)
    assert "ZeroDivisionError" in senders.died[0]


def test_a_run_says_what_was_wrong_and_fails(monkeypatch, capsys):
    def lose(run):
        run.wrong.append("one survey is lost")

    for step in ("kills", "full_disk", "clocks"):
        monkeypatch.setattr(Chaos, step, lose)
    monkeypatch.setattr("sys.argv", ["chaos", "--seed", "7"])
    assert chaos.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("seed 7\n") and said.count("WRONG: one survey is lost\n") == 3
    assert said.endswith("3 things are wrong\n")


def test_a_run_says_at_its_end_what_it_could_not_try(monkeypatch, capsys):
    monkeypatch.setattr(Chaos, "kills", lambda _run: None)
    monkeypatch.setattr(Chaos, "full_disk", lambda run: run.skipped.append("full disk: no root"))
    monkeypatch.setattr(Chaos, "clocks", lambda _run: None)
    monkeypatch.setattr("sys.argv", ["chaos", "--seed", "7"])
    assert chaos.main() == chaos.NOT_TRIED
    said = capsys.readouterr().err
    assert "NOT TRIED: full disk: no root\n" in said
    assert said.endswith("all is there, but 1 parts were not tried\n")
