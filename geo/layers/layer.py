"""What a map layer is: its names, its classes with their colours, its filters, and who draws it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from geo.areas import Area
from geo.terms import Term

EXTENT = 4096
"""Units on a tile's side."""


class Tile(NamedTuple):
    """Zoom, column and row of a tile; OSM slippy map numbering."""

    z: int
    x: int
    y: int


@dataclass(frozen=True)
class StyleClass:
    """One value of a layer's class attribute: its names for the legend and its colour."""

    key: str
    vi: str
    en: str
    colour: str


Draw = Callable[[Connection, Tile, Area, Mapping[str, Any]], bytes]
"""(connection, tile, area, filters that were given) → the tile as MVT, b"" without features."""


@dataclass(frozen=True)
class Layer:
    """One map layer: features carry their class under `class_field`; filters beside the area."""

    name: str
    vi: str
    en: str
    class_field: str
    classes: tuple[StyleClass, ...]
    filters: tuple[str, ...]
    draw: Draw


def styled(terms: Mapping[str, Term], colours: Mapping[str, str]) -> tuple[StyleClass, ...]:
    """The classes of official terms, each with its colour."""
    return tuple(StyleClass(key, *names, colours[key]) for key, names in terms.items())
