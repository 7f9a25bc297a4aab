"""What a checked sample says about all: the rate of mismatches with an interval, and its bounds.

One interval serves all three ways of drawing: the exact one for a finite population, from the
hypergeometric distribution by inverting its two tails (Wright 1991, the finite counterpart of
Clopper and Pearson), with the effective number of surveys in place of the checked ones where they
weigh unequally (Korn and Graubard 1998). It is never narrower than that of a simple random sample
of as many surveys.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom, norm

from geo.errors import RejectedError

CONFIDENCE = 0.95
FEWEST_OF_ONE = 8
"""Checked surveys of one enumerator below which nothing is said of that enumerator."""

Floats = npt.NDArray[np.float64]


class Checked(NamedTuple):
    """A survey of a sample; outcome: match, mismatch, unreachable, or None until it is known."""

    stratum: str
    inclusion: float
    outcome: str | None


@dataclass(frozen=True)
class Estimate:
    """The rate of mismatches among all: None while nothing is checked. Rates are 0 to 1.

    low, high: the interval. least, most: the same if all that could not be reached were matches,
    or mismatches. effective: as many surveys of a simple random sample tell as much.
    """

    checked: int
    mismatches: int
    unreachable: int
    waiting: int
    rate: float | None
    low: float
    high: float
    least: float
    most: float
    effective: int


class OfOne(NamedTuple):
    """What was found of one enumerator's surveys; rates are None where too few were checked."""

    enumerator: str
    surveys: int
    checked: int
    mismatches: int
    low: float | None
    high: float | None


def size_needed(expected: float, margin: float, population: int) -> int:
    """How many surveys to check for ± margin at 95 % (Cochran 1977, 4.2 and 4.4: finite).

    expected, margin: rates, above 0 and below 1. Raises RejectedError.
    """
    if not 0 < expected < 1 or not 0 < margin < 1:
        raise RejectedError(
            "The expected rate and the margin are more than 0 % and less than 100 %."
        )
    z = norm.ppf((1 + CONFIDENCE) / 2)
    endless = z * z * expected * (1 - expected) / margin**2
    if not population:
        return 0
    return min(population, math.ceil(endless / (1 + (endless - 1) / population)))


def interval(mismatches: int, checked: int, population: int) -> tuple[float, float]:
    """The exact 95 % interval of a rate, from a simple random sample of a finite population.

    All rates with 2.5 % or more in either tail. (0, 1) without a checked survey.
    """
    if not checked:
        return 0.0, 1.0
    tail = (1 - CONFIDENCE) / 2 - 1e-9  # what is as much but for rounding is in
    fewest, most = mismatches, population - checked + mismatches

    def high_enough(wrong: int) -> bool:
        return hypergeom.sf(mismatches - 1, population, wrong, checked) > tail

    def too_high(wrong: int) -> bool:
        return hypergeom.cdf(mismatches, population, wrong, checked) <= tail

    low = _first_true(high_enough, fewest, most)
    high = _first_true(too_high, low, most + 1) - 1
    return low / population, high / population


def _first_true(test: Callable[[int], bool], first: int, last: int) -> int:
    """The smallest number from `first` on that passes; `last` where none below it does."""
    while first < last:
        middle = (first + last) // 2
        if test(middle):
            last = middle
        else:
            first = middle + 1
    return first


def estimate(sample: Sequence[Checked], method: str, strata: Mapping[str, int]) -> Estimate:
    """The rate among all surveys that the sample was drawn from.

    strata: stratum → how many surveys it had. The unreachable are taken as no different from the
    others; the bounds tell what if they are.
    """
    unreachable = [one for one in sample if one.outcome == "unreachable"]
    known = [one for one in sample if one.outcome in ("match", "mismatch")]
    rate, low, high, effective = _rate(known, method, strata)
    least, most = low, high
    if unreachable:
        if_match = [one._replace(outcome="match") for one in unreachable]
        if_not = [one._replace(outcome="mismatch") for one in unreachable]
        least = min(low, _rate([*known, *if_match], method, strata)[1])
        most = max(high, _rate([*known, *if_not], method, strata)[2])
    return Estimate(
        checked=len(known),
        mismatches=sum(one.outcome == "mismatch" for one in known),
        unreachable=len(unreachable),
        waiting=len(sample) - len(known) - len(unreachable),
        rate=rate,
        low=low,
        high=high,
        least=least,
        most=most,
        effective=effective,
    )


def of_each(sample: Iterable[Checked], strata: Mapping[str, int]) -> list[OfOne]:
    """What was found of each enumerator, for samples in which all their surveys weigh the same."""
    found: dict[str, Counter[str | None]] = defaultdict(Counter)
    for one in sample:
        found[one.stratum][one.outcome] += 1
    told = []
    for name, outcomes in sorted(found.items()):
        wrong, checked = outcomes["mismatch"], outcomes["match"] + outcomes["mismatch"]
        there = max(strata.get(name, 0), checked)
        enough = checked >= FEWEST_OF_ONE
        low, high = interval(wrong, checked, there) if enough else (None, None)
        told.append(OfOne(name, there, checked, wrong, low, high))
    return told


