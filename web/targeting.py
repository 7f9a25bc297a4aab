"""Targeting: where poverty is high, reach is low, and help is still missing."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from api.access import asked, begin, needs, note, query_text
from geo import areas, metrics, targeting
from geo.areas import COUNTRY, Area
from web import formats, labels, maps
from web.columns import Column, for_map
from web.navigation import opens
from web.shell import chosen, page

pages = Blueprint("targeting", __name__)

ON_MAP = ("poverty_rate", "near_poor_rate", "coverage", "completion")
COLUMNS = (
    Column("poor"),
    Column("poverty_rate", "ratio"),
    Column("coverage", "ratio"),
    Column("approved"),
    Column("completion", "ratio"),
)
ORDERS = {
    "poverty_rate": _l("Tỷ lệ hộ nghèo"),
    "poor": _l("Số hộ nghèo"),
    "uncovered": _l("Hộ chưa khảo sát"),
    "unsupported": _l("Hộ nghèo chưa có nhà"),
}
PANEL = (
    Column("households"),
    Column("poor"),
    Column("near_poor"),
    Column("surveyed"),
    Column("verified_coverage", "ratio"),
    Column("approved"),
    Column("building"),
    Column("handed_over"),
    Column("overdue"),
    Column("last_activity", "time"),
)
SHOWN = 100


@pages.get("/targeting")
@needs("figures.read")
def index() -> str:
    """Map of the area's children and ranking of its communes."""
    metric = chosen("metric", ON_MAP, ON_MAP[0])
    order = chosen("order", ORDERS, "poverty_rate")
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="figures", query=query_text())
        area = _compared(conn, area)
        ranking = targeting.ranking(conn, area, order)
        children = metrics.children_figures(conn, area)
        made = maps.LocalMap(_("Bản đồ ưu tiên hỗ trợ"), maps.SNUG)
        names = {key: str(labels.METRICS[key]) for key in ON_MAP}
        if area.level == "commune":
            maps.outline(area.code).add_to(made)
        else:
            maps.choropleth(area.code, metric, names).add_to(made)
        return page(
            conn,
            "targeting.html",
            active="targeting",
            area=area,
            title=_("Ưu tiên hỗ trợ") + ": " + area.full_name,
            columns=COLUMNS,
            ranking=ranking[:SHOWN],
            ranked=len(ranking),
            provinces={one.code: one.full_name for one in areas.children(conn, COUNTRY)}
            if area.level == "country"
            else {},
            order=order,
            order_labels=ORDERS,
            metric=metric,
            metric_labels=names,
            map_figures=for_map(children, ON_MAP, lambda code: _deeper(area, code)),
            map=maps.render(made),
            panel=panel,
            hidden=any(row["suppressed"] for row in children),
            statistics=lambda format: f"/api/v1/statistics?area={area.code}&format={format}",
            download=lambda format: (
                f"/api/v1/targeting?area={area.code}&order={order}&format={format}"
            ),
        )


def _compared(conn: Connection, area: Area) -> Area:
    """The area whose communes are compared: of a commune its province, where that is open, too."""
    if area.level != "commune":
        return area
    province = areas.get(conn, str(area.province_code))
    return province if opens(province) else area


def panel(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a commune's panel says: label and figure."""
    return [(str(c.label), formats.figure(row[c.key], c.kind)) for c in PANEL]


def _deeper(area: Any, code: str) -> str | None:
    """A province on the country's map leads to its communes; a commune opens its panel."""
    return f"/targeting?area={code}" if area.level == "country" else None
