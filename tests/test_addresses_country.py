"""Every commune of both tiers, written in many styles and misspelt, is found; or left open."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

import pytest
from sqlalchemy import Connection, Engine

from geo.addresses import Resolver
from tests.address_styles import STYLES, Place, misspelt, places, plain, split

CONFIDENT = 0.8


@pytest.fixture(scope="module")
def connection(gazetteer_engine: Engine) -> Iterator[Connection]:
    with gazetteer_engine.connect() as conn:
        yield conn


@pytest.fixture(scope="module")
def resolve(connection: Connection) -> Resolver:
    return Resolver(connection)


@pytest.fixture(scope="module")
def former(connection: Connection) -> list[Place]:
    return places(connection, present=False)


@pytest.fixture(scope="module")
def present(connection: Connection) -> list[Place]:
    return places(connection, present=True)


@dataclass
class Shares:
    """held: all successors are among the candidates; wrong: one area, confident, not the right."""

    held: float
    wrong: float


def shares(resolve: Resolver, asked: Iterable[tuple[Place, str]]) -> Shares:
    held = wrong = n = 0
    for place, written in asked:
        found = resolve.resolve(written)
        codes = set(found.candidates)
        n += 1
        held += place.codes <= codes
        wrong += (
            found.commune_code is not None
            and found.confidence >= CONFIDENT
            and codes != place.codes
        )
    return Shares(held / n, wrong / n)


def test_there_are_all_communes_of_both_tiers(former: list[Place], present: list[Place]) -> None:
    assert (len(former), len(present)) == (10_035, 3_321)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_former_communes_lead_to_all_their_successors(
    resolve: Resolver, former: list[Place], style: Callable[[Place], str]
) -> None:
    found = shares(resolve, ((place, style(place)) for place in former))
    assert found.held >= 0.995
    assert found.wrong <= 0.001


@pytest.mark.parametrize("name", sorted(STYLES.keys() - {"no province", "today's province"}))
def test_present_communes_lead_to_themselves(
    resolve: Resolver, present: list[Place], name: str
) -> None:
    found = shares(resolve, ((place, STYLES[name](place)) for place in present))
    assert found.held >= 0.995
    assert found.wrong <= 0.001


@pytest.mark.parametrize("tier", ["former", "present"])
def test_a_commune_without_its_district_is_never_confidently_another(
    resolve: Resolver, request: pytest.FixtureRequest, tier: str
) -> None:
    listed: list[Place] = request.getfixturevalue(tier)
    found = shares(resolve, ((p, f"{p.commune}, {p.province}") for p in listed))
    assert (found.held, found.wrong) == (1.0, 0.0)


MISSPELT = ("full", "no tone marks", "no commas, no tone marks")


@pytest.mark.parametrize("tier", ["former", "present"])
@pytest.mark.parametrize("name", MISSPELT)
def test_one_wrong_letter_is_seen_through(
    resolve: Resolver, request: pytest.FixtureRequest, name: str, tier: str
) -> None:
    listed: list[Place] = request.getfixturevalue(tier)
    chance = Random(20250701)
    known = defaultdict(set)
    for place in listed:
        known[place.district, place.province].add((_key(place), place.codes))
    wrong_letter = [
        (place, STYLES[name](spelt))
        for place in listed
        if (spelt := misspelt(chance, place)) and not _is_another(spelt, known)
    ]
    found = shares(resolve, wrong_letter)
    assert len(wrong_letter) >= 0.97 * len(listed)
    assert found.held >= 0.95
    assert found.wrong <= 0.001


def _is_another(spelt: Place, known: dict[tuple, set[tuple]]) -> bool:
    """Whether the misspelt name is the right one of another commune of the same district."""
    below = known[spelt.district, spelt.province]
    return any(key == _key(spelt) and codes != spelt.codes for key, codes in below)


def _key(place: Place) -> str:
    return plain(split(place.commune)[1]).lower()
