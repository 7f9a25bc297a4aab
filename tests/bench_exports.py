"""What taking data out costs: surveys in every format, against pandas and GeoPandas.

Both read the same rows from the same database and write a file, each in a process of its own; the
memory is the most that the process ever held.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
import pandas as pd
from sqlalchemy import Connection, create_engine

from geo import areas, exports, schema
from geo.cluster import Cluster
from geo.export_columns import RECORDS
from geo.scope import OPERATOR, bind
from geo.writing import ENDINGS, WRITERS
from tests import country_world
from tests.country_world import HAMLETS, Commune

COMPARED = 100_000
CSV_S = 15.0
"""Seconds within which 1 M rows should be in a CSV."""
KIND = "surveys"
COMMUNES = 20
OURS, OTHER = "ours", "other"
DRIVERS = {
    "geojson": "GeoJSON",
    "gpkg": "GPKG",
    "shp": "ESRI Shapefile",
    "fgb": "FlatGeobuf",
    "kml": "KML",
}
# What GDAL warns of is what a shapefile is.
_PYTHON = (sys.executable, "-W", "ignore", "-m", "tests.bench_exports")


class Taken(NamedTuple):
    """What one export took."""

    seconds: float
    peak_mb: float
    rows: int


def bench(n: int, _boundaries: Path) -> list[dict]:
    """Every format at COMPARED surveys beside the others', then CSV and all memory at n."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    try:
        return measured(cluster.url("postgres"), folder, n)
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measured(url: str, folder: Path, n: int) -> list[dict]:
    """The entries."""
    engine = create_engine(url)
    with engine.begin() as conn:
        schema.migrate(conn)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        areas.load_gazetteer(conn)
        places = _places(conn)
    few = min(n, COMPARED)
    country_world.grow(engine, places, 0, few)
    small = {format: run(OURS, url, folder, format) for format in WRITERS}
    entries = []
    for format, ours in small.items():
        other = run(OTHER, url, folder, format)
        against = "pandas" if format in ("csv", "xlsx") else "GeoPandas"
        entries.append(_entry(f"export to {format}", ours, ours.seconds, other.seconds, against))
        entries.append(
            _entry(f"memory of {format}", ours, ours.peak_mb, other.peak_mb, against, "MB")
        )
    if n > few:
        country_world.grow(engine, places, few, n)
        for format in WRITERS:
            large = run(OURS, url, folder, format)
            before = small[format]
            said = f"the same at {before.rows:,}"
            if format == "csv":
                entries.append(
                    _entry("export to csv", large, large.seconds, CSV_S, "the target for 1 M")
                )
            entries.append(
                _entry(f"memory of {format}", large, large.peak_mb, before.peak_mb, said, "MB")
            )
    engine.dispose()
    return entries


def _entry(
    name: str, taken: Taken, ours: float, other: float, against: str, unit: str = "s"
) -> dict:
    return {
        "name": name, "n": taken.rows, "ours": ours, "other": other, "ratio": other / ours,
        "unit": unit, "against": against,
    }  # fmt: skip


def _places(conn: Connection) -> list[Commune]:
    """Some communes, with hamlets in a row: where they are is nothing to an export."""
    province = areas.children(conn, areas.COUNTRY)[0].code
    found = areas.children(conn, province)[:COMMUNES]
    at = np.column_stack([np.linspace(105.1, 105.3, HAMLETS), np.full(HAMLETS, 21.0)])
    return [
        Commune(province, one.code, number, at + number * 0.02) for number, one in enumerate(found)
    ]


def run(who: str, url: str, folder: Path, format: str) -> Taken:
    """One export in a process of its own."""
    path = folder / f"out.{ENDINGS.get(format, format) if who == OURS else format}"
    done = subprocess.run(
        [*_PYTHON, who, url, format, str(path)], check=True, stdout=subprocess.PIPE
    )
    for file in folder.glob("out.*"):
        file.unlink()
    taken = Taken(**json.loads(done.stdout))
    print(f"  {who} {format} {taken.rows:,}: {taken.seconds:.2f} s", file=sys.stderr)
    return taken


def _ours(conn: Connection, format: str, path: Path) -> int:
    return exports.export(conn, KIND, areas.get(conn, areas.COUNTRY), format, path)


def _other(conn: Connection, format: str, path: Path) -> int:
    """What somebody writes who has pandas at hand."""
    of = RECORDS[KIND]
    query = of.selected(conn, areas.get(conn, areas.COUNTRY)).subquery()
    frame = pd.read_sql(query.select().with_only_columns(*_columns(query)), conn)
    if format == "csv":
        frame.to_csv(path, index=False)
        return len(frame)
    if format == "xlsx":
        # Excel knows no time zones.
        frame["surveyed_at"] = frame["surveyed_at"].astype(str)
        frame.to_excel(path, index=False)
        return len(frame)
    points = geopandas.points_from_xy(frame.pop("lon"), frame.pop("lat"))
    made = geopandas.GeoDataFrame(frame, geometry=points, crs=4326)
    if format == "parquet":
        made.to_parquet(path)
    else:
        made["survey_id"] = made["survey_id"].astype(str)
        made.to_file(path, driver=DRIVERS[format])
    return len(made)


def _columns(query) -> list:
    return [query.c[column.name] for column in RECORDS[KIND].columns]


WHO: dict[str, Callable[[Connection, str, Path], int]] = {OURS: _ours, OTHER: _other}


def _peak_mb() -> float:
    """The most memory that this process held so far; getrusage would tell its parent's, too."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in one)
    return int(line.split()[1]) / 1024


def main(who: str, url: str, format: str, path: str) -> None:
    engine = create_engine(url)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        began = time.perf_counter()
        rows = WHO[who](conn, format, Path(path))
        took = time.perf_counter() - began
    print(json.dumps(Taken(took, _peak_mb(), rows)._asdict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
