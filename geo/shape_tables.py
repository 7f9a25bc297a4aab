"""The table of areas as maps draw them, in several resolutions; see geo.boundaries.drawing."""

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table

from geo.tables import boundary, metadata

area_shape = Table(
    "area_shape",
    metadata,
    Column("area_id", ForeignKey("area.area_id"), primary_key=True),
    Column("resolution", SmallInteger, primary_key=True),
    Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
    # Where its name stands, and the cell of that place: the same in every resolution.
    Column("label", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("cell", BigInteger, nullable=False),
    Index("area_shape_geom_ix", "geom", postgresql_using="gist"),
    Index("area_shape_cell_ix", "resolution", "cell"),
)

# Tiles of large scales are cut from the boundaries themselves.
Index(
    "boundary_geom_ix",
    boundary.c.geom,
    postgresql_using="gist",
    postgresql_where=boundary.c.superseded_at.is_(None),
)
