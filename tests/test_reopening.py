"""Taking decisions back: all that holds goes at once, and nothing is left half undone."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from geo import areas, metrics
from geo.audit import decisions, revisits
from geo.audit.repairs import Point
from geo.audit_tables import revisit
from geo.errors import ConflictError, NotFoundError, RejectedError
from geo.tables import finding, survey
from tests.test_audit import add_survey, world  # noqa: F401 - a fixture
from tests.test_audit_pass import AUDITOR, judged, listed, sid, subject  # noqa: F401 - a fixture

THERE = Point(105.05, 21.06)


def decide(conn, decision, number=2, **given):
    reason = given.pop("reason", "lý do")
    return decisions.decide(conn, [subject(number)], decision, reason, AUDITOR, **given)


def reopen(conn, number=2, **given):
    return decisions.reopen(conn, [subject(number)], "", AUDITOR, **given)


def point(conn, number=2):
    found = select(func.ST_X(survey.c.geom), func.ST_Y(survey.c.geom), survey.c.as_sent)
    return tuple(conn.execute(found.where(survey.c.survey_id == sid(number))).one())


def asked_for(conn, state="open"):
    page = revisits.listing(conn, areas.get(conn, "19"), state=state)
    return [(one["household_code"], one["reason"], one["due_on"]) for one in page.items]


@pytest.mark.parametrize(
    "made",
    [
        ["repaired", "confirmed"],
        ["confirmed", "repaired"],
        ["repaired", "repaired", "explained"],
        ["repaired", "revisit", "repaired"],
    ],
)
def test_reopening_takes_all_decisions_back_and_the_sent_point_returns(judged, made):  # noqa: F811
    before = point(judged)
    for number, decision in enumerate(made):
        there = Point(105.05, 21.06 + number / 1000) if decision == "repaired" else None
        decide(judged, decision, point=there)
    assert point(judged) != before
    (row,) = reopen(judged)
    assert row["state"] == "open"
    assert point(judged) == before == (105.15, 21.0712345, None)
    assert asked_for(judged, "all") == []
    assert listed(judged) == [2, 4, 3]
    with pytest.raises(RejectedError, match="Nothing is decided about H1"):
        reopen(judged)


def test_what_is_decided_after_a_reopening_is_taken_back_alone(judged):  # noqa: F811
    decide(judged, "repaired", point=THERE)
    reopen(judged)
    decide(judged, "confirmed")
    reopen(judged)
    assert point(judged) == (105.15, 21.0712345, None)


def test_a_survey_without_a_point_is_without_one_again(judged):  # noqa: F811
    decide(judged, "repaired", number=3, point=THERE)
    decide(judged, "confirmed", number=3)
    reopen(judged, number=3)
    assert point(judged, 3) == (None, None, None)


def test_another_decision_takes_the_visit_back(judged):  # noqa: F811
    decide(judged, "revisit", reason="đo lại")
    decide(judged, "explained")
    assert asked_for(judged, "all") == []


def test_a_visit_that_was_made_stays_in_the_list(judged):  # noqa: F811
    decide(judged, "revisit", reason="đo lại")
    add_survey(judged, 9, 105.05, surveyed_at=datetime.now(UTC) + timedelta(hours=1))
    decide(judged, "explained")
    assert asked_for(judged, "done") == [("H1", "đo lại", None)]
    reopen(judged)
    assert asked_for(judged, "done") == [("H1", "đo lại", None)]


def test_a_household_is_visited_once_whoever_asks(judged):  # noqa: F811
    day = metrics.today()
    decide(judged, "revisit", reason="đo lại")
    decide(judged, "revisit", reason="gặp chủ hộ", due_on=day)
    decide(judged, "revisit", number=4, reason="")
    assert asked_for(judged) == [("H1", "gặp chủ hộ", day)]
    reopen(judged)  # survey 4 still needs it
    assert asked_for(judged) == [("H1", "gặp chủ hộ", day)]
    decide(judged, "confirmed", number=4)
    assert asked_for(judged, "all") == []


def test_a_visit_withdrawn_already_does_not_hinder_reopening(judged):  # noqa: F811
    decide(judged, "revisit")
    number = judged.scalar(select(revisit.c.revisit_id))
    revisits.withdraw(judged, number, "19", "10001", AUDITOR)
    with pytest.raises(NotFoundError, match="no such request"):
        revisits.withdraw(judged, number, "19", "10001", AUDITOR)
    assert reopen(judged)[0]["state"] == "open"


def test_who_did_not_see_the_last_decision_reopens_nothing(judged):  # noqa: F811
    decide(judged, "confirmed")
    with pytest.raises(ConflictError, match="Lê Thị Kiểm decided about H1 meanwhile"):
        reopen(judged, seen={subject(2): 0})
    assert listed(judged, state="confirmed") == [2]
    last = decisions.history(judged, "survey", ("19", "10001", sid(2)))[0]["decision_id"]
    reopen(judged, seen={subject(2): last})
    assert listed(judged, state="confirmed") == []


@pytest.mark.parametrize(("days", "refused"), [(-1, True), (0, False), (1, False)])
def test_a_visit_cannot_be_due_on_a_day_that_is_over(judged, days, refused):  # noqa: F811
    day = metrics.today() + timedelta(days=days)
    if refused:
        with pytest.raises(RejectedError, match="a day that is over"):
            decide(judged, "revisit", due_on=day)
        assert asked_for(judged, "all") == []
    else:
        decide(judged, "revisit", due_on=day)
        assert asked_for(judged) == [("H1", "lý do", day)]


@pytest.mark.parametrize("lon_lat", [(2.35, 48.85), (0.0, 0.0), (101.9, 21.0), (105.0, 24.1)])
def test_no_point_outside_the_country_is_a_correction(judged, lon_lat):  # noqa: F811
    with pytest.raises(RejectedError, match="not in Viet Nam: longitude 102 to 118, latitude 6"):
        decide(judged, "repaired", point=Point(*lon_lat))


def test_a_point_of_ones_own_needs_a_reason_and_a_proposed_one_does_not(judged):  # noqa: F811
    with pytest.raises(RejectedError, match="Say how the right point is known"):
        decide(judged, "repaired", reason=" ", point=THERE)
    judged.execute(
        finding.update()
        .where(finding.c.subject_id == sid(2))
        .values(evidence={"repaired_lon": 105.0512345678, "repaired_lat": 21.06})
    )
    decide(judged, "repaired", reason="", point=Point(105.051235, 21.06))
    assert point(judged)[:2] == (105.051235, 21.06)
