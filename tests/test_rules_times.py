"""Rules about clocks: odd hours, clocks ahead, clocks that jump, surveys sent late."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Settings
from geo.rules import Context, say
from geo.rules.times import TIMES, clock_ahead, clock_jump, odd_hours, sent_late
from tests.rule_rows import surveys

CONTEXT = Context(Settings())
RULES = {rule.code: rule for rule in TIMES}


def moment(text):
    """A time of Viet Nam in 2026: day and clock, of September where no month is told."""
    month = "" if "-" in text else "09-"
    return pd.Timestamp(f"2026-{month}{text}+07:00").tz_convert("UTC")


@pytest.mark.parametrize(
    ("made", "hit"),
    [
        ("01T04:59:59", True),
        ("01T05:00:00", False),
        ("01T21:59:59", False),
        ("01T22:00:00", True),
        ("01T00:00:00", False),  # a day without an hour
        ("01T00:00:01", True),
    ],
)
def test_odd_hours_are_of_viet_nam(made, hit):
    found = odd_hours(surveys({"surveyed_at": moment(made)}), CONTEXT)
    assert found.index.tolist() == [0] * hit


@pytest.mark.parametrize(
    ("made", "sent", "received", "hit"),
    [
        ("01T08:00:00", "01T07:50:00", None, False),
        ("01T08:00:01", "01T07:50:00", None, True),
        ("01T08:00:00", None, "01T07:40:00", True),
        ("01T08:00:00", "01T19:00:00", "01T19:00:01", False),
        ("01T08:00:00", "01T07:00:00", "01T19:00:01", True),
        ("01T08:00:00", None, None, False),
    ],
)
def test_a_survey_dated_later_than_it_was_sent_or_received(made, sent, received, hit):
    times = {"sent_at": sent, "received_at": received}
    known = {name: moment(text) if text else pd.NaT for name, text in times.items()}
    found = clock_ahead(surveys({"surveyed_at": moment(made)} | known), CONTEXT)
    assert found.index.tolist() == [0] * hit


def test_evidence_of_a_clock_that_is_ahead():
    rows = surveys({"surveyed_at": moment("02T08:00:00"), "sent_at": moment("01T08:00:00")})
    evidence = clock_ahead(rows, CONTEXT).loc[0].to_dict()
    assert evidence == {
        "surveyed_at": moment("02T08:00:00"),
        "ahead_s": 86_400.0,
        "known_at": moment("01T08:00:00"),
    }


@pytest.mark.parametrize(
    ("made", "sent", "hit"),
    [
        ("01T08:00:00", "04T08:00:00", False),
        ("01T08:00:00", "04T08:00:01", True),
        ("01T08:00:00", None, False),
    ],
)
def test_surveys_sent_days_later(made, sent, hit):
    sent_at = moment(sent) if sent else pd.NaT
    found = sent_late(surveys({"surveyed_at": moment(made), "sent_at": sent_at}), CONTEXT)
    assert found.index.tolist() == [0] * hit


def device(*times, **values):
    """One device's surveys: (when it was made, when it was sent) for each."""
    return [
        {
            "survey_id": f"s{n}",
            "household_code": f"H{n}",
            "surveyed_at": moment(made),
            "sent_at": moment(sent) if sent else pd.NaT,
        }
        | values
        for n, (made, sent) in enumerate(times)
    ]


EVENINGS = [(f"{day:02}T{hour:02}:00:00", f"{day:02}T19:00:00")
            for day in (7, 8, 9, 10) for hour in (8, 10, 15)]  # fmt: skip
LATE = ("06T09:00:00", "08T12:00:00")
MONTH_BACK = ("08-10T09:00:00", "30T19:00:00")
AHEAD = ("09T20:00:00", "07T18:00:00")
BACK = ("05T09:00:00", "09T12:00:00")


@pytest.mark.parametrize(
    ("times", "hit"),
    [
        (EVENINGS, []),
        ([*EVENINGS, LATE], []),  # one that had to wait
        ([*EVENINGS, LATE, BACK], ["s12", "s13"]),
        ([*EVENINGS, ("06T09:00:00", "11T12:00:00"), BACK], []),  # the last does not go forth
        ([*EVENINGS, ("07T16:00:00", "08T19:00:00"), ("08T16:00:00", "09T19:00:00")], []),
        ([*EVENINGS, ("01T09:00:00", "12T19:00:00")], []),
        ([*EVENINGS, MONTH_BACK], ["s12"]),
        ([*EVENINGS, AHEAD], []),  # tells nothing of those sent after it
        ([*EVENINGS, (LATE[0], None), (BACK[0], None)], []),
    ],
)
def test_a_clock_that_goes_back_and_forth(times, hit):
    rows = surveys(*device(*times))
    found = clock_jump(rows, CONTEXT)
    assert sorted(rows.loc[found.index, "survey_id"]) == hit
    unknown = surveys(*device(*times, device_id=None))
    assert clock_jump(unknown, CONTEXT).empty


def test_evidence_of_a_clock_that_jumps():
    found = clock_jump(surveys(*device(*EVENINGS, LATE, BACK)), CONTEXT).sort_index()
    assert found.loc[13].to_dict() == {
        "surveyed_at": moment(BACK[0]),
        "sent_at": moment(BACK[1]),
        "back_s": (3 * 24 + 6) * 3600.0,  # behind what was made on the 8th at 15:00
        "jumps": 2,
        "group": "D1",
    }


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("vi", "Phiếu được gửi lúc 08:00 06/09/2026, 5 ngày sau khi khảo sát."),
        ("en", "The survey was sent at 08:00 06/09/2026, 5 days after it was made."),
    ],
)
def test_what_is_found_reads_well(language, said):
    rows = surveys({"surveyed_at": moment("01T08:00:00"), "sent_at": moment("06T08:00:00")})
    evidence = sent_late(rows, CONTEXT).loc[0].to_dict()
    evidence["sent_at"] = evidence["sent_at"].isoformat()
    assert say(RULES["sent_late"], evidence, language) == said


MIXED = surveys(*device(*EVENINGS, LATE, BACK, ("12T08:00:00", "11T08:00:00")))
FOUND = {rule: rule(MIXED, CONTEXT).sort_index() for rule in (clock_ahead, clock_jump, sent_late)}


@settings(max_examples=5)
@given(st.permutations(range(len(MIXED))))
def test_order_of_rows_does_not_matter(order):
    for rule, expected in FOUND.items():
        assert len(expected)
        found = rule(MIXED.iloc[order], CONTEXT).sort_index()
        pd.testing.assert_frame_equal(found, expected)
