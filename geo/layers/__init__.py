"""LAYERS: what maps show, as vector tiles (MVT)."""

from geo.layers.catalogue import LAYERS, MAX_ZOOM, tile
from geo.layers.edition import edition
from geo.layers.layer import Layer, StyleClass, Tile

__all__ = ["LAYERS", "MAX_ZOOM", "Layer", "StyleClass", "Tile", "edition", "tile"]
