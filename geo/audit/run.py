"""Judges surveys and sites, runs the rules over them, and keeps findings in step with verdicts."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    func,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.types import NullType

from geo import areas, boundaries, metrics, scope
from geo.audit import due, store
from geo.audit.applying import findings_of, rules_for
from geo.audit.store import NUMBERS, VERDICT_COLUMNS
from geo.config import settings as read_settings
from geo.rules import SITE, SURVEY, Context
from geo.tables import site, survey
from geo.verdicts.matching import AreaShapes, Recorded, VerdictSettings, judge

Progress = Callable[[int, int], None]

CHUNK = 50_000
_SUBJECTS: tuple[tuple[str, Table, str], ...] = (
    (SURVEY, survey, "survey_id"),
    (SITE, site, "site_code"),
)


@dataclass
class AuditReport:
    """What a run judged and changed; `moved` counts changes such as `inside → outside`."""

    surveys: int = 0
    sites: int = 0
    changed: int = 0
    skipped: int = 0
    findings_added: int = 0
    findings_removed: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """The same as plain values."""
        return asdict(self) | {"moved": dict(self.moved), "seconds": round(self.seconds, 2)}


def judge_frame(frame: pd.DataFrame, shapes: AreaShapes, settings: VerdictSettings) -> pd.DataFrame:
    """The frame with the columns of a verdict added or replaced.

    frame: lon, lat (degrees, NaN for no point), accuracy_m (metres, NaN for missing), and what a
    row is compared with: `candidates` (sequences of commune codes), where that is empty
    `commune_code`; either column may be missing.
    """
    codes = frame["commune_code"] if "commune_code" in frame else [""] * len(frame)
    candidates = frame["candidates"] if "candidates" in frame else [()] * len(frame)
    recorded = Recorded.lists(
        [
            tuple(several) if len(several) else ((code,) if code else ())
            for several, code in zip(candidates, codes, strict=True)
        ]
    )
    found = judge(shapes, frame["lon"], frame["lat"], frame["accuracy_m"], recorded, settings)
    return frame.assign(**found.frame(frame.index))


def run(
    conn: Connection,
    area: areas.Area | str | None = None,
    progress: Progress | None = None,
    household_code: str | None = None,
    because: str | None = None,
    communes: set[tuple[str, str]] | None = None,
) -> AuditReport:
    """Judge the stored surveys and sites of an area (default: all) with the present boundaries.

    household_code: only those of the area's households with this code. because: why, for
    verdict_history; by default told from what differs. communes: takes up those whose counts have
    to be renewed, where the caller renews them with others.

    A verdict that differs replaces the stored one, which goes to verdict_history. Open findings
    become those of the new verdicts; one that somebody decided keeps its state. Rows that another
    transaction changes meanwhile are left to it. Raises NotFoundError, UsageError for an area
    that does not exist or has ended.
    """
    started = time.monotonic()
    if isinstance(area, str):
        area = areas.get(conn, area)
    report, touched = AuditReport(), set[tuple[str, str]]() if communes is None else communes
    shapes = boundaries.shapes(conn)
    within = {
        name: and_(
            scope.within(conn, table),
            ~table.c.removed,
            true() if area is None else areas.scope(area, table),
            true() if household_code is None else table.c.household_code == household_code,
        )
        for name, table, _ in _SUBJECTS
    }
    total = sum(
        conn.scalar(select(func.count()).select_from(table).where(within[subject])) or 0
        for subject, table, _ in _SUBJECTS
    )
    for subject, table, key in _SUBJECTS:
        rows = store.Rows(conn, subject, table, key)
        for frame in _chunks(conn, table, key, within[subject]):
            renewed = judge_frame(frame, shapes, read_settings())
            touched |= _store(rows, frame, renewed, report, because)
            setattr(report, f"{subject}s", getattr(report, f"{subject}s") + len(frame))
            if progress:
                progress(report.surveys + report.sites, total)
    if communes is None:
        metrics.recount(conn, touched)
    report.seconds = time.monotonic() - started
    return report


def _chunks(
    conn: Connection, table: Table, key: str, within: ColumnElement[bool]
) -> Iterator[pd.DataFrame]:
    """The rows of `table` by province, commune and key, CHUNK at a time."""
    order = (table.c.province_code, table.c.commune_code, table.c[key])
    mocked = [table.c.mock_location] if "mock_location" in table.c else []
    query = (
        select(
            table.c.province_code,
            table.c.commune_code,
            store.as_text(table, key),
            table.c.household_code,
            # The driver makes lists of arrays; SQLAlchemy would go through each once more.
            type_coerce(table.c.candidates, NullType()).label("candidates"),
            func.ST_X(table.c.geom).label("lon"),
            func.ST_Y(table.c.geom).label("lat"),
            table.c.accuracy_m,
            and_(table.c.as_sent.is_not(None), table.c.geom.is_not(None)).label("corrected"),
            table.c.content_hash,
            table.c.judged_at,
            *mocked,
            *(table.c[name] for name in VERDICT_COLUMNS),
        )
        .where(within)
        .order_by(*order)
        .limit(CHUNK)
    )
    last: tuple[str, str, str] | None = None
    while True:
        page = query if last is None else query.where(tuple_(*order) > last)
        rows = conn.execute(page).all()
        if not rows:
            return
        columns = zip(query.selected_columns.keys(), zip(*rows, strict=True), strict=True)
        frame = pd.DataFrame(dict(columns), dtype=object)
        numbers = dict.fromkeys(("lon", "lat", "accuracy_m", *NUMBERS), float)
        yield frame.astype(numbers)
        last = (rows[-1][0], rows[-1][1], rows[-1][2])


def _store(
    rows: store.Rows,
    old: pd.DataFrame,
    new: pd.DataFrame,
    report: AuditReport,
    because: str | None,
) -> set[tuple[str, str]]:
    """Store what differs; returns the communes that figures or tiles show otherwise now."""
    differs = store.differs(old, new)
    changed = rows.lock(old[differs])
    lost = old.index[differs].difference(changed)
    report.skipped += len(lost)
    report.changed += len(changed)
    touched = set[tuple[str, str]]()
    if len(changed):
        was, now = old.loc[changed], new.loc[changed]
        moves = was["verdict"].astype(str) + " → " + now["verdict"].astype(str)
        report.moved.update(moves[was["verdict"] != now["verdict"]])
        rows.replace_verdicts(was, now, because)
        touched = set(zip(now["province_code"], now["commune_code"], strict=True))
    kept = new.drop(lost)
    found = findings_of(kept, Context(read_settings()), rows.subject, rows.key, alone=True)
    rules = [rule.code for rule in rules_for(rows.subject, alone=True)]
    renewed = rows.renew_findings(kept, found, rules)
    report.findings_added += renewed.added
    report.findings_removed += renewed.removed
    if len(changed) or renewed.communes:
        due.mark(rows.conn, set(zip(kept["province_code"], kept["commune_code"], strict=True)))
    return touched | renewed.communes
