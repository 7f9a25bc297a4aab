"""Vector tiles of LAYERS."""

from datetime import datetime

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from api import answers, params
from api.context import begin
from api.errors import PROBLEMS
from api.params import Query, Stage, Status, Verdict, Word
from geo import areas, layers

blueprint = APIBlueprint(
    "tiles", __name__, url_prefix="/tiles", abp_tags=[Tag(name="tiles")], abp_responses=PROBLEMS
)

MVT = "application/vnd.mapbox-vector-tile"


class TilePath(BaseModel):
    layer: Word
    z: int
    x: int
    y: int


class TileQuery(Query):
    area: params.Area = areas.COUNTRY
    verdict: Verdict | None = None
    status: Status | None = None
    stage: Stage | None = None
    rule: Word | None = None
    since: datetime | None = Field(None, description="As in the layer's listing.")


@blueprint.get(
    "/<layer>/<int:z>/<int:x>/<int:y>.mvt",
    summary="One vector tile",
    responses={200: {"description": "A tile (MVT), maybe empty", "content": {MVT: {}}}},
)
def tile(path: TilePath, query: TileQuery) -> Response:
    """Records of a layer: counts per cell below zoom 10, single points from there on."""
    filters = query.model_dump(exclude={"area", "since"})
    with begin() as conn:
        body = layers.tile(
            conn,
            path.layer,
            path.z,
            path.x,
            path.y,
            areas.get(conn, query.area),
            since=params.moment(query.since),
            **filters,
        )
    return answers.tagged(body, MVT)
