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
