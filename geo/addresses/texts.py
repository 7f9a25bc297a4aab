"""An address cut into parts, with every name in them; places are counted from its end.

So nothing to the right of a name depends on what is written before it, and what was found out
about `huyện Xín Mần, tỉnh Hà Giang` serves every address that ends so.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from geo.addresses.units import Index, Name, Trie, Unit
from geo.addresses.words import HAMLET_KINDS, Words, kind_before

if TYPE_CHECKING:
    from geo.addresses.reading import Reading

_NAMES_UNIT = frozenset({"xa", "phuong", "thi tran", "dac khu", "huyen", "thi xa", "thanh pho"})
_ROMAN = frozenset({"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"})


_SURE = {(True, True): 1.0, (False, True): 0.95, (True, False): 0.9, (False, False): 0.7}
"""(district named, province named) → how sure that makes a commune's name."""


class Span(NamedTuple):
    """Words first … stop-1 of a part as a name; its kind, and the word with which that begins."""

    first: int
    stop: int
    kind: str | None
    kind_first: int
    name: Name = Name()


class Hit:
    """A name found in words first … stop-1 of a part, with the units that its kind allows.

    kind_first: the word with which the kind begins. start, kind_start, end: how many words of the
    address stand from the name, from its kind, and after the name on.
    """

    __slots__ = (
        *("above", "communes", "end", "first", "kind", "kind_first", "kind_start", "name"),
        *("part", "start", "stop"),
    )

    def __init__(self, part: "Part", span: "Span", after: int) -> None:
        size = after + part.count
        self.part = part
        self.first, self.stop, self.kind, self.kind_first, self.name = span
        self.start, self.end = size - self.first, size - self.stop
        self.kind_start = size - self.kind_first
        self.communes, self.above = self.name.of_kind(self.kind)

    def mask(self) -> int:
        """The bits of the words it covers."""
        return (1 << self.start) - (1 << self.end)

    def keys(self) -> list[str]:
        """Its words, folded."""
        return self.part.words.keys[self.first : self.stop]

    def marked(self) -> list[str]:
        """Its words with their tone marks."""
        return self.part.words.marked[self.first : self.stop]

    def written(self) -> str:
        """The name with its kind as it stands in the text."""
        return self.part.written(self.kind_first, self.stop)


class Part:
    """One part of an address with every name in it; numbers only where their kind is written.

    count: its words; hamlet: the one that is named last; named_units: see `_kinds_of_units`.
    """

    __slots__ = ("_hits", "_spans", "count", "hamlet", "has_above", "named_units", "words")

    def __init__(self, text: str, index: Index) -> None:
        self.words = Words(text)
        self.count = len(self.words.keys)
        self.hamlet = self.hamlet_before(self.count)
        self.named_units = list(self._kinds_of_units()) if any(self.words.kinds) else []
        named = self._named(index)
        ends = {stop for first, stop, _ in named if stop - first > 1}
        self._spans = [span for one in named if (span := self._span(*one, ends))]
        self.has_above = any(span.name.of_kind(span.kind)[1] for span in self._spans)
        self._hits: dict[int, list[Hit]] = {}

    def hits(self, after: int) -> list[Hit]:
        """The names, with `after` words between the part and the end of the address."""
        found = self._hits.get(after)
        if found is None:
            hits = [Hit(self, span, after) for span in self._spans]
            found = self._hits[after] = [hit for hit in hits if hit.communes or hit.above]
        return found

    def written(self, first: int, stop: int) -> str:
        """Words first … stop-1 as they stand in it."""
        return self.words.written(first, stop)

    def hamlet_before(self, stop: int) -> str | None:
        """The hamlet that is named last before word `stop`, to the end of its words."""
        keys = self.words.keys
        if stop < 2 or HAMLET_KINDS.isdisjoint(keys):
            return None
        for first in range(stop - 2, -1, -1):
            if keys[first] in HAMLET_KINDS:
                return self.written(first, stop)
        return None

    def _kinds_of_units(self) -> Iterator[tuple[int, bool]]:
        """The words after kinds that are written out, and whether the part begins with the kind.

        Such a part names a unit; what follows is not a commune then.
        """
        for i, kind in enumerate(self.words.kinds):
            if kind and kind[0] in _NAMES_UNIT:
                begins, written = self.words.starts[kind[1]], self.words.keys[kind[1]]
                if begins or len(written) > 2 or written == "xa":
                    yield i, begins

    def _named(self, index: Index) -> list[tuple[int, int, Name]]:
        keys, found = self.words.keys, []
        for first in range(len(keys)):
            node: Trie | None = index.names
            stop = first
            for key in keys[first:]:
                node = node.get(key) if node else None
                if node is None:
                    break
                stop += 1
                if "" in node:
                    found.append((first, stop, node[""]))
        return found

    def _span(self, first: int, stop: int, name: Name, ends: set[int]) -> Span | None:
        if first not in ends and self._inside_kind(first):
            return None
        kind, kind_first = self._kind(first, ends)
        if kind is None and stop - first == 1:
            key = self.words.keys[first]
            if key.isdigit() or key in _ROMAN:
                return None
        return Span(first, stop, kind, kind_first, name)

    def _inside_kind(self, i: int) -> bool:
        """Whether word i is the second of a kind: `thành phố Huế` is not Phố Huế."""
        kind = self.words.kinds[i + 1] if i + 1 < self.count else None
        return kind is not None and kind[1] == i - 1

    def _kind(self, first: int, ends: set[int]) -> tuple[str | None, int]:
        """The kind written before word `first` and where it begins.

        `ends` are the ends of longer names: `quan` is no kind where it ends `Văn Quan`, and after
        `Trường Thi` the word `xã` stands alone.
        """
        kind = self.words.kinds[first]
        if kind is None or first in ends:
            return None, first
        if first - 1 in ends:
            return kind_before(self.words.keys, first, longest=1) or (None, first)
        return kind


