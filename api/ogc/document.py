"""The OpenAPI 3.0 document of /ogc: every resource, with its parameters and answers."""

from http import HTTPStatus
from typing import Any

from api.ogc import asking
from api.ogc.answering import GEOJSON, HTML, JSON, OPENAPI, SCHEMA, Cell, Page, Table, address, said
from api.ogc.describing import ABOUT, crumbs, schema
from api.ogc.tilesets import QUAD
from api.tiles import MVT
from geo.layers import LAYERS
from geo.ogc import cql2
from geo.ogc.collections import COLLECTIONS, Collection
from geo.ogc.items import MAX_LIMIT
from geo.ogc.systems import CRS84, SYSTEMS

Part = dict[str, Any]

_TEXT: Part = {"type": "string"}
_SYSTEM: Part = {"type": "string", "enum": list(SYSTEMS), "default": CRS84.uri}


def _parameter(name: str, of: Part, about: str, **more: Any) -> Part:
    return {"name": name, "in": "query", "description": about, "schema": of, **more}


_NUMBERS: Part = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
_SHARED: dict[str, Part] = {
    "f": _parameter("f", {"type": "string", "enum": ["json", "html"]}, "Form of the answer."),
    "lang": _parameter("lang", {"type": "string", "enum": ["vi", "en"]}, "Language of pages."),
    "area": _parameter(
        "area", _TEXT, "Code of a present area that is yours; by default all that you may see."
    ),
    "bbox": _parameter(
        "bbox", _NUMBERS, "Lower corner, upper corner; six numbers with heights.",
        style="form", explode=False,
    ),
    "bbox-crs": _parameter("bbox-crs", _SYSTEM, "Reference system of bbox."),
    "crs": _parameter("crs", _SYSTEM, "Reference system of the answer."),
    "cursor": _parameter("cursor", _TEXT, "From the link next of the page before."),
    "datetime": _parameter(
        "datetime", _TEXT, "A moment (RFC 3339), a day of Viet Nam, or start/end; .. is open."
    ),
    "filter": _parameter("filter", {**_TEXT, "maxLength": 8000}, "A filter in CQL2."),
    "filter-crs": _parameter("filter-crs", _SYSTEM, "Reference system of the filter's shapes."),
    "filter-lang": _parameter(
        "filter-lang", {"type": "string", "enum": list(cql2.LANGUAGES)}, "Way it is written."
    ),
    "limit": _parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": asking.LIMIT},
        "Features on one page.",
    ),
}  # fmt: skip
_FEATURE = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": _TEXT,
        "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object"},
    },
}
_FEATURES = {
    "type": "object",
    "required": ["type", "features", "links", "timeStamp", "numberReturned"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": _FEATURE},
        "links": {"type": "array", "items": {"type": "object"}},
        "timeStamp": {"type": "string", "format": "date-time"},
        "numberReturned": {"type": "integer", "minimum": 0},
        "numberMatched": {"type": "integer", "minimum": 0},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {"title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
}


def document() -> Part:
    """The whole document."""
    parameters = {name.replace("-", "_"): one for name, one in _SHARED.items()}
    return {
        "openapi": "3.0.3",
        "info": {"title": "An Cư: OGC API", "version": "0.1.0", "description": ABOUT},
        "servers": [{"url": address()}],
        "security": [{"bearer": []}],
        "paths": _paths(),
        "components": {
            "parameters": parameters,
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def page() -> Page:
    """The same for people: what there is to ask."""
    rows = [[Cell(path), Cell(one["get"]["summary"])] for path, one in _paths().items()]
    title = said("Định nghĩa API", "API definition")
    return Page(title, address("api"), [Table("", rows)], crumbs())


def _paths() -> dict[str, Part]:
    paths = {
        "/": _get("Landing page", JSON, public=True),
        "/conformance": _get("Conformance classes", JSON, public=True),
        "/api": _get("This document", OPENAPI, public=True),
        "/tileMatrixSets": _get("Tile matrix sets", JSON, public=True),
        f"/tileMatrixSets/{QUAD}": _get("The tile matrix set of web maps", JSON, public=True),
        "/collections": _get("Collections", JSON),
    }
    for one in COLLECTIONS.values():
        paths |= _of_collection(one)
    return paths


def _of_collection(one: Collection) -> dict[str, Part]:
    base = f"/collections/{one.name}"
    # GDAL sends conditions on the properties that stand here, and drops the zone of a moment and
    # the time behind "2026-11-01 ". What does not stand here it compares itself, and rightly.
    own = [
        _parameter(name, schema(one.properties[name]), "Features with this value.")
        for name in cql2.queryable(one)
        if one.properties[name].kind not in cql2.TIMES
    ]
    shared = [_reference(name) for name in asking.MANY]
    feature = [_in_path("featureId", _TEXT), _reference("crs")]
    found = {
        base: _get(one.en, JSON),
        f"{base}/queryables": _get(f"{one.en}: properties to filter by", SCHEMA),
        f"{base}/items": _get(f"{one.en}: features", GEOJSON, [*shared, *own], _FEATURES),
        f"{base}/items/{{featureId}}": _get(f"{one.en}: one feature", GEOJSON, feature, _FEATURE),
    }
    if one.name in LAYERS:
        numbers = [_in_path(name, {"type": "integer", "minimum": 0}) for name in _TILE]
        at = "/".join(f"{{{name}}}" for name in _TILE)
        found |= {
            f"{base}/tiles": _get(f"{one.en}: tile sets", JSON),
            f"{base}/tiles/{QUAD}": _get(f"{one.en}: the tile set of web maps", JSON),
            f"{base}/tiles/{QUAD}/tilejson": _get(f"{one.en}: TileJSON", JSON),
            f"{base}/tiles/{QUAD}/{at}": _tile(one, numbers),
        }
    return found


_TILE = ("tileMatrix", "tileRow", "tileCol")


def _tile(one: Collection, numbers: list[Part]) -> Part:
    made = _get(f"{one.en}: one tile", MVT, [*numbers, _reference("area")])
    made["get"]["responses"]["200"]["content"] = {MVT: {"schema": {**_TEXT, "format": "binary"}}}
    made["get"]["parameters"] = [*numbers, _reference("area")]
    return made


def _get(
    summary: str,
    kind: str,
    parameters: list[Part] | None = None,
    of: Part | None = None,
    public: bool = False,
) -> Part:
    content = {kind: {"schema": of or {"type": "object"}}, HTML: {"schema": _TEXT}}
    operation: Part = {
        "summary": summary,
        "parameters": [*map(_reference, asking.EVERYWHERE), *(parameters or [])],
        "responses": {
            "200": {"description": "Found", "content": content},
            **{str(status): _problem(status) for status in (400, 401, 403, 404, 429, 503)},
        },
    }
    return {"get": {**operation, "security": []} if public else operation}


def _problem(status: int) -> Part:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if status in (400, 404):
        content[HTML] = {"schema": _TEXT}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _reference(name: str) -> Part:
    return {"$ref": f"#/components/parameters/{name.replace('-', '_')}"}


def _in_path(name: str, of: Part) -> Part:
    return {"name": name, "in": "path", "required": True, "schema": of}
