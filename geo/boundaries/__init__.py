"""Boundaries of areas: loaded and dated (`loading`), read as they stand (`reading`, `display`)."""

from geo.boundaries.display import children_geojson, communes_geojson, outline_geojson, version
from geo.boundaries.drawing import draw
from geo.boundaries.files import LoadOptions
from geo.boundaries.loading import LoadReport, ensure, load, load_download, load_sketch
from geo.boundaries.reading import SourceNote, current_source, shapes, versions

__all__ = [
    "LoadOptions",
    "LoadReport",
    "SourceNote",
    "children_geojson",
    "communes_geojson",
    "current_source",
    "draw",
    "ensure",
    "load",
    "load_download",
    "load_sketch",
    "outline_geojson",
    "shapes",
    "version",
    "versions",
]
