"""What every page has around its content: banners, breadcrumb, links to itself."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, render_template, request, url_for
from sqlalchemy import Connection

from geo import areas, boundaries
from geo.areas import Area
from geo.boundaries import sketch
from geo.errors import NotFoundError
from geo.intake.log import demo_present
from web import assets, labels, navigation
from web.language import LANGUAGES, language
from web.maps import VERDICT_MARKS

_KEPT_OUT_OF_LINKS = ("lang",)


def install(app: Flask) -> None:
    """Give templates the few names that all of them use."""
    app.jinja_env.globals.update(
        language=language,
        languages=LANGUAGES,
        here=here,
        verdict_marks=VERDICT_MARKS,
        verdict_labels=labels.VERDICTS,
        sketch_source=sketch.OPTIONS.source,
    )


def page(
    conn: Connection, template: str, *, active: str, area: Area | None = None, **values: Any
) -> str:
    """Render `template`; `active` is the menu entry, `area` the area that the page is about."""
    navigation.count(conn)
    province = area.province_code if area and area.level != "country" else None
    return render_template(
        template,
        active=active,
        area=area,
        ancestors=areas.ancestors(conn, area.code) if area else [],
        source=boundaries.current_source(conn, province),
        demo_present=demo_present(conn),
        assets_missing=assets.missing(),
        **values,
    )


def here(**changes: Any) -> str:
    """The present address with some query parameters changed, or removed by None."""
    kept = {k: v for k, v in request.args.items() if k not in _KEPT_OUT_OF_LINKS}
    query = {k: v for k, v in (kept | changes).items() if v is not None}
    rule = request.url_rule
    endpoint = request.endpoint if rule and "GET" in (rule.methods or ()) else None
    address = url_for(endpoint or "progress.home", **(request.view_args or {} if endpoint else {}))
    # Not by url_for: it would take parameters such as _scheme and endpoint for its own.
    return f"{address}?{urlencode(query)}" if query else address


def chosen(parameter: str, allowed: Any, default: str) -> str:
    """The query parameter's value if it is one of `allowed`, else `default`."""
    value = request.args.get(parameter, default)
    return value if value in allowed else default


def area_or_none(conn: Connection, code: str, on: date | None = None) -> Area | None:
    """The area, present or as of `on`; None when there is none of this code."""
    try:
        return areas.get(conn, code, on)
    except NotFoundError:
        return None


def area_names(
    conn: Connection, records: Iterable[Mapping[str, Any]], area: Area
) -> dict[str, str]:
    """code → full name of the recorded and located communes of some records.

    With the province's name where the page's `area` does not tell it.
    """
    codes = {record[key] for record in records for key in ("recorded_code", "located_code")}
    found = (area_or_none(conn, code) for code in sorted(filter(None, codes)))
    return {one.code: with_province(conn, one, area) for one in found if one}


def with_province(conn: Connection, commune: Area, area: Area) -> str:
    """The commune's full name, with its province's unless `area` is that province or within it."""
    if commune.level == "province" or commune.province_code in (None, area.province_code):
        return commune.full_name
    province = area_or_none(conn, str(commune.province_code))
    return f"{commune.full_name}, {province.full_name}" if province else commune.full_name


def uuid_or_none(value: str | None) -> str | None:
    """`value` in the usual form if it is a UUID."""
    try:
        return str(UUID(value)) if value else None
    except ValueError:
        return None