class Match(NamedTuple):
    """A unit that the address names, and the words that name it.

    level: commune, district, province or hamlet; a hamlet has no area and its words as full name.
    """

    level: str
    full_name: str
    text: str
    area_id: int | None = None


def match(unit: Unit, hit: Hit) -> Match:
    """What `hit` says of `unit`."""
    return Match(unit.level, unit.full_name, hit.written(), unit.area_id)


class Parents:
    """The district and the province that are named for a unit, one name counted once.

    agreement: what they add to its score; covered: bits of the words that name them, or other
    units by whose names it may be found; sure: how sure they make a commune's name; matched: them.
    """

    __slots__ = ("agreement", "covered", "district", "matched", "province", "sure")

    def __init__(
        self,
        district: tuple[Unit, Hit] | None,
        province: tuple[Unit, Hit] | None,
        agreement: float = 0.0,
        covered: int = 0,
    ) -> None:
        self.district, self.province = district, province
        self.agreement, self.covered = agreement, covered
        self.sure = _SURE[district is not None, province is not None]
        self.matched = [match(*pair) for pair in (district, province) if pair]


class Above:
    """Districts and provinces that are named from some place on; area_id → where, left to right."""

    __slots__ = ("_known", "named")

    def __init__(self, hits: Sequence[Hit], rest: "Above | None" = None) -> None:
        self.named: dict[int, list[Hit]] = {}
        self._known: dict[tuple[int, int], Parents] = {}
        for hit in hits:
            for unit in hit.above:
                self.named.setdefault(unit.area_id, []).append(hit)
        for area_id, later in rest.named.items() if rest else ():
            self.named[area_id] = self.named.get(area_id, []) + later

    def parents(self, unit: Unit) -> Parents:
        """What is named of the parents of a unit."""
        key = (
            unit.district.area_id if unit.district else 0,
            unit.province.area_id if unit.province else 0,
        )
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._parents(unit)
        return found

    def _parents(self, unit: Unit) -> Parents:
        districts = self.named.get(unit.district.area_id, []) if unit.district else []
        provinces = [
            (own, hit)
            for area_id, own in unit.provinces.items()
            for hit in self.named.get(area_id, ())
        ]
        covered = 0
        for hit in (*districts, *(hit for _, hit in provinces)):
            covered |= hit.mask()
        return Parents(*_best_parents(unit, districts, provinces), covered)


def _best_parents(
    unit: Unit, districts: list[Hit], provinces: list[tuple[bool, Hit]]
) -> tuple[tuple[Unit, Hit] | None, tuple[Unit, Hit] | None, float]:
    """The district and province with the most agreement."""
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
            if district and upper.start > district.end:
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
    """Points for the kind that is written before a name."""
    if hit.kind is None:
        return 0.0
    return 1.0 if hit.kind == unit.kind else -0.5


_NOTHING = Above(())


class Text:
    """An address, or what is left of one from some part on.

    size: its words; depth: its parts; hits: the names in its first part; above: districts and
    provinces named anywhere in it; unsaid: the bits of words that need an explanation; placed,
    placed_by_tones: what `reading` found in it where tone marks do not matter, and where they do.
    """

    __slots__ = (
        *("above", "depth", "hits", "part", "placed", "placed_by_tones", "rest", "size"),
        *("toneless", "unsaid"),
    )

    def __init__(self, part: Part, rest: "Text | None") -> None:
        self.part, self.rest = part, rest
        self.depth, after, self.toneless = 1, 0, part.words.toneless
        self.unsaid = part.words.unsaid
        self.above = _NOTHING
        if rest:
            self.depth, after = rest.depth + 1, rest.size
            self.toneless = self.toneless and rest.toneless
            self.unsaid = self.unsaid << after | rest.unsaid
            self.above = rest.above
        self.size: int = after + part.count
        self.hits = part.hits(after)
        self.placed: list[Reading] | None = None
        self.placed_by_tones: list[Reading] | None = None
        if part.has_above:
            self.above = Above([hit for hit in self.hits if hit.above], self.above)

    def ends(self) -> Iterator["Text"]:
        """The text from each of its parts on, from the left."""
        text: Text | None = self
        while text:
            yield text
            text = text.rest

    def above_right_of(self, hit: Hit) -> Above:
        """Districts and provinces named right of a name in the first part."""
        later = self.rest.above if self.rest else _NOTHING
        if self.above is later:
            return later
        between = [other for other in self.hits if other.above and other.start <= hit.end]
        return Above(between, later) if between else later


class Texts:
    """Makes texts; what addresses end with alike is kept."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._part = lru_cache(maxsize=100_000)(self._new_part)
        self._ending = lru_cache(maxsize=50_000)(Text)

    def of(self, parts: Sequence[str]) -> Text | None:
        """The parts as one text; None without any word."""
        found = [part for part in map(self._part, parts) if part.count]
        if not found:
            return None
        rest: Text | None = None
        for part in found[:0:-1]:
            rest = self._ending(part, rest)
        return Text(found[0], rest)

    def _new_part(self, written: str) -> Part:
        return Part(written, self._index)
