"""What an audit writes: verdicts that differ, the history of the former ones, findings."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import (
    UUID,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    any_,
    cast,
    delete,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from geo import copying
from geo.tables import finding, verdict_history

VERDICT_COLUMNS = (
    "verdict",
    "probability",
    "distance_m",
    "accuracy_used_m",
    "boundary_accuracy_m",
    "recorded_code",
    "located_code",
    "boundary_version",
)
NUMBERS = ("probability", "distance_m", "accuracy_used_m", "boundary_accuracy_m")
_BATCH = 5_000
_TOLD = ("severity", "evidence", "group_key", "blameless")
_Found = tuple[str, str, str, str]
"""A finding's key within its subject: province, commune, whose, which rule."""


class Renewed(NamedTuple):
    """How many findings were added and removed, and the communes in which any changed."""

    added: int
    removed: int
    communes: set[tuple[str, str]]


def differs(old: pd.DataFrame, new: pd.DataFrame) -> pd.Series:
    """Which rows have another verdict than stored, or had none; rounding is no difference."""
    result = old["judged_at"].isna()
    for name in VERDICT_COLUMNS:
        if name in NUMBERS:
            one, two = old[name].to_numpy(float), new[name].to_numpy(float)
            result |= ~np.isclose(one, two, rtol=1e-9, atol=1e-9, equal_nan=True)
        else:
            pairs = zip(_values(old, name), _values(new, name), strict=True)
            result |= np.array([one != two for one, two in pairs], dtype=bool)
    return result


def _values(rows: pd.DataFrame, name: str) -> list[object]:
    """A column as Python values, what is unknown as None (a version of 0 is none)."""
    values = rows[name].astype(object).to_numpy(copy=True)
    unknown = pd.isna(values)
    if name == "boundary_version":
        unknown |= values == 0
    values[unknown] = None
    return values.tolist()


def as_text(table: Table, name: str) -> ColumnElement[Any]:
    """A column, where it is a UUID as the text of it: drivers make slow objects of them."""
    column = table.c[name]
    return cast(column, Text).label(name) if isinstance(column.type, UUID) else column


def one_pass_at_a_time(conn: Connection, province_code: str) -> None:
    """Wait until no other transaction runs the rules over the province."""
    conn.execute(_LOCK, {"name": f"ancu.pass.{province_code}"})


def hold_decisions(conn: Connection, province_code: str, *, deciding: bool = False) -> None:
    """What decides and what writes findings of a province wait for each other; `deciding` ones not.

    Held to the transaction's end.
    """
    lock = _SHARED_LOCK if deciding else _LOCK
    conn.execute(lock, {"name": f"ancu.decisions.{province_code}"})


_LOCK = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
_SHARED_LOCK = text("SELECT pg_advisory_xact_lock_shared(hashtext(:name))")


def _reasons(old: pd.DataFrame, new: pd.DataFrame, because: str | None) -> list[str]:
    """Why each verdict is replaced: compared with other areas, with other borders, or settings."""
    if because is not None:
        return [because] * len(old)
    versions = zip(_values(old, "boundary_version"), _values(new, "boundary_version"), strict=True)
    compared = zip(new["candidates"], new["commune_code"], strict=True)
    reasons = []
    for was, (version, now), (candidates, commune) in zip(
        _values(old, "recorded_code"), versions, compared, strict=True
    ):
        same_area = was is None or was in (candidates if len(candidates) else (commune,))
        reasons.append("address" if not same_area else "boundary" if version != now else "settings")
    return reasons


