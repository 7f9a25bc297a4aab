"""Loads boundaries from files, downloads or the sketch, and sees to them on the first start."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, insert, select, text

from geo.boundaries import download, drawing, placement, sketch
from geo.boundaries import files as boundary_files
from geo.boundaries import store as boundary_store
from geo.boundaries.download import Network
from geo.boundaries.files import LoadOptions as LoadOptions
from geo.boundaries.files import Polygons
from geo.boundaries.reading import current_source
from geo.boundaries.store import Progress
from geo.config import settings
from geo.db import sql
from geo.errors import UnavailableError, UsageError
from geo.tables import area, boundary, boundary_version, site, survey

_CURRENT = boundary.c.superseded_at.is_(None)
_PRESENT = area.c.valid_to.is_(None)


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `version` is None when nothing changed."""

    version: int | None
    level: str
    source: str
    polygons: int
    provinces: tuple[str, ...] = ()
    repaired: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    judge_again: bool = False
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The report in sentences, one a line."""
        if self.version is None:
            return [f"{self.source} is loaded already; nothing changed."]
        said = [
            f"Loaded {self.polygons} {self.level} polygons in {len(self.provinces)} provinces as "
            f"version {self.version} ({self.source}) in {self.seconds:.1f} s."
        ]
        said += [f"Repaired: {one}" for one in self.repaired]
        said += self.notes
        if self.missing:
            said.append(
                f"Without a polygon in these provinces: {len(self.missing)} communes "
                f"({', '.join(self.missing[:10])}{' …' if len(self.missing) > 10 else ''})."
            )
        if self.judge_again:
            said.append("Stored verdicts rest on the former boundaries: run `ancu audit run`.")
        return said


def load(
    conn: Connection, path: Path, options: LoadOptions, progress: Progress | None = None
) -> LoadReport:
    """Load one file: all of it or, when any row cannot be used, nothing.

    The same file with the same options changes nothing. Raises UsageError and RejectedError.
    """
    check_options(options)
    if not path.is_file():
        raise UsageError(f"{path} is not a file.")
    digest = boundary_files.digest(path)
    source = options.source or path.name
    if _loaded_already(conn, digest, options, source):
        return LoadReport(None, options.level, source, 0)
    return load_polygons(
        conn, boundary_files.read(path, options), options, path.name, digest, progress
    )


def load_polygons(
    conn: Connection,
    polygons: Polygons,
    options: LoadOptions,
    file_name: str | None = None,
    digest: str | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Store usable polygons as one version; see `load`."""
    began = time.monotonic()
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ancu.boundaries'))"))
    placed, notes = placement.place(conn, polygons, options)
    source = options.source or file_name or "unnamed"
    version = conn.execute(
        insert(boundary_version).returning(boundary_version.c.version),
        {
            "source": source,
            "licence": options.licence,
            "accuracy_m": options.accuracy_m,
            "sketch": options.sketch,
            "file_name": file_name,
            "file_sha256": digest,
        },
    ).scalar_one()
    report = progress or (lambda *_: None)
    communes = boundary_store.replace(
        conn, version, placed, polygons.repaired, options.level, report
    )
    drawing.draw(conn, communes)
    report(boundary_store.STEPS, boundary_store.STEPS)
    provinces = tuple(sorted(set(placed.province_codes)))
    return LoadReport(
        version,
        options.level,
        source,
        len(placed),
        provinces,
        [
            f"{polygons.codes[i]} {polygons.names[i][:60]}: {said}"
            for i, said in polygons.repaired.items()
        ],
        [*polygons.notes, *notes],
        _without_polygon(conn, provinces),
        _has_verdicts(conn),
        time.monotonic() - began,
    )


def load_download(
    conn: Connection,
    provinces: Iterable[str],
    progress: Progress | None = None,
    network: Network | None = None,
) -> LoadReport:
    """Download the communes of provinces from ANCU_DOWNLOAD_URL and load them as one version.

    Raises UsageError for an unknown province and UnavailableError when files cannot be had.
    """
    wanted = download.units(conn, provinces)
    base_url = settings().download_url
    paths = download.fetch(
        wanted, base_url, settings().home / "downloads", network=network, progress=progress
    )
    options = LoadOptions(source=base_url, licence=download.LICENCE)
    digest = boundary_files.digest(*paths)
    if _loaded_already(conn, digest, options, base_url):
        return LoadReport(None, options.level, base_url, 0)
    polygons = download.polygons(wanted, paths)
    return load_polygons(conn, polygons, options, None, digest, progress)


