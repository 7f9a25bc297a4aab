"""Progress of an area: map and table of its children, or the surveys of a commune."""

from datetime import date
from functools import lru_cache
from typing import Any

from flask import Blueprint, get_template_attribute, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from api.access import (
    asked,
    begin,
    current,
    may,
    needs,
    note,
    own_area,
    query_text,
    signed_in,
)
from geo import areas, households, metrics, sites, surveys
from geo.accounts.roles import can
from geo.areas import COUNTRY
from geo.gazetteer import LAST_DAY_BEFORE
from web import columns, labels, maps
from web.columns import Column, for_map, ordered, sort_value
from web.language import language
from web.shell import area_names, area_or_none, chosen, page, with_province

pages = Blueprint("progress", __name__)

COLUMNS = (
    columns.NAME,
    Column("households"),
    Column("surveyed"),
    Column("coverage", "ratio"),
    Column("verified_coverage", "ratio"),
    Column("approved"),
    Column("started"),
    Column("completed"),
    Column("handed_over"),
    Column("completion", "ratio"),
    Column("overdue"),
    Column("last_activity", "time", "asc"),
)
ON_MAP = ("coverage", "verified_coverage", "completion")
SHOWN = 50


@pages.get("/")
@signed_in
def home() -> Response:
    """Where the user's work begins: the own area, of the country the one province with data."""
    if not may("figures.read"):
        return redirect(url_for("accounts.index" if may("accounts.manage") else "account.index"))
    code = own_area(current(), "figures.read")
    if code == COUNTRY:
        with begin("figures.read") as conn:
            rows = metrics.children_figures(conn, areas.get(conn, COUNTRY))
        busy = [row["code"] for row in rows if row["households"]]
        code = busy[0] if len(busy) == 1 else COUNTRY
    return redirect(url_for("progress.area_page", code=code))


@pages.get("/progress/<code>")
@needs("figures.read")
def area_page(code: str) -> str | Response | tuple[str, int]:
    """One area's figures, map and table; of a former area, what followed it."""
    with begin() as conn:
        former = area_or_none(conn, code, on=LAST_DAY_BEFORE)
        if former and not area_or_none(conn, code):
            return _former(conn, former), 410
        area = asked(conn, code)
        note(subject="figures", query=query_text())
        if area.code != code:
            return redirect(url_for("progress.area_page", code=area.code))
        figures, rows = metrics.figures_below(conn, area)
        if area.level == "commune":
            return page(conn, "progress.html", **_commune(conn, area, figures))
        return page(conn, "progress.html", **_above(area, figures, rows))


def _former(conn: Any, area: Any) -> str:
    country = areas.get(conn, COUNTRY)
    followed = [
        (one, with_province(conn, one, country) if one.level == "commune" else one.full_name)
        for one in areas.successors(conn, area.area_id)
    ]
    title = _("%(name)s không còn", name=area.full_name)
    return page(conn, "former.html", active="progress", title=title, former=area, followed=followed)


def _above(area: Any, figures: dict[str, Any], below: list[dict[str, Any]]) -> dict[str, Any]:
    metric = chosen("metric", ON_MAP, ON_MAP[0])
    sort = chosen("sort", [column.key for column in COLUMNS], columns.NAME.key)
    descending = chosen("dir", ("asc", "desc"), "asc") == "desc"
    rows = ordered(below, sort, descending)
    made = maps.LocalMap(_("Bản đồ tiến độ"), maps.SNUG)
    names = {key: str(labels.METRICS[key]) for key in ON_MAP}
    maps.choropleth(area.code, metric, names).add_to(made)
    return {
        **_common(area, figures, made),
        "stopped": sum(map(metrics.stopped, rows)),
        "columns": COLUMNS,
        "rows": rows,
        "sort": sort,
        "descending": descending,
        "row_of": lambda row: _row_html(row, metric),
        "metric": metric,
        "metric_labels": names,
        "map_figures": for_map(rows, ON_MAP, lambda code: url_for("progress.area_page", code=code)),
    }


def _row_html(row: dict[str, Any], metric: str) -> str:
    """A row of the table: made once for the same figures, and again when one of them changes."""
    return _written(tuple(row.items()), metric, language(), metrics.today(), request.script_root)


@lru_cache(maxsize=4_000)
def _written(
    told: tuple[tuple[str, Any], ...], metric: str, _language: str, _today: date, _root: str
) -> str:
    # The last three stand here because words, days ago and addresses depend on them as well.
    row = dict(told)
    write = get_template_attribute("progress_row.html", "row")
    is_bare, silent = columns.bare(row), metrics.days_silent(row)
    made: str = write(row, COLUMNS, metric, sort_value, is_bare, metrics.stopped(row), silent)
    return made


def _commune(conn: Any, area: Any, figures: dict[str, Any]) -> dict[str, Any]:
    made = maps.LocalMap(_("Bản đồ phiếu"))
    lists: dict[str, Any] = {"page": None}
    if can(current(), "records.read", area):
        with begin("records.read") as records:
            lists = _lists(records, area)
        maps.outline(area.code, lists["page"].items).add_to(made)
        maps.survey_points(area.code).add_to(made)
    else:
        maps.outline(area.code, ()).add_to(made)
    return {
        **_common(area, figures, made),
        **lists,
        "statuses": labels.STATUSES,
        "site_kinds": labels.SITE_KINDS,
        "stages": labels.STAGES,
        "file": lambda kind: f"/api/v1/{kind}?area={area.code}&format=xlsx",
        "map_figures": {},
    }


def _lists(conn: Any, area: Any) -> dict[str, Any]:
    """The records of a commune, for those who may see them."""
    listed = surveys.listing(conn, area, limit=SHOWN, order="recent")
    houses = sites.listing(conn, area, limit=SHOWN).items
    note(rows=len(listed.items))
    return {
        "page": listed,
        "names": area_names(conn, listed.items, area),
        "to_visit": households.listing(conn, area, surveyed=False, limit=SHOWN).items,
        "sites": sorted(houses, key=lambda one: not sites.overdue(one, metrics.today())),
    }


def _common(area: Any, figures: dict[str, Any], made: maps.LocalMap) -> dict[str, Any]:
    return {
        "active": "progress",
        "area": area,
        "title": _("Tiến độ") + ": " + area.full_name,
        "figures": figures,
        "days_silent": metrics.days_silent,
        "has_stopped": metrics.stopped,
        "silent_days": metrics.SILENT_DAYS,
        "overdue": lambda site: sites.overdue(site, metrics.today()),
        "map": maps.render(made),
        "download": lambda format: f"/api/v1/progress/{area.code}?format={format}",
    }
