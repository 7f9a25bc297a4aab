"""OGC API – Tiles: the vector tiles of LAYERS described, and under the standard's addresses."""

from typing import Any

from flask import Response, request
from flask_openapi3 import APIBlueprint

from api import area_tiles, tiles
from api.access import needs
from api.ogc.answering import Cell, Link, Page, Table, address, answer, itself, link, said
from api.ogc.describing import crumbs
from geo import geometry
from geo.errors import NotFoundError
from geo.layers import LAYERS, MAX_ZOOM
from geo.ogc.collections import Collection
from geo.ogc.systems import CRS84

QUAD = "WebMercatorQuad"
MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{QUAD}"
_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_HALF_M = 20037508.342789244
_TILE_PIXELS = 256
_PIXEL_M = 0.00028
"""A pixel's size by which scales are told."""
_BOUNDS = [geometry.WEST, geometry.SOUTH, geometry.EAST, geometry.NORTH]

blueprint = APIBlueprint("ogc_tiles", __name__, url_prefix="/ogc/collections", doc_ui=False)


@blueprint.get(f"/<layer>/tiles/{QUAD}/<int:z>/<int:y>/<int:x>")
@needs("records.read")
def tile(path: tiles.TilePath, query: tiles.TileQuery) -> Response:
    """The tile that /tiles gives, with row before column as the standard has it."""
    if path.layer == "areas":
        # Borders are everybody's, and kept by their own version.
        return area_tiles.tile(path, area_tiles.AreaTileQuery(area=query.area))
    return tiles.tile(path, query)


def known(of: Collection) -> None:
    """Raise NotFoundError for a collection without tiles."""
    if of.name not in LAYERS:
        raise NotFoundError(f"There are no tiles of {of.name}; there are: {', '.join(LAYERS)}.")


def matrix_sets() -> Response:
    """The list of tile matrix sets: one."""
    links = [link("self", address("tileMatrixSets", QUAD), title=QUAD)]
    one = {"id": QUAD, "title": "Google Maps Compatible for the World", "uri": _URI, "links": links}
    body = {"links": itself(), "tileMatrixSets": [{**one, "crs": MERCATOR}]}
    rows = [[Cell(QUAD, address("tileMatrixSets", QUAD))]]
    title = said("Lưới ô bản đồ", "Tile matrix sets")
    return answer(body, Page(title, "", [Table("", rows)], crumbs()))


def matrix_set() -> Response:
    """WebMercatorQuad: the grid that maps on the web have, down to the last zoom."""
    matrices = [_matrix(zoom) for zoom in range(MAX_ZOOM + 1)]
    body = {
        "id": QUAD,
        "title": "Google Maps Compatible for the World",
        "uri": _URI,
        "crs": MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    }
    rows = [
        [Cell(str(one[name])) for name in ("id", "cellSize", "matrixWidth")] for one in matrices
    ]
    head = [said("Mức thu phóng", "Zoom"), said("Mét mỗi điểm", "Metres a pixel"), "n × n"]
    return answer(body, Page(QUAD, "", [Table("", rows, head)], crumbs()))


def _matrix(zoom: int) -> dict[str, Any]:
    size = 2 * _HALF_M / _TILE_PIXELS / 2**zoom
    return {
        "id": str(zoom),
        "scaleDenominator": size / _PIXEL_M,
        "cellSize": size,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-_HALF_M, _HALF_M],
        "tileWidth": _TILE_PIXELS,
        "tileHeight": _TILE_PIXELS,
        "matrixWidth": 2**zoom,
        "matrixHeight": 2**zoom,
    }


def tilesets(of: Collection) -> Response:
    """The list of a collection's tile sets: one."""
    known(of)
    links = [link("self", address("collections", of.name, "tiles", QUAD)), *_links(of)]
    body = {"links": itself(), "tilesets": [{**_tileset(of), "links": links}]}
    rows = [[Cell(QUAD, address("collections", of.name, "tiles", QUAD))]]
    return answer(body, Page(_title(of), "", [Table("", rows)], crumbs(of.name)))


def tileset(of: Collection) -> Response:
    """One tile set: where its tiles are, what is in them, from which zoom to which."""
    known(of)
    body = {
        **_tileset(of),
        "layers": _layers(of),
        "boundingBox": {"lowerLeft": _BOUNDS[:2], "upperRight": _BOUNDS[2:], "crs": CRS84.uri},
        "links": [*itself(), *_links(of), _tilejson(of)],
    }
    rows = [[Cell(_template(of))], [Cell("TileJSON", _tilejson(of)["href"])]]
    return answer(body, Page(_title(of), QUAD, [Table("", rows)], crumbs(of.name)))


def tilejson(of: Collection) -> Response:
    """The same as TileJSON 3.0, which many map programmes read."""
    known(of)
    body = {
        "tilejson": "3.0.0",
        "name": of.en,
        "tiles": [_template(of, "{z}", "{x}", "{y}")],
        "vector_layers": [{"id": one["id"], "fields": _fields(one["id"])} for one in _layers(of)],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": _BOUNDS,
    }
    return answer(body, Page(_title(of), "TileJSON", [], crumbs(of.name)))


def _tileset(of: Collection) -> dict[str, Any]:
    return {
        "title": _title(of),
        "dataType": "vector",
        "crs": MERCATOR,
        "tileMatrixSetURI": _URI,
    }


def _layers(of: Collection) -> list[dict[str, Any]]:
    """What a tile holds: points, or the areas' polygons and their names."""
    point = {"dataType": "vector", "geometryDimension": 0}
    if of.geometry == "geometry-point":
        return [{"id": of.name, "title": of.en, **point}]
    polygons = {"id": of.name, "title": of.en, "dataType": "vector", "geometryDimension": 2}
    return [polygons, {"id": "area_labels", "title": "Names of areas", **point}]


def _fields(layer: str) -> dict[str, str]:
    """The attributes that features of a layer of tiles may have, with their types."""
    if layer not in LAYERS or layer == "areas":
        return _OF_AREAS[layer]
    kind = LAYERS[layer]
    return {
        "id": "String",
        kind.class_field: "Number" if kind.class_field == "severity" else "String",
        **dict.fromkeys(_TOLD[layer], "String"),
        **dict.fromkeys(("flagged", "count", *(one.key for one in kind.classes)), "Number"),
    }


_HOME = ("province_code", "commune_code")
_TOLD = {
    "surveys": ("commune_code",),
    "households": _HOME,
    "sites": _HOME,
    "findings": (*_HOME, "rule", "state", "subject"),
}
_OF_AREAS = {
    "areas": {"code": "String", "level": "String"},
    "area_labels": {"code": "String", "level": "String", "name": "String"},
}


def _links(of: Collection) -> list[Link]:
    template = link("item", _template(of), tiles.MVT, "One tile", templated=True)
    return [link(_SCHEME, address("tileMatrixSets", QUAD), title=QUAD), template]


def _tilejson(of: Collection) -> Link:
    href = address("collections", of.name, "tiles", QUAD, "tilejson")
    return link("describedby", href, title="TileJSON")


def _template(
    of: Collection, zoom: str = "{tileMatrix}", x: str = "{tileCol}", y: str = "{tileRow}"
) -> str:
    return f"{request.url_root}tiles/{of.name}/{zoom}/{x}/{y}.mvt"


def _title(of: Collection) -> str:
    return f"{said(of.vi, of.en)}: {said('ô bản đồ véc-tơ', 'vector tiles')}"