def load_sketch(
    conn: Connection,
    provinces: Iterable[str] = sketch.DEMO_PROVINCES,
    progress: Progress | None = None,
) -> LoadReport:
    """Sketch the communes of provinces; those that have real boundaries are left alone."""
    wanted = list(dict.fromkeys(provinces))
    notes = {code: current_source(conn, code) for code in wanted}
    real = [code for code, note in notes.items() if note is not None and not note.sketch]
    open_to_it = [code for code in wanted if code not in real]
    kept = f"Left alone, because they have real boundaries: {', '.join(real)}." if real else ""
    if real and not open_to_it:
        raise UsageError(kept)
    polygons = sketch.polygons(conn, open_to_it)
    if kept:
        polygons.notes.append(kept)
    return load_polygons(conn, polygons, sketch.OPTIONS, progress=progress)


_FIRST_RUN = Network(connect_s=4.0, read_s=20.0, attempts=2)
_SHIPPED = Path(__file__).parents[2] / "data" / "boundaries"


def ensure(conn: Connection, progress: Progress | None = None) -> str:
    """See that there are boundaries, for the first start; what was done, '' when nothing was.

    What ANCU_BOUNDARIES or data/boundaries/ names; else a download of the demo provinces; else,
    without a network, the sketch. A sketch gives way to a file as soon as one is named.
    """
    present = current_source(conn)
    if present is not None and not drawing.done(conn):
        drawing.draw(conn)
    if present is not None and not present.sketch:
        return ""
    files = _named_files()
    if files:
        reports = [load(conn, path, LoadOptions(), progress) for path in files]
        return "\n".join(line for report in reports for line in report.lines())
    if present is not None:
        return ""
    try:
        report = load_download(conn, sketch.DEMO_PROVINCES, progress, _FIRST_RUN)
        return "\n".join(report.lines())
    except UnavailableError as error:
        report = load_sketch(conn, progress=progress)
        return "\n".join([f"{error} A sketch takes their place for now.", *report.lines()])


def _named_files() -> list[Path]:
    """The boundary files that ANCU_BOUNDARIES names, else those in data/boundaries/."""
    named = settings().boundaries
    if named is not None and not named.exists():
        raise UsageError(f"ANCU_BOUNDARIES names {named}, which does not exist.")
    place = named or _SHIPPED
    if place.is_file():
        return [place]
    files = [f for f in place.glob("*") if f.suffix.lower() in boundary_files.SUFFIXES]
    if named is not None and not files:
        raise UsageError(f"ANCU_BOUNDARIES names {named}, which holds no boundary file.")
    return sorted(files)


def check_options(options: LoadOptions) -> None:
    """Raise UsageError for an accuracy or level that makes no sense."""
    if not 0 < options.accuracy_m <= 50_000:
        raise UsageError("--accuracy-m must be metres above 0 and not above 50000.")
    if options.level not in ("commune", "province"):
        raise UsageError("--level must be commune or province.")


def _loaded_already(conn: Connection, digest: str, options: LoadOptions, source: str) -> bool:
    """Whether these bytes were loaded with these options and nothing has replaced them since."""
    found = conn.execute(
        sql("boundary_unchanged"),
        {
            "sha256": digest,
            "source": source,
            "licence": options.licence,
            "accuracy_m": options.accuracy_m,
            "level": options.level,
        },
    )
    return found.first() is not None


def _without_polygon(conn: Connection, provinces: tuple[str, ...]) -> list[str]:
    has_one = select(boundary.c.area_id).where(_CURRENT)
    found = conn.execute(
        select(area.c.code)
        .where(area.c.level == "commune", _PRESENT, area.c.province_code.in_(provinces))
        .where(area.c.area_id.notin_(has_one))
        .order_by(area.c.code)
    )
    return list(found.scalars())


def _has_verdicts(conn: Connection) -> bool:
    return any(
        conn.execute(select(table.c.province_code).limit(1)).first() is not None
        for table in (survey, site)
    )
