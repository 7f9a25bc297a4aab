"""`ancu export` takes the filters of the pages, and tells the log before it gives anything out."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from api.cli import main
from api.cli.export import FILTERS
from api.findings import FindingQuery
from api.households import HouseholdQuery
from api.params import Listing
from api.sites import SiteQuery
from api.surveys import SurveyQuery
from geo import areas, exports
from geo.account_tables import access_log
from geo.db import transaction
from geo.export_columns import RECORDS
from geo.scope import OPERATOR
from geo.writing import WRITERS
from tests import records_world as world
from tests import test_exports

QUERIES: tuple[type[Listing], ...] = (HouseholdQuery, SurveyQuery, SiteQuery, FindingQuery)

stored = test_exports.stored


def entries() -> list[tuple[object, ...]]:
    """(subject, query, rows, outcome, reason) of all entries, the oldest first."""
    columns = [access_log.c[name] for name in ("subject", "query", "rows", "outcome", "reason")]
    with transaction(scope=OPERATOR) as conn:
        return [
            tuple(row) for row in conn.execute(select(*columns).order_by(access_log.c.entry_id))
        ]


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["export", *words])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("kind", RECORDS)
def test_the_log_is_told_the_rows_before_the_first_byte(conn, kind, format):
    world.fill(conn)
    told: list[int | None] = []

    class Out(io.BytesIO):
        def write(self, data: object) -> int:
            assert told, "a byte went out first"
            return super().write(data)

    rows = exports.export(conn, kind, areas.get(conn, "VN"), format, Out(), begun=told.append)
    assert told == [rows]


@pytest.mark.parametrize("kind", ["progress", "statistics"])
def test_figures_are_told_to_the_log_as_well(conn, kind):
    world.fill(conn)
    told: list[int | None] = []
    exports.export(conn, kind, areas.get(conn, "VN"), "csv", io.BytesIO(), begun=told.append)
    assert told == [None]


def test_an_export_leaves_one_entry(stored, tmp_path: Path):
    code, _, said = run("households", str(tmp_path / "h.csv"), "--area", "01", "--status", "poor")
    assert (code, said.splitlines()[-1]) == (0, f"1 rows in {tmp_path / 'h.csv'}")
    assert entries() == [("households", "area=01&format=csv&status=poor", 1, "allowed", "")]


def test_an_export_that_was_refused_leaves_none_and_no_file(stored, tmp_path: Path):
    assert run("households", str(tmp_path / "h.csv"), "--area", "99")[0] == 1
    assert entries() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["reader", "disk"])
def test_an_export_that_breaks_off_is_in_the_log_with_its_end(stored, end):
    if end == "reader":
        reading, out = os.pipe()
        os.close(reading)
    else:
        out = os.open("/dev/full", os.O_WRONLY)
    command = [sys.executable, "-m", "api.cli", "export", "households", "-", "--area", "01"]
    try:
        done = subprocess.run(
            command, stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=100
        )
    finally:
        os.close(out)
    said = {
        "reader": "ancu: What reads the output went away before its end.",
        "disk": "ancu: The output cannot be written: No space left on device.",
    }
    reason = {"reader": "cut: the reader went away", "disk": "cut: No space left on device"}
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (1, said[end])
    asked = ("households", "area=01&format=csv")
    assert entries() == [
        (*asked, 4, "allowed", ""),
        (*asked, None, "failed", reason[end]),
    ]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("households", "--status", "near_poor"), 1),
        (("households", "--surveyed", "no"), 2),
        (("households", "--bbox", "105.04,21.04,105.06,21.06"), 1),
        (("households", "--until", "2001-01-01"), 0),
        (("surveys", "--verdict", "doubtful"), 3),
        (("surveys", "--rule", "outside"), 1),
        (("surveys", "--since", "2025-09-11"), 1),
        (("surveys", "--enumerator", "E1"), 5),
        (("surveys", "--enumerator", "Ai khác"), 0),
        (("sites", "--stage", "roof"), 1),
        (("sites", "--stage", "frame"), 0),
        (("findings", "--state", "open"), 2),
        (("findings", "--state", "open", "--verdict", "outside"), 1),
        (("findings", "--device", "D"), 0),
    ],
)
def test_filters_are_those_of_the_pages(stored, words, count):
    code, out, said = run(words[0], "-", *words[1:])
    assert (code, said.splitlines()[-1]) == (0, f"{count} rows")
    assert len(list(csv.DictReader(io.StringIO(out)))) == count


def test_all_filters_of_the_listings_are_options():
    of_pages = {name for query in QUERIES for name in query.model_fields}
    assert set(FILTERS) == of_pages - set(Listing.model_fields) - {"order"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("households", "--stage", "roof"),
            "households cannot be filtered by --stage; there are: ",
        ),
        (("progress", "--since", "2025-01-01"), "there are: none but --area."),
        (("surveys", "--verdict", "far"), "--verdict: Input should be 'inside', 'uncertain'"),
        (("surveys", "--since", "yesterday"), "--since: "),
        (("surveys", "--bbox", "1,2"), "--bbox: must be four numbers"),
        (("sites", "--rule", "no_such"), "--rule: is not the code of an audit rule"),
    ],
)
def test_filters_that_cannot_be_are_refused_with_the_choices(words, said):
    code, out, told = run(words[0], "-", *words[1:])
    assert (code, out) == (2, "")
    assert said in told
