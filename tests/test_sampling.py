"""Draws: the same for whoever repeats them, in the numbers asked for, with the chances promised."""

import hashlib
import random
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.audit import sampling
from geo.audit.sampling import Plan, Unit
from geo.errors import RejectedError

SEED = "5e" * 32


def frame(*sizes: int, stratum: str = "E1") -> list[Unit]:
    return [Unit(sampling.key(f"s{n}"), size, stratum) for n, size in enumerate(sizes)]


def teams(**counts: int) -> list[Unit]:
    """Units of several enumerators, all of size 1."""
    names = [name for name, count in counts.items() for _ in range(count)]
    return [Unit(sampling.key(f"s{n}"), 100, name) for n, name in enumerate(names)]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- by hand: what docs/sampling.md says, written once more without the service's code ----


def test_a_key_is_half_of_the_digest_of_the_id() -> None:
    survey_id = "00000000-0000-4000-8000-000000000001"
    assert sampling.key(survey_id) == sha(survey_id)[:32]
    assert len(sampling.key(survey_id)) == 32


def test_a_frame_is_written_sorted_and_read_back() -> None:
    units = [Unit("b" * 32, 150, "Bình"), Unit("a" * 32, 100, "")]
    assert sampling.text(units) == f"{'a' * 32}\t100\t\n{'b' * 32}\t150\tBình\n"
    assert sampling.read(sampling.text(units)) == sorted(units)
    assert sampling.digest(sampling.text(units)) == sha(sampling.text(units))


def test_names_that_hold_tabs_and_lines_stay_on_one_line() -> None:
    assert sampling.stratum(" A\tB\nC\u2028D ") == "A B C D"


def test_a_random_sample_is_the_smallest_digests() -> None:
    units = teams(A=30, B=10)
    wanted = sorted(units, key=lambda unit: sha(SEED + unit.key))[:7]
    drawn = sampling.draw(units, Plan("random", 7), SEED)
    assert [one.key for one in drawn] == [unit.key for unit in wanted]
    assert {one.inclusion for one in drawn} == {7 / 40}


def test_a_stratified_sample_is_the_smallest_digests_of_each() -> None:
    units = teams(A=30, B=10)
    drawn = sampling.draw(units, Plan("stratified", 8, 1), SEED)
    for name, size in (("A", 6), ("B", 2)):
        own = [unit for unit in units if unit.stratum == name]
        wanted = sorted(own, key=lambda unit: sha(SEED + unit.key))[:size]
        assert [one.key for one in drawn if one.stratum == name] == [u.key for u in wanted]
    assert {(one.stratum, one.inclusion) for one in drawn} == {("A", 0.2), ("B", 0.2)}


def test_a_weighted_sample_is_the_smallest_odds_over_odds() -> None:
    units = frame(100, 100, 100, 300, 400, 100, 9_600, 500)
    left = [unit for unit in units if unit.size < 9_600]
    chances = {unit.key: 3 * unit.size / 1_600 for unit in left}

    def odds(unit: Unit) -> float:
        u = (int(sha(SEED + unit.key)[:13], 16) + 0.5) / 2**52
        return u / (1 - u) / (chances[unit.key] / (1 - chances[unit.key]))

    wanted = [units[6], *sorted(left, key=odds)[:3]]
    drawn = sampling.draw(units, Plan("weighted", 4), SEED)
    assert [one.key for one in drawn] == [unit.key for unit in wanted]
    assert drawn[0].inclusion == 1
    for one in drawn[1:]:
        assert one.inclusion == pytest.approx(chances[one.key])


# ---- properties ----


@pytest.mark.parametrize("method", ["random", "stratified", "weighted"])
def test_the_order_of_the_frame_does_not_matter(method: str) -> None:
    units = [unit._replace(size=100 + 37 * n) for n, unit in enumerate(teams(A=20, B=9, C=1))]
    plan = Plan(method, 9, 1)
    drawn = sampling.draw(units, plan, SEED)
    for turn in range(5):
        shuffled = random.Random(turn).sample(units, len(units))
        assert sampling.draw(shuffled, plan, SEED) == drawn


@pytest.mark.parametrize("method", ["random", "stratified", "weighted"])
def test_another_seed_gives_another_sample(method: str) -> None:
    units = teams(A=200, B=100)
    found = {
        tuple(sorted(sampling.draw(units, Plan(method, 20, 1), sha(str(n))))) for n in range(20)
    }
    assert len(found) == 20


@pytest.mark.parametrize("method", ["random", "stratified", "weighted"])
def test_all_can_be_drawn(method: str) -> None:
    units = [unit._replace(size=100 + 999 * n) for n, unit in enumerate(teams(A=5, B=1))]
    drawn = sampling.draw(units, Plan(method, 6, 1), SEED)
    assert {one.key for one in drawn} == {unit.key for unit in units}
    assert {one.inclusion for one in drawn} == {1.0}


def test_each_is_drawn_as_often_as_promised() -> None:
    """2,000 draws by each method; a frequency is within 5 standard errors of its chance."""
    units = [unit._replace(size=100 + 60 * n) for n, unit in enumerate(teams(A=12, B=6, C=2))]
    for method in ("random", "stratified", "weighted"):
        hits: Counter[str] = Counter()
        chances: dict[str, float] = {}
        for turn in range(2_000):
            for one in sampling.draw(units, Plan(method, 6, 1), sha(f"{method} {turn}")):
                hits[one.key] += 1
                chances[one.key] = one.inclusion
        assert len(hits) == len(units)
        for key, chance in chances.items():
            error = (chance * (1 - chance) / 2_000) ** 0.5
            # Pareto sampling meets its chances nearly, not exactly: 0.01 is room for that.
            room = 5 * error + (0.01 if method == "weighted" else 0)
            assert abs(hits[key] / 2_000 - chance) <= room, (method, key)


