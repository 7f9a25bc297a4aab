"""Figures of areas, and which communes need help first."""

from typing import Any, Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field
from sqlalchemy import Connection

from api import answers, models, params
from api.access import asked, begin, needs, note, query_text
from api.errors import PROBLEMS
from api.params import AreaPath, FiguresFormat, Query, TableFormat
from geo import area_figures, indicators, metrics, targeting
from geo.areas import Area

blueprint = APIBlueprint(
    "api_progress", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="progress")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class ProgressQuery(Query):
    format: FiguresFormat = Field(
        "json", description="gpkg and geojson: the area and all below it, with their polygons."
    )


class StatisticsQuery(Query):
    area: params.Area | None = Field(None, description=params.OWN_AREA)
    format: Literal["json", "csv", "xlsx", "parquet"] = "json"


class TargetingQuery(Query):
    area: params.Area | None = Field(None, description=params.OWN_AREA)
    order: Literal["poverty_rate", "poor", "uncovered", "unsupported"] = "poverty_rate"
    limit: int | None = Field(None, ge=1, le=5000)
    format: TableFormat = "json"


@blueprint.get(
    "/progress/<code>", summary="Figures of an area", responses={200: models.ProgressAnswer}
)
@needs("figures.read")
def progress(path: AreaPath, query: ProgressQuery) -> Response:
    """All metrics of the area and of its children; as maps also of what is below these."""
    with begin() as conn:
        area = asked(conn, path.code)
        note(subject="figures", query=query_text())
        if query.format in area_figures.FORMATS:
            drawn = area_figures.extract(conn, area)
        elif query.format != "json":
            return answers.figures(conn, area, query.format)
        else:
            return answers.json(_with_children(conn, area))
    return answers.whole(drawn, f"areas-{area.code}", query.format)


def _with_children(conn: Connection, area: Area) -> dict[str, Any]:
    own = {"code": area.code, "full_name": area.full_name, "level": area.level}
    return {
        "area": own | metrics.figures(conn, area),
        "children": metrics.children_figures(conn, area),
    }


@blueprint.get(
    "/statistics", summary="Indicators by area and year", responses={200: models.Statistics}
)
@needs("figures.read")
def statistics(query: StatisticsQuery) -> Response:
    """A tidy table of the area and all below it: a row for each area, year and indicator."""
    with begin() as conn:
        area = asked(conn, query.area)
        note(subject="statistics", query=query_text())
        made = indicators.extract(conn, area)
    if query.format == "json":
        return answers.items(made)
    return answers.whole(made, f"statistics-{area.code}", query.format)


@blueprint.get("/targeting", summary="Communes by need", responses={200: models.Ranking})
@needs("figures.read")
def ranking(query: TargetingQuery) -> Response:
    """The area's communes, those with the greatest need first, with all metrics."""
    with begin() as conn:
        area = asked(conn, query.area)
        note(subject="figures", query=query_text())
        rows = targeting.ranking(conn, area, query.order)[: query.limit]
    if query.format == "json":
        return answers.json({"items": rows})
    first = ("rank", "code", "full_name", "province_code", "need")
    columns = (*first, *metrics.METRICS)
    return answers.table(f"targeting-{area.code}", query.format, columns, rows)
