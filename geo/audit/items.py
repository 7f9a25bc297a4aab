"""The queue's rows: one for each survey or site with findings, made anew from these."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from geo import copying
from geo.audit import cases, risk
from geo.audit_tables import audit_item
from geo.db import sql

_TOLD = (
    *("commune_code", "subject", "subject_id", "state", "household_code", "enumerator"),
    *("device_id", "happened_at", "verdict", "distance_m", "demo"),
)


def renew(conn: Connection, province_code: str) -> int:
    """Make the province's part of audit_item what its findings say now; how many rows it has.

    Needs a scope that holds the whole province, and decisions held (geo.audit.store).
    """
    of_it = {"province_code": province_code}
    found = [dict(row) for row in conn.execute(sql("audit_items"), of_it).mappings()]
    conn.execute(text("DELETE FROM audit_item WHERE province_code = :province_code"), of_it)
    copying.copy(conn, audit_item, _columns(province_code, found))
    return len(found)


def _opaque(name: str) -> str:
    """A case's name without what it is made of: part of it may be another commune's."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _columns(province_code: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[object]]:
    keys = [(row["commune_code"], row["subject"], row["subject_id"]) for row in found]
    names = {key: ":".join(key) for key in keys}
    groups = {key: row["groups"] for key, row in zip(keys, found, strict=True)}
    case_of = {
        key: name if name == names[key] else _opaque(name)
        for key, name in cases.of(groups, names).items()
    }
    risks = [risk.of(row["counted"]) for row in found]
    return {
        "province_code": [province_code] * len(found),
        **{name: [row[name] for row in found] for name in _TOLD},
        **{
            name: [copying.array(tuple(row[name])) for row in found]
            for name in ("rules", "counted")
        },
        "case_key": [case_of[key] for key in keys],
        "risk": [value for value, _ in risks],
        "parts": [orjson.dumps([part._asdict() for part in parts]).decode() for _, parts in risks],
    }
