"""The words of a Vietnamese address: tokens that compare equal however people write them."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

MAX_LENGTH = 500
"""Longer texts are not addresses; nothing of them is read."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])\s?['’‘ʼ`´]\s?(?=[^\W\d_])")
_ANY_APOSTROPHE = re.compile("['’‘ʼ`´]")
_PIECE = re.compile(r"[^\W_]+|[-–—]")
_GLUED = re.compile(r"(p|q|f|phuong|quan|kp|tdp|to|thon|ap|xom|ban|khom|khu|doi)(\d{1,2})")
_GLUED_KIND = re.compile(
    r"\b([Xx][aã]|[Pp]h(?:ường|uong)|[Qq]u(?:ận|an)|[Hh]uy(?:ện|en)|[Tt](?:ỉ|i)nh"
    r"|[Tt]hị ?[Xx]ã|[Tt]hị ?[Tt]rấn|[Tt]hành ?[Pp]hố)(?=[A-ZÀ-ÝĂĐĨŨƠƯ])"
)
"""A kind that is glued to a name: `xãTam Tiến`."""
_LATE_Y = re.compile(r"(?<=[bcdghklmnpqrstvx])y$|(?<=qu)y$")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_DASHES = frozenset("-–—")
_HARD = re.compile(r"[,;|\n()]")
_SAME = {"dac": ("dak", "d\u0335a\u0306k"), "dak": ("dak", "d\u0335a\u0306k")}
"""Đắk, Đăk, Đắc, Đak: one word of many names. `Đặc khu` becomes `dak khu` by it, too."""

