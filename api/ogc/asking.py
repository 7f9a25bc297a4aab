"""What a request for features asks: each parameter read, and unknown ones refused."""

from collections.abc import Collection as Names

from flask import request
from shapely.geometry.base import BaseGeometry

from geo.errors import NotFoundError, UsageError
from geo.ogc import cql2, items, literals, systems
from geo.ogc.collections import COLLECTIONS, Collection
from geo.ogc.items import MAX_LIMIT, Wanted
from geo.ogc.systems import System

LIMIT = 100
EVERYWHERE = ("f", "lang")
ONE = ("crs",)
MANY = (
    "area", "bbox", "bbox-crs", "crs", "cursor", "datetime", "filter", "filter-crs", "filter-lang",
    "limit",
)  # fmt: skip


def collection(name: str) -> Collection:
    """The collection of this name; raises NotFoundError."""
    try:
        return COLLECTIONS[name]
    except KeyError:
        raise NotFoundError(
            f"There is no collection {name[:40]!r}; there are: {', '.join(COLLECTIONS)}."
        ) from None


def check(allowed: Names[str] = ()) -> None:
    """Raise UsageError for a parameter that the resource has not, or one given twice."""
    for name, values in request.args.lists():
        if name not in EVERYWHERE and name not in allowed:
            known = ", ".join((*EVERYWHERE, *allowed))
            raise UsageError(f"There is no parameter {name[:40]!r} here; there are: {known}.")
        if len(values) > 1:
            raise UsageError(f"The parameter {name} is given twice.")


def wanted(of: Collection) -> Wanted:
    """The filters of a request; raises UsageError."""
    check((*MANY, *cql2.queryable(of)))
    box, when, text = (request.args.get(name) for name in ("bbox", "datetime", "filter"))
    language, of_box, of_shapes = _language(), _system("bbox-crs"), _system("filter-crs")
    return Wanted(
        box=None if box is None else _box(box, of_box),
        interval=None if when is None else literals.when(when),
        equal={n: v for n, v in request.args.items() if n in of.properties and n not in MANY},
        filter=None if text is None else cql2.read(text, language, of_shapes),
    )


def limit() -> int:
    """How many features the page may have; more than the greatest number means that.

    Raises UsageError.
    """
    text = request.args.get("limit", str(LIMIT))
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise UsageError(f"limit must be a whole number from 1 to {MAX_LIMIT}, not {text[:20]!r}.")
    return min(int(text), items.MAX_LIMIT)


def answered_in() -> System:
    """The reference system that the answer is wanted in; raises UsageError."""
    return _system("crs")


def _system(name: str) -> System:
    return systems.system(request.args.get(name))


def _language() -> str:
    chosen = request.args.get("filter-lang", cql2.LANGUAGES[0])
    if chosen not in cql2.LANGUAGES:
        known = ", ".join(cql2.LANGUAGES)
        raise UsageError(f"{chosen[:40]!r} is no filter-lang; there are: {known}.")
    return chosen


def _box(text: str, system: System) -> BaseGeometry:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError("bbox: must be numbers with commas between them.") from None
    return literals.box(numbers, system)
