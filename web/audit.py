"""Audit: which survey locations are doubtful, worst first, with the evidence on the map."""

from urllib.parse import urlencode

from flask import Blueprint, request
from flask_babel import gettext as _

from api.access import asked, begin, needs, note, query_text
from geo import areas, findings, metrics, rules, surveys
from web import labels, maps
from web.language import language
from web.shell import area_names, chosen, page, uuid_or_none

pages = Blueprint("audit", __name__)

PAGE_SIZE = 50


@pages.get("/audit")
@needs("records.read")
def index() -> str:
    """The audit queue of an area, filtered by verdict and rule."""
    verdict = chosen("verdict", labels.VERDICTS, "") or None
    rule = chosen("rule", rules.RULES, "") or None
    # The one filter of list, map and files: they must tell the same.
    wanted = verdict or (None if rule else findings.DOUBTFUL)
    selected = uuid_or_none(request.args.get("survey"))
    selected_in = request.args.get("commune", "")[:20]
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="surveys", query=query_text())
        figures = metrics.figures(conn, area)
        listed = surveys.listing(
            conn,
            area,
            verdict=wanted,
            rule=rule,
            cursor=request.args.get("cursor") or None,
            limit=PAGE_SIZE,
            order="worst",
        )
        counted = [verdict] if verdict else findings.DOUBTED
        made = maps.LocalMap(_("Bản đồ phiếu"))
        maps.outline(area.code, listed.items if area.level == "commune" else ()).add_to(made)
        maps.survey_points(area.code, verdict=wanted, rule=rule).add_to(made)
        maps.evidence(selected, selected_in).add_to(made)
        return page(
            conn,
            "audit.html",
            active="audit",
            area=area,
            title=_("Kiểm tra vị trí") + ": " + area.full_name,
            children=areas.children(conn, area.code),
            figures=figures,
            page=listed,
            names=area_names(conn, listed.items, area),
            total=None if rule else sum(figures[v] for v in counted),
            verdict=verdict,
            rule=rule,
            rule_labels={code: getattr(one, language()) for code, one in rules.RULES.items()},
            selected=selected and (selected, selected_in),
            map=maps.render(made),
            drawn=counted if verdict or not rule else labels.VERDICTS,
            download=lambda format: _download(area.code, wanted, rule, format),
        )


def _download(area_code: str, verdict: str | None, rule: str | None, format: str) -> str:
    query = {"area": area_code, "verdict": verdict, "rule": rule, "format": format}
    return "/api/v1/findings?" + urlencode({k: v for k, v in query.items() if v})
