"""Squares of records by all that filters choose by, added up from the stored squares of choices."""

from sqlalchemy import ColumnElement, Integer, Select, bindparam, cast, func, select

from geo import findings
from geo.layers import spans
from geo.layers.nets import Nets
from geo.layers.source import Filters, Source
from geo.rules import RULES
from geo.tile_tables import tile_choice

_KEPT = {
    "surveys": ("verdict", "flagged"),
    "households": ("class", "flagged"),
    "sites": ("class", "flagged"),
    "findings": ("rule", "held"),
}
"""By source: what its classes are called here, and which of them are flagged."""


def answer(source: Source, filters: Filters) -> bool:
    """Whether the filters ask for what is stored: not for an enumerator, of surveys for a rule."""
    return "enumerator" not in filters and (source.name != "surveys" or "rule" in filters)


def squares(source: Source, nets: Nets, filters: Filters, *, timed: bool) -> Select:
    """The tile's squares by class, with the sums of degrees.

    filters: all but the time; timed: whether a time is asked for as well, which leaves of the
    findings only those about surveys.
    """
    kind, doubted = _KEPT[source.name]
    chosen = _chosen(source, filters, timed=timed)
    names = ("records", doubted, "lon_sum", "lat_sum")
    both, read, wanted = spans.on_blocks(tile_choice, nets, (kind, *names), chosen)
    square = read.c.square.bitwise_rshift(cast(bindparam("shift"), Integer))
    sums = [func.sum(read.c[name] * wanted.c.signs) for name in names]
    labels = ("records", "flagged", "lon", "lat")
    return (
        select(
            square.label("square"),
            read.c[kind].label("class"),
            *(total.label(label) for total, label in zip(sums, labels, strict=True)),
        )
        .select_from(both)
        .group_by(square, read.c[kind])
        .having(sums[0] > 0)
    )


def _chosen(source: Source, filters: Filters, *, timed: bool) -> list[ColumnElement[bool]]:
    kept = tile_choice.c
    layers = _layers(source, filters, timed=timed)
    chosen: list[ColumnElement[bool]] = [kept.layer.in_(layers)]
    for name, column in (("rule", kept.rule), ("status", kept["class"]), ("stage", kept["class"])):
        if name in filters:
            chosen.append(column == filters[name])
    if "verdict" in filters:
        verdict = filters["verdict"]
        several = findings.DOUBTED if verdict == findings.DOUBTFUL else (verdict,)
        chosen.append(kept.verdict.in_(several))
    if "state" in filters:
        chosen.append(findings.in_state(kept.state, filters["state"]))
    if "severity" in filters:
        of_it = [rule.code for rule in RULES.values() if rule.severity == filters["severity"]]
        chosen.append(kept.rule.in_(of_it))
    return chosen


def _layers(source: Source, filters: Filters, *, timed: bool) -> list[str]:
    if source.name == "findings":
        return ["survey_findings"] if timed else ["survey_findings", "site_findings"]
    if "rule" in filters:
        return [f"{source.subject}_findings"]
    return [source.name]
