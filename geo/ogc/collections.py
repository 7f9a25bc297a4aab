"""COLLECTIONS: kinds of features, their properties, and where their rows come from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    types,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from geo import areas, households, paging, scope, sites, surveys
from geo.areas import Area
from geo.boundaries.drawing import FINEST
from geo.shape_tables import area_shape
from geo.tables import (
    KINDS,
    LEVELS,
    STAGES,
    STATUSES,
    VERDICTS,
    area,
    boundary,
    finding,
    household,
    site,
    survey,
)

Conditions = list[ColumnElement[bool]]

PLACE = ("lon", "lat", "shape")
"""Columns that make the geometry and are no properties."""


@dataclass(frozen=True)
class Property:
    """What features have. kind: text, uuid, whole, number, yes, day, moment or list.

    values: all that there are, where they are few.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One query that gives features of a collection, with what narrows it.

    keys identify a row and order it. rows: the condition for what who asks may see, and for an
    area where one is named. near: the condition for a shape in degrees. at: the row's moment.
    """

    query: Select
    keys: tuple[ColumnElement, ...]
    rows: Callable[[Connection, Area | None], Conditions]
    near: Callable[[BaseGeometry], ColumnElement[bool]]
    at: ColumnElement | None = None

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The query's columns by the name that they have as properties."""
        return {
            column.name: getattr(column, "element", column)
            for column in self.query.selected_columns
            if column.name not in PLACE
        }


@dataclass(frozen=True)
class Collection:
    """A kind of features, called as the tables and tiles call it.

    id_names: the properties of which a feature's id is made, joined by dots; only the last may
    hold one itself. subject: what the access log calls one of them. moment: the property that
    `datetime` asks about. geometry: the format of the geometry in the list of queryables.
    """

    name: str
    vi: str
    en: str
    about: str
    subject: str
    id_names: tuple[str, ...]
    geometry: str
    moment: str | None
    sources: tuple[Source, ...]
    values: dict[str, tuple[str, ...]]

    @cached_property
    def properties(self) -> dict[str, Property]:
        """The properties by name."""
        return {
            name: Property(name, _kind(column.type), self.values.get(name, ()))
            for name, column in self.sources[0].columns.items()
        }

    def feature_id(self, row: dict[str, Any]) -> str:
        """The id of a row's feature."""
        return ".".join(str(row[name]) for name in self.id_names)

    def named_by(self, feature_id: str) -> dict[str, str] | None:
        """The properties that a feature's id is made of; None for what is no id."""
        parts = feature_id.split(".", len(self.id_names) - 1)
        if len(parts) != len(self.id_names):
            return None
        return dict(zip(self.id_names, parts, strict=True))


_KINDS: tuple[tuple[type, str], ...] = (
    (ARRAY, "list"),
    (UUID, "uuid"),
    (types.Boolean, "yes"),
    (Integer, "whole"),
    (Float, "number"),
    (types.DateTime, "moment"),
    (types.Date, "day"),
    (types.String, "text"),
)


def _kind(of: Any) -> str:
    return next(kind for known, kind in _KINDS if isinstance(of, known))


def _written(shape: BaseGeometry) -> ColumnElement:
    return func.ST_GeomFromWKB(shapely.to_wkb(shape), 4326)


def _point_near(table: Table) -> Callable[[BaseGeometry], ColumnElement[bool]]:
    """Points by ranges of cells: row-level security lets them use the index, ST_Intersects not."""

    def near(shape: BaseGeometry) -> ColumnElement[bool]:
        west, south, east, north = (float(edge) for edge in shapely.bounds(shape))
        inside = paging.within(table, (west, south, east, north))
        if shapely.equals(shape, shapely.envelope(shape)):
            return inside
        return and_(inside, func.ST_Intersects(table.c.geom, _written(shape)))

    return near


def _records(home: Table, *shown: ColumnElement[bool]) -> Callable[..., Conditions]:
    def rows(conn: Connection, of: Area | None) -> Conditions:
        asked = [] if of is None else [areas.scope(of, home)]
        return [scope.within(conn, home), *asked, *shown]

    return rows


def _of_table(query: Select, table: Table, own: str, at: str) -> Source:
    keys = (table.c.province_code, table.c.commune_code, table.c[own])
    rows = _records(table, ~table.c.removed)
    return Source(query, keys, rows, _point_near(table), table.c[at])


