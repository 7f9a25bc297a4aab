"""Addresses that tell a former and a present place: `xã A (nay là xã B), tỉnh C`."""

import re
import unicodedata
from typing import NamedTuple

_LINK = r"\s*(?:(?:là|la|thuộc|thuoc)\b|:)\s*:?"
_NOW = re.compile(
    rf"[,;.\s–-]*(?P<open>\()?\s*\b(?:hiện\s+|hien\s+)?nay{_LINK}(?P<said>(?(open)[^()]*|.*))",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE = re.compile(
    r"[,;.\s–-]*(?P<open>\()?\s*\b(?:(?:trước|truoc)(?:\s+(?:đây|day|kia))?|(?:tên\s+)?cũ|nguyên)"
    rf"{_LINK}(?P<said>(?(open)[^()]*|.*))",
    re.IGNORECASE | re.DOTALL,
)
_NO_MORE = re.compile(r"\((?P<said>[^()]*\S\s+cũ)\s*\)", re.IGNORECASE)
_FORMER_FIRST = re.compile(rf"^\s*(?:trước|truoc)(?:\s+(?:đây|day|kia))?{_LINK}", re.IGNORECASE)


class Told(NamedTuple):
    """What an address says of the place today, and of the place that it was."""

    now: str
    before: str


def told(text: str) -> Told | None:
    """The present and the former address in `text`; None where it does not tell two."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    found = _NOW.search(text)
    if found:
        before, said = text[: found.start()], found["said"]
        before = _FORMER_FIRST.sub("", before)
        tail = text[found.end() :].lstrip(" )")
        return Told(_joined(said, tail), _joined(before, tail)) if before.strip() else None
    found = _BEFORE.search(text) or _NO_MORE.search(text)
    if found is None or not text[: found.start()].strip():
        return None
    head, tail = text[: found.start()], text[found.end() :].lstrip(" )")
    return Told(_joined(head, tail), _joined(found["said"], tail))


def _joined(first: str, rest: str) -> str:
    return f"{first}, {rest.lstrip(', ')}" if rest.strip(" .,;") else first
