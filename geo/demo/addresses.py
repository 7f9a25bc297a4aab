"""Recorded addresses as offices and people write them: of both tiers, in many styles."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from geo.demo.words import (
    HAMLET_KINDS,
    HAMLETS,
    OTHER_TONE_PLACE,
    SHORT_KINDS,
    STREETS,
    UNKNOWN_ADDRESSES,
)

UNKNOWN_SHARE = 0.01
_FORMER_SHARE = 0.5

Part = tuple[str, str]
"""Kind and name of one unit."""


@dataclass(frozen=True)
class FormerCommune:
    """A commune of the tier before July 2025: its units from the commune up, and its point."""

    parts: tuple[Part, ...]
    lon: float
    lat: float


@dataclass(frozen=True)
class DemoCommune:
    """A present commune as demo data need it; lon, lat: its office (EPSG:4326)."""

    code: str
    province_code: str
    parts: tuple[Part, ...]
    urban: bool
    lon: float
    lat: float
    former: tuple[FormerCommune, ...]


def village(words: Random, commune: DemoCommune, number: int) -> str:
    """The name of the commune's hamlet `number`, as the roster writes it."""
    if commune.urban:
        return f"Tổ {number + 1}"
    kinds = HAMLET_KINDS.get(commune.province_code, HAMLET_KINDS[""])
    kind = words.choice(kinds)
    return f"{kind} {number + 1}" if words.random() < 0.3 else f"{kind} {words.choice(HAMLETS)}"


def recorded_address(
    words: Random, commune: DemoCommune, hamlet: str, lon: float, lat: float
) -> str:
    """The address of a house at lon, lat; in a hundredth of the cases one that says nothing."""
    if words.random() < UNKNOWN_SHARE:
        return words.choice(UNKNOWN_ADDRESSES)
    former = words.random() < _FORMER_SHARE and bool(commune.former)
    parts = _former_here(commune, lon, lat) if former else commune.parts
    style = words.choices(_STYLES, _WEIGHTS)[0]
    lead = hamlet
    if commune.urban and words.random() < 0.4:
        lead = f"Số {words.randint(1, 300)} đường {words.choice(STREETS)}, {hamlet.lower()}"
    return _finish(words, style(lead, parts))


def _former_here(commune: DemoCommune, lon: float, lat: float) -> tuple[Part, ...]:
    def squared(unit: FormerCommune) -> float:
        return (unit.lon - lon) ** 2 + (unit.lat - lat) ** 2

    return min(commune.former, key=squared).parts


def _full(lead: str, parts: tuple[Part, ...]) -> str:
    return ", ".join([lead, *(f"{kind.lower()} {name}" for kind, name in parts)])


def _capital(lead: str, parts: tuple[Part, ...]) -> str:
    return ", ".join([lead, *(f"{kind} {name}" for kind, name in parts)])


def _short(lead: str, parts: tuple[Part, ...]) -> str:
    return ", ".join([lead, *(f"{SHORT_KINDS[kind]} {name}" for kind, name in parts)])


def _names(lead: str, parts: tuple[Part, ...]) -> str:
    return ", ".join([lead, *(_bare(part) for part in parts)])


def _dashes(lead: str, parts: tuple[Part, ...]) -> str:
    return " - ".join([lead, *(_bare(part) for part in parts)])


def _mixed(lead: str, parts: tuple[Part, ...]) -> str:
    (kind, name), *rest = parts
    return ", ".join([lead, f"{kind.lower()} {name}", *(_bare(part) for part in rest)])


def _run_on(lead: str, parts: tuple[Part, ...]) -> str:
    return " ".join([lead, *(f"{kind.lower()} {name}" for kind, name in parts)])


def _without_province(lead: str, parts: tuple[Part, ...]) -> str:
    return _full(lead, parts[:-1] if len(parts) > 2 else parts)


def _bare(part: Part) -> str:
    kind, name = part
    return f"{kind} {name}" if name.isdigit() else name


_STYLES: tuple[Callable[[str, tuple[Part, ...]], str], ...] = (
    _full,
    _mixed,
    _names,
    _short,
    _capital,
    _without_province,
    _dashes,
    _run_on,
)
_WEIGHTS = (30, 18, 14, 14, 10, 6, 4, 4)


def _finish(words: Random, written: str) -> str:
    """What keyboards and habits do to a text."""
    if words.random() < 0.1:
        for new, old in OTHER_TONE_PLACE.items():
            written = re.sub(new, old, written)
    chance = words.random()
    if chance < 0.1:
        decomposed = unicodedata.normalize("NFD", written.replace("đ", "d").replace("Đ", "D"))
        return "".join(c for c in decomposed if not unicodedata.combining(c))
    if chance < 0.15:
        return written.lower()
    if chance < 0.18:
        return written.upper()
    return written
