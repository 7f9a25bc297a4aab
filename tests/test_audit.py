"""An audit makes stored verdicts, findings and counts those of the present boundaries."""

from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import insert, select, update

from geo.audit import run as audit
from geo.audit.applying import findings_of
from geo.config import Settings
from geo.counter_tables import commune_counter
from geo.errors import NotFoundError
from geo.rules import Context
from geo.tables import (
    area,
    boundary,
    boundary_version,
    finding,
    household,
    site,
    survey,
    verdict_history,
)
from geo.verdicts.matching import AreaShapes

WEST, EAST = shapely.box(105.0, 21.0, 105.1, 21.1), shapely.box(105.1, 21.0, 105.2, 21.1)


def make_area(conn, code, level, parent, province):
    return conn.execute(
        insert(area)
        .values(
            code=code,
            level=level,
            name=code,
            full_name=code,
            kind="xã",
            parent_code=parent,
            province_code=province,
            name_key=code,
        )
        .returning(area.c.area_id)
    ).scalar_one()


def load(conn, polygons, accuracy_m=10.0):
    """Make these the present boundaries: area_id → polygon."""
    version = conn.execute(
        insert(boundary_version)
        .values(source="test", accuracy_m=accuracy_m)
        .returning(boundary_version.c.version)
    ).scalar_one()
    conn.execute(update(boundary).values(superseded_at=datetime.now(UTC)))
    for area_id, polygon in polygons.items():
        geom = f"SRID=4326;{shapely.MultiPolygon([polygon]).wkt}"
        conn.execute(
            insert(boundary).values(area_id=area_id, version=version, geom=geom, area_km2=1)
        )
    return version


@pytest.fixture
def world(conn):
    """Province 19 with the communes 10001 (west) and 10002 (east), a household in each, and one
    that has no commune."""
    make_area(conn, "VN", "country", None, None)
    make_area(conn, "19", "province", "VN", "19")
    ids = [make_area(conn, code, "commune", "19", "19") for code in ("10001", "10002")]
    load(conn, dict(zip(ids, (WEST, EAST), strict=True)))
    for commune in ("10001", "10002", ""):
        conn.execute(
            insert(household).values(
                province_code="19",
                household_code="H1",
                commune_code=commune,
                head_name="A",
                recorded_address="10001",
                search_key="a",
                content_hash="h",
            )
        )
    return ids


def add_survey(conn, number, lon, lat=21.0712345, **values):
    given = {
        "province_code": "19",
        "survey_id": str(UUID(int=number)),
        "household_code": "H1",
        "commune_code": "10001",
        "candidates": ["10001"],
        "surveyed_at": datetime(2026, 9, 1, tzinfo=UTC),
        "enumerator": "e",
        "content_hash": f"c{number}",
        "accuracy_m": 10.0,
    }
    if lon is not None:
        given["geom"] = f"SRID=4326;POINT({lon} {lat})"
    conn.execute(insert(survey).values(given | values))
    return given["survey_id"]


def verdicts(conn):
    rows = conn.execute(select(survey.c.survey_id, survey.c.verdict))
    return {UUID(row.survey_id).int: row.verdict for row in rows}


def findings(conn):
    rows = conn.execute(select(finding.c.subject_id, finding.c.rule))
    return {(UUID(row.subject_id).int, row.rule) for row in rows}


def test_first_run_judges_everything_and_counts_it(conn, world):
    add_survey(conn, 1, 105.05)
    add_survey(conn, 2, 105.15)
    add_survey(conn, 3, None)
    add_survey(conn, 4, 105.05, mock_location=True, accuracy_m=0)
    steps = []
    report = audit.run(conn, progress=lambda done, total: steps.append((done, total)))
    assert verdicts(conn) == {1: "inside", 2: "outside", 3: "unlocated", 4: "inside"}
    assert findings(conn) == {
        (2, "outside"),
        (3, "unlocated_no_point"),
        (4, "mock_location"),
        (4, "accuracy_zero"),
    }
    assert (report.surveys, report.changed, report.findings_added) == (4, 4, 4)
    assert report.moved == {"unlocated → inside": 2, "unlocated → outside": 1}
    assert steps == [(4, 4)]
    counted = conn.execute(select(commune_counter)).one()
    assert (counted.commune_code, counted.households) == ("10001", 1)
    assert (counted.surveys, counted.inside, counted.outside, counted.unlocated) == (4, 2, 1, 1)
    assert conn.execute(select(verdict_history)).all() == []


def test_running_again_changes_nothing(conn, world):
    for number, lon in enumerate((105.05, 105.15, 105.1, None), start=1):
        add_survey(conn, number, lon)
    audit.run(conn)
    before = conn.execute(select(survey).order_by(survey.c.survey_id)).all()
    report = audit.run(conn)
    assert (report.changed, report.findings_added, report.findings_removed) == (0, 0, 0)
    assert conn.execute(select(survey).order_by(survey.c.survey_id)).all() == before


