"""Risk: which survey or site to check first, 0 to 100, and what makes it so."""

from collections.abc import Iterable
from typing import NamedTuple

from geo.rules import RULES

_WITHDRAWN_WEIGHT = 0.1
"""Of findings whose rule the service has no more."""


class Part(NamedTuple):
    """What one family adds: its gravest rule, and the points it adds to those before it."""

    family: str
    rule: str
    points: float


def of(rules: Iterable[str]) -> tuple[float, list[Part]]:
    """The risk of these findings, and its parts, the greatest first; the parts add up to it.

    1 − Π (1 − w) over the families with each family's greatest weight: doubts of one kind count
    once, independent ones strengthen each other. Findings that are held against nobody must not
    be among them.
    """
    gravest: dict[str, tuple[float, str]] = {}
    for code in rules:
        rule = RULES.get(code)
        family, weight = (rule.family, rule.weight) if rule else ("", _WITHDRAWN_WEIGHT)
        gravest[family] = max(gravest.get(family, (0.0, "")), (weight, code))
    parts, left = [], 1.0
    for family, (weight, code) in sorted(gravest.items(), key=lambda one: (-one[1][0], one[0])):
        parts.append(Part(family, code, 100 * left * weight))
        left *= 1 - weight
    return 100 * (1 - left), parts
