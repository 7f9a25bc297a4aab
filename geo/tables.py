"""Every table. `geo/migrations` brings a database to this; a test holds the two together.

Tables that grow with households carry `province_code` in their keys, so that they can be
distributed by province, and `commune_code`: codes are unique within a commune, so that no refusal
tells whether a code exists elsewhere. Reference tables (area…, boundary…) do not.
"""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ck": "%(table_name)s_%(constraint_name)s_ck",
    }
)

LEVELS = ("country", "province", "district", "commune")
STATUSES = ("poor", "near_poor", "average", "none")
KINDS = ("new", "repair")
STAGES = (
    "proposed",
    "verified",
    "approved",
    "started",
    "foundation",
    "frame",
    "roof",
    "completed",
    "accepted",
    "handed_over",
)
VERDICTS = ("inside", "uncertain", "outside", "unlocated")

NO_PROVINCE = "00"
"""province_code of a row whose address names no province that the service knows."""

NO_COMMUNE = ""
"""commune_code of a row whose address leads to no single present commune."""


def _home() -> list[Column]:
    """The first columns of every record's key: the commune that it counts in."""
    return [
        Column("province_code", Text, primary_key=True),
        Column("commune_code", Text, primary_key=True, server_default=NO_COMMUNE),
    ]


def _belongs(to: str, key: str, ondelete: str | None = None) -> ForeignKeyConstraint:
    columns = ("province_code", "commune_code", key)
    return ForeignKeyConstraint(columns, [f"{to}.{name}" for name in columns], ondelete=ondelete)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """The constraint that a text column holds one of these values, or nothing."""
    return CheckConstraint(f"{column} IN {values}", name=column)


def _location() -> list[Column]:
    """Where a record says it is, as reported, EPSG:4326; and its cell (see geo.cells).

    The index is on the cell: unlike a GiST index's operators, comparisons of whole numbers are
    leakproof, so that it serves under row-level security too.
    """
    return [
        Column("geom", Geometry("POINT", srid=4326, spatial_index=False)),
        Column("accuracy_m", Float),
        Column("crs", Text, nullable=False, server_default="EPSG:4326"),
        Column("cell", BigInteger),
    ]


def _tiles(table: str, *shown: str, where: str = "NOT removed") -> Index:
    """The index on the cell, which holds all that tiles show: they need not read the rows."""
    return Index(
        f"{table}_cell_ix",
        "cell",
        postgresql_include=["province_code", "commune_code", *shown],
        postgresql_where=text(where),
    )


def _verdict() -> list[Column]:
    """The present verdict with the numbers it was reached with; metres, signed inside positive."""
    return [
        Column("verdict", Text, nullable=False, server_default="unlocated"),
        Column("probability", Float),
        Column("distance_m", Float),
        Column("accuracy_used_m", Float),
        Column("boundary_accuracy_m", Float),
        Column("recorded_code", Text),
        Column("located_code", Text),
        Column("boundary_version", Integer),
        Column("judged_at", DateTime(timezone=True)),
    ]


def _bookkeeping() -> list[Column]:
    return [
        Column("attributes", JSONB, nullable=False, server_default=text("'{}'")),
        Column("content_hash", Text, nullable=False),
        Column("demo", Boolean, nullable=False, server_default=text("false")),
        # Counted, but nobody's any more: see geo.persons.removing.
        Column("removed", Boolean, nullable=False, server_default=text("false")),
        Column("import_id", UUID(as_uuid=False)),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ]


