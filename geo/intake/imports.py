"""Files and rows into the database: all or nothing, or the good rows and a file of the bad ones."""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlalchemy import Connection, Table, column, func, select, text

from geo import metrics
from geo.audit import due
from geo.errors import RejectedError, UsageError
from geo.intake.batches import Batch, Numbered, batches
from geo.intake.pipeline import ahead
from geo.intake.readers import open_source
from geo.intake.reading_apart import WORTH_FROM, read_apart
from geo.intake.records import MODELS, required
from geo.intake.rejects import Rejects, refuse_itself, rejects_file
from geo.intake.session import ImportReport, Intake
from geo.intake.source import Source
from geo.intake.storing_households import store_households
from geo.intake.storing_sites import store_sites
from geo.intake.storing_surveys import store_surveys
from geo.sending import send
from geo.tables import household, site, survey

Progress = Callable[[int, int | None], None]
"""Called with the rows done and about how many there are, None when unknown."""

_Prepared = AbstractContextManager[Iterator[Batch]]

MAX_REFUSED = 1000
"""Without a rejects file reading stops here: the file needs another look anyway."""

_ANALYZE_FROM = 10_000
_FEW = 100
"""So many rows are read before a thread to read them has begun."""


@dataclass(frozen=True)
class _Kind:
    table: Table
    store: Callable[[Intake, Batch], None]


KINDS = {
    "households": _Kind(household, store_households),
    "surveys": _Kind(survey, store_surveys),
    "sites": _Kind(site, store_sites),
}


class _DryRun(Exception):  # noqa: N818 - not an error: it leaves the savepoint without its changes
    pass


def import_file(
    conn: Connection,
    kind: str,
    path: Path,
    *,
    rejects: Path | None = None,
    dry_run: bool = False,
    demo: bool = False,
    progress: Progress | None = None,
    source: str | None = None,
    apart: bool = False,
) -> ImportReport:
    """Store the rows of a CSV, XLSX, GeoJSON or GeoPackage file; kind: households, surveys, sites.

    Without `rejects` one bad row refuses the whole file; with it the good rows are stored and the
    bad ones written there. `dry_run` does everything but storing. `source`: the name to report.
    `apart`: this process may start another one to read a large file.
    Raises UsageError for a file that is not there, RejectedError when nothing was stored.
    """
    _known(kind)
    opened = open_source(path)
    refuse_itself(path, rejects)
    if opened.columns is not None:
        missing = [name for name in required(kind) if name not in opened.columns]
        if missing:
            raise RejectedError(
                f"{path.name} lacks the column{'s' if len(missing) > 1 else ''} "
                f"{', '.join(missing)}; it has {', '.join(opened.columns)}."
            )
    name = source or path.name
    if apart and path.stat().st_size >= WORTH_FROM:
        prepared = read_apart(kind, path)
    else:
        prepared = ahead(batches(kind, opened.rows))
    return _import(conn, kind, opened, prepared, name, rejects, dry_run, demo, progress)


def import_rows(
    conn: Connection,
    kind: str,
    rows: Iterable[Numbered],
    *,
    source: str,
    rejects: Path | None = None,
    dry_run: bool = False,
    demo: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Store rows given as (number, column → value), as `import_file` does; blanks may be None."""
    _known(kind)
    given = (
        (number, {name: value for name, value in row.items() if value is not None and value != ""})
        for number, row in rows
    )
    few = isinstance(rows, Sized) and len(rows) <= _FEW
    read = batches(kind, given)
    prepared = nullcontext(read) if few else ahead(read)
    return _import(conn, kind, Source(given), prepared, source, rejects, dry_run, demo, progress)


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise UsageError(f"{kind!r} cannot be imported; known kinds: {', '.join(KINDS)}.")


def _import(
    conn: Connection,
    kind: str,
    source: Source,
    prepared: _Prepared,
    name: str,
    rejects: Path | None,
    dry_run: bool,
    demo: bool,
    progress: Progress | None,
) -> ImportReport:
    intake = Intake(conn, kind, name, demo, KINDS[kind].table)
    intake.report.dry_run = dry_run
    columns = source.columns or tuple(MODELS[kind].model_fields)
    with rejects_file(rejects, columns) as refused:
        try:
            with conn.begin_nested():
                _store_all(intake, kind, prepared, refused, progress, source.total)
                _finish(intake, kind)
                if dry_run:
                    raise _DryRun
        except _DryRun:
            pass  # the savepoint is rolled back, the report and the rejects file stay
    return intake.report


def _store_all(
    intake: Intake,
    kind: str,
    prepared: _Prepared,
    refused: Rejects | None,
    progress: Progress | None,
    total: int | None,
) -> None:
    """Store batch after batch, in the order of the source, while the next ones are read."""
    report = intake.report
    with prepared as ready:
        for batch in ready:
            intake.begin_batch(batch)
            KINDS[kind].store(intake, batch)
            if refused:
                refused.add(intake.rejected)
            elif report.rejected >= MAX_REFUSED:
                break
            if progress:
                progress(report.rows, total)
    intake.load_now()
    if not report.rows:
        raise RejectedError(f"{report.source} holds no row: only its header was found.")
    if report.rejected and not refused:
        found = f"{report.rejected} of {report.rows} rows cannot be stored."
        if report.rejected >= MAX_REFUSED:
            found = (
                f"{report.rejected} of the first {report.rows} rows cannot be stored; "
                "reading stopped there."
            )
        raise RejectedError(
            f"{report.source}: {found} Nothing was stored.",
            [(problem.line, problem.reason) for problem in report.problems],
        )


def _finish(intake: Intake, kind: str) -> None:
    """Renew the counts and the planner's statistics, and keep the report."""
    report = intake.report
    if report.added >= _ANALYZE_FROM:
        _analyze(intake.conn, KINDS[kind].table)
    touched = intake.communes | intake.added.communes
    metrics.recount(intake.conn, intake.communes, intake.added, sites_only=kind == "sites")
    intake.finish()
    send(intake.conn, [*due.marking(touched), ("keep_report", _job(intake))])


def _job(intake: Intake) -> dict[str, object]:
    """An import's row in import_job."""
    report = intake.report
    return {
        "import_id": report.import_id,
        "account_id": intake.scope.account_id,
        **_senders_area(intake),
        "kind": report.kind,
        "source": report.source,
        "started_at": intake.started_at,
        "finished_at": datetime.now(UTC),
        "report": orjson.dumps(report.as_dict()).decode(),
        "demo": intake.demo,
    }


def _senders_area(intake: Intake) -> dict[str, str]:
    """The one commune or province that the sender works for; '' for more, and for the country."""
    area, several = intake.scope, {"province_code": "", "commune_code": ""}
    if area.everything or len(area.provinces) + len(area.communes) != 1:
        return several
    for commune in area.communes:
        province = intake.places.province_alone(commune)
        return {"province_code": province, "commune_code": commune}
    return several | {"province_code": next(iter(area.provinces))}


def _analyze(conn: Connection, table: Table) -> None:
    """Renew the planner's statistics, which is the owner's business; others leave it to him."""
    owner = select(func.pg_has_role(column("relowner"), "USAGE")).select_from(text("pg_class"))
    if conn.scalar(owner.where(column("oid") == func.to_regclass(table.name))):
        conn.execute(text(f"ANALYZE {table.name}"))
