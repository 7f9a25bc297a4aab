"""Areas: look them up, and get their shapes for maps."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any, Literal

import orjson
from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import Connection

from api import answers, models, packed
from api.access import asked, begin, needs, note, query_text, signed_in
from api.errors import PROBLEMS
from api.params import AreaPath, Query, Word
from geo import areas, boundaries, commune_ratios, db, freshness, metrics
from geo.areas import Area

blueprint = APIBlueprint(
    "api_areas", __name__, url_prefix="/api/v1/areas", abp_tags=[Tag(name="areas")],
    abp_responses=PROBLEMS,
)  # fmt: skip

GEOJSON = "application/geo+json"
ZOOMS = {"country": 6, "province": 9, "commune": 11}
"""Zooms at which an area about fills a page."""
SHAPES = packed.Shelf(32 * 1024 * 1024)
FIGURES = packed.Shelf(8 * 1024 * 1024)
_RATIOS = [one for one in metrics.METRICS.values() if one.kind == "ratio"]
ON_MAPS = tuple(
    dict.fromkeys(str(key) for one in _RATIOS for key in (one.key, one.numerator, one.denominator))
)
"""Metrics that maps colour areas by, and those that they are made of."""
_BELOW = "commune: every commune in the area, however deep, in place of the area's children."


class AreaSearch(Query):
    q: Word | None = Field(None, description="Name or code; tone marks are not needed.")
    parent: Word | None = Field(None, description="Code whose present children are wanted.")
    limit: int = Field(20, ge=1, le=200)


class ShapeQuery(Query):
    z: int | None = Field(
        None, ge=0, le=22, description="Zoom that it is for; by default one fit for the level."
    )
    v: Word | None = Field(
        None,
        description="Version of the boundaries: with the present one the answer may be kept.",
    )


class BelowQuery(Query):
    level: Literal["commune"] | None = Field(None, description=_BELOW)


class ChildrenQuery(ShapeQuery, BelowQuery):
    pass


class AreaDay(Query):
    on: date | None = Field(None, description="The area as it was on this day; default today.")


@blueprint.get("", summary="Find areas", responses={200: models.AreaList})
@signed_in
def find(query: AreaSearch) -> Response:
    """Areas that match `q`, present before former; else the children of `parent` (VN)."""
    with begin() as conn:
        found = (
            areas.search(conn, query.q, query.limit)
            if query.q
            else areas.children(conn, areas.get(conn, query.parent or areas.COUNTRY).code)
        )
    return answers.json({"items": [_item(one) for one in found]})


@blueprint.get("/<code>", summary="One area", responses={200: models.AreaDetail})
@signed_in
def one(path: AreaPath, query: AreaDay) -> Response:
    """An area with the areas above and below it."""
    with begin() as conn:
        area = areas.get(conn, path.code, query.on)
        present = area.valid_to is None
        around = {
            "ancestors": areas.ancestors(conn, area.code) if present else [],
            "children": areas.children(conn, area.code) if present else [],
            "successors": [] if present else areas.successors(conn, area.area_id),
        }
    lists = {name: [_item(one) for one in found] for name, found in around.items()}
    return answers.json({**_item(area), **lists})


@blueprint.get(
    "/<code>/children.geojson",
    summary="Shapes of an area's children",
    responses={200: models.FeatureCollection},
)
@signed_in
def children_geojson(path: AreaPath, query: ChildrenQuery) -> Response:
    """Polygons for display at zoom `z`, with the code only; not for verdicts."""
    if query.level == "commune":
        return _shape(path.code, query, "communes", boundaries.communes_geojson)
    return _shape(path.code, query, "children", boundaries.children_geojson)


@blueprint.get(
    "/<code>/outline.geojson",
    summary="Shape of an area",
    responses={200: models.FeatureCollection},
)
@signed_in
def outline_geojson(path: AreaPath, query: ShapeQuery) -> Response:
    """The polygon of one area for display at zoom `z`; of a commune from 12 on that of verdicts."""
    return _shape(path.code, query, "outline", boundaries.outline_geojson)


@blueprint.get(
    "/<code>/children/figures.json",
    summary="Figures of an area's children",
    responses={200: models.ChildrenFigures},
)
@needs("figures.read")
def children_figures(path: AreaPath, query: BelowQuery) -> Response:
    """By code what maps colour areas by: ratios, and the counts that these divide.

    Of every commune (`level`) the ratios only, in rows as `columns` names them.
    """
    note(subject="figures", subject_id=path.code, query=query_text())
    with begin() as conn:
        area = asked(conn, path.code)
        # Before the figures: what changes in between is then told with the next request.
        key = repr((db.name(conn), area.code, query.level, freshness.figures(conn, area)))
        tag = hashlib.blake2b(key.encode(), digest_size=15).hexdigest()
        if request.if_none_match.contains_weak(tag):
            return packed.unchanged(tag)
        make = commune_ratios.table if query.level == "commune" else _children
        body = FIGURES.get(tag, lambda: orjson.dumps(make(conn, area)))
    return packed.answer(body, "application/json", lasting=False, tag=tag)


def _children(conn: Connection, area: Area) -> dict[str, Any]:
    rows = metrics.children_figures(conn, area)
    shown = ("suppressed", *ON_MAPS)
    figures = {
        row["code"]: {"name": row["full_name"], **{key: row[key] for key in shown}}
        for row in rows
        if row["code"]
    }
    return {"figures": figures}


def _shape(
    code: str, query: ShapeQuery, kind: str, make: Callable[[Connection, Area, int], bytes]
) -> Response:
    with begin() as conn:
        area = areas.get(conn, code)
        zoom = ZOOMS[area.level] if query.z is None else query.z
        version = boundaries.version(conn)
        key = (db.name(conn), version, kind, area.code, zoom)
        body = SHAPES.get(key, lambda: make(conn, area, zoom))
    return packed.answer(body, GEOJSON, lasting=query.v == version)


def _item(area: areas.Area) -> dict[str, Any]:
    return {name: value for name, value in asdict(area).items() if name != "area_id"}
