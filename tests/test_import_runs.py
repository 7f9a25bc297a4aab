"""Whole runs: rejects files, dry runs, what is refused before reading, two imports at once."""

import csv
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, func, select

from geo import schema
from geo.counter_tables import commune_counter
from geo.errors import ConflictError, RejectedError, UsageError
from geo.intake.imports import import_file
from geo.scope import OPERATOR, bind
from geo.tables import household, import_conflict, import_job, survey
from tests import intake_world as world
from tests.intake_world import figures, load, one

# the whole


def write_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list({name: 0 for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_with_a_rejects_file_the_good_rows_land_and_the_bad_ones_can_be_mended(
    homed: Connection, tmp_path: Path
) -> None:
    rows = [
        world.survey(1),
        world.survey(2, lon=0.0, lat=0.0, household_code="H9"),
        world.survey(3),
    ]
    path = write_csv(tmp_path / "s.csv", rows)
    refused = tmp_path / "refused.csv"
    report = import_file(homed, "surveys", path, rejects=refused)
    assert figures(report) == (2, 0, 0, 0, 1)
    with refused.open(encoding="utf-8-sig", newline="") as file:
        (bad,) = csv.DictReader(file)
    assert bad["line"] == "3" and bad["reason"].startswith("The point is 0, 0")
    assert bad["survey_id"] == rows[1]["survey_id"]

    mended = refused.read_text(encoding="utf-8-sig").replace("H9", "H1").replace("0.0", "")
    refused.write_text(mended, encoding="utf-8")
    assert import_file(homed, "surveys", refused).added == 1
    assert not any(row.attributes for row in homed.execute(select(survey)))


def test_what_is_refused_comes_back_whole_whatever_its_columns(
    homed: Connection, tmp_path: Path
) -> None:
    row = world.survey(1, household_code="H9") | {"line": "7", "reason": "moved", "note": "x"}
    text = ",".join(row) + "\n" + ",".join(str(value) for value in row.values())
    path = tmp_path / "s.csv"
    path.write_text(text + ",Thôn 3,Xã An Hoà\n", encoding="utf-8")
    refused = tmp_path / "refused.csv"
    import_file(homed, "surveys", path, rejects=refused)
    with refused.open(encoding="utf-8-sig", newline="") as file:
        header, cells = csv.reader(file)
    assert header == [*row, "other_columns", "line", "reason"]
    assert json.loads(cells[-3]) == {"surplus_cells": ["Thôn 3", "Xã An Hoà"]}

    again = tmp_path / "again.csv"
    import_file(homed, "surveys", refused, rejects=again)
    assert again.read_bytes() == refused.read_bytes()
    cells[header.index("household_code")], cells[-3] = "H1", ""
    with refused.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, cells])
    assert import_file(homed, "surveys", refused).added == 1
    assert one(homed, survey).attributes == {"line": "7", "reason": "moved", "note": "x"}


def test_times_and_further_columns_of_refused_rows_are_understood_again(
    homed: Connection, tmp_path: Path
) -> None:
    row = world.survey(surveyed_at=datetime(2026, 9, 30, 8, 15), note="ố", household_code="H9")
    refused = tmp_path / "refused.csv"
    load(homed, "surveys", row, rejects=refused)
    text = refused.read_text(encoding="utf-8-sig").replace("H9", "H1")
    refused.write_text(text, encoding="utf-8")
    assert import_file(homed, "surveys", refused).added == 1
    stored = one(homed, survey)
    assert stored.surveyed_at == datetime(2026, 9, 30, 1, 15, tzinfo=UTC)
    assert stored.attributes == {"note": "ố"}


