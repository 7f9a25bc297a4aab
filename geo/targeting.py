"""Targeting: which communes of an area need help first."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from geo import metrics
from geo.areas import Area
from geo.errors import UsageError
from geo.tables import area

Row = dict[str, Any]

ORDERS: dict[str, Callable[[Row], float | None]] = {
    "poverty_rate": lambda row: row["poverty_rate"],
    "poor": lambda row: row["poor"],
    "uncovered": lambda row: row["households"] - row["surveyed"],
    "unsupported": lambda row: row["unsupported"],
}
"""What each order ranks by, the greatest first; explained in docs/metrics.md."""


def ranking(conn: Connection, within: Area, order: str = "poverty_rate") -> list[Row]:
    """The communes of an area with households or sites, those with the greatest need first.

    Each row: rank (equal values share one, then the next is skipped), need (what it is ranked
    by, None when unknown: last), code, full_name, level, province_code and all METRICS.
    Equal needs go by the number of poor households. Suppressed communes are left out: a place
    among the others would tell of them. Raises UsageError for an unknown order.
    """
    if order not in ORDERS:
        raise UsageError(f"{order!r} is no order; there are: {', '.join(ORDERS)}.")
    need = ORDERS[order]
    rows = [
        row | {"need": need(row)}
        for row in _communes(conn, within)
        if not row["suppressed"] and (row["households"] or row["sites"])
    ]
    rows.sort(key=lambda row: (row["need"] is None, -(row["need"] or 0), -row["poor"], row["code"]))
    rank = 0
    for place, row in enumerate(rows, start=1):
        if place == 1 or row["need"] != rows[place - 2]["need"]:
            rank = place
        row["rank"] = rank
    return rows


def _communes(conn: Connection, within: Area) -> list[Row]:
    found = metrics.commune_figures(conn, within)
    named = conn.execute(
        select(area.c.code, area.c.full_name, area.c.level, area.c.province_code).where(
            area.c.level == "commune", area.c.valid_to.is_(None), area.c.code.in_(found)
        )
    )
    return [{**row, **found[row["code"]]} for row in named.mappings()]
