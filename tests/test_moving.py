"""A household that moves to another commune takes along all that is stored of it."""

import pytest
from sqlalchemy import Connection, func, insert, select, update

from geo import households, metrics, moving, sites, surveys
from geo.moving import Move
from geo.scope import OPERATOR, Scope, bind
from geo.tables import (
    NO_COMMUNE,
    finding,
    household,
    household_status,
    import_conflict,
    site,
    site_stage,
    survey,
    verdict_history,
)
from tests import intake_world as world
from tests.intake_world import load

KEPT = (
    household,
    household_status,
    survey,
    site,
    site_stage,
    finding,
    verdict_history,
    import_conflict,
)
MOVE = Move("01", NO_COMMUNE, "H1", "00102")


def undecided(conn: Connection, code: str = "H1") -> None:
    load(conn, "households", world.household(code, commune_code=world.DIVIDED))


@pytest.fixture
def full(db: Connection) -> Connection:
    """A household without a commune that has something in every table."""
    undecided(db)
    load(db, "households", world.household(commune_code=world.DIVIDED, head_name="Khác"))
    for lat in (21.01, 21.02):
        load(db, "surveys", world.survey(lon=105.25, lat=lat))
        load(db, "sites", world.site(lon=105.25, lat=lat, kind="new" if lat < 21.02 else "repair"))
    for subject, subject_id in (("survey", world.survey()["survey_id"]), ("site", "S1")):
        db.execute(
            insert(verdict_history).values(
                province_code="01", subject=subject, subject_id=subject_id, verdict="inside"
            )
        )
    return db


def contents(conn: Connection) -> dict[str, list[tuple]]:
    """Every row of every table without its commune and how it was placed."""
    hidden = ("commune_code", "placed_by")
    return {
        table.name: sorted(
            tuple(map(str, row))
            for row in conn.execute(select(*(c for c in table.c if c.name not in hidden)))
        )
        for table in KEPT
    }


def communes(conn: Connection) -> dict[str, set[str]]:
    return {table.name: set(conn.execute(select(table.c.commune_code)).scalars()) for table in KEPT}


def test_everything_moves_and_nothing_else_changes(full: Connection) -> None:
    before = contents(full)
    assert all(before.values())
    assert moving.move(full, [MOVE], placed_by="survey") == {MOVE}
    assert contents(full) == before
    assert communes(full) == {table.name: {"00102"} for table in KEPT}
    assert full.execute(select(household.c.placed_by)).scalar_one() == "survey"
    found = households.get(full, "01", "H1")
    assert (len(found["surveys"]), len(found["sites"])) == (1, 1)
    assert len(surveys.get(full, found["surveys"][0]["survey_id"])["history"]) == 1
    assert len(sites.get(full, "01", "S1")["findings"]) == 1


def test_others_stay_where_they_are(full: Connection) -> None:
    undecided(full, "H2")
    load(full, "surveys", world.survey(2, household_code="H2", lon=None, lat=None))
    load(full, "households", world.household("H3", commune_code="00103"))
    moving.move(full, [MOVE], placed_by="survey")
    places = select(household.c.household_code, household.c.commune_code)
    assert dict(full.execute(places).all()) == {"H1": "00102", "H2": "", "H3": "00103"}
    of = select(survey.c.household_code, survey.c.commune_code)
    assert dict(full.execute(of).all()) == {"H1": "00102", "H2": ""}


@pytest.mark.parametrize("kind", ["households", "surveys", "sites"])
def test_a_household_stays_where_its_new_commune_has_the_same_identity(
    full: Connection, kind: str
) -> None:
    there = "H1" if kind == "households" else "H9"
    # As its commune's own office, which does not see the household that has no commune.
    bind(full, Scope(communes=frozenset({"00102"}), write=True))
    load(full, "households", world.household(there, commune_code="00102"))
    bind(full, OPERATOR)
    if kind == "sites":
        load(full, "sites", world.site(household_code="H9", commune_code="00102"))
    if kind == "surveys":
        # Two senders may have used one id, each for their own commune.
        load(full, "surveys", world.survey(7, household_code="H9"))
        taken = world.survey()["survey_id"]
        full.execute(update(survey).where(survey.c.household_code == "H9").values(survey_id=taken))
    undecided(full, "H2")
    free = Move("01", NO_COMMUNE, "H2", "00102")
    before = contents(full)
    assert moving.move(full, [MOVE, free], placed_by="survey") == {free}
    assert contents(full) == before


def test_a_copy_that_the_new_commune_has_aside_as_well_is_kept_once(full: Connection) -> None:
    aside = select(*(c for c in import_conflict.c if c.name != "commune_code"))
    for row in full.execute(aside.where(import_conflict.c.kind == "households")).mappings().all():
        full.execute(insert(import_conflict).values(**row, commune_code="00102"))
    assert moving.move(full, [MOVE], placed_by="survey") == {MOVE}
    kept = select(import_conflict.c.kind, import_conflict.c.commune_code)
    assert sorted(full.execute(kept).all()) == [
        ("households", "00102"),
        ("sites", "00102"),
        ("surveys", "00102"),
    ]


def test_moving_nothing_and_what_does_not_exist(full: Connection) -> None:
    before = contents(full)
    assert moving.move(full, [], placed_by="survey") == set()
    assert moving.move(full, [MOVE._replace(household_code="none")], "survey") == set()
    assert contents(full) == before


def test_a_settled_household_is_counted_where_it_went(full: Connection) -> None:
    load(full, "surveys", world.survey(3, lon=105.15, lat=21.05))
    assert communes(full)["survey"] == {"00102"}
    counted = {
        row.commune_code: (row.households, row.surveys, row.new_approved)
        for row in full.execute(select(metrics.commune_counter))
    }
    assert counted == {"": (0, 0, 0), "00102": (1, 2, 1)}


def test_a_survey_whose_household_cannot_move_is_stored_without_a_commune(
    full: Connection,
) -> None:
    load(full, "households", world.household("H9", commune_code="00102"))
    load(full, "sites", world.site(household_code="H9"))
    load(full, "surveys", world.survey(3, lon=105.15, lat=21.05))
    assert communes(full)["survey"] == {""}
    assert full.execute(select(func.count()).select_from(survey)).scalar_one() == 2
