"""Exports: kinds of records as files, through WRITERS.

Text from data that a spreadsheet would run as a formula is made safe in CSV and XLSX. Rows of
demo data carry demo = 1, and GeoJSON and XLSX say in words that there are any.
"""

from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, Float, Integer, Select, Table, select

from geo import areas, findings, households, metrics, scope, sites, surveys
from geo.areas import Area
from geo.errors import UsageError
from geo.tables import household, site, survey
from geo.writers import MEDIA_TYPES as MEDIA_TYPES
from geo.writers import WRITERS as WRITERS
from geo.writers import Extract, Row, whole

_BATCH = 5_000
_BY_COMMUNE = (survey.c.province_code, survey.c.commune_code)


def export(
    conn: Connection,
    kind: str,
    area: Area,
    format: str,
    out: BinaryIO | Path,
    *,
    bom: bool = False,
    **filters: Any,
) -> int:
    """Write the area's records of a kind; returns the number of rows.

    A path gets its file only when all of it is written. `bom` marks CSV as UTF-8 for Excel.
    `filters` are those of the kind's listing; None means not given.
    Raises UsageError for an unknown kind or format, or one that the kind does not have.
    """
    if format not in WRITERS:
        raise UsageError(f"{format!r} is no format; there are: {', '.join(WRITERS)}.")
    taken = extract(conn, kind, area, **filters)
    if format in ("geojson", "gpkg") and not taken.located:
        raise UsageError(f"{kind} has no positions of its own; choose csv or xlsx.")
    write = WRITERS[format]
    # Closed here, while the connection is open, also when the reader of `out` goes away.
    with closing(taken.rows) if isinstance(taken.rows, Generator) else nullcontext():
        if isinstance(out, Path):
            with whole(out) as file:
                return write(taken, file, bom)
        return write(taken, out, bom)


def extract(conn: Connection, kind: str, area: Area, **filters: Any) -> Extract:
    """The rows of a kind in an area, read as they are asked for; raises UsageError."""
    if kind == "progress":
        rows = progress_rows(conn, area)
        demo = _any_demo(conn, household, area)
        return Extract(kind, _PROGRESS, rows, False, demo, frozenset(metrics.METRICS))
    if kind not in _RECORDS:
        raise UsageError(f"{kind!r} cannot be exported; there are: {', '.join(KINDS)}.")
    columns, query, table = _RECORDS[kind]
    demo = _any_demo(conn, table, area)
    seen = query(area, **filters).where(scope.within(conn, table))
    return Extract(kind, columns, _stream(conn, seen), True, demo, _NUMBERS)


def progress_rows(conn: Connection, area: Area) -> list[Row]:
    """The area's children and, last, the area itself, with all METRICS."""
    own = {"code": area.code, "full_name": area.full_name, "level": area.level}
    return [*metrics.children_figures(conn, area), {**own, **metrics.figures(conn, area)}]


def _any_demo(conn: Connection, table: Table, area: Area) -> bool:
    seen = (scope.within(conn, table), areas.scope(area, table))
    found = conn.execute(select(table.c.demo).where(table.c.demo, *seen).limit(1))
    return found.first() is not None


def _stream(conn: Connection, query: Select) -> Generator[Row, None, None]:
    """Rows through a cursor on the server, so that memory does not grow with them."""
    with conn.execute(query, execution_options={"yield_per": _BATCH}) as result:
        for row in result.mappings():
            yield {str(key): value for key, value in row.items()}


def _households(area: Area, **filters: Any) -> Select:
    return (
        households.select_households()
        .where(*households.conditions(area, **filters))
        .order_by(household.c.province_code, household.c.commune_code, household.c.household_code)
    )


def _surveys(area: Area, **filters: Any) -> Select:
    return (
        surveys.select_surveys()
        .add_columns(survey.c.device_id, survey.c.altitude_m, survey.c.satellites, survey.c.photo)
        .add_columns(survey.c.recorded_address, survey.c.crs)
        .where(*surveys.conditions(area, **filters))
        .order_by(*_BY_COMMUNE, survey.c.survey_id)
    )


def _sites(area: Area, **filters: Any) -> Select:
    return (
        sites.select_sites()
        .add_columns(site.c.recorded_address)
        .where(*sites.conditions(area, **filters))
        .order_by(site.c.province_code, site.c.commune_code, site.c.site_code)
    )


def _findings(area: Area, **filters: Any) -> Select:
    return findings.of_surveys(area, **filters).order_by(*_BY_COMMUNE, survey.c.survey_id)


_VERDICT = (
    "verdict",
    "probability",
    "distance_m",
    "accuracy_used_m",
    "boundary_accuracy_m",
    "recorded_code",
    "located_code",
)
_PLACE = ("lon", "lat", "accuracy_m")
_RECORDS: dict[str, tuple[tuple[str, ...], Callable[..., Select], Any]] = {
    "households": (
        (
            "household_code",
            "head_name",
            "recorded_address",
            "village",
            "province_code",
            "commune_code",
            "members",
            "ethnicity",
            "status",
            "status_year",
            "causes",
            *_PLACE,
            "demo",
        ),
        _households,
        household,
    ),
    "surveys": (
        (
            "survey_id",
            "household_code",
            "surveyed_at",
            "enumerator",
            *_PLACE,
            "mock_location",
            "device_id",
            "recorded_address",
            "altitude_m",
            "satellites",
            "photo",
            "province_code",
            "commune_code",
            *_VERDICT,
            "demo",
        ),
        _surveys,
        survey,
    ),
    "sites": (
        (
            "site_code",
            "household_code",
            "kind",
            "stream",
            "eligible",
            "approved_on",
            "due_on",
            "stage",
            "stage_on",
            "cost_planned",
            "cost_paid",
            *_PLACE,
            "recorded_address",
            "province_code",
            "commune_code",
            *_VERDICT,
            "demo",
        ),
        _sites,
        site,
    ),
    "findings": (
        (
            "survey_id",
            "household_code",
            "verdict",
            "probability",
            "distance_m",
            "recorded_commune",
            "located_commune",
            "rules",
            "severity",
            "state",
            "demo",
        ),
        _findings,
        survey,
    ),
}
_PROGRESS = ("code", "full_name", "level", *metrics.METRICS)
KINDS = (*_RECORDS, "progress")
_NUMBERS = frozenset(
    column.name
    for table in (household, survey, site)
    for column in table.c
    if isinstance(column.type, Float | Integer)
) | {"demo", "mock_location", "eligible", "severity"}
