"""Proves the access log whole: hashes computed anew, numbering, triggers, and anchors.

The chain shows every change but one: the last entries taken away, or all from one on written anew.
Anchors show these. An anchor is an entry's number and hash in a file outside the database.
"""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, case, cast, extract, func, select, text

from geo.account_tables import access_log
from geo.config import settings
from geo.db import sql
from geo.errors import RejectedError, UsageError

GENESIS = bytes(32)
"""What stands for the hash before the first entry."""

MOST_PROBLEMS = 1_000
SETTLED_S = 5
"""An entry so old is on the disk even if its commit did not wait for it: no crash takes it back."""

_BATCH = 5_000
_HASHED = (
    *("entry_id", "microseconds", "account_id", "login", "via", "address", "action", "route"),
    *("subject", "subject_id", "province_code", "commune_code", "query", "rows", "outcome"),
    "reason",
)


@dataclass(frozen=True)
class Anchor:
    """One entry as it was seen at a time: its number, and its hash as hex digits."""

    entry_id: int
    hash: str
    seen_at: str


@dataclass
class Verified:
    """What was found: how many entries, the last one (0 and '' when there is none), problems."""

    entries: int = 0
    head_id: int = 0
    head_hash: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing speaks against the log."""
        return not self.problems


def verify(conn: Connection, anchors: Iterable[Anchor] = ()) -> Verified:
    """Read every entry and hold it against its hash, the one before it, and the anchors.

    The transaction must see everything. At most MOST_PROBLEMS problems are told.
    """
    found = Verified(problems=_guards(conn))
    seen: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        seen.setdefault(anchor.entry_id, []).append(anchor)
    before = GENESIS
    for row in _entries(conn):
        problems = _problems(row, found.head_id, before, seen.get(row["entry_id"], ()))
        if len(found.problems) < MOST_PROBLEMS:
            found.problems += problems
        found.entries += 1
        found.head_id, before = row["entry_id"], row["hash"]
        found.head_hash = before.hex()
    last = max(seen, default=0)
    if last > found.head_id:
        when = seen[last][-1].seen_at
        found.problems.append(
            f"entries {found.head_id + 1} to {last} are missing: the last was there at {when}"
        )
    return found


def _entries(conn: Connection) -> Iterator[Mapping[str, Any]]:
    """Every entry by number. The time in microseconds; None for one that no clock ever shows."""
    at = access_log.c.at
    passed = cast(extract("epoch", at) * 1_000_000, BigInteger)
    query = select(access_log, case((func.isfinite(at), passed)).label("microseconds"))
    kept = [column for column in query.selected_columns if column.key != "at"]
    ordered = query.with_only_columns(*kept).order_by(access_log.c.entry_id)
    with conn.execute(ordered, execution_options={"yield_per": _BATCH}) as result:
        for row in result.mappings():
            yield {key: bytes(v) if "hash" in key else v for key, v in row.items()}


def _problems(
    row: Mapping[str, Any], before_id: int, before: bytes, anchors: Iterable[Anchor]
) -> list[str]:
    number = row["entry_id"]
    problems = []
    if number > before_id + 1:
        problems.append(f"entries {before_id + 1} to {number - 1} are missing")
    elif number != before_id + 1:
        problems.append(f"entry {number} stands after entry {before_id}")
    elif row["previous_hash"] != before:
        problems.append(f"entry {number} does not carry the hash of the entry before it")
    if digest(row) != row["hash"]:
        problems.append(f"entry {number} is not what its hash was made of")
    for anchor in anchors:
        if anchor.hash != row["hash"].hex():
            problems.append(f"entry {number} is not the one that was there at {anchor.seen_at}")
    return problems


def digest(row: Mapping[str, Any]) -> bytes:
    """The hash that an entry must have: the same as in `geo/sql/trail_schema.sql`, in Python."""
    told = [row["previous_hash"]]
    for name in _HASHED:
        if row[name] is None:
            told.append(b"-")
        else:
            raw = str(row[name]).encode()
            told.append(b"%d:%b" % (len(raw), raw))
    return hashlib.sha256(b"".join(told)).digest()


@lru_cache(maxsize=1)
def _installed() -> dict[str, tuple[str, str, str]]:
    """Trigger → enabled, definition and source of its function, as trail_schema.sql makes them."""
    script = str(sql("trail_schema"))
    bodies = dict(re.findall(r"FUNCTION (\w+)\(\) RETURNS trigger.*?\$\$(.*?)\$\$", script, re.S))
    made = re.findall(r"CREATE TRIGGER (\w+) [^;]+", script)
    texts = [" ".join(one.split()) for one in re.findall(r"CREATE TRIGGER [^;]+", script)]
    return {
        name: ("A", definition, bodies[name]) for name, definition in zip(made, texts, strict=True)
    }


def _guards(conn: Connection) -> list[str]:
    """What is wrong with the triggers and rights that keep the log."""
    stand = {
        row.name: (row.enabled, row.definition, row.source)
        for row in conn.execute(sql("trail_guards"))
    }
    problems = []
    for name, wanted in _installed().items():
        there = stand.pop(name, None)
        if there is None:
            problems.append(f"the trigger {name} is gone")
        elif there != wanted:
            how = "is not as it was installed" if there[0] == "A" else "is switched off"
            problems.append(f"the trigger {name} {how}")
    problems += [f"{name} acts on the log and is not of this service" for name in stand]
    return problems + list(conn.execute(sql("trail_rights")).scalars())


def anchors_file() -> Path:
    """Where this machine keeps its anchors."""
    return settings().home / "log-anchors.jsonl"


def read_anchors(path: Path) -> list[Anchor]:
    """The anchors of a file, none when it does not exist; raises RejectedError."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            told = orjson.loads(line)
            found.append(Anchor(int(told["entry_id"]), str(told["hash"]), str(told["seen_at"])))
        except (ValueError, TypeError, KeyError):
            raise RejectedError(f"{path}, line {number}, is not an anchor of the log.") from None
    return found


def anchor(conn: Connection, path: Path, settled_s: float = SETTLED_S) -> Anchor | None:
    """Note the newest entry that is settled, unless it is noted already; None without any.

    Raises UsageError when the file cannot be written, RejectedError when it is damaged.
    """
    newest = conn.execute(
        select(access_log.c.entry_id, access_log.c.hash)
        .where(access_log.c.at <= func.clock_timestamp() - text("make_interval(secs => :age)"))
        .order_by(access_log.c.entry_id.desc())
        .limit(1),
        {"age": settled_s},
    ).first()
    if newest is None:
        return None
    made = Anchor(newest.entry_id, bytes(newest.hash).hex(), datetime.now(UTC).isoformat())
    noted = read_anchors(path)
    if not noted or (noted[-1].entry_id, noted[-1].hash) != (made.entry_id, made.hash):
        _note(path, orjson.dumps(asdict(made)) + b"\n")
    return made


def _note(path: Path, line: bytes) -> None:
    """Add a line to a file of the owner's; on the disk when this returns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            before = os.fstat(file).st_size
            if os.write(file, line) < len(line):  # a disk that is full takes a part
                os.ftruncate(file, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
