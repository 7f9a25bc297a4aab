"""Tables of the audit: cases, decisions, revisits, samples, photos, known places, address fixes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from geo.tables import NO_COMMUNE, STAGES, metadata, one_of

SUBJECTS = ("survey", "site")
STATES = ("open", "confirmed", "explained", "repaired", "revisit")
DECISIONS = ("confirmed", "explained", "repaired", "revisit", "reopened")
SAMPLE_METHODS = ("random", "stratified", "weighted")
SAMPLE_OUTCOMES = ("match", "mismatch", "unreachable")
EXIF_STATES = ("present", "stripped", "none")


def _area() -> list[Column]:
    """Where a row belongs, as the scope of a transaction sees it; '' for all of the area above."""
    return [
        Column("province_code", Text, primary_key=True),
        Column("commune_code", Text, primary_key=True, server_default=NO_COMMUNE),
    ]


def _by(prefix: str) -> list[Column]:
    """Who did it and when; the name as it was then."""
    return [
        Column(f"{prefix}_by", BigInteger),
        Column(f"{prefix}_by_name", Text, nullable=False, server_default=""),
        Column(f"{prefix}_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ]


def _demo() -> Column:
    return Column("demo", Boolean, nullable=False, server_default=text("false"))


# What waits for the rules that look at many rows together; written with every change, only added
# to, so that writers never wait for each other.
audit_due = Table(
    "audit_due",
    metadata,
    Column("due_id", BigInteger, Identity(), primary_key=True),
    *_area(),
    Column("since", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# One row for each survey or site with findings: its place in the auditors' queue. Made by the
# audit from the findings; `parts` shows what the risk is made of.
audit_item = Table(
    "audit_item",
    metadata,
    *_area(),
    Column("subject", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("case_key", Text, nullable=False),
    Column("risk", Float, nullable=False),
    Column("parts", JSONB, nullable=False, server_default=text("'[]'")),
    Column("rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # Those of the rules whose findings are held against somebody.
    Column("counted", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False, server_default="open"),
    Column("household_code", Text, nullable=False),
    Column("enumerator", Text),
    Column("device_id", Text),
    Column("happened_at", DateTime(timezone=True)),
    Column("verdict", Text, nullable=False),
    Column("distance_m", Float),
    _demo(),
    one_of("subject", SUBJECTS),
    one_of("state", STATES),
    Index("audit_item_queue_ix", "state", "risk"),
    Index("audit_item_case_ix", "province_code", "case_key"),
    Index("audit_item_demo_ix", "demo", postgresql_where=text("demo")),
)

# Only ever added to: what was decided last counts, `reopened` takes all before it back.
audit_decision = Table(
    "audit_decision",
    metadata,
    *_area(),
    Column("decision_id", BigInteger, Identity(), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    # The findings, verdict and point as they were; for `repaired` the new point too.
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("batch", UUID(as_uuid=False)),
    *_by("decided"),
    _demo(),
    one_of("subject", SUBJECTS),
    one_of("decision", DECISIONS),
    Index("audit_decision_subject_ix", "province_code", "commune_code", "subject", "subject_id"),
)

# A visit that somebody asks for. It is made when a later survey of the household comes in.
revisit = Table(
    "revisit",
    metadata,
    *_area(),
    Column("revisit_id", BigInteger, Identity(), primary_key=True),
    Column("household_code", Text, nullable=False),
    Column("survey_id", UUID(as_uuid=False)),
    Column("enumerator", Text, nullable=False, server_default=""),
    Column("sample_id", BigInteger),
    Column("reason", Text, nullable=False, server_default=""),
    Column("due_on", Date),
    *_by("asked"),
    Column("withdrawn_by", BigInteger),
    Column("withdrawn_by_name", Text, nullable=False, server_default=""),
    Column("withdrawn_at", DateTime(timezone=True)),
    _demo(),
    Index("revisit_household_ix", "province_code", "commune_code", "household_code"),
)

audit_sample = Table(
    "audit_sample",
    metadata,
    *_area(),
    Column("sample_id", BigInteger, Identity(), primary_key=True),
    Column("area_code", Text, nullable=False),
    # Which draw of the area it is; with the seed and the time the database's own.
    Column("number", Integer, nullable=False),
    Column("method", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("at_least", Integer, nullable=False, server_default="0"),
    Column("seed", Text, nullable=False),
    Column("seed_basis", Text, nullable=False),
    Column("frame_size", Integer, nullable=False),
    Column("frame_sha256", Text, nullable=False),
    # What was drawn from, as geo.audit.sampling writes it, compressed (zlib).
    Column("frame", LargeBinary, nullable=False),
    Column("strata", JSONB, nullable=False, server_default=text("'{}'")),
    *_by("drawn"),
    _demo(),
    one_of("method", SAMPLE_METHODS),
    UniqueConstraint("province_code", "commune_code", "area_code", "number"),
)

audit_sample_item = Table(
    "audit_sample_item",
    metadata,
    *_area(),
    Column("sample_id", BigInteger, primary_key=True),
    Column("subject", Text, primary_key=True, server_default="survey"),
    Column("subject_id", Text, primary_key=True),
    Column("household_code", Text, nullable=False),
    Column("stratum", Text, nullable=False, server_default=""),
    Column("inclusion", Float, nullable=False),
    Column("outcome", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("checked_by", BigInteger),
    Column("checked_by_name", Text, nullable=False, server_default=""),
    Column("checked_at", DateTime(timezone=True)),
    _demo(),
    one_of("outcome", SAMPLE_OUTCOMES),
    CheckConstraint("inclusion > 0 AND inclusion <= 1", name="inclusion"),
    Index("audit_sample_item_sample_ix", "sample_id"),
)

known_place = Table(
    "known_place",
    metadata,
    *_area(),
    Column("place_id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("radius_m", Float, nullable=False, server_default="50"),
    Column("source", Text, nullable=False, server_default=""),
    _demo(),
    CheckConstraint("radius_m > 0", name="radius_m"),
)

# What is known of a photo; its file lies beside the database, under a name and a key that are made
# from photo_id (see geo.photos.files). One of a survey has no stage ('').
photo = Table(
    "photo",
    metadata,
    *_area(),
    Column("subject", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("stage", Text, primary_key=True, server_default=""),
    Column("sha256", Text, primary_key=True),
    Column("photo_id", UUID(as_uuid=False), nullable=False, server_default=func.gen_random_uuid()),
    Column("household_code", Text, nullable=False),
    Column("file_name", Text, nullable=False, server_default=""),
    Column("hash", BigInteger),
    Column("exif", Text, nullable=False),
    Column("lon", Float),
    Column("lat", Float),
    Column("taken_at", DateTime(timezone=True)),
    Column("camera", Text),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _demo(),
    one_of("subject", SUBJECTS),
    one_of("exif", EXIF_STATES),
    CheckConstraint(f"stage IN {('', *STAGES)}", name="stage"),
    Index("photo_household_ix", "province_code", "commune_code", "household_code"),
    Index("photo_id_ix", "photo_id"),
)

# What an address means, decided by a person for all that look alike; `key` see geo.address_fixes.
address_fix = Table(
    "address_fix",
    metadata,
    *_area(),
    Column("fix_id", BigInteger, Identity(), primary_key=True),
    Column("key", Text, nullable=False),
    Column("example", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("households", Integer, nullable=False, server_default="0"),
    *_by("fixed"),
    Column("undone_by", BigInteger),
    Column("undone_by_name", Text, nullable=False, server_default=""),
    Column("undone_at", DateTime(timezone=True)),
    Index("address_fix_key_ix", "key"),
)
