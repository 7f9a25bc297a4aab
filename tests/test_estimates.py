"""Intervals against scipy and hand-made figures, and their coverage over thousands of draws."""

import hashlib
from collections.abc import Iterable
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, hypergeom

from geo.audit import estimates, sampling
from geo.audit.estimates import Checked
from geo.audit.sampling import Plan, Unit
from geo.errors import RejectedError


def seen(stratum: str, match: int, mismatch: int, **more: object) -> list[Checked]:
    chance = float(more.get("inclusion", 0.5))  # type: ignore[arg-type]
    outcomes = ["match"] * match + ["mismatch"] * mismatch
    outcomes += ["unreachable"] * int(more.get("unreachable", 0))  # type: ignore[call-overload]
    return [Checked(stratum, chance, outcome) for outcome in outcomes]


# ---- how many ----


@pytest.mark.parametrize(
    ("expected", "margin", "population", "wanted"),
    [
        (0.5, 0.05, 10**9, 385),  # the textbooks' 384.15
        (0.5, 0.05, 1_000, 278),  # Krejcie and Morgan 1970 have 278
        (0.5, 0.05, 100, 80),  # and 80
        (0.05, 0.03, 10**9, 203),  # 1.96² · 0.05 · 0.95 / 0.03² = 202.75
        (0.05, 0.03, 500, 145),  # 202.75 / (1 + 201.75 / 500) = 144.46
        (0.5, 0.01, 50, 50),
        (0.5, 0.05, 0, 0),
    ],
)
def test_sizes_are_those_of_the_tables(
    expected: float, margin: float, population: int, wanted: int
) -> None:
    assert estimates.size_needed(expected, margin, population) == wanted


@pytest.mark.parametrize(("expected", "margin"), [(0, 0.1), (1, 0.1), (0.1, 0), (0.1, 1), (-1, 2)])
def test_a_size_needs_rates_between_none_and_all(expected: float, margin: float) -> None:
    with pytest.raises(RejectedError):
        estimates.size_needed(expected, margin, 100)


# ---- the exact interval ----


@pytest.mark.parametrize(("wrong", "checked"), [(0, 60), (1, 60), (3, 58), (30, 60), (60, 60)])
def test_of_an_endless_population_it_is_clopper_and_pearson(wrong: int, checked: int) -> None:
    theirs = binomtest(wrong, checked).proportion_ci(0.95, "exact")
    low, high = estimates.interval(wrong, checked, 10**7)
    assert (low, high) == (
        pytest.approx(theirs.low, abs=2e-5),
        pytest.approx(theirs.high, abs=2e-5),
    )


def test_by_hand_two_of_three_checked() -> None:
    # 1 of 2 checked in 3: with 0 or 3 wrong it cannot be, with 1 it is 2/3 likely, with 2 as well.
    assert estimates.interval(1, 2, 3) == (1 / 3, 2 / 3)
    # 0 of 2 checked in 3: with 1 wrong it has probability 1/3.
    assert estimates.interval(0, 2, 3) == (0, 1 / 3)


@pytest.mark.parametrize("wrong", [0, 7, 40])
def test_all_checked_leaves_no_doubt(wrong: int) -> None:
    assert estimates.interval(wrong, 40, 40) == (wrong / 40, wrong / 40)


def test_nothing_checked_says_nothing() -> None:
    assert estimates.interval(0, 0, 40) == (0.0, 1.0)


@given(st.integers(1, 80), st.data())
def test_it_is_what_neither_tail_rejects(population: int, data: st.DataObject) -> None:
    checked = data.draw(st.integers(1, population))
    wrong = data.draw(st.integers(0, checked))

    def tail(of: int, found: Iterable[int]) -> Fraction:
        ways = sum(comb(of, x) * comb(population - of, checked - x) for x in found)
        return Fraction(ways, comb(population, checked))

    kept = [
        m
        for m in range(population + 1)
        if tail(m, range(wrong, checked + 1)) >= Fraction(1, 40)
        and tail(m, range(wrong + 1)) >= Fraction(1, 40)
    ]
    low, high = estimates.interval(wrong, checked, population)
    assert (round(low * population), round(high * population)) == (kept[0], kept[-1])


