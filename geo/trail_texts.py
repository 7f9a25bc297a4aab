"""Texts as the access log keeps them: of a bounded length, and without numbers of identity papers.

The log is never changed, so a number that somebody typed into a search would stay for good.
"""

import re
from urllib.parse import unquote, unquote_plus

LONGEST = 2_000
"""Characters of one text in an entry; the rest is left out."""

_END = 3
_DIGIT = r"(?:\d|%3[0-9])"
# Spaces, dots, dashes and the like, also as addresses spell them; %C2%A0 is a no-break space,
# %E2%80%8B one without width.
_BETWEEN = (
    r"(?:[\s.+\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff-]"
    r"|%(?:20|09|0A|0D|2B|2D|2E|C2%A[0D]|E2%80%[89A][0-9A-F]|E2%81%A0))"
)
# What begins earlier is taken first, and of what begins at the same place the first that fits:
# identifiers, corners of maps and percent signs with their digits are stepped over.
_NUMBERS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9])"
    r"|[0-9a-f]{32,}"
    r"|\bbbox=[0-9.-]+(?:(?:,|%2C)[0-9.-]+){3}"
    rf"|{_DIGIT}{{15,}}"
    rf"|(?P<paper>{_DIGIT}(?:{_BETWEEN}{{0,3}}{_DIGIT}){{10,}})"
    rf"|{_DIGIT}+|%[0-9a-f]{{2}}",
    re.IGNORECASE,
)
# Of a search: identifiers and words with a letter are codes, as long as no digits of a paper stand
# in them; all other digits, however grouped, may be the beginning of a number.
_PIECES = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9])"
    r"|(?<!\S)(?P<code>\S*[^\W\d_]\S*)"
    r"|(?P<piece>\d(?:[\W_]{0,3}\d){3,})",
    re.IGNORECASE,
)
_IN_CODE = re.compile(r"\d(?:[\W_]{0,3}\d){8,}")
_SEARCH = re.compile(r"(?<![^&])q=([^&]+)")
_WHOLE = 12


def hidden(text: str) -> str:
    """A text in which runs of 11 to 14 digits keep only their last three; 11 and more if apart.

    Apart: with spaces, dots or dashes between them, also as addresses spell these. What an address
    searches for, its `q`, is kept as `sought` tells it.
    """
    return _NUMBERS.sub(_end_only, _SEARCH.sub(_searched, text[: 2 * LONGEST]))


def sought(text: str) -> str:
    """What somebody searched for, without pieces of numbers: 4 digits and more are all left out.

    Else the searches of one who types would together hold the number. Only a whole one, of 12
    digits, keeps its last three.
    """
    return _PIECES.sub(_without_pieces, text[: 2 * LONGEST])


def _without_pieces(found: re.Match[str]) -> str:
    if found["piece"] is not None:
        return _left_out(found)
    return found[0] if found["code"] is None else _IN_CODE.sub(_left_out, found[0])


def _left_out(found: re.Match[str]) -> str:
    digits = [sign for sign in found[0] if sign.isdecimal()]
    shown = _END if len(digits) == _WHOLE else 0
    return "•" * (len(digits) - shown) + "".join(digits[len(digits) - shown :])


def _searched(found: re.Match[str]) -> str:
    text = unquote_plus(found[1])
    told = sought(text)
    return found[0] if told == text else "q=" + told.replace("&", "%26")


def _end_only(found: re.Match[str]) -> str:
    if found["paper"] is None:
        return found[0]
    digits = [sign for sign in unquote(found[0]) if sign.isdecimal()]
    return "•" * (len(digits) - _END) + "".join(digits[-_END:])


def storable(text: str) -> str:
    """What PostgreSQL can store of a text from outside."""
    plain = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