@pytest.mark.parametrize(
    ("size", "at_least", "strata", "wanted"),
    [
        (10, 1, {"A": 50, "B": 30, "C": 20}, {"A": 5, "B": 3, "C": 2}),
        (10, 1, {"A": 97, "B": 2, "C": 1}, {"A": 8, "B": 1, "C": 1}),
        (10, 1, {"A": 1, "B": 1, "C": 1, "D": 97}, {"A": 1, "B": 1, "C": 1, "D": 7}),
        # 3.33 each: what is left goes by name
        (10, 1, {"B": 40, "C": 40, "A": 40}, {"A": 4, "B": 3, "C": 3}),
        # 4.3, 3.5, 2.2: the greatest fraction gets it
        (10, 1, {"A": 43, "B": 35, "C": 22}, {"A": 4, "B": 4, "C": 2}),
        (12, 4, {"A": 90, "B": 9, "C": 3}, {"A": 5, "B": 4, "C": 3}),
        (3, 1, {"A": 90, "B": 9, "C": 3}, {"A": 1, "B": 1, "C": 1}),
    ],
)
def test_shares_are_in_proportion_with_a_least_for_each(
    size: int, at_least: int, strata: dict[str, int], wanted: dict[str, int]
) -> None:
    assert sampling.allocation(Plan("stratified", size, at_least), strata) == wanted


@given(
    st.dictionaries(st.text("ABCDEFGH", min_size=1, max_size=2), st.integers(1, 60), min_size=1),
    st.integers(1, 5),
    st.data(),
)
def test_shares_add_up_and_stay_within_their_strata(
    strata: dict[str, int], at_least: int, data: st.DataObject
) -> None:
    least = {name: min(at_least, there) for name, there in strata.items()}
    total = sum(strata.values())
    size = data.draw(st.integers(sum(least.values()), total))
    given_out = sampling.allocation(Plan("stratified", size, at_least), strata)
    assert sum(given_out.values()) == size
    free = [name for name in strata if given_out[name] > least[name]]
    for name, count in given_out.items():
        assert least[name] <= count <= strata[name]
        if name in free:  # nobody above the least has more than one above the exact share
            assert count < Fraction(size * strata[name], total) + 1


@given(st.lists(st.integers(100, 10_100), min_size=1, max_size=60), st.data())
def test_chances_add_up_to_the_size_in_proportion(sizes: list[int], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(sizes)))
    chances = sampling.inclusions(sizes, size)
    assert chances.sum() == pytest.approx(size)
    assert ((chances > 0) & (chances <= 1)).all()
    open_to_chance = chances < 1
    ratios = chances[open_to_chance] / np.array(sizes)[open_to_chance]
    if len(ratios):
        assert ratios == pytest.approx(ratios[0])
        certain = np.array(sizes)[~open_to_chance]
        assert all(one * ratios[0] >= 1 - 1e-9 for one in certain)


@pytest.mark.parametrize(
    ("plan", "units", "message"),
    [
        (Plan("quota", 1), teams(A=3), "random, stratified, weighted"),
        (Plan("random", 1), [], "no survey here"),
        (Plan("random", 0), teams(A=3), "Draw 1 to 2000 surveys."),
        (Plan("random", -5), teams(A=3), "Draw 1 to 2000 surveys."),
        (Plan("random", 2_001), teams(A=2_500), "Draw 1 to 2000 surveys."),
        (Plan("random", 4), teams(A=3), "only 3 surveys"),
        (Plan("stratified", 3, 0), teams(A=3), "at least 1 survey of each"),
        (Plan("stratified", 1, 1), teams(A=3, B=1), "There are 2 enumerators"),
        (Plan("stratified", 3, 3), teams(A=3, B=1), "draw 4 or more"),
    ],
)
def test_what_cannot_be_drawn_is_said(plan: Plan, units: list[Unit], message: str) -> None:
    with pytest.raises(RejectedError, match=message):
        sampling.draw(units, plan, SEED)


def test_a_frame_that_is_too_large_is_refused() -> None:
    with pytest.raises(RejectedError, match="smaller area"):
        sampling.check(Plan("random", 10), {"A": sampling.MOST_IN_FRAME + 1})


# ---- the document ----


def as_documented() -> dict[str, Any]:
    text = (Path(__file__).parent.parent / "docs" / "sampling.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "sampling.md", "exec"), names)  # our own document
    return names


@pytest.mark.parametrize("method", ["random", "stratified", "weighted"])
def test_the_document_s_own_code_draws_the_same(method: str) -> None:
    draw = as_documented()["draw"]
    for turn in range(30):
        rng = random.Random(turn)
        units = [
            Unit(sampling.key(f"{turn} {n}"), rng.choice([100, 100, 100, 2_300, 9_700]), name)
            for n, name in enumerate(rng.choices("ABCD", [50, 20, 5, 1], k=rng.randint(40, 90)))
        ]
        plan = Plan(method, rng.randint(12, 40), rng.randint(1, 3))
        wanted = {one.key for one in sampling.draw(units, plan, sha(str(turn)))}
        found = draw(sampling.text(units), method, plan.size, plan.at_least, sha(str(turn)))
        assert len(found) == plan.size and set(found) == wanted
