"""Statistics for planners: one row for each area, year and indicator, over METRICS and reviews."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, SmallInteger, Text, cast, func, null, select

from geo import areas, metrics, scope
from geo.areas import Area
from geo.export_columns import any_demo
from geo.metrics import METRICS
from geo.tables import VERDICTS, household, household_status
from geo.writing.extract import Extract, of_rows

KINDS = {
    "area_code": "text",
    "area_name": "text",
    "level": "text",
    "year": "int",
    "indicator": "text",
    "value": "float",
    "unit": "text",
    "numerator": "float",
    "denominator": "float",
    "suppressed": "flag",
}
"""The columns, and how their cells are stored."""
COLUMNS = tuple(KINDS)
RATED = ("rated", "poor", "near_poor")
CHANGED = ("left_poverty", "entered_poverty")
REVIEWED = (*RATED, *CHANGED)
"""Households by the year of their status; those that left or entered poverty since the year
before are among the households that have a status of both."""
SHARES = {
    "poverty_rate": ("poor", "rated"),
    "near_poor_rate": ("near_poor", "rated"),
    "left_poverty_rate": ("left_poverty", "poor_before"),
}
"""Share → its numerator and its denominator; poor_before: poor the year before, and with a status
of both."""
_COUNTED = (*REVIEWED, "poor_before")
UNDATED = None
"""The year of statuses without one."""
_HOUSEHOLDS = frozenset(
    ("households", "surveyed", "verified", "poor", "near_poor", "rated", "poor_surveyed")
)
_SURVEYS = frozenset(("surveys", "judged", *VERDICTS))

Row = dict[str, Any]
Years = dict[int | None, dict[str, int]]


def extract(conn: Connection, of: Area) -> Extract:
    """The statistics of a present area and of all below it, read now and written later.

    Of areas outside the transaction's own what is hidden of their figures is hidden here, and all
    of their reviews by year. Raises UsageError, ForbiddenError as `geo.metrics.figures`.
    """
    own = scope.of(conn)
    figures = [
        (one, found, own.covers(one.province_code, one.commune_code))
        for one, found in _figures(conn, of)
    ]
    reviews = _reviews(conn, of)
    found_years = {year for found in reviews.values() for year in found}
    years = sorted(found_years, key=lambda one: one or 0)
    year = metrics.today().year

    def rows() -> Iterator[Row]:
        for one, found, is_own in figures:
            yield from _now(one, found, year)
            yield from _by_year(one, reviews.get(one.code, {}), years, is_own)

    return of_rows("statistics", COLUMNS, rows(), demo=any_demo(conn, of), kinds=KINDS)


def _figures(conn: Connection, of: Area) -> list[tuple[Area, metrics.Figures]]:
    """The area's figures, then those of the areas below it: provinces, then communes."""
    found = [(of, metrics.figures(conn, of))]
    below = areas.children(conn, of.code)
    by_code = {row["code"]: row for row in metrics.children_figures(conn, of)}
    found += [(one, by_code[one.code]) for one in below if one.code in by_code]
    if of.level == "country":
        by_commune = metrics.commune_figures(conn, of)
        communes = [one for province in below for one in areas.children(conn, province.code)]
        found += [(one, by_commune[one.code]) for one in communes if one.code in by_commune]
    return found


def _now(one: Area, found: metrics.Figures, year: int) -> Iterator[Row]:
    """What stands at present, under the present year; not what is told by the status's own year."""
    hidden = found["suppressed"]
    for key, metric in METRICS.items():
        if metric.kind == "time" or key in REVIEWED or key in SHARES:
            continue
        above = below = None
        if metric.kind == "ratio":
            above, below = found[str(metric.numerator)], found[str(metric.denominator)]
        yield _row(one, year, key, found[key], _unit(key), above, below, hidden)


def _by_year(
    one: Area, found: Mapping[int | None, Mapping[str, int]], years: list[int | None], own: bool
) -> Iterator[Row]:
    """What the reviews of each year said, of areas that are the transaction's own.

    Of statuses without a year nothing is said that compares two years.
    """
    for year in years:
        counts = found.get(year, dict.fromkeys(_COUNTED, 0))
        for key in RATED if year is UNDATED else REVIEWED:
            yield _row(
                one, year, key, counts[key] if own else None, "households", None, None, not own
            )
        for key, (upper, lower) in SHARES.items():
            if year is UNDATED and upper in CHANGED:
                continue
            above, below = (counts[upper], counts[lower]) if own else (None, None)
            share = above / below if above is not None and below else None
            yield _row(one, year, key, share, "share", above, below, not own)


def _row(
    one: Area,
    year: int | None,
    indicator: str,
    value: float | None,
    unit: str,
    numerator: float | None,
    denominator: float | None,
    suppressed: bool,
) -> Row:
    return {
        "area_code": one.code,
        "area_name": one.full_name,
        "level": one.level,
        "year": year,
        "indicator": indicator,
        "value": value,
        "unit": unit,
        "numerator": numerator,
        "denominator": denominator,
        "suppressed": suppressed,
    }


def _unit(key: str) -> str:
    metric = METRICS[key]
    if metric.kind != "count":
        return "share" if metric.kind == "ratio" else "VND"
    return "households" if key in _HOUSEHOLDS else "surveys" if key in _SURVEYS else "sites"


def _reviews(conn: Connection, of: Area) -> dict[str, Years]:
    """Counts of statuses by area code and year, of communes, provinces and the country."""
    table = household_status.c
    one = (table.province_code, table.commune_code, table.household_code)
    seen = (
        select(
            table.province_code,
            table.commune_code,
            table.year,
            table.status,
            func.lag(table.status).over(partition_by=one, order_by=table.year).label("before"),
            func.lag(table.year).over(partition_by=one, order_by=table.year).label("year_before"),
        )
        .where(areas.scope(of, household_status), scope.within(conn, household_status))
        .union_all(_undated(conn, of))
        .subquery()
    )
    both = seen.c.year_before == seen.c.year - 1
    poor, was_poor = seen.c.status == "poor", both & (seen.c.before == "poor")
    key = (seen.c.province_code, seen.c.commune_code, seen.c.year)
    counted = select(
        *key,
        func.count().label("rated"),
        func.count().filter(poor).label("poor"),
        func.count().filter(seen.c.status == "near_poor").label("near_poor"),
        func.count().filter(was_poor & ~poor).label("left_poverty"),
        func.count().filter(both & poor & (seen.c.before != "poor")).label("entered_poverty"),
        func.count().filter(was_poor).label("poor_before"),
    ).group_by(*key)
    found: dict[str, Years] = {}
    for row in conn.execute(counted).mappings():
        for code in (row["commune_code"], row["province_code"], areas.COUNTRY):
            total = found.setdefault(code, {}).setdefault(row["year"], dict.fromkeys(_COUNTED, 0))
            for name in _COUNTED:
                total[name] += row[name]
    return found


def _undated(conn: Connection, of: Area) -> Select:
    """The statuses of households that were given without a year, as rows of reviews."""
    table = household.c
    return select(
        table.province_code,
        table.commune_code,
        cast(null(), SmallInteger),
        table.status,
        cast(null(), Text),
        cast(null(), SmallInteger),
    ).where(
        areas.scope(of, household),
        scope.within(conn, household),
        ~table.removed,
        table.status.is_not(None),
        table.status_year.is_(None),
    )
