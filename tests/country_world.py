"""A country's worth of households for measurements: stored without intake, on the real communes.

Every commune gets the same number of households, so wards of 3 km² hold as many as communes of
300: the densest tiles come out denser than in life. Houses stand around hamlets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from sqlalchemy import Connection, Engine, select, text

from geo import areas, boundaries, cells, copying, metrics, schema
from geo.boundaries import LoadOptions
from geo.scope import OPERATOR, bind
from geo.tables import area, finding, household, site, survey

VERDICTS = ("inside", "uncertain", "outside")
STATUSES = ("poor", "near_poor", "average", "none")
STAGES = ("approved", "started", "roof", "completed", "handed_over")
HAMLETS, SPREAD = 24, 0.0025
"""Hamlets a commune, and degrees around them (1 σ)."""
EACH_SITE, EACH_DOUBT = 10, 20
"""One household of so many has a rebuild site; one survey of so many has a finding."""
_TOGETHER = 200_000


@dataclass(frozen=True)
class Commune:
    """A commune and its hamlets (lon, lat; EPSG:4326 degrees)."""

    province_code: str
    code: str
    number: int
    hamlets: np.ndarray


def prepare(engine: Engine, file: Path) -> list[Commune]:
    """A migrated database with the country's areas and boundaries; its communes."""
    with engine.begin() as conn:
        schema.migrate(conn)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        areas.load_gazetteer(conn)
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        boundaries.load(conn, file, LoadOptions(source="measurement", licence="", accuracy_m=25))
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        return communes(conn)


def communes(conn: Connection) -> list[Commune]:
    """The present communes that have a boundary, by code."""
    shapes = boundaries.shapes(conn)
    provinces = {
        row.code: row.province_code
        for row in conn.execute(
            select(area.c.code, area.c.province_code).where(
                area.c.level == "commune", area.c.valid_to.is_(None)
            )
        )
    }
    random = np.random.default_rng(11)
    found = sorted(zip(shapes.codes, shapes.polygons, strict=True), key=lambda one: one[0])
    return [
        Commune(provinces[code], code, number, hamlets(shape, random))
        for number, (code, shape) in enumerate(found)
        if code in provinces
    ]


def hamlets(shape: shapely.Geometry, random: np.random.Generator) -> np.ndarray:
    """HAMLETS points in a shape."""
    west, south, east, north = shapely.bounds(shape)
    shapely.prepare(shape)
    found = np.empty((0, 2))
    while len(found) < HAMLETS:
        tried = random.uniform((west, south), (east, north), (4 * HAMLETS, 2))
        found = np.vstack([found, tried[shapely.contains_xy(shape, tried)]])
    return found[:HAMLETS]


def grow(engine: Engine, places: list[Commune], before: int, total: int) -> None:
    """Add households `before` to `total` of the country, a survey each; then count all anew."""
    each = [round(n / len(places)) for n in (before, total)]
    for some in _together(places, each[1] - each[0]):
        with engine.begin() as conn:
            bind(conn, OPERATOR)
            # Foreign keys of what is made here hold; to check them would double the time.
            conn.execute(text("SET LOCAL session_replication_role = replica"))
            _store(conn, some, *each)
    # Without it the planner takes tables that were just filled for empty, and counts for hours.
    _at_once(engine, "ANALYZE")
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        metrics.recount(conn, [(one.province_code, one.code) for one in places])
    _at_once(engine, "VACUUM ANALYZE")


def _at_once(engine: Engine, statement: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(statement))


def survey_id(commune: int, number: int) -> str:
    """The id of a commune's survey."""
    return f"00000000-0000-4000-8000-{commune:05d}{number:07d}"


