"""Points outside the country are kept as the device sent them, and the audit repairs them."""

import numpy as np
import pytest
from sqlalchemy import Connection, func, select

from geo.audit import together
from geo.errors import RejectedError
from geo.geometry import may_be_miswritten
from geo.rules import RULES, say
from geo.tables import finding, survey
from tests import intake_world as world
from tests.intake_world import figures, load

NOTE = "points outside Viet Nam kept as sent, for the audit to look at"


@pytest.fixture
def homed(db: Connection) -> Connection:
    load(db, "households", world.household())
    return db


@pytest.mark.parametrize(
    ("x", "y", "kept"),
    [
        (21.0, 105.8, True),
        (-105.8, 21.0, True),
        (2.35, 48.85, True),
        (10548.5, 2102.3, True),  # 105°48.5′, 21°02.3′
        (10560.0, 2102.3, False),  # 60 minutes
        (585_000.0, 2_320_000.0, False),
        (105.8, 2102.3, False),
        (0.0, 0.0, False),
        (np.nan, 21.0, False),
        (np.inf, 21.0, False),
    ],
)
def test_what_may_be_degrees_written_wrongly(x: float, y: float, kept: bool) -> None:
    assert may_be_miswritten(x, y).tolist() == [kept]


def test_a_swapped_point_is_stored_as_sent_and_said(homed: Connection) -> None:
    report = load(homed, "surveys", world.survey(lon=21.01, lat=105.05), world.survey(2))
    assert figures(report) == (2, 0, 0, 0, 0)
    assert report.notes == {NOTE: 1}
    row = homed.execute(select(survey).where(survey.c.verdict == "unlocated")).one()
    assert (row.geom, row.cell, row.accuracy_m) == (None, None, 8.0)
    assert row.as_sent == {"lon": 21.01, "lat": 105.05, "accuracy_m": 8.0, "crs": "EPSG:4326"}
    kept = select(func.count()).where(survey.c.as_sent.is_not(None))
    assert homed.execute(kept).scalar_one() == 1
    again = load(homed, "surveys", world.survey(lon=21.01, lat=105.05))
    assert figures(again) == (0, 0, 1, 0, 0)


def test_the_pass_proposes_the_point_that_was_meant(homed: Connection) -> None:
    load(homed, "surveys", world.survey(lon=21.01, lat=105.05))
    together.run(homed, "01")
    evidence = {
        row.rule: row.evidence for row in homed.execute(select(finding.c.rule, finding.c.evidence))
    }
    assert set(evidence) == {"unlocated_no_point", "swapped"}
    told = evidence["swapped"]
    assert (told["repaired_lon"], told["repaired_lat"]) == (105.05, 21.01)
    assert (told["repaired_verdict"], told["how"]) == ("inside", "lon ↔ lat")
    assert say(RULES["swapped"], told, "vi") == (
        "Kinh độ và vĩ độ có vẻ bị đảo chỗ. Đổi lại theo cách lon ↔ lat thì điểm là 105,05, 21,01, "
        "xác suất ở trong địa bàn ghi nhận là > 99,9 %."
    )


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"lon": 0, "lat": 0}, "0, 0"),
        ({"lon": 21.01, "lat": None}, "lat is missing"),
        ({"lon": 585_000, "lat": 2_320_000}, "no degrees"),
        ({"lon": 2.35, "lat": 48.85, "crs": "EPSG:4756"}, "lie outside Viet Nam"),
    ],
)
def test_what_is_no_point_at_all_is_refused(
    homed: Connection, point: dict[str, object], reason: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        load(homed, "surveys", world.survey(**point))
    assert reason in caught.value.problems[0][1]


def test_a_survey_kept_as_sent_with_another_fault_is_refused_for_that(homed: Connection) -> None:
    bad = world.survey(lon=21.01, lat=105.05, note="x" * 70_000)
    with pytest.raises(RejectedError) as caught:
        load(homed, "surveys", bad)
    assert caught.value.problems[0][1] == "the row is larger than 64 kB"


def test_households_are_refused_as_before(db: Connection) -> None:
    with pytest.raises(RejectedError) as caught:
        load(db, "households", world.household(lon=21.01, lat=105.05))
    assert "look swapped" in caught.value.problems[0][1]
