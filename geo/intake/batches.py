"""The first half of an import, without the database: rows → checked records with their points."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, cast

import numpy as np
import orjson

from geo import personal_ids
from geo.accounts import sealing
from geo.errors import UsageError
from geo.geometry import WGS84, Floats, may_be_miswritten, point_problem, read_points
from geo.intake.columns import Columns
from geo.intake.exported import as_sent, is_export
from geo.intake.records import Record, validated
from geo.intake.source import PROBLEM, UNNAMED
from geo.intake.values import LOCAL, excel_error

BATCH_ROWS = 40_000
"""Enough that a batch of the whole country has several points a commune; three are in memory."""
MAX_ROW_BYTES = 64 * 1024
Numbered = tuple[int, dict[str, object]]


class Rejected(NamedTuple):
    """A row that cannot be stored, where it stands and why."""

    line: int
    reason: str
    row: dict[str, object]


@dataclass
class Batch:
    """Some rows of a file: the sound ones as records (all lists alike), the others rejected.

    lon, lat: EPSG:4326 whatever the row's crs, NaN where it has no point. exported: which rows an
    export of this service made, see `geo.intake.exported`.
    """

    read: int
    lines: list[int]
    rows: Sequence[dict[str, object]]
    records: Sequence[Record]
    hashes: list[str]
    lon: Floats
    lat: Floats
    exported: list[bool]
    rejected: list[Rejected] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.records)

    def column(self, name: str) -> list[Any]:
        """One field of all records, also `attributes`; None where a kind has no such field."""
        if isinstance(self.records, Columns):
            return self.records.column(name)
        return [getattr(record, name, None) for record in self.records]

    def only(self, keep: list[int]) -> "Batch":
        """The records at the indices `keep`; what was rejected or noted is left behind."""
        if len(keep) == len(self.records):
            return self
        return Batch(
            read=0,
            lines=[self.lines[i] for i in keep],
            rows=[self.rows[i] for i in keep],
            records=[self.records[i] for i in keep],
            hashes=[self.hashes[i] for i in keep],
            lon=self.lon[keep],
            lat=self.lat[keep],
            exported=[self.exported[i] for i in keep],
        )


def batches(kind: str, rows: Iterable[Numbered], size: int = BATCH_ROWS) -> Iterator[Batch]:
    """Rows of one kind (see `records.MODELS`) checked and put together by `size`."""
    source = iter(rows)
    while chunk := list(islice(source, size)):
        yield prepare(kind, chunk)


def prepare(kind: str, numbered: list[Numbered]) -> Batch:
    """Check rows against the model, transform their points, and take their fingerprints."""
    reasons: dict[int, list[str]] = {}
    rows = []
    exported = [is_export(row) for _line, row in numbered]
    for index, (_line, row) in enumerate(numbered):
        if UNNAMED in row or PROBLEM in row:
            row, reasons[index] = _without_marks(row)
        if exported[index]:
            row = as_sent(kind, row)
        rows.append(row)
    records, invalid = validated(kind, rows)
    for index, found in invalid.items():
        marks = " ".join(reasons.get(index, []))
        # What the reader found wrong with a cell explains why its value is missing.
        new = [reason for reason in found if f"{reason.partition(': ')[0]}: " not in marks]
        reasons.setdefault(index, []).extend(new)
    _hide_ids(records)
    ids = _id_prints(records)
    hashes = [
        "" if record is None else _fingerprint(index, record, reasons, ids.get(index))
        for index, record in enumerate(records)
    ]
    lon, lat = _points(records, reasons)
    if kind == "surveys":
        _keep_miswritten(records, lon, lat, reasons)
    whole = Batch(
        read=len(rows),
        lines=[line for line, _row in numbered],
        rows=rows,
        records=cast(list[Record], records),  # only() leaves the None behind
        hashes=hashes,
        lon=lon,
        lat=lat,
        exported=exported,
    )
    batch = whole.only([i for i in range(len(rows)) if i not in reasons])
    batch.read = len(rows)
    batch.rejected = [
        Rejected(numbered[i][0], "; ".join(found), _to_mend(numbered[i][1]))
        for i, found in sorted(reasons.items())
    ]
    batch.notes = _notes(batch)
    return batch


def _to_mend(row: dict[str, object]) -> dict[str, object]:
    """A refused row as it came: with cells that stood in no column, without the reader's words."""
    return {name: value for name, value in row.items() if name != PROBLEM}


def _hide_ids(records: list[Record | None]) -> None:
    """Leave only the ends of personal IDs in the columns that the format does not name."""
    for record in records:
        if record is not None and (extra := record.__pydantic_extra__):
            record.__pydantic_extra__ = personal_ids.hidden_in(extra) or extra


def _id_prints(records: list[Record | None]) -> dict[int, str]:
    """The fingerprints of personal IDs by index; raises UsageError when there are no keys."""
    numbers = {
        i: number
        for i, record in enumerate(records)
        if (number := getattr(record, "national_id", None)) is not None
    }
    if not numbers:
        return {}
    prints = sealing.fingerprints(numbers.values())
    return {i: found.hex() for i, found in zip(numbers, prints, strict=True)}


