"""The map page: areas by a figure, and records by class, with filters that its address keeps."""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import asked, begin, current, needs, note, own_area, query_text
from api.tiles import TileQuery
from geo import areas, boundaries, metrics, rules
from geo.accounts.roles import can
from geo.areas import Area
from geo.errors import UsageError
from web import audit_labels, labels, maps
from web.maps.view import METRICS, filters, layers
from web.shell import page

pages = Blueprint("map_page", __name__)

DEFAULTS = {"country": "areas", "province": "areas", "commune": "surveys"}
"""The layers shown at first, by the level of the area."""
FILTERS = {
    "verdict": _l("Kết luận vị trí"),
    "rule": _l("Cảnh báo"),
    "severity": _l("Mức cảnh báo"),
    "state": _l("Tình trạng cảnh báo"),
    "status": _l("Kết quả rà soát"),
    "stage": _l("Giai đoạn nhà"),
    "since": _l("Từ ngày"),
    "until": _l("Đến ngày"),
    "enumerator": _l("Điều tra viên"),
}
"""Filters in the order of the page."""


@pages.get("/map")
@needs("figures.read")
def home() -> Response:
    """The map of the user's own area; keeps the rest of the address."""
    code = own_area(current(), "figures.read")
    query = request.args.to_dict()
    address = url_for("map_page.area_page", code=code)
    return redirect(f"{address}?{urlencode(query)}" if query else address)


@pages.get("/map/<code>")
@needs("figures.read")
def area_page(code: str) -> str:
    """The map of one area; what it shows comes by the addresses that its script is given."""
    chosen_filters()
    with begin() as conn:
        area = asked(conn, code)
        note(subject="map", subject_id=area.code, query=query_text())
        records = can(current(), "records.read", area)
        made = maps.LocalMap(
            _("Bản đồ: %(name)s", name=area.full_name),
            scripts=("shades", "view", "measure", "search"),
        )
        own = told(conn, area) if area.level == "commune" else {}
        above = provinces(conn, area)
        view(area, boundaries.version(conn), own, above, records=records).add_to(made)
        maps.Call("act", {}).add_to(made)
        maps.Call("search", {"url": url_for("map_search.found", area=area.code)}).add_to(made)
        return page(
            conn,
            "map.html",
            active="map",
            area=area,
            title=_("Bản đồ") + ": " + area.full_name,
            map=maps.render(made),
            layers=layers() if records else (),
            layer_label=labels.term,
            chosen=shown(area),
            unknown=unknown(),
            metrics=metric_names(),
            fields=[(key, FILTERS[key], options(key)) for key in FILTERS if key in filters()],
            saves=can(current(), "records.export", area),
        )


def told(conn: Connection, area: Area) -> dict[str, dict[str, Any]]:
    """By code what areas show, as children/figures.json: of the children, of a commune its own."""
    rows = metrics.children_figures(conn, area)
    if area.level == "commune":
        own = {"code": area.code, "full_name": area.full_name, "level": area.level}
        rows = [{**own, **metrics.figures(conn, area)}]
    return {
        row["code"]: {"name": row["full_name"], "suppressed": row["suppressed"]}
        | {key: row[key] for key in METRICS}
        for row in rows
        if row["code"]
    }


def view(
    area: Area,
    version: str,
    own: dict[str, dict[str, Any]],
    provinces: dict[str, str],
    *,
    records: bool,
    saved: dict[str, Any] | None = None,
) -> maps.Call:
    """The call that puts all layers of an area on a map; `version` is that of the boundaries."""
    return maps.view(
        area,
        records=records,
        version=version,
        own=own,
        names=metric_names(),
        provinces=provinces,
        rules={code: str(labels.term(one.vi, one.en)) for code, one in rules.RULES.items()},
        saved=saved,
    )


def provinces(conn: Connection, area: Area) -> dict[str, str]:
    """By code the names of the country's provinces; {} for any other area."""
    below = areas.children(conn, area.code) if area.level == "country" else []
    return {one.code: one.full_name for one in below}


