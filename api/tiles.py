"""Vector tiles of LAYERS."""

import hashlib

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import access, packed, params
from api.access import asked, begin, needs, note, proved_within, query_text
from api.errors import PROBLEMS
from api.params import Moment, Query, Rule, Stage, State, Status, Verdict, Word
from geo import db, layers, metrics
from geo.areas import Area

blueprint = APIBlueprint(
    "tiles", __name__, url_prefix="/tiles", abp_tags=[Tag(name="tiles")], abp_responses=PROBLEMS
)

MVT = "application/vnd.mapbox-vector-tile"
SHELF = packed.Shelf(64 * 1024 * 1024)
LOGGED_AT = (4, 8)
"""The log names the tile of one of these zooms that holds what was asked for."""


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
    rule: Rule | None = None
    state: State | None = None
    severity: int | None = Field(None, ge=1, le=3)
    since: Moment | None = Field(None, description="As in the layer's listing.")
    until: Moment | None = Field(None, description="As in the layer's listing.")
    enumerator: Word | None = None


@blueprint.get(
    "/<layer>/<int:z>/<int:x>/<int:y>.mvt",
    summary="One vector tile",
    responses={200: {"description": "A tile (MVT), maybe empty", "content": {MVT: {}}}},
)
@needs("records.read")
@proved_within
def tile(path: TilePath, query: TileQuery) -> Response:
    """Records of a layer: counts per square, or single points where these are not too many."""
    z, x, y = path.z, path.x, path.y
    piece = logged_piece(path.layer, z, x, y)
    note(subject="tile", subject_id=piece, query=query_text())
    given = query.model_dump(exclude={"area"}, exclude_none=True)
    filters = {name: value for name, value in given.items() if value != ""}
    with begin() as conn:
        area = asked(conn, query.area)
        note(look=f"{piece} {area.code} {sorted(filters.items(), key=str)}")
        name = f"{path.layer}/{z}/{x}/{y}"
        tag = stamp(conn, area, name, filters)
        if request.if_none_match.contains_weak(tag):
            return packed.unchanged(tag)
        body = SHELF.get(tag, lambda: layers.tile(conn, path.layer, z, x, y, area, **filters))
    return packed.answer(body, MVT, lasting=False, tag=tag)


def stamp(conn: Connection, area: Area, name: str, filters: dict[str, object]) -> str:
    """What tells an answer from all others: what is asked, who may see what, how the data stand.

    It is read before the data: what changes between the two shows as a later stamp.
    """
    told = (
        layers.edition(),
        db.name(conn),
        metrics.revision(conn, area),
        area.code,
        name,
        sorted((key, str(value)) for key, value in filters.items()),
        access.seen(),
    )
    return hashlib.blake2b(repr(told).encode(), digest_size=15).hexdigest()


def logged_piece(layer: str, z: int, x: int, y: int) -> str:
    """The piece of the map that the log names for a tile: looks are many, pieces are few."""
    fitting = max((zoom for zoom in LOGGED_AT if zoom <= z), default=z)
    return f"{layer}/{fitting}/{x >> z - fitting}/{y >> z - fitting}"
