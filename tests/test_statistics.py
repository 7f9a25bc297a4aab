"""The tidy table of indicators: reviews by year, the metrics of now, and nothing that is hidden."""

import csv
import io

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert

from geo import areas, exports, metrics
from geo.indicators import COLUMNS, KINDS, REVIEWED, SHARES
from geo.metrics import METRICS
from geo.scope import Scope
from geo.tables import household_status
from tests import records_world as world

# commune → households, each as its statuses in 2023, 2024 and 2025; - was not reviewed.
REVIEWS = {
    "00101": ["poor poor none", "poor none none", "near_poor poor poor", "poor - none"],
    "00102": ["- - poor", "poor near_poor none"],
    "00201": ["none poor poor"],
}


@pytest.fixture
def reviewed(conn):
    world.build(conn)
    for commune, households in REVIEWS.items():
        for statuses in households:
            code = world.add_household(conn, commune, status=statuses.split()[-1], status_year=2025)
            for year, status in zip((2023, 2024, 2025), statuses.split(), strict=True):
                if status != "-":
                    conn.execute(
                        insert(household_status),
                        {
                            "province_code": world.COMMUNES[commune],
                            "commune_code": commune,
                            "household_code": code,
                            "year": year,
                            "status": status,
                        },
                    )
    metrics.recount(conn, world.PAIRS)
    return conn


def table(conn, code):
    out = io.BytesIO()
    exports.export(conn, "statistics", areas.get(conn, code), "csv", out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


def found(rows, area, year, indicator):
    (row,) = (
        one
        for one in rows
        if (one["area_code"], one["year"], one["indicator"]) == (area, str(year), indicator)
    )
    return row


# Counted by hand from REVIEWS: reviewed, poor, near poor, left, entered.
@pytest.mark.parametrize(
    ("area", "year", "counts"),
    [
        ("00101", 2023, (4, 3, 1, 0, 0)),
        ("00101", 2024, (3, 2, 0, 1, 1)),
        ("00101", 2025, (4, 1, 0, 1, 0)),
        ("00102", 2024, (1, 0, 1, 1, 0)),
        ("01", 2024, (4, 2, 1, 2, 1)),
        ("VN", 2024, (5, 3, 1, 2, 2)),
        ("VN", 2025, (7, 3, 0, 1, 0)),
    ],
)
def test_reviews_are_counted_by_year(reviewed, area, year, counts):
    rows = table(reviewed, "VN")
    names = ("rated", "poor", "near_poor", "left_poverty", "entered_poverty")
    assert tuple(float(found(rows, area, year, name)["value"]) for name in names) == counts


def test_a_share_tells_what_it_is_of(reviewed):
    row = found(table(reviewed, "VN"), "00101", 2024, "left_poverty_rate")
    assert (row["numerator"], row["denominator"], row["value"]) == ("1", "2", "0.5")
    none = found(table(reviewed, "VN"), "00201", 2024, "left_poverty_rate")
    assert (none["denominator"], none["value"], none["suppressed"]) == ("0", "", "0")


def test_every_area_year_and_indicator_stands_once(reviewed):
    rows = table(reviewed, "VN")
    keys = [(one["area_code"], one["year"], one["indicator"]) for one in rows]
    assert len(keys) == len(set(keys))
    assert {one["area_code"] for one in rows} == {"VN", "01", "02", *REVIEWS}
    assert tuple(rows[0]) == COLUMNS


def test_the_present_year_has_the_metrics(reviewed):
    rows, year = table(reviewed, "01"), metrics.today().year
    figures = metrics.figures(reviewed, areas.get(reviewed, "01"))
    for key, metric in METRICS.items():
        if metric.kind != "time" and key not in (*REVIEWED, *SHARES):
            value = found(rows, "01", year, key)["value"]
            assert (float(value) if value else None) == figures[key]


def test_a_status_stands_under_its_own_year_and_under_no_other(reviewed):
    """Reviewed in 2025, and the present year is another one: its `poor` is not told by 2025."""
    rows = table(reviewed, "VN")
    years = {one["year"] for one in rows if one["indicator"] in ("poor", "rated", "poverty_rate")}
    assert years == {"2023", "2024", "2025"}


def test_statuses_without_a_year_stand_by_themselves(reviewed):
    for status in ("poor", "poor", "near_poor", "none"):
        world.add_household(reviewed, "00101", status=status)
    world.add_household(reviewed, "00101", status="poor", removed=True)
    rows = table(reviewed, "01")
    undated = {
        (one["area_code"], one["indicator"]): one["value"] for one in rows if not one["year"]
    }
    assert undated == {
        (area, name): value
        for area, values in {
            "01": ("4", "2", "1", "0.5", "0.25"),
            "00101": ("4", "2", "1", "0.5", "0.25"),
            "00102": ("0", "0", "0", "", ""),
        }.items()
        for name, value in zip(
            ("rated", "poor", "near_poor", "poverty_rate", "near_poor_rate"), values, strict=True
        )
    }
    assert found(rows, "01", 2025, "poor")["value"] == "2"


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_no_year_is_an_empty_cell_in_typed_forms(reviewed, tmp_path, form):
    world.add_household(reviewed, "00101", status="poor")
    path = tmp_path / f"indicators.{form}"
    exports.export(reviewed, "statistics", areas.get(reviewed, "00101"), form, path)
    read = pd.read_parquet(path) if form == "parquet" else pd.read_excel(path)
    (row,) = read[read.year.isna() & (read.indicator == "poor")].to_dict("records")
    assert (row["level"], row["value"]) == ("commune", 1)


def test_of_areas_elsewhere_only_figures_that_pages_show(reviewed, acting):
    """The second province is not the planner's: its one household is hidden, and its reviews."""
    own = Scope(provinces=frozenset({"01"}), action="figures.read", figures_elsewhere=True)
    with acting(own) as conn:
        rows = table(conn, "VN")
        shown = {code: metrics.figures(conn, areas.get(conn, code)) for code in ("01", "02", "VN")}
    for row in rows:
        if row["year"] != str(metrics.today().year) or row["indicator"] in (*REVIEWED, *SHARES):
            hidden = row["area_code"] in ("VN", "02", "00201")
        elif row["area_code"] in shown:
            hidden = shown[row["area_code"]]["suppressed"]
        else:
            hidden = row["area_code"] == "00201"
        assert row["suppressed"] == str(int(hidden)), row
        if hidden:
            assert (row["value"], row["numerator"], row["denominator"]) == ("", "", "")
    assert found(rows, "01", 2024, "poor")["value"] == "2"


def test_parquet_has_typed_columns(reviewed, tmp_path):
    path = tmp_path / "indicators.parquet"
    exports.export(reviewed, "statistics", areas.get(reviewed, "VN"), "parquet", path)
    read = pq.read_table(path)
    assert read.column_names == list(KINDS)
    rows = {
        (one["area_code"], one["year"], one["indicator"]): one["value"] for one in read.to_pylist()
    }
    assert rows["VN", 2024, "poverty_rate"] == 0.6
    assert rows["VN", 2025, "rated"] == 7.0
