"""Vector tiles of LAYERS."""

from datetime import datetime

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from api import answers, params
from api.access import asked, begin, needs, note, query_text
from api.errors import PROBLEMS
from api.params import Query, Stage, Status, Verdict, Word
from geo import layers

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
    area: params.Area | None = Field(None, description=params.OWN_AREA)
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
@needs("records.read")
def tile(path: TilePath, query: TileQuery) -> Response:
    """Records of a layer: counts per cell below zoom 10, single points from there on."""
    filters = query.model_dump(exclude={"area", "since"})
    note(subject="tile", subject_id=f"{path.layer}/{path.z}/{path.x}/{path.y}", query=query_text())
    with begin() as conn:
        area = asked(conn, query.area)
        body = layers.tile(
            conn,
            path.layer,
            path.z,
            path.x,
            path.y,
            area,
            since=params.moment(query.since),
            **filters,
        )
    return answers.tagged(body, MVT)
