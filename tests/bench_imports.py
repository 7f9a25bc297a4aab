"""Rows per second from a CSV file into the database, verdicts included, against to_postgis.

A cluster of its own, the given communes, surveys as in bench_matching (5 % recorded elsewhere).
`python -m tests.bench --only imports -n 100000`
"""

import csv
import gc
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, create_engine, func, select

from geo import areas, boundaries, schema
from geo.cluster import Cluster
from geo.intake.imports import import_file
from geo.scope import OPERATOR, bind
from geo.tables import survey
from tests.bench_matching import shapes_of, surveys

AGAINST = "pandas.read_csv + geopandas.to_postgis of the same rows, no checks, no verdicts"


def bench(n: int, boundaries_file: Path) -> list[dict]:
    """Import n households and n surveys of them, then give the surveys to to_postgis."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    gc.set_threshold(1_000_000, 20, 100)  # as the command does
    cluster.start()
    try:
        engine = create_engine(cluster.url("postgres"))
        with engine.begin() as conn:
            schema.migrate(conn)
        with engine.begin() as conn:
            areas.load_gazetteer(conn)
            boundaries.load(conn, boundaries_file, boundaries.LoadOptions())
        households_csv, surveys_csv = write(folder, n, boundaries_file)
        households = timed(
            engine, lambda conn: import_file(conn, "households", households_csv, apart=True)
        )
        ours = timed(engine, lambda conn: import_file(conn, "surveys", surveys_csv, apart=True))
        with engine.connect() as conn:
            stored = conn.execute(select(func.count()).select_from(survey)).scalar_one()
        if stored != n:
            raise AssertionError(f"{stored} of {n} surveys are stored")
        other = timed(engine, lambda conn: to_postgis(conn, surveys_csv))
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return [
        entry("import of households", n, households, None),
        entry("import of surveys with verdicts", n, ours, other),
    ]


def entry(name: str, n: int, ours: float, other: float | None) -> dict:
    return {
        "name": name,
        "n": n,
        "ours": n / ours,
        "other": None if other is None else n / other,
        "ratio": None if other is None else other / ours,
        "unit": "rows/s",
        "against": None if other is None else AGAINST,
    }


def timed(engine: Engine, work: Callable[[Connection], object]) -> float:
    start = time.perf_counter()
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        work(conn)
    return time.perf_counter() - start


def to_postgis(conn: Connection, path: Path) -> None:
    frame = pd.read_csv(path, dtype={"household_code": str}, parse_dates=["surveyed_at"])
    points = geopandas.points_from_xy(frame.pop("lon"), frame.pop("lat"))
    table = geopandas.GeoDataFrame(frame, geometry=points, crs=4326)
    table.to_postgis("other_survey", conn, index=False)


def write(folder: Path, n: int, boundaries_file: Path) -> tuple[Path, Path]:
    """The files of n households and their surveys."""
    communes = geopandas.read_parquet(boundaries_file).sort_values("code", ignore_index=True)
    lon, lat, recorded = surveys(shapes_of(communes), n)
    names = dict(zip(communes["code"], communes["full_name"], strict=True))
    accuracy = np.random.default_rng(3).uniform(3, 25, n).round(1)
    numbers = np.random.default_rng(4).bytes(16 * n)
    first, second = folder / "households.csv", folder / "surveys.csv"
    with first.open("w", newline="") as one, second.open("w", newline="") as two:
        homes, visits = csv.writer(one), csv.writer(two)
        homes.writerow(
            ["household_code", "head_name", "recorded_address", "commune_code", "status"]
        )
        visits.writerow(
            [
                "survey_id",
                "household_code",
                "surveyed_at",
                "enumerator",
                "lon",
                "lat",
                "accuracy_m",
                "mock_location",
                "device_id",
            ]
        )
        for i in range(n):
            code = f"H-{i:07d}"
            address = f"Thôn {i % 20}, {names[recorded[i]]}"
            homes.writerow((code, f"Nguyễn Văn {i % 500}", address, recorded[i], "poor"))
            visits.writerow(
                (
                    uuid.UUID(bytes=numbers[16 * i : 16 * i + 16], version=4),
                    code,
                    f"2026-09-{i % 28 + 1:02d}T08:15:00+07:00",
                    f"enumerator {i % 150}",
                    round(lon[i], 6),
                    round(lat[i], 6),
                    accuracy[i],
                    0,
                    f"device {i % 150}",
                )
            )
    return first, second
