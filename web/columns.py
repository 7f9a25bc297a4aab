"""Columns of the area tables: which metrics, and how each is named, written and sorted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString

from geo.areas import name_order
from web import labels


@dataclass(frozen=True)
class Column:
    """One metric as a column; `first` is the direction of the first click on its head."""

    key: str
    kind: str = "count"
    first: str = "desc"

    @property
    def label(self) -> LazyString:
        return labels.METRICS[self.key]


NAME = Column("full_name", "text", "asc")


def sort_value(value: Any) -> str:
    """What a page's script sorts a cell by; nothing known sorts last."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    return value.isoformat() if isinstance(value, date) else str(value)


def bare(row: Mapping[str, Any]) -> bool:
    """Whether nothing was ever recorded in the area."""
    return all(row[key] == 0 for key in ("households", "surveys", "sites"))


def ordered(rows: Iterable[dict[str, Any]], key: str, descending: bool) -> list[dict[str, Any]]:
    """`rows` by one column; unknown values, then areas without any record come last.

    By name, what belongs to no area follows those that have one. static/js/page.js does the same.
    """
    by_name = sorted(rows, key=lambda row: name_order(row["full_name"] or ""))
    if key == NAME.key:
        by_name = by_name[::-1] if descending else by_name
        return sorted(by_name, key=lambda row: (bare(row), not row["code"]))
    known = [row for row in by_name if row[key] is not None]
    unknown = [row for row in by_name if row[key] is None]
    by_value = sorted(known, key=lambda row: row[key], reverse=descending) + unknown
    return sorted(by_value, key=bare)


def for_map(
    rows: Iterable[Mapping[str, Any]], metrics: Iterable[str], url: Any
) -> dict[str, dict[str, Any]]:
    """code → name, url and the metrics that a choropleth shows; `url(code)` may return None.

    An area whose figures are hidden says so: it is not one without figures.
    """
    keys = tuple(metrics)
    return {
        row["code"]: {"name": row["full_name"], "url": url(row["code"])}
        | {key: None if row[key] is None else round(row[key], 4) for key in keys}
        | ({"suppressed": True} if row["suppressed"] else {})
        for row in rows
        if row["code"]
    }
