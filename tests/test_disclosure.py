"""Small cells are hidden from who looks elsewhere, and nothing that is shown gives them away."""

import csv
import io
import itertools
from collections import defaultdict
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sqlalchemy import delete, insert, text

from geo import areas, exports, metrics, targeting
from geo.counter_tables import commune_counter
from geo.db import become_runtime
from geo.disclosure import MINIMUM, Hidden, hide, hide_rows
from geo.errors import ForbiddenError, UsageError
from geo.scope import NOBODY, OPERATOR, Scope, bind
from geo.tables import area
from geo.text import fold


@pytest.mark.parametrize(
    ("counts", "hidden", "total_too"),
    [
        ([], "", False),
        ([0, 0], "", False),
        ([5, 0, 90], "", False),
        ([4, 90], "ab", False),  # 4 alone would follow from the total
        ([4, 90, 30], "ac", False),  # the next smallest
        ([4, 90, 30, 0], "ac", False),
        ([4, 1, 30], "ab", False),  # two rows, five households
        ([3, 1, 30], "abc", False),  # four households are too few
        ([4, 4, 30, 60], "abc", False),  # all alike: eight would tell each
        ([1, 1, 1, 1, 1, 7, 8], "abcdef", False),  # five of at least one each are one each
        ([4, 30, 30, 60], "abc", False),  # rows of one count go together
        ([4], "a", True),
        ([4, 0], "a", True),
        ([2, 2], "ab", True),
        ([3, 1], "ab", True),
        ([4, 4, 4], "abc", True),
    ],
)
def test_rows_of_one_total(counts, hidden, total_too):
    assert hide_rows(dict(zip("abcdefgh", counts, strict=False))) == (set(hidden), total_too)


def tree(*provinces):
    return {
        str(p): {f"{p}{c}": count for c, count in enumerate(counts)}
        for p, counts in enumerate(provinces)
    }


def names(hidden):
    return (
        " ".join(sorted(commune for _, commune in hidden.communes)),
        " ".join(sorted(hidden.provinces)),
        hidden.country,
    )


@pytest.mark.parametrize(
    ("provinces", "hidden"),
    [
        ([[50, 60], [70]], ("", "", False)),
        ([[2, 60, 50], [70]], ("00 02", "", False)),
        # A province that cannot be told at all takes one commune of another with it.
        ([[2], [70, 9], [50, 40, 30]], ("00 10", "0 1", False)),
        # 1 + 5: no less is possible, so it would tell both; one more makes 15, which tells nothing.
        ([[1], [5, 9], [50, 40, 30]], ("00 10 11", "0 1", False)),
        ([[4, 4], [5, 9], [50, 40, 30]], ("00 01 10", "0 1", False)),
        ([[1, 1], [5, 5], [50, 40, 30]], ("00 01 10 11 20", "0 1 2", False)),
        ([[1], [7]], ("00 10", "0 1", True)),
        # A province with hidden communes of its own is no partner.
        ([[2], [3, 9], [50, 40, 30]], ("00 10 11 20", "0 2", False)),
        ([[2], [3, 9]], ("00 10 11", "0", True)),
        ([[2], [0, 0]], ("00", "0", True)),
        ([[4, 4, 4], [5]], ("00 01 02 10", "0 1", False)),
    ],
)
def test_provinces_of_a_country(provinces, hidden):
    assert names(hide(tree(*provinces))) == hidden


def test_communes_of_ones_own_are_shown_and_hide_nothing():
    found = hide(tree([2, 90], [2, 3, 40]), known={("0", "01"), ("1", "10")})
    assert names(found) == ("00 11 12", "0", True)
    assert names(hide(tree([2, 90], [70]), known={("0", "00"), ("0", "01")})) == ("", "", False)


def worlds(shape, most):
    """What is shown → all countries of this shape, of counts below `most`, that show it."""
    keys = [(str(p), f"{p}{c}") for p, many in enumerate(shape) for c in range(many)]
    found = defaultdict(list)
    for counts in itertools.product(range(most), repeat=len(keys)):
        given = dict(zip(keys, counts, strict=True))
        country = tree(*([given[str(p), f"{p}{c}"] for c in range(n)] for p, n in enumerate(shape)))
        hidden = hide(country)
        cells = tuple(None if key in hidden.communes else given[key] for key in keys)
        totals = tuple(None if p in hidden.provinces else sum(country[p].values()) for p in country)
        found[cells, totals, None if hidden.country else sum(counts)].append(counts)
    return found


