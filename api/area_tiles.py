"""Vector tiles of areas: borders and names, the same for everybody who is signed in."""

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from api import packed, params
from api.access import begin, signed_in
from api.errors import PROBLEMS
from api.params import Query, Word
from api.tiles import MVT
from geo import areas, boundaries, db, layers

blueprint = APIBlueprint(
    "area_tiles", __name__, url_prefix="/tiles/areas", abp_tags=[Tag(name="tiles")],
    abp_responses=PROBLEMS,
)  # fmt: skip

TILES = packed.Shelf(32 * 1024 * 1024)


class TilePath(BaseModel):
    z: int
    x: int
    y: int


class AreaTileQuery(Query):
    area: params.Area | None = Field(None, description="Only this present area and what is in it.")
    level: Literal["country", "province", "commune"] | None = Field(
        None, description="By default provinces below zoom 8, then communes."
    )
    v: Word | None = Field(
        None,
        description="Version of the boundaries: with the present one the answer may be kept.",
    )


@blueprint.get(
    "/<int:z>/<int:x>/<int:y>.mvt",
    summary="One vector tile of areas",
    responses={200: {"description": "A tile (MVT), maybe empty", "content": {MVT: {}}}},
)
@signed_in
def tile(path: TilePath, query: AreaTileQuery) -> Response:
    """Polygons in the layer `areas`, and in `area_labels` the name of each area once."""
    at = (path.z, path.x, path.y)
    with begin() as conn:
        area = areas.get(conn, query.area or areas.COUNTRY)
        version = boundaries.version(conn)
        key = (layers.edition(), db.name(conn), version, at, area.code, query.level)
        body = TILES.get(key, lambda: layers.tile(conn, "areas", *at, area, level=query.level))
    return packed.answer(body, MVT, lasting=query.v == version)
