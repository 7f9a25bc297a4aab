"""Rules about a site's stages: their order, the days between them, where they were reported."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Settings
from geo.geometry import GEOD
from geo.rules import Context, say
from geo.rules.stages import STAGE, stage_order, stage_places, stages_too_close
from tests.rule_rows import sites

SETTINGS = Settings()
RULES = {rule.code: rule for rule in STAGE}


def report(stage, day=None, east_m=None, accuracy_m=5.0, site_code="S1", reported="2026-09-01"):
    lon, lat, _ = GEOD.fwd(105.8, 21.0, 90, east_m or 0.0)
    return {
        "province_code": "19",
        "commune_code": "10001",
        "site_code": site_code,
        "stage": stage,
        "stage_on": date.fromisoformat(f"2026-{day}") if day else None,
        "reported_at": pd.Timestamp(f"{reported}T01:00Z"),
        "lon": np.nan if east_m is None else lon,
        "lat": np.nan if east_m is None else lat,
        "accuracy_m": accuracy_m,
    }


def found(rule, *reports, **values):
    hits = rule(sites(values), Context(SETTINGS, stages=pd.DataFrame(reports)))
    return hits.loc[0].to_dict() if len(hits) else None


def days(*reports, **values):
    told = found(stages_too_close, *(report(*one) for one in reports), **values)
    return told and (told["before_stage"], told["stage"], told["days"], told["least_days"])


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        # Completed one day after the plinth.
        ([("foundation", "03-01"), ("completed", "03-02")], ("foundation", "completed", 1, 7)),
        ([("foundation", "03-01"), ("completed", "03-01")], ("foundation", "completed", 0, 7)),
        ([("foundation", "03-01"), ("completed", "03-07")], ("foundation", "completed", 6, 7)),
        ([("foundation", "03-01"), ("completed", "03-08")], None),
        ([("foundation", "03-01"), ("roof", "03-03")], ("foundation", "roof", 2, 3)),
        ([("started", "03-01"), ("roof", "03-03")], ("started", "roof", 2, 3)),
        ([("frame", "03-01"), ("roof", "03-02"), ("handed_over", "03-03")],
         ("frame", "completed", 2, 3)),
        ([("started", "03-01"), ("foundation", "03-02"), ("completed", "03-03")],
         ("foundation", "completed", 1, 7)),
        ([("foundation", "03-02"), ("completed", "03-01")], None),  # that is their order
        ([("foundation", None), ("completed", "03-01")], None),
        ([("approved", "03-01"), ("started", "03-01")], None),
        ([("completed", "03-01"), ("handed_over", "03-01")], None),
    ],
)  # fmt: skip
def test_stages_with_fewer_days_between_than_the_work_takes(reports, expected):
    if expected and expected[1] == "completed" and reports[-1][0] == "handed_over":
        expected = (*expected[:1], "handed_over", *expected[2:])
    assert days(*reports) == expected


@pytest.mark.parametrize(("day", "hit"), [("03-02", True), ("03-03", False)])
def test_a_repair_takes_less(day, hit):
    told = days(("started", "03-01"), ("completed", day), kind="repair")
    assert told == (("started", "completed", 1, 2) if hit else None)


def test_the_last_report_of_a_stage_corrects_the_ones_before():
    first = report("completed", "03-02", reported="2026-03-03")
    mended = report("completed", "04-02", reported="2026-04-03")
    plinth = report("foundation", "03-01", reported="2026-03-01")
    assert found(stages_too_close, plinth, first) is not None
    assert found(stages_too_close, mended, plinth, first) is None


@pytest.mark.parametrize(
    ("reports", "approved_on", "expected"),
    [
        ([("foundation", "03-01"), ("roof", "03-20")], None, None),
        ([("foundation", "03-20"), ("roof", "03-01")], None, ("foundation", "roof", 19)),
        ([("foundation", "03-01"), ("roof", "03-01")], None, None),
        ([("started", "03-05"), ("foundation", "03-20"), ("frame", "03-19"), ("roof", "03-01")],
         None, ("foundation", "roof", 19)),
        ([("started", "03-01")], "03-11", ("approved", "started", 10)),
        ([("started", "03-01")], "02-11", None),
        ([("approved", "02-01"), ("started", "03-01")], "03-11", None),  # the report tells
        ([("foundation", None), ("roof", "03-01")], None, None),
    ],
)  # fmt: skip
def test_stages_dated_before_earlier_ones(reports, approved_on, expected):
    approved = date.fromisoformat(f"2026-{approved_on}") if approved_on else None
    told = found(stage_order, *(report(*one) for one in reports), approved_on=approved)
    assert (told and (told["before_stage"], told["stage"], told["days_back"])) == expected


@pytest.mark.parametrize(
    ("reports", "metres"),
    [
        ([report("foundation", east_m=0), report("roof", east_m=109)], None),
        ([report("foundation", east_m=0), report("roof", east_m=111)], 111),  # 100 + 5 + 5 m
        ([report("foundation", east_m=0), report("roof", east_m=111, accuracy_m=8.0)], None),
        ([report("foundation", east_m=0, accuracy_m=np.nan), report("roof", east_m=134)], None),
        ([report("foundation", east_m=0, accuracy_m=0.0), report("roof", east_m=136)], 136),
        ([report("foundation", east_m=0), report("roof")], None),
        ([report("roof", east_m=0), report("roof", east_m=500, reported="2026-09-02")], None),
        ([report("foundation", east_m=0), report("frame", east_m=500), report("roof", east_m=0)],
         500),
    ],
)  # fmt: skip
def test_stages_reported_from_different_places(reports, metres):
    told = found(stage_places, *reports)
    assert (told and told["distance_m"]) == (metres and pytest.approx(metres, abs=0.1))


def test_sites_of_one_code_in_two_communes_are_two():
    elsewhere = report("roof", east_m=500) | {"commune_code": "10002"}
    assert found(stage_places, report("foundation", east_m=0), elsewhere) is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("vi", "Giai đoạn “Hoàn thành” (02/03/2026) chỉ sau “Xong móng” (01/03/2026) 1 ngày; công "
         "việc cần ít nhất 7 ngày."),
        ("en", "The stage “Completed” (02/03/2026) comes only 1 day(s) after “Foundation done” "
         "(01/03/2026); the work takes at least 7 days."),
    ],
)  # fmt: skip
def test_what_is_found_reads_well(language, said):
    evidence = found(stages_too_close, report("foundation", "03-01"), report("completed", "03-02"))
    assert say(RULES["stages_too_close"], evidence, language) == said


REPORTS = [
    report("foundation", "03-01", 0),
    report("completed", "03-02", 700),
    report("handed_over", "02-02", 0),
    report("foundation", "03-01", 0, site_code="S2"),
    report("completed", "05-02", 0, site_code="S2"),
]


@settings(max_examples=5)
@given(st.permutations(range(len(REPORTS))))
def test_order_of_reports_does_not_matter(order):
    rows = sites({"site_code": "S2"}, {"site_code": "S1"})
    for rule in (stage_order, stages_too_close, stage_places):
        hits = [
            rule(rows, Context(SETTINGS, stages=pd.DataFrame(reports)))
            for reports in (REPORTS, [REPORTS[n] for n in order])
        ]
        assert hits[0].index.tolist() == [1]
        pd.testing.assert_frame_equal(*hits)
