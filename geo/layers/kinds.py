"""Surveys, households, sites and findings as layers: what each shows, in which colours."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, true

from geo import findings, households, sites, surveys
from geo.layers.layer import Layer, styled
from geo.layers.records import drawn
from geo.layers.source import HELD, Filters, Source
from geo.rules import RULES
from geo.tables import finding, household, site, survey
from geo.terms import STAGE_TERMS, STATUS_TERMS, VERDICT_TERMS

_GREY, _PINK, _YELLOW, _SKY, _BLUE = "#6b7280", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2"
_RED = "#d55e00"
_VERDICTS = styled(
    VERDICT_TERMS, {"inside": _BLUE, "uncertain": _YELLOW, "outside": _RED, "unlocated": _GREY}
)
_STATUSES = styled(
    STATUS_TERMS, {"poor": "#94330c", "near_poor": "#f49b45", "average": "#63a8d3", "none": _BLUE}
)
_STAGES = styled(
    STAGE_TERMS,
    {"proposed": _GREY, "verified": _GREY, "approved": _PINK}
    | dict.fromkeys(("started", "foundation", "frame", "roof"), _YELLOW)
    | {"completed": _SKY, "accepted": _SKY, "handed_over": _BLUE},
)
_SEVERITIES = styled(
    {"s1": ("Nhẹ", "Slight"), "s2": ("Vừa", "Medium"), "s3": ("Nặng", "Grave")},
    {"s1": _SKY, "s2": _YELLOW, "s3": _RED},
)
_HOME = {"province_code": "province_code", "commune_code": "commune_code"}


def _by_column(name: str) -> Callable[[Filters, ColumnElement[str]], ColumnElement[bool] | None]:
    """Where only the class is asked for, which the column `name` holds, the pyramid knows it."""

    def stored(filters: Filters, of: ColumnElement[str]) -> ColumnElement[bool] | None:
        if not filters:
            return true()
        if set(filters) != {name}:
            return None
        wanted = filters[name]
        return of.in_(findings.DOUBTED) if wanted == findings.DOUBTFUL else of == wanted

    return stored


def _by_rule(filters: Filters, of: ColumnElement[str]) -> ColumnElement[bool] | None:
    if not set(filters) <= {"rule", "severity"}:
        return None
    chosen: list[ColumnElement[bool]] = [true()]
    if "rule" in filters:
        chosen.append(of == filters["rule"])
    if "severity" in filters:
        chosen.append(of.in_([r.code for r in RULES.values() if r.severity == filters["severity"]]))
    return and_(*chosen)


def _severity(class_: str | int) -> str:
    """The key of a finding's severity; the pyramid knows its rule."""
    if isinstance(class_, str):
        return f"s{RULES[class_].severity}" if class_ in RULES else ""
    return f"s{class_}"


def _layer(vi: str, en: str, source: Source, *filters: str) -> Layer:
    names = (source.name, vi, en, source.classed_by)
    return Layer(*names, source.classes, filters, drawn(source))


SURVEYS = _layer(
    "Phiếu rà soát",
    "Surveys",
    Source(
        name="surveys",
        table=survey,
        identity="survey_id",
        classed_by="verdict",
        classes=_VERDICTS,
        told={"commune_code": "commune_code"},
        conditions=surveys.conditions,
        stored=_by_column("verdict"),
        subject="survey",
        by_day=True,
    ),
    *("verdict", "rule", "since", "until", "enumerator"),
)
HOUSEHOLDS = _layer(
    "Hộ",
    "Households",
    Source(
        name="households",
        table=household,
        identity="household_code",
        classed_by="status",
        classes=_STATUSES,
        told=_HOME,
        conditions=households.conditions,
        stored=_by_column("status"),
    ),
    *("status", "since", "until"),
)
SITES = _layer(
    "Nhà",
    "Sites",
    Source(
        name="sites",
        table=site,
        identity="site_code",
        classed_by="stage",
        classes=_STAGES,
        told=_HOME,
        conditions=sites.conditions,
        stored=_by_column("stage"),
        subject="site",
    ),
    *("stage", "verdict", "rule", "since", "until"),
)
FINDINGS = _layer(
    "Cảnh báo",
    "Findings",
    Source(
        name="findings",
        table=finding,
        identity="subject_id",
        classed_by="severity",
        classes=_SEVERITIES,
        told={**_HOME, "rule": "rule", "state": "state", "subject": "subject"},
        conditions=findings.conditions,
        stored=_by_rule,
        doubted=HELD,
        kept_by="rule",
        key_of=_severity,
    ),
    *("rule", "state", "severity", "since", "until", "enumerator"),
)
