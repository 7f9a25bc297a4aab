"""Vietnamese address text → the commune it means today, how sure, and the candidates.

Names of both tiers are looked up in the words of the text; each commune found is scored by how
well its district and province are named to the right of it. Former communes lead to their
present successors. Nothing here asks the network.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection

from geo.addresses.misspelt import Spellings
from geo.addresses.reading import Reading, rather_above, readings
from geo.addresses.renamed import Told, told
from geo.addresses.texts import Match, Text, Texts, match
from geo.addresses.units import Index, fingerprint, units
from geo.addresses.words import MAX_LENGTH, parts

MAX_CANDIDATES = 20
"""More communes than this tell nothing about the place; the address counts as unresolved."""

_TIE = 0.3
_NEAR = 1.6
_RIVAL = 0.8
_ENOUGH = 7.0
"""A reading with this score has its district or province; no other order need be tried."""


class Resolution(NamedTuple):
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
        index = Index(units(conn))
        self._texts = Texts(index)
        self._spellings = Spellings(index)
        self.resolve = lru_cache(maxsize=200_000)(self._resolve)

    def _resolve(self, written: str) -> Resolution:
        both = told(written) if len(written) <= MAX_LENGTH else None
        return self._today(both) if both else self._read(written)

    def _today(self, both: Told) -> Resolution:
        """What is said of today; where that leaves several open, those that the former became."""
        now, before = self._read(both.now), self._read(both.before)
        if not now.candidates:
            return before
        shared = tuple(code for code in now.candidates if code in before.candidates)
        if len(now.candidates) > 1 and len(shared) == 1:
            sure = max(now.confidence, before.confidence)
            return before._replace(
                commune_code=shared[0], candidates=shared, confidence=sure, era=now.era
            )
        return now

    def _read(self, written: str) -> Resolution:
        pieces = parts(written)
        text = self._texts.of(pieces)
        if text is None:
            return UNRESOLVED
        found = readings(text)
        top = _top(found)
        if top < _ENOUGH and text.size > 1:
            if text.depth == 1:
                pieces = text.part.words.pieces()
            turned = self._texts.of(pieces[::-1])
            other = readings(turned) if turned else []
            # `H. Châu Thành, Long An` ends with a province, not with a commune of that name.
            other = [reading for reading in other if not rather_above(reading.hit)]
            if turned and _top(other) > max(top + _TIE, _ENOUGH - 0.5):
                text, found, top = turned, other, _top(other)
        if not _plain(found, top - _TIE):
            found = self._spellings.mended(text, found)
        return _decide(text, found) or _only_province(text)


def _plain(found: list[Reading], least: float) -> bool:
    """Whether nothing speaks against one of the best readings."""
    for reading in found:  # noqa: SIM110 - twice as quick as any()
        if reading.plain and reading.score >= least:
            return True
    return False


def _top(found: list[Reading]) -> float:
    return max([reading.score for reading in found], default=0.0)


def _decide(text: Text, found: list[Reading]) -> Resolution | None:
    """The meaning that the best readings share, former communes led to the present ones."""
    if not found:
        return None
    best = _top(found)
    chosen = _chosen([reading for reading in found if reading.score >= best - _TIE])
    first, single = chosen[0], len(chosen) == 1
    unit = first.unit
    era: str | None = unit.era
    codes, province = unit.today, unit.today_province
    if not single:
        codes = tuple({code: None for r in chosen for code in r.unit.today})
        era = _only([r.unit.era for r in chosen])
        province = _only([r.unit.today_province for r in chosen])
    sure = first.confidence / len(chosen)
    if not first.parents.district and _has_rival(found, best, codes):
        sure *= _RIVAL
    known = 0 < len(codes) <= MAX_CANDIDATES
    return Resolution(
        codes[0] if len(codes) == 1 else None,
        codes if known else (),
        unit.area_id if single else None,
        era,
        province,
        round(sure, 2) if known else 0.0,
        _matched(text, first) if single else (),
    )


def _only(said: list[str | None]) -> str | None:
    """What all say alike."""
    return said[0] if said.count(said[0]) == len(said) else None


def _chosen(ties: list[Reading]) -> list[Reading]:
    """The best reading of each unit, present ones first."""
    if len(ties) == 1:
        return ties
    units: dict[int, Reading] = {}
    for reading in sorted(ties, key=lambda r: (-r.score, r.unit.area_id)):
        units.setdefault(reading.unit.area_id, reading)
    present = [r for r in units.values() if r.unit.present]
    today = {r.unit for r in present}
    # A former commune that became the present one of its name is no other place; of a divided one
    # that is a part only.
    return present + [
        r
        for r in units.values()
        if not r.unit.present and not today.issuperset(r.unit.present_units)
    ]


def _has_rival(found: list[Reading], best: float, codes: Collection[str]) -> bool:
    """Whether a namesake in the province, by today's or its former name, became something else."""
    return any(
        set(reading.unit.today) != set(codes)
        for reading in found
        if reading.score >= best - _NEAR and reading.parents.province
    )


def _matched(text: Text, reading: Reading) -> tuple[Match, ...]:
    commune, hamlet = match(reading.unit, reading.hit), _hamlet(text, reading)
    if hamlet:
        return (Match("hamlet", hamlet, hamlet), commune, *reading.parents.matched)
    return (commune, *reading.parents.matched)


def _hamlet(text: Text, reading: Reading) -> str | None:
    """The hamlet that is named last before the commune."""
    found = reading.hit.part.hamlet_before(reading.hit.kind_first)
    if found is None:
        for end in text.ends():
            if end is reading.text:
                break
            found = end.part.hamlet or found
    return found


def _only_province(text: Text) -> Resolution:
    """What is left when no commune is read: the province of the rightmost province or district.

    A district's name alone is no more than a word: `chủ rừng` is not the town of Chũ.
    """
    above = [
        (unit, hit)
        for end in text.ends()
        for hit in end.hits
        for unit in hit.above
        if unit.level == "province" or hit.kind
    ]
    if not above:
        return UNRESOLVED
    last = min(hit.end for _, hit in above)
    named = [pair for pair in above if pair[1].end == last]
    named = [pair for pair in named if pair[0].level == "province"] or named
    codes = {code for unit, _ in named for code in unit.present_provinces()}
    if len(codes) != 1:
        return UNRESOLVED
    return Resolution(province_code=codes.pop(), matched=(match(*named[0]),))


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
