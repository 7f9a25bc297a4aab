"""The pass over a province, the queue that it makes, and what auditors decide about it."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from geo import areas, metrics
from geo.audit import cases, decisions, due, queue, revisits, risk, together
from geo.audit import run as audit
from geo.audit.actors import By
from geo.audit.decisions import Subject
from geo.audit.repairs import Point
from geo.audit_tables import audit_due, audit_item
from geo.errors import ConflictError, NotFoundError, RejectedError, UsageError
from geo.scope import Scope, bind
from geo.tables import finding, household, survey, verdict_history
from tests.test_audit import add_survey, world  # noqa: F401 - a fixture


def opaque(name):
    return hashlib.sha256(name.encode()).hexdigest()[:24]


SPOT = opaque("one_spot:x")
AUDITOR = By(7, "Lê Thị Kiểm")
DAY = metrics.today() + timedelta(days=9)


def sid(number):
    return str(UUID(int=number))


def subject(number, commune="10001"):
    return Subject("survey", "19", commune, sid(number))


@pytest.fixture
def judged(conn, world):  # noqa: F811
    """Survey 1 fine, 2 outside by 5 km, 3 without a point, 4 mocked with accuracy 0."""
    add_survey(conn, 1, 105.05)
    add_survey(conn, 2, 105.15, device_id="d2")
    add_survey(conn, 3, None)
    add_survey(conn, 4, 105.05, lat=21.0713123, mock_location=True, accuracy_m=0, enumerator="f")
    audit.run(conn)
    together.run(conn, "19")
    return conn


def asked(conn, code="19", **filters):
    return queue.Asked(areas.get(conn, code), **filters)


def listed(conn, **filters):
    return [UUID(one["subject_id"]).int for one in queue.cases(conn, asked(conn, **filters)).items]


def test_risk_counts_each_family_once_and_its_parts_add_up():
    value, parts = risk.of(["outside", "uncertain", "mock_location", "accuracy_zero"])
    # Place 0.6 and measurement 0.6: 1 − 0.4 · 0.4.
    assert value == pytest.approx(84.0)
    assert [(part.rule, pytest.approx(part.points)) for part in parts] == [
        ("outside", 60.0),
        ("mock_location", 24.0),
    ]
    assert risk.of([]) == (0.0, [])


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"a": [], "b": []}, {"a": "A", "b": "B"}),
        ({"a": ["g"], "b": []}, {"a": "A", "b": "B"}),
        ({"a": ["g"], "b": ["g"], "c": []}, {"a": "g", "b": "g", "c": "C"}),
        ({"a": ["h"], "b": ["g", "h"], "c": ["g"]}, {"a": "g", "b": "g", "c": "g"}),
    ],
)
def test_those_that_share_a_group_are_one_case(groups, expected):
    assert cases.of(groups, {one: one.upper() for one in groups}) == expected


def test_an_audit_marks_what_it_touched_and_the_pass_takes_the_marks(conn, world):  # noqa: F811
    add_survey(conn, 1, 105.05)
    audit.run(conn)
    assert due.provinces(conn) == ["19"]
    report = together.run(conn, "19")
    assert (report.surveys, report.sites, report.items) == (1, 0, 0)
    assert due.provinces(conn) == []


def test_the_queue_is_worst_first_and_shows_what_the_risk_is_made_of(judged):
    page = queue.cases(judged, asked(judged))
    assert [UUID(one["subject_id"]).int for one in page.items] == [2, 4, 3]
    outside, worst, _ = page.items
    assert worst["risk"] == outside["risk"] == pytest.approx(60.0)
    assert worst["parts"] == [{"family": "measurement", "rule": "mock_location", "points": 60.0}]
    assert worst["rules"] == ["mock_location", "accuracy_zero"]
    assert (outside["size"], outside["head_name"], outside["verdict"]) == (1, "A", "outside")
    assert (outside["lon"], outside["lat"]) == (105.15, 21.0712345)
    assert queue.totals(judged, asked(judged)) == {
        "cases": 3,
        "items": 3,
        "states": {"open": 3, "confirmed": 0, "explained": 0, "repaired": 0, "revisit": 0},
        "waiting": 0,
    }
    assert queue.facets(judged, asked(judged)) == {
        "rules": {"mock_location": 1, "accuracy_zero": 1, "outside": 1, "unlocated_no_point": 1},
        "enumerators": [("e", 2), ("f", 1)],
        "devices": [("d2", 1)],
    }


def test_pages_of_the_queue_follow_each_other(judged):
    first = queue.cases(judged, asked(judged), limit=1)
    second = queue.cases(judged, asked(judged), first.next_cursor, limit=1)
    third = queue.cases(judged, asked(judged), second.next_cursor, limit=1)
    found = [UUID(page.items[0]["subject_id"]).int for page in (first, second, third)]
    assert found == [2, 4, 3]
    assert third.next_cursor is None


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"rule": "outside"}, [2]),
        ({"enumerator": "f"}, [4]),
        ({"device_id": "d2"}, [2]),
        ({"verdict": "unlocated"}, [3]),
        ({"state": "confirmed"}, []),
        ({"state": "all"}, [2, 4, 3]),
        ({"subject": "site"}, []),
        ({"since": date(2026, 9, 2)}, []),
        # The visit was at 07:00 of 1 September in Viet Nam.
        ({"since": date(2026, 9, 1), "until": date(2026, 9, 1)}, [2, 4, 3]),
        ({"until": date(2026, 8, 31)}, []),
        ({"code": "10002"}, []),
    ],
)
def test_the_queue_is_filtered(judged, filters, numbers):
    code = filters.pop("code", "19") if "code" in filters else "19"
    found = queue.cases(judged, queue.Asked(areas.get(judged, code), **filters)).items
    assert [UUID(one["subject_id"]).int for one in found] == numbers


@pytest.mark.parametrize("filters", [{"state": "x"}, {"rule": "x"}, {"verdict": "x"}])
def test_a_filter_that_does_not_exist_is_refused(judged, filters):
    with pytest.raises(UsageError, match="is none of"):
        asked(judged, **filters)


def test_a_case_shows_only_the_rows_of_the_scope(judged):
    """A group over two communes: each auditor sees the rows of his own."""
    for number, commune in ((2, "10001"), (4, "10001")):
        judged.execute(
            finding.update()
            .where(finding.c.subject_id == sid(number), finding.c.commune_code == commune)
            .values(group_key="one_spot:x")
        )
    together.items.renew(judged, "19")
    page = queue.cases(judged, asked(judged))
    assert [(one["case_key"], one["size"]) for one in page.items] == [
        (SPOT, 2),
        (f"10001:survey:{sid(3)}", 1),
    ]
    assert set(page.items[0]["rules"]) == {"outside", "mock_location", "accuracy_zero"}
    assert len(queue.members(judged, "19", SPOT)) == 2
    bind(judged, Scope(communes=frozenset({"10002"}), write=True))
    assert queue.members(judged, "19", SPOT) == []
    assert queue.cases(judged, asked(judged)).items == []
    with pytest.raises(NotFoundError):
        decisions.decide(judged, [subject(2)], "confirmed", "", AUDITOR)


def test_a_decision_is_kept_with_what_it_was_about(judged):
    decisions.decide(judged, [subject(2)], "confirmed", " đã gọi điện ", AUDITOR)
    (one,) = decisions.history(judged, "survey", ("19", "10001", sid(2)))
    assert (one["decision"], one["reason"], one["decided_by_name"]) == (
        "confirmed",
        "đã gọi điện",
        "Lê Thị Kiểm",
    )
    assert one["details"]["verdict"] == "outside"
    assert [found["rule"] for found in one["details"]["findings"]] == ["outside"]
    assert listed(judged) == [4, 3]
    assert listed(judged, state="confirmed") == [2]
    together.run(judged, "19")
    assert listed(judged, state="confirmed") == [2]


def test_a_doubt_that_is_new_opens_a_decided_one_again(judged):
    decisions.decide(judged, [subject(2)], "explained", "nhà ở hai nơi", AUDITOR)
    judged.execute(survey.update().where(survey.c.survey_id == sid(2)).values(mock_location=True))
    audit.run(judged)
    together.run(judged, "19")
    assert 2 in listed(judged)


def test_many_are_decided_at_once_with_one_reason_or_none(judged):
    missing = subject(1)  # nothing is found about it
    with pytest.raises(NotFoundError, match="load the list again"):
        decisions.decide(judged, [subject(2), missing], "explained", "lý do", AUDITOR)
    assert listed(judged) == [2, 4, 3]
    decisions.decide(judged, [subject(2), subject(3)], "explained", "lý do", AUDITOR)
    batches = {
        decisions.history(judged, *(one[0], one[1:]))[0]["batch"]
        for one in (subject(2), subject(3))
    }
    assert len(batches) == 1
    assert None not in batches
    assert listed(judged) == [4]


@pytest.mark.parametrize(
    ("decision", "reason", "point", "error", "says"),
    [
        ("explained", "  ", None, RejectedError, "Say what explains it"),
        ("confirmed", "x" * 1001, None, RejectedError, "longer than 1000"),
        ("repaired", "", None, RejectedError, "No finding proposes a point"),
        ("repaired", "x", Point(200.0, 21.0), RejectedError, "not in Viet Nam"),
        ("repaired", "x", Point(float("nan"), 21.0), RejectedError, "must be numbers"),
        ("repaired", "x", Point(105.0, 21.0, -1.0), RejectedError, "accuracy must be above 0"),
        ("open", "", None, UsageError, "is no decision"),
        ("reopened", "", None, UsageError, "is no decision"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(judged, decision, reason, point, error, says):
    with pytest.raises(error, match=says):
        decisions.decide(judged, [subject(2)], decision, reason, AUDITOR, point=point)


def test_who_did_not_see_the_last_decision_decides_nothing(judged):
    decisions.decide(judged, [subject(2)], "confirmed", "", AUDITOR, seen={subject(2): 0})
    with pytest.raises(ConflictError, match="Lê Thị Kiểm decided about"):
        decisions.decide(judged, [subject(2)], "explained", "x", AUDITOR, seen={subject(2): 0})


def test_a_repaired_point_gets_a_new_verdict_and_the_sent_one_comes_back(judged):
    decisions.decide(
        judged, [subject(2)], "repaired", "gọi", AUDITOR, point=Point(105.05, 21.0600123, 8)
    )
    row = judged.execute(select(survey).where(survey.c.survey_id == sid(2))).one()
    assert (row.verdict, row.accuracy_m) == ("inside", 8.0)
    assert row.as_sent == {"lon": 105.15, "lat": 21.0712345, "accuracy_m": 10.0, "crs": "EPSG:4326"}
    old = judged.execute(select(verdict_history.c.verdict, verdict_history.c.reason)).all()
    assert [tuple(one) for one in old] == [("outside", "point")]
    together.run(judged, "19")
    assert listed(judged, state="repaired") == [2]
    decisions.reopen(judged, [subject(2)], "nhầm", AUDITOR)
    row = judged.execute(
        select(
            survey.c.verdict, survey.c.as_sent, func.ST_X(survey.c.geom), survey.c.accuracy_m
        ).where(survey.c.survey_id == sid(2))
    ).one()
    assert tuple(row) == ("outside", None, 105.15, 10.0)
    assert listed(judged) == [2, 4, 3]


def test_a_repaired_point_is_held_against_nobody_and_stays_repaired(judged):
    """Without an accuracy and with three decimals: the auditor's own way of writing."""
    decisions.decide(
        judged, [subject(2)], "repaired", "gọi điện", AUDITOR, point=Point(105.03, 21.03)
    )
    together.run(judged, "19")
    assert listed(judged, state="repaired") == [2]
    assert 2 not in listed(judged)


