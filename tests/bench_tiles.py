"""Tiles of n surveys against PostGIS alone, which reads the same points and writes the same tile.

In a cluster of its own, as the web server's role under row-level security; PostGIS as the owner.
`python -m tests.bench --only tiles`
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, Engine, create_engine, text

from geo import layers
from geo.cells import tile_range
from geo.cluster import Cluster
from geo.db import become_runtime
from geo.layers.source import COUNTRY
from geo.scope import OPERATOR, Scope, bind
from tests.bench_scope import COMMUNES, DEGREES, PROVINCES, SIDE, fill, tile_at

ROUNDS = 15
POINTS = text("""
    SELECT ST_AsMVT(tile, 'surveys', 4096, 'geom')
    FROM (
        SELECT ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 0, false)
                   AS geom,
               survey_id::text AS id, verdict, commune_code
        FROM survey
        WHERE cell >= :first AND cell < :after AND NOT removed
    ) AS tile
""")
SQUARES = text("""
    SELECT ST_AsMVT(tile, 'surveys', 4096, 'geom')
    FROM (
        SELECT ST_AsMVTGeom(ST_Transform(point, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 0, false)
                   AS geom, count, inside, uncertain, outside
        FROM (
            SELECT ST_SetSRID(ST_MakePoint(avg(ST_X(geom)), avg(ST_Y(geom))), 4326) AS point,
                   count(*), count(*) FILTER (WHERE verdict = 'inside') AS inside,
                   count(*) FILTER (WHERE verdict = 'uncertain') AS uncertain,
                   count(*) FILTER (WHERE verdict = 'outside') AS outside
            FROM survey
            WHERE cell >= :first AND cell < :after AND NOT removed
            GROUP BY cell >> (2 * (31 - :z - 6))
        ) AS square
    ) AS tile
""")


def bench(n: int, _boundaries: Path) -> list[dict]:
    """Tiles of five zooms in the middle of the country: milliseconds, and what they weigh."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    cluster.start()
    try:
        engine = create_engine(cluster.url("postgres"))
        fill(engine, n)
        results = [entry(engine, n, z) for z in (5, 6, 8, 12, 14)]
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return results


def entry(engine: Engine, n: int, z: int) -> dict:
    """One tile by both, in turns."""
    middle = int((10 - 0.5) * COMMUNES / PROVINCES)
    lon, lat = 102 + (middle % SIDE + 0.5) * DEGREES, 10 + (middle // SIDE + 0.5) * DEGREES
    x, y = tile_at(z, lon, lat)
    first, after = tile_range(z, x, y)
    given = {"z": z, "x": x, "y": y, "first": first, "after": after}

    def ours(conn: Connection) -> bytes:
        return layers.tile(conn, "surveys", z, x, y, COUNTRY)

    def other(conn: Connection) -> bytes:
        made = conn.execute(SQUARES if z <= 8 else POINTS, given)
        return bytes(made.scalar_one())

    took: dict[bool, list[float]] = {True: [], False: []}
    weight = 0
    for round_ in range(2 * ROUNDS):
        mine = round_ % 2 == 0
        milliseconds, size = timed(engine, ours if mine else other, mine)
        took[mine].append(milliseconds)
        weight = size if mine else weight
    fast, slow = median(took[True]), median(took[False])
    return {
        "name": f"tile of zoom {z}, {weight / 1024:.0f} KB",
        "n": n,
        "ours": fast,
        "other": slow,
        "ratio": slow / fast,
        "unit": "ms",
        "against": "ST_AsMVT over the same rows, counted live up to zoom 8, without a scope",
    }


def timed(
    engine: Engine, read: Callable[[Connection], bytes], as_runtime: bool
) -> tuple[float, int]:
    """Milliseconds and bytes of one tile."""
    with engine.begin() as conn:
        if as_runtime:
            become_runtime(conn)
        bind(conn, Scope(everything=True) if as_runtime else OPERATOR)
        start = time.perf_counter()
        body = read(conn)
        return (time.perf_counter() - start) * 1000, len(body)
