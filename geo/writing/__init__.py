"""WRITERS: an extract into a file of one format."""

from collections.abc import Callable
from typing import BinaryIO

from geo.writing import csv_files, geojson, kml, ogr, parquet, shapefiles, xlsx
from geo.writing.extract import Advance, Extract

Writer = Callable[[Extract, BinaryIO, bool, Advance], int]

WRITERS: dict[str, Writer] = {
    "csv": csv_files.write,
    "xlsx": xlsx.write,
    "geojson": geojson.write,
    "gpkg": ogr.write_gpkg,
    "shp": shapefiles.write,
    "fgb": ogr.write_fgb,
    "parquet": parquet.write,
    "kml": kml.write,
}
"""Format → writer(extract, out, for Excel, advance) → rows; it raises UnavailableError for a disk
that is full. "for Excel" marks CSV as UTF-8."""
TABLES = ("csv", "xlsx", "parquet")
"""Formats that need no position."""
STREAMED = ("csv", "geojson", "kml", "parquet")
"""Formats whose first bytes are final before the last row is read."""
ENDINGS = {"shp": "shp.zip"}
"""What names of files end with, where it is not the format."""
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "shp": "application/zip",
    "fgb": "application/vnd.flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "kml": "application/vnd.google-earth.kml+xml",
}


def format_of(name: str) -> str:
    """The format that a file's name ends with, '' for none; a zip holds a shapefile."""
    ending = name.lower().rpartition(".")[2] if "." in name else ""
    return "shp" if ending == "zip" else ending
