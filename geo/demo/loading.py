"""Demo data in the database: loaded through the import like anyone's, labelled, and taken out."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, exists, select, union

from geo import boundaries, metrics
from geo.config import settings
from geo.db import sql
from geo.demo.addresses import DemoCommune, FormerCommune
from geo.demo.data import DemoData, Row, generate
from geo.demo.surveys import Truth
from geo.errors import ConflictError
from geo.intake.imports import ImportReport, import_rows
from geo.tables import household, site, survey

PROVINCES = ("19", "46", "08")
HOUSEHOLDS = 20_000
SEED = 1

Progress = Callable[[int, int | None], None]


def load(
    conn: Connection,
    provinces: Iterable[str] = PROVINCES,
    households: int = HOUSEHOLDS,
    seed: int = SEED,
    progress: Progress | None = None,
) -> list[ImportReport]:
    """Make demo data for the provinces (two-digit codes), store it, and write the truth file.

    Raises ConflictError when demo data is there already, UsageError when no commune of the
    provinces has a boundary.
    """
    if conn.execute(select(household.c.demo).where(household.c.demo).limit(1)).first():
        raise ConflictError("There is demo data already; `ancu demo --remove` takes it out.")
    today = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    data = generate(
        boundaries.shapes(conn), demo_communes(conn, provinces), households, seed, today
    )
    reports = _store(conn, data, progress)
    write_truth(truth_file(), data.truth)
    return reports


def _store(conn: Connection, data: DemoData, progress: Progress | None) -> list[ImportReport]:
    kinds = {"households": data.households, "surveys": data.surveys, "sites": data.sites}
    total = sum(map(len, kinds.values()))
    before = 0
    reports = []
    for kind, rows in kinds.items():
        if not rows:
            continue
        advance = _counting_from(before, total, progress) if progress else None
        numbered: Iterable[tuple[int, Row]] = enumerate(rows, start=1)
        reports.append(
            import_rows(conn, kind, numbered, source="demo", demo=True, progress=advance)
        )
        before += len(rows)
    return reports


def _counting_from(before: int, total: int, progress: Progress) -> Progress:
    return lambda done, _total: progress(before + done, total)


def ensure(conn: Connection, progress: Progress | None = None) -> str | None:
    """Load demo data into a database without households; what was done, None when nothing.

    In the default provinces where these have boundaries, else in those that have.
    """
    if conn.execute(select(household.c.household_code).limit(1)).first():
        return None
    here = _provinces_with_boundaries(conn)
    chosen = [code for code in PROVINCES if code in here] or here[: len(PROVINCES)]
    if not chosen:
        return "There is no demo data: no boundaries are loaded."
    reports = load(conn, chosen, HOUSEHOLDS, progress=progress)
    counted = ", ".join(f"{report.added:,} {report.kind}" for report in reports)
    return f"Synthetic demo data: {counted}. `ancu demo --remove` takes it out."


def remove(conn: Connection) -> dict[str, int]:
    """Take the demo data out and leave real rows alone; how many rows of each kind went.

    `kept households`: demo households that real surveys or sites belong to.
    """
    keys = (household.c.province_code, household.c.commune_code)
    pairs = [
        tuple(row)
        for row in conn.execute(
            union(
                select(*keys).where(household.c.demo),
                select(survey.c.province_code, survey.c.commune_code).where(survey.c.demo),
                select(site.c.province_code, site.c.commune_code).where(site.c.demo),
            )
        )
    ]
    counts = dict(conn.execute(sql("demo_remove")).mappings().one())
    needed = [
        exists().where(
            table.c.province_code == household.c.province_code,
            table.c.commune_code == household.c.commune_code,
            table.c.household_code == household.c.household_code,
        )
        for table in (survey, site)
    ]
    gone = conn.execute(
        delete(household).where(household.c.demo, *(~condition for condition in needed))
    )
    kept = conn.execute(select(household.c.household_code).where(household.c.demo)).all()
    metrics.recount(conn, pairs)
    truth_file().unlink(missing_ok=True)
    return {"households": gone.rowcount, "kept households": len(kept), **counts}


def demo_communes(conn: Connection, provinces: Iterable[str]) -> list[DemoCommune]:
    """The present communes of the provinces, with the former ones that they were made of."""
    rows = conn.execute(sql("demo_communes"), {"provinces": list(provinces)}).mappings()
    return [
        DemoCommune(
            code=row["code"],
            province_code=row["province_code"],
            parts=_parts(row["parts"]),
            urban=row["urban"],
            lon=row["lon"],
            lat=row["lat"],
            former=tuple(
                FormerCommune(_parts(old["parts"]), old["lon"], old["lat"]) for old in row["former"]
            ),
        )
        for row in rows
    ]


def _parts(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((kind, name) for kind, name in pairs)


def _provinces_with_boundaries(conn: Connection) -> list[str]:
    """Codes of the provinces whose communes have boundaries, those with most communes first."""
    rows = conn.execute(sql("demo_provinces"))
    return [row.province_code for row in rows]


def truth_file() -> Path:
    """Where the truth about each demo survey is written."""
    return settings().home / "demo-truth.csv"


def write_truth(path: Path, truth: Sequence[Truth]) -> None:
    """Write the truth of each survey as CSV, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(field.name for field in fields(Truth))
        writer.writerows(map(astuple, truth))
    part.replace(path)
