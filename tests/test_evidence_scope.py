"""Evidence names other rows only to readers whose areas hold them."""

import pytest
from sqlalchemy import insert

from geo import findings, scope
from geo.audit import evidence
from geo.rules import RULES, say
from geo.scope import OPERATOR, Scope
from geo.tables import finding

TRAVEL = {
    "speed_kmh": 160.0,
    "distance_m": 80_000.0,
    "apart_s": 1800.0,
    "other_survey": "s01",
    "other_at": "2026-09-01T01:30:00+00:00",
    "other_commune": "10002",
}
OWN = {"distance_m": 900.0, "photo_id": "p"}
A, B = (Scope(communes=frozenset({code})) for code in ("10001", "10002"))
PROVINCE, ELSEWHERE = (Scope(provinces=frozenset({code})) for code in ("19", "20"))
HIDDEN = {"speed_kmh": 160.0, "other_hidden": True}


@pytest.mark.parametrize(
    ("reader", "given", "seen"),
    [
        (OPERATOR, TRAVEL, TRAVEL),
        (PROVINCE, TRAVEL, TRAVEL),
        (B, TRAVEL, TRAVEL),
        (Scope(communes=A.communes | B.communes), TRAVEL, TRAVEL),
        (A, TRAVEL, HIDDEN),
        (ELSEWHERE, TRAVEL, HIDDEN),
        (Scope(), TRAVEL, HIDDEN),
        # A commune that was not kept may be any.
        (A, TRAVEL | {"other_commune": None}, HIDDEN),
        (PROVINCE, TRAVEL | {"other_commune": None}, TRAVEL | {"other_commune": None}),
        (A, {"households": 3, "other": "s2"}, {"households": 3, "other_hidden": True}),
        (A, OWN, OWN),
        (A, {}, {}),
    ],
)
def test_what_a_reader_sees_of_another_row(reader, given, seen):
    assert evidence.within(reader, "19", given) == seen


@pytest.mark.parametrize("rule", ["travel_speed", "too_quick", "same_fix", "same_point_near"])
def test_sentences_without_the_other_row_have_no_gaps(rule):
    numbers = {"speed_kmh": 160.0, "times": 3, "households": 2, "other_hidden": True}
    for language in ("vi", "en"):
        said = say(RULES[rule], numbers, language)
        assert "–" not in said
        assert ("khác" if language == "vi" else "another commune") in said


def test_findings_are_read_with_what_the_scope_may_see(conn):
    key = ("19", "10001", "s02")
    row = {"subject": "survey", "subject_id": "s02", "rule": "travel_speed", "severity": 3}
    conn.execute(
        insert(finding).values(province_code=key[0], commune_code=key[1], evidence=TRAVEL, **row)
    )
    assert [one["evidence"] for one in findings.of(conn, "survey", key)] == [TRAVEL]
    scope.bind(conn, A)
    assert [one["evidence"] for one in findings.of(conn, "survey", key)] == [HIDDEN]
