"""What looking costs as the country grows: the same looks at 100,000, 1 M … households.

One cluster on the real communes, grown from size to size up to n. `make bench BENCH_ARGS="--only
country -n 10000000"` takes about half an hour and 25 GB of disk.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, create_engine, text

from geo import areas, config, db, layers
from geo.accounts import keys, store, tokens
from geo.cluster import Cluster
from geo.intake.imports import import_rows
from geo.scope import OPERATOR, Scope, bind
from tests import country_http, country_world, people
from tests.country_look import interactive_s
from tests.country_world import Commune
from web.app import create_app

SIZES = (100_000, 1_000_000, 10_000_000)
ZOOMS = range(17)
DENSEST = 6
"""At most so many of a zoom's fullest tiles are drawn; the slowest one counts."""
ENOUGH = 60
FILTERS: tuple[dict[str, object], ...] = (
    {"verdict": "outside"},
    {"rule": "outside"},
    {"since": date(2026, 9, 5), "until": date(2026, 9, 6)},
)
INSERTS, IMPORTED = 30, 30_000
HTTP_TILES, HTTP_ZOOMS = 1_200, (12, 13, 14)


@dataclass(frozen=True)
class Found:
    """One measurement at one size."""

    name: str
    value: float
    unit: str


def bench(n: int, file: Path) -> list[dict]:
    """The entries: each measurement at each size, beside the size before; and tipg's."""
    folder = Path(tempfile.mkdtemp(prefix="ancu-bench-"))
    folder.chmod(0o755)
    own_settings(folder)
    cluster = Cluster(folder)
    cluster.start()
    try:
        engine = create_engine(cluster.url("postgres"))
        places = country_world.prepare(engine, file)
        entries, before = [], 0
        rows: dict[str, list[tuple[int, Found]]] = {}
        for size in sorted({*(one for one in SIZES if one < n), n}):
            print(f"  {size:,} households …", file=sys.stderr)
            country_world.grow(engine, places, before, size)
            for one in measure(engine, cluster, places, size):
                rows.setdefault(one.name, []).append((size, one))
            entries += against_tipg(engine, places, size)
            before = size
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return [entry for found in rows.values() for entry in growing(found)] + entries


def own_settings(folder: Path) -> None:
    """Keys of the measurement's own, and no limit on its haste."""
    os.environ["ANCU_KEYS"] = str(folder / "keys.json")
    os.environ["ANCU_RATE_PER_MINUTE"] = "100000000"
    config.settings.cache_clear()
    keys.make(folder / "keys.json")


def growing(found: list[tuple[int, Found]]) -> Iterator[dict]:
    """A measurement at its sizes, each compared with the size before."""
    last: tuple[int, Found] | None = None
    for size, one in found:
        yield {
            "name": one.name,
            "n": size,
            "ours": one.value,
            "other": last[1].value if last else None,
            "ratio": last[1].value / one.value if last else None,
            "unit": one.unit,
            "against": f"the same at {last[0]:,}" if last else None,
        }
        last = size, one


def measure(engine: Engine, cluster: Cluster, places: list[Commune], size: int) -> Iterator[Found]:
    """All looks at one size."""
    yield from tiles(engine, places)
    yield from pages(cluster.url("postgres"), places)
    yield from writes(engine, places, size)


def tiles(engine: Engine, places: list[Commune]) -> Iterator[Found]:
    """The slowest of the fullest tiles of each zoom, as the server's role with the country."""
    at = np.vstack([one.hamlets for one in places])
    for z in ZOOMS:
        took, largest = slowest(engine, z, fullest(at, z))
        yield Found(f"slowest tile of zoom {z}", took, "ms")
        if z == 6:
            yield Found("largest tile of zoom 6", largest / 1024, "KB")
    who = {"enumerator": f"{places[0].code}-0"}
    for filters in (*FILTERS, who):
        took = max(slowest(engine, z, fullest(at, z), filters)[0] for z in (5, 8, 10, 12))
        yield Found(f"slowest tile with {' and '.join(filters)}", took, "ms")