def test_its_coverage_is_never_less_than_promised() -> None:
    """Not simulated: over all that can be drawn, for every number of mismatches."""
    population, checked = 90, 25
    intervals = [estimates.interval(x, checked, population) for x in range(checked + 1)]
    for wrong in range(population + 1):
        covered = sum(
            hypergeom.pmf(x, population, wrong, checked)
            for x, (low, high) in enumerate(intervals)
            if low - 1e-12 <= wrong / population <= high + 1e-12
        )
        assert covered >= 0.95


# ---- estimates ----


def test_a_simple_sample_with_some_out_of_reach() -> None:
    sample = seen("", 55, 3, unreachable=2) + [Checked("", 0.05, None)] * 40
    found = estimates.estimate(sample, "random", {"A": 700, "B": 500})
    assert (found.checked, found.mismatches, found.unreachable, found.waiting) == (58, 3, 2, 40)
    assert found.rate == 3 / 58 and found.effective == 58
    assert (found.low, found.high) == estimates.interval(3, 58, 1_200)
    assert found.least == estimates.interval(3, 60, 1_200)[0]
    assert found.most == estimates.interval(5, 60, 1_200)[1]
    assert found.least <= found.low < found.rate < found.high < found.most


def test_without_anything_checked_there_is_no_rate() -> None:
    found = estimates.estimate([Checked("A", 0.5, None)] * 3, "stratified", {"A": 6})
    assert (found.rate, found.low, found.high, found.waiting) == (None, 0.0, 1.0, 3)


def test_strata_weigh_by_their_size() -> None:
    # 10 % of 900 and 50 % of 100: 14 %, not the 30 % of the sample.
    sample = seen("A", 18, 2) + seen("B", 10, 10)
    found = estimates.estimate(sample, "stratified", {"A": 900, "B": 100})
    assert found.rate == pytest.approx(0.14)
    # Variance by hand: .9² (1 − 20/900) (.09/19) + .1² (1 − 20/100) (.25/19) = 0.0038572;
    # a simple sample of 40: (1 − 40/1000) .14 · .86 / 39 = 0.0029637; 1.3015.
    # Kish: 40 (20 · 45² + 20 · 5²) / 1000² = 1.64, which is greater: 40 / 1.64 = 24.39.
    assert found.effective == 24
    assert found.low == estimates.interval(3, 24, 1_000)[0]  # 3.36 of 24, rounded outwards
    assert found.high == estimates.interval(4, 24, 1_000)[1]


def test_even_weights_count_as_a_simple_sample() -> None:
    sample = seen("A", 27, 3) + seen("B", 18, 2)
    found = estimates.estimate(sample, "stratified", {"A": 600, "B": 400})
    assert found.rate == pytest.approx(0.1)
    # .6² (1 − 30/600) .09/29 + .4² (1 − 20/400) .09/19 = 0.0017814 over (1 − 50/1000) .09/49:
    # 50 / 1.0209 = 48.98; the strata's own n − 1 cost one.
    assert found.effective == 48


def test_strata_of_one_are_taken_together_and_those_without_any_stood_for() -> None:
    sample = seen("A", 20, 0) + seen("B", 0, 1) + seen("C", 1, 0)
    found = estimates.estimate(sample, "stratified", {"A": 80, "B": 10, "C": 10, "D": 20})
    # B and C stand for 40 together, half of it wrong: 20 of 120.
    assert found.rate == pytest.approx(20 / 120)


