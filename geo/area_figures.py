"""Areas with their figures: an area and all below it as polygons with METRICS, for maps."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from geo import areas, metrics
from geo.areas import Area
from geo.boundaries.display import drawn
from geo.boundaries.drawing import FINEST, LAST_ZOOMS
from geo.export_columns import any_demo
from geo.metrics import METRICS, Figures
from geo.writing.extract import SHAPE, Cell, Column, Extract, value

FORMATS = ("gpkg", "geojson")
_KINDS = {"count": "int", "money": "int", "ratio": "float", "time": "time"}
COLUMNS = (
    Column("code", "text"),
    Column("full_name", "text"),
    Column("level", "text"),
    Column("parent_code", "text"),
    *(Column(key, _KINDS[metric.kind]) for key, metric in METRICS.items()),
    Column("suppressed", "flag"),
    Column(SHAPE, "shape"),
)


def extract(conn: Connection, of: Area) -> Extract:
    """The area, then provinces and communes below it, read now and written later; EPSG:4326.

    Polygons are the finest that maps are drawn with: neighbours share their borders. An area
    without a boundary has none. Of areas outside the transaction's own what is hidden of their
    figures is hidden here. Raises UsageError, ForbiddenError as `geo.metrics.figures`.
    """
    found = list(_figures(conn, of))
    shapes = _shapes(conn, [one.area_id for one, _ in found])
    rows: list[list[Cell]] = []
    for one, figures in found:
        about = {
            "code": one.code,
            "full_name": one.full_name,
            "level": one.level,
            "parent_code": one.parent_code,
        }
        told = figures | about
        cells = [value(told[column.name]) for column in COLUMNS[:-1]]
        rows.append([*cells, shapes.get(one.area_id)])
    return Extract("areas", COLUMNS, lambda: rows, demo=any_demo(conn, of))


def _figures(conn: Connection, of: Area) -> Iterator[tuple[Area, Figures]]:
    """The larger first: what is drawn later lies over what was drawn before."""
    yield of, metrics.figures(conn, of)
    above, below = [of], list[Area]()
    while above:
        for one in above:
            figures = {row["code"]: row for row in metrics.children_figures(conn, one)}
            children = [child for child in areas.children(conn, one.code) if child.code in figures]
            yield from ((child, figures[child.code]) for child in children)
            below += [child for child in children if child.level != "commune"]
        above, below = below, []


def _shapes(conn: Connection, area_ids: list[int]) -> dict[int, bytes]:
    """By area its polygon as WKB."""
    shape = drawn(LAST_ZOOMS[FINEST])
    found = conn.execute(
        select(shape.c.area_id, func.ST_AsBinary(shape.c.geom)).where(shape.c.area_id.in_(area_ids))
    )
    return {area_id: bytes(geometry) for area_id, geometry in found}
