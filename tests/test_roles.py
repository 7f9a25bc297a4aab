"""Who may do what, where: the table of docs/accounts.md cell by cell, and areas within areas."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.accounts import roles
from geo.accounts.roles import ACTIONS, ROLES, Assignment, User, can, reach
from geo.areas import Area

DOC = Path(__file__).parent.parent / "docs" / "accounts.md"


def area(code: str, level: str, province: str | None) -> Area:
    first = date(2025, 7, 1)
    return Area(1, code, level, code, code, "", None, province, first, None)


COUNTRY = area("VN", "country", None)
PROVINCE, OTHER_PROVINCE = area("01", "province", "01"), area("46", "province", "46")
COMMUNE, SIBLING = area("00004", "commune", "01"), area("00008", "commune", "01")
FOREIGN = area("19753", "commune", "46")
EVERYWHERE = (COUNTRY, PROVINCE, OTHER_PROVINCE, COMMUNE, SIBLING, FOREIGN)
# By hand: what a role in the first covers.
COVERED = {
    "VN": {"VN", "01", "46", "00004", "00008", "19753"},
    "01": {"01", "00004", "00008"},
    "00004": {"00004"},
}


def user(*held: tuple[str, Area], limited_to: frozenset[str] | None = None) -> User:
    assignments = tuple(roles.assignment(role, where) for role, where in held)
    return User(7, "an", "An", assignments, "01", limited_to)


def documented() -> dict[tuple[str, str], bool]:
    """(role, action) → whether the table in the document has a mark there."""
    lines = [line for line in DOC.read_text("utf-8").splitlines() if line.startswith("|")]
    start = next(place for place, line in enumerate(lines) if line.startswith("| action"))
    columns = re.findall(r"`(\w+)`", lines[start])
    cells = {}
    for line in lines[start + 2 :]:
        found = re.match(r"\| `([\w.]+)`", line)
        if not found:
            break
        marks = [cell.strip() for cell in line.strip("|").split("|")][2:]
        cells |= {(role, found[1]): mark == "✓" for role, mark in zip(columns, marks, strict=True)}
    return cells


def test_the_table_names_every_role_and_every_action():
    assert set(documented()) == {(role, action) for role in ROLES for action in ACTIONS}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says(role, action):
    allowed = documented()[role, action]
    assert can(user((role, PROVINCE)), action, PROVINCE) is allowed
    assert user((role, PROVINCE)).may(action) is allowed


@pytest.mark.parametrize("asked", EVERYWHERE, ids=lambda one: one.code)
@pytest.mark.parametrize("held", [COUNTRY, PROVINCE, COMMUNE], ids=lambda one: one.code)
def test_a_role_covers_its_area_and_all_below_it(held, asked):
    assert can(user(("officer", held)), "records.read", asked) is (asked.code in COVERED[held.code])


def test_roles_add_up_but_each_in_its_own_area():
    both = user(("auditor", COMMUNE), ("planner", OTHER_PROVINCE))
    assert can(both, "audit.decide", COMMUNE)
    assert not can(both, "audit.decide", OTHER_PROVINCE)
    assert can(both, "figures.elsewhere", FOREIGN)
    assert not can(both, "records.read", FOREIGN)


def test_without_roles_nothing_is_allowed():
    for action in ACTIONS:
        assert not user().may(action)
        assert reach(user(), action).empty
        assert not reach(user(), action).write


def test_an_unknown_action_is_a_fault_not_a_refusal():
    with pytest.raises(KeyError):
        can(user(("officer", PROVINCE)), "records.delete", PROVINCE)


def test_a_token_narrows_and_never_widens():
    limited = user(("enumerator", COMMUNE), limited_to=frozenset({"surveys.send", "ids.read"}))
    assert {action for action in ACTIONS if limited.may(action)} == {"surveys.send"}


@pytest.mark.parametrize("action", ACTIONS)
def test_only_actions_that_write_get_a_scope_that_writes(action):
    everything = user(*((role, PROVINCE) for role in ROLES))
    found = reach(everything, action)
    assert found.write is ACTIONS[action].writes
    assert (found.action, found.account_id) == (action, 7)
    assert found.provinces == {"01"}


def test_figures_elsewhere_come_with_reading_figures_only():
    planner = user(("planner", PROVINCE))
    assert reach(planner, "figures.read").figures_elsewhere
    assert not reach(planner, "records.read").figures_elsewhere
    assert not reach(user(("officer", PROVINCE)), "figures.read").figures_elsewhere


_HELD = st.lists(st.tuples(st.sampled_from(list(ROLES)), st.sampled_from(EVERYWHERE)), max_size=5)


@given(_HELD, st.sampled_from(list(ACTIONS)), st.sampled_from(EVERYWHERE))
def test_more_roles_never_take_anything_away(held, action, where):
    whole, part = user(*held), user(*held[:-1])
    assert can(whole, action, where) >= can(part, action, where)


@given(_HELD, st.sampled_from(list(ACTIONS)))
def test_who_may_above_may_below(held, action):
    who = user(*held)
    if can(who, action, COUNTRY):
        assert all(can(who, action, where) for where in EVERYWHERE)
    if can(who, action, PROVINCE):
        assert can(who, action, COMMUNE)
        assert can(who, action, SIBLING)


def test_an_assignment_says_where_it_holds():
    assert roles.assignment("officer", COUNTRY) == Assignment("officer", "VN", None, "")
    assert roles.assignment("officer", PROVINCE) == Assignment("officer", "01", "01", "")
    assert roles.assignment("officer", COMMUNE) == Assignment("officer", "00004", "01", "00004")
