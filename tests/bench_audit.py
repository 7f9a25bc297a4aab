"""Recall and precision of each audit rule on injected faults; see docs/audit-quality.md.

A line each for recall and precision: `ours` is the share reached, `other` the target where there
is one, n the rows that it is a share of. `python -m tests.bench --only audit`; the table of the
docs: `python -m tests.bench_audit BOUNDARIES`
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from geo.config import Settings
from geo.rules import RULES
from tests import fault_frames, fault_queue, fault_score, faults
from tests.bench_matching import shapes_of
from tests.fault_score import GROSS, MUST, OF_NOBODY, Score

A_PROVINCE = 30_000
WORST = 1_000
DOUBT = 25
"""A risk that one real doubt makes; remarks stay below it."""


def bench(n: int, boundaries: Path) -> list[dict]:
    """Faults of every kind in three provinces, at most A_PROVINCE households each."""
    scores, shares = measured(min(n // 3, A_PROVINCE), boundaries)
    Console(file=sys.stderr, width=120).print(as_table(scores))
    return [entry for score in scores for entry in _entries(score)] + shares


def measured(a_province: int, boundaries: Path) -> tuple[list[Score], list[dict]]:
    """The scores of the rules, and entries of what is measured beside them."""
    communes = geopandas.read_parquet(boundaries).sort_values("code", ignore_index=True)
    shapes = shapes_of(communes)
    known, hits = [], []
    border, repaired = np.zeros(2, int), np.zeros(2, int)
    for code in faults.PROVINCES:
        land = faults.make(code, faults.polygons_of(communes, code), a_province)
        surveys, sites, found = fault_frames.found(land, shapes, Settings())
        known.append(fault_score.truth(surveys, sites))
        hits.append(found)
        border += fault_score.border(surveys)
        repaired += fault_score.repairs(surveys, found)
    truth, findings = pd.concat(known), pd.concat(hits)
    queue = fault_queue.queue(truth, findings)
    return fault_score.scores(truth, findings, RULES), [
        _share("honest points within 3 σ of the border called outside", border, (0.05, "at most")),
        _share("proposed points that lie at the house", repaired),
        _share(f"faulty ones among the worst {WORST:,} of the queue", queue.first(WORST)),
        _share(f"faulty rows with a risk of {DOUBT} or more", queue.listed_faults(DOUBT)),
        _share(f"honest rows with a risk of {DOUBT} or more", queue.listed_honest(DOUBT)),
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


def as_markdown(scores: list[Score], shares: list[dict]) -> str:
    """The figures of docs/audit-quality.md."""
    lines = [
        "| rule | faults | recall | hits | precision | false in 10,000 | explained |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in scores:
        must = " ▪" if one.rule in MUST else ""
        recall = f"{one.recall:.3f}" if one.injected else "–"
        stated = one.rule in OF_NOBODY or not one.hits
        precision = "–" if stated else f"{one.precision:.3f}"
        counts = f"{one.false_per_10k:.1f} | {one.explained:,}" if one.hits else "0 | 0"
        lines.append(
            f"| `{one.rule}`{must} | {one.injected:,} | {recall} | {one.hits:,} | {precision} "
            f"| {counts} |"
        )
    told = [f"- {s['name'].removeprefix('audit, ')}: {s['ours']:.2%} of {s['n']:,}" for s in shares]
    return "\n".join([*lines, "", *told])


def _entries(score: Score) -> list[dict]:
    target = (GROSS, "at least") if score.rule in MUST else None
    if not score.injected:
        return []
    recall = _share(f"{score.rule}: recall", (score.injected, score.caught), target)
    if score.rule in OF_NOBODY or not score.hits:
        return [recall]
    return [recall, _share(f"{score.rule}: precision", (score.hits, score.right), target)]


def _share(name: str, counts: Sequence[int], target: tuple[float, str] | None = None) -> dict:
    """One line of bench.json; counts: of how many, how many."""
    of, number = counts
    return {
        "name": f"audit, {name}",
        "n": int(of),
        "ours": float(number / of),
        "other": target[0] if target else None,
        "ratio": None,
        "unit": "share",
        "against": target[1] if target else None,
    }


if __name__ == "__main__":
    print(as_markdown(*measured(A_PROVINCE, Path(sys.argv[1]))))
