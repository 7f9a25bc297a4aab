"""GeoJSON (RFC 7946): one feature a row."""

from collections.abc import Iterable
from typing import Any, BinaryIO

import orjson

from geo.writing.extract import DEMO_NOTE, Advance, Cell, Extract, Row, unheard, value

_TELL_EVERY = 5_000


def write(extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard) -> int:
    """A FeatureCollection in EPSG:4326; a record without a point has geometry null."""
    head: dict[str, str] = {"type": "FeatureCollection", "name": extract.name}
    if extract.demo:
        head["note"] = DEMO_NOTE
    out.write(orjson.dumps(head)[:-1] + b',"features":[')
    names, count = extract.names, 0
    for cells in extract.cells():
        row = dict(zip(names, cells, strict=True))
        lon, lat = row.pop("lon"), row.pop("lat")
        out.write((b",\n" if count else b"\n") + orjson.dumps(_shape(lon, lat, row)))
        count += 1
        if count % _TELL_EVERY == 0:
            advance(count)
    out.write(b"\n]}\n")
    advance(count)
    return count


def feature(row: Row, columns: Iterable[str]) -> dict[str, Any]:
    """One GeoJSON feature; lon and lat become the geometry, the other columns properties."""
    properties = {name: value(row[name]) for name in columns if name not in ("lon", "lat")}
    return _shape(row["lon"], row["lat"], properties)


def _shape(lon: Cell, lat: Cell, properties: dict[str, Any]) -> dict[str, Any]:
    point = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "geometry": point, "properties": properties}
