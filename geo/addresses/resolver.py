"""Vietnamese address text → the commune it means today, how sure, and the candidates.

Names of both tiers are looked up in the words of the text; each commune found is scored by how
well its district and province are named to the right of it. Former communes lead to their
present successors. Nothing here asks the network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection

from geo.addresses.misspelt import Spellings
from geo.addresses.reading import Hit, Part, Reading, Text, readings
from geo.addresses.units import Index, Unit, fingerprint, units
from geo.addresses.words import parts

MAX_CANDIDATES = 20
"""More communes than this tell nothing about the place; the address counts as unresolved."""

_TIE = 0.3
_NEAR = 1.6
_RIVAL = 0.8
_ENOUGH = 7.0
"""A reading with this score has its district or province; no other order need be tried."""


class Match(NamedTuple):
    """A unit that the address names, and the words that name it.

    level: commune, district, province or hamlet; a hamlet has no area and its words as full name.
    """

    level: str
    full_name: str
    text: str
    area_id: int | None = None


@dataclass(frozen=True)
class Resolution:
    """What an address text means.

    commune_code: the present commune when there is one only. candidates: present communes, one
    when certain, several when ambiguous, none when unresolved. area_id, era: the area as
    written, which may be a former one. province_code: the present province, also where only
    that is known. confidence: 0 to 1, that the area as written is read rightly; at most 0.75
    for misspelt names. matched: what the text names, from the smallest.
    """

    commune_code: str | None = None
    candidates: tuple[str, ...] = ()
    area_id: int | None = None
    era: str | None = None
    province_code: str | None = None
    confidence: float = 0.0
    matched: tuple[Match, ...] = ()


UNRESOLVED = Resolution()


class Resolver:
    """Reads addresses against the gazetteer as it was when this was made."""

    def __init__(self, conn: Connection) -> None:
        self._index = Index(units(conn))
        self._spellings = Spellings(self._index)
        self._part = lru_cache(maxsize=100_000)(self._new_part)
        self.resolve = lru_cache(maxsize=200_000)(self._resolve)

    def _new_part(self, text: str) -> Part:
        return Part(text, self._index)

    def _resolve(self, written: str) -> Resolution:
        pieces = [self._part(part) for part in parts(written)]
        text = Text(pieces)
        found = readings(text)
        top = _top(found)
        if top < _ENOUGH and len(text.keys) > 1:
            if len(pieces) == 1:
                pieces = [self._part(part) for part in pieces[0].words.pieces()]
            turned = Text(pieces[::-1])
            other = readings(turned)
            if _top(other) > max(top + _TIE, _ENOUGH - 0.5):
                text, found, top = turned, other, _top(other)
        if not any(r.plain for r in found if r.score >= top - _TIE):
            found = self._spellings.mended(text, found)
        return _decide(text, found) or _only_province(text)


def _top(found: list[Reading]) -> float:
    return max((reading.score for reading in found), default=0.0)


def _decide(text: Text, found: list[Reading]) -> Resolution | None:
    """The meaning that the best readings share, former communes led to the present ones."""
    if not found:
        return None
    best = _top(found)
    ties: dict[int, Reading] = {}
    for reading in sorted(found, key=lambda r: (-r.score, r.unit.area_id)):
        if reading.score >= best - _TIE:
            ties.setdefault(reading.unit.area_id, reading)
    present = [r for r in ties.values() if r.unit.present]
    today = {r.unit.area_id for r in present}
    # A former commune that became the present one of its name is no other place.
    former = [
        r
        for r in ties.values()
        if not r.unit.present and not today & {unit.area_id for unit in r.unit.present_units}
    ]
    chosen = present + former
    leads = {unit.code: unit for r in chosen for unit in sorted(_today(r.unit), key=_code)}
    first = chosen[0]
    sure = first.confidence / len(chosen)
    if not first.district and _has_rival(found, best, leads):
        sure *= _RIVAL
    provinces = {unit.province.code for unit in leads.values() if unit.province}
    known = 0 < len(leads) <= MAX_CANDIDATES
    return Resolution(
        commune_code=next(iter(leads)) if len(leads) == 1 else None,
        candidates=tuple(leads) if known else (),
        area_id=first.unit.area_id if len(chosen) == 1 else None,
        era=_era(chosen),
        province_code=provinces.pop() if len(provinces) == 1 else None,
        confidence=round(sure, 2) if known else 0.0,
        matched=_matched(text, first) if len(chosen) == 1 else (),
    )


def _has_rival(found: list[Reading], best: float, leads: Iterable[str]) -> bool:
    """Whether a namesake in the province, by today's or its former name, became something else."""
    return any(
        {unit.code for unit in _today(reading.unit)} != set(leads)
        for reading in found
        if reading.score >= best - _NEAR and reading.province
    )


def _code(unit: Unit) -> str:
    return unit.code


def _today(unit: Unit) -> Iterable[Unit]:
    return (unit,) if unit.present else unit.present_units


def _era(chosen: list[Reading]) -> str | None:
    eras = {"present" if r.unit.present else "former" for r in chosen}
    return eras.pop() if len(eras) == 1 else None


def _matched(text: Text, reading: Reading) -> tuple[Match, ...]:
    named = [(reading.unit, reading.hit), reading.district, reading.province]
    found = [_match(text, *pair) for pair in named if pair]
    hamlet = text.hamlet_before(reading.hit.kind_start)
    if hamlet:
        written = text.written(*hamlet)
        found.insert(0, Match("hamlet", written, written))
    return tuple(found)


def _match(text: Text, unit: Unit, hit: Hit) -> Match:
    written = text.written(hit.kind_start, hit.end)
    return Match(unit.level, unit.full_name, written, unit.area_id)


def _only_province(text: Text) -> Resolution:
    """What is left when no commune is read: the province of the rightmost province or district.

    A district's name alone is no more than a word: `chủ rừng` is not the town of Chũ.
    """
    above = [(u, h) for h in text.hits for u in h.above if u.level == "province" or h.kind]
    if not above:
        return UNRESOLVED
    end = max(hit.end for _, hit in above)
    last = [(unit, hit) for unit, hit in above if hit.end == end]
    named = [pair for pair in last if pair[0].level == "province"] or last
    codes = {code for unit, _ in named for code in unit.present_provinces()}
    if len(codes) != 1:
        return UNRESOLVED
    return Resolution(province_code=codes.pop(), matched=(_match(text, *named[0]),))


def resolver(conn: Connection) -> Resolver:
    """The process's resolver for the gazetteer that `conn` sees; made anew when that changed."""
    seen = fingerprint(conn)
    made = _made.get(seen)
    if made is None:
        made = Resolver(conn)
        _made.clear()
        _made[seen] = made
    return made


_made: dict[tuple[int, ...], Resolver] = {}
