"""Recall and precision of each audit rule on injected faults; see docs/audit-quality.md.

A line each for recall and precision: `ours` is the share reached, `other` the target where there
is one, n the rows that it is a share of. `python -m tests.bench --only audit`
"""

import sys
from pathlib import Path

import geopandas
import pandas as pd
from rich.console import Console
from rich.table import Table

from geo.config import Settings
from geo.rules import RULES
from tests import fault_frames, fault_score, faults
from tests.bench_matching import shapes_of
from tests.fault_score import GROSS, MUST, OF_NOBODY, Score

A_PROVINCE = 30_000


def bench(n: int, boundaries: Path) -> list[dict]:
    """Faults of every kind in three provinces, at most A_PROVINCE households each."""
    communes = geopandas.read_parquet(boundaries).sort_values("code", ignore_index=True)
    shapes = shapes_of(communes)
    known, hits, near, outside = [], [], 0, 0
    for code in faults.PROVINCES:
        land = faults.make(code, faults.polygons_of(communes, code), min(n // 3, A_PROVINCE))
        surveys, sites, found = fault_frames.found(land, shapes, Settings())
        known.append(fault_score.truth(surveys, sites))
        hits.append(found)
        at_border, wrong = fault_score.border(surveys)
        near, outside = near + at_border, outside + wrong
    scores = fault_score.scores(pd.concat(known), pd.concat(hits), RULES)
    Console(file=sys.stderr, width=120).print(as_table(scores))
    return [entry for score in scores for entry in _entries(score)] + [
        {
            "name": "audit: honest points within 3 σ of the border called outside",
            "n": near,
            "ours": outside / near,
            "other": 0.05,
            "ratio": None,
            "unit": "share",
            "against": "at most",
        }
    ]


def as_table(scores: list[Score]) -> Table:
    """One line a rule."""
    table = Table(
        "rule", "injected", "recall", "hits", "precision", "false / 10,000 honest", "explained"
    )
    for score in scores:
        table.add_row(
            score.rule,
            f"{score.injected:,}",
            f"{score.recall:.3f}" if score.injected else "",
            f"{score.hits:,}",
            "" if score.rule in OF_NOBODY or not score.hits else f"{score.precision:.3f}",
            f"{score.false_per_10k:.2f}",
            f"{score.explained:,}",
        )
    return table


def _entries(score: Score) -> list[dict]:
    target = GROSS if score.rule in MUST else None
    shares = [("recall", score.injected, score.recall), ("precision", score.hits, score.precision)]
    return [
        {
            "name": f"audit, {score.rule}: {name}",
            "n": of,
            "ours": share,
            "other": target,
            "ratio": None,
            "unit": "share",
            "against": "at least" if target else None,
        }
        for name, of, share in shares
        if of and score.injected and score.rule not in OF_NOBODY
    ]
