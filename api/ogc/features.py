"""Features as answers: a page of them or one, as GeoJSON or for people."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from api.ogc import describing
from api.ogc.answering import (
    GEOJSON,
    HTML,
    JSON,
    Cell,
    Page,
    Table,
    address,
    answer,
    itself,
    link,
    said,
    written_base,
)
from geo import paging
from geo.ogc import items
from geo.ogc.collections import Collection
from geo.ogc.systems import System
from geo.paging import Record


def listed(of: Collection, found: paging.Page, system: System, matched: int | None) -> Response:
    """A page of features; matched: how many there are on all pages, None where nobody counted."""
    shapes = items.shapes(found.items, system)
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberReturned": len(found.items),
        "links": [
            *itself(GEOJSON),
            link("collection", address("collections", of.name), JSON, of.en),
        ],
        "features": [
            items.feature(of, row, shape) for row, shape in zip(found.items, shapes, strict=True)
        ],
    }
    following = ""
    if found.next_cursor:
        following = _following(found.next_cursor)
        body["links"].append(link("next", following, GEOJSON, "Next page"))
    if matched is not None:
        body["numberMatched"] = matched
    return _in(system, answer(body, _page(of, found.items, following), GEOJSON))


def _following(cursor: str) -> str:
    return f"{written_base()}?{urlencode({**request.args.to_dict(), 'cursor': cursor})}"


def single(of: Collection, row: Record, system: System) -> Response:
    """One feature."""
    (shape,) = items.shapes([row], system)
    feature = items.feature(of, row, shape)
    body = {
        **feature,
        "links": [
            *itself(GEOJSON),
            link("collection", address("collections", of.name), JSON, of.en),
        ],
    }
    rows = [[Cell(name), Cell(_text(found))] for name, found in feature["properties"].items()]
    page = Page(feature["id"], said(of.vi, of.en), [Table("", rows)], describing.crumbs(of.name))
    return _in(system, answer(body, page, GEOJSON))


def _page(of: Collection, rows: list[Record], next_url: str) -> Page:
    names = list(of.properties)
    shown = [[_first(of, row), *(Cell(_text(row[name])) for name in names)] for row in rows]
    about = said(f"{len(rows)} bản ghi trên trang này.", f"{len(rows)} features on this page.")
    return Page(
        said(of.vi, of.en),
        about,
        [Table("", shown, ["id", *names])],
        describing.crumbs(of.name),
        next_url,
    )


def _first(of: Collection, row: Record) -> Cell:
    name = of.feature_id(row)
    return Cell(name, address("collections", of.name, "items", name))


def _text(found: object) -> str:
    if isinstance(found, list):
        return ", ".join(map(str, found))
    if isinstance(found, datetime):
        return found.isoformat(timespec="seconds")
    return "" if found is None else str(found)


def _in(system: System, made: Response) -> Response:
    """Tell which system the coordinates are in."""
    if made.mimetype != HTML:
        made.headers["Content-Crs"] = f"<{system.uri}>"
    return made