def _rate(
    known: Sequence[Checked], method: str, strata: Mapping[str, int]
) -> tuple[float | None, float, float, int]:
    """Rate, interval, effective number of surveys."""
    population = sum(strata.values())
    if not known:
        return None, 0.0, 1.0, 0
    wrong = np.array([one.outcome == "mismatch" for one in known], float)
    if method == "random":
        low, high = interval(int(wrong.sum()), len(known), population)
        return float(wrong.mean()), low, high, len(known)
    if method == "stratified":
        weights, groups = _of_strata(known, strata)
        variance = _stratified_variance(wrong, weights, groups, population)
    else:
        inclusion = np.array([one.inclusion for one in known])
        weights = 1 / inclusion
        variance = _weighted_variance(wrong, weights, inclusion)
    rate = float(np.average(wrong, weights=weights))
    effective = _effective(rate, variance, weights, population)
    # Not rounded to one whole number, which would move the interval off the estimate.
    few, many = math.floor(rate * effective + 1e-9), math.ceil(rate * effective - 1e-9)
    low, high = interval(few, effective, population)[0], interval(many, effective, population)[1]
    return rate, low, high, effective


def _effective(rate: float, variance: float, weights: Floats, population: int) -> int:
    """The size of the simple random sample that would tell as much; never more than was checked.

    By the greater of two design effects: that of the estimate's own variance, and that of unequal
    weights (Kish 1965), because a variance that few or no mismatches give tells too little.
    """
    checked = len(weights)
    effect = max(1.0, checked * float((weights**2).sum() / weights.sum() ** 2))
    simple = 0.0
    if checked > 1:
        simple = (1 - checked / population) * rate * (1 - rate) / (checked - 1)
    if simple > 0:
        effect = max(effect, variance / simple)
    return max(1, math.floor(checked / effect + 1e-9))


class _Group(NamedTuple):
    """Checked surveys whose spread is told together, and how many of all they stand for."""

    rows: list[int]
    surveys: int


def _of_strata(known: Sequence[Checked], strata: Mapping[str, int]) -> tuple[Floats, list[_Group]]:
    """Weights and groups. Strata with fewer than two checked surveys are collapsed into one group.

    One that has none is stood for by the others of that group.
    """
    rows: dict[str, list[int]] = {name: [] for name in strata}
    for place, one in enumerate(known):
        rows.setdefault(one.stratum, []).append(place)
    surveys = {name: max(strata.get(name, 0), len(found)) for name, found in rows.items()}
    groups = [_Group(found, surveys[name]) for name, found in rows.items() if len(found) > 1]
    few = [name for name, found in rows.items() if len(found) < 2]
    if few:
        collapsed = _Group(
            [p for name in few for p in rows[name]], sum(surveys[name] for name in few)
        )
        while len(collapsed.rows) < 2 and groups:
            smallest = min(groups, key=lambda group: len(group.rows))
            groups.remove(smallest)
            collapsed = _Group(
                [*collapsed.rows, *smallest.rows], collapsed.surveys + smallest.surveys
            )
        groups.append(collapsed)
    weights = np.empty(len(known))
    for group in groups:
        own = np.array(
            [surveys[known[p].stratum] / len(rows[known[p].stratum]) for p in group.rows]
        )
        weights[group.rows] = own * group.surveys / own.sum()
    return weights, groups


def _stratified_variance(
    wrong: Floats, weights: Floats, groups: Sequence[_Group], population: int
) -> float:
    """Σ (1 − f) n / (n − 1) Σ (w (y − rate of the group))², over N²."""
    total = 0.0
    for rows, surveys in groups:
        checked = len(rows)
        if checked < 2:
            continue
        own = weights[rows]
        apart = own * (wrong[rows] - np.average(wrong[rows], weights=own))
        total += (1 - checked / surveys) * checked / (checked - 1) * float((apart**2).sum())
    return total / population**2


def _weighted_variance(wrong: Floats, weights: Floats, inclusion: Floats) -> float:
    """Hájek's approximation for fixed size and unequal probabilities, of the Hájek estimator."""
    checked = len(wrong)
    if checked < 2:
        return 0.0
    apart = (wrong - np.average(wrong, weights=weights)) * weights
    open_to_chance = 1 - inclusion
    if not open_to_chance.any():
        return 0.0
    level = float((open_to_chance * apart).sum() / open_to_chance.sum())
    spread = float((open_to_chance * (apart - level) ** 2).sum())
    return checked / (checked - 1) * spread / float(weights.sum()) ** 2
