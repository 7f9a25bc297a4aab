"""What of a finding's evidence a reader may see: nothing about rows outside their areas."""

from collections.abc import Mapping
from typing import Any

from geo.rules.rule import HIDDEN
from geo.scope import Scope

OTHERS = frozenset({"other", "other_survey", "other_at", "other_commune"})
"""What names another row than the finding's own, and when and in which commune it was made."""

_FROM_OTHER = frozenset({"distance_m", "apart_s"})
"""What would tell a reader where and when that row was made, as they know their own."""


def within(scope: Scope, province_code: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence of a row of this province without what is about a row outside the scope.

    What was left out is marked with HIDDEN, so that `geo.rules.say` takes a sentence without it.
    Another row whose commune is not known is outside unless the whole province is in the scope.
    """
    about_other = OTHERS & evidence.keys()
    commune = evidence.get("other_commune") or ""
    if not about_other or scope.covers(province_code, commune):
        return dict(evidence)
    left_out = OTHERS | _FROM_OTHER
    return {name: value for name, value in evidence.items() if name not in left_out} | {
        HIDDEN: True
    }


def findings_within(
    scope: Scope, province_code: str, findings: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Findings about one row of this province, each with the evidence that is `within`."""
    return [one | {"evidence": within(scope, province_code, one["evidence"])} for one in findings]


def decisions_within(
    scope: Scope, province_code: str, decisions: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Decisions about rows of this province, with what is `within` of the findings they kept."""
    return [one | {"details": _details(scope, province_code, one["details"])} for one in decisions]


def _details(scope: Scope, province_code: str, details: dict[str, Any]) -> dict[str, Any]:
    if "findings" not in details:
        return details
    return details | {"findings": findings_within(scope, province_code, details["findings"])}
