"""What one import knows while it runs: its report, what was refused, whose counts to renew."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple
from uuid import uuid4

import orjson
from sqlalchemy import CollectionAggregate, Connection, Table, Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from geo import personal_ids, scope
from geo.account_tables import removed_household
from geo.additions import Additions
from geo.copying import Load
from geo.intake.batches import Batch, Rejected
from geo.intake.placing import Places
from geo.intake.records import Record
from geo.tables import import_conflict

SHOWN_PROBLEMS = 20
_FEW = 20


@dataclass(frozen=True)
class Problem:
    """A refused row: its line and why."""

    line: int
    reason: str


@dataclass
class ImportReport:
    """What became of a file's rows: rows = added + updated + unchanged + conflicts + rejected.

    problems: the first refused rows. notes: what was understood rather than read, and how often.
    verdicts: verdict → how many of the added and moved surveys or sites.
    """

    import_id: str
    kind: str
    source: str
    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    conflicts: int = 0
    rejected: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    dry_run: bool = False
    seconds: float = 0.0
    verdicts: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The report as plain values, for JSON."""
        return asdict(self)


def one_of(texts: Collection[str]) -> CollectionAggregate[bool]:
    """What a text column is compared with (==) to be one of many, in one bound array."""
    return any_(literal(list(texts), ARRAY(Text)))


_CONTENT = (1 << 64) - 1


Key = tuple[str, str, str]
"""What identifies a stored record: province_code, commune_code, its own code or id."""


class Conflict(NamedTuple):
    """A contradicting copy of a stored record: a batch's record at the place `at`."""

    key: Key
    batch: Batch
    at: int
    reason: str


def _aside(record: Record, key: Key) -> dict[str, object]:
    """A record as it is kept aside: its personal ID sealed for the household that it names."""
    row: dict[str, object] = orjson.loads(record.model_dump_json())
    number = row.pop("national_id", None)
    if number is not None:
        row["national_id"] = personal_ids.aside(str(number), key[0], key[2])
    return row


class Intake:
    """One running import: where it stores, and what it has seen so far."""

    def __init__(self, conn: Connection, kind: str, source: str, demo: bool, table: Table) -> None:
        self.conn = conn
        self.demo = demo
        self.report = ImportReport(str(uuid4()), kind, source)
        self.rejected: list[Rejected] = []
        # Rows that were added are counted on; the communes of all other changes are counted anew.
        self.added = Additions()
        self.communes: set[tuple[str, str]] = set()
        self.started_at = datetime.now(UTC)
        self._clock = time.monotonic()
        self._waiting: list[Load] = []
        self._first: dict[tuple[str, ...] | str, int] = {}
        self.scope = scope.of(conn)
        self._table = table

    @cached_property
    def places(self) -> Places:
        return Places(self.conn)

    @cached_property
    def may_repeat(self) -> bool:
        """Whether anything was stored before the first batch.

        Without it nothing can repeat or conflict but within the file itself.
        """
        seen = select(self._table.c.province_code).where(scope.within(self.conn, self._table))
        return self.conn.execute(seen.limit(1)).first() is not None

    @cached_property
    def removed(self) -> dict[bytes, list[tuple[str, str]]]:
        """Where households in scope were removed at a person's request, by their code's print."""
        found = self.conn.execute(
            select(
                removed_household.c.code_print,
                removed_household.c.province_code,
                removed_household.c.commune_code,
            ).where(scope.within(self.conn, removed_household))
        )
        removed: dict[bytes, list[tuple[str, str]]] = {}
        for code_print, province, commune in found:
            removed.setdefault(bytes(code_print), []).append((province, commune))
        return removed

    def begin_batch(self, batch: Batch) -> None:
        """Take over what the reading side found."""
        if not self.report.rows and len(batch) <= _FEW:
            self.may_repeat = True  # few are looked for as soon as it is told whether there are any
        self.added.make_room(self.conn)
        self.report.rows += batch.read
        self.rejected = []
        self._reject(batch.rejected)
        notes = Counter(self.report.notes) + batch.notes
        self.report.notes = dict(notes)

    def reject(self, batch: Batch, reasons: dict[int, str]) -> Batch:
        """Refuse the rows at the given indices; returns the rest."""
        self._reject(
            [Rejected(batch.lines[i], why, batch.rows[i]) for i, why in sorted(reasons.items())]
        )
        return batch.only([i for i in range(len(batch)) if i not in reasons])

    def first_of_each(self, batch: Batch, keys: Sequence[tuple[str, ...] | str]) -> list[int]:
        """The indices of records that the file has not had before, by key.

        A second row with the same content counts as unchanged, one with other content is refused.
        """
        keep, refused = [], []
        for i, key in enumerate(keys):
            line, content = batch.lines[i], int(batch.hashes[i][:16], 16)
            # One number for both: a million pairs would take five times the memory.
            before = self._first.setdefault(key, line << 64 | content)
            if before >> 64 == line:
                keep.append(i)
            elif before & _CONTENT == content:
                self.report.unchanged += 1
            else:
                name = personal_ids.hidden(key if isinstance(key, str) else key[-1])
                first = before >> 64
                reason = f"{name} is also on line {first}, with other content; keep one of them"
                refused.append(Rejected(line, reason, batch.rows[i]))
        self._reject(refused)
        return keep

    def keep_aside(self, conflicts: Iterable["Conflict"]) -> None:
        """Store contradicting copies."""
        rows = [
            {
                "province_code": key[0],
                "commune_code": key[1],
                "kind": self.report.kind,
                "key": key[2],
                "content_hash": batch.hashes[i],
                "row": _aside(batch.records[i], key),
                "reason": reason,
                "import_id": self.report.import_id,
                "demo": self.demo,
            }
            for key, batch, i, reason in conflicts
        ]
        self.report.conflicts += len(rows)
        for start in range(0, len(rows), 1000):
            self.conn.execute(
                insert(import_conflict).on_conflict_do_nothing(), rows[start : start + 1000]
            )

    def bookkeeping(self, batch: Batch) -> dict[str, list[object]]:
        """The columns that every kind has beside its own."""
        n = len(batch)
        return {
            "attributes": [
                orjson.dumps(extra).decode() if extra else "{}"
                for extra in batch.column("attributes")
            ],
            "content_hash": list(batch.hashes),
            "demo": [self.demo] * n,
            "import_id": [self.report.import_id] * n,
        }

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Send the rows that wait while the block works; the block must not ask the database."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            yield
            return
        with ThreadPoolExecutor(1, thread_name_prefix="import-copy") as pool:
            sent = pool.submit(self._send, waiting)
            yield
            sent.result()

    def load_later(self, *loads: Load) -> None:
        """Keep rows for the next `loading` or `load_now`."""
        self._waiting += loads

    def load_now(self) -> None:
        """Send the rows that wait."""
        waiting, self._waiting = self._waiting, []
        self._send(waiting)

    def _send(self, loads: list[Load]) -> None:
        for load in loads:
            load(self.conn)

    def count_verdicts(self, verdicts: Iterable[str]) -> None:
        """Add to the report's verdicts."""
        self.report.verdicts = dict(Counter(self.report.verdicts) + Counter(verdicts))

    def finish(self) -> ImportReport:
        """The report with its duration."""
        self.report.seconds = round(time.monotonic() - self._clock, 3)
        return self.report

    def _reject(self, rejected: list[Rejected]) -> None:
        self.rejected.extend(rejected)
        self.report.rejected += len(rejected)
        room = SHOWN_PROBLEMS - len(self.report.problems)
        self.report.problems += [Problem(r.line, r.reason) for r in rejected[: max(room, 0)]]
