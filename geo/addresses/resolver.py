"""Vietnamese address text → the commune it means today, how sure, and the candidates.

Names of both tiers are looked up in the words of the text; each commune found is scored by how
well its district and province are named to the right of it. Former communes lead to their
present successors. Nothing here asks the network.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection

from geo.addresses.units import Unit, fingerprint, index, units
from geo.addresses.words import (
    LEVELS_OF_KIND,
    SMALLER_PLACE,
    Words,
    words,
)

MAX_CANDIDATES = 20
"""More communes than this tell nothing about the place; the address counts as unresolved."""

_LEAST_SCORE = 3.0
_TIE = 0.3
_LEFT_OUT = frozenset({"xa", "phuong", "thi tran", "dac khu", "huyen", "thi xa", "thanh pho"})
"""A part that begins with such a word names a unit; what follows it is not a commune then."""
_ROMAN = frozenset({"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"})


@dataclass(frozen=True)
class Resolution:
    """What an address text means.

    commune_code: the present commune when there is one only. candidates: present communes, one
    when certain, several when ambiguous, none when unresolved. area_id, era: the area as
    written, which may be a former one. province_code: the present province, also where only
    that is known. confidence: 0 to 1, that the area as written is read rightly.
    matched: level → full name of the units that the text names.
    """

    commune_code: str | None = None
    candidates: tuple[str, ...] = ()
    area_id: int | None = None
    era: str | None = None
    province_code: str | None = None
    confidence: float = 0.0
    matched: dict[str, str] = field(default_factory=dict)


UNRESOLVED = Resolution()


@dataclass(slots=True)
class Hit:
    """A name found in words start … end-1."""

    start: int
    end: int
    unit: Unit
    kind: str | None
    kind_start: int

    def mask(self) -> int:
        """The bits of the words it covers."""
        return (1 << self.end) - (1 << self.start)


@dataclass(slots=True)
class Reading:
    """One way to read an address: a commune with the units to its right that agree."""

    score: float
    confidence: float
    hit: Hit
    district: Unit | None
    province: Unit | None


class Resolver:
    """Reads addresses against the gazetteer as it was when this was made."""

    def __init__(self, conn: Connection) -> None:
        self._names = index(units(conn))
        self._longest = max((len(key.split()) for key in self._names), default=0)
        self.resolve = lru_cache(maxsize=200_000)(self._resolve)

    def _resolve(self, text: str) -> Resolution:
        found = words(text)
        hits = self._hits(found)
        readings = _readings(found, hits)
        best = max((r.score for r in readings), default=0.0)
        if best < 7 and found.segment and found.segment[-1] > 0:
            turned = found.reversed()
            other_hits = self._hits(turned)
            other = _readings(turned, other_hits)
            if max((r.score for r in other), default=0.0) > max(best + _TIE, 6.5):
                hits, readings = other_hits, other
        return _decide(readings) or _only_province(hits)

    def _hits(self, found: Words) -> list[Hit]:
        """Every name of any unit in the text; numbers only where their kind is written."""
        keys, segment = found.keys, found.segment
        spans: list[tuple[int, int, list[Unit]]] = []
        for start in range(len(keys)):
            for end in range(start + 1, min(start + self._longest, len(keys)) + 1):
                if segment[end - 1] != segment[start]:
                    break
                units = self._names.get(" ".join(keys[start:end]))
                if units:
                    spans.append((start, end, units))
        ends = {end for start, end, _ in spans if end - start > 1}
        hits = []
        for start, end, units in spans:
            kind, kind_start = _kind(found, start, ends)
            levels = LEVELS_OF_KIND[kind] if kind else None
            bare = end - start == 1 and (keys[start].isdigit() or keys[start] in _ROMAN)
            if bare and not levels:
                continue
            hits += [
                Hit(start, end, unit, kind, kind_start)
                for unit in units
                if not levels or unit.level in levels
            ]
        return hits


def _kind(found: Words, start: int, ends: set[int]) -> tuple[str | None, int]:
    """The kind written before word `start` and where it begins.

    `ends` are the ends of longer names: `quan` is no kind where it ends `Văn Quan`, and after
    `Trường Thi` the word `xã` stands alone.
    """
    if start in ends:
        return None, start
    return found.kind_before(start, longest=1 if start - 1 in ends else 2) or (None, start)


def _readings(found: Words, hits: list[Hit]) -> list[Reading]:
    """Every commune that is named, scored; those in a named province or district only, if any."""
    by_unit: dict[int, list[Hit]] = defaultdict(list)
    communes = []
    for hit in hits:
        if hit.unit.level == "commune":
            communes.append(hit)
        else:
            by_unit[hit.unit.area_id].append(hit)
    ignored, toneless = found.ignored(), found.toneless()
    placed = [hit for hit in communes if _is_placed(hit, by_unit)] if by_unit else []
    return [
        reading
        for hit in placed or communes
        if (reading := _read(found, hit, by_unit, ignored, toneless)).score >= _LEAST_SCORE
    ]


def _is_placed(hit: Hit, by_unit: dict[int, list[Hit]]) -> bool:
    district = hit.unit.district
    if district and any(d.start >= hit.end for d in by_unit.get(district.area_id, ())):
        return True
    return any(
        p.start >= hit.end
        for province in _province_names(hit.unit)
        for p in by_unit.get(province.area_id, ())
    )


def _province_names(unit: Unit) -> list[Unit]:
    """The units under whose name the commune's province may be written, its own era's first."""
    own = unit.province
    if own is None:
        return []
    return [own, *own.merged, *(other for other in own.present_units if other is not own)]


def _read(
    found: Words, hit: Hit, by_unit: dict[int, list[Hit]], ignored: int, toneless: bool
) -> Reading:
    unit = hit.unit
    districts = [
        d
        for d in (by_unit.get(unit.district.area_id, ()) if unit.district else ())
        if d.start >= hit.end
    ]
    provinces = [
        p
        for province in _province_names(unit)
        for p in by_unit.get(province.area_id, ())
        if p.start >= hit.end
    ]
    district, province, agreement = _best_parents(unit, districts, provinces)
    covered = ignored
    for parent in (*districts, *provinces):
        covered |= parent.mask()
    right = (1 << len(found.keys)) - (1 << hit.end)
    unexplained = (right & ~covered).bit_count()
    doubt = _left_doubt(found, hit)
    score = (
        4.0
        + agreement
        + (_kind_agreement(hit) if hit.kind else 0.0)
        + _tone_agreement(found, hit, toneless)
        + 0.25 * (hit.end - hit.start - 1)
        - 1.5 * unexplained
        - doubt
    )
    sure = {(1, 1): 1.0, (0, 1): 0.95, (1, 0): 0.9, (0, 0): 0.7}[bool(district), bool(province)]
    confidence = sure * 0.85**unexplained * (0.8 if doubt else 1.0)
    return Reading(
        score,
        confidence,
        hit,
        district.unit if district else None,
        province.unit if province else None,
    )


def _best_parents(
    unit: Unit, districts: list[Hit], provinces: list[Hit]
) -> tuple[Hit | None, Hit | None, float]:
    """The district and province to the right, one name counted once, with the most agreement."""
    best: tuple[Hit | None, Hit | None, float] = (None, None, 0.0)
    for district in (*districts, None):
        for province in (*provinces, None):
            if district and province and province.start < district.end:
                continue
            score = 0.0
            if district:
                score += 3.0 + 0.5 * _kind_agreement(district)
            if province:
                own_era = province.unit is unit.province
                score += (3.0 if own_era else 2.0) + 0.5 * _kind_agreement(province)
            if score > best[2]:
                best = (district, province, score)
    return best


def _kind_agreement(hit: Hit) -> float:
    if hit.kind is None:
        return 0.0
    return 1.0 if hit.kind == hit.unit.kind else -0.5


def _tone_agreement(found: Words, hit: Hit, toneless: bool) -> float:
    """Tone marks decide between namesakes, where the text has any."""
    if toneless:
        return 0.0
    written = found.marked[hit.start : hit.end]
    return 0.5 if written == list(hit.unit.marked) else -0.5


def _left_doubt(found: Words, hit: Hit) -> float:
    """Doubt from what stands left of the name: a hamlet word, a longer name, another commune."""
    doubt = 0.0
    first = hit.kind_start
    if not hit.kind and not found.starts[first]:
        before = found.keys[first - 1]
        doubt += 2.0 if before in SMALLER_PLACE else 1.0
    for i in range(1, first + 1):
        kind, start = found.kind_before(i) or ("", 0)
        if kind in _LEFT_OUT and found.starts[start]:
            return doubt + 5.0
    return doubt


def _decide(readings: list[Reading]) -> Resolution | None:
    """The meaning that the best readings share, former communes led to the present ones."""
    if not readings:
        return None
    best = max(reading.score for reading in readings)
    ties: dict[int, Reading] = {}
    for reading in sorted(readings, key=lambda r: (-r.score, r.hit.unit.area_id)):
        if reading.score >= best - _TIE:
            ties.setdefault(reading.hit.unit.area_id, reading)
    present = [r for r in ties.values() if r.hit.unit.present]
    today = {r.hit.unit.area_id for r in present}
    # A former commune that became the present one of its name is no other place.
    former = [
        r
        for r in ties.values()
        if not r.hit.unit.present
        and not today & {unit.area_id for unit in r.hit.unit.present_units}
    ]
    chosen = present + former
    leads = {
        unit.code: unit for r in chosen for unit in sorted(_today(r.hit.unit), key=lambda u: u.code)
    }
    first = chosen[0]
    provinces = {unit.province.code for unit in leads.values() if unit.province}
    known = 0 < len(leads) <= MAX_CANDIDATES
    return Resolution(
        commune_code=next(iter(leads)) if len(leads) == 1 else None,
        candidates=tuple(leads) if known else (),
        area_id=first.hit.unit.area_id if len(chosen) == 1 else None,
        era=_era(chosen),
        province_code=provinces.pop() if len(provinces) == 1 else None,
        confidence=round(first.confidence / len(chosen), 2) if known else 0.0,
        matched=_matched(first) if len(chosen) == 1 else {},
    )


def _today(unit: Unit) -> Iterable[Unit]:
    return (unit,) if unit.present else unit.present_units


def _era(chosen: list[Reading]) -> str | None:
    eras = {"present" if r.hit.unit.present else "former" for r in chosen}
    return eras.pop() if len(eras) == 1 else None


def _matched(reading: Reading) -> dict[str, str]:
    units = {
        "commune": reading.hit.unit,
        "district": reading.district,
        "province": reading.province,
    }
    return {level: unit.full_name for level, unit in units.items() if unit}


def _only_province(hits: list[Hit]) -> Resolution:
    """What is left when no commune is read: the province of the rightmost province or district."""
    above = [hit for hit in hits if hit.unit.level != "commune"]
    if not above:
        return UNRESOLVED
    end = max(hit.end for hit in above)
    last = [hit for hit in above if hit.end == end]
    named = [hit for hit in last if hit.unit.level == "province"] or last
    codes = {code for hit in named for code in hit.unit.present_provinces()}
    if len(codes) != 1:
        return UNRESOLVED
    return Resolution(province_code=codes.pop(), matched={"province": named[0].unit.full_name})


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
