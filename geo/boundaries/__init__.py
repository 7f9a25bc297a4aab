"""Boundaries of areas: loaded and dated (`loading`), and read as they stand (`reading`)."""

from geo.boundaries.files import LoadOptions
from geo.boundaries.loading import LoadReport, ensure, load, load_download, load_sketch
from geo.boundaries.reading import (
    SourceNote,
    current_source,
    display_geojson,
    outline_geojson,
    shapes,
    versions,
)

__all__ = [
    "LoadOptions",
    "LoadReport",
    "SourceNote",
    "current_source",
    "display_geojson",
    "ensure",
    "load",
    "load_download",
    "load_sketch",
    "outline_geojson",
    "shapes",
    "versions",
]