def fullest(at: np.ndarray, z: int) -> list[tuple[int, int]]:
    """The tiles of a zoom with most hamlets (lon, lat; n by 2)."""
    x = ((at[:, 0] + 180) / 360 * (1 << z)).astype(int)
    north = (1 - np.arcsinh(np.tan(np.radians(at[:, 1]))) / np.pi) / 2
    found, counts = np.unique(
        np.stack([x, (north * (1 << z)).astype(int)]), axis=1, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")[:DENSEST]
    return [(int(one[0]), int(one[1])) for one in found[:, order].T]


def slowest(
    engine: Engine, z: int, at: Sequence[tuple[int, int]], filters: dict | None = None
) -> tuple[float, int]:
    """Milliseconds of the slowest tile (the better of two tries), bytes of the largest."""
    took, sizes = [], []
    for x, y in at:
        tries = []
        for _ in range(2):
            with engine.begin() as conn:
                bind(conn, Scope(everything=True), db.RUNTIME_ROLE)
                country = areas.get(conn, "VN")
                start = time.perf_counter()
                body = layers.tile(conn, "surveys", z, x, y, country, **(filters or {}))
                tries.append((time.perf_counter() - start) * 1000)
        took.append(min(tries))
        sizes.append(len(body))
    return max(took), max(sizes)


def pages(url: str, places: list[Commune]) -> Iterator[Found]:
    """Server time of pages, and the map page in Chromium."""
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        browser = people.client(app, conn)
    one = places[len(places) // 2]
    for name, code in (("country", "VN"), ("province", one.province_code), ("commune", one.code)):
        yield Found(f"progress page of a {name}", page_ms(browser, f"/progress/{code}"), "ms")
    yield Found("map page", page_ms(browser, "/map/VN"), "ms")
    yield Found("map page, HTML", len(browser.get("/map/VN").data) / 1024, "KB")
    yield Found("map page interactive in Chromium", interactive_s(app, url), "s")
    db.engine(url).dispose()


def page_ms(browser: FlaskClient, path: str) -> float:
    def once() -> None:
        if browser.get(path).status_code != 200:
            raise RuntimeError(path)

    once()
    return median(milliseconds(once) for _ in range(7))


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def writes(engine: Engine, places: list[Commune], size: int) -> Iterator[Found]:
    """One survey sent alone, and an import of IMPORTED spread over the country."""
    each = round(size / len(places))
    random = np.random.default_rng(size)
    homes = random.choice(len(places) * each, INSERTS + IMPORTED, replace=False)
    rows = [visit(places[home // each], int(home % each), size) for home in homes.tolist()]
    alone = [milliseconds(lambda row=row: store_rows(engine, [row])) for row in rows[:INSERTS]]
    yield Found("one survey stored, with counters and pyramid", median(alone[5:]), "ms")
    took = milliseconds(lambda: store_rows(engine, rows[INSERTS:]))
    yield Found("import of 30,000 surveys over the country, each row", took / IMPORTED, "ms")
    there = [one for one in places if one.province_code == places[0].province_code]
    some = [
        visit(there[i % len(there)], i // len(there), size + 1)
        for i in range(min(IMPORTED, each * len(there)))
    ]
    took = milliseconds(lambda: store_rows(engine, some))
    yield Found("import of surveys of one province, each row", took / len(some), "ms")


def visit(place: Commune, number: int, again: int) -> dict[str, object]:
    """One more survey of a stored household, as a sender gives it."""
    lon, lat = place.hamlets[number % len(place.hamlets)]
    return {
        "survey_id": f"{again:08d}-0000-4000-9000-{place.number:05d}{number:07d}",
        "household_code": f"H{place.code}-{number:06d}",
        "surveyed_at": "2026-09-20T09:00:00+07:00",
        "enumerator": f"{place.code}-{number // 200}",
        "lon": round(lon + number % 97 * 1e-5, 6),
        "lat": round(lat + number % 89 * 1e-5, 6),
        "accuracy_m": 8.0,
    }


def store_rows(engine: Engine, rows: list[dict[str, object]]) -> None:
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        report = import_rows(conn, "surveys", list(enumerate(rows, 1)), source="measurement")
        if report.added != len(rows):
            raise RuntimeError(f"{report.added} of {len(rows)} rows were stored")


def against_tipg(engine: Engine, places: list[Commune], size: int) -> Iterator[dict]:
    """Tiles a second that nobody asked for before, over HTTP; An Cư with accounts and log."""
    chosen = list(asked(places, HTTP_TILES))
    with engine.begin() as conn:
        secret = token(conn)
    header = f"Authorization: Bearer {secret}\r\n"
    with country_http.home() as home:
        url = engine.url.render_as_string(hide_password=False)
        with country_http.ancu(url, home) as at:
            country_http.rate(
                at, [f"/tiles/surveys/{z}/{x}/{y}.mvt" for z, x, y in chosen[:ENOUGH]], header
            )
            ours = country_http.rate(
                at, [f"/tiles/surveys/{z}/{x}/{y}.mvt" for z, x, y in chosen[ENOUGH:]], header
            )
    other = others_rate(engine, chosen)
    yield {
        "name": "uncached tiles of zoom 12 to 14 over HTTP",
        "n": size,
        "ours": ours,
        "other": other,
        "ratio": None if other is None else ours / other,
        "unit": "requests/s",
        "against": "tipg on the same table with a GiST index, without accounts and log",
    }


def others_rate(engine: Engine, chosen: list[tuple[int, int, int]]) -> float | None:
    """tipg's rate for the same tiles; with the spatial index that it needs and An Cư does not."""
    with engine.begin() as conn:
        conn.execute(text("CREATE INDEX for_tipg ON survey USING gist (geom)"))
    paths = [f"/collections/public.survey/tiles/WebMercatorQuad/{z}/{x}/{y}" for z, x, y in chosen]
    try:
        with country_http.tipg(engine.url) as at:
            if at is None:
                return None
            country_http.rate(at, paths[:ENOUGH])
            return country_http.rate(at, paths[ENOUGH : 5 * ENOUGH])
    finally:
        with engine.begin() as conn:
            conn.execute(text("DROP INDEX for_tipg"))


def asked(places: list[Commune], count: int) -> Iterator[tuple[int, int, int]]:
    """Different tiles where people live."""
    random = np.random.default_rng(5)
    seen = set()
    while len(seen) < count:
        z = int(random.choice(HTTP_ZOOMS))
        place = places[random.integers(len(places))].hamlets[
            [random.integers(country_world.HAMLETS)]
        ]
        ((x, y),) = fullest(place, z)
        if (z, x, y) not in seen:
            seen.add((z, x, y))
            yield z, x, y


def token(conn: Connection) -> str:
    bind(conn, OPERATOR)
    account_id = people.add(conn, "supervisor@VN")
    user = store.user_of(conn, account_id)
    return tokens.make(conn, user, "measurement", ["records.read"], 2)[1]
