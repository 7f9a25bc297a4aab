"""Misspelt names: compared by edit distance, only with what the rest of the address leaves open."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.addresses.reading import Reading
from geo.addresses.texts import Hit, Parents, Span, Text
from geo.addresses.units import Index, Unit
from geo.addresses.words import HAMLET_KINDS, SMALLER_PLACE, compared

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
        """How many words stand from the first of what it is named by."""
        return max(pair[1].kind_start for pair in (self.district, self.province) if pair)


@dataclass(frozen=True, slots=True)
class Likeness:
    """A commune whose name is close to the words of `hit`; cost: letters that differ."""

    text: Text
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
        found = self._communes(text) or found
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
        for end, hit in _spans(text, scope.begins()):
            written, marked = compared("".join(hit.keys())), compared("".join(hit.marked()))
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
                yield Likeness(end, cost, int(distance), unit, hit, scope)


def _digits(letters: str) -> str:
    return "".join(filter(str.isdigit, letters))


def _reading(like: Likeness, *, alone: bool) -> Reading:
    sure = 0.75 if like.letters <= 1 and like.scope.district else 0.65
    parents = Parents(like.scope.district, like.scope.province)
    unsaid = _unsaid(like.text, like.hit, parents).bit_count()
    return Reading(
        *(like.text, like.hit, like.unit, parents),
        score=_SCORE - like.cost / 10 - 1.5 * unsaid,
        confidence=(sure if alone else sure - 0.15) * 0.75**unsaid,
    )


def _unsaid(text: Text, hit: Hit, parents: Parents) -> int:
    """The bits of the words right of a name that explain nothing."""
    unsaid = text.unsaid & (1 << hit.end) - 1
    for pair in (parents.district, parents.province):
        if pair:
            unsaid &= ~pair[1].mask()
    return unsaid


def _scopes(text: Text) -> Iterator[list[Scope]]:
    """Districts that are named with their province, then the last province, then districts."""
    above = [(unit, hit) for end in text.ends() for hit in end.hits for unit in hit.above]
    districts = [pair for pair in above if pair[0].level == "district"]
    provinces = [pair for pair in above if pair[0].level == "province"]
    yield [
        Scope(district[0].area_id, district, province)
        for district in districts
        for province in provinces
        if province[1].start <= district[1].end and province[0].area_id in district[0].provinces
    ]
    last = min((hit.end for _, hit in provinces), default=0)
    yield [Scope(u.area_id, None, (u, h)) for u, h in provinces if h.end == last]
    if not provinces:
        yield [Scope(u.area_id, (u, h), None) for u, h in districts]


def _spans(text: Text, begins: int) -> Iterator[tuple[Text, Hit]]:
    """What may be a commune's name before the place that `begins` words stand from on."""
    before = [end for end in text.ends() if end.size > begins]
    for end in reversed(before):
        count = end.part.count
        stop = min(count, end.size - begins)
        kinds = end.part.words.kinds
        for first in range(min(stop, count - 1), 0, -1):
            kind = kinds[first]
            if first < stop and kind and kind[0] in _COMMUNE_KINDS:
                for hit in _after_kind(end, first, stop):
                    yield end, hit
                return
    if before:
        end = before[-1]
        for hit in _without_kind(end, min(end.part.count, end.size - begins)):
            yield end, hit


def _without_kind(end: Text, stop: int) -> Iterator[Hit]:
    """The words before word `stop` of the first part, as far as they may be one name."""
    keys, starts = end.part.words.keys, end.part.words.starts
    first = stop - 1
    while first and not starts[first]:
        first -= 1
    if any(kind and kind[1] >= first for kind in end.part.words.kinds[first + 1 : stop]):
        # `H. Yên Thế` is a district, not the commune of nearly these letters.
        return
    if stop - first <= _LONGEST:
        yield _hit(end, first, stop)
    if keys[first] in SMALLER_PLACE or keys[first].isdigit():
        # A hamlet without a comma after it: its last words may be the commune's.
        for length in range(1, min(4, stop - first - 1) + 1):
            if keys[stop - length - 1] not in HAMLET_KINDS:
                yield _hit(end, stop - length, stop)


def _after_kind(end: Text, first: int, stop: int) -> Iterator[Hit]:
    """The words from `first`, right after a kind, to the next kind, and to the end."""
    kinds = end.part.words.kinds
    begins = {other[1] for other in kinds[first + 1 : stop + 1] if other}
    for last in range(first + 1, stop):
        if last in begins:
            yield _hit(end, first, last, *(kinds[first] or ()))
    if stop - first <= _LONGEST:
        yield _hit(end, first, stop, *(kinds[first] or ()))


def _hit(end: Text, first: int, stop: int, kind: str | None = None, kind_first: int = -1) -> Hit:
    """Words of the first part as a name that no unit has."""
    span = Span(first, stop, kind, first if kind_first < 0 else kind_first)
    return Hit(end.part, span, end.rest.size if end.rest else 0)


def _with_parents(text: Text, reading: Reading) -> Reading:
    """`reading` with a misspelt district or province found among the words to its right."""
    unit = reading.unit
    for run in _unexplained(text, reading):
        district, province = reading.parents.district, reading.parents.province
        letters = compared("".join(run.keys()))
        if not district and unit.district and _alike(letters, unit.district):
            district = (unit.district, run)
        elif not province and unit.province and _alike(letters, unit.province):
            province = (unit.province, run)
        else:
            continue
        count = run.stop - run.first
        reading = Reading(
            *(reading.text, reading.hit, unit),
            Parents(district, province),
            score=reading.score + 2.0 + 1.5 * count,
            confidence=min(0.95, 0.95 * reading.confidence / 0.75**count),
        )
    return reading


def _alike(letters: str, unit: Unit) -> bool:
    if len(letters) < _LEAST or len(unit.letters) < _LEAST:
        return False
    allowed = most(unit.letters)
    return OSA.distance(letters, unit.letters, score_cutoff=allowed) <= allowed


def _unexplained(text: Text, reading: Reading) -> Iterator[Hit]:
    """Runs of words right of the commune that name nothing yet."""
    unsaid = _unsaid(text, reading.hit, reading.parents)
    for end in reading.text.ends():
        count = end.part.count
        open_ = [bool(unsaid >> end.size - 1 - i & 1) for i in range(count)]
        first = 0
        while first < count:
            stop = first
            while stop < count and open_[stop]:
                stop += 1
            if stop > first:
                kind = end.part.words.kinds[first]
                yield _hit(end, first, stop, None, kind[1] if kind else first)
            first = max(stop, first + 1)
