"""The map that people steer: what its script is told of layers, classes, figures and addresses."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask_babel import gettext as _

from geo.areas import Area
from geo.layers import LAYERS
from geo.layers.layer import Layer
from web.labels import term
from web.maps.calls import outline_url
from web.maps.marks import DRAWN, Mark, marks, other
from web.maps.scales import SCALES
from web.maps.skeleton import Call

METRICS = tuple(SCALES)
"""What areas can be coloured by."""

_PAGES = {
    "surveys": "/surveys/{id}?commune={commune_code}",
    "households": "/households/{province_code}/{id}?commune={commune_code}",
    "sites": "/sites/{province_code}/{id}?commune={commune_code}",
    "survey": "/surveys/{id}?commune={commune_code}",
    "site": "/sites/{province_code}/{id}?commune={commune_code}",
}
"""Layer, or subject of a finding → the page of one record; the script fills in its attributes."""


def layers() -> tuple[Layer, ...]:
    """The layers of records that the map can show, in the order of its legend."""
    return tuple(LAYERS[name] for name in DRAWN if name in LAYERS)


def filters() -> tuple[str, ...]:
    """All filters that any layer has, each once."""
    return tuple(dict.fromkeys(key for layer in layers() for key in layer.filters))


def view(
    area: Area,
    *,
    records: bool,
    version: str,
    own: Mapping[str, Any],
    names: Mapping[str, str],
    rules: Mapping[str, str],
    provinces: Mapping[str, str],
    saved: Mapping[str, Any] | None = None,
) -> Call:
    """The map of an area with all its layers.

    records: whether the user may see single records here. version: of the boundaries.
    own: code → figures, of a commune, which has no children with figures.
    names: metric → its name. rules: code → title, for findings.
    provinces: code → name, of the country, whose communes can be shown all at once.
    saved: the state of a map in a file, which has no address bar to hold it.
    """
    return Call(
        "view",
        {
            "area": {"code": area.code, "level": area.level},
            "shapes": f"/api/v1/areas/{quote(area.code)}/children.geojson",
            "outline": outline_url(area.code),
            "version": version,
            "figures": f"/api/v1/areas/{quote(area.code)}/children/figures.json",
            "own": dict(own),
            "provinces": dict(provinces),
            "metrics": {
                key: {"label": name, "breaks": SCALES[key].breaks, "colours": SCALES[key].colours}
                for key, name in names.items()
            },
            "layers": [layer_config(layer, area) for layer in layers()] if records else [],
            "rules": dict(rules),
            "pages": _PAGES,
            "words": words(),
            "saved": saved,
        },
    )


def layer_config(layer: Layer, area: Area) -> dict[str, Any]:
    """One layer as the script draws it; squares carry a number under each class's key."""
    styles = marks(layer.name)
    return {
        "name": layer.name,
        "label": str(term(layer.vi, layer.en)),
        "url": f"/tiles/{layer.name}/{{z}}/{{x}}/{{y}}.mvt?area={quote(area.code)}",
        "classField": layer.class_field,
        "filters": layer.filters,
        "marks": {
            one.key: {**_style(styles[one.key]), "label": str(term(one.vi, one.en))}
            for one in layer.classes
        },
        "other": {**_style(other()), "label": _("Chưa có kết quả")},
    }


def _style(mark: Mark) -> dict[str, Any]:
    return {"colour": mark.colour, "shape": mark.shape, "fill": mark.fill}


def words() -> dict[str, str]:
    """What the map's own script says."""
    return {
        "open": _("Mở"),
        "mapOf": _("Bản đồ khu vực này"),
        "progressOf": _("Tiến độ"),
        "byCommune": _("theo xã"),
        "drawn": _("vẽ"),
        "units": _("địa bàn"),
        "inView": _("trong khung nhìn"),
        "of": _("trên"),
        "onMap": _("có toạ độ"),
        "grouped": _("đang gộp theo ô; phóng to để thấy từng điểm"),
        "heldGroups": _("gộp theo ô; tệp không giữ từng điểm"),
        "beyondHeld": _(
            "Ngoài vùng đã lưu (phần mờ): tệp không giữ đủ bản ghi ở đó nên không đếm."
        ),
        "notFiltered": _("không lọc theo"),
        "flaggedMark": _("viền đậm: có cảnh báo chưa kết luận"),
        "group": _("vòng tròn có múi: nhiều bản ghi gộp lại, cỡ theo số lượng"),
        "noFilters": _("không lọc"),
        "copied": _("Đã sao chép liên kết."),
        "measureHelp": _("Bấm để đặt điểm, Enter: đặt ở giữa bản đồ, Backspace: bỏ, Esc: thôi."),
        "length": _("Chiều dài"),
        "ground": _("Diện tích"),
        "scale": _("Tỷ lệ khoảng"),
        "printed": _("In lúc"),
        "here": _("%(n)s bản ghi ở đây"),
        "none": _("Không tìm thấy."),
        "first": _("%(shown)s kết quả đầu tiên; gõ thêm để thu hẹp."),
        "offline": _("Không tìm được lúc này."),
        "enter": _("Nhấn Enter để tìm số này."),
        "noPoint": _("chưa có toạ độ"),
    }
