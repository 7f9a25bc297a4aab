"""From stored surveys to stored verdicts: `ancu audit run` against one PostGIS statement.

n surveys of the real communes stand in a cluster of their own and have no verdict yet. PostGIS
gets the borders indexed and cut out beforehand, reads the rows in the order of their communes,
looks elsewhere only for those outside, and tells P as at a straight border; it writes the same
columns, and neither findings nor figures as the run does. Metres come from the ellipsoid, as ours
do, or, in the second measurement, from one projection of the whole country, which is quicker and
wrong by up to 0.2 % (2.6 % at Trường Sa). All is rolled back.
`python -m tests.bench --only audit_run`
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, create_engine, text

from geo import areas, boundaries, cells, copying, schema
from geo.audit.run import run
from geo.cluster import Cluster
from geo.scope import OPERATOR, bind
from geo.tables import household, survey
from tests.bench_matching import surveys

AGAINST = "one PostGIS statement: UPDATE … FROM, communes indexed, rows by commune"
METRES = {
    "metres by geography": "ST_Distance(c.outline, v.geom::geography)",
    "metres in UTM 48": "ST_Distance(c.border, ST_Transform(v.geom, 3405))",
}

PREPARED = """
CREATE TABLE commune_shape AS
SELECT
    a.code, b.geom, v.accuracy_m, v.version,
    ST_Transform(ST_Boundary(b.geom), 3405) AS border, ST_Boundary(b.geom)::geography AS outline
FROM boundary b JOIN area a USING (area_id) JOIN boundary_version v USING (version)
WHERE a.level = 'commune' AND a.valid_to IS NULL AND b.superseded_at IS NULL;
CREATE UNIQUE INDEX ON commune_shape (code);
CREATE INDEX ON commune_shape USING gist (geom);
ANALYZE commune_shape
"""

# P is the logistic curve nearest to the normal one: PostgreSQL before 16 has no erf().
STATEMENT = """
UPDATE survey s SET
    verdict = CASE WHEN p >= 0.95 THEN 'inside' WHEN p <= 0.05 THEN 'outside' ELSE 'uncertain' END,
    probability = p, distance_m = metres, accuracy_used_m = used, boundary_accuracy_m = accuracy,
    recorded_code = recorded, located_code = located, boundary_version = version,
    judged_at = now()
FROM (
    SELECT
        *,
        1 / (1 + exp(-1.702 * greatest(least(
            metres / sqrt((used / 1.515) ^ 2 + accuracy ^ 2), 40), -40))) AS p
    FROM (
        SELECT
            province_code, commune_code, survey_id, used, accuracy, version, recorded,
            CASE WHEN held THEN recorded ELSE (
                SELECT min(c.code) FROM commune_shape c WHERE ST_Intersects(c.geom, found.geom)
            ) END AS located,
            CASE WHEN held THEN 1 ELSE -1 END * away AS metres
        FROM (
            SELECT
                v.province_code, v.commune_code, v.survey_id, v.geom, c.code AS recorded,
                coalesce(v.accuracy_m, 30) AS used, c.accuracy_m AS accuracy, c.version,
                ST_Intersects(c.geom, v.geom) AS held,
                {metres} AS away
            FROM survey v JOIN commune_shape c ON c.code = v.candidates[1]
            ORDER BY c.code
        ) AS found
    ) AS measured
) AS judged
WHERE s.province_code = judged.province_code AND s.commune_code = judged.commune_code
    AND s.survey_id = judged.survey_id
"""


def bench(n: int, boundaries_file: Path) -> list[dict]:
    """Seconds of both from the first row read to the last one stored."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    try:
        engine = create_engine(cluster.url("postgres"))
        fill(engine, n, boundaries_file)
        ours, verdicts = timed(engine, run)
        others = {name: timed(engine, by_postgis(metres)) for name, metres in METRES.items()}
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for _, found in others.values():
        agreement(verdicts, found)
    return [
        {
            "name": "verdicts read, judged and stored",
            "n": n,
            "ours": n / ours,
            "other": n / other,
            "ratio": other / ours,
            "unit": "rows/s",
            "against": f"{AGAINST}, {name}",
        }
        for name, (other, _) in others.items()
    ]


def fill(engine: Engine, n: int, boundaries_file: Path) -> None:
    """Store n households, each with a survey that has no verdict; 5 % stand elsewhere."""
    with engine.begin() as conn:
        schema.migrate(conn)
    with engine.begin() as conn:
        areas.load_gazetteer(conn)
        boundaries.load(conn, boundaries_file, boundaries.LoadOptions())
        conn.exec_driver_sql(PREPARED)
        province = dict(conn.execute(text("SELECT code, province_code FROM area")).fetchall())
        lon, lat, recorded = surveys(boundaries.shapes(conn), n)
    keys = {
        "province_code": [province[code] for code in recorded],
        "commune_code": recorded.tolist(),
        "household_code": [f"H{i}" for i in range(n)],
        "content_hash": ["x"] * n,
    }
    named = {"head_name": ["Nguyễn Văn A"] * n, "recorded_address": ["Thôn 1"] * n}
    visit = {
        "survey_id": [f"00000000-0000-4000-8000-{i:012d}" for i in range(n)],
        "surveyed_at": ["2026-09-01T08:00:00+07:00"] * n,
        "enumerator": ["E"] * n,
        "candidates": [copying.array((code,)) for code in recorded],
        "geom": copying.points(lon, lat),
        "cell": cells.stored(lon, lat),
        "accuracy_m": np.random.default_rng(3).uniform(3, 25, n).round(1).tolist(),
    }
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        copying.copy(conn, household, {**keys, **named, "search_key": [""] * n})
        copying.copy(conn, survey, {**keys, **visit})


def by_postgis(metres: str) -> Callable[[Connection], None]:
    def judge(conn: Connection) -> None:
        conn.exec_driver_sql("SET LOCAL work_mem = '256MB'")
        conn.exec_driver_sql(STATEMENT.format(metres=metres))

    return judge


def timed(engine: Engine, work: Callable[[Connection], object]) -> tuple[float, dict[str, int]]:
    """Seconds, and how many verdicts of each kind there are then."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE survey"))
        conn.execute(text("CHECKPOINT"))
    with engine.connect() as conn, conn.begin() as transaction:
        bind(conn, OPERATOR)
        start = time.perf_counter()
        work(conn)
        took = time.perf_counter() - start
        count = text("SELECT verdict, count(*) FROM survey GROUP BY verdict")
        verdicts = dict(conn.execute(count).fetchall())
        transaction.rollback()
    return took, verdicts


def agreement(ours: dict[str, int], others: dict[str, int]) -> None:
    """Raise where the two come to other verdicts, so that only equal work is compared."""
    for verdict in ("inside", "outside", "uncertain"):
        one, two = ours.get(verdict, 0), others.get(verdict, 0)
        if abs(one - two) > 0.005 * sum(ours.values()):
            raise AssertionError(f"{verdict}: {one} by An Cư, {two} by PostGIS")
