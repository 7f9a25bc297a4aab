"""Readings of an address: a commune named in it, scored with the units that agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geo.addresses.units import Index, Name, Trie, Unit
from geo.addresses.words import (
    HAMLET_KINDS,
    LEVELS_OF_KIND,
    SMALLER_PLACE,
    Kind,
    kind_before,
    words,
)

_LEAST_SCORE = 3.0
_LEFT_OUT = frozenset({"xa", "phuong", "thi tran", "dac khu", "huyen", "thi xa", "thanh pho"})
"""A part that begins with such a word names a unit; what follows it is not a commune then."""
_ROMAN = frozenset({"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"})
_SURE = {(True, True): 1.0, (False, True): 0.95, (True, False): 0.9, (False, False): 0.7}
"""(district named, province named) → how sure that makes a commune's name."""


@dataclass(slots=True)
class Hit:
    """A name found in words start … end-1, with the units that the kind before it allows."""

    start: int
    end: int
    kind: str | None
    kind_start: int
    communes: list[Unit]
    above: list[Unit]
    name: Name

    def mask(self) -> int:
        """The bits of the words it covers."""
        return (1 << self.end) - (1 << self.start)


@dataclass(slots=True)
class Reading:
    """One way to read an address: a commune with the units to its right that agree.

    plain: nothing speaks against it, so that no other spelling needs to be tried.
    """

    score: float
    confidence: float
    hit: Hit
    unit: Unit
    district: tuple[Unit, Hit] | None
    province: tuple[Unit, Hit] | None
    unexplained: int = 0
    plain: bool = True


class Part:
    """One part of an address with every name in it; numbers only where their kind is written."""

    __slots__ = ("_moved", "hits", "words")

    def __init__(self, text: str, index: Index) -> None:
        self.words = words(text)
        spans = list(self._named(index))
        ends = {end for start, end, _ in spans if end - start > 1}
        self.hits = [hit for span in spans if (hit := self._hit(*span, ends))]
        self._moved: dict[int, list[Hit]] = {0: self.hits}

    def moved(self, by: int) -> list[Hit]:
        """The names, `by` words further right: where earlier parts stand before this one."""
        found = self._moved.get(by)
        if found is None:
            found = self._moved[by] = [
                Hit(
                    h.start + by, h.end + by, h.kind, h.kind_start + by, h.communes, h.above, h.name
                )
                for h in self.hits
            ]
        return found

    def _named(self, index: Index) -> Iterator[tuple[int, int, Name]]:
        keys = self.words.keys
        for start in range(len(keys)):
            node: Trie | None = index.names
            for end in range(start, len(keys)):
                node = node.get(keys[end]) if node else None
                if node is None:
                    break
                if "" in node:
                    yield start, end + 1, node[""]

    def _hit(self, start: int, end: int, name: Name, ends: set[int]) -> Hit | None:
        kind, kind_start = self._kind(start, ends)
        if kind is None:
            key = self.words.keys[start]
            if end - start == 1 and (key.isdigit() or key in _ROMAN):
                return None
            return Hit(start, end, None, start, name.communes, name.above, name)
        levels = LEVELS_OF_KIND[kind]
        communes = [unit for unit in name.communes if unit.level in levels]
        above = [unit for unit in name.above if unit.level in levels]
        if not communes and not above:
            return None
        return Hit(start, end, kind, kind_start, communes, above, name)

    def _kind(self, start: int, ends: set[int]) -> tuple[str | None, int]:
        """The kind written before word `start` and where it begins.

        `ends` are the ends of longer names: `quan` is no kind where it ends `Văn Quan`, and after
        `Trường Thi` the word `xã` stands alone.
        """
        if self.words.kinds[start] is None or start in ends:
            return None, start
        if start - 1 in ends:
            return kind_before(self.words.keys, start, longest=1) or (None, start)
        return self.words.kinds[start] or (None, start)