@pytest.mark.parametrize("how", ["same name", "another way", "symbolic link", "hard link"])
def test_a_rejects_file_never_replaces_the_file_that_is_read(
    homed: Connection, tmp_path: Path, how: str
) -> None:
    path = write_csv(tmp_path / "s.csv", [world.survey(), world.survey(2, lon=0, lat=0)])
    content = path.read_bytes()
    other = tmp_path / "other.csv"
    if how == "symbolic link":
        other.symlink_to(path)
    elif how == "hard link":
        other.hardlink_to(path)
    else:
        other = path if how == "same name" else tmp_path / "." / "x" / ".." / "s.csv"
        (tmp_path / "x").mkdir()
    with pytest.raises(UsageError, match="would overwrite"):
        import_file(homed, "surveys", path, rejects=other)
    assert path.read_bytes() == content
    assert homed.execute(select(survey)).first() is None


def test_a_dry_run_writes_what_would_be_refused(homed: Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", [world.survey(), world.survey(2, household_code="H9")])
    refused = tmp_path / "refused.csv"
    report = import_file(homed, "surveys", path, rejects=refused, dry_run=True)
    assert figures(report) == (1, 0, 0, 0, 1)
    with refused.open(encoding="utf-8-sig", newline="") as file:
        assert [row["household_code"] for row in csv.DictReader(file)] == ["H9"]
    assert homed.execute(select(survey)).first() is None


def test_a_dry_run_reports_the_same_and_stores_nothing(homed: Connection) -> None:
    report = load(homed, "surveys", world.survey(), dry_run=True)
    assert (report.added, report.dry_run, report.verdicts) == (1, True, {"inside": 1})
    for table in (survey, import_conflict):
        assert homed.execute(select(table)).first() is None
    jobs = homed.execute(select(import_job.c.kind)).scalars().all()
    assert jobs == ["households"]


def test_a_missing_column_is_named_before_anything_is_read(db: Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", [{"survey_id": "1", "household_code": "H1"}])
    with pytest.raises(RejectedError, match="lacks the columns surveyed_at, enumerator"):
        import_file(db, "surveys", path)


def test_a_file_with_only_a_header_is_refused(db: Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "h.csv", [world.household()])
    path.write_text(path.read_text().splitlines()[0] + "\n\n \n")
    with pytest.raises(RejectedError, match="holds no row"):
        import_file(db, "households", path)


def test_an_unknown_kind_lists_the_known_ones(db: Connection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="households, surveys, sites"):
        import_file(db, "cows", tmp_path)


def test_extra_columns_are_kept(db: Connection) -> None:
    load(db, "households", world.household(điện="có", attributes="x"))
    assert one(db, household).attributes == {"điện": "có", "attributes": "x"}


def test_demo_rows_are_marked_everywhere(db: Connection) -> None:
    load(db, "households", world.household(), demo=True)
    assert one(db, household).demo and one(db, import_job).demo


def test_progress_ends_with_all_rows(db: Connection) -> None:
    seen: list[tuple[int, int | None]] = []
    load(db, "households", world.household(), progress=lambda *state: seen.append(state))
    assert seen == [(1, None)]


def test_two_imports_of_the_same_survey_at_once_leave_it_stored_once(
    make_database: Callable[..., str],
) -> None:
    engine = create_engine(make_database())
    with engine.begin() as conn:
        schema.migrate(conn)
        bind(conn, OPERATOR)
        world.build(conn)
        load(conn, "households", world.household())
    outcomes: list[object] = []
    barrier = threading.Barrier(2)

    def send() -> None:
        try:
            with engine.begin() as conn:
                bind(conn, OPERATOR)
                barrier.wait()
                outcomes.append(figures(load(conn, "surveys", world.survey())))
        except ConflictError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as conn:
        assert conn.execute(select(func.count()).select_from(survey)).scalar() == 1
        counted = conn.execute(select(func.sum(commune_counter.c.surveys))).scalar()
    engine.dispose()
    assert counted == 1
    assert (1, 0, 0, 0, 0) in outcomes
    assert all(isinstance(o, tuple) or "Repeat this one" in o for o in outcomes)
