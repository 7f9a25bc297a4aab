"""Areas as maps draw them: GeoJSON fit for a zoom, and the version that it may be kept by."""

import json
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Subquery, and_, func, select

from geo.areas import COUNTRY, Area
from geo.boundaries.drawing import FINEST, LAST_ZOOMS, resolution
from geo.errors import NotFoundError
from geo.shape_tables import area_shape
from geo.tables import area, boundary, boundary_version

_DIGITS = (4, 4, 4, 5, 6)
"""By resolution, the boundaries themselves last: decimals of a degree; 4 are 11 m, 6 are 0.1 m."""


def version(conn: Connection) -> str:
    """What names the present shapes: another one as soon as any boundary is loaded.

    With the moment of the load, so that a database made anew never repeats an old name.
    """
    newest = select(boundary_version.c.version, boundary_version.c.loaded_at)
    found = conn.execute(newest.order_by(boundary_version.c.version.desc()).limit(1)).first()
    return "0" if found is None else f"{found.version}-{int(found.loaded_at.timestamp() * 1000):x}"


def drawn(zoom: int) -> Subquery:
    """Present areas (area_id, geom) as maps of a zoom draw them; EPSG:4326."""
    number = resolution(zoom)
    if number is None:
        return (
            select(boundary.c.area_id, boundary.c.geom)
            .where(boundary.c.superseded_at.is_(None))
            .subquery()
        )
    return (
        select(area_shape.c.area_id, area_shape.c.geom)
        .where(area_shape.c.resolution == number)
        .subquery()
    )


def children_geojson(conn: Connection, parent: Area, zoom: int) -> bytes:
    """FeatureCollection of an area's present children with `code`, fit for maps up to `zoom`.

    At most in the finest resolution that is drawn for maps: tiles have what is finer.
    """
    return _areas(conn, area.c.parent_code == parent.code, zoom)


def communes_geojson(conn: Connection, above: Area, zoom: int) -> bytes:
    """FeatureCollection of every present commune below an area, as `children_geojson` has it."""
    inside = area.c.level == "commune"
    if above.code != COUNTRY:
        inside = and_(inside, area.c.parent_code == above.code)
    return _areas(conn, inside, zoom)


def _areas(conn: Connection, wanted: ColumnElement[bool], zoom: int) -> bytes:
    zoom = min(zoom, LAST_ZOOMS[FINEST])
    shape = drawn(zoom)
    found = conn.execute(
        select(area.c.code, func.ST_AsGeoJSON(shape.c.geom, _digits(zoom)))
        .join(shape, shape.c.area_id == area.c.area_id)
        .where(wanted, area.c.valid_to.is_(None))
        .order_by(area.c.code)
    )
    return _collection(({"code": code}, geometry) for code, geometry in found)


def outline_geojson(conn: Connection, one: Area, zoom: int) -> bytes:
    """FeatureCollection of one area with `code`, `name` and `level`, fit for maps up to `zoom`.

    Of a commune from zoom 12 on the polygon of verdicts. Raises NotFoundError without a polygon.
    """
    if one.level != "commune":
        zoom = min(zoom, LAST_ZOOMS[FINEST])
    shape = drawn(zoom)
    geometry = conn.execute(
        select(func.ST_AsGeoJSON(shape.c.geom, _digits(zoom))).where(shape.c.area_id == one.area_id)
    ).scalar()
    if geometry is None:
        raise NotFoundError(f"No boundary is loaded for {one.full_name} ({one.code}).")
    return _collection([({"code": one.code, "name": one.full_name, "level": one.level}, geometry)])


def _digits(zoom: int) -> int:
    number = resolution(zoom)
    return _DIGITS[-1 if number is None else number]


def _collection(features: Iterable[tuple[dict[str, str], str]]) -> bytes:
    parts = (
        f'{{"type":"Feature","properties":{json.dumps(properties)},"geometry":{geometry}}}'
        for properties, geometry in features
    )
    return f'{{"type":"FeatureCollection","features":[{",".join(parts)}]}}'.encode()
