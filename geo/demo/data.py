"""Synthetic households, surveys and sites: the same for the same seed, and the truth of each.

People, numbers and houses are invented; areas and the ways of writing addresses are real.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

import numpy as np

from geo.demo.addresses import DemoCommune, recorded_address, village
from geo.demo.points import houses, measured
from geo.demo.surveys import Home, Truth, surveys
from geo.demo.words import GROUPS, MEN, STREAMS, SURNAMES, WOMEN
from geo.errors import UsageError
from geo.intake.records import CAUSES
from geo.tables import STAGES
from geo.verdicts.matching import AreaShapes

Row = dict[str, object]

_OWN_POINT_SHARE = 0.6
_SITE_SHARE = 0.12
_MILLION = 1_000_000


@dataclass
class DemoData:
    """Rows in the formats of docs/import.md, and where every survey was truly made."""

    households: list[Row] = field(default_factory=list)
    surveys: list[Row] = field(default_factory=list)
    sites: list[Row] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)


@dataclass(frozen=True)
class _Commune:
    """What all households of one commune have in common."""

    commune: DemoCommune
    group: str
    poor: float
    near_poor: float


def generate(
    shapes: AreaShapes, communes: Sequence[DemoCommune], households: int, seed: int, today: date
) -> DemoData:
    """Make `households` households with their surveys and sites; nothing lies after `today`.

    Only communes that have a polygon in `shapes` are used. The same arguments give the same data.
    Raises UsageError when there is no commune to put them in.
    """
    used = sorted((c for c in communes if shapes.index(c.code) is not None), key=lambda c: c.code)
    if not used:
        raise UsageError("No commune of these provinces has a boundary; load boundaries first.")
    words, rng = Random(seed), np.random.default_rng(seed)  # noqa: S311 - nothing secret  # nosec B311
    data = DemoData()
    homes: dict[str, list[Home]] = {}
    weights = rng.lognormal(0, 0.35, len(used))
    counts = rng.multinomial(households, weights / weights.sum())
    for commune, count in zip(used, counts, strict=True):
        homes[commune.code] = _households(words, rng, shapes, commune, int(count), data, today)
    data.surveys, data.truth = surveys(words, rng, shapes, used, homes, today)
    data.sites = _sites(words, rng, data.households, homes, today)
    return data


def _households(
    words: Random,
    rng: np.random.Generator,
    shapes: AreaShapes,
    commune: DemoCommune,
    count: int,
    data: DemoData,
    today: date,
) -> list[Home]:
    place = shapes.index(commune.code)
    polygon = shapes.polygons[place]
    lon, lat, hamlet = houses(rng, polygon, count, 90.0 if commune.urban else 220.0)
    villages: dict[int, str] = {}
    common = _character(words, commune)
    made = []
    for i in range(count):
        number = int(hamlet[i])
        name = villages.setdefault(number, village(words, commune, number))
        x, y = float(lon[i]), float(lat[i])
        code = f"DEMO-{commune.province_code}-{len(data.households) + 1:06d}"
        row = _person(words, common, today.year) | {
            "household_code": code,
            "province_code": commune.province_code,
            "recorded_address": recorded_address(words, commune, name, x, y),
            "village": name,
        }
        if words.random() < _OWN_POINT_SHARE:
            accuracy = round(words.uniform(4, 20), 1)
            row["lon"], row["lat"] = _rounded(measured(rng, x, y, accuracy))
            row["accuracy_m"] = accuracy
        data.households.append(row)
        made.append(Home(code, commune.code, commune.province_code, x, y, number))
    return made


def _character(words: Random, commune: DemoCommune) -> _Commune:
    groups = GROUPS.get(commune.province_code, GROUPS[""])
    group = words.choices(list(groups), list(groups.values()))[0]
    if commune.urban:
        return _Commune(commune, "Kinh", words.uniform(0.005, 0.04), words.uniform(0.01, 0.06))
    poor = words.betavariate(1.6, 8.0) if group == "Kinh" else words.betavariate(2.5, 6.0)
    return _Commune(commune, group, poor, 0.6 * poor)


def _person(words: Random, common: _Commune, year: int) -> Row:
    group = common.group if words.random() < 0.85 else "Kinh"
    woman = words.random() < 0.28
    names = WOMEN if woman else MEN
    head = f"{words.choice(SURNAMES[group])} {words.choice(names.get(group, names['']))}"
    born = words.randint(1945, 2003)
    sex = (0 if born < 2000 else 2) + woman
    origin = int(common.commune.province_code)
    row: Row = {
        "head_name": head,
        "ethnicity": group,
        "members": words.choices(range(1, 11), (6, 12, 17, 24, 18, 11, 6, 3, 2, 1))[0],
        "status": _status(words, common),
        "status_year": year,
        "national_id": f"{origin:03d}{sex}{born % 100:02d}{words.randrange(10**6):06d}",
    }
    if row["status"] in ("poor", "near_poor"):
        row["causes"] = ";".join(words.sample(CAUSES, words.choice((1, 1, 2, 2, 3))))
    return row


def _status(words: Random, common: _Commune) -> str:
    chance = words.random()
    if chance < common.poor:
        return "poor"
    if chance < common.poor + common.near_poor:
        return "near_poor"
    return "average" if words.random() < 0.35 else "none"


def _rounded(point: tuple[float, float]) -> tuple[float, float]:
    return round(point[0], 7), round(point[1], 7)


_DONE_SHARE = (0.0, 0.0, 0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0)
"""Of the planned cost, what is paid at each of the STAGES."""

_STAGE_WEIGHTS = (8, 7, 8, 6, 8, 8, 8, 12, 10, 25)


def _sites(
    words: Random,
    rng: np.random.Generator,
    households: list[Row],
    homes: dict[str, list[Home]],
    today: date,
) -> list[Row]:
    """Houses to be replaced, for an eighth of the poor and a few of the near-poor."""
    where = {home.code: home for group in homes.values() for home in group}
    rows: list[Row] = []
    numbers: dict[str, int] = defaultdict(int)
    shares = {"poor": _SITE_SHARE, "near_poor": _SITE_SHARE / 3}
    for household in households:
        if words.random() >= shares.get(str(household["status"]), 0.0):
            continue
        home = where[str(household["household_code"])]
        numbers[home.province_code] += 1
        code = f"DEMO-{home.province_code}-N-{numbers[home.province_code]:05d}"
        rows.append(_site(words, rng, home, code, today))
    return rows


def _site(words: Random, rng: np.random.Generator, home: Home, code: str, today: date) -> Row:
    kind = "new" if words.random() < 0.7 else "repair"
    stage = words.choices(range(len(STAGES)), _STAGE_WEIGHTS)[0]
    planned = (60 if kind == "new" else 30) * _MILLION + words.choice((0, 0, 5, 10, 20)) * _MILLION
    accuracy = round(words.uniform(4, 15), 1)
    lon, lat = _rounded(measured(rng, home.lon, home.lat, accuracy))
    row: Row = {
        "site_code": code,
        "household_code": home.code,
        "province_code": home.province_code,
        "kind": kind,
        "stream": words.choice(STREAMS),
        "eligible": 1,
        "stage": STAGES[stage],
        "cost_planned": planned,
        "cost_paid": int(planned * _DONE_SHARE[stage]) // 100_000 * 100_000,
        "lon": lon,
        "lat": lat,
        "accuracy_m": accuracy,
    }
    approved = today.toordinal() - words.randint(60, 300)
    if STAGES[stage] in ("proposed", "verified"):
        row["stage_on"] = date.fromordinal(approved).isoformat()
        return row
    reached = approved + round((today.toordinal() - approved) * words.uniform(0.2, 0.95))
    row["approved_on"] = date.fromordinal(approved).isoformat()
    row["due_on"] = date.fromordinal(approved + words.choice((120, 150, 180, 240))).isoformat()
    row["stage_on"] = row["approved_on"] if stage == 2 else date.fromordinal(reached).isoformat()
    return row
