"""Look-alike addresses: the key that texts share which tell the same of the commune.

What is left out of a key can only be what lies below the commune. Where the address leaves
several communes open, the hamlet may decide between them, so that it stays in the key.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from geo.addresses.words import HAMLET_KINDS, LEVELS_OF_KIND, SMALLER_PLACE, Words, parts

_COUNTRY = frozenset({"viet nam", "vietnam", "vn"})
_SPELT_OUT = {"tdp": ("to", "dan", "pho"), "kp": ("khu", "pho"), "tk": ("tieu", "khu")}
_HOUSE = frozenset({"so", "nha", "ngo", "ngach", "hem", "kiet"})
_ENOUGH_PARTS = 3
"""So many parts without a kind are a commune, a district and a province, or more."""


class Chunk(NamedTuple):
    """Words first … stop-1 of a part that belong together: a unit, a hamlet, a house, a bare name.

    kind: of the unit, '' without; name: the first word after the kind.
    """

    part: Words
    kind: str
    first: int
    name: int
    stop: int

    @property
    def keys(self) -> list[str]:
        """The words after the kind."""
        return self.part.keys[self.name : self.stop]

    def is_commune(self) -> bool:
        """Whether a commune's kind is written before it."""
        return "commune" in LEVELS_OF_KIND.get(self.kind, ())

    def is_smaller(self) -> bool:
        """Whether it lies below the commune: a hamlet, a street, a house."""
        return not self.kind and (self.keys[0] in SMALLER_PLACE or _is_number(self.keys[0]))

    def is_country(self) -> bool:
        """Whether it is Viet Nam."""
        return not self.kind and " ".join(self.keys) in _COUNTRY

    def without_house(self) -> "Chunk":
        """The same without the house's number in front."""
        keys, first = self.part.keys, self.first
        while first < self.stop and (
            _is_number(keys[first])
            or (keys[first] in _HOUSE and first + 1 < self.stop and _is_number(keys[first + 1]))
        ):
            first += 1
        return self._replace(first=first, name=first)

    def key(self) -> str:
        """Its words as they stand in a key: kinds and hamlets spelt out, numbers without `số`."""
        keys = self.keys
        spelt = [self.kind] if self.kind else []
        for key, after in zip(keys, [*keys[1:], ""], strict=True):
            if key != "so" or not _is_number(after):
                spelt += _SPELT_OUT.get(key, (key,))
        return " ".join(spelt)

    def written(self) -> str:
        """Its words as they stand in the text."""
        return self.part.written(self.first, self.stop)


class Lookalike(NamedTuple):
    """What look-alikes share.

    safe: whether one answer can hold for all of them, because they name a commune. shown: the
    words of one of them that are in the key. levels: levels of the kinds written in it.
    """

    key: str
    safe: bool
    shown: str
    levels: frozenset[str]


@lru_cache(maxsize=100_000)
def lookalike(text: str, candidates: int) -> Lookalike:
    """What `text` shares with its look-alikes; candidates: how many communes it may mean."""
    chunks = [chunk for part in parts(text) for chunk in _chunks(Words(part))]
    chunks = [chunk for chunk in chunks if not chunk.is_country()]
    upper = [chunk for chunk in chunks if not chunk.is_smaller()]
    named = len(upper) >= _ENOUGH_PARTS or any(chunk.is_commune() for chunk in upper)
    if candidates > 1:
        chunks = [c.without_house() if c.is_smaller() else c for c in chunks]
        chunks = [chunk for chunk in chunks if chunk.first < chunk.stop]
    elif named:
        chunks = upper
    levels = [LEVELS_OF_KIND[chunk.kind] for chunk in chunks if chunk.kind]
    return Lookalike(
        key=" ".join(chunk.key() for chunk in chunks),
        safe=bool(upper) and (named or candidates > 0),
        shown=", ".join(chunk.written() for chunk in chunks),
        levels=frozenset(next(iter(level)) for level in levels if len(level) == 1),
    )


def _chunks(part: Words) -> Iterator[Chunk]:
    """A part cut where units begin, at dashes, and after the number of a hamlet."""
    count = len(part.keys)
    named = {kind[1]: (kind[0], i) for i, kind in enumerate(part.kinds) if kind}
    begins = {0, *named, *(i for i, starts in enumerate(part.starts) if starts)}
    # What is written inside a kind of two words begins nothing: `xã` of `thị xã`.
    begins -= {i for first, (_, name) in named.items() for i in range(first + 1, name)}
    cuts = sorted(i for i in begins if i < count)
    for first, stop in zip(cuts, [*cuts[1:], count], strict=False):
        kind, name = named.get(first, ("", first))
        if not kind:
            number = _hamlet_number(part.keys[first:stop])
            if number:
                yield Chunk(part, "", first, first, first + number)
                first = name = first + number
        yield Chunk(part, kind, first, min(name, stop - 1), stop)


def _hamlet_number(keys: list[str]) -> int:
    """How many words a hamlet with its number has, where other words follow; else 0."""
    if keys[0] in HAMLET_KINDS:
        for i, key in enumerate(keys[1:4], start=1):
            if _is_number(key) and i + 1 < len(keys):
                return i + 1
    return 0


def _is_number(key: str) -> bool:
    """Whether a word is a number, perhaps with a letter: `12`, `12a`."""
    return key[:1].isdigit()
