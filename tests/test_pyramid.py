"""Squares and counters are those of the tables after every writer, whoever writes at once."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select, text, update

from geo import additions, areas, cells, metrics, pyramid
from geo.address_fixes import fixing
from geo.audit import decisions, together
from geo.audit import run as audit
from geo.audit.actors import By
from geo.audit.decisions import Subject
from geo.audit.repairs import Point
from geo.audit_tables import address_fix, audit_item
from geo.counter_tables import commune_counter, commune_revision
from geo.demo import loading as demo
from geo.errors import AncuError
from geo.persons import correcting, removing
from geo.scope import OPERATOR, bind
from geo.tables import boundary_version, finding, household, site, survey
from geo.tile_tables import tile_square
from tests import intake_world as world
from tests.conftest import unpooled
from tests.counted import assert_kept
from tests.intake_world import load
from tests.open_addresses import DIVIDED

WHY = "Chủ hộ đề nghị"
BY = By(7, "Trần Thị Mai")
AN_HOA = ("01", "00101")
HERE = Point(105.05, 21.05, 8.0)


def squares(conn: Connection, layer: str, level: int = 14) -> list[tuple]:
    found = select(tile_square.c["class"], tile_square.c.records, tile_square.c.flagged).where(
        tile_square.c.layer == layer, tile_square.c.level == level
    )
    return sorted(tuple(row) for row in conn.execute(found))


def revisions(conn: Connection) -> dict[str, int]:
    columns = (commune_revision.c.commune_code, commune_revision.c.revision)
    return {row[0]: row[1] for row in conn.execute(select(*columns))}


# ---- what a square holds


def test_a_record_is_in_one_square_of_each_level_by_its_class(homed: Connection) -> None:
    load(homed, "surveys", world.survey(1), world.survey(2, lon=105.15), world.survey(3, lon=None,
         lat=None))  # fmt: skip
    for level in pyramid.LEVELS:
        assert squares(homed, "surveys", level) == [("inside", 1, 0), ("outside", 1, 1)]
        assert squares(homed, "findings", level) == [("outside", 1, 1)]
    (at,) = homed.scalars(
        select(tile_square.c.square).where(
            tile_square.c.level == 14, tile_square.c["class"] == "inside"
        )
    )
    first, after = cells.tile_range(14, *_tile(105.05, 21.01, 14))
    below = 2 * (cells.ZOOM - 14)
    assert (at << below, (at + 1) << below) == (first, after)


def _tile(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    column, row = cells.shares(lon, lat)
    return int(column * 2**zoom), int(row * 2**zoom)


def test_a_square_stands_where_its_records_are_on_average(homed: Connection) -> None:
    load(homed, "surveys", world.survey(1), world.survey(2, lon=105.0502, lat=21.0102))
    lon, lat = homed.execute(
        select(
            tile_square.c.lon_sum / tile_square.c.records,
            tile_square.c.lat_sum / tile_square.c.records,
        ).where(tile_square.c.level == 14, tile_square.c.layer == "surveys")
    ).one()
    assert (lon, lat) == (pytest.approx(105.0501, abs=1e-6), pytest.approx(21.0101, abs=1e-6))


@pytest.mark.parametrize(
    ("zoom", "level"),
    [(0, 10), (6, 10), (10, 10), (11, 12), (12, 12), (13, 14), (14, 14), (15, 14)],
)
def test_each_zoom_has_a_level_that_is_no_coarser(zoom: int, level: int) -> None:
    assert pyramid.level_for(zoom) == level


def test_a_decided_or_blameless_finding_flags_nothing(homed: Connection) -> None:
    load(homed, "surveys", world.survey(1, lon=105.15), world.survey(2, lon=105.15))
    homed.execute(update(finding).values(state="explained", blameless=False))
    metrics.touch(homed, [AN_HOA])
    assert squares(homed, "surveys") == [("outside", 2, 0)]
    homed.execute(update(finding).values(state="open", blameless=True))
    metrics.touch(homed, [AN_HOA])
    assert squares(homed, "findings") == [("outside", 2, 0)]
    assert_kept(homed)


# ---- revisions


def test_a_revision_grows_with_every_change_and_only_where_it_is(homed: Connection) -> None:
    steps = [revisions(homed)]
    load(homed, "households", world.household("H2", commune_code="00102"))
    steps.append(revisions(homed))
    assert steps[1]["00101"] == steps[0]["00101"]
    for change in (
        lambda: load(homed, "surveys", world.survey(1, lon=105.15)),
        lambda: metrics.touch(homed, [AN_HOA]),
        lambda: metrics.recount(homed, [AN_HOA]),
    ):
        change()
        steps.append(revisions(homed))
        assert steps[-1]["00101"] > steps[-2]["00101"]
        assert steps[-1]["00102"] == steps[1]["00102"] > 0
    whole = metrics.revision(homed, areas.get(homed, "01"))
    assert whole == sum(steps[-1].values())
    assert metrics.revision(homed, areas.get(homed, "00102")) == steps[1]["00102"]


def test_a_file_that_brings_nothing_new_changes_no_revision(homed: Connection) -> None:
    before = revisions(homed)
    assert load(homed, "households", world.household()).unchanged == 1
    assert revisions(homed) == before


# ---- every writer, in any order


class Steps:
    """Operations on the small world; `rnd` chooses what each is about."""

    def __init__(self, conn: Connection, rnd: random.Random) -> None:
        self.conn, self.rnd, self.number = conn, rnd, 0

    def households(self) -> None:
        self.number += 1
        addresses = {"00101": "Xã An Hoà", "00102": "Xã Bình Minh"}
        rows = []
        for n in range(self.rnd.randint(1, 4)):
            code = self.rnd.choice([*addresses, None])
            at = self._point() if self.rnd.random() < 0.7 else {}
            rows.append(
                world.household(
                    f"H{self.number}-{n}",
                    commune_code=code,
                    recorded_address=f"Thôn 3, {addresses[code]}" if code else DIVIDED,
                    status=self.rnd.choice(["poor", "near_poor", "none", None]),
                    **at,
                )
            )
        load(self.conn, "households", *rows)

    def surveys(self) -> None:
        self.number += 1
        rows = [
            world.survey(
                self.number * 100 + n,
                household_code=self._household(),
                surveyed_at=f"2026-09-{self.rnd.randint(10, 30)}T08:15:00+07:00",
                **(self._point() if self.rnd.random() < 0.8 else {"lon": None, "lat": None}),
            )
            for n in range(self.rnd.randint(1, 5))
        ]
        load(self.conn, "surveys", *rows)

    def sites(self) -> None:
        self.number += 1
        stage = self.rnd.choice(["proposed", "approved", "completed"])
        load(
            self.conn, "sites",
            world.site(f"S{self.number}", household_code=self._household(), stage=stage,
                       due_on=self.rnd.choice(["2026-12-01", None]), **self._point()),
        )  # fmt: skip

    def stages(self) -> None:
        row = self._one(site, "site_code", "household_code", "kind", "recorded_address")
        if row:
            told = {name: row[name] for name in ("household_code", "kind")}
            load(self.conn, "sites", world.site(row["site_code"], **told, stage="handed_over",
                 stage_on="2026-10-20", **self._point()))  # fmt: skip

    def statuses(self) -> None:
        row = self._one(household, "household_code", "recorded_address", "commune_code")
        if row:
            code = row["commune_code"] or None
            load(self.conn, "households", world.household(row["household_code"],
                 recorded_address=row["recorded_address"], commune_code=code,
                 status=self.rnd.choice(["poor", "average"]), status_year=2026))  # fmt: skip

    def correct(self) -> None:
        key = self._key()
        fields = {"status": "near_poor", "recorded_address": "Thôn 1, Xã Bình Minh, Tỉnh Thử Một"}
        field = self.rnd.choice(sorted(fields))
        correcting.correct(self.conn, key, field, fields[field], WHY, year=2026)

    def remove(self) -> None:
        key = self._key()
        removing.remove(self.conn, key, WHY, key[1])

    def fix(self) -> None:
        fixing.make(self.conn, DIVIDED, self.rnd.choice(["00101", "00102"]), WHY, BY)

    def undo_fix(self) -> None:
        row = self._one(address_fix, "fix_id", "undone_at")
        if row:
            fixing.undo(self.conn, row["fix_id"], BY)

    def borders(self) -> None:
        version = self.conn.scalar(
            insert(boundary_version).returning(boundary_version.c.version),
            {"source": "moved", "accuracy_m": 10.0},
        )
        moved = text("UPDATE boundary SET version = :new, geom = ST_Translate(geom, 0.01, 0)")
        self.conn.execute(moved, {"new": version})
        audit.run(self.conn)

    def rules(self) -> None:
        together.run(self.conn, "01")

    def decide(self) -> None:
        kind = self.rnd.choice(["confirmed", "explained", "revisit"])
        decisions.decide(self.conn, [self._doubted()], kind, WHY, BY)

    def repair(self) -> None:
        point = Point(105.0 + self.rnd.random() / 5, 21.05, 8.0)
        decisions.decide(self.conn, [self._doubted()], "repaired", WHY, BY, point=point)

    def reopen(self) -> None:
        decisions.reopen(self.conn, [self._doubted()], WHY, BY)

    def refused(self) -> None:
        """A dry run, and a file that is refused whole: both are rolled back."""
        load(self.conn, "surveys", world.survey(9, household_code=self._household()), dry_run=True)

    def remove_demo(self) -> None:
        self.number += 1
        load(self.conn, "households", world.household(f"D{self.number}", **self._point()),
             demo=True)  # fmt: skip
        load(self.conn, "surveys", world.survey(self.number * 100, household_code=f"D{self.number}",
             **self._point()), demo=True)  # fmt: skip
        demo.remove(self.conn)

    def _point(self) -> dict[str, float]:
        return {
            "lon": round(105.0 + 0.25 * self.rnd.random(), 6),
            "lat": round(21.0 + 0.1 * self.rnd.random(), 6),
            "accuracy_m": 8.0,
        }

    def _household(self) -> str:
        codes = select(household.c.household_code).where(~household.c.removed)
        return self.rnd.choice([*sorted(self.conn.scalars(codes)), "H1"])

    def _key(self) -> tuple[str, str, str]:
        row = self._one(household, "household_code", "commune_code")
        if row is None:  # all were removed
            return ("01", "none", "00101")
        return ("01", row["household_code"], row["commune_code"])

    def _doubted(self) -> Subject:
        row = self._one(audit_item, *Subject._fields)
        if row is None:
            return Subject("survey", "01", "00101", "none")
        return Subject(*row.values())

    def _one(self, table, *names: str) -> dict | None:
        query = select(*(table.c[name] for name in names))
        if "removed" in table.c:
            query = query.where(~table.c.removed)
        rows = sorted(map(dict, self.conn.execute(query).mappings()), key=str)
        return self.rnd.choice(rows) if rows else None


NAMES = [name for name in vars(Steps) if not name.startswith("_")]


@pytest.fixture
def kept_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.demo.loading.truth_file", lambda: tmp_path / "truth.csv")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_whatever_is_written_squares_and_counters_are_those_of_the_tables(
    homed: Connection, kept_files: None, names: list[str], rnd: random.Random
) -> None:
    with homed.begin_nested() as savepoint:
        steps = Steps(homed, rnd)
        steps.households()
        steps.surveys()
        for name in names:
            # What cannot be done, such as to decide about nothing, is refused: as good.
            with suppress(AncuError), homed.begin_nested():
                getattr(steps, name)()
            assert_kept(homed)
        savepoint.rollback()


@pytest.mark.parametrize("name", NAMES)
def test_each_writer_keeps_squares_and_counters(
    homed: Connection, kept_files: None, name: str
) -> None:
    steps = Steps(homed, random.Random(7))
    for before in ("households", "surveys", "surveys", "sites", "borders"):
        getattr(steps, before)()
    if name != "rules":
        steps.rules()
    if name in ("fix", "undo_fix"):
        load(homed, "households", world.household("N1", commune_code=None,
             recorded_address=DIVIDED))  # fmt: skip
    if name == "undo_fix":
        steps.fix()
    if name == "reopen":
        for subject in homed.execute(select(*(audit_item.c[n] for n in Subject._fields))).all():
            decisions.decide(homed, [Subject(*subject)], "repaired", WHY, BY, point=HERE)
    was = revisions(homed)
    getattr(steps, name)()
    assert_kept(homed)
    assert (revisions(homed) == was) == (name == "refused")


# ---- long files


def test_a_file_with_more_visits_than_are_kept_in_memory_counts_the_same(
    homed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additions, "_MANY", 3)
    monkeypatch.setattr("geo.pyramid._MANY", 2)
    monkeypatch.setattr("geo.intake.batches.BATCH_ROWS", 2)
    codes = [f"H{n}" for n in range(2, 9)]
    load(homed, "households", *(world.household(code, commune_code=f"0010{1 + n % 3}",
         recorded_address="x") for n, code in enumerate(codes)))  # fmt: skip
    for first in (1, 100):
        rows = [
            world.survey(first + n, household_code=code, lon=105.05 + n % 4 / 10)
            for n, code in enumerate([*codes, *codes, "H1"])
        ]
        load(homed, "surveys", *rows)
        assert_kept(homed)


# ---- at the same time


def test_writers_at_the_same_time_lose_no_square_and_no_first_visit(
    make_database: Callable[..., str], template_url: str
) -> None:
    url = make_database(template_url)
    engine = unpooled(url)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        world.build(conn)
        load(conn, "households", *(world.household(f"H{n}") for n in range(1, 4)))
    both_stored = threading.Barrier(2, timeout=30)
    recount = metrics.recount

    def meet(*given: object, **options: object) -> None:
        both_stored.wait()  # neither sees the other's rows yet, both have visited the same homes
        recount(*given, **options)

    def write(number: int) -> None:
        for turn in range(3):
            with engine.begin() as conn:
                bind(conn, OPERATOR)
                rows = (
                    world.survey(1000 * number + 10 * turn + n, household_code=f"H{n}",
                                 lon=105.05 + 0.1 * (number % 2))
                    for n in range(1, 4)
                )  # fmt: skip
                load(conn, "surveys", *rows)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("geo.intake.imports.metrics.recount", meet)
        writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        assert conn.scalar(select(func.count()).select_from(survey)) == 18
        assert conn.scalar(select(commune_counter.c.surveyed)) == 3
        assert_kept(conn)
    engine.dispose()
