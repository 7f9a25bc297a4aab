"""The ratios of every commune in an area at once, for maps that colour all of them."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Numeric, cast, func, select

from geo import areas, publishing
from geo.areas import COUNTRY, Area
from geo.counter_tables import commune_counter
from geo.metrics import METRICS
from geo.tables import area as area_table

RATIOS = tuple(key for key, one in METRICS.items() if one.kind == "ratio")
COLUMNS = ("name", "province", "suppressed", *RATIOS)
"""What stands in a row: province is a code, ratios are 0 to 1 with six decimals, or None."""
_DIGITS = 6


def table(conn: Connection, area: Area) -> dict[str, Any]:
    """`columns`, and `rows`: commune code → their values, of every present commune in the area.

    What pages hide is hidden here, see `geo.publishing`. Errors as with `metrics.figures`.
    """
    hidden = publishing.hidden_in(conn, area).communes
    counted = _counted(conn, area)
    unknown = [None] * len(RATIOS)
    rows = {
        code: [name, province, True, *unknown]
        if (province, code) in hidden
        else [name, province, False, *counted.get((province, code), unknown)]
        for code, name, province in _communes(conn, area)
    }
    return {"columns": COLUMNS, "rows": rows}


def _communes(conn: Connection, area: Area) -> list[tuple[str, str, str]]:
    one = area_table.c
    wanted = select(one.code, one.full_name, one.parent_code).where(
        one.level == "commune", one.valid_to.is_(None)
    )
    if area.code != COUNTRY:
        wanted = wanted.where(one.parent_code == area.code)
    return [tuple(row) for row in conn.execute(wanted.order_by(one.code))]


def _counted(conn: Connection, area: Area) -> dict[tuple[str, str], list[float | None]]:
    counter = commune_counter.c
    found = conn.execute(
        select(counter.province_code, counter.commune_code, *map(_ratio, RATIOS)).where(
            areas.scope(area, commune_counter)
        )
    )
    return {(row[0], row[1]): list(row[2:]) for row in found}


def _ratio(key: str) -> ColumnElement[float]:
    above, below = (
        sum(commune_counter.c[term] for term in METRICS[str(part)].terms)
        for part in (METRICS[key].numerator, METRICS[key].denominator)
    )
    exact = func.round(cast(above, Numeric) / func.nullif(below, 0), _DIGITS)
    return exact.cast(Float).label(key)
