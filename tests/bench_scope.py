"""What scoping costs: the same reads as the role under row-level security, and without any scope.

n surveys in 3,321 square communes of 34 provinces, in a cluster of its own.
`python -m tests.bench --only scope`
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from sqlalchemy import Connection, Engine, create_engine, text

from geo import areas, cells, copying, layers, metrics, schema, surveys
from geo.areas import Area
from geo.cluster import Cluster
from geo.db import become_runtime
from geo.scope import OPERATOR, Scope, bind
from geo.tables import household, survey

COMMUNES, PROVINCES, SIDE, DEGREES = 3321, 34, 58, 0.12
AGAINST = "the same query as the owner, without row-level security and without a scope"
ROUNDS = 20


def bench(n: int, _boundaries: Path) -> list[dict]:
    """A bounding box of about 1,000 rows and tiles of three zooms, for three kinds of people."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    try:
        engine = create_engine(cluster.url("postgres"))
        fill(engine, n)
        results = measure(engine, n)
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return results


def fill(engine: Engine, n: int) -> None:
    """Store n households with a survey each; a commune's points stand in its square."""
    random = np.random.default_rng(7)
    commune = np.sort(random.integers(0, COMMUNES, n))
    lon = 102 + (commune % SIDE + random.random(n)) * DEGREES
    lat = 10 + (commune // SIDE + random.random(n)) * DEGREES
    keys = {
        "province_code": [f"{c * PROVINCES // COMMUNES + 1:02d}" for c in commune.tolist()],
        "commune_code": [f"{c:05d}" for c in commune.tolist()],
        "household_code": [f"H{i}" for i in range(n)],
    }
    known = {"content_hash": ["x"] * n, "demo": [True] * n}
    place = {"geom": copying.points(lon, lat), "cell": cells.stored(lon, lat)}
    named = {"head_name": ["Nguyễn Văn A"] * n, "recorded_address": ["Thôn 1"] * n}
    with engine.begin() as conn:
        schema.migrate(conn)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        areas.load_gazetteer(conn)
        copying.copy(conn, household, {**keys, **named, "search_key": [""] * n, **place, **known})
        visit = {
            "survey_id": [f"00000000-0000-4000-8000-{i:012d}" for i in range(n)],
            "surveyed_at": ["2026-09-01T08:00:00+07:00"] * n,
            "enumerator": ["E"] * n,
            "verdict": [("inside", "outside", "uncertain")[i % 3] for i in range(n)],
        }
        copying.copy(conn, survey, {**keys, **visit, **place, **known})
        pairs = zip(keys["province_code"], keys["commune_code"], strict=True)
        metrics.recount(conn, dict.fromkeys(pairs))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))


def measure(engine: Engine, n: int) -> list[dict]:
    """The entries of the bench."""
    # A box of about 1,000 rows and a point in the middle of a commune of the tenth province.
    middle = int((10 - 0.5) * COMMUNES / PROVINCES)
    lon, lat = 102 + (middle % SIDE + 0.5) * DEGREES, 10 + (middle // SIDE + 0.5) * DEGREES
    half = DEGREES * (1000 * COMMUNES / n) ** 0.5 / 2
    box = (lon - half, lat - half, lon + half, lat + half)
    country = Area(0, "VN", "country", "", "", "", None, None, None, None)
    province = Area(0, "10", "province", "", "", "", None, "10", None, None)
    people = {
        "country": (Scope(everything=True), country),
        "province": (Scope(provinces=frozenset(["10"])), province),
    }
    reads: dict[str, Callable[[Connection, Area], object]] = {
        "bounding box of 1,000 rows": lambda conn, area: surveys.listing(
            conn, area, bbox=box, order="id", limit=1000
        ),
        **{
            f"tile of zoom {z}": lambda conn, area, z=z: layers.tile(
                conn, "surveys", z, *tile_at(z, lon, lat), area
            )
            for z in (5, 8, 11, 13)
        },
    }
    results = []
    for name, read in reads.items():
        for who, (scope, area) in people.items():
            ours, other = paired(engine, read, scope, area)
            results.append(entry(f"{name}, scope of the {who}", n, ours, other))
    return results


def tile_at(z: int, lon: float, lat: float) -> tuple[int, int]:
    """The column and row of the tile that holds a point; OSM slippy map numbering."""
    row = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * (1 << z)
    return int((lon + 180) / 360 * (1 << z)), int(row)


def paired(
    engine: Engine, read: Callable[[Connection, Area], object], scope: Scope, area: Area
) -> tuple[float, float]:
    """Median milliseconds with and without a scope, taken in turns."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for round_ in range(2 * ROUNDS):
        scoped = round_ % 2 == 0
        with engine.begin() as conn:
            if scoped:
                become_runtime(conn)
            bind(conn, scope if scoped else OPERATOR)
            start = time.perf_counter()
            read(conn, area)
            took[scoped].append((time.perf_counter() - start) * 1000)
    return median(took[True]), median(took[False])


def entry(name: str, n: int, ours: float, other: float) -> dict:
    return {
        "name": name,
        "n": n,
        "ours": ours,
        "other": other,
        "ratio": other / ours,
        "unit": "ms",
        "against": AGAINST,
    }
