"""Turns map layers into Folium maps whose scripts and data come from this service only.

Folium makes the page's skeleton: the map, its controls, its layers. Every layer is one call of
a function in static/js/map.js with a short JSON configuration; the data comes by URL. Text of
records never passes through Folium.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

import folium
from branca.element import Figure, MacroElement
from flask import url_for
from flask_babel import gettext as _
from folium.template import Template
from markupsafe import Markup

from geo.config import settings
from geo.layers import LAYERS
from web import labels

CENTRE, ZOOM, MAX_ZOOM = (16.2, 106.3), 5, 19
"""The whole country until the data tells where to look."""

SNUG = 0.25
"""Zoom steps of maps without tiles, so that an area fills its map."""

NO_DATA = "url(#no-data)"
"""The hatching that templates/parts.html defines."""
_BLUES = ("#c9dff1", "#9cc9e2", "#60a6d2", "#2b7bba", "#08458a")
_BROWNS = ("#fdeac0", "#fbd38c", "#f49b45", "#d8611c", "#94330c")


@dataclass(frozen=True)
class Scale:
    """Classes of a ratio: lower bounds of the second class and so on, one colour each."""

    breaks: tuple[float, ...]
    colours: tuple[str, ...]


EVEN = Scale((0.2, 0.4, 0.6, 0.8), _BLUES)
POVERTY = Scale((0.05, 0.1, 0.2, 0.4), _BROWNS)
SCALES: dict[str, Scale] = {
    "coverage": EVEN,
    "verified_coverage": EVEN,
    "completion": EVEN,
    "poverty_rate": POVERTY,
    "near_poor_rate": POVERTY,
}
"""Fixed classes, so that a colour means the same in every area."""


@dataclass(frozen=True)
class Mark:
    """How one class of points is drawn: never by colour alone."""

    colour: str
    shape: str
    sign: str


_COLOURS = {one.key: one.colour for one in LAYERS["surveys"].classes}
VERDICT_MARKS: dict[str, Mark] = {
    "inside": Mark(_COLOURS["inside"], "disc", "●"),
    "uncertain": Mark(_COLOURS["uncertain"], "square", "◧"),
    "outside": Mark(_COLOURS["outside"], "triangle", "▲"),
    "unlocated": Mark(_COLOURS["unlocated"], "ring", "○"),
}

PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
"""Stands for a survey's id in the addresses that a map's script fills in."""


@dataclass(frozen=True)
class MapHtml:
    """A rendered map: what belongs in the head, in the body and in the page's last script."""

    head: Markup
    body: Markup
    script: Markup


class LocalMap(folium.Map):
    """A Leaflet map that loads this service's own files only; `label` is never a record's text."""

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <div class="map" id="{{ this.get_name() }}" role="region" tabindex="0"
             aria-label="{{ this.label|e }}"></div>
        <noscript><p class="under">{{ this.without_script|e }}</p></noscript>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
            center: {{ this.location|tojson }},
            crs: L.CRS.{{ this.crs }},
            ...{{ this.options|tojavascript }}
        });
        {%- if this.control_scale %}
        L.control.scale({imperial: false}).addTo({{ this.get_name() }});
        {%- endif %}
        {% endmacro %}
        """
    )

    def __init__(self, label: str, zoom_snap: float = 1) -> None:
        super().__init__(
            location=CENTRE,
            zoom_start=ZOOM,
            tiles=None,
            prefer_canvas=True,
            control_scale=True,
            max_zoom=MAX_ZOOM,
            zoom_snap=zoom_snap,
            attribution_control=bool(settings().basemap_url),
        )
        self.label = label
        self.without_script = _("Bản đồ cần JavaScript; các bảng trên trang có cùng số liệu.")
        self.default_js = [
            (name, url_for("static", filename=path))
            for name, path in (
                ("leaflet", "vendor/leaflet.js"),
                ("vectorgrid", "vendor/vectorgrid.js"),
                ("ancu_tiles", "js/tiles.js"),
                ("ancu_map", "js/map.js"),
                ("ancu_evidence", "js/evidence.js"),
            )
        ]
        self.default_css = [("leaflet_css", url_for("static", filename="vendor/leaflet.css"))]
        if settings().basemap_url:
            folium.TileLayer(settings().basemap_url, attr=_("Bản đồ nền"), control=False).add_to(
                self
            )
        Call("begin", {"words": _words()}).add_to(self)


class Call(MacroElement):
    """One call `Ancu.<function>(map, config)` of static/js/map.js."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        Ancu.{{ this.function }}({{ this._parent.get_name() }}, {{ this.config }});
        {% endmacro %}
        """
    )

    def __init__(self, function: str, config: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = function
        self.function = function
        self.config = script_json(config)


def choropleth(area_code: str, metric: str, names: Mapping[str, str]) -> Call:
    """The area's children coloured by `metric`; their names and figures are in the page.

    `names`: metric → its name on the legend, one for each metric that can be switched to.
    The page holds code → name, url and metrics as JSON in the element `figures`.
    """
    scales = {
        key: {"breaks": SCALES[key].breaks, "colours": SCALES[key].colours, "label": name}
        for key, name in names.items()
    }
    return Call(
        "choropleth",
        {
            "url": f"/api/v1/areas/{quote(area_code)}/children.geojson",
            "figures": "figures",
            "metric": metric,
            "scales": scales,
            "noData": NO_DATA,
        },
    )


def outline_url(area_code: str) -> str:
    """Where a map gets an area's border from."""
    return f"/api/v1/areas/{quote(area_code)}/outline.geojson"


