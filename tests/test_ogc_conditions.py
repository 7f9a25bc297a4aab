"""Conditions that GDAL passes on: the rows are those that pandas finds in the whole layer."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

import geopandas
import pandas as pd
import pyogrio
import pytest

from tests import gdal_client, ogc_world, records_world
from tests.gdal_client import read
from tests.ogc_world import Service

KEYS = {
    "areas": "code",
    "households": "household_code",
    "surveys": "survey_id",
    "sites": "site_code",
    "findings": "rule",
}
NAMES = ("Lò Văn A", "lò văn a", "Ñ\\n 50%", "O'Brien", "Đặng_B")

Table = geopandas.GeoDataFrame
Whole = Callable[[str], Table]


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        fill(made)
        yield made


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    with gdal_client.served(service) as found, gdal_client.token(service):
        yield found


@pytest.fixture(scope="module")
def whole(address: str) -> Whole:
    """A layer without a condition, read once."""
    return cache(lambda layer: read(address, layer))


def fill(service: Service) -> None:
    """Sites and visits of twelve months, with what else conditions are about."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    with service.owner() as conn:
        for number in range(24):
            name = NAMES[number % len(NAMES)]
            home = records_world.add_household(conn, head_name=name, at=(105.03, 21.03))
            month = number % 12 + 1
            records_world.add_site(
                conn, home, kind=("new", "repair")[number % 2], stage="roof",
                eligible=(True, False, None)[number % 3],
                approved_on=date(2025, month, 1),
                due_on=None if number % 7 == 3 else date(2026, month, 1),
                cost_planned=None if number % 5 == 4 else number * 10_000_000,
                received_at=first + timedelta(days=20 * number),
                judged_at=first + timedelta(hours=number),
            )  # fmt: skip
            records_world.add_survey(
                conn, home, mock_location=number % 4 == 0, enumerator=f"E{number % 3}",
                surveyed_at=first + timedelta(hours=7 * number, minutes=number),
                verdict=("inside", "outside", "uncertain")[number % 3],
                distance_m=None if number % 6 == 5 else (number - 12) * 33.25,
                accuracy_m=number / 2, recorded_code="00101", boundary_version=number % 2 + 1,
                received_at=first + timedelta(days=number), demo=number % 5 == 0,
            )  # fmt: skip


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


