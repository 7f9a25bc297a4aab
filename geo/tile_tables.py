"""The pyramid's tables: counts per commune and square of the grid, for tiles; see geo.pyramid."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, SmallInteger, Table, Text

from geo.tables import VERDICTS, metadata, one_of

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

tile_day = Table(
    "tile_day",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    # As in tile_square, at the one level that geo.day_squares names.
    Column("square", BigInteger, primary_key=True, autoincrement=False),
    # Blocks of 2^scale days: day >> scale, days counted from 1970-01-01 at UTC+7.
    Column("scale", SmallInteger, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    # Surveys by verdict, and those of them with a finding that is open and held against somebody.
    *(Column(verdict, Integer, nullable=False) for verdict in VERDICTS),
    *(Column(f"{verdict}_flagged", Integer, nullable=False) for verdict in VERDICTS),
    Column("lon_sum", Float, nullable=False),
    Column("lat_sum", Float, nullable=False),
    Index("tile_day_ix", "scale", "block", "square"),
    postgresql_with={"fillfactor": 80},
)

CHOICES = ("households", "sites", "survey_findings", "site_findings")
"""What is counted by all that filters choose by: records, and what is doubted about them."""

tile_choice = Table(
    "tile_choice",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    Column("layer", Text, primary_key=True),
    # As in tile_day: visits by their time, households and sites by when they were received.
    Column("scale", SmallInteger, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("square", BigInteger, primary_key=True, autoincrement=False),
    # What there is none of is ''. The class is the status or stage, the state that of the finding.
    Column("rule", Text, primary_key=True),
    Column("class", Text, primary_key=True),
    Column("verdict", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("records", Integer, nullable=False),
    # Records with any finding that is open and held against somebody, and findings that are.
    Column("flagged", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("lon_sum", Float, nullable=False),
    Column("lat_sum", Float, nullable=False),
    one_of("layer", CHOICES),
    Index("tile_choice_ix", "layer", "scale", "block", "square", "rule"),
    postgresql_with={"fillfactor": 80},
)