@pytest.mark.parametrize(
    ("shape", "most"),
    [([1], 12), ([2], 14), ([3], 12), ([4], 10), ([1, 1], 16), ([1, 1, 1], 13), ([1, 2], 13),
     ([2, 2], 11), ([1, 1, 2], 10), ([1, 3], 10)],
)  # fmt: skip
def test_also_who_knows_the_rules_finds_two_counts_for_every_hidden_row(shape, most):
    seen = 0
    for (cells, _, _), possible in worlds(shape, most).items():
        hidden = [place for place, cell in enumerate(cells) if cell is None]
        # Other counts may lie beyond `most`.
        if any(counts[place] >= most - 4 for counts in possible for place in hidden):
            continue
        for place in hidden:
            seen += 1
            assert len({counts[place] for counts in possible}) > 1, (cells, possible)
    assert seen


def bounds(equations, cells):
    """cell → the least and the greatest count that the equations (cells, sum) leave it."""
    order = sorted(cells)
    rows = [[cell in summed for cell in order] for summed, _ in equations]
    sums = [total for _, total in equations]
    found = {}
    for place, cell in enumerate(order):
        goal = np.zeros(len(order))
        ends = []
        for sign in (1, -1):
            goal[place] = sign
            solved = linprog(goal, A_eq=rows or None, b_eq=sums or None, bounds=(1, 10_000))
            assert solved.status == 0, solved.message
            ends.append(round(sign * solved.fun))
        found[cell] = (ends[0], ends[1])
    return found


counts = st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 8, 20, 300]), min_size=1, max_size=5)


@settings(max_examples=150)
@given(st.lists(counts, min_size=1, max_size=5), st.data())
def test_no_hidden_count_follows_from_all_that_is_shown(provinces, data):
    country = tree(*provinces)
    cells = [(p, c) for p, communes in country.items() for c in communes]
    known = set(data.draw(st.lists(st.sampled_from(cells), max_size=4)))
    hidden = hide(country, known)
    assert not hidden.communes & known
    for p, c in cells:
        assert not 0 < country[p][c] < MINIMUM or (p, c) in known or (p, c) in hidden.communes
    equations = []
    shown = [p for p in country if p not in hidden.provinces]
    pooled = {cell for cell in hidden.communes if cell[0] in hidden.provinces}
    for group in [{cell for cell in hidden.communes if cell[0] == p} for p in shown]:
        if group:
            equations.append((group, sum(country[p][c] for p, c in group)))
    if pooled and not hidden.country:
        equations.append((pooled, sum(country[p][c] for p, c in pooled)))
    for group, total in equations:
        assert len(group) > 1
        assert total >= MINIMUM
    for least, most in bounds(equations, hidden.communes).values():
        assert least < most


def test_a_country_without_small_cells_hides_nothing():
    assert hide(tree([50, 60], [70, 0])) == Hidden()


# All of it through the pages' own functions.

SHAPE = {"01": 2, "02": 3, "03": 1, "04": 4}
CELLS = [(p, f"{p}{c:03}") for p, many in SHAPE.items() for c in range(many)]
PLANNER = Scope(provinces=frozenset({"01"}), figures_elsewhere=True, action="figures.read")
ORDERS = tuple(targeting.ORDERS)


