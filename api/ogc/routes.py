"""The resources below /ogc but for single tiles."""

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from api.access import asked, begin, caller, needs, note, public, query_text, signed_in
from api.ogc import asking, describing, document, features, tilesets
from api.ogc.answering import OPENAPI, SCHEMA, answer
from geo import areas
from geo.areas import Area
from geo.errors import NotFoundError
from geo.ogc import items
from geo.ogc.collections import Collection

blueprint = Blueprint("ogc", __name__, url_prefix="/ogc", template_folder="templates")


@blueprint.get("", strict_slashes=False)
@public
def landing() -> Response:
    """Where everything is."""
    asking.check()
    return answer(describing.landing(), describing.landing_page())


@blueprint.get("/conformance")
@public
def conformance() -> Response:
    """The classes of the standards that are kept."""
    asking.check()
    return answer(describing.conformance(), describing.conformance_page())


@blueprint.get("/api")
@public
def api() -> Response:
    """The OpenAPI document of all this."""
    asking.check()
    return answer(document.document(), document.page(), OPENAPI)


@blueprint.get("/tileMatrixSets")
@public
def matrix_sets() -> Response:
    """The grids that tiles are cut by."""
    asking.check()
    return tilesets.matrix_sets()


@blueprint.get(f"/tileMatrixSets/{tilesets.QUAD}")
@public
def matrix_set() -> Response:
    """The one grid."""
    asking.check()
    return tilesets.matrix_set()


@blueprint.get("/collections")
@signed_in
def collections() -> Response:
    """What there is."""
    asking.check()
    return answer(describing.collections(), describing.collections_page())


@blueprint.get("/collections/<name>")
@signed_in
def collection(name: str) -> Response:
    """One collection, as such."""
    asking.check()
    one = asking.collection(name)
    return answer(describing.collection(one), describing.collection_page(one))


@blueprint.get("/collections/<name>/queryables")
@signed_in
def queryables(name: str) -> Response:
    """What its features can be filtered by."""
    asking.check()
    one = asking.collection(name)
    return answer(describing.queryables(one), describing.queryables_page(one), SCHEMA)


@blueprint.get("/collections/<name>/tiles")
@signed_in
def tile_sets(name: str) -> Response:
    """The vector tiles of a collection."""
    asking.check()
    return tilesets.tilesets(asking.collection(name))


@blueprint.get(f"/collections/<name>/tiles/{tilesets.QUAD}")
@signed_in
def tile_set(name: str) -> Response:
    """The same in full."""
    asking.check()
    return tilesets.tileset(asking.collection(name))


@blueprint.get(f"/collections/<name>/tiles/{tilesets.QUAD}/tilejson")
@signed_in
def tilejson(name: str) -> Response:
    """The same as TileJSON."""
    asking.check()
    return tilesets.tilejson(asking.collection(name))


# Names and borders of areas are open to everybody who is signed in, as in /api/v1/areas.
@blueprint.get("/collections/areas/items")
@signed_in
def area_features() -> Response:
    """Present areas, or those at and below one."""
    return _features("areas")


@blueprint.get("/collections/areas/items/<feature_id>")
@signed_in
def area_feature(feature_id: str) -> Response:
    """One area."""
    return _feature("areas", feature_id)


@blueprint.get("/collections/<name>/items")
@needs("records.read")
def record_features(name: str) -> Response:
    """Records of an area, by default all that one may see."""
    return _features(name)


# A household's code may hold anything, also slashes.
@blueprint.get("/collections/<name>/items/<path:feature_id>", merge_slashes=False)
@needs("records.read")
def record_feature(name: str, feature_id: str) -> Response:
    """One record."""
    return _feature(name, feature_id)


def _features(name: str) -> Response:
    one = asking.collection(name)
    wanted, limit, system = asking.wanted(one), asking.limit(), asking.answered_in()
    cursor = request.args.get("cursor")
    note(subject=one.name, query=query_text())
    with begin() as conn:
        area = _area(conn, one)
        found = items.page(conn, one, area, wanted, limit, cursor)
        if found.next_cursor or cursor:
            matched = items.matched(conn, one, area, wanted)
        else:
            matched = len(found.items)
    note(rows=len(found.items))
    return features.listed(one, found, system, matched)


def _area(conn: Connection, one: Collection) -> Area | None:
    """The area that is asked for; None for all that who asks may see.

    That is the default, because map programmes cannot be told an area.
    """
    code = request.args.get("area")
    if code is None:
        return None
    return areas.get(conn, code) if one.moment is None else asked(conn, code)


def _feature(name: str, feature_id: str) -> Response:
    asking.check(asking.ONE)
    one, system = asking.collection(name), asking.answered_in()
    named = one.named_by(feature_id) or {}
    note(subject=one.subject, subject_id=named.get(one.id_names[-1], feature_id))
    with begin() as conn:
        try:
            found = items.one(conn, one, feature_id)
        except NotFoundError:
            caller().denied = True  # it may well exist elsewhere
            raise
    note(
        province_code=found["province_code"] or "",
        commune_code=found.get("commune_code", ""),
        rows=1,
    )
    return features.single(one, found, system)