class Text:
    """One address: its parts in one order, their words and names numbered through."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.keys: list[str] = []
        self.marked: list[str] = []
        self.segment: list[int] = []
        self.starts: list[bool] = []
        self.kinds: list[Kind | None] = []
        self.hits: list[Hit] = []
        self.offsets: list[int] = []
        self.ignored = 0
        self.toneless = True
        for number, part in enumerate(parts):
            self._append(number, part)
        self.named: dict[int, list[Hit]] = {}
        for hit in self.hits:
            for unit in hit.above:
                self.named.setdefault(unit.area_id, []).append(hit)

    def _append(self, number: int, part: Part) -> None:
        found, offset = part.words, len(self.keys)
        self.offsets.append(offset)
        self.ignored |= found.ignored << offset
        self.toneless = self.toneless and found.toneless
        self.keys += found.keys
        self.marked += found.marked
        self.starts += found.starts
        self.segment += [number] * len(found.keys)
        self.hits += part.moved(offset)
        if offset:
            self.kinds += [kind and (kind[0], kind[1] + offset) for kind in found.kinds]
        else:
            self.kinds += found.kinds

    def written(self, start: int, end: int) -> str:
        """Words start … end-1 of one part as they stand in it."""
        number = self.segment[start]
        found, offset = self.parts[number].words, self.offsets[number]
        return found.text[found.spans[start - offset][0] : found.spans[end - 1 - offset][1]]

    def hamlet_before(self, end: int) -> tuple[int, int] | None:
        """The words of the hamlet that is named last before word `end`, as (start, end)."""
        keys, segment = self.keys, self.segment
        for start in range(end - 1, -1, -1):
            if keys[start] in HAMLET_KINDS:
                stop = start + 1
                while stop < end and segment[stop] == segment[start]:
                    stop += 1
                return (start, stop) if stop > start + 1 else None
        return None


def readings(text: Text) -> list[Reading]:
    """Every commune that is named, scored; those in a named province or district only, if any."""
    hits = [hit for hit in text.hits if hit.communes]
    found = [(hit, unit) for hit in hits for unit in _placed(text, hit)]
    if not found:
        found = [(hit, unit) for hit in hits if not _rather_above(hit) for unit in hit.communes]
    doubts = {id(hit): _left_doubt(text, hit) for hit, _ in found}
    return [
        reading
        for hit, unit in found
        if (reading := read(text, hit, unit, doubts[id(hit)])).score >= _LEAST_SCORE
    ]


def _rather_above(hit: Hit) -> bool:
    """Whether a name by itself means a province: `Lào Cai` is no ward then."""
    return hit.kind is None and any(unit.level == "province" for unit in hit.above)


def _placed(text: Text, hit: Hit) -> list[Unit]:
    """The communes of the name whose district or province is named to the right."""
    found: dict[int, Unit] = {}
    for area_id, above in text.named.items():
        below = hit.name.below.get(area_id)
        if below and above[-1].start >= hit.end:
            for unit in below:
                found[unit.area_id] = unit
    if hit.kind:
        return [unit for unit in found.values() if unit in hit.communes]
    return list(found.values())


def read(text: Text, hit: Hit, unit: Unit, doubt: float) -> Reading:
    """Score `unit` as what the address means by `hit`."""
    districts = _right_of(text, hit, unit.district.area_id) if unit.district else []
    provinces = [
        (own, upper)
        for area_id, own in unit.provinces.items()
        for upper in _right_of(text, hit, area_id)
    ]
    district, province, agreement = _best_parents(unit, districts, provinces)
    covered = text.ignored
    for upper in districts:
        covered |= upper.mask()
    for _, upper in provinces:
        covered |= upper.mask()
    right = (1 << len(text.keys)) - (1 << hit.end)
    unexplained = (right & ~covered).bit_count()
    tones = _tone_agreement(text, hit, unit)
    score = (
        4.0
        + agreement
        + _kind_agreement(hit, unit)
        + tones
        + 0.25 * (hit.end - hit.start - 1)
        - 1.5 * unexplained
        - doubt
    )
    confidence = _SURE[bool(district), bool(province)] * 0.75**unexplained
    if doubt:
        confidence *= 0.6 if doubt == HOMONYM else 0.8
    if tones < 0 and text.keys[hit.start : hit.end] != text.marked[hit.start : hit.end]:
        confidence *= 0.8
    if hit.kind and hit.kind != unit.kind and not district:
        confidence *= 0.8
    plain = not doubt and not unexplained
    return Reading(score, confidence, hit, unit, district, province, unexplained, plain)


HOMONYM = 0.4
"""The doubt where the name may be the district's: `Chí Caf, Xín Mần` need not be xã Xín Mần."""