def outline(area_code: str, listed: Iterable[Mapping[str, Any]] = ()) -> Call:
    """The border of one area, which the map then shows whole with the listed surveys near it.

    The map says how many of `listed` (lon, lat in EPSG:4326 or None) are too far to be shown.
    """
    points = [[one["lat"], one["lon"]] for one in listed if one["lon"] is not None]
    return Call("outline", {"url": outline_url(area_code), "points": points})


def survey_points(area_code: str, *, hidden: bool = False, **filters: str | None) -> Call:
    """Surveys of an area by verdict as vector tiles; groups with their count at small scales.

    hidden: only drawn when the legend's switch `surveys` is set.
    """
    layer = LAYERS["surveys"]
    query = {"area": area_code} | {key: value for key, value in filters.items() if value}
    return Call(
        "points",
        {
            "url": f"/tiles/{layer.name}/{{z}}/{{x}}/{{y}}.mvt?" + urlencode(query),
            "classField": layer.class_field,
            "marks": {
                key: {
                    "colour": mark.colour,
                    "shape": mark.shape,
                    "label": str(labels.VERDICTS[key]),
                }
                for key, mark in VERDICT_MARKS.items()
            },
            "page": url_for("records.survey", survey_id=PLACEHOLDER),
            "hidden": hidden,
        },
    )


def case_points() -> Call:
    """The cases of the page's list; the page holds them as JSON in the element `case-points`."""
    return Call("cases", {"data": "case-points", "marks": _mark_styles()})


def evidence(url: str | None = None) -> Call:
    """Room for the evidence of one survey or site, at first of that whose evidence is at `url`."""
    return Call("evidence", {"url": url, "marks": _mark_styles()})


def _mark_styles() -> dict[str, dict[str, str]]:
    return {
        key: {"colour": mark.colour, "shape": mark.shape} for key, mark in VERDICT_MARKS.items()
    }


def render(made: LocalMap) -> MapHtml:
    """Take Folium's figure apart so that the page around it is ours."""
    figure = cast(Figure, made.get_root())
    del figure.header._children["meta_http"]
    for child in figure._children.values():
        child.render()
    # Safe: only our own templates and escaped JSON went in.
    return MapHtml(*(Markup(part.render()) for part in (figure.header, figure.html, figure.script)))  # noqa: S704


_LIVE = re.compile(r"[<>&'`$\u2028\u2029]|\{(?=[{%#])|(?<=\{)[%#]")


def script_json(value: object) -> str:
    """JSON that stays data inside a script element, a template literal and a Jinja template.

    Branca compiles what an element renders as a template once more, so `{{` must not survive.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _LIVE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _words() -> dict[str, str]:
    return {
        "zoomIn": _("Phóng to"),
        "zoomOut": _("Thu nhỏ"),
        "loading": _("Đang tải bản đồ…"),
        "failed": _("Không tải được dữ liệu bản đồ."),
        "retry": _("Thử lại"),
        "noData": _("Chưa có số liệu"),
        "noBoundary": _("Chưa có ranh giới cho khu vực này."),
        "surveys": _("phiếu"),
        "proposed": _("điểm được đề xuất"),
        "chosenPoint": _("điểm sẽ ghi"),
        "beyond": _("phiếu trong danh sách nằm ngoài khung bản đồ"),
    }
