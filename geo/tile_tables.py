"""The pyramid's table: counts per commune and square of the grid, for tiles; see geo.pyramid."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, SmallInteger, Table, Text

from geo.tables import metadata, one_of

PYRAMID = ("surveys", "households", "sites", "findings")
"""The layers whose records are counted in squares."""

tile_square = Table(
    "tile_square",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    Column("layer", Text, primary_key=True),
    # The zoom at which the square is a tile, and its Morton code there: cell >> 2 * (31 - level).
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("square", BigInteger, primary_key=True, autoincrement=False),
    # The verdict, status ('' for none), stage or rule.
    Column("class", Text, primary_key=True),
    Column("records", Integer, nullable=False),
    # Those with a finding that is open and held against somebody.
    Column("flagged", Integer, nullable=False),
    # Degrees, each rounded to 2^-20: sums of these are exact in whatever order.
    Column("lon_sum", Float, nullable=False),
    Column("lat_sum", Float, nullable=False),
    one_of("layer", PYRAMID),
    Index("tile_square_ix", "layer", "level", "square"),
    # Most writes add to rows that are there: room for them on their own page.
    postgresql_with={"fillfactor": 80},
)
