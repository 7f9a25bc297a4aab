"""Collections as they are described: what they hold, where, and by which properties to filter."""

from typing import Any

from api.ogc.answering import (
    GEOJSON,
    HTML,
    SCHEMA,
    Cell,
    Link,
    Page,
    Table,
    address,
    itself,
    link,
    said,
)
from api.ogc.conformance import CLASSES
from geo import geometry
from geo.layers import LAYERS
from geo.ogc.collections import COLLECTIONS, Collection, Property
from geo.ogc.systems import CRS84, SYSTEMS

ABOUT = "Households, surveys and rebuild sites of Viet Nam's poverty review, with their findings."
_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
_EXTENT = [geometry.WEST, geometry.SOUTH, geometry.EAST, geometry.NORTH]
_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "yes": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {"type": "string"}},
}


def schema(of: Property) -> dict[str, Any]:
    """A property as JSON Schema."""
    values = {"enum": list(of.values)} if of.values else {}
    return {**_SCHEMAS[of.kind], **values}


def landing() -> dict[str, Any]:
    """The first page: where all else is."""
    return {
        "title": "An Cư",
        "description": ABOUT,
        "links": [
            *itself(),
            *(link(rel, href, kind, title) for rel, href, kind, title in _doors()),
        ],
    }


def _doors() -> list[tuple[str, str, str, str]]:
    openapi = "application/vnd.oai.openapi+json;version=3.0"
    return [
        ("service-desc", address("api"), openapi, "API definition (OpenAPI 3.0)"),
        ("service-doc", address("api", f="html"), HTML, "API definition as a page"),
        ("conformance", address("conformance"), "application/json", "Conformance classes"),
        ("data", address("collections"), "application/json", "Collections"),
        (f"{_REL}tiling-schemes", address("tileMatrixSets"), "application/json", "Tile matrices"),
    ]


def landing_page() -> Page:
    """The same for people."""
    doors = [
        (said("Các lớp dữ liệu", "Collections"), address("collections")),
        (said("Định nghĩa API", "API definition"), address("api", f="html")),
        (said("Các phần chuẩn được đáp ứng", "Conformance"), address("conformance")),
        (said("Lưới ô bản đồ", "Tile matrix sets"), address("tileMatrixSets")),
    ]
    about = said(
        "Dữ liệu rà soát hộ nghèo và xoá nhà tạm theo chuẩn OGC API, cho QGIS và phần mềm khác.",
        "Records of the poverty review by the OGC API standards, for QGIS and other programmes.",
    )
    return Page("OGC API", about, [Table("", [[Cell(text, url)] for text, url in doors])])


def conformance() -> dict[str, Any]:
    """The classes that are kept."""
    return {"conformsTo": list(CLASSES)}


def conformance_page() -> Page:
    """The same for people."""
    title = said("Các phần chuẩn được đáp ứng", "Conformance")
    return Page(title, "", [Table("", [[Cell(one)] for one in CLASSES])], crumbs())


def collections() -> dict[str, Any]:
    """All collections."""
    return {
        "links": itself(),
        "crs": list(SYSTEMS),
        "collections": [collection(one, within=True) for one in COLLECTIONS.values()],
    }


def collections_page() -> Page:
    """The same for people."""
    rows = [
        [Cell(said(one.vi, one.en), address("collections", one.name)), Cell(one.name)]
        for one in COLLECTIONS.values()
    ]
    return Page(said("Các lớp dữ liệu", "Collections"), "", [Table("", rows)], crumbs())


def collection(of: Collection, within: bool = False) -> dict[str, Any]:
    """One collection; within: as a part of all of them, whose systems it has."""
    base = address("collections", of.name)
    own: list[Link] = [link("self", base, title=of.en)] if within else itself()
    temporal = {} if of.moment is None else {"temporal": {"interval": [[None, None]]}}
    return {
        "id": of.name,
        "title": f"{of.vi} / {of.en}",
        "description": of.about,
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [_EXTENT], "crs": CRS84.uri}, **temporal},
        "crs": ["#/crs"] if within else list(SYSTEMS),
        "storageCrs": CRS84.uri,
        "links": [
            *own,
            link("items", f"{base}/items", GEOJSON, of.en),
            link("items", f"{base}/items?f=html", HTML, of.en),
            link(f"{_REL}queryables", f"{base}/queryables", SCHEMA, "Properties to filter by"),
            *_tiles(of, base),
        ],
    }


def _tiles(of: Collection, base: str) -> list[Link]:
    if of.name not in LAYERS:
        return []
    return [link(f"{_REL}tilesets-vector", f"{base}/tiles", title="Vector tiles")]


def collection_page(of: Collection) -> Page:
    """One collection for people."""
    base = address("collections", of.name)
    doors = [
        [Cell(said("Bản ghi", "Features"), f"{base}/items")],
        [Cell(said("Thuộc tính để lọc", "Properties to filter by"), f"{base}/queryables")],
    ]
    if of.name in LAYERS:
        doors.append([Cell(said("Ô bản đồ véc-tơ", "Vector tiles"), f"{base}/tiles")])
    systems = Table(
        said("Hệ toạ độ", "Reference systems"),
        [[Cell(one.name), Cell(one.uri)] for one in SYSTEMS.values()],
    )
    return Page(said(of.vi, of.en), of.name, [Table("", doors), systems], crumbs("collections"))


def queryables(of: Collection) -> dict[str, Any]:
    """The properties to filter by, as JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address("collections", of.name, "queryables"),
        "type": "object",
        "title": of.en,
        "properties": {
            "geometry": {
                "title": "geometry",
                "format": of.geometry,
                "x-ogc-role": "primary-geometry",
            },
            **{
                one.name: {"title": one.name, **schema(one)}
                for one in of.properties.values()
                if one.kind != "list"
            },
        },
        "additionalProperties": False,
    }


def queryables_page(of: Collection) -> Page:
    """The same for people."""
    rows = [
        [Cell(one.name), Cell(str(_SCHEMAS[one.kind].get("format", _SCHEMAS[one.kind]["type"]))),
         Cell(", ".join(one.values))]
        for one in of.properties.values()
        if one.kind != "list"
    ]  # fmt: skip
    head = [said("Tên", "Name"), said("Kiểu", "Type"), said("Giá trị", "Values")]
    title = said("Thuộc tính để lọc", "Properties to filter by")
    return Page(f"{said(of.vi, of.en)}: {title}", "", [Table("", rows, head)], crumbs(of.name))


def crumbs(where: str = "") -> list[Cell]:
    """The way to a page: below all, below the collections, or below one of them."""
    found = [Cell("OGC API", address())]
    if where:
        found.append(Cell(said("Các lớp dữ liệu", "Collections"), address("collections")))
    if where in COLLECTIONS:
        one = COLLECTIONS[where]
        found.append(Cell(said(one.vi, one.en), address("collections", one.name)))
    return found