area = Table(
    "area",
    metadata,
    Column("area_id", BigInteger, Identity(), primary_key=True),
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent_code", Text),
    Column("province_code", Text),
    Column("name_key", Text, nullable=False),
    Column("other_codes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("urban", Boolean),
    Column("lon", Float),
    Column("lat", Float),
    Column("area_km2", Float),
    UniqueConstraint("level", "code", "valid_from", postgresql_nulls_not_distinct=True),
    one_of("level", LEVELS),
    Index("area_present_ix", "code", unique=True, postgresql_where=text("valid_to IS NULL")),
    Index("area_parent_ix", "parent_code", "level"),
)

area_successor = Table(
    "area_successor",
    metadata,
    Column("old_area_id", ForeignKey("area.area_id"), primary_key=True),
    Column("new_area_id", ForeignKey("area.area_id"), primary_key=True),
    Index("area_successor_new_ix", "new_area_id"),
)

boundary_version = Table(
    "boundary_version",
    metadata,
    Column("version", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("licence", Text, nullable=False, server_default=""),
    Column("accuracy_m", Float, nullable=False),
    Column("sketch", Boolean, nullable=False, server_default=text("false")),
    Column("file_name", Text),
    Column("file_sha256", Text),
    Column("loaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("accuracy_m >= 0", name="accuracy"),
)

_CURRENT = text("superseded_at IS NULL")
boundary = Table(
    "boundary",
    metadata,
    Column("area_id", ForeignKey("area.area_id"), primary_key=True),
    Column("version", ForeignKey("boundary_version.version"), primary_key=True),
    Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
    Column("area_km2", Float, nullable=False),
    Column("repaired", Text),
    Column("superseded_at", DateTime(timezone=True)),
    Index("boundary_current_ix", "area_id", unique=True, postgresql_where=_CURRENT),
)

household = Table(
    "household",
    metadata,
    *_home(),
    Column("household_code", Text, primary_key=True),
    Column("candidates", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("placed_by", Text),
    Column("head_name", Text, nullable=False),
    Column("recorded_address", Text, nullable=False),
    Column("recorded_area_id", ForeignKey("area.area_id")),
    Column("address_confidence", Float),
    Column("national_id_sealed", LargeBinary),
    Column("national_id_print", LargeBinary),
    Column("national_id_end", Text),
    Column("village", Text),
    Column("members", SmallInteger),
    Column("ethnicity", Text),
    Column("status", Text),
    Column("status_year", SmallInteger),
    Column("causes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("search_key", Text, nullable=False),
    *_location(),
    *_bookkeeping(),
    one_of("status", STATUSES),
    CheckConstraint("members > 0", name="members"),
    Index("household_code_ix", "household_code"),
    _tiles("household", "household_code", "status", "received_at"),
    Index("household_national_id_ix", "national_id_print"),
    Index("household_demo_ix", "demo", postgresql_where=text("demo")),
)

household_status = Table(
    "household_status",
    metadata,
    *_home(),
    Column("household_code", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True),
    Column("status", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _belongs("household", "household_code", "CASCADE"),
    one_of("status", STATUSES),
)

survey = Table(
    "survey",
    metadata,
    *_home(),
    Column("survey_id", UUID(as_uuid=False), primary_key=True),
    Column("household_code", Text, nullable=False),
    Column("surveyed_at", DateTime(timezone=True), nullable=False),
    Column("enumerator", Text, nullable=False),
    Column("recorded_address", Text),
    Column("candidates", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("mock_location", Boolean),
    Column("device_id", Text),
    Column("altitude_m", Float),
    Column("satellites", SmallInteger),
    Column("photo", Text),
    Column("sent_at", DateTime(timezone=True)),
    # What the device sent (lon, lat, accuracy_m, crs), where an auditor corrected the point, or
    # where it is none in the country: geom is then NULL.
    Column("as_sent", JSONB),
    *_location(),
    *_verdict(),
    *_bookkeeping(),
    _belongs("household", "household_code"),
    one_of("verdict", VERDICTS),
    Index("survey_id_ix", "survey_id"),
    Index("survey_household_ix", "province_code", "commune_code", "household_code"),
    _tiles("survey", "survey_id", "verdict", "surveyed_at"),
    Index("survey_enumerator_ix", "enumerator", "surveyed_at"),
    # Also for tiles of a few days, and the order of the latest visits.
    Index(
        "survey_time_ix",
        *("surveyed_at", "survey_id", "commune_code"),
        postgresql_include=["province_code", "verdict", "cell"],
        postgresql_where=text("NOT removed"),
    ),
    Index("survey_demo_ix", "demo", postgresql_where=text("demo")),
    Index(
        "survey_audit_ix",
        "verdict",  # outside, uncertain, unlocated: the alphabet has them in the right order
        "distance_m",
        "survey_id",
        "commune_code",
        postgresql_where=text("verdict <> 'inside'"),
    ),
)

site = Table(
    "site",
    metadata,
    *_home(),
    Column("site_code", Text, primary_key=True),
    Column("household_code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stream", Text),
    Column("eligible", Boolean),
    Column("approved_on", Date),
    Column("due_on", Date),
    Column("stage", Text, nullable=False, server_default="proposed"),
    Column("stage_on", Date),
    Column("cost_planned", BigInteger),
    Column("cost_paid", BigInteger),
    Column("as_sent", JSONB),
    Column("recorded_address", Text),
    Column("candidates", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    *_location(),
    *_verdict(),
    *_bookkeeping(),
    _belongs("household", "household_code"),
    one_of("kind", KINDS),
    one_of("stage", STAGES),
    one_of("verdict", VERDICTS),
    CheckConstraint("cost_planned >= 0", name="cost_planned"),
    CheckConstraint("cost_paid >= 0", name="cost_paid"),
    Index("site_household_ix", "province_code", "commune_code", "household_code"),
    Index("site_code_ix", "site_code"),
    _tiles("site", "site_code", "stage", "verdict", "received_at"),
    Index("site_demo_ix", "demo", postgresql_where=text("demo")),
)

site_stage = Table(
    "site_stage",
    metadata,
    *_home(),
    Column("site_code", Text, primary_key=True),
    Column("reported_at", DateTime(timezone=True), primary_key=True, server_default=func.now()),
    Column("stage", Text, nullable=False),
    Column("stage_on", Date),
    # Where the report said that the house stands, EPSG:4326.
    Column("lon", Float),
    Column("lat", Float),
    Column("accuracy_m", Float),
    _belongs("site", "site_code", "CASCADE"),
    one_of("stage", STAGES),
)

verdict_history = Table(
    "verdict_history",
    metadata,
    *_home(),
    Column("subject", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("replaced_at", DateTime(timezone=True), primary_key=True, server_default=func.now()),
    # Why it was replaced: boundary, address, point, settings; '' where nobody noted it.
    Column("reason", Text, nullable=False, server_default=""),
    *_verdict(),
    one_of("subject", ("survey", "site")),
)

finding = Table(
    "finding",
    metadata,
    *_home(),
    Column("subject", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("severity", SmallInteger, nullable=False),
    Column("evidence", JSONB, nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False, server_default="open"),
    # What several findings share, such as one spot; findings of one group are one case.
    Column("group_key", Text),
    # Only a change of boundaries caused it: held against nobody.
    Column("blameless", Boolean, nullable=False, server_default=text("false")),
    Column("found_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Where its survey or site stands, kept by geo.pyramid.
    Column("cell", BigInteger),
    one_of("subject", ("survey", "site")),
    _tiles(
        "finding",
        *("subject", "subject_id", "rule", "severity", "state", "blameless"),
        where="cell IS NOT NULL",
    ),
)

import_job = Table(
    "import_job",
    metadata,
    Column("import_id", UUID(as_uuid=False), primary_key=True),
    # The sender, and his commune or province; '' for several and for the whole country.
    Column("account_id", BigInteger),
    Column("province_code", Text, nullable=False, server_default=""),
    Column("commune_code", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    Column("report", JSONB, nullable=False),
    Column("demo", Boolean, nullable=False, server_default=text("false")),
)

import_conflict = Table(
    "import_conflict",
    metadata,
    *_home(),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("row", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("import_id", UUID(as_uuid=False)),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("demo", Boolean, nullable=False, server_default=text("false")),
)
