"""Profiles: how often an enumerator's or a device's surveys are doubted, against its peers."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sqlalchemy import ColumnElement, Connection, Date, Text, and_, cast, func, select

from geo import areas, paging, scope
from geo.areas import Area
from geo.audit.queue import midnight
from geo.audit_tables import audit_item
from geo.config import settings
from geo.errors import UsageError
from geo.rules import FAMILIES, RULES
from geo.tables import survey

BY = ("enumerator", "device_id")
LEVEL = 0.95
"""Of the intervals."""
LEAST_ALIKE = 0.02
"""The least correlation within one enumerator's surveys that is assumed."""

DOUBT = 0.2
"""The weight from which a rule raises a doubt; lighter ones are remarks and count in no profile."""

Floats = NDArray[np.float64]


def compare(surveys: Floats, doubted: Floats) -> pd.DataFrame:
    """Each one's rate of doubted surveys with its interval, and whether it stands out.

    surveys, doubted: n counts. rate, low, high: Wilson's interval (E. B. Wilson 1927) at LEVEL.
    peers: the rate of all others together. p: how probable so many or more are for somebody like
    the others, who differ among themselves too (beta-binomial, by the moments of the others'
    rates); p_adjusted: for having looked at all of them (S. Holm 1979). stands_out: p_adjusted is
    at most `ANCU_PROFILE_SIGNIFICANCE`, of `ANCU_PROFILE_SURVEYS` or more.
    """
    known = settings()
    n, k = np.asarray(surveys, float), np.asarray(doubted, float)
    low, high = _wilson(n, k)
    rest_n, rest_k = n.sum() - n, k.sum() - k
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, peers = k / n, rest_k / rest_n
    p = np.array([_tail(i, n, k) for i in range(len(n))])
    adjusted = _holm(p)
    return pd.DataFrame(
        {
            "surveys": n.astype(int),
            "doubted": k.astype(int),
            "rate": rate,
            "low": low,
            "high": high,
            "peers": peers,
            "p": p,
            "p_adjusted": adjusted,
            "stands_out": (adjusted <= known.profile_significance) & (n >= known.profile_surveys),
        }
    )


def _wilson(n: Floats, k: Floats) -> tuple[Floats, Floats]:
    z = stats.norm.ppf((1 + LEVEL) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = k / n
        middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def _tail(i: int, n: Floats, k: Floats) -> float:
    """P(as many doubted as `i` has, or more) for one like the others."""
    others = np.arange(len(n)) != i
    rest_n, rest_k = n[others], k[others]
    if not n[i] or not rest_n.sum() or not k[i]:
        return 1.0
    # Half a doubted survey more: peers without any would make one finding a miracle.
    mean = (rest_k.sum() + 0.5) / (rest_n.sum() + 1.0)
    size = 1 / _correlation(rest_n, rest_k, mean) - 1
    return float(stats.betabinom.sf(k[i] - 1, n[i], mean * size, (1 - mean) * size))


def _correlation(n: Floats, k: Floats, mean: float) -> float:
    """How alike surveys of one enumerator are, 0 to 1: by moments (J. C. Kleinman 1973).

    Never below LEAST_ALIKE: honest people's villages and phones differ, and few peers hide it.
    """
    if len(n) < 3 or n.sum() <= len(n):
        return LEAST_ALIKE
    rates = k[n > 0] / n[n > 0]
    weights = n[n > 0]
    observed = float((weights * (rates - mean) ** 2).sum())
    chance = mean * (1 - mean) * float((1 - weights / weights.sum()).sum())
    more = mean * (1 - mean) * float((weights - weights**2 / weights.sum()).sum()) - chance
    return float(np.clip((observed - chance) / more, LEAST_ALIKE, 0.5)) if more > 0 else LEAST_ALIKE


def _holm(p: Floats) -> Floats:
    order = np.argsort(p)
    steps = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


@dataclass(frozen=True)
class Asked:
    """Whose profiles: of which area's surveys, by enumerator or device, made on which days."""

    area: Area
    by: str = "enumerator"
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(f"{self.by!r} is none of: {', '.join(BY)}.")


def of(conn: Connection, asked: Asked) -> list[paging.Record]:
    """The profiles of an area, those who stand out first, then by the interval's lower end.

    Each: name, the columns of `compare` (p's left out), families: family → (doubted, rate of the
    peers, stands_out), days, last_at. Doubted is what has a finding that is held against somebody
    and that no auditor explained or repaired; remarks do not count.
    Peers are the others of the same area and days.
    """
    counted = _counted(conn, asked)
    if not len(counted):
        return []
    told = compare(counted["surveys"].to_numpy(float), counted["doubted"].to_numpy(float))
    told = pd.concat([counted[["name", "days", "last_at"]], told], axis=1)
    told["families"] = pd.Series(_by_family(counted), dtype=object)
    told = told.sort_values(["stands_out", "low", "name"], ascending=[False, False, True])
    return [paging.plain(one) for one in told.drop(columns=["p"]).to_dict("records")]


def _by_family(counted: pd.DataFrame) -> list[dict[str, tuple[int, float, bool]]]:
    surveys = counted["surveys"].to_numpy(float)
    compared = {
        family: compare(surveys, counted[family].to_numpy(float))
        for family in FAMILIES
        if counted[family].any()
    }
    return [
        {
            family: (int(of.doubted[i]), float(of.peers[i]), bool(of.stands_out[i]))
            for family, of in compared.items()
            if of.doubted[i]
        }
        for i in range(len(counted))
    ]


def _counted(conn: Connection, asked: Asked) -> pd.DataFrame:
    """name, surveys, days, last_at, doubted, and how many are doubted by a rule of each family."""
    name = survey.c[asked.by].label("name")
    local = func.timezone("Asia/Ho_Chi_Minh", survey.c.surveyed_at)
    counts: list[ColumnElement] = [
        func.count().label("surveys"),
        func.count(func.distinct(cast(local, Date))).label("days"),
        func.max(survey.c.surveyed_at).label("last_at"),
        func.count().filter(_BLAMED).label("doubted"),
    ]
    for family in FAMILIES:
        rules = [c for c, r in RULES.items() if r.family == family and r.weight >= DOUBT]
        hit = and_(_BLAMED, audit_item.c.counted.overlap(rules))
        counts.append(func.count().filter(hit).label(family))
    same = and_(
        audit_item.c.province_code == survey.c.province_code,
        audit_item.c.commune_code == survey.c.commune_code,
        audit_item.c.subject == "survey",
        audit_item.c.subject_id == cast(survey.c.survey_id, Text),
    )
    found = conn.execute(
        select(name, *counts)
        .select_from(survey.outerjoin(audit_item, same))
        .where(*_conditions(conn, asked))
        .group_by(name)
        .order_by(name)
    )
    return pd.DataFrame(found.all(), columns=list(found.keys()))


def _conditions(conn: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    chosen = [
        scope.within(conn, survey),
        areas.scope(asked.area, survey),
        ~survey.c.removed,
        survey.c[asked.by].is_not(None),
        survey.c[asked.by] != "",
    ]
    if asked.since:
        chosen.append(survey.c.surveyed_at >= midnight(asked.since))
    if asked.until:
        chosen.append(survey.c.surveyed_at < midnight(asked.until + timedelta(days=1)))
    return chosen


_BLAMED = and_(
    audit_item.c.risk >= 100 * DOUBT, audit_item.c.state.not_in(("explained", "repaired"))
)
