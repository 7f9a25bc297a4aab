"""What is exported of each kind of records: its columns, and their form in files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from geo import areas, findings, households, paging, scope, sites, surveys
from geo.areas import Area
from geo.tables import finding, household, site, survey
from geo.writing.extract import FORMULA, Column

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
_AUDIT = ("rules", "flagged")
_AREA = ("province_code", "commune_code")
_KINDS: tuple[tuple[type, str], ...] = (
    (Boolean, "flag"), (DateTime, "time"), (Date, "day"), (Float, "float"), (Integer, "int"),
)  # fmt: skip
_ADDED = {
    "lon": "float",
    "lat": "float",
    "rules": "text",
    "flagged": "flag",
    "severity": "int",
    "state": "text",
    "recorded_commune": "text",
    "located_commune": "text",
}
_ISO_TIME = 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'
# Above, the database writes floats with an exponent and nothing needs to be added.
_PLAIN_FLOAT = 1e15
# What most texts begin with, and no formula: the first of the questions is the only one for them.
_LETTERS: tuple[Any, Any] = (literal_column("65"), literal_column("65290"))
_DIGITS: tuple[Any, Any] = (literal_column("48"), literal_column("57"))

FEW = 10_000
"""Rows whose doubts are looked up one by one: so many lookups cost less than all doubts of a
province, and more rows than that less if all are read."""

Query = Callable[..., Select]


@dataclass(frozen=True)
class Kind:
    """One kind of records: the columns of its files, and the query of an area and filters.

    subject, key: by which the audit knows its records; '' where it has none.
    """

    columns: tuple[Column, ...]
    table: Table
    key: ColumnElement[Any]
    rows: Query
    subject: str = ""

    def counted(self, conn: Connection, area: Area, **filters: Any) -> Select:
        """How many rows there are, and whether some are demo data."""
        found = self.rows(area, **filters).where(scope.within(conn, self.table)).subquery()
        return select(func.count(), func.coalesce(func.bool_or(found.c.demo), False)).select_from(
            found
        )

    def joins(self, total: int, **filters: Any) -> bool:
        """Whether so many rows are joined with all doubts of their area.

        Else the doubts are looked up row by row; rows chosen by their doubts are as few as these.
        """
        by_doubts = self.rows is _findings or filters.get("rule") is not None
        return bool(self.subject) and total > FEW and not by_doubts

    def selected(
        self, conn: Connection, area: Area, *, joined: bool = False, **filters: Any
    ) -> Select:
        """The rows by identity, with what the audit doubts about them.

        joined: as `joins` tells; such a query is run without nested loops.
        """
        query = self.rows(area, **filters).where(scope.within(conn, self.table))
        if self.subject:
            if joined:
                doubts, same = _all_doubts(conn, self, area)
            else:
                doubts, same = _own_doubts(conn, self), true()
            query = query.add_columns(func.coalesce(doubts.c.flagged, False).label("flagged"))
            if "rules" not in query.selected_columns:
                query = query.add_columns(doubts.c.rules)
            query = query.join(doubts, same, isouter=True)
        return query.order_by(self.table.c.province_code, self.table.c.commune_code, self.key)


_RULES = func.string_agg(finding.c.rule, aggregate_order_by(literal(";"), finding.c.rule))
_FLAGGED = func.bool_or(~finding.c.blameless)


def _own_doubts(conn: Connection, kind: Kind) -> FromClause:
    """The open rules about one record, and whether one of them is held against somebody."""
    about = (
        scope.within(conn, finding),
        finding.c.province_code == kind.table.c.province_code,
        finding.c.commune_code == kind.table.c.commune_code,
        finding.c.subject == kind.subject,
        finding.c.subject_id == cast(kind.key, Text),
        finding.c.state == "open",
    )
    return (
        select(_RULES.label("rules"), _FLAGGED.label("flagged"))
        .where(*about)
        .correlate(kind.table)
        .lateral("doubts")
    )


def _all_doubts(conn: Connection, kind: Kind, area: Area) -> tuple[FromClause, ColumnElement[bool]]:
    """The same of all records of an area, and what joins them with theirs.

    Keys are compared in their own type, in whose order both sides come: they are merged, and the
    rows need not be sorted once more. Grouped by another type's order, only the communes could be
    merged, and within them every record would meet every doubt.
    """
    home = (finding.c.province_code, finding.c.commune_code)
    key = cast(finding.c.subject_id, kind.key.type)
    found = (
        select(
            *home,
            key.label("key"),
            _RULES.label("rules"),
            _FLAGGED.label("flagged"),
        )
        .where(
            scope.within(conn, finding),
            areas.scope(area, finding),
            finding.c.subject == kind.subject,
            finding.c.state == "open",
        )
        .group_by(*home, key)
        .subquery("doubts")
    )
    return found, and_(
        found.c.province_code == kind.table.c.province_code,
        found.c.commune_code == kind.table.c.commune_code,
        found.c.key == kind.key,
    )


def _households(area: Area, **filters: Any) -> Select:
    return _of(household, *households.conditions(area, **filters))


def _surveys(area: Area, **filters: Any) -> Select:
    return _of(survey, *surveys.conditions(area, **filters))


def _sites(area: Area, **filters: Any) -> Select:
    return _of(site, *sites.conditions(area, **filters))


def _findings(area: Area, **filters: Any) -> Select:
    found = findings.of_surveys(area, **filters).where(~survey.c.removed)
    return found.add_columns(survey.c.accuracy_m)


def _of(table: Table, *conditions: ColumnElement[bool]) -> Select:
    stored = [c for c in table.c if c.name not in ("geom", "cell")]
    return select(*stored, *paging.position(table)).where(*conditions)


def _columns(table: Table, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _ADDED.get(name) or _kind(table, name)) for name in names)


def _kind(table: Table, name: str) -> str:
    type_ = table.c[name].type
    return next((kind for known, kind in _KINDS if isinstance(type_, known)), "text")


def any_demo(conn: Connection, area: Area) -> bool:
    """Whether some households of an area are demo data."""
    seen = (scope.within(conn, household), household.c.demo, areas.scope(area, household))
    return conn.execute(select(household.c.demo).where(*seen).limit(1)).first() is not None


def plain(columns: tuple[Column, ...], query: Select) -> Select:
    """The query with each column, under its name, as the text that COPY writes of it."""
    rows = query.subquery()
    return select(
        *(_text(rows.c[column.name], column.kind).label(column.name) for column in columns)
    )


def for_csv(columns: tuple[Column, ...], query: Select) -> Select:
    """The same as `geo.writing.csv_files` writes it: nothing is taken for a formula."""
    rows = query.subquery()
    return select(
        *(_safe(_text(rows.c[column.name], column.kind), column.kind) for column in columns)
    )


def _text(column: ColumnElement[Any], kind: str) -> ColumnElement[Any]:
    if kind == "flag":
        return cast(column, Integer)
    if kind == "time":
        return func.to_char(column, _ISO_TIME)
    if isinstance(column.type, ARRAY):
        return func.array_to_string(column, ";", type_=Text)
    if kind != "text" or isinstance(column.type, Uuid):
        return column
    return cast(column, Text)


def _safe(column: ColumnElement[Any], kind: str) -> ColumnElement[Any]:
    if isinstance(column.type, Uuid):
        return column
    if kind == "text":
        first = func.ascii(column)
        formula = first.in_([literal_column(str(ord(sign))) for sign in FORMULA])
        return case(
            (or_(first.between(*_LETTERS), first.between(*_DIGITS)), column),
            (formula, literal("'") + column),
            else_=func.nullif(column, ""),
        )
    if kind == "float":
        short = (column == func.trunc(column)) & (func.abs(column) < _PLAIN_FLOAT)
        return case((short, cast(column, Text) + ".0"), else_=cast(column, Text))
    return column


RECORDS: dict[str, Kind] = {
    "households": Kind(
        _columns(
            household,
            "household_code",
            "head_name",
            "recorded_address",
            "village",
            *_AREA,
            "members",
            "ethnicity",
            "status",
            "status_year",
            "causes",
            *_PLACE,
            "attributes",
            "demo",
        ),
        household,
        household.c.household_code,
        _households,
    ),
    "surveys": Kind(
        _columns(
            survey,
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
            *_AREA,
            *_VERDICT,
            *_AUDIT,
            "attributes",
            "demo",
        ),
        survey,
        survey.c.survey_id,
        _surveys,
        "survey",
    ),
    "sites": Kind(
        _columns(
            site,
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
            *_AREA,
            *_VERDICT,
            *_AUDIT,
            "attributes",
            "demo",
        ),
        site,
        site.c.site_code,
        _sites,
        "site",
    ),
    "findings": Kind(
        _columns(
            survey,
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
            *_AREA,
            *_PLACE,
            "flagged",
            "demo",
        ),
        survey,
        survey.c.survey_id,
        _findings,
        "survey",
    ),
}
