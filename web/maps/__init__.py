"""Folium maps of LAYERS: the only place that knows Folium."""

from web.maps.calls import (
    PLACEHOLDER,
    case_points,
    choropleth,
    evidence,
    outline,
    outline_url,
    survey_points,
)
from web.maps.marks import VERDICT_MARKS, Mark, marks
from web.maps.scales import NO_DATA, SCALES, Scale
from web.maps.skeleton import SNUG, Call, LocalMap, MapHtml, render, script_json
from web.maps.view import view

__all__ = [
    "NO_DATA",
    "PLACEHOLDER",
    "SCALES",
    "SNUG",
    "VERDICT_MARKS",
    "Call",
    "LocalMap",
    "MapHtml",
    "Mark",
    "Scale",
    "case_points",
    "choropleth",
    "evidence",
    "marks",
    "outline",
    "outline_url",
    "render",
    "script_json",
    "survey_points",
    "view",
]
