"""Calls of the maps' script functions: each puts one layer on a Folium map, its data by URL."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import url_for

from geo.layers import LAYERS
from web import labels
from web.maps.marks import VERDICT_MARKS
from web.maps.scales import NO_DATA, SCALES, SUPPRESSED
from web.maps.skeleton import Call

PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
"""Stands for a survey's id in the addresses that a map's script fills in."""


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
            "suppressed": SUPPRESSED,
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
                key: {**style, "label": str(labels.VERDICTS[key])}
                for key, style in _mark_styles().items()
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


def _mark_styles() -> dict[str, dict[str, Any]]:
    return {
        key: {"colour": mark.colour, "shape": mark.shape, "fill": mark.fill}
        for key, mark in VERDICT_MARKS.items()
    }
