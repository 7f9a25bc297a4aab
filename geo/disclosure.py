"""Which figures are hidden from who looks at areas that are not theirs: small cells and more.

A row of 1 to 4 households is hidden, and others with it, so that nobody gets it by subtraction.
docs/metrics.md has the rules. They are public, so they must not help either: whoever knows them
and all that is shown still finds two counts or more for every hidden row.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

MINIMUM = 5

Tree = Mapping[str, Mapping[str, int]]
"""Province → commune → households; '' stands for what belongs to none of them."""


@dataclass(frozen=True)
class Hidden:
    """What is hidden: communes as (province, commune), provinces' own totals, the country's."""

    communes: frozenset[tuple[str, str]] = frozenset()
    provinces: frozenset[str] = frozenset()
    country: bool = False


def hide_rows(counts: Mapping[str, int], minimum: int = MINIMUM) -> tuple[set[str], bool]:
    """Which rows of one total are hidden, and whether the total is hidden with them.

    Rows without households are shown. The smallest rows go until those hidden count `minimum`
    households and are not all equal; rows of one count go together. The rule knows rows by their
    counts alone: swapping two hidden counts hides the same rows. The total goes when all rows
    with households are not enough.
    """
    left = {row: count for row, count in counts.items() if count >= minimum}
    hidden = {row for row, count in counts.items() if 0 < count < minimum}
    while hidden and not _enough((counts[row] for row in hidden), minimum):
        if not left:
            return hidden, True
        least = min(left.values())
        ties = {row for row, count in left.items() if count == least}
        hidden |= ties
        left = {row: count for row, count in left.items() if row not in ties}
    return hidden, False


def _enough(counts: Iterable[int], minimum: int) -> bool:
    counts = list(counts)
    return sum(counts) >= minimum and len(set(counts)) > 1


def hide(tree: Tree, known: Collection[tuple[str, str]] = (), minimum: int = MINIMUM) -> Hidden:
    """What is hidden in a country of provinces of communes.

    `known` communes are those of the reader's own areas: always shown, so they hide nothing.
    The country's total tells the sum of all provinces whose totals are hidden. Partners join
    these: communes of a province where nothing is hidden, whose total then goes as well. Which
    ones does not depend on their counts, and they are enough when the sum allows for every count
    below `minimum` in each of the small communes. The country's total goes when none are left.
    """
    below = {
        province: {c: n for c, n in communes.items() if n and (province, c) not in known}
        for province, communes in tree.items()
    }
    rows: set[tuple[str, str]] = set()
    provinces: set[str] = set()
    small: list[int] = []
    whole: list[str] = []
    for province, counts in below.items():
        hidden, total_too = hide_rows(counts, minimum)
        rows |= {(province, commune) for commune in hidden}
        if total_too:
            provinces.add(province)
            small += counts.values()
        elif not hidden:
            whole.append(province)
    if not small:
        return Hidden(frozenset(rows))
    # Least is lost where few communes make up the total; numbers of communes are no secret.
    whole.sort(key=lambda province: (sum(bool(c) for c in tree[province]), province))
    spare = sum(small) - (minimum - 1) * len(small)
    partners = 0
    for province, commune in _communes(whole, below):
        rows.add((province, commune))
        provinces.add(province)
        partners += 1
        spare += below[province][commune] - minimum
        if spare >= 0:
            break
    return Hidden(frozenset(rows), frozenset(provinces), spare < 0 or not partners)


def _communes(provinces: Iterable[str], below: Tree) -> Iterator[tuple[str, str]]:
    return ((province, commune) for province in provinces for commune in sorted(below[province]))