SMALLER = 0.2
"""The same after what looks like a hamlet: `Đội Cnấ, Ba Đình` may be the misspelt ward."""


def _right_of(text: Text, hit: Hit, area_id: int) -> list[Hit]:
    return [upper for upper in text.named.get(area_id, ()) if upper.start >= hit.end]


def _best_parents(
    unit: Unit, districts: list[Hit], provinces: list[tuple[bool, Hit]]
) -> tuple[tuple[Unit, Hit] | None, tuple[Unit, Hit] | None, float]:
    """The district and province to the right, one name counted once, with the most agreement."""
    best: tuple[tuple[Unit, Hit] | None, tuple[Unit, Hit] | None, float] = (None, None, 0.0)
    for district in (*districts, None):
        score = 0.0
        lower: tuple[Unit, Hit] | None = None
        if district and unit.district:
            lower = (unit.district, district)
            score = 3.0 + 0.5 * _kind_agreement(district, unit.district)
        if score > best[2]:
            best = (lower, None, score)
        for own, upper in provinces:
            if district and upper.start < district.end:
                continue
            named = _province(unit, own, upper)
            total = score + (3.0 if own else 2.0) + 0.5 * _kind_agreement(upper, named)
            if total > best[2]:
                best = (lower, (named, upper), total)
    return best


def _province(unit: Unit, own: bool, hit: Hit) -> Unit:
    if own and unit.province:
        return unit.province
    return next(upper for upper in hit.above if unit.provinces.get(upper.area_id) is False)


def _kind_agreement(hit: Hit, unit: Unit) -> float:
    if hit.kind is None:
        return 0.0
    return 1.0 if hit.kind == unit.kind else -0.5


def _tone_agreement(text: Text, hit: Hit, unit: Unit) -> float:
    """Tone marks decide between namesakes, where the text has any."""
    if text.toneless:
        return 0.0
    written = tuple(text.marked[hit.start : hit.end])
    return 0.5 if written == unit.marked else -0.5


def _left_doubt(text: Text, hit: Hit) -> float:
    """Doubt from what stands left of the name: a hamlet word, a longer name, another commune."""
    keys, starts = text.keys, text.starts
    doubt, first = 0.0, hit.kind_start
    if not hit.kind and not starts[first] and not _after_number(keys, first):
        doubt += 2.0 if keys[first - 1] in SMALLER_PLACE else 1.0
    for i in range(1, first + 1):
        kind = text.kinds[i]
        if kind and kind[0] in _LEFT_OUT:
            if starts[kind[1]]:
                return doubt + 5.0
            if len(keys[kind[1]]) > 2 or keys[kind[1]] == "xa":
                doubt = max(doubt, 2.0)
    if doubt or hit.kind or not first or not any(unit.level == "district" for unit in hit.above):
        return doubt
    if keys[0].isdigit() or (keys[0] in SMALLER_PLACE and keys[1].isdigit()):
        return 0.0
    return SMALLER if keys[0] in SMALLER_PLACE else HOMONYM


def _after_number(keys: list[str], first: int) -> bool:
    """`Thôn 3 Chí Cà`: the hamlet ends with its number."""
    return first > 1 and keys[first - 1].isdigit() and keys[first - 2] in SMALLER_PLACE
