"""Areas: look them up, and get their shapes for maps."""

from dataclasses import asdict
from datetime import date
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from api import answers, models
from api.access import begin, signed_in
from api.errors import PROBLEMS
from api.params import AreaPath, Query, Word
from geo import areas, boundaries

blueprint = APIBlueprint(
    "api_areas", __name__, url_prefix="/api/v1/areas", abp_tags=[Tag(name="areas")],
    abp_responses=PROBLEMS,
)  # fmt: skip

GEOJSON = "application/geo+json"


class AreaSearch(Query):
    q: Word | None = Field(None, description="Name or code; tone marks are not needed.")
    parent: Word | None = Field(None, description="Code whose present children are wanted.")
    limit: int = Field(20, ge=1, le=200)


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
def children_geojson(path: AreaPath) -> Response:
    """Simplified polygons for display, with the code only; not for verdicts."""
    with begin() as conn:
        return answers.tagged(boundaries.display_geojson(conn, path.code), GEOJSON)


@blueprint.get(
    "/<code>/outline.geojson",
    summary="Shape of an area",
    responses={200: models.FeatureCollection},
)
@signed_in
def outline_geojson(path: AreaPath) -> Response:
    """The simplified polygon of one area."""
    with begin() as conn:
        return answers.tagged(boundaries.outline_geojson(conn, path.code), GEOJSON)


def _item(area: areas.Area) -> dict[str, Any]:
    return {name: value for name, value in asdict(area).items() if name != "area_id"}