def metric_names() -> dict[str, str]:
    """The metrics that areas can be coloured by, with their names in the page's language."""
    known = {key: metrics.METRICS[key] for key in METRICS}
    return {key: str(labels.term(one.vi, one.en)) for key, one in known.items()}


def shown(area: Area) -> list[str]:
    """The layers that the address asks for, else those that the level begins with."""
    named = [*(layer.name for layer in layers()), "areas"]
    wanted = request.args.get("layers", DEFAULTS[area.level]).split(",")
    return [name for name in named if name in wanted]


def chosen_filters() -> dict[str, Any]:
    """The filters of the address as tiles take them.

    Raises UsageError for what the form cannot hold: it would show everything, as if unfiltered.
    """
    level()
    given = {key: told for key in filters() if (told := request.args.get(key, "").strip())}
    for key, told in given.items():
        choices = options(key)
        day = re.fullmatch(r"\d{4}-\d\d-\d\d", told) if key in ("since", "until") else True
        if not day or (choices and told not in choices):
            raise _not_known(key, told)
    if given.get("since", "") > given.get("until", "9"):
        raise UsageError(
            _("“Từ ngày” (%(since)s) sau “Đến ngày” (%(until)s): không có ngày nào ở giữa.",
              since=given["since"], until=given["until"])
        )  # fmt: skip
    try:
        query = TileQuery.model_validate(given)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise _not_known(key, given[key]) from None
    return query.model_dump(exclude={"area"}, exclude_none=True)


def level() -> str:
    """`commune` where the country is to be coloured by commune, else nothing.

    Raises UsageError for any other value.
    """
    told = request.args.get("level", "").strip()
    if told not in ("", "commune"):
        raise _not_known("level", told)
    return told


def unknown(known: Collection[str] = ()) -> list[str]:
    """Parts of the address that no map has, beside `known` names; at most a few, and not all long.

    Such a part of a link shows nothing, so that the reader must be told: it may be a filter
    that was misspelt, or a place that was cut.
    """
    names = [name for name in request.args if name not in KEPT and name not in known]
    names += _misread()
    told = [name if len(name) <= _LONGEST else name[:_LONGEST] + "…" for name in names[:_MOST]]
    return [*told, "…"] if len(names) > _MOST else told


def _misread() -> list[str]:
    """Values of the address that the map cannot show: place, figure, layers."""
    told = request.args
    at = _AT.fullmatch(told.get("at", ""))
    places = at is None or abs(float(at[1])) >= _LAST_LAT or abs(float(at[2])) > 180
    found = [f"at={told['at']}"] if told.get("at") and places else []
    if told.get("metric") and told["metric"] not in METRICS:
        found.append(f"metric={told['metric']}")
    there = {"", "areas", *(layer.name for layer in layers())}
    wanted = told.get("layers", "").split(",")
    return found + [f"layers={one}" for one in wanted if one not in there]


def _not_known(key: str, told: str) -> UsageError:
    return UsageError(
        _(
            "Bộ lọc “%(name)s” của bản đồ không nhận “%(value)s”. Bỏ phần này khỏi liên kết rồi"
            " chọn lại trên bản đồ.",
            name=FILTERS.get(key) or _("Tô màu theo"),
            value=told[:60],
        )
    )


def options(key: str) -> dict[str, Any]:
    """The values of a filter with their names; {} where the reader types one."""
    return {
        "verdict": {**labels.VERDICTS, "doubtful": _("Lệch hoặc chưa chắc chắn")},
        "rule": {code: labels.term(one.vi, one.en) for code, one in rules.RULES.items()},
        "severity": {str(key): name for key, name in audit_labels.SEVERITIES.items()},
        "state": {**audit_labels.STATES, "decided": audit_labels.CHOICES["decided"]},
        "status": labels.STATUSES,
        "stage": labels.STAGES,
    }.get(key, {})


KEPT = (*FILTERS, "at", "layers", "metric", "level", "lang")
"""Parameters of a map's address."""
_MOST, _LONGEST = 5, 40
_AT = re.compile(r"\d{1,2}(?:\.\d+)?/(-?\d+(?:\.\d+)?)/(-?\d+(?:\.\d+)?)", re.ASCII)
_LAST_LAT = 85
"""Where the web's map ends."""
