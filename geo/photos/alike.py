"""Photos beside those of the same case that show the same picture."""

from collections.abc import Collection

from sqlalchemy import Connection, Text, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import BIT

from geo import paging, scope
from geo.audit_tables import photo
from geo.config import settings
from geo.paging import Record

Key = tuple[str, ...]
"""Subject, province, commune, id."""

MOST = 12
"""Pairs that are told; the most alike first."""

_NAMES = ("subject", "province_code", "commune_code", "subject_id")


def pairs(conn: Connection, one: Key, others: Collection[Key]) -> list[Record]:
    """Photos of a survey or site, each with one of `others` (or of another stage) alike to it.

    bits: how many of the hashes' 64 differ, at most `ANCU_PHOTO_HASH_DISTANCE`. own_ and other_:
    photo_id, stage, taken_at, received_at; of the other also its key and household_code.
    """
    own, other = photo.alias("own"), photo.alias("other")
    differing = func.bit_count(cast(own.c.hash.op("#")(other.c.hash), BIT(64)))
    told = ("photo_id", "stage", "taken_at", "received_at")
    found = conn.execute(
        select(
            *(own.c[name].label(f"own_{name}") for name in told),
            *(other.c[name].label(f"other_{name}") for name in told),
            *(other.c[name] for name in (*_NAMES, "household_code")),
            differing.label("bits"),
        )
        .where(
            scope.within(conn, own),
            scope.within(conn, other),
            tuple_(*(own.c[name] for name in _NAMES)) == one,
            tuple_(*(other.c[name] for name in _NAMES)).in_([one, *others]),
            own.c.photo_id.cast(Text) != other.c.photo_id.cast(Text),
            differing <= settings().photo_hash_distance,
        )
        .order_by(differing, other.c.received_at, other.c.photo_id)
        .limit(MOST)
    )
    return [paging.plain(row) for row in found.mappings()]