def canonical(record: Record, **changed: object) -> bytes:
    """A record's content in one form, to compare: JSON of all fields and attributes, sorted.

    A personal ID stands in it by its fingerprint: a plain hash of 12 digits could be guessed.
    """
    if "national_id" not in changed and (number := getattr(record, "national_id", None)):
        changed["national_id"] = sealing.fingerprint(number).hex()
    content = record.__dict__ | {"attributes": record.attributes} | record.not_content | changed
    for name in record.unfingerprinted:
        content.pop(name, None)
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def fingerprint(content: bytes) -> str:
    """The SHA-256 by which a repeat is recognised."""
    return hashlib.sha256(content).hexdigest()


def _fingerprint(
    index: int, record: Record, reasons: dict[int, list[str]], id_print: str | None
) -> str:
    try:
        content = canonical(record, **({"national_id": id_print} if id_print else {}))
    except (TypeError, orjson.JSONEncodeError):
        reasons.setdefault(index, []).extend(_not_json(record))
        return ""
    odd = [name for name, value in record.attributes.items() if excel_error(value)]
    if odd:
        told = [f"{name}: {excel_error(record.attributes[name])}" for name in odd]
        reasons.setdefault(index, []).extend(told)
    if len(content) > MAX_ROW_BYTES:
        reasons.setdefault(index, []).append("the row is larger than 64 kB")
    if b"\\u0000" in content and _has_nul(orjson.loads(content)):
        reasons.setdefault(index, []).append("a text holds a NUL character; remove it")
    return fingerprint(content)


def _not_json(record: Record) -> list[str]:
    """The columns whose values cannot be kept."""
    reasons = []
    for name, value in (record.__dict__ | record.attributes).items():
        try:
            orjson.dumps({name: value})
        except (TypeError, orjson.JSONEncodeError):
            shown = name.encode(errors="replace").decode()
            reason = "cannot be kept: it is not valid Unicode, or no JSON value"
            if isinstance(value, timedelta):
                reason = f"{value} is a duration; format the cell as text"
            reasons.append(f"{shown}: {reason}")
    return reasons


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(part) for key, part in value.items())
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\x00" in value


def _without_marks(row: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """The row without the readers' marks, and what they say."""
    reasons = []
    if PROBLEM in row:
        reasons.append(str(row[PROBLEM]))
    if UNNAMED in row:
        reasons.append(
            "the row has more cells than the header has names; put quotes around a cell that "
            "holds the delimiter"
        )
    return {k: v for k, v in row.items() if k not in (PROBLEM, UNNAMED)}, reasons


def _keep_miswritten(
    records: list[Record | None], lon: Floats, lat: Floats, reasons: dict[int, list[str]]
) -> None:
    """Leave to the audit the points outside the country that a device may have written wrongly.

    Such a survey has no point; what was sent is kept beside it, see storing_surveys.
    """
    for index, said in list(reasons.items()):
        record = records[index]
        if record is None or record.crs != WGS84 or record.lon is None or record.lat is None:
            continue
        problem = point_problem(record.lon, record.lat)
        if problem in said and may_be_miswritten(record.lon, record.lat)[0]:
            lon[index] = lat[index] = np.nan
            said.remove(problem)
            if not said:
                del reasons[index]


def _points(records: list[Record | None], reasons: dict[int, list[str]]) -> tuple[Floats, Floats]:
    """Longitude and latitude of every record in EPSG:4326; problems are added to `reasons`."""
    lon = np.array([np.nan if r is None or r.lon is None else r.lon for r in records], dtype=float)
    lat = np.array([np.nan if r is None or r.lat is None else r.lat for r in records], dtype=float)
    systems = np.array([WGS84 if r is None else r.crs for r in records], dtype=object)
    for crs in sorted(set(systems)):
        where = np.flatnonzero(systems == crs)
        try:
            lon[where], lat[where], problems = read_points(lon[where], lat[where], crs)
        except UsageError as error:
            problems = np.full(len(where), f"crs: {error}", dtype=object)
        for index, problem in zip(where.tolist(), problems.tolist(), strict=True):
            if problem is not None:
                reasons.setdefault(index, []).append(problem)
    return lon, lat


def _notes(batch: Batch) -> Counter[str]:
    """What was understood rather than read, to be said in the report."""
    notes: Counter[str] = Counter()
    this_year = datetime.now(LOCAL).year
    for row, record, lon in zip(batch.rows, batch.records, batch.lon.tolist(), strict=True):
        if lon != lon and record.lon is not None:
            notes["points outside Viet Nam kept as sent, for the audit to look at"] += 1
        for column in ("surveyed_at", "sent_at"):
            when = row.get(column)
            if isinstance(when, datetime) and when.tzinfo is None:
                notes[f"{column} without zone taken as Asia/Ho_Chi_Minh"] += 1
        for column, width in (("commune_code", 5), ("national_id", 12), ("province_code", 2)):
            code = row.get(column)
            if code is not None and len(str(code)) < width:
                notes[f"{column} filled up with leading zeros"] += 1
        number = getattr(record, "national_id", None)
        if number is not None and (said := _doubt(number, this_year)):
            notes[said] += 1
        if record.crs != WGS84:
            notes[f"points transformed from {record.crs}"] += 1
    return notes


def _doubt(number: str, year: int) -> str | None:
    """How a personal ID contradicts itself in the year `year`; its fourth digit tells century and
    sex, from 0 and 1 for those born before 2000."""
    if number[3] > "3":
        return "national_id names a century that has not begun"
    if 1900 + 100 * (int(number[3]) // 2) + int(number[4:6]) > year:
        return "national_id names a year of birth in the future"
    return None
