"""The requests of the matrix below /ogc: pages of features, single ones, descriptions, tiles."""

from collections.abc import Callable, Iterable
from urllib.parse import quote

from tests.matrix_asking import Call, World
from tests.matrix_calls import tiles
from tests.matrix_world import Spot

Fill = Callable[[World, Spot], Iterable[Call]]

QUAD = "WebMercatorQuad"
COLLECTIONS = ("areas", "households", "surveys", "sites", "findings")
_FILTERS = {
    "households": {"status": "poor", "filter": "members > 1 AND casei(village) LIKE '%'"},
    "surveys": {"verdict": "inside", "datetime": "2020-01-01/.."},
    "sites": {"stage": "roof", "filter": "S_INTERSECTS(geometry, BBOX(100, 15, 110, 25))"},
    "findings": {"rule": "outside", "severity": "3"},
}


def described(*paths: str) -> Fill:
    """What says of each collection how it is asked, as both forms."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        for path in paths if spot.key == "V0" else ():
            for name in COLLECTIONS if "{name}" in path else ("",):
                yield Call(f"/ogc{path.format(name=name)}")
                yield Call(f"/ogc{path.format(name=name)}", query={"f": "html"})

    return calls


def tilesets(*paths: str) -> Fill:
    """The same of the collections that have tiles."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        if spot.key == "V0":
            for path in paths:
                yield Call(f"/ogc/collections/surveys/tiles{path}")
                yield Call(f"/ogc/collections/surveys/tiles{path}", query={"f": "html"})

    return calls


def feature_pages(_w: World, spot: Spot) -> Iterable[Call]:
    """Features of each collection of records in a spot, filtered, boxed, as pages, as one page."""
    area = {"area": spot.code}
    for name, filters in _FILTERS.items():
        path = f"/ogc/collections/{name}/items"
        yield Call(path, query=area)
        yield Call(path, query={**area, "f": "html", "limit": 2})
        yield Call(path, query={**area, **filters, "bbox": "100,15,110,25"})
        yield Call(path, query={**area, "limit": 1, "crs": _EPSG + "9213"})


_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def area_pages(_w: World, spot: Spot) -> Iterable[Call]:
    """Areas at and below a spot, and the spot's own."""
    yield Call("/ogc/collections/areas/items", query={"area": spot.code, "level": "commune"})
    yield Call("/ogc/collections/areas/items", query={"area": spot.code, "f": "html"})


def one_area(_w: World, spot: Spot) -> Iterable[Call]:
    yield Call(f"/ogc/collections/areas/items/{spot.code}", query={"crs": _EPSG + "4326"})


def single_features(_w: World, spot: Spot) -> Iterable[Call]:
    """One feature of each collection at a spot, and its twin, which no spot has."""
    home = f"{spot.record_province}.{spot.commune_code}."
    none = spot.mark("R")[:-1]
    other = "99" + spot.survey[2:]
    for name, here, there in (
        ("households", spot.household, f"{none}y-H1"),
        ("sites", spot.site, f"{none}y-N1"),
        ("surveys", spot.survey, other),
        ("findings", f"survey.outside.{spot.survey}", f"survey.outside.{other}"),
        ("findings", f"site.outside.{spot.site}", f"site.outside.{none}y-N1"),
    ):
        first, second = (
            Call(f"/ogc/collections/{name}/items/{quote(home + one)}", names=(home + one, one))
            for one in (here, there)
        )
        yield Call(first.path, names=first.names, twin=second)
        yield Call(first.path, query={"f": "html"}, names=first.names)


def feature_tiles(world: World, spot: Spot) -> Iterable[Call]:
    """The tiles of the matrix under their other address."""
    for call in tiles(world, spot):
        layer, z, x, y = call.path.removeprefix("/tiles/").removesuffix(".mvt").split("/")
        yield Call(f"/ogc/collections/{layer}/tiles/{QUAD}/{z}/{y}/{x}", query=call.query)
