"""Vietnamese text: one normal form to store, one folded form to compare and search."""

import re
import unicodedata

_NOT_WORD = re.compile(r"[^0-9a-z]+")


def clean(text: str) -> str:
    """Return `text` in NFC with runs of white space made one space and the ends trimmed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold(text: str) -> str:
    """Return the form under which texts compare equal whatever their case, tone marks and signs.

    Lower-case ASCII words with one space between: `Hoá Châu`, `Hóa-Châu` and `HOA CHAU` all
    become `hoa chau`; đ becomes d.
    """
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", plain.lower()).strip()


def visible(text: str) -> str:
    """The text without white space and without what shows nothing, such as zero-width spaces."""
    kept = unicodedata.normalize("NFKC", text)
    return "".join(c for c in kept if unicodedata.category(c)[0] not in "CZ")


def says_something(reason: str, least: int = 10) -> bool:
    """Whether a reason can mean something: long enough, of letters, and not one of them only."""
    seen = visible(reason)
    letters = [c for c in seen.casefold() if c.isalnum()]
    return len(seen) >= least and len(letters) >= 5 and len(set(letters)) >= 4


_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
_SIGNS = re.compile(r"(?!(?<=\d)-(?=\d))[\W_]")


def fold_code(code: str) -> str:
    """The form in which codes compare equal that people take for the same: `H-1`, `h.1`, `H1`.

    Two numbers stay apart: `1-11` is not `11-1`.
    """
    seen = visible(code)
    decomposed = unicodedata.normalize("NFD", seen.casefold().replace("đ", "d"))
    # A code of signs alone stays what it is.
    return _SIGNS.sub("", _BETWEEN_NUMBERS.sub("-", decomposed)) or seen
