"""Each rule hits what it says and nothing else; verdicts read well in both languages."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.audit.applying import findings_of, rules_for
from geo.config import Settings
from geo.rules import RULES, SITE, SURVEY, Context, explain

SETTINGS = Settings()
FINE = {
    "survey_id": "s",
    "province_code": "19",
    "commune_code": "10001",
    "verdict": "inside",
    "probability": 1.0,
    "distance_m": 500.0,
    "accuracy_m": 5.0,
    "accuracy_used_m": 5.0,
    "boundary_accuracy_m": 10.0,
    "recorded_code": "10001",
    "located_code": "10001",
    "mock_location": None,
    "lon": 105.8,
    "lat": 21.0,
}
OUTSIDE = {"verdict": "outside", "probability": 0.0, "distance_m": -5000.0, "located_code": None}
NO_POINT = {"verdict": "unlocated", "lon": np.nan, "lat": np.nan, "accuracy_m": np.nan}


def found(subject=SURVEY, **values):
    frame = pd.DataFrame([FINE | values], index=[5])
    hits = findings_of(frame, Context(SETTINGS), subject, alone=True)
    return dict(zip(hits["rule"], hits["evidence"], strict=True))


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({}, set()),
        ({"mock_location": False}, set()),
        ({"mock_location": True}, {"mock_location"}),
        (OUTSIDE, {"outside"}),
        ({"verdict": "uncertain"}, {"uncertain"}),
        (NO_POINT, {"unlocated_no_point"}),
        ({"lat": np.nan, "verdict": "unlocated"}, {"unlocated_no_point"}),
        ({"verdict": "unlocated", "recorded_code": None}, {"unlocated_no_address"}),
        ({"accuracy_m": np.nan}, {"accuracy_missing"}),
        ({"accuracy_m": -1.0}, {"accuracy_missing"}),
        ({"accuracy_m": 0.0}, {"accuracy_zero"}),
        ({"accuracy_m": 100.0}, set()),
        ({"accuracy_m": 100.1}, {"accuracy_poor"}),
        (OUTSIDE | {"accuracy_m": 0.0, "mock_location": True},
         {"outside", "accuracy_zero", "mock_location"}),
    ],
)  # fmt: skip
def test_rule_hits_what_it_says(values, rules):
    assert set(found(**values)) == rules


def test_rules_about_devices_leave_sites_alone():
    values = OUTSIDE | {"accuracy_m": np.nan, "mock_location": True}
    assert set(found(SITE, **values)) == {"outside"}


def test_evidence_is_plain_and_tells_the_numbers():
    assert found(**OUTSIDE)["outside"] == {
        "probability": 0.0,
        "distance_m": -5000.0,
        "accuracy_used_m": 5.0,
        "recorded_code": "10001",
        "located_code": None,
    }
    assert found(accuracy_m=250.0)["accuracy_poor"] == {"accuracy_m": 250.0, "limit_m": 100.0}
    assert found(mock_location=True)["mock_location"] == {"mock_location": True}


def test_findings_name_their_row_and_severity():
    frame = pd.DataFrame([FINE, FINE | OUTSIDE | {"survey_id": "t"}])
    hits = findings_of(frame, Context(SETTINGS), alone=True).to_dict("records")
    assert [(h["survey_id"], h["province_code"], h["severity"]) for h in hits] == [("t", "19", 3)]


@pytest.mark.parametrize("code", RULES)
def test_rule_is_complete_and_documented(code):
    rule = RULES[code]
    assert rule.code == code
    assert rule.severity in (1, 2, 3)
    assert all((rule.vi, rule.en, rule.means_vi, rule.means_en, rule.subjects))
    text = (Path(__file__).parent.parent / "docs" / "rules.md").read_text("utf-8")
    assert f"| `{code}` | {rule.severity} | {rule.vi} |" in text


@pytest.mark.parametrize(
    ("values", "language", "expected"),
    [
        ({}, "vi", "Điểm nằm trong địa bàn ghi nhận, cách ranh giới 500 m. Sai số của điểm là 5 m, "
         "của ranh giới là 10 m. Xác suất vị trí thật ở trong địa bàn là > 99,9 %: khớp địa bàn."),
        (OUTSIDE | {"distance_m": -1234.5}, "vi", "Điểm nằm ngoài địa bàn ghi nhận, cách ranh giới "
         "1,2 km. Sai số của điểm là 5 m, của ranh giới là 10 m. "
         "Xác suất vị trí thật ở trong địa bàn là < 0,1 %: lệch địa bàn."),
        ({"verdict": "uncertain", "probability": 0.7312, "distance_m": 4.26}, "en",
         "The point lies inside the recorded area, 4.3 m from its border. The point is accurate to "
         "5 m, the border to 10 m. "
         "The probability that the true place is inside is 73.1 %: it cannot be told."),
        (NO_POINT | {"lon": None}, "vi",
         "Không có toạ độ dùng được nên không kiểm tra được vị trí."),
        (NO_POINT | {"lon": np.nan}, "en",
         "There is no usable point, so the location cannot be checked."),
        ({"verdict": "unlocated"}, "en", "The recorded address leads to no commune with a border, "
         "so there is nothing to compare the point with."),
    ],
)  # fmt: skip
def test_verdict_in_plain_words(values, language, expected):
    assert explain(FINE | values, language) == expected


@pytest.mark.parametrize("accuracy", [None, 0, -3.0, np.nan])
def test_an_assumed_accuracy_is_said(accuracy):
    row = FINE | {"accuracy_m": accuracy, "accuracy_used_m": 30.0}
    assert "30 m (thiết bị không cho biết sai số của điểm, đây là mức giả định)" in explain(
        row, "vi"
    )


@pytest.mark.parametrize(
    ("metres", "vi", "en"),
    [(0.0, "0 m", "0 m"), (0.04, "0 m", "0 m"), (9.96, "10 m", "10 m"), (999.4, "999 m", "999 m"),
     (999.6, "1 km", "1 km"), (1_234_567.0, "1.234,6 km", "1,234.6 km")],
)  # fmt: skip
def test_lengths_are_written_as_the_language_does(metres, vi, en):
    for language, expected in (("vi", vi), ("en", en)):
        assert f" {expected}" in explain(FINE | {"distance_m": metres}, language)


def test_numbers_that_are_missing_are_a_dash_and_texts_are_never_templates():
    row = {"verdict": "outside", "recorded_code": "{distance}", "distance_m": None}
    assert "cách ranh giới –" in explain(row, "vi")


@given(
    verdict=st.sampled_from(["inside", "outside", "uncertain", "unlocated"]),
    lon=st.sampled_from([105.8, np.nan]),
    lat=st.sampled_from([21.0, np.nan]),
    accuracy_m=st.sampled_from([np.nan, -1.0, 0.0, 5.0, 100.0, 100.5, np.inf]),
    mock_location=st.sampled_from([None, False, True]),
    subject=st.sampled_from([SURVEY, SITE]),
)
def test_single_rows_are_asked_about_only_where_a_rule_hits(subject, **values):
    asked = pd.DataFrame([FINE | values])
    hits = [
        rule.code for rule in rules_for(subject, alone=True)
        if len(rule.find(asked, Context(SETTINGS)))
    ]  # fmt: skip
    assert list(found(subject, **values)) == hits