def test_what_was_explained_weighs_no_more_when_something_new_opens_it(judged):
    decisions.decide(judged, [subject(2)], "explained", "nhà ở hai nơi", AUDITOR)
    judged.execute(survey.update().where(survey.c.survey_id == sid(2)).values(accuracy_m=400))
    audit.run(judged)
    together.run(judged, "19")
    row = queue.item(judged, "survey", ("19", "10001", sid(2)))
    assert (row["state"], row["counted"]) == ("open", ["accuracy_poor"])
    assert row["risk"] == pytest.approx(5.0)


def test_only_what_is_decided_can_be_reopened(judged):
    with pytest.raises(RejectedError, match="Nothing is decided"):
        decisions.reopen(judged, [subject(2)], "", AUDITOR)


def test_a_revisit_is_listed_until_a_later_survey_comes_in(judged):
    decisions.decide(judged, [subject(2)], "revisit", "đo lại", AUDITOR, due_on=DAY)
    (one,) = revisits.listing(judged, areas.get(judged, "19")).items
    assert (one["household_code"], one["enumerator"], one["reason"]) == ("H1", "e", "đo lại")
    assert (one["due_on"], one["asked_by_name"]) == (DAY, "Lê Thị Kiểm")
    assert (one["lon"], one["lat"]) == (105.15, 21.0712345)
    assert revisits.listing(judged, areas.get(judged, "19"), enumerator="f").items == []
    add_survey(judged, 9, 105.05, surveyed_at=datetime.now(UTC) + timedelta(hours=1))
    assert revisits.listing(judged, areas.get(judged, "19")).items == []
    (done,) = revisits.listing(judged, areas.get(judged, "10001"), state="done").items
    assert done["done_survey_id"] == sid(9)


def test_taking_the_decision_back_withdraws_the_revisit(judged):
    decisions.decide(judged, [subject(2)], "revisit", "", AUDITOR)
    decisions.reopen(judged, [subject(2)], "", AUDITOR)
    assert revisits.listing(judged, areas.get(judged, "19"), state="all").items == []


def test_removed_rows_leave_the_queue(judged):
    judged.execute(survey.update().where(survey.c.survey_id == sid(2)).values(removed=True))
    together.run(judged, "19")
    assert judged.scalar(select(func.count()).select_from(audit_item)) == 2


def test_a_pass_that_finds_nothing_new_changes_nothing(judged):
    before = [tuple(row) for row in judged.execute(select(finding))]
    report = together.run(judged, "19")
    assert (report.findings_added, report.findings_removed, report.items) == (0, 0, 3)
    assert [tuple(row) for row in judged.execute(select(finding))] == before
    assert judged.scalar(select(func.count()).select_from(audit_due)) == 0
    assert judged.scalar(select(func.count()).select_from(household)) == 3