@dataclass(frozen=True)
class Rows:
    """The stored surveys or sites; `key` names the column that identifies one in its commune."""

    conn: Connection
    subject: str
    table: Table
    key: str

    @property
    def _identity(self) -> tuple[str, str, str]:
        return "province_code", "commune_code", self.key

    def lock(self, rows: pd.DataFrame) -> pd.Index:
        """Lock the stored rows; the index of those that are still as they were read."""
        if not len(rows):
            return rows.index
        columns = (*self._identity, "content_hash", "judged_at")
        found = self.conn.execute(
            select(*(as_text(self.table, name) for name in columns))
            .where(*(_in(self.table, name, rows) for name in self._identity))
            .order_by(*(self.table.c[name] for name in self._identity))
            .with_for_update()
        )
        now = {tuple(row) for row in found}
        as_read = zip(*(_values(rows, name) for name in columns), strict=True)
        return rows.index[[known in now for known in as_read]]

    def replace_verdicts(
        self, old: pd.DataFrame, new: pd.DataFrame, because: str | None = None
    ) -> None:
        """Store the new verdicts of locked rows; the old ones go to verdict_history.

        because: why, where the caller knows; else it is told from what differs.
        """
        now = datetime.now(UTC)
        former = old[old["judged_at"].notna()]
        copying.copy(
            self.conn,
            verdict_history,
            {
                "province_code": _values(former, "province_code"),
                "commune_code": _values(former, "commune_code"),
                "subject": [self.subject] * len(former),
                "subject_id": _values(former, self.key),
                "replaced_at": [now] * len(former),
                "reason": _reasons(former, new.loc[former.index], because),
                **{name: _values(former, name) for name in (*VERDICT_COLUMNS, "judged_at")},
            },
        )
        columns = {name: _values(new, name) for name in (*self._identity, *VERDICT_COLUMNS)}
        columns["judged_at"] = [now] * len(new)
        copying.update(self.conn, self.table, self._identity, columns)

    def renew_findings(
        self, rows: pd.DataFrame, found: pd.DataFrame, rules: Collection[str]
    ) -> Renewed:
        """Make `found` what these rules find in these rows.

        found: see geo.audit.applying. A finding that somebody decided keeps its state, and stays
        when its rule hits no longer.
        """
        keys = zip(*(found[name] for name in (*self._identity, "rule")), strict=True)
        told = zip(*(found[name] for name in _TOLD), strict=True)
        new = dict(zip(keys, told, strict=True))
        ran = finding.c.rule == any_(literal(list(rules), ARRAY(Text)))
        stored = {
            (row.province_code, row.commune_code, row.subject_id, row.rule): row
            for row in self.conn.execute(select(finding).where(self._findings_of(rows), ran))
        }
        gone = [key for key, row in stored.items() if row.state == "open" and key not in new]
        changed = {
            key: told
            for key, told in new.items()
            if key not in stored or tuple(getattr(stored[key], n) for n in _TOLD) != told
        }
        self._remove(gone)
        self._upsert(changed)
        communes = {key[:2] for key in (*changed, *gone)}
        return Renewed(sum(key not in stored for key in changed), len(gone), communes)

    def _findings_of(self, rows: pd.DataFrame) -> ColumnElement[bool]:
        return and_(
            finding.c.subject == self.subject,
            _in(finding, "province_code", rows),
            _in(finding, "commune_code", rows),
            finding.c.subject_id == any_(literal(_values(rows, self.key), ARRAY(Text))),
        )

    def _remove(self, keys: list[_Found]) -> None:
        names = ("province_code", "commune_code", "subject_id", "rule")
        columns = tuple_(*(finding.c[name] for name in names))
        for first in range(0, len(keys), _BATCH):
            self.conn.execute(
                delete(finding).where(
                    finding.c.subject == self.subject,
                    columns.in_(keys[first : first + _BATCH]),
                )
            )

    def _upsert(self, changed: dict[_Found, tuple[object, ...]]) -> None:
        rows = [
            {
                "province_code": province,
                "commune_code": commune,
                "subject": self.subject,
                "subject_id": subject_id,
                "rule": rule,
                **dict(zip(_TOLD, told, strict=True)),
            }
            for (province, commune, subject_id, rule), told in changed.items()
        ]
        statement = insert(finding)
        renewed = {name: statement.excluded[name] for name in _TOLD}
        statement = statement.on_conflict_do_update(constraint=finding.primary_key, set_=renewed)
        for first in range(0, len(rows), _BATCH):
            self.conn.execute(statement, rows[first : first + _BATCH])


def _in(table: Table, name: str, rows: pd.DataFrame) -> ColumnElement[bool]:
    """Whether the column is one of the rows' values, in one bound array."""
    values = list(dict.fromkeys(_values(rows, name)))
    return table.c[name] == any_(literal(values, ARRAY(table.c[name].type)))