def _findings(subject: str, table: Table, own: ColumnElement) -> Source:
    """The findings about one table's records; `own` is their key."""
    as_text = cast(own, Text)
    about = [
        finding.c.province_code == table.c.province_code,
        finding.c.commune_code == table.c.commune_code,
        finding.c.subject == subject,
        finding.c.subject_id == as_text,
    ]
    if isinstance(own.type, UUID):
        # The same once more, so that the surveys of given findings are found by their index.
        as_uuid = case((finding.c.subject == subject, cast(finding.c.subject_id, UUID)))
        about.append(own == as_uuid)
    columns = ("province_code", "commune_code", "subject", "subject_id", "rule", "severity")
    query = select(
        *(finding.c[name] for name in (*columns, "state", "blameless", "found_at")),
        table.c.household_code,
        table.c.verdict,
        table.c.demo,
        *paging.position(table),
    ).join(table, and_(*about))
    names = ("province_code", "commune_code", "subject", "subject_id", "rule")
    keys = tuple(finding.c[name] for name in names)
    rows = _records(finding, finding.c.subject == subject, ~table.c.removed)
    return Source(query, keys, rows, _point_near(table), finding.c.found_at)


def _areas() -> Source:
    shown = and_(area_shape.c.area_id == area.c.area_id, area_shape.c.resolution == FINEST)
    current = and_(boundary.c.area_id == area.c.area_id, boundary.c.superseded_at.is_(None))
    names = ("code", "level", "name", "full_name", "kind", "parent_code", "province_code")
    query = select(
        *(area.c[name] for name in (*names, "valid_from")),
        boundary.c.area_km2,
        func.ST_AsBinary(area_shape.c.geom).label("shape"),
    ).select_from(area.outerjoin(boundary, current).outerjoin(area_shape, shown))

    def rows(_conn: Connection, of: Area | None) -> Conditions:
        present: Conditions = [area.c.valid_to.is_(None)]
        if of is not None and of.level == "province":
            present.append(or_(area.c.code == of.code, area.c.province_code == of.code))
        elif of is not None and of.level != "country":
            present.append(area.c.code == of.code)
        return present

    def near(shape: BaseGeometry) -> ColumnElement[bool]:
        return func.ST_Intersects(area_shape.c.geom, _written(shape))

    return Source(query, (area.c.code,), rows, near)


_HOME = ("province_code", "commune_code")

COLLECTIONS: dict[str, Collection] = {
    one.name: one
    for one in (
        Collection(
            "areas", "Đơn vị hành chính", "Administrative areas",
            "Present areas with simplified borders; for the eye, not for verdicts.",
            "area", ("code",), "geometry-multipolygon", None, (_areas(),), {"level": LEVELS},
        ),
        Collection(
            "households", "Hộ", "Households",
            "Households with their recorded address and poverty status.",
            "household", (*_HOME, "household_code"), "geometry-point", "received_at",
            (_of_table(households.select_households(), household, "household_code",
                       "received_at"),),
            {"status": STATUSES},
        ),
        Collection(
            "surveys", "Phiếu rà soát", "Surveys",
            "Visits, each with the verdict on its location.",
            "survey", (*_HOME, "survey_id"), "geometry-point", "surveyed_at",
            (_of_table(surveys.select_surveys(), survey, "survey_id", "surveyed_at"),),
            {"verdict": VERDICTS},
        ),
        Collection(
            "sites", "Nhà xây mới, sửa chữa", "Rebuild sites",
            "Houses being replaced or repaired, with their stage.",
            "site", (*_HOME, "site_code"), "geometry-point", "received_at",
            (_of_table(sites.select_sites(), site, "site_code", "received_at"),),
            {"verdict": VERDICTS, "stage": STAGES, "kind": KINDS},
        ),
        Collection(
            "findings", "Cảnh báo", "Findings",
            "What audit rules doubt: one feature for each rule and survey or site.",
            "finding", (*_HOME, "subject", "rule", "subject_id"), "geometry-point", "found_at",
            (
                _findings("survey", survey, survey.c.survey_id),
                _findings("site", site, site.c.site_code),
            ),
            {"verdict": VERDICTS, "subject": ("survey", "site")},
        ),
    )
}  # fmt: skip