def test_one_stratum_with_one_checked_is_taken_with_the_smallest() -> None:
    sample = seen("A", 20, 0) + seen("B", 4, 1) + seen("C", 0, 1)
    found = estimates.estimate(sample, "stratified", {"A": 80, "B": 15, "C": 5})
    # B: 5 checked for 15, one wrong: 3; C: 1 checked for 5, wrong: 5; 8 of 100.
    assert found.rate == pytest.approx(0.08)


def test_certain_ones_weigh_one_and_the_others_more() -> None:
    sample = [Checked("", 1.0, "mismatch")] * 10 + [Checked("", 0.1, "match")] * 9
    found = estimates.estimate(sample, "weighted", {"A": 100})
    assert found.rate == pytest.approx(10 / 100)
    # Kish: 19 (10 · 1 + 9 · 100) / 100² = 1.729; 19 / 1.729 = 10.99.
    assert found.effective == 10


def test_a_weighted_sample_without_mismatch_still_doubts() -> None:
    sample = [Checked("", 1.0, "match")] * 30 + [Checked("", 0.05, "match")] * 5
    found = estimates.estimate(sample, "weighted", {"A": 130})
    assert (found.rate, found.low) == (0.0, 0.0)
    assert found.high > 0.2  # five of a hundred say little about the others


def test_one_enumerator_is_told_only_where_enough_was_checked() -> None:
    sample = [*seen("A", 6, 2), *seen("B", 7, 0, unreachable=5), *[Checked("C", 0.5, None)]]
    first, second, third = estimates.of_each(sample, {"A": 80, "B": 40, "C": 3})
    assert first[:4] == ("A", 80, 8, 2)
    assert (first.low, first.high) == estimates.interval(2, 8, 80)
    assert second == ("B", 40, 7, 0, None, None)
    assert third == ("C", 3, 0, 0, None, None)


# ---- coverage ----

TEAMS = (400, 300, 150, 80, 30, 15, 10, 8, 5, 2)


def world(kind: str) -> tuple[list[Unit], set[str]]:
    """1,000 surveys of ten enumerators; which of them are wrong, fixed by digests."""

    def chance(n: int, what: str) -> float:
        return int(hashlib.sha256(f"{kind} {what} {n}".encode()).hexdigest()[:13], 16) / 16**13

    names = [f"E{i}" for i, count in enumerate(TEAMS) for _ in range(count)]
    frame, wrong = [], set()
    for n, name in enumerate(names):
        flagged = chance(n, "flag") < 0.15
        rates = {
            "rules are good": 0.5 if flagged else 0.01,
            "rules are blind": 0.08,
            "one enumerator cheats": 0.6 if name == "E2" else 0.02,
            "rare": 0.012,
        }
        unit = Unit(sampling.key(str(n)), 100 + (3_000 + 60 * (n % 100)) * flagged, name)
        frame.append(unit)
        if chance(n, "wrong") < rates[kind]:
            wrong.add(unit.key)
    return frame, wrong


@pytest.mark.parametrize(
    "kind", ["rules are good", "rules are blind", "one enumerator cheats", "rare"]
)
@pytest.mark.parametrize(
    "plan",
    [
        Plan("random", 60),
        Plan("stratified", 60, 1),
        Plan("stratified", 60, 4),
        Plan("weighted", 80),
    ],
)
def test_intervals_cover_the_truth_in_93_of_100_draws(kind: str, plan: Plan) -> None:
    frame, wrong = world(kind)
    truth, strata, draws = len(wrong) / len(frame), sampling.counts(frame), 250
    covered = 0
    for turn in range(draws):
        seed = hashlib.sha256(f"{plan} {turn}".encode()).hexdigest()
        sample = [
            Checked(one.stratum, one.inclusion, "mismatch" if one.key in wrong else "match")
            for one in sampling.draw(frame, plan, seed)
        ]
        found = estimates.estimate(sample, plan.method, strata)
        covered += found.low - 1e-12 <= truth <= found.high + 1e-12
    assert covered / draws >= 0.93
