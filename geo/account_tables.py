"""Tables of accounts, groups, sessions, tokens and the access log; the rest is in geo.tables.

What belongs to an area carries province_code and commune_code: '' for a whole province, both ''
for the country. Row-level security goes by them (see geo/migrations and docs/accounts.md).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from geo.tables import metadata


def _area() -> list[Column]:
    return [
        Column("province_code", Text, nullable=False, server_default=""),
        Column("commune_code", Text, nullable=False, server_default=""),
    ]


def _time(name: str) -> Column:
    return Column(name, DateTime(timezone=True))


def _made(name: str = "created_at") -> Column:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


account = Table(
    "account",
    metadata,
    Column("account_id", BigInteger, Identity(), primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("full_name", Text, nullable=False),
    Column("position", Text, nullable=False, server_default=""),
    *_area(),
    Column("password_hash", Text),
    Column("must_change_password", Boolean, nullable=False, server_default=text("true")),
    Column("totp_sealed", LargeBinary),
    _time("totp_confirmed_at"),
    Column("totp_last_step", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    _time("locked_until"),
    _time("disabled_at"),
    _time("last_login_at"),
    _time("last_seen_at"),
    Column("created_by", ForeignKey("account.account_id")),
    _made(),
    CheckConstraint("login <> '' AND login = lower(login)", name="login"),
    Index("account_area_ix", "province_code", "commune_code"),
)

account_role = Table(
    "account_role",
    metadata,
    Column("account_id", ForeignKey("account.account_id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("area_code", Text, primary_key=True),
    *_area(),
    Column("granted_by", ForeignKey("account.account_id")),
    _made("granted_at"),
    Index("account_role_area_ix", "province_code", "commune_code"),
)

handover = Table(
    "handover",
    metadata,
    Column("handover_id", BigInteger, Identity(), primary_key=True),
    Column("area_code", Text, nullable=False),
    *_area(),
    Column("from_account_id", ForeignKey("account.account_id"), nullable=False),
    Column("to_account_id", ForeignKey("account.account_id"), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    _made("at"),
)

login_session = Table(
    "login_session",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    _made(),
    _made("last_seen_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("once_sealed", LargeBinary),
    Index("login_session_account_ix", "account_id"),
)

token = Table(
    "token",
    metadata,
    Column("token_id", BigInteger, Identity(), primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("account_id", ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("actions", ARRAY(Text), nullable=False),
    _made(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _time("revoked_at"),
    _time("last_used_at"),
    Index("token_account_ix", "account_id"),
)

team = Table(
    "team",
    metadata,
    Column("team_id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=""),
    Column("area_code", Text, nullable=False),
    *_area(),
    _made(),
    UniqueConstraint("area_code", "name"),
)

team_member = Table(
    "team_member",
    metadata,
    Column("team_id", ForeignKey("team.team_id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", ForeignKey("account.account_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Text, nullable=False, server_default=""),
    _made("joined_at"),
)

record_change = Table(
    "record_change",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    Column("change_id", BigInteger, Identity(), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old_value", JSONB),
    Column("new_value", JSONB),
    Column("reason", Text, nullable=False),
    Column("account_id", BigInteger),
    _made("changed_at"),
    Index("record_change_subject_ix", "province_code", "subject", "subject_id"),
)

removed_household = Table(
    "removed_household",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    # The keyed fingerprint of the code that it had.
    Column("code_print", LargeBinary, primary_key=True),
    Column("demo", Boolean, nullable=False, server_default=text("false")),
    _made("removed_at"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("account_id", BigInteger),
    Column("login", Text, nullable=False, server_default=""),
    Column("via", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("action", Text, nullable=False),
    Column("route", Text, nullable=False, server_default=""),
    Column("subject", Text, nullable=False, server_default=""),
    Column("subject_id", Text, nullable=False, server_default=""),
    *_area(),
    Column("query", Text, nullable=False, server_default=""),
    Column("rows", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("outcome IN ('allowed', 'denied', 'failed')", name="outcome"),
    Index("access_log_account_ix", "account_id", "entry_id"),
    Index("access_log_subject_ix", "subject", "subject_id", "entry_id"),
    Index("access_log_area_ix", "province_code", "commune_code", "entry_id"),
)

key_check = Table(
    "key_check",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("check_value", LargeBinary, nullable=False),
)