def build(conn, given):
    """A country with these households per (province, commune)."""
    rows = [("VN", "country", None, None)]
    rows += [(p, "province", "VN", p) for p in SHAPE]
    rows += [(c, "commune", p, p) for p, c in CELLS]
    if not conn.execute(text("SELECT count(*) FROM area")).scalar():
        conn.execute(
            insert(area),
            [
                {"code": code, "level": level, "name": code, "full_name": f"Xã {code}",
                 "kind": level, "parent_code": parent, "province_code": province,
                 "name_key": fold(code)}
                for code, level, parent, province in rows
            ],
        )  # fmt: skip
    conn.execute(delete(commune_counter))
    counted = [
        {"province_code": p, "commune_code": c, "households": n, "rated": n, "poor": n // 2}
        for (p, c), n in given.items()
    ]
    conn.execute(insert(commune_counter), counted)


def asked(conn):
    """Every answer that a planner gets: {cell or province or VN: set of what it was said to be}."""
    said = defaultdict(set)
    for code in ("VN", *SHAPE):
        of = areas.get(conn, code)
        own = metrics.figures(conn, of)
        said[code].add(own["households"])
        for row in metrics.children_figures(conn, of):
            said[name(code, row["code"])].add(row["households"])
        for row in exports.progress_rows(conn, of)[:-1]:
            said[name(code, row["code"])].add(row["households"])
        out = io.BytesIO()
        exports.export(conn, "progress", of, "csv", out)
        *below, last = csv.DictReader(io.StringIO(out.getvalue().decode()))
        said[code].add(number(last["households"]))
        for row in below:
            said[name(code, row["code"])].add(number(row["households"]))
        for order in ORDERS:
            for row in targeting.ranking(conn, of, order):
                said[row["province_code"], row["code"]].add(row["households"])
    for province, commune in CELLS:
        figures = metrics.figures(conn, areas.get(conn, commune))
        said[province, commune].add(figures["households"])
        if figures["suppressed"]:
            assert {value for key, value in figures.items() if key != "suppressed"} == {None}
    return said


def name(parent, code):
    if parent == "VN":
        return code or ("", "")
    return parent, code


def number(cell):
    return int(cell) if cell else None


def attack(said):
    """The range that all answers together leave for each cell that was never told."""
    hidden = {cell for cell, values in said.items() if None in values and isinstance(cell, tuple)}
    told = {c: next(iter(v)) for c, v in said.items() if isinstance(c, tuple) and c not in hidden}
    equations = []
    for whole, values in said.items():
        if isinstance(whole, tuple) or None in values:
            continue
        (total,) = values
        inside = {c for c in said if isinstance(c, tuple) and (whole in ("VN", c[0]))}
        rest = total - sum(n for cell, n in told.items() if cell in inside)
        equations.append((inside & hidden, rest))
        if not inside & hidden:
            assert rest == 0
    return hidden, bounds([one for one in equations if one[0]], hidden)


few = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7, 9, 40, 800])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(dict.fromkeys([*CELLS, ("02", ""), ("00", "")], few)))
def test_no_planner_derives_a_hidden_commune_from_all_pages_together(conn, given):
    with conn.begin_nested() as savepoint:
        build(conn, given)
        become_runtime(conn)
        bind(conn, PLANNER)
        said = asked(conn)
        savepoint.rollback()
    bind(conn, OPERATOR)
    true = {("", ""): given["00", ""]} | given
    for cell, values in said.items():
        assert len(values) == 1, (cell, values)  # every page says the same
        if isinstance(cell, tuple):
            assert values in ({None}, {true[cell]})
            small = 0 < true[cell] < MINIMUM
            assert not (small and cell[0] != "01" and values != {None})
    hidden, ranges = attack(said)
    assert not {cell for cell in hidden if cell[0] == "01"}
    for cell, (least, most) in ranges.items():
        assert least <= true[cell] <= most
        assert least < most, (cell, said)


def example(conn):
    """01 is the planner's own; in 02 one commune is small, 03 has nothing but a small one."""
    given = dict.fromkeys(CELLS, 50)
    build(conn, given | {("01", "01000"): 3, ("02", "02001"): 2, ("03", "03000"): 4})


def hidden_codes(rows):
    return [row["code"] for row in rows if row["suppressed"]]


def test_rows_elsewhere_are_hidden_and_ones_own_are_not(conn):
    example(conn)
    bind(conn, PLANNER)
    country, own, other = (areas.get(conn, code) for code in ("VN", "01", "02"))
    assert hidden_codes(metrics.children_figures(conn, own)) == []
    assert hidden_codes(metrics.children_figures(conn, other)) == ["02000", "02001", "02002"]
    assert hidden_codes(metrics.children_figures(conn, country)) == ["03", "04"]
    assert metrics.figures(conn, country)["households"] == 50 + 2 * 50 + 4 * 50 + 3 + 2 + 4
    assert metrics.figures(conn, other)["households"] == 102
    assert metrics.figures(conn, areas.get(conn, "03"))["suppressed"]
    assert metrics.figures(conn, areas.get(conn, "01000"))["households"] == 3
    assert not metrics.stopped(metrics.figures(conn, areas.get(conn, "03000")))


def test_hidden_communes_have_no_place_in_the_ranking(conn):
    example(conn)
    bind(conn, PLANNER)
    ranked = [row["code"] for row in targeting.ranking(conn, areas.get(conn, "VN"))]
    assert ranked == ["01001", "04001", "04002", "04003", "01000"]


def test_who_sees_everything_is_told_everything(conn):
    example(conn)
    rows = [
        row for code in ("VN", *SHAPE) for row in exports.progress_rows(conn, areas.get(conn, code))
    ]
    assert hidden_codes(rows) == []


@pytest.mark.parametrize("scope", [NOBODY, Scope(provinces=frozenset({"01"}))])
@pytest.mark.parametrize("code", ["VN", "02", "02000"])
def test_without_the_right_to_figures_elsewhere_they_are_refused(conn, scope, code):
    example(conn)
    bind(conn, scope)
    of = areas.get(conn, code)
    for ask in (
        metrics.figures,
        metrics.children_figures,
        targeting.ranking,
        exports.progress_rows,
    ):
        with pytest.raises(ForbiddenError, match=f"{code}\\) is not one of your areas"):
            ask(conn, of)


def test_area_that_ended_is_named_before_anything_is_refused(conn):
    example(conn)
    conn.execute(text("UPDATE area SET valid_to = '2025-06-30' WHERE code = '02000'"))
    bind(conn, NOBODY)
    with pytest.raises(UsageError, match="ended on"):
        metrics.figures(conn, areas.get(conn, "02000", date(2025, 1, 1)))