def test_new_boundaries_bring_new_verdicts_and_keep_the_old_ones(conn, world):
    add_survey(conn, 1, 105.15)
    audit.run(conn)
    old = conn.execute(select(survey)).one()
    version = load(conn, {world[0]: EAST, world[1]: WEST})
    report = audit.run(conn)
    new = conn.execute(select(survey)).one()
    assert (old.verdict, new.verdict) == ("outside", "inside")
    assert new.boundary_version == version
    assert report.moved == {"outside → inside": 1}
    kept = conn.execute(select(verdict_history)).one()
    assert (kept.verdict, kept.distance_m, kept.judged_at) == (
        "outside",
        old.distance_m,
        old.judged_at,
    )
    assert findings(conn) == set()
    assert conn.execute(select(commune_counter.c.verified)).scalar_one() == 1


def test_a_decided_finding_keeps_its_state_whatever_the_new_verdict(conn, world):
    add_survey(conn, 1, 105.15)
    audit.run(conn)
    conn.execute(update(finding).values(state="dismissed"))
    load(conn, {world[0]: WEST, world[1]: EAST}, accuracy_m=50.0)
    audit.run(conn)
    assert conn.execute(select(finding.c.state)).scalars().all() == ["dismissed"]
    load(conn, {world[0]: EAST, world[1]: WEST})
    audit.run(conn)
    assert conn.execute(select(finding.c.state)).scalars().all() == ["dismissed"]


def test_only_the_asked_area_is_judged(conn, world):
    add_survey(conn, 1, 105.05)
    add_survey(conn, 2, 105.15, commune_code="10002", candidates=["10002"])
    assert audit.run(conn, "10002").surveys == 1
    assert verdicts(conn) == {1: "unlocated", 2: "inside"}
    with pytest.raises(NotFoundError):
        audit.run(conn, "99999")


def test_candidates_count_before_the_commune_of_the_household(conn, world):
    add_survey(conn, 1, 105.15, candidates=["10002"])
    add_survey(conn, 2, 105.05, candidates=[])
    add_survey(conn, 3, 105.05, candidates=[], commune_code="")
    audit.run(conn)
    assert verdicts(conn) == {1: "inside", 2: "inside", 3: "unlocated"}


def test_sites_are_judged_by_the_rules_for_sites(conn, world):
    conn.execute(
        insert(site).values(
            province_code="19",
            site_code="S1",
            household_code="H1",
            commune_code="10001",
            candidates=["10001"],
            kind="new",
            content_hash="s",
            geom="SRID=4326;POINT(105.15 21.05)",
        )
    )
    report = audit.run(conn)
    found = conn.execute(select(finding)).one()
    assert (report.sites, found.subject, found.subject_id) == (1, "site", "S1")
    assert (found.rule, found.severity) == ("outside", 3)
    assert found.evidence["located_code"] == "10002"
    assert found.evidence["distance_m"] == pytest.approx(-5193, abs=10)


def test_chunks_see_every_row_once(conn, world, monkeypatch):
    monkeypatch.setattr(audit, "CHUNK", 2)
    for number in range(1, 6):
        add_survey(conn, number, 105.05)
    assert audit.run(conn).surveys == 5
    assert set(verdicts(conn).values()) == {"inside"}


def test_frames_are_judged_by_candidates_then_commune():
    shapes = AreaShapes(
        ("10001", "10002"), np.array([WEST, EAST]), np.full(2, 10.0), np.ones(2, int)
    )
    frame = pd.DataFrame(
        {
            "lon": [105.05, 105.15, np.nan],
            "lat": [21.05, 21.05, np.nan],
            "accuracy_m": [np.nan, 5.0, 5.0],
            "candidates": [(), ("10001", "10002"), ("10001",)],
            "commune_code": ["10001", "", "10001"],
        },
        index=[7, 8, 9],
    )
    judged = audit.judge_frame(frame, shapes, Settings())
    assert judged["verdict"].to_dict() == {7: "inside", 8: "inside", 9: "unlocated"}
    assert judged["recorded_code"].to_dict() == {7: "10001", 8: "10002", 9: "10001"}
    assert judged["accuracy_used_m"].to_dict() == {7: 30.0, 8: 5.0, 9: 5.0}


def test_findings_of_a_frame_without_doubt_are_empty():
    whose = ["survey_id", "province_code", "commune_code"]
    frame = pd.DataFrame(columns=[*whose, "verdict", "lon", "lat"])
    frame = frame.reindex(columns=[*frame, *audit.store.VERDICT_COLUMNS[1:], "accuracy_m"])
    frame["mock_location"] = None
    found = findings_of(frame, Context(Settings()), alone=True)
    assert list(found) == [*whose, "rule", "severity", "evidence", "group_key", "blameless"]
    assert len(found) == 0
