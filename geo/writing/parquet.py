"""Parquet, and GeoParquet 1.1 where rows have a position."""

from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj

from geo.writing.extract import DEMO_NOTE, Advance, Extract, unheard
from geo.writing.points import wkb

_GROUP_ROWS = 50_000
_TYPES = {"time": pa.timestamp("s", "Asia/Ho_Chi_Minh"), "day": pa.date32()}


def write(extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard) -> int:
    """Row groups with zstd; times and days as such, the point as WKB in `geometry`, EPSG:4326."""
    fields = [
        pa.field(column.name, _TYPES.get(column.kind, field.type))
        for column, field in zip(extract.columns, extract.schema, strict=True)
        if not (extract.located and column.name in ("lon", "lat"))
    ]
    if extract.located:
        fields.append(pa.field("geometry", pa.binary()))
    schema = pa.schema(fields, metadata=_metadata(extract))
    count = 0
    group: list[pa.RecordBatch] = []
    with pq.ParquetWriter(pa.PythonFile(out, "w"), schema, compression="zstd") as writer:
        for batch in extract.batches():
            arrays = [batch[f.name].cast(f.type) for f in schema if f.name != "geometry"]
            if extract.located:
                lon, lat = batch["lon"], batch["lat"]
                arrays.append(wkb(lon, lat))
            group.append(pa.record_batch(arrays, schema=schema))
            count += len(batch)
            if sum(map(len, group)) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(group))
                group.clear()
            advance(count)
        if group:
            writer.write_table(pa.Table.from_batches(group))
    advance(count)
    return count


def _metadata(extract: Extract) -> dict[str, str]:
    """What stands in the file's schema: the box of all points needs a reading of its own."""
    found = {"note": DEMO_NOTE} if extract.demo else {}
    if not extract.located:
        return found
    box: list[np.ndarray] = []
    for batch in extract.batches():
        box = _grown(box, batch["lon"], batch["lat"])
    return found | {"geo": orjson.dumps(_geo(box)).decode()}


def _grown(box: list[np.ndarray], lon: pa.Array, lat: pa.Array) -> list[np.ndarray]:
    places = np.array([column.drop_null().to_numpy() for column in (lon, lat)])
    if not places.size:
        return box
    low, high = places.min(axis=1), places.max(axis=1)
    return [np.minimum(box[0], low), np.maximum(box[1], high)] if box else [low, high]


def _geo(box: list[np.ndarray]) -> dict[str, Any]:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "crs": pyproj.CRS.from_epsg(4326).to_json_dict(),
    }
    if box:
        column["bbox"] = [*box[0].tolist(), *box[1].tolist()]
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
