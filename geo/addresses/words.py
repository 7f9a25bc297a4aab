"""The words of a Vietnamese address: tokens that compare equal however people write them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

MAX_LENGTH = 500
"""Longer texts are not addresses; nothing of them is read."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PIECE = re.compile(r"[^\W_]+|[,;|\n()]|[-–—]")
_GLUED = re.compile(r"(p|q|f|phuong|quan)(\d{1,2})")
_LATE_Y = re.compile(r"(?<=[bcdghklmnpqrstvx])y$|(?<=qu)y$")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_HARD = frozenset(",;|\n()")

KINDS: dict[tuple[str, ...], str] = {
    ("xa",): "xa",
    ("x",): "xa",
    ("phuong",): "phuong",
    ("p",): "phuong",
    ("f",): "phuong",
    ("ph",): "phuong",
    ("thi", "tran"): "thi tran",
    ("tt",): "thi tran",
    ("ttr",): "thi tran",
    ("dac", "khu"): "dac khu",
    ("dk",): "dac khu",
    ("huyen",): "huyen",
    ("h",): "huyen",
    ("quan",): "quan",
    ("q",): "quan",
    ("thi", "xa"): "thi xa",
    ("tx",): "thi xa",
    ("thanh", "pho"): "thanh pho",
    ("tp",): "thanh pho",
    ("tinh",): "tinh",
    ("t",): "tinh",
}
"""Kind words as written → the kind, folded."""

LEVELS_OF_KIND: dict[str, frozenset[str]] = {
    "xa": frozenset({"commune"}),
    "phuong": frozenset({"commune"}),
    "thi tran": frozenset({"commune"}),
    "dac khu": frozenset({"commune"}),
    "huyen": frozenset({"district"}),
    "quan": frozenset({"district"}),
    "thi xa": frozenset({"district"}),
    "thanh pho": frozenset({"district", "province"}),
    "tinh": frozenset({"province"}),
}

SMALLER_PLACE = frozenset(
    {"thon", "ban", "xom", "to", "ap", "buon", "bon", "plei", "soc", "lang", "chom", "doi"}
    | {"khom", "khu", "kp", "tdp", "cum", "duong", "pho", "ngo", "ngach", "hem", "so"}
    | {"cho", "nha", "cau"}
)
"""A name right after one of these is a hamlet's, a street's or a building's, not a commune's."""

PROVINCE_ALIASES: dict[str, tuple[str, ...]] = {
    "ho chi minh": ("hcm", "tphcm", "sai gon", "hcmc"),
    "ha noi": ("hn", "hanoi"),
    "ba ria vung tau": ("brvt", "br vt", "vung tau"),
    "dak lak": ("dac lac", "daklak"),
    "dak nong": ("dac nong", "daknong"),
    "bac kan": ("bac can", "backan"),
    "kon tum": ("kontum", "con tum"),
    "da nang": ("danang",),
}
"""Folded name of a province → other names that people write."""

FORMER_PROVINCE_ALIASES: dict[str, tuple[str, ...]] = {
    "hue": ("thua thien hue", "tt hue", "tth"),
}
"""As above, for names that only the former province had."""

_IGNORED = frozenset({"viet", "nam", "vn", "vietnam", "cu", "moi", "thuoc", "va"}) | {
    word for kind in KINDS for word in kind
}


@dataclass(frozen=True, slots=True)
class Words:
    """The tokens of one address, all lists of the same length n.

    keys: folded words; marked: the words with their tone marks, placement made one;
    segment: number of the part between commas; starts: whether a part, or a half after a dash,
    begins here.
    """

    keys: list[str]
    marked: list[str]
    segment: list[int]
    starts: list[bool]

    def ignored(self) -> int:
        """Bit i is set where word i needs no explanation: kind words, numbers, the country."""
        mask = 0
        for i, key in enumerate(self.keys):
            if key in _IGNORED or key.isdigit():
                mask |= 1 << i
        return mask

    def reversed(self) -> "Words":
        """The same parts in the opposite order: `tỉnh, huyện, xã` becomes `xã, huyện, tỉnh`."""
        order = sorted(range(len(self.keys)), key=lambda i: (-self.segment[i], i))
        last = self.segment[-1] if self.segment else 0
        return Words(
            [self.keys[i] for i in order],
            [self.marked[i] for i in order],
            [last - self.segment[i] for i in order],
            [self.starts[i] for i in order],
        )

    def toneless(self) -> bool:
        """Whether the text is written without any tone mark or sign."""
        return self.keys == self.marked

    def kind_before(self, i: int, longest: int = 2) -> tuple[str, int] | None:
        """The kind word that ends right before word i in the same part, and where it starts."""
        for length in range(longest, 0, -1):
            first = i - length
            if first >= 0 and self.segment[first] == self.segment[i]:
                kind = KINDS.get(tuple(self.keys[first:i]))
                if kind:
                    return kind, first
        return None


def words(text: str) -> Words:
    """The tokens of `text`; none when it is longer than MAX_LENGTH characters."""
    found = Words([], [], [], [])
    if len(text) > MAX_LENGTH:
        return found
    segment, starts = 0, True
    for piece in _PIECE.findall(_INVISIBLE.sub("", unicodedata.normalize("NFC", text))):
        if piece in _HARD:
            segment, starts = segment + 1, True
        elif piece in "-–—":
            starts = True
        else:
            for key, marked in _word(piece):
                found.keys.append(key)
                found.marked.append(marked)
                found.segment.append(segment)
                found.starts.append(starts)
                starts = False
    return found


def name_keys(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folded and the marked words of a unit's name, comparable to those of `words`."""
    found = words(name)
    return tuple(found.keys), tuple(found.marked)


def without_kind(keys: Iterable[str]) -> tuple[str, ...]:
    """`keys` without a leading kind word: `Phường Đúc` is the whole name of a phường."""
    rest = tuple(keys)
    for length in (2, 1):
        if len(rest) > length and rest[:length] in KINDS:
            return rest[length:]
    return rest


@lru_cache(maxsize=65536)
def _word(word: str) -> tuple[tuple[str, str], ...]:
    decomposed = unicodedata.normalize("NFD", word.lower().replace("đ", "d\u0335"))
    tone = "".join(c for c in decomposed if c in _TONES)
    body = "".join(c for c in decomposed if c not in _TONES)
    key = "".join(c for c in body if not unicodedata.combining(c))
    if not key.isascii():
        return ()
    glued = _GLUED.fullmatch(key)
    if glued:
        number = str(int(glued[2]))
        return (glued[1], glued[1]), (number, number)
    if key.isdigit():
        number = str(int(key)) if len(key) <= 3 else key
        return ((number, number),)
    return ((_LATE_Y.sub("i", key), _LATE_Y.sub("i", body) + tone),)
