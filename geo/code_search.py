"""Finds rebuild sites and surveys by the code that somebody copied, as search boxes do."""

from uuid import UUID

from sqlalchemy import Connection

from geo import paging, scope, sites, surveys
from geo.paging import Record
from geo.tables import site, survey
from geo.text import clean


def by_code(conn: Connection, text: str, limit: int = 20) -> dict[str, list[Record]]:
    """The `sites` with exactly this code and the `surveys` with this UUID that the scope covers.

    A code may stand in several communes. Records have lon, lat (EPSG:4326) or None.
    """
    paging.check_limit(limit)
    code = clean(text)[:200]
    found: dict[str, list[Record]] = {"sites": [], "surveys": []}
    if not code:
        return found
    houses = sites.select_sites().where(
        scope.within(conn, site), ~site.c.removed, site.c.site_code == code
    )
    order = (site.c.province_code, site.c.commune_code)
    rows = conn.execute(houses.order_by(*order).limit(limit)).mappings()
    found["sites"] = [paging.plain(row) for row in rows]
    survey_id = _uuid(code)
    if survey_id:
        visits = surveys.select_surveys().where(
            scope.within(conn, survey), ~survey.c.removed, survey.c.survey_id == survey_id
        )
        rows = conn.execute(visits.order_by(survey.c.commune_code).limit(limit)).mappings()
        found["surveys"] = [paging.plain(row) for row in rows]
    return found


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
