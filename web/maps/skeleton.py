"""The skeleton that Folium makes of a map: scripts and data come from this service only.

Folium makes the map, its controls, its layers. Every layer is one call of a script function with
a short JSON configuration; the data comes by URL. Text of records never passes through Folium.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import folium
from branca.element import Element, Figure, MacroElement
from flask import url_for
from flask_babel import gettext as _
from folium.template import Template
from markupsafe import Markup

from web import basemap

CENTRE, ZOOM, MAX_ZOOM = (16.2, 106.3), 5, 19
"""The whole country until the data tells where to look."""

SNUG = 0.25
"""Zoom steps of maps without tiles, so that an area fills its map."""

LIBRARIES = (("leaflet", "vendor/leaflet.js"), ("vectorgrid", "vendor/vectorgrid.js"))
SCRIPTS = ("tiles", "map", "areas", "points")
"""This service's own scripts that every map needs, of static/js."""


@dataclass(frozen=True)
class MapHtml:
    """A rendered map: what belongs in the head, in the body and in the page's last script."""

    head: Markup
    body: Markup
    script: Markup


class Finished(Element):
    """Text that is as it shall be: Branca would compile it as a template, half the map's time."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self, **_kwargs: object) -> str:
        return self._text


class LocalMap(folium.Map):
    """A Leaflet map that loads this service's own files only; `label` is never a record's text.

    scripts: more of static/js, by name. alone: loads nothing, for a file that holds all it needs.
    """

    _template = Template("")
    _parts = Template(
        """
        {% macro html(this) %}
        <div class="map" id="{{ this.get_name() }}" role="region" tabindex="0"
             aria-label="{{ this.label|e }}"></div>
        <noscript><p class="under">{{ this.without_script|e }}</p></noscript>
        {% endmacro %}
        {% macro script(this) %}
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

    def __init__(
        self,
        label: str,
        zoom_snap: float = 1,
        scripts: tuple[str, ...] = ("evidence",),
        alone: bool = False,
    ) -> None:
        background = None if alone else basemap.layer()
        super().__init__(
            location=CENTRE,
            zoom_start=ZOOM,
            tiles=None,
            prefer_canvas=True,
            control_scale=True,
            max_zoom=MAX_ZOOM,
            zoom_snap=zoom_snap,
            attribution_control=background is not None,
        )
        self.label = label
        self.without_script = _(
            "Bản đồ cần JavaScript. Số liệu của từng địa bàn có trong bảng ở trang Tiến độ."
        )
        self.default_js = (
            []
            if alone
            else [
                (name, url_for("static", filename=path))
                for name, path in (
                    *LIBRARIES,
                    *basemap.scripts(),
                    *((f"ancu_{one}", f"js/{one}.js") for one in (*SCRIPTS, *scripts)),
                )
            ]
        )
        self.default_css = (
            []
            if alone
            else [
                (name, url_for("static", filename=path))
                for name, path in (
                    ("leaflet_css", "vendor/leaflet.css"),
                    ("map_css", "css/map.css"),
                )
            ]
        )
        Call("begin", {"words": words(), "basemap": background}).add_to(self)

    def render(self, **kwargs: object) -> str:
        figure = cast(Figure, self.get_root())
        made = self._parts.module
        figure.html.add_child(Finished(made.html(self)), name=self.get_name())
        figure.script.add_child(Finished(made.script(self)), name=self.get_name())
        super().render(**kwargs)
        return ""


class Call(MacroElement):
    """One call `Ancu.<function>(map, config)` of static/js/map.js."""

    def __init__(self, function: str, config: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = function
        self.function = function
        self.config = script_json(config)

    def render(self, **_kwargs: object) -> str:
        figure, on = cast(Figure, self.get_root()), cast(Element, self._parent)
        text = f"Ancu.{self.function}({on.get_name()}, {self.config});\n"
        figure.script.add_child(Finished(text), name=self.get_name())
        return ""


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

    Branca compiles what its own elements render as a template once more, so `{{` must not survive.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _LIVE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def words() -> dict[str, str]:
    """What the scripts of every map say."""
    return {
        "zoomIn": _("Phóng to"),
        "zoomOut": _("Thu nhỏ"),
        "loading": _("Đang tải bản đồ…"),
        "failed": _("Không tải được dữ liệu bản đồ."),
        "retry": _("Thử lại"),
        "signedOut": _("Phiên làm việc đã hết."),
        "signIn": _("Đăng nhập lại"),
        "signInPage": url_for("sign_in.page"),
        "noData": _("Chưa có số liệu"),
        "suppressed": _("Số liệu được che"),
        "noBoundary": _("Chưa có ranh giới cho khu vực này."),
        "surveys": _("phiếu"),
        "flagged": _("có cảnh báo"),
        "proposed": _("điểm được đề xuất"),
        "chosenPoint": _("điểm sẽ ghi"),
        "beyond": _("phiếu trong danh sách nằm ngoài khung bản đồ"),
    }
