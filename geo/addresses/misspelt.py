"""Misspelt names: compared by edit distance, only with what the rest of the address leaves open."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.addresses.reading import Hit, Reading, Text
from geo.addresses.units import Index, Name, Unit
from geo.addresses.words import HAMLET_KINDS, SMALLER_PLACE, Kind, compared

_COMMUNE_KINDS = frozenset({"xa", "phuong", "thi tran", "dac khu"})
_SHORT = 6
_LEAST = 3
_LONGEST = 6
_MARGIN = 0.8
_MANY = 200
_SCORE = 5.0


@dataclass(frozen=True, slots=True)
class Scope:
    """The communes below a named district or province, with the names that lead there."""

    area_id: int
    district: tuple[Unit, Hit] | None
    province: tuple[Unit, Hit] | None

    def begins(self) -> int:
        """The first word of what it is named by."""
        return min(pair[1].kind_start for pair in (self.district, self.province) if pair)


@dataclass(frozen=True, slots=True)
class Likeness:
    """A commune whose name is close to the words of `hit`; cost: letters that differ."""

    cost: float
    letters: int
    unit: Unit
    hit: Hit
    scope: Scope


def most(letters: str) -> int:
    """How many letters of a name may differ."""
    return 1 if len(letters) <= _SHORT else 2


class Spellings:
    """The names below each unit as letters only, ready to be compared."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._choices = lru_cache(maxsize=4096)(self._letters_below)

    def _letters_below(self, area_id: int) -> tuple[list[Unit], list[str]]:
        units = [u for u in self._index.below.get(area_id, ()) if len(u.letters) >= _LEAST]
        return units, [unit.letters for unit in units]

    def mended(self, text: Text, found: list[Reading]) -> list[Reading]:
        """`found`, or the readings that other spellings of names make possible instead."""
        better = self._communes(text)
        if better:
            return better
        return [_with_parents(text, reading) for reading in found[:_MANY]] + found[_MANY:]

    def _communes(self, text: Text) -> list[Reading]:
        for scopes in _scopes(text):
            close = [like for scope in scopes for like in self._close(text, scope)]
            if close:
                least = min(like.cost for like in close)
                best = [like for like in close if like.cost < least + _MARGIN]
                letters = {like.unit.letters for like in close if like.cost < least + 1.5}
                return [_reading(like, alone=len(letters) == 1) for like in best]
        return []

    def _close(self, text: Text, scope: Scope) -> Iterator[Likeness]:
        units, choices = self._choices(scope.area_id)
        for hit in _spans(text, scope.begins()):
            written = compared("".join(text.keys[hit.start : hit.end]))
            marked = compared("".join(text.marked[hit.start : hit.end]))
            if len(written) < _LEAST:
                continue
            near = process.extract(
                written, choices, scorer=OSA.distance, score_cutoff=2, limit=None, processor=None
            )
            for letters, distance, i in near:
                if distance > most(letters) or _digits(letters) != _digits(written):
                    continue
                unit = units[i]
                cost = float(distance)
                if not text.toneless:
                    tones = OSA.distance(marked, unit.marked_letters) - distance
                    cost += 0.3 * max(0.0, tones)
                if hit.kind and hit.kind != unit.kind:
                    cost += 0.5
                yield Likeness(cost, int(distance), unit, hit, scope)


def _digits(letters: str) -> str:
    return "".join(filter(str.isdigit, letters))


def _reading(like: Likeness, *, alone: bool) -> Reading:
    sure = 0.75 if like.letters <= 1 and like.scope.district else 0.65
    return Reading(
        score=_SCORE - like.cost / 10,
        confidence=sure if alone else sure - 0.15,
        hit=like.hit,
        unit=like.unit,
        district=like.scope.district,
        province=like.scope.province,
        plain=False,
    )


def _scopes(text: Text) -> Iterator[list[Scope]]:
    """Districts that are named with their province, then the last province, then districts."""
    districts = [(u, h) for h in text.hits for u in h.above if u.level == "district"]
    provinces = [(u, h) for h in text.hits for u in h.above if u.level == "province"]
    yield [
        Scope(district[0].area_id, district, province)
        for district in districts
        for province in provinces
        if province[1].start >= district[1].end and province[0].area_id in district[0].provinces
    ]
    last = max((hit.end for _, hit in provinces), default=0)
    yield [Scope(u.area_id, None, (u, h)) for u, h in provinces if h.end == last]
    if not provinces:
        yield [Scope(u.area_id, (u, h), None) for u, h in districts]


def _spans(text: Text, stop: int) -> Iterator[Hit]:
    """The words before word `stop` that may be a commune's name."""
    for i in range(stop - 1, 0, -1):
        kind = text.kinds[i]
        if kind and kind[0] in _COMMUNE_KINDS:
            yield from _after_kind(text, i, stop, kind)
            return
    if stop <= 0:
        return
    first = stop - 1
    while first and text.segment[first - 1] == text.segment[stop - 1] and not text.starts[first]:
        first -= 1
    if stop - first <= _LONGEST:
        yield Hit(first, stop, None, first, [], [], Name())
    if text.keys[first] in SMALLER_PLACE or text.keys[first].isdigit():
        # A hamlet without a comma after it: its last words may be the commune's.
        for length in range(1, min(4, stop - first - 1) + 1):
            if text.keys[stop - length - 1] not in HAMLET_KINDS:
                yield Hit(stop - length, stop, None, stop - length, [], [], Name())


def _after_kind(text: Text, start: int, stop: int, kind: Kind) -> Iterator[Hit]:
    """The words from `start` to the next kind, and to the end of the part."""
    end = start
    begins = {other[1] for other in text.kinds[start + 1 : stop + 1] if other}
    while end < stop and text.segment[end] == text.segment[start]:
        if end > start and end in begins:
            yield Hit(start, end, kind[0], kind[1], [], [], Name())
        end += 1
    if end - start <= _LONGEST:
        yield Hit(start, end, kind[0], kind[1], [], [], Name())


def _with_parents(text: Text, reading: Reading) -> Reading:
    """`reading` with a misspelt district or province found among the words to its right."""
    district, province = reading.district, reading.province
    for run in _unexplained(text, reading):
        letters = compared("".join(text.keys[run.start : run.end]))
        if not district and reading.unit.district and _alike(letters, reading.unit.district):
            district = (reading.unit.district, run)
        elif not province and reading.unit.province and _alike(letters, reading.unit.province):
            province = (reading.unit.province, run)
        else:
            continue
        words = run.end - run.start
        reading = replace(
            reading,
            score=reading.score + 2.0 + 1.5 * words,
            confidence=min(0.95, 0.95 * reading.confidence / 0.75**words),
            district=district,
            province=province,
        )
    return reading


def _alike(letters: str, unit: Unit) -> bool:
    if len(letters) < _LEAST or len(unit.letters) < _LEAST:
        return False
    allowed = most(unit.letters)
    return OSA.distance(letters, unit.letters, score_cutoff=allowed) <= allowed


def _unexplained(text: Text, reading: Reading) -> Iterator[Hit]:
    """Runs of words right of the commune that name nothing yet."""
    covered = text.ignored
    for pair in (reading.district, reading.province):
        if pair:
            covered |= pair[1].mask()
    segment, size = text.segment, len(text.keys)
    start = reading.hit.end
    while start < size:
        end = start
        while end < size and not covered >> end & 1 and segment[end] == segment[start]:
            end += 1
        if end > start:
            kind = text.kinds[start]
            yield Hit(start, end, None, kind[1] if kind else start, [], [], Name())
        start = max(end, start + 1)
