"""What the API answers, for its OpenAPI document; derived from the tables and METRICS."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from geo import area_figures, findings, households, sites, surveys
from geo.areas import Area as GeoArea
from geo.metrics import METRICS
from geo.photos import storing
from geo.writing import MEDIA_TYPES


def _also(*formats: str) -> ConfigDict:
    """The configuration of an answer that comes as files of these formats, too."""
    files = {MEDIA_TYPES[name]: {"schema": _SCHEMAS.get(name, _BINARY)} for name in formats}
    return cast(ConfigDict, {"openapi_extra": {"content": files}})


_BINARY = {"type": "string", "format": "binary"}
_SCHEMAS = {"geojson": {"type": "object"}}
_TABLES = ("csv", "xlsx")


class AreaItem(BaseModel):
    """An administrative area, during the days when it was as described."""

    code: str
    level: str
    name: str
    full_name: str
    kind: str
    parent_code: str | None
    province_code: str | None
    valid_from: date | None
    valid_to: date | None = Field(description="None for an area of today.")


class AreaList(BaseModel):
    """Areas, best match first."""

    items: list[AreaItem]


class AreaDetail(AreaItem):
    """An area with those above and below it."""

    ancestors: list[AreaItem]
    children: list[AreaItem]
    successors: list[AreaItem] = Field(description="What a former area became.")


class Health(BaseModel):
    """Whether the service can work; `replica` only where there is one."""

    status: str
    replica: str | None = None


class FeatureCollection(BaseModel):
    """GeoJSON (RFC 7946), EPSG:4326."""

    model_config = _also("geojson")

    type: str
    features: list[dict[str, Any]]


class ChildrenFigures(BaseModel):
    """Code → name, `suppressed`, and the metrics that maps colour areas by; see docs/metrics.md.

    With `level` not `figures` but `rows`: code → values in the order of `columns`.
    """

    figures: dict[str, dict[str, Any]] | None = None
    columns: list[str] | None = None
    rows: dict[str, list[Any]] | None = None


class NationalId(BaseModel):
    """A personal ID in full."""

    national_id: str


def _python_type(column: Any) -> Any:
    if isinstance(column.type, JSONB):
        return dict[str, Any]
    if isinstance(column.type, ARRAY):
        return list[str]
    try:
        return column.type.python_type
    except NotImplementedError:
        return Any


def _record(name: str, doc: str, query: Select) -> type[BaseModel]:
    fields: dict[str, Any] = {
        column.name: (_python_type(column) | None, None)
        for column in query.selected_columns
        if column.name is not None
    }
    return create_model(name, __doc__=doc, **fields)


def _page(name: str, item: type[BaseModel]) -> type[BaseModel]:
    fields: dict[str, Any] = {"items": (list[item], ...), "next_cursor": (str | None, None)}  # type: ignore[valid-type]
    return create_model(
        name,
        __doc__="One page; next_cursor is null after the last.",
        __config__=_also(*MEDIA_TYPES),
        **fields,
    )


def _detail(name: str, item: type[BaseModel], lists: Iterable[str], **more: Any) -> type[BaseModel]:
    fields: dict[str, Any] = dict.fromkeys(lists, (list[dict[str, Any]], ...)) | more
    return create_model(name, __base__=item, __doc__=f"{item.__doc__} All that is known.", **fields)


_COUNTRY = GeoArea(0, "VN", "country", "", "", "", None, None, None, None)

Household = _record("Household", "A household.", households.select_households())
Survey = _record("Survey", "One visit and its verdict.", surveys.select_surveys())
Site = _record("Site", "A rebuild site.", sites.select_sites())
Photo = _record("Photo", "What is known of a photo.", storing.select_photos())
Finding = _record("Finding", "A survey that rules doubt.", findings.of_surveys(_COUNTRY))

_PHOTOS: Any = list[Photo]  # type: ignore[valid-type]
PhotoList = create_model("PhotoList", __doc__="Photos by stage.", items=(_PHOTOS, ...))
SentPhotos = create_model(
    "SentPhotos",
    __doc__="What became of the photos that were sent, and all that the survey or site has now.",
    added=(int, ...),
    unchanged=(int, ...),
    photos=(_PHOTOS, ...),
)
HouseholdPage = _page("HouseholdPage", Household)
SurveyPage = _page("SurveyPage", Survey)
SitePage = _page("SitePage", Site)
FindingPage = _page("FindingPage", Finding)
HouseholdDetail = _detail(
    "HouseholdDetail",
    Household,
    ("statuses", "surveys", "sites"),
    national_id_masked=(str | None, Field(description="The personal ID's last 3 digits.")),
)
SurveyDetail = _detail("SurveyDetail", Survey, ("findings", "history"))
SiteDetail = _detail("SiteDetail", Site, ("stages", "findings", "history"))

_TYPES: dict[str, Any] = {
    "time": datetime | None,
    "ratio": float | None,
    "count": int | None,
    "money": int | None,
}
_FIGURES: dict[str, Any] = {
    metric.key: (_TYPES[metric.kind], Field(description=f"{metric.en}. {metric.explanation}"))
    for metric in METRICS.values()
}
AreaFigures = create_model(
    "AreaFigures",
    __doc__="An area with all metrics; the code is '' for records without a resolved address.",
    code=(str, ...),
    full_name=(str, ...),
    level=(str, ...),
    suppressed=(
        bool,
        Field(description="Outside the caller's areas and too small to be told: all is null."),
    ),
    **_FIGURES,
)
ProgressAnswer = create_model(
    "ProgressAnswer",
    __config__=_also(*_TABLES, *area_figures.FORMATS),
    __doc__="An area's figures and its children's, which add up to them.",
    area=(AreaFigures, ...),
    children=(list[AreaFigures], ...),
)
RankedCommune = create_model(
    "RankedCommune",
    __base__=AreaFigures,
    rank=(int, ...),
    need=(float | None, ...),
    province_code=(str, ...),
)
IndicatorRow = create_model(
    "IndicatorRow",
    __doc__="An indicator of an area and year; null: a year not given, a value that is hidden.",
    area_code=(str, ...),
    area_name=(str, ...),
    level=(str, ...),
    year=(int | None, ...),
    indicator=(str, ...),
    value=(float | None, ...),
    unit=(str, ...),
    numerator=(float | None, ...),
    denominator=(float | None, ...),
    suppressed=(bool, ...),
)
Statistics = create_model(
    "Statistics",
    __config__=_also(*_TABLES, "parquet"),
    __doc__="Indicators of an area and of all below it, by year.",
    items=(list[IndicatorRow], ...),
)
Ranking = create_model(
    "Ranking",
    __config__=_also(*_TABLES),
    __doc__="Communes, those with the greatest need first.",
    items=(list[RankedCommune], ...),
)
