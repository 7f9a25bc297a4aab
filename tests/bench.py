"""Runs every `bench` of tests/bench_*.py, prints one table and writes bench.json.

A bench is `bench(n, boundaries) -> list[dict]` with the keys name, n, ours, other, ratio, unit
and against; `other` and `ratio` are None where nothing was compared. Ratios above 1 mean that
An Cư is the faster one.
"""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=1_000_000, help="rows of the large measurements")
    parser.add_argument("--only", help="run only tests/bench_ONLY.py")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    named = os.environ.get("ANCU_BOUNDARIES")
    if not named or not Path(named).exists():
        print("Set ANCU_BOUNDARIES to a file of communes to measure on.", file=sys.stderr)
        return 2
    results = []
    for file in sorted(HERE.glob(f"bench_{options.only or '*'}.py")):
        print(f"{file.stem} …", file=sys.stderr)
        module = importlib.import_module(f"tests.{file.stem}")
        results += module.bench(options.n, Path(named))
    options.out.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    Console(width=120).print(as_table(results))
    return 0


def as_table(results: list[dict]) -> Table:
    """The results as a table, in the order in which they were measured."""
    table = Table("measurement", "n", "An Cư", "other", "ratio", "compared with")
    for row in results:
        table.add_row(
            row["name"],
            f"{row['n']:,}",
            f"{row['ours']:,.4g} {row['unit']}",
            "" if row["other"] is None else f"{row['other']:,.4g} {row['unit']}",
            "" if row["ratio"] is None else f"{row['ratio']:.2f} ×",
            row["against"] or "",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
