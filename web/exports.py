"""Data out: records of an area as files, filtered, and how far the making of a file is."""

from typing import Any

from flask import Blueprint, abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from werkzeug.wrappers import Response

from api import answers
from api.access import asked, begin, current, needs, note, query_text, signed_in
from api.findings import FindingQuery
from api.households import HouseholdQuery
from api.params import Listing
from api.sites import SiteQuery
from api.surveys import SurveyQuery
from api.tickets import Ticket
from geo import metrics
from geo.export_columns import RECORDS
from geo.rules import RULES
from web import audit_labels, labels, own_areas
from web.shell import page

pages = Blueprint("exports", __name__, url_prefix="/exports")

ACTION = "records.export"
QUERIES: dict[str, type[Listing]] = {
    "households": HouseholdQuery,
    "surveys": SurveyQuery,
    "sites": SiteQuery,
    "findings": FindingQuery,
}
TITLES = {
    "households": _l("Danh sách hộ"),
    "surveys": _l("Phiếu khảo sát"),
    "sites": _l("Nhà xây mới, sửa chữa"),
    "findings": _l("Các phiếu bị nghi vấn"),
}
COUNTED = {
    "households": "households",
    "surveys": "surveys",
    "sites": "sites",
    "findings": "surveys",
}
"""The metric that is 0 where there is nothing of a kind."""
FORMATS = {
    "xlsx": "Excel (XLSX)",
    "csv": "CSV",
    "gpkg": "GeoPackage (QGIS)",
    "geojson": "GeoJSON",
    "shp": "Shapefile (ZIP)",
    "kml": "KML (Google Earth)",
    "fgb": "FlatGeobuf",
    "parquet": "GeoParquet",
}
_VERDICT = (_l("Kết luận vị trí"), labels.VERDICTS)
_RULE = (_l("Cảnh báo"), {code: labels.term(one.vi, one.en) for code, one in RULES.items()})
_VISITED = {"true": _l("Đã khảo sát"), "false": _l("Còn phải khảo sát")}
CHOICES = {
    "households": {
        "status": (_l("Kết quả rà soát"), labels.STATUSES),
        "surveyed": (_l("Khảo sát"), _VISITED),
    },
    "surveys": {"verdict": _VERDICT, "rule": _RULE},
    "sites": {"stage": (_l("Giai đoạn"), labels.STAGES), "verdict": _VERDICT, "rule": _RULE},
    "findings": {
        "state": (_l("Tình trạng"), audit_labels.STATES),
        "verdict": _VERDICT,
        "rule": _RULE,
    },
}
"""Filters by kind that offer values: their name, and value → words."""
TYPED = {
    "surveys": {"enumerator": _l("Điều tra viên")},
    "findings": {"enumerator": _l("Điều tra viên"), "device": _l("Thiết bị")},
}
"""Filters by kind that are typed in."""


@pages.get("")
@needs(ACTION)
def index() -> str:
    """What can be taken out of an area, each kind with its filters, as far as the address names."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        figures = metrics.figures(conn, area)
        return page(
            conn,
            "exports.html",
            active="progress",
            area=area,
            title=_("Xuất dữ liệu") + ": " + area.full_name,
            options=own_areas.around(conn, area, ACTION),
            kinds=TITLES,
            bare=[kind for kind in TITLES if not figures[COUNTED[kind]]],
            choices=CHOICES,
            typed=TYPED,
            formats=FORMATS,
        )


@pages.get("/<kind>/file")
@needs(ACTION)
def file(kind: str) -> Response:
    """The records that match as a file; empty fields of the form are no filters."""
    if kind not in RECORDS:
        abort(404)
    given: dict[str, Any] = {name: text for name, text in request.args.items() if text}
    note(subject=kind, query=query_text())
    try:
        query = QUERIES[kind](**given, file=True)
    except ValidationError:
        abort(400)
    return answers.listing(kind, query, _no_page)


@pages.get("/<ticket>.json")
@signed_in
def progress(ticket: str) -> Response:
    """How far an own export is: state (none, read, write, done, failed), rows done, rows in all."""
    told = Ticket.of(current().account_id, ticket).read()
    return answers.json(told or {"state": "none", "done": 0, "total": 0})


def _no_page(*_args: object, **_more: object) -> Any:
    raise AssertionError("a file was asked for")
