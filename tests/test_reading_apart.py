"""Reading in a process of its own: same batches, same errors, and no process left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, func, select

from geo.errors import RejectedError, UnavailableError, UsageError
from geo.intake import imports, reading_apart
from geo.intake.batches import BATCH_ROWS, batches
from geo.intake.columns import Columns, Packed
from geo.intake.imports import import_file
from geo.intake.readers import open_source
from geo.intake.reading_apart import read_apart
from geo.tables import survey
from tests import intake_world as world
from tests.intake_world import figures

HEADER = "survey_id,household_code,surveyed_at,enumerator,lon,lat,accuracy_m,note\n"


def surveys_csv(path: Path, rows: int, *more: str) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for i in range(rows):
            file.write(
                f"00000000-0000-4000-8000-{i:012d},H1,2026-09-30T08:15:00+07:00,Ngô Thị Bưởi,"
                f"105.05,21.01,{i % 50},{'ghi chú' if i % 2 else ''}\n"
            )
        file.writelines(more)
    return path


def children() -> list[int]:
    """The processes that this one started and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we looked
        if parent == os.getpid() and b"reading_apart" in (stat.parent / "cmdline").read_bytes():
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def always_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "WORTH_FROM", 0)


def test_another_process_reads_the_same_batches_in_the_same_order(tmp_path: Path) -> None:
    path = surveys_csv(tmp_path / "s.csv", BATCH_ROWS + 7, "no-uuid,H1,,,,,,\n")
    here = list(batches("surveys", open_source(path).rows))
    with read_apart("surveys", path) as received:
        there = list(received)
    assert len(there) == len(here) == 2
    for mine, theirs in zip(here, there, strict=True):
        assert list(theirs.records) == mine.records
        assert list(theirs.rows) == mine.rows
        assert (theirs.lines, theirs.hashes, theirs.read) == (mine.lines, mine.hashes, mine.read)
        assert (theirs.rejected, theirs.notes) == (mine.rejected, mine.notes)
        np.testing.assert_array_equal(theirs.lon, mine.lon)
        np.testing.assert_array_equal(theirs.lat, mine.lat)
        for name in ("survey_id", "surveyed_at", "photo", "accuracy_m", "attributes", "stage"):
            assert theirs.column(name) == mine.column(name)
    assert there[1].rejected[0].line == BATCH_ROWS + 9
    assert not children()


def test_records_from_columns_are_the_records() -> None:
    rows = [world.site(attributes="x", **{"ghi chú": {"a": n}}, lon=n / 9 + 103) for n in range(3)]
    (batch,) = batches("sites", enumerate(rows))
    rebuilt = Columns(type(batch.records[0]), batch.records)
    assert list(rebuilt) == batch.records
    assert (
        rebuilt[2].attributes
        == batch.records[2].attributes
        == {"attributes": "x", "ghi chú": {"a": 2}}
    )
    assert rebuilt[1].model_dump_json() == batch.records[1].model_dump_json()


@pytest.mark.parametrize("items", [[], [1, "hai", None], [{"a": 2.5}]])
def test_what_is_packed_comes_out_unchanged(items: list[object]) -> None:
    assert list(Packed(items)) == items and len(Packed(items)) == len(items)


@pytest.mark.usefixtures("always_apart")
def test_an_import_with_a_reading_process_stores_the_same(
    homed: Connection, tmp_path: Path
) -> None:
    path = surveys_csv(tmp_path / "s.csv", 30)
    report = import_file(homed, "surveys", path, apart=True)
    assert figures(report) == (30, 0, 0, 0, 0)
    stored = homed.execute(select(survey).order_by(survey.c.survey_id)).all()
    assert [row.accuracy_m for row in stored] == list(range(30))
    assert [row.attributes for row in stored[:2]] == [{}, {"note": "ghi chú"}]
    assert figures(import_file(homed, "surveys", path)) == (0, 0, 30, 0, 0)
    assert not children()


@pytest.mark.usefixtures("always_apart")
def test_refused_rows_and_broken_files_are_told_as_without_it(
    homed: Connection, tmp_path: Path
) -> None:
    bad = surveys_csv(tmp_path / "bad.csv", 3, "no-uuid,H1,2026-09-30T08:15:00+07:00,a,,,,\n")
    broken = surveys_csv(tmp_path / "broken.csv", 3, '"never closed\n')
    for path in (bad, broken):
        told = []
        for apart in (False, True):
            with pytest.raises(RejectedError) as caught:
                import_file(homed, "surveys", path, apart=apart)
            told.append((str(caught.value), caught.value.problems))
        assert told[0] == told[1] and told[0][1]
    assert homed.scalar(select(func.count()).select_from(survey)) == 0
    assert not children()


def test_a_file_that_goes_away_is_told_by_the_reading_process(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"), read_apart("surveys", tmp_path / "x") as got:
        next(got)


def test_a_reading_process_that_dies_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = surveys_csv(tmp_path / "s.csv", 3 * BATCH_ROWS)
    with (
        pytest.raises(UnavailableError, match=r"SIGKILL.*nothing was stored"),
        read_apart("surveys", path) as received,
    ):
        assert len(next(received)) == BATCH_ROWS
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        list(received)
    assert not children()


def test_stopping_early_ends_the_reading_process(tmp_path: Path) -> None:
    path = surveys_csv(tmp_path / "s.csv", 3 * BATCH_ROWS)
    with read_apart("surveys", path) as received:
        next(received)
        assert len(children()) == 1
    assert not children()


def test_a_reading_process_ends_when_the_one_that_started_it_is_killed(tmp_path: Path) -> None:
    path = surveys_csv(tmp_path / "s.csv", 2 * BATCH_ROWS)
    script = f"""
        import os, signal
        from pathlib import Path
        from geo.intake import reading_apart as apart
        started = apart._started
        def told(*given):
            child = started(*given)
            print(child.pid, flush=True)
            return child
        apart._started = told
        with apart.read_apart("surveys", Path({str(path)!r})) as received:
            next(received)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, check=False
    )
    assert run.returncode == -signal.SIGKILL
    child = Path(f"/proc/{int(run.stdout)}/cmdline")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and _still_reads(child):
        os.sched_yield()
    assert not _still_reads(child)


def _still_reads(cmdline: Path) -> bool:
    try:
        return b"reading_apart" in cmdline.read_bytes()  # empty once it has ended
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_small_files_start_no_process(
    homed: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_given: object) -> None:
        raise AssertionError("a process was started for a small file")

    monkeypatch.setattr(reading_apart, "_started", unexpected)
    path = surveys_csv(tmp_path / "s.csv", 3)
    assert import_file(homed, "surveys", path, apart=True).added == 3
