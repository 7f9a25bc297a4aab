"""Delegated administration as rules alone: nobody reaches above, beside, or to themselves."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.accounts import delegation
from geo.accounts.delegation import Place
from geo.accounts.roles import ROLES, Assignment, User
from geo.areas import Area
from geo.errors import ForbiddenError, UsageError

COUNTRY: Place = ("", "")
PROVINCE: Place = ("01", "")
COMMUNE: Place = ("01", "00004")
SIBLING: Place = ("01", "00008")
OTHER_PROVINCE: Place = ("46", "")
FOREIGN: Place = ("46", "19753")
PLACES = (COUNTRY, PROVINCE, COMMUNE, SIBLING, OTHER_PROVINCE, FOREIGN)
ME, ANOTHER = 1, 2


def lies_in(inner: Place, outer: Place) -> bool:
    """Written anew here: an area lies in another when it has all of the other's codes."""
    return outer == COUNTRY or inner[: 1 if outer[1] == "" else 2] == tuple(filter(None, outer))


def who(*held: tuple[str, Place]) -> User:
    assignments = tuple(
        Assignment(role, commune or province or "VN", province or None, commune)
        for role, (province, commune) in held
    )
    return User(ME, "me", "Tôi", assignments, "VN")


def refused(check, *arguments) -> bool:
    try:
        check(*arguments)
    except ForbiddenError:
        return True
    return False


@pytest.mark.parametrize(
    ("mine", "home", "allowed"),
    [
        (COUNTRY, COUNTRY, True),
        (COUNTRY, FOREIGN, True),
        (PROVINCE, COUNTRY, False),
        (PROVINCE, PROVINCE, True),
        (PROVINCE, COMMUNE, True),
        (PROVINCE, OTHER_PROVINCE, False),
        (PROVINCE, FOREIGN, False),
        (COMMUNE, PROVINCE, False),
        (COMMUNE, COMMUNE, True),
        (COMMUNE, SIBLING, False),
        (COMMUNE, FOREIGN, False),
    ],
)
def test_accounts_are_made_in_and_below_ones_own_area(mine, home, allowed):
    assert refused(delegation.check_create, who(("administrator", mine)), home) is not allowed


@pytest.mark.parametrize(
    ("mine", "home", "held", "allowed"),
    [
        (PROVINCE, COMMUNE, [], True),
        (PROVINCE, COMMUNE, [COMMUNE, SIBLING, PROVINCE], True),
        (PROVINCE, COMMUNE, [COMMUNE, FOREIGN], False),
        (PROVINCE, COMMUNE, [COUNTRY], False),
        (PROVINCE, FOREIGN, [COMMUNE], False),
        (COMMUNE, COMMUNE, [COMMUNE], True),
        (COMMUNE, COMMUNE, [PROVINCE], False),
        (COMMUNE, PROVINCE, [COMMUNE], False),
        (COUNTRY, COUNTRY, [COUNTRY, FOREIGN], True),
    ],
)
def test_an_account_is_changed_by_who_administers_all_of_it(mine, home, held, allowed):
    by = who(("administrator", mine))
    assert refused(delegation.check_change, by, ANOTHER, home, held) is not allowed
    assert refused(delegation.check_change, by, ME, home, held)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "administrator"])
def test_no_other_role_administers(role):
    by = who((role, COUNTRY))
    for place in PLACES:
        assert refused(delegation.check_create, by, place)
        assert refused(delegation.check_change, by, ANOTHER, place, [])


def test_the_operator_may_everything_but_give_roles_that_do_not_exist():
    for place in PLACES:
        delegation.check_create(None, place)
        delegation.check_grant(None, ANOTHER, place, PLACES, "administrator", place)
    with pytest.raises(UsageError, match="no role"):
        delegation.check_grant(None, ANOTHER, COMMUNE, [], "root", COMMUNE)


def test_a_token_administers_nothing():
    by = who(("administrator", COUNTRY))
    limited = User(by.account_id, "me", "Tôi", by.assignments, "VN", frozenset({"log.read"}))
    assert refused(delegation.check_create, limited, COMMUNE)


_PLACE = st.sampled_from(PLACES)
_MINE = st.lists(st.tuples(st.sampled_from(["administrator", "officer"]), _PLACE), max_size=4)


@given(_MINE, _PLACE, st.lists(_PLACE, max_size=4), st.sampled_from(list(ROLES)), _PLACE)
def test_a_role_is_given_only_where_every_part_is_ones_own(mine, home, held, role, where):
    by = who(*mine)
    own = [place for name, place in mine if name == "administrator"]
    wanted = all(any(lies_in(one, area) for area in own) for one in (home, *held, where))
    assert refused(delegation.check_grant, by, ANOTHER, home, held, role, where) is not wanted
    assert refused(delegation.check_grant, by, ME, home, held, role, where)


@given(_PLACE, st.lists(st.tuples(st.sampled_from(list(ROLES)), _PLACE), max_size=4))
def test_no_chain_of_grants_reaches_out_of_the_first_administrators_area(start, grants):
    """Whoever is given a role by somebody below `start` still has nothing outside of it."""
    chain = who(("administrator", start))
    for role, where in grants:
        if not refused(delegation.check_grant, chain, ANOTHER, start, [], role, where):
            assert lies_in(where, start)
            if role == "administrator":
                chain = who(("administrator", where))


@pytest.mark.parametrize(
    ("level", "province", "place"),
    [("country", None, COUNTRY), ("province", "01", PROVINCE), ("commune", "01", COMMUNE)],
)
def test_an_area_stands_in_tables_by_its_codes(level, province, place):
    code = place[1] or place[0] or "VN"
    area = Area(1, code, level, "X", "Xã X", "", None, province, None, None)
    assert delegation.place(area) == place


def test_an_area_that_has_ended_has_no_place():
    ended = Area(1, "001", "district", "X", "Huyện X", "", "01", "01", None, date(2025, 6, 30))
    with pytest.raises(UsageError, match=r"Huyện X \(001\) has ended"):
        delegation.place(ended)