def _together(places: list[Commune], each: int) -> Iterator[list[Commune]]:
    many = max(_TOGETHER // max(each, 1), 1)
    return (places[at : at + many] for at in range(0, len(places), many))


def _store(conn: Connection, places: list[Commune], first: int, after: int) -> None:
    count = after - first
    random = np.random.default_rng(places[0].number * 1_000_003 + first)
    numbers = np.tile(np.arange(first, after), len(places))
    at = np.concatenate([one.hamlets[random.integers(0, HAMLETS, count)] for one in places])
    lon, lat = (at + random.normal(0, SPREAD, at.shape)).T
    keys: dict[str, list] = {
        "province_code": [one.province_code for one in places for _ in range(count)],
        "commune_code": [one.code for one in places for _ in range(count)],
        "household_code": [
            f"H{code}-{number:06d}"
            for code, number in zip(
                (one.code for one in places for _ in range(count)), numbers.tolist(), strict=True
            )
        ],
    }
    known = {"content_hash": ["x"] * len(numbers)}
    place = {"geom": copying.points(lon, lat), "cell": cells.stored(lon, lat)}
    status = random.integers(0, len(STATUSES), len(numbers))
    copying.copy(conn, household, {
        **keys, **place, **known,
        "head_name": ["Nguyễn Văn A"] * len(numbers),
        "recorded_address": ["Thôn 1"] * len(numbers),
        "search_key": ["nguyen van a"] * len(numbers),
        "status": [STATUSES[i] for i in status],
        "status_year": [2026] * len(numbers),
    })  # fmt: skip
    visit = _surveys(places, keys, numbers, random)
    copying.copy(conn, survey, {**keys, **place, **known, **visit})
    _sites(conn, {**keys, **place, **known}, numbers, random)
    _findings(conn, {**keys, **visit, "cell": place["cell"]})


def _surveys(
    places: list[Commune], keys: dict[str, list], numbers: np.ndarray, random: np.random.Generator
) -> dict[str, list]:
    verdicts = random.choice(3, len(numbers), p=(0.92, 0.05, 0.03))
    count = len(numbers) // len(places)
    minutes = random.integers(0, 15 * 24 * 60, len(numbers)) * np.timedelta64(1, "m")
    days = np.datetime64("2026-09-01T00:00") + minutes
    owners = [one.number for one in places for _ in range(count)]
    return {
        "survey_id": [
            survey_id(who, number) for who, number in zip(owners, numbers.tolist(), strict=True)
        ],
        "surveyed_at": [f"{day}:00+07:00" for day in days.astype(str).tolist()],
        # An enumerator has about 200 households, all in one commune.
        "enumerator": [
            f"{code}-{number // 200}"
            for code, number in zip(keys["commune_code"], numbers.tolist(), strict=True)
        ],
        "verdict": [VERDICTS[i] for i in verdicts],
        "accuracy_m": random.uniform(3, 25, len(numbers)).round(1).tolist(),
        "probability": [(0.99, 0.5, 0.01)[i] for i in verdicts],
        "distance_m": [(120.0, 2.0, -900.0)[i] for i in verdicts],
        "recorded_code": keys["commune_code"],
    }


def _sites(
    conn: Connection, columns: dict[str, list], numbers: np.ndarray, random: np.random.Generator
) -> None:
    chosen = np.flatnonzero(numbers % EACH_SITE == 0).tolist()
    taken = {name: [values[i] for i in chosen] for name, values in columns.items()}
    stages = random.integers(0, len(STAGES), len(chosen))
    copying.copy(conn, site, {
        **taken,
        "site_code": [f"S{code}" for code in taken["household_code"]],
        "kind": ["new" if i % 3 else "repair" for i in chosen],
        "stage": [STAGES[i] for i in stages],
        "stage_on": ["2026-09-10"] * len(chosen),
        "cost_planned": [60_000_000] * len(chosen),
        "verdict": ["inside"] * len(chosen),
    })  # fmt: skip


def _findings(conn: Connection, visits: dict[str, list]) -> None:
    verdicts = visits["verdict"]
    doubted = [i for i, verdict in enumerate(verdicts) if verdict != "inside"]
    doubted = doubted[:: max(len(doubted) * EACH_DOUBT // max(len(verdicts), 1), 1)]
    copying.copy(conn, finding, {
        **{
            name: [visits[name][i] for i in doubted]
            for name in ("province_code", "commune_code", "cell")
        },
        "subject": ["survey"] * len(doubted),
        "subject_id": [visits["survey_id"][i] for i in doubted],
        "rule": [verdicts[i] for i in doubted],
        "severity": [3 if verdicts[i] == "outside" else 1 for i in doubted],
    })  # fmt: skip