CONDITIONS: list[tuple[str, str, Callable[[Table], "pd.Series[bool]"]]] = [
    # days
    ("sites", "due_on < '2026/11/01 00:00:00'", lambda t: t.due_on < "2026-11-01"),
    ("sites", "due_on < '2026-11-01'", lambda t: t.due_on < "2026-11-01"),
    ("sites", "due_on <= '2026/11/01'", lambda t: t.due_on <= "2026-11-01"),
    ("sites", "due_on = '2026-11-01'", lambda t: t.due_on == "2026-11-01"),
    ("sites", "due_on = '2026/11/01'", lambda t: t.due_on == "2026-11-01"),
    ("sites", "due_on <> '2026/11/01'", lambda t: t.due_on.notna() & (t.due_on != "2026-11-01")),
    ("sites", "approved_on > '2025-06-30 08:00:00'", lambda t: t.approved_on > "2025-06-30"),
    ("sites", "due_on < '2026-11-01 08:00:00'", lambda t: t.due_on <= "2026-11-01"),
    ("sites", "due_on IS NULL", lambda t: t.due_on.isna()),
    ("sites", "due_on IS NOT NULL", lambda t: t.due_on.notna()),
    (
        "sites", "due_on >= '2026-03-01' AND due_on < '2026-09-01'",
        lambda t: (t.due_on >= "2026-03-01") & (t.due_on < "2026-09-01"),
    ),
    (
        "sites", "due_on < '2026-09-01' AND kind = 'new' AND eligible = 1",
        lambda t: (t.due_on < "2026-09-01") & (t.kind == "new") & (t.eligible == True),  # noqa: E712
    ),
    (
        "sites", "due_on < '2026-03-01' OR kind = 'new'",
        lambda t: (t.due_on < "2026-03-01") | (t.kind == "new"),
    ),
    (
        "sites", "due_on < '2026-09-01' AND received_at > '2026/02/01 00:00:00'",
        lambda t: (t.due_on < "2026-09-01") & (t.received_at > at("2026-02-01")),
    ),
    # moments
    (
        "sites", "received_at >= '2026/03/02 00:00:00'",
        lambda t: t.received_at >= at("2026-03-02"),
    ),
    ("sites", "judged_at < '2026/01/01 07:00:00'", lambda t: t.judged_at < at("2026-01-01T07:00")),
    (
        "surveys", "surveyed_at > '2026-01-03 12:30:00'",
        lambda t: t.surveyed_at > at("2026-01-03T12:30"),
    ),
    (
        "surveys", "surveyed_at > '2026-01-03T12:30:00Z'",
        lambda t: t.surveyed_at > at("2026-01-03T12:30"),
    ),
    ("surveys", "surveyed_at < '2026-01-03'", lambda t: t.surveyed_at < at("2026-01-03")),
    (
        "surveys", "surveyed_at >= '2026/01/02 00:00:00' AND surveyed_at < '2026/01/04 00:00:00'",
        lambda t: (t.surveyed_at >= at("2026-01-02")) & (t.surveyed_at < at("2026-01-04")),
    ),
    (
        "surveys", "received_at < '2026/01/11 00:00:00' AND verdict = 'outside'",
        lambda t: (t.received_at < at("2026-01-11")) & (t.verdict == "outside"),
    ),
    ("surveys", "received_at = '2026/01/05 00:00:00'", lambda t: t.received_at == at("2026-01-05")),
    # true and false
    ("surveys", "mock_location = 1", lambda t: t.mock_location == True),  # noqa: E712
    ("surveys", "mock_location = 0", lambda t: t.mock_location == False),  # noqa: E712
    ("surveys", "mock_location <> 0", lambda t: t.mock_location == True),  # noqa: E712
    ("surveys", "demo = 1", lambda t: t.demo == True),  # noqa: E712
    ("sites", "eligible = 1", lambda t: t.eligible == True),  # noqa: E712
    ("sites", "eligible = 0", lambda t: t.eligible == False),  # noqa: E712
    ("sites", "eligible IS NULL", lambda t: t.eligible.isna()),
    (
        "surveys", "mock_location = 1 AND demo = 0 AND verdict = 'inside'",
        lambda t: (t.mock_location == True) & (t.demo == False) & (t.verdict == "inside"),  # noqa: E712
    ),
    ("findings", "severity = 2 AND rule = 'site_far'", lambda t: t.rule == "site_far"),
    # text and identifiers
    ("households", "status = 'poor'", lambda t: t.status == "poor"),
    ("households", "status <> 'poor'", lambda t: t.status.notna() & (t.status != "poor")),
    ("households", "status IS NULL", lambda t: t.status.isna()),
    ("households", "status IS NOT NULL", lambda t: t.status.notna()),
    (
        "households", "status NOT IN ('poor', 'none')",
        lambda t: t.status.isin(["near_poor", "average"]),
    ),
    ("households", "household_code > 'M02'", lambda t: t.household_code > "M02"),
    ("households", "head_name > 'Trần'", lambda t: t.head_name > "Trần"),
    ("households", "head_name = 'O''Brien'", lambda t: t.head_name == "O'Brien"),
    ("households", "head_name LIKE 'Lò%'", lambda t: t.head_name.str.startswith("Lò")),
    ("households", "head_name NOT LIKE 'Người%'", lambda t: ~t.head_name.str.startswith("Người")),
    (
        "households", "head_name ILIKE 'LÒ%'",
        lambda t: t.head_name.str.lower().str.startswith("lò"),
    ),
    (
        "households", "head_name LIKE 'Ñ\\n%'",
        lambda t: t.head_name.str.startswith("Ñ\\n"),
    ),
    ("households", "household_code IN ('M00001', 'x')", lambda t: t.household_code == "M00001"),
    # numbers
    ("households", "members > 7", lambda t: t.members > 7),
    ("households", "members BETWEEN 3 AND 5", lambda t: t.members.between(3, 5)),
    ("households", "members <> 3", lambda t: t.members.notna() & (t.members != 3)),
    ("households", "members * 2 = 8", lambda t: t.members == 4),
    ("surveys", "distance_m < -33.25", lambda t: t.distance_m < -33.25),
    ("surveys", "distance_m = 66.5", lambda t: t.distance_m == 66.5),
    ("surveys", "accuracy_m >= 1e1", lambda t: t.accuracy_m >= 10),
    ("surveys", "boundary_version = 2", lambda t: t.boundary_version == 2),
    ("sites", "cost_planned >= 100000000", lambda t: t.cost_planned >= 100_000_000),
    ("areas", "area_km2 > 1 AND level = 'commune'", lambda t: t.level == "commune"),
    # what GDAL cannot pass on whole
    (
        "households", "members > 3 AND status IN ('poor', 'none')",
        lambda t: (t.members > 3) & t.status.isin(["poor", "none"]),
    ),
    (
        "households", "members > 8 OR status IN ('poor', 'none')",
        lambda t: (t.members > 8) | t.status.isin(["poor", "none"]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "condition", "chosen"), CONDITIONS, ids=[f"{one[0]}: {one[1]}" for one in CONDITIONS]
)
def test_a_condition_finds_what_pandas_finds(
    address: str, whole: Whole, layer: str, condition: str, chosen: Callable[[Table], object]
) -> None:
    everything, key = whole(layer), KEYS[layer]
    expected = everything[chosen(everything)]
    assert 0 < len(expected) < len(everything)
    found = read(address, layer, where=condition)
    assert sorted(found[key]) == sorted(expected[key])


@pytest.mark.parametrize(
    ("layer", "condition", "reason"),
    [
        ("households", "NOT members = 3", "Write the opposite"),
        ("households", "NOT (members > 3 AND status IN ('poor', 'none'))", "Write the opposite"),
        (
            "surveys",
            "NOT (verdict = 'outside' AND surveyed_at < '2026-01-05')",
            "Write the opposite",
        ),
        ("sites", "due_on BETWEEN '2026-03-01' AND '2026-09-01'", "Failed to parse date"),
    ],
)
def test_a_condition_that_gdal_would_get_wrong_is_refused_in_words(
    address: str, layer: str, condition: str, reason: str
) -> None:
    with pytest.raises(pyogrio.errors.FeatureError, match=reason):
        read(address, layer, where=condition)
