"""GeoJSON (RFC 7946): one feature a row."""

from collections.abc import Iterable
from typing import Any, BinaryIO

import orjson
import shapely

from geo.writing.extract import DEMO_NOTE, SHAPE, Advance, Cell, Extract, Row, unheard, value

_TELL_EVERY = 5_000
_DIGITS = 6


def write(extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard) -> int:
    """A FeatureCollection in EPSG:4326; a record without a place has geometry null."""
    head: dict[str, str] = {"type": "FeatureCollection", "name": extract.name}
    if extract.demo:
        head["note"] = DEMO_NOTE
    out.write(orjson.dumps(head)[:-1] + b',"features":[')
    names, count = extract.names, 0
    for cells in extract.cells():
        row = dict(zip(names, cells, strict=True))
        if extract.shaped:
            made = _feature(_polygon(row.pop(SHAPE)), row)
        else:
            made = _point(row.pop("lon"), row.pop("lat"), row)
        out.write((b",\n" if count else b"\n") + orjson.dumps(made))
        count += 1
        if count % _TELL_EVERY == 0:
            advance(count)
    out.write(b"\n]}\n")
    advance(count)
    return count


def feature(row: Row, columns: Iterable[str]) -> dict[str, Any]:
    """One GeoJSON feature; lon and lat become the geometry, the other columns properties."""
    properties = {name: value(row[name]) for name in columns if name not in ("lon", "lat")}
    return _point(row["lon"], row["lat"], properties)


def _point(lon: Cell, lat: Cell, properties: dict[str, Any]) -> dict[str, Any]:
    point = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return _feature(point, properties)


def _polygon(wkb: Cell) -> orjson.Fragment | None:
    """Well-known binary as GeoJSON, to 0.1 m: digits beyond are no knowledge and much to send."""
    if wkb is None:
        return None
    shape = shapely.transform(shapely.from_wkb(wkb), lambda places: places.round(_DIGITS))
    return orjson.Fragment(shapely.to_geojson(shape))


def _feature(geometry: object, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
