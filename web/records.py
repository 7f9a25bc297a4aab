"""Pages of single records: a survey with its evidence, a household, a site; and search."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from flask import Blueprint, jsonify, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.access import begin, current, may, needs, note, signed_in
from geo import areas, households, metrics, personal_ids, rules, sites, surveys, trail_texts
from geo.accounts import roles
from geo.areas import COUNTRY
from geo.audit import decisions
from geo.audit.repairs import Key
from geo.intake import log as intake_log
from web import (
    audit_labels,
    desk_case,
    desk_evidence,
    formats,
    household_page,
    labels,
    maps,
    photos,
)
from web.household_page import area_of
from web.language import language
from web.shell import area_names, page

pages = Blueprint("records", __name__)

SHOWN = 20
Row = Mapping[str, Any]


@pages.get("/surveys/<uuid:survey_id>")
@needs("records.read")
def survey(survey_id: Any) -> str:
    """One survey: its verdict in plain words, the numbers, the map."""
    note(subject="survey", subject_id=str(survey_id))
    with begin() as conn:
        found = _noted(surveys.get(conn, str(survey_id), _commune()))
        key = _key("survey", found, str(survey_id))
        made = maps.LocalMap(_("Bản đồ của phiếu"))
        maps.evidence(desk_evidence.address(key)).add_to(made)
        return page(
            conn,
            "survey.html",
            active="audit",
            area=area_of(conn, found),
            title=_("Phiếu rà soát") + ": " + (found["head_name"] or found["household_code"]),
            survey=found,
            plain=formats.unbroken(rules.explain(found, language())),
            **_audited(conn, key, found),
            names=area_names(conn, [found, *found["history"]], area_of(conn, found)),
            conflicts=intake_log.conflicts_of(
                conn, "surveys", found["province_code"], found["commune_code"], str(survey_id)
            ),
            photos=photos.shown(conn, "survey", found),
            map=maps.render(made),
        )


@pages.get("/surveys/<uuid:survey_id>/evidence.json")
@needs("records.read")
def survey_evidence(survey_id: Any) -> Response:
    """What the map draws around one survey; see web.desk_evidence."""
    note(subject="survey", subject_id=str(survey_id))
    with begin() as conn:
        found = _noted(surveys.get(conn, str(survey_id), _commune()))
        return jsonify(desk_evidence.drawn(conn, _key("survey", found, str(survey_id)), found))


@pages.get("/sites/<province_code>/<path:site_code>/evidence.json")
@needs("records.read")
def site_evidence(province_code: str, site_code: str) -> Response:
    """What the map draws around one rebuild site."""
    note(subject="site", subject_id=site_code, province_code=province_code)
    with begin() as conn:
        found = _noted(sites.get(conn, province_code, site_code, _commune()))
        return jsonify(desk_evidence.drawn(conn, _key("site", found, site_code), found))


@pages.get("/households/<province_code>/<path:household_code>")
@needs("records.read")
def household(province_code: str, household_code: str) -> str:
    """One household with its surveys and sites."""
    note(subject="household", subject_id=household_code, province_code=province_code)
    with begin() as conn:
        found = dict(_noted(households.get(conn, province_code, household_code, _commune())))
    full_id = household_page.full_id_once(found)
    with begin() as conn:
        return household_page.rendered(conn, found, full_id=full_id)


@pages.get("/sites/<province_code>/<path:site_code>")
@needs("records.read")
def site(province_code: str, site_code: str) -> str:
    """One rebuild site with its stages."""
    note(subject="site", subject_id=site_code, province_code=province_code)
    with begin() as conn:
        found = sites.get(conn, province_code, site_code, _commune())
        _noted(found)
        key = _key("site", found, site_code)
        made = maps.LocalMap(_("Bản đồ của nhà"))
        maps.evidence(desk_evidence.address(key)).add_to(made)
        return page(
            conn,
            "site.html",
            active="site",
            area=area_of(conn, found),
            title=_("Nhà %(code)s", code=site_code),
            site=found,
            overdue=sites.overdue(found, metrics.today()),
            **_audited(conn, key, found),
            map=maps.render(made),
            plain=formats.unbroken(rules.explain(found, language())),
            names=area_names(conn, [found], area_of(conn, found)),
            conflicts=intake_log.conflicts_of(
                conn, "sites", province_code, found["commune_code"], site_code
            ),
            photos=photos.shown(conn, "site", found),
            site_kinds=labels.SITE_KINDS,
            stages=labels.STAGES,
        )


@pages.get("/search")
@signed_in
def search() -> str:
    """Areas and households by name or code; tone marks are not needed."""
    query = request.args.get("q", "").strip()[:200]
    households_found = own_households(query)
    # With the scope of records where there is one: the page tells whether they are demo data.
    with begin("records.read" if may("records.read") else None) as conn:
        # One more than is shown tells whether there are more.
        own = roles.reach(current(), "figures.read")
        found = areas.search(conn, query, SHOWN + 1, first=own) if query else []
        followed = areas.successors_of(conn, [one.area_id for one in found if one.valid_to])
        homes = {one.province_code for one in chain(found, *followed.values())}
        return page(
            conn,
            "search.html",
            active="search",
            title=_("Kết quả tìm kiếm"),
            query=query,
            shown=SHOWN,
            areas=found,
            successors=followed,
            provinces={
                code: one.full_name
                for code, one in areas.present(conn, filter(None, homes)).items()
            },
            households=households_found,
        )


def own_households(query: str) -> list[Any]:
    """The user's households that match; none for those who may not see any."""
    if not query or not may("records.read"):
        return []
    is_id = personal_ids.is_one(query)
    by_id = is_id and may("ids.read")
    action = "ids.read" if by_id else "records.read"
    note(action=action, subject="search", query=trail_texts.sought(query), durable=by_id)
    with begin(action) as conn:
        if by_id:
            found = households.by_national_id(conn, query, SHOWN + 1)
        else:
            found = households.search(conn, query, areas.get(conn, COUNTRY), SHOWN + 1)
    note(rows=min(len(found), SHOWN))
    return found


def _commune() -> str | None:
    """The commune that the address names: needed where a code stands for several records."""
    return request.args.get("commune") or None


def _noted(record: Row) -> Row:
    """Tell the access log where the record stands."""
    note(province_code=record["province_code"], commune_code=record["commune_code"], rows=1)
    return record


def _key(subject: str, record: Row, subject_id: str) -> Key:
    return Key(subject, record["province_code"], record["commune_code"], subject_id)


def _audited(conn: Connection, key: Key, found: Row) -> dict[str, Any]:
    """What the audit says of a survey or site, for templates/findings.html."""
    return {
        "findings": desk_case.told(found["findings"]),
        "decisions": decisions.history(conn, key.subject, key[1:]),
        "desk_url": url_for("audit.index", area=key.commune_code or None, item=":".join(key)),
        "words": audit_labels,
    }
