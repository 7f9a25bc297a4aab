"""GeoPackage and FlatGeobuf, streamed through GDAL."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geo.errors import UnavailableError
from geo.writing.extract import DEMO_NOTE, SHAPE, Advance, Extract, unheard
from geo.writing.points import wkb

GEOMETRY = SHAPE


def write_gpkg(extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard) -> int:
    """A GeoPackage with one layer of points, or of polygons, in EPSG:4326."""
    note = {"layer_metadata": {"note": DEMO_NOTE}} if extract.demo else {}
    return _write(extract, out, advance, "gpkg", driver="GPKG", **note)


def write_fgb(extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard) -> int:
    """A FlatGeobuf without the index in space, which GDAL would make in memory."""
    options = {"SPATIAL_INDEX": "NO"}
    if extract.demo:
        options["DESCRIPTION"] = DEMO_NOTE
    return _write(extract, out, advance, "fgb", driver="FlatGeobuf", **options)


def _write(extract: Extract, out: BinaryIO, advance: Advance, ending: str, **options: Any) -> int:
    with tempfile.TemporaryDirectory(prefix="ancu-") as folder:
        path = Path(folder, f"{extract.name}.{ending}")
        if extract.shaped:
            options["geometry_type"] = "MultiPolygon"
        count = store(extract.name, path, schema_of(extract), lambda: _shaped(extract, advance),
                      **options)  # fmt: skip
        with path.open("rb") as made:
            shutil.copyfileobj(made, out)
    advance(count)
    return count


def schema_of(extract: Extract) -> pa.Schema:
    """The columns without lon and lat, and last the geometry as WKB."""
    kept = [field for field in extract.schema if field.name not in ("lon", "lat", GEOMETRY)]
    return pa.schema([*kept, pa.field(GEOMETRY, pa.binary())])


def shaped(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of an extract in the form of `schema_of`."""
    if GEOMETRY in batch.schema.names:
        return batch.select(schema.names)
    arrays = [batch[field.name] for field in schema if field.name != GEOMETRY]
    return pa.record_batch([*arrays, wkb(batch["lon"], batch["lat"])], schema=schema)


def _shaped(extract: Extract, advance: Advance) -> Iterator[pa.RecordBatch]:
    schema, count = schema_of(extract), 0
    for batch in extract.batches():
        yield shaped(batch, schema)
        count += len(batch)
        advance(count)


def store(
    layer: str,
    path: Path,
    schema: pa.Schema,
    batches: Callable[[], Iterator[pa.RecordBatch]],
    geometry_type: str = "Point",
    **options: Any,
) -> int:
    """Write batches in EPSG:4326 as a new file; the number of rows in it.

    Raises UnavailableError when the file does not hold them all, as on a full disk.
    """
    count = 0
    failed: list[Exception] = []

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal count
        try:
            for batch in batches():
                count += len(batch)
                yield batch
        except Exception as error:
            failed.append(error)
            raise

    try:
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, counted()),
            path,
            layer=layer,
            geometry_name=GEOMETRY,
            geometry_type=geometry_type,
            crs="EPSG:4326",
            **options,
        )
        held = pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"]
    except (DataSourceError, DataLayerError, RuntimeError, pa.ArrowException) as error:
        if failed:
            raise failed[0] from error
        raise UnavailableError(f"The file cannot be made: {error}. Is the disk full?") from error
    if held != count:
        raise UnavailableError(
            f"The file cannot be made: it holds {held} of {count} rows. Is the disk full?"
        )
    return count
