"""Draws of verification samples: pure functions of frame, plan and seed, so anyone can repeat them.

docs/sampling.md describes each step without this code. Digests are lower-case hexadecimal.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.audit_tables import SAMPLE_METHODS
from geo.errors import RejectedError

MOST_DRAWN = 2_000
"""More visits than a sample needs for ± 2.2 points of any rate at 95 %."""
MOST_IN_FRAME = 500_000

Counts = Mapping[str, int]


class Unit(NamedTuple):
    """One survey of a frame; size in hundredths, 100 and more; stratum: its enumerator."""

    key: str
    size: int
    stratum: str


@dataclass(frozen=True)
class Plan:
    """What to draw: how many surveys by which method, and at least how many of each enumerator."""

    method: str
    size: int
    at_least: int = 0


class Drawn(NamedTuple):
    """A survey that was drawn, by its key, and the probability with which it would be."""

    key: str
    stratum: str
    inclusion: float


def key(survey_id: str) -> str:
    """By what a frame knows a survey: half of its digest, so that a kept frame names nobody."""
    return hashlib.sha256(survey_id.encode()).hexdigest()[:32]


def stratum(enumerator: str) -> str:
    """An enumerator as a frame writes it: on one line, without tabs."""
    return " ".join(enumerator.split())


def text(frame: Sequence[Unit]) -> str:
    """A frame as its digest is made of: a line `key TAB size TAB stratum` for each, sorted."""
    return "".join(sorted(f"{key}\t{size}\t{stratum}\n" for key, size, stratum in frame))


def read(written: str) -> list[Unit]:
    """The frame that `text` wrote."""
    lines = (line.split("\t") for line in written.split("\n") if line)
    return [Unit(name, int(size), whose) for name, size, whose in lines]


def digest(written: str) -> str:
    """The digest by which a frame is known."""
    return hashlib.sha256(written.encode()).hexdigest()


def counts(frame: Sequence[Unit]) -> dict[str, int]:
    """How many surveys each stratum has, in the order of names."""
    return dict(sorted(Counter(unit.stratum for unit in frame).items()))


def check(plan: Plan, strata: Counts) -> None:
    """Raise RejectedError for a plan that cannot be drawn from these strata."""
    there = sum(strata.values())
    if plan.method not in SAMPLE_METHODS:
        raise RejectedError(f"A sample is one of {', '.join(SAMPLE_METHODS)}.")
    if not there:
        raise RejectedError("There is no survey here to draw from.")
    if there > MOST_IN_FRAME:
        raise RejectedError(
            f"There are {there} surveys here, {MOST_IN_FRAME} at most can be drawn from; "
            "draw for a smaller area."
        )
    if not 1 <= plan.size <= MOST_DRAWN:
        raise RejectedError(f"Draw 1 to {MOST_DRAWN} surveys.")
    if plan.size > there:
        raise RejectedError(f"There are only {there} surveys here; draw fewer.")
    if plan.method == "stratified":
        if plan.at_least < 1:
            raise RejectedError("Draw at least 1 survey of each enumerator.")
        needed = sum(_least(plan, strata).values())
        if needed > plan.size:
            raise RejectedError(
                f"There are {len(strata)} enumerators; for at least {plan.at_least} of each, "
                f"draw {needed} or more."
            )


def draw(frame: Sequence[Unit], plan: Plan, seed: str) -> list[Drawn]:
    """The sample: the same for the same frame, plan and seed, whoever draws. Raises RejectedError.

    In the order in which the units came up.
    """
    strata = counts(frame)
    check(plan, strata)
    tickets = {unit.key: ticket(seed, unit.key) for unit in frame}
    if plan.method == "weighted":
        return _weighted(frame, plan.size, tickets)
    if plan.method == "random":
        return _first(frame, plan.size, tickets)
    drawn: list[Drawn] = []
    groups: dict[str, list[Unit]] = {name: [] for name in strata}
    for unit in frame:
        groups[unit.stratum].append(unit)
    for name, size in allocation(plan, strata).items():
        drawn += _first(groups[name], size, tickets)
    return sorted(drawn, key=lambda one: (tickets[one.key], one))


def ticket(seed: str, name: str) -> str:
    """The place of a unit in the draw, uniform over all digests: sha256 of seed and key."""
    return hashlib.sha256((seed + name).encode()).hexdigest()


def uniform(digest: str) -> float:
    """A ticket as a number between 0 and 1: its first 13 digits, and a half, over 16 ** 13."""
    return (int(digest[:13], 16) + 0.5) / 16**13


def _first(frame: Sequence[Unit], size: int, tickets: Mapping[str, str]) -> list[Drawn]:
    chosen = nsmallest(size, frame, key=lambda unit: (tickets[unit.key], unit))
    return [Drawn(unit.key, unit.stratum, size / len(frame)) for unit in chosen]


def _least(plan: Plan, strata: Counts) -> dict[str, int]:
    return {name: min(plan.at_least, there) for name, there in strata.items()}


def allocation(plan: Plan, strata: Counts) -> dict[str, int]:
    """How many of each stratum: in proportion, at least as many as asked, by largest remainders.

    Strata whose share would be less than the least get that; the rest is shared out among the
    others. What is left after whole numbers goes to the greatest fractions, ties by name.
    """
    least = _least(plan, strata)
    shared, size, total = dict(strata), plan.size, sum(strata.values())
    while True:
        few = [name for name, there in shared.items() if size * there < least[name] * total]
        if not few:
            break
        size -= sum(least[name] for name in few)
        total -= sum(shared.pop(name) for name in few)
    given = least | {name: size * there // total for name, there in shared.items()}
    left = size - sum(given[name] for name in shared)
    by_fraction = sorted(shared, key=lambda name: (-(size * shared[name] % total), name))
    for name in by_fraction[:left]:
        given[name] += 1
    return {name: given[name] for name in strata}


def inclusions(sizes: npt.ArrayLike, size: int) -> npt.NDArray[np.float64]:
    """Probabilities in proportion to sizes that add up to `size`; 1 where they would exceed it."""
    sizes = np.asarray(sizes, float)
    certain = np.zeros(len(sizes), bool)
    found = np.ones(len(sizes))
    while not certain.all():
        left = size - certain.sum()
        found[~certain] = left * sizes[~certain] / sizes[~certain].sum()
        more = ~certain & (found >= 1)
        if not more.any():
            break
        certain |= more
        found[certain] = 1.0
    return found


def _weighted(frame: Sequence[Unit], size: int, tickets: Mapping[str, str]) -> list[Drawn]:
    """Pareto sampling (Rosén 1997): the smallest of u (1 − π) / ((1 − u) π)."""
    chances = inclusions([unit.size for unit in frame], size).tolist()
    ranked = []
    for unit, chance in zip(frame, chances, strict=True):
        u = uniform(tickets[unit.key])
        place = 0.0 if chance >= 1 else (u / (1 - u)) * ((1 - chance) / chance)
        ranked.append((place, Drawn(unit.key, unit.stratum, chance)))
    return [one for _place, one in nsmallest(size, ranked)]
