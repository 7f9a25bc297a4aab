"""A map as one HTML file for a meeting without network: nothing in it asks for anything."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import Connection

from api import params
from api.access import asked, begin, current, needs, note
from geo import commune_ratios
from geo.accounts.roles import can
from geo.areas import Area
from geo.errors import UsageError
from geo.intake.log import demo_present
from web import assets, formats, map_page, maps
from web.map_store import (
    COMMUNES_ZOOM,
    Box,
    Stored,
    add_tiles,
    bounds,
    communes,
    shapes,
    zoom_for,
)
from web.maps.skeleton import SCRIPTS
from web.maps.view import filters, layers

pages = Blueprint("map_file", __name__)

_LIBRARIES = ("vendor/leaflet.js", "vendor/vectorgrid.js", "js/stored.js")
_STYLES = ("vendor/leaflet.css", "css/page.css", "css/map.css")
_VIETNAM: Box = (102.1, 8.3, 109.6, 23.5)


@pages.get("/map/<code>/file.html")
@needs("records.export")
def file(code: str) -> Response:
    """The map that the address describes, to keep; holds codes of records, no names of persons."""
    box = _box()
    note(subject="map", query=_noted(box))
    chosen = map_page.chosen_filters()
    with begin() as conn:
        area = asked(conn, code)
        shown = map_page.shown(area)
        kept = _records(conn, area, shown, box, chosen)
        demo = demo_present(conn)
    if can(current(), "figures.read", area):
        with begin("figures.read") as conn:
            kept.answers["figures"] = (
                commune_ratios.table(conn, area)
                if "communes" in kept.answers
                else {"figures": map_page.told(conn, area)}
            )
    note(rows=sum(kept.held.values()), durable=True)
    answer = Response(_written(area, shown, kept, demo), content_type="text/html; charset=utf-8")
    name = f"ancu-map-{area.code}.html"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _records(
    conn: Connection, area: Area, shown: list[str], asked_box: Box | None, chosen: dict[str, Any]
) -> Stored:
    kept = Stored(answers={"figures": {"figures": {}}})
    zoom = _zoom()
    kept.answers["children"], kept.answers["outline"] = shapes(
        conn, area, 9 if zoom is None else zoom
    )
    if area.level == "country" and map_page.level():
        kept.answers["communes"] = communes(conn, area, COMMUNES_ZOOM if zoom is None else zoom)
    own = bounds(kept.answers["outline"]) or bounds(kept.answers["children"]) or _VIETNAM
    box = kept.box = asked_box or own
    kept.provinces = map_page.provinces(conn, area)
    for layer in layers():
        if layer.name in shown:
            given = {key: value for key, value in chosen.items() if key in layer.filters}
            add_tiles(conn, kept, layer.name, area, box, _fit(box, zoom), given)
    if not (any(kept.held.values()) or _touch(box, own)):
        raise UsageError(
            _("Khung nhìn không có phần nào của %(area)s. Dời bản đồ tới đó rồi lưu.",
              area=area.full_name)
        )  # fmt: skip
    return kept


def _touch(one: Box, other: Box) -> bool:
    west, south, east, north = one
    return west <= other[2] and other[0] <= east and south <= other[3] and other[1] <= north


def _fit(box: Box, zoom: int | None) -> int:
    """The view's zoom, but none at which its box would be much more than a screen."""
    widest = zoom_for(box) + 1
    return widest if zoom is None else min(zoom, widest)


def _written(area: Area, shown: list[str], kept: Stored, demo: bool) -> str:
    made = maps.LocalMap(_("Bản đồ: %(name)s", name=area.full_name), scripts=(), alone=True)
    limits = [
        _("%(layer)s: %(held)s trên %(total)s bản ghi có toạ độ.", layer=name,
          held=formats.number(kept.held[key]), total=formats.number(kept.total[key]))
        for key, name in _names(shown).items()
    ]  # fmt: skip
    saved = {"query": request.query_string.decode("utf-8", "replace"), "zooms": kept.zooms,
             "note": _("Trong tệp: ") + " ".join(limits) if limits else "",
             "box": kept.box}  # fmt: skip
    own = kept.answers["figures"]["figures"] if area.level == "commune" else {}
    map_page.view(area, "", own, kept.provinces, records=True, saved=saved).add_to(made)
    maps.Call("act", {}).add_to(made)
    drawn = maps.render(made)
    data = maps.script_json({"answers": kept.answers, "tiles": kept.tiles})
    names = (*_LIBRARIES, *(f"js/{one}.js" for one in (*SCRIPTS, "shades", "view", "measure")))
    scripts = [f"window.AncuStored = {data};", *map(_text, names), str(drawn.script)]
    scripts = [_closed(one) for one in scripts]
    return render_template(
        "map_file.html",
        area=area,
        title=_("Bản đồ") + ": " + area.full_name,
        map=drawn,
        styles=[_text(name) for name in _STYLES],
        scripts=scripts,
        policy=_policy(scripts),
        unknown=map_page.unknown({"box"}),
        level=map_page.level() if "communes" in kept.answers else "",
        layers=[layer for layer in layers() if layer.name in shown],
        chosen=shown,
        metrics=map_page.metric_names(),
        fields=[
            (key, map_page.FILTERS[key], map_page.options(key), value)
            for key, value in request.args.items()
            if key in filters() and value.strip()
        ],
        demo=demo,
        made_at=datetime.now(UTC),
        made_by=current().full_name,
        limits=limits,
        layer_label=map_page.labels.term,
    )


def _names(shown: list[str]) -> dict[str, str]:
    return {
        layer.name: str(map_page.labels.term(layer.vi, layer.en))
        for layer in layers()
        if layer.name in shown
    }


def _policy(scripts: list[str]) -> str:
    """A policy that lets only these scripts run and asks nobody for anything."""
    hashes = (hashlib.sha256(one.encode()).digest() for one in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"


def _closed(script: str) -> str:
    """A script as it can stand inside its element."""
    return script.replace("</script", "<\\/script")


def _text(name: str) -> str:
    return (assets.ROOT / "static" / name).read_text(encoding="utf-8")


def _zoom() -> int | None:
    told = request.args.get("at", "").partition("/")[0]
    try:
        zoom = float(told) if told else None
    except ValueError:
        zoom = -1
    if zoom is not None and not 0 <= zoom <= 22:
        raise UsageError(_("Vị trí viết theo dạng at=zoom/lat/lon, như at=9/21.03/105.85."))
    return None if zoom is None else int(zoom)


def _box() -> Box | None:
    told = request.args.get("box")
    try:
        return params.box(told) if told else None
    except ValueError as error:
        raise UsageError(_("Khung nhìn (box): %(what)s.", what=error)) from None


def _noted(box: Box | None) -> str:
    """What was asked, for the access log, where many decimals look like an identity number."""
    told = {key: value for key, value in request.args.items() if key != "box"}
    if box:
        told["box"] = ",".join(f"{edge:.5f}" for edge in box)
    return urlencode(told, safe=",/")
