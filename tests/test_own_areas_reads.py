"""Who reads in their own areas meets nothing of next door; in lists, files, tiles and audits."""

import io
import json

import numpy as np
import pytest
from sqlalchemy import Connection, delete, select, text

from geo import areas, cells, exports, findings, households, layers, sites, surveys
from geo.audit import run as audit
from geo.errors import NotFoundError
from geo.intake import log
from geo.scope import OPERATOR, Scope
from geo.tables import (
    finding,
    household,
    household_status,
    import_conflict,
    site,
    site_stage,
    survey,
)
from tests import intake_world as world
from tests.intake_world import load
from tests.own_areas import Begin, commune

RECORDS = (household, household_status, survey, site, site_stage, finding, import_conflict)


@pytest.fixture
def neighbours(db: Connection) -> Connection:
    """One household with a survey and a site in each of two communes; both doubtful."""
    for number, code in enumerate(("00101", "00102"), 1):
        home = world.household(commune_code=code, head_name=f"Chủ {code}", lon=105.3, lat=21.05)
        load(db, "households", home)
        load(db, "surveys", world.survey(number, commune_code=code, lon=105.25))
        load(db, "surveys", world.survey(number, commune_code=code, lat=21.07))
        load(db, "sites", world.site(commune_code=code))
    return db


def test_what_is_stored_next_door_does_not_exist(neighbours: Connection, acting: Begin) -> None:
    country = Scope(communes=frozenset({"00101"}))
    theirs = world.survey(2)["survey_id"]
    with acting(country) as conn:
        here = areas.get(conn, "01")
        messages = []
        for wanted in (theirs, "00000000-0000-4000-8000-00000000ffff"):
            with pytest.raises(NotFoundError) as told:
                surveys.get(conn, wanted)
            messages.append(str(told.value).replace(wanted, "…"))
        assert len(set(messages)) == 1
        assert households.get(conn, "01", "H1")["commune_code"] == "00101"
        with pytest.raises(NotFoundError):
            households.get(conn, "01", "H1", "00102")
        with pytest.raises(NotFoundError):
            sites.get(conn, "01", "S1", "00102")
        assert sites.get(conn, "01", "S1")["commune_code"] == "00101"
        for listing in (households.listing, surveys.listing, sites.listing):
            assert {one["commune_code"] for one in listing(conn, here).items} == {"00101"}
        found = households.search(conn, "H1", here)
        assert [one["commune_code"] for one in found] == ["00101"]
        assert [one["commune_code"] for one in log.recent_conflicts(conn)] == ["00101"]
        assert {one["commune_code"] for one in findings.listing(conn, here).items} == {"00101"}
        assert log.conflicts_of(conn, "surveys", "01", "00102", theirs) == []
        assert audit.run(conn, "01").surveys == 1


@pytest.mark.parametrize("kind", ["households", "surveys", "sites", "findings"])
def test_an_export_holds_no_row_of_next_door(
    neighbours: Connection, acting: Begin, kind: str
) -> None:
    neighbours.execute(text("UPDATE household SET demo = commune_code = '00102'"))
    with acting(commune("00101")) as conn:
        out = io.BytesIO()
        assert exports.export(conn, kind, areas.get(conn, "01"), "geojson", out) == 1
    found = json.loads(out.getvalue())
    assert [one["properties"]["commune_code"] for one in found["features"]] == ["00101"]
    assert "note" not in found


@pytest.mark.parametrize("name", ["households", "surveys", "sites"])
@pytest.mark.parametrize("z", [5, 12])
def test_a_tile_holds_no_point_of_next_door(
    neighbours: Connection, acting: Begin, name: str, z: int
) -> None:
    """With the neighbours' records gone the tile has the same bytes."""
    where = {"households": (105.3, 21.05), "surveys": (105.25, 21.01), "sites": (105.05, 21.01)}
    (cell,) = cells.cells(*(np.array([degrees]) for degrees in where[name])).tolist()
    bits = f"{cell >> 2 * (31 - z):0{2 * z}b}"
    x, y = int(bits[1::2], 2), int(bits[0::2], 2)
    tiles = []
    for _ in range(2):
        with acting(commune("00101")) as conn:
            tiles.append(layers.tile(conn, name, z, x, y, areas.get(conn, "01")))
        for table in (survey, site, household):
            neighbours.execute(delete(table).where(table.c.commune_code == "00102"))
    assert tiles[0] == tiles[1] != b""


@pytest.mark.parametrize("table", RECORDS, ids=lambda table: table.name)
def test_row_level_security_says_the_same_without_our_conditions(
    neighbours: Connection, begin: Begin, table: object
) -> None:
    with begin(commune("00101")) as conn:
        assert set(conn.execute(select(table.c.commune_code)).scalars()) == {"00101"}


def test_an_audit_of_one_commune_changes_only_it(neighbours: Connection, acting: Begin) -> None:
    neighbours.execute(text("UPDATE survey SET verdict = 'inside', distance_m = 1"))
    neighbours.execute(text("DELETE FROM finding"))
    with acting(commune("00101")) as conn:
        report = audit.run(conn, "01")
    assert (report.surveys, report.changed, report.findings_added) == (1, 1, 1)
    stored = neighbours.execute(select(survey.c.commune_code, survey.c.verdict)).all()
    assert set(stored) == {("00101", "outside"), ("00102", "inside")}


def test_demo_rows_next_door_are_not_spoken_of(db: Connection, acting: Begin) -> None:
    load(db, "households", world.household(commune_code="00102"), demo=True)
    assert log.demo_present(db)
    with acting(commune("00101")) as conn:
        assert not log.demo_present(conn)


def test_the_operator_sees_everything(neighbours: Connection, acting: Begin) -> None:
    with acting(OPERATOR) as conn:
        found = surveys.listing(conn, areas.get(conn, "01")).items
    assert {one["commune_code"] for one in found} == {"00101", "00102"}
