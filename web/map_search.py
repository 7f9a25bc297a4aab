"""Search on the map: areas, and the codes of households, sites and surveys that one may see."""

from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask_babel import gettext as _

from api.access import begin, current, may, note, signed_in
from geo import areas, code_search
from geo.accounts import roles
from geo.scope import Scope
from web.navigation import opens
from web.records import SHOWN, own_households
from web.shell import area_or_none, with_province

pages = Blueprint("map_search", __name__)


@pages.get("/map/search.json")
@signed_in
def found() -> Response:
    """The first matches as `items`, and whether there are `more`; tone marks are not needed."""
    query = request.args.get("q", "").strip()[:200]
    records = _records(query)
    with begin() as conn:
        country = areas.get(conn, areas.COUNTRY)
        matched = areas.search(conn, query, SHOWN + 1, within=_openable()) if query else []
        items = [
            {"title": with_province(conn, one, country), "kind": _("Địa bàn"), "area": one.code}
            for one in matched
            if opens(one)
        ]
        for one in records:
            commune = area_or_none(conn, one.pop("commune_code"))
            if commune:
                one["kind"] += " · " + with_province(conn, commune, country)
    items += records
    return jsonify({"items": items[:SHOWN], "more": len(items) > SHOWN})


def _openable() -> Scope | None:
    """Where the user may open maps; None for everywhere."""
    user = current()
    return None if user.may("figures.elsewhere") else roles.reach(user, "figures.read")


def _records(query: str) -> list[dict[str, Any]]:
    """The user's own records of this code or name; none for those who may not see any."""
    told = [_household(one) for one in own_households(query)]
    if not query or not may("records.read"):
        return told
    with begin("records.read") as conn:
        coded = code_search.by_code(conn, query, SHOWN + 1)
    told += [_site(one) for one in coded["sites"]] + [_survey(one) for one in coded["surveys"]]
    note(rows=min(len(told), SHOWN))
    return told


def _household(one: dict[str, Any]) -> dict[str, Any]:
    url = url_for(
        "records.household",
        province_code=one["province_code"],
        household_code=one["household_code"],
        commune=one["commune_code"] or None,
    )
    title = " · ".join(filter(None, (one["household_code"], one["head_name"])))
    return _told(one, title, _("Hộ gia đình"), url)


def _site(one: dict[str, Any]) -> dict[str, Any]:
    url = url_for(
        "records.site",
        province_code=one["province_code"],
        site_code=one["site_code"],
        commune=one["commune_code"] or None,
    )
    return _told(one, one["site_code"], _("Nhà"), url)


def _survey(one: dict[str, Any]) -> dict[str, Any]:
    url = url_for("records.survey", survey_id=one["survey_id"], commune=one["commune_code"] or None)
    return _told(one, str(one["survey_id"]), _("Phiếu"), url)


def _told(one: dict[str, Any], title: str, kind: str, url: str) -> dict[str, Any]:
    place = {key: one[key] for key in ("commune_code", "lon", "lat")}
    return {"title": title, "kind": kind, "url": url, **place}