KINDS: dict[tuple[str, ...], str] = {
    ("xa",): "xa",
    ("x",): "xa",
    ("phuong",): "phuong",
    ("p",): "phuong",
    ("f",): "phuong",
    ("ph",): "phuong",
    ("phg",): "phuong",
    ("thi", "tran"): "thi tran",
    ("t", "t"): "thi tran",
    ("tt",): "thi tran",
    ("ttr",): "thi tran",
    ("tht",): "thi tran",
    ("dak", "khu"): "dac khu",
    ("dk",): "dac khu",
    ("huyen",): "huyen",
    ("h",): "huyen",
    ("quan",): "quan",
    ("q",): "quan",
    ("thi", "xa"): "thi xa",
    ("t", "x"): "thi xa",
    ("tx",): "thi xa",
    ("thanh", "pho"): "thanh pho",
    ("t", "p"): "thanh pho",
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

HAMLET_KINDS = frozenset(
    {"thon", "ban", "xom", "to", "ap", "buon", "bon", "plei", "lang", "soc", "phum", "chom"}
    | {"khom", "khu", "kp", "tdp", "tdc", "cum", "doi", "khoi", "tk", "kdc"}
)
"""Words that begin a hamlet or a quarter."""

SMALLER_PLACE = HAMLET_KINDS | {
    *("duong", "pho", "ngo", "ngach", "hem", "so", "cho", "nha", "cau", "kiet", "lo", "quoc"),
}
"""A name right after one of these is a hamlet's, a street's or a building's, not a commune's."""

_LAST_OF_KIND = frozenset(kind[-1] for kind in KINDS)
_IGNORED = frozenset({"viet", "nam", "vn", "vietnam", "cu", "moi", "thuoc", "va", "nay", "la"}) | {
    word for kind in KINDS for word in kind
}

Kind = tuple[str, int]
"""A kind, folded, and the word with which it begins."""


class Words:
    """The tokens of one part of an address, the lists of the same length n.

    keys: folded words; marked: the words with their tone marks, placement made one; starts:
    whether the part, or a half after a dash, begins here; kinds: the kind that ends right before
    the word, the longest; unsaid: bit n - 1 - i is set where word i needs an explanation, unlike
    kind words, numbers, the country; toneless: no word has any tone mark or sign.
    """

    __slots__ = ("_spans", "keys", "kinds", "marked", "starts", "text", "toneless", "unsaid")

    def __init__(self, part: str) -> None:
        self.text = text = _APOSTROPHE.sub("", part) if _ANY_APOSTROPHE.search(part) else part
        self.keys: list[str] = []
        self.marked: list[str] = []
        self.starts: list[bool] = []
        self.kinds: list[Kind | None] = []
        self._spans: list[tuple[int, int]] | None = None
        keys, marked, unsaid = self.keys, self.marked, 0
        begins, after_kind = True, False
        for piece in _PIECE.findall(text):
            if piece in _DASHES:
                begins = True
                continue
            for key, mark, to_explain, ends_kind in _word(piece):
                self.kinds.append(kind_before(keys, len(keys)) if after_kind else None)
                keys.append(key)
                marked.append(mark)
                self.starts.append(begins)
                unsaid = unsaid << 1 | to_explain
                begins, after_kind = False, ends_kind
        self.unsaid, self.toneless = unsaid, keys == marked

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First and last + 1 character of each word in `text`."""
        if self._spans is None:
            found = ((match.span(), match[0]) for match in _PIECE.finditer(self.text))
            self._spans = [
                span for span, piece in found if piece not in _DASHES for _ in _word(piece)
            ]
        return self._spans

    def written(self, first: int, stop: int) -> str:
        """Words first … stop-1 as they stand in the text."""
        text = self.text
        if first == 0 and stop == len(self.keys) and text[0].isalnum() and text[-1].isalnum():
            return text
        return self.text[self.spans[first][0] : self.spans[stop - 1][1]]

    def pieces(self) -> list[str]:
        """The part cut where kinds and hamlets begin; at dashes where there is no kind."""
        begins = {kind[1] for kind in self.kinds if kind}
        if begins:
            begins |= {i for i in range(len(self.keys)) if self._begins_hamlet(i)}
        else:
            begins = {i for i, starts in enumerate(self.starts) if starts}
        cuts = [self.spans[i][0] for i in sorted(begins - {0})]
        return [self.text[a:b] for a, b in pairwise([0, *cuts, len(self.text)])]

    def _begins_hamlet(self, i: int) -> bool:
        # Without tone marks `lang` and `to` are more often the end of a name.
        kind = self.kinds[i + 1] if i + 1 < len(self.keys) else None
        if self.keys[i] not in HAMLET_KINDS or (kind and kind[1] < i):
            return False
        numbered = i + 1 < len(self.keys) and self.keys[i + 1].isdigit()
        return numbered or self.marked[i] in _HAMLET_MARKED


def kind_before(keys: list[str], i: int, longest: int = 2) -> Kind | None:
    """The kind of at most `longest` words that ends right before word i."""
    if longest > 1 and i > 1 and (kind := KINDS.get((keys[i - 2], keys[i - 1]))):
        return kind, i - 2
    kind = KINDS.get((keys[i - 1],))
    return (kind, i - 1) if kind else None


def parts(text: str) -> list[str]:
    """The parts of `text` between commas and the like; none when it is longer than MAX_LENGTH."""
    if len(text) > MAX_LENGTH:
        return []
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    text = _GLUED_KIND.sub(r"\1 ", text)
    return [part for piece in _HARD.split(text) if (part := piece.strip())]


def _may_be_kind(key: str, marked: str) -> bool:
    """`phương` with its marks is not `phường`; without any it may be."""
    return marked in (key, _KIND_MARKED.get(key, marked))


def name_keys(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folded and the marked words of a unit's name, comparable to those of `Words`."""
    found = Words(name)
    return tuple(found.keys), tuple(found.marked)


def compared(letters: str) -> str:
    """The letters as edit distance counts them: `i` and `y` are one."""
    return letters.replace("y", "i")


def without_kind(keys: Iterable[str]) -> tuple[str, ...]:
    """`keys` without a leading kind."""
    rest = tuple(keys)
    for length in (2, 1):
        if len(rest) > length and rest[:length] in KINDS:
            return rest[length:]
    return rest


class _Word(NamedTuple):
    """One token: folded and marked; whether it needs an explanation, and may end a kind."""

    key: str
    marked: str
    to_explain: bool
    ends_kind: bool


@lru_cache(maxsize=65536)
def _word(piece: str) -> tuple[_Word, ...]:
    return tuple(
        _Word(
            key,
            marked,
            key not in _IGNORED and not key.isdigit(),
            key in _LAST_OF_KIND and _may_be_kind(key, marked),
        )
        for key, marked in _spelt(piece)
    )


def _spelt(piece: str) -> tuple[tuple[str, str], ...]:
    """The folded and the marked form of each token of a piece of text."""
    decomposed = unicodedata.normalize("NFD", piece.lower().replace("đ", "d\u0335"))
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
    if key in _SAME:
        same, marked = _SAME[key]
        return ((same, same if body == key else marked),)
    return ((_LATE_Y.sub("i", key), _LATE_Y.sub("i", body) + tone),)


def _with_marks(*spelt: str) -> dict[str, str]:
    return dict(_spelt(word)[0] for word in spelt)


_KIND_MARKED = _with_marks("xã", "phường", "trấn", "khu", "huyện", "quận", "phố", "tỉnh")
_HAMLET_MARKED = frozenset(
    _with_marks(
        *("thôn", "bản", "xóm", "tổ", "ấp", "buôn", "làng", "sóc", "phum", "khóm", "khu"),
        *("cụm", "đội", "khối", "kp", "tdp", "plei"),
    ).values()
)
