"""A household's page: what is stored of it, its ID masked, its corrections; and who may do what."""

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Connection

from api.access import begin, current
from geo import areas, households
from geo.accounts import roles
from geo.areas import COUNTRY, Area
from geo.intake import log as intake_log
from geo.persons import history
from web import labels, once, person_words
from web.forms import Refused
from web.shell import area_names, area_or_none, page

Row = Mapping[str, Any]
REQUESTS = ("person.export", "person.correct", "person.remove")


def may_here(action: str, one: Row) -> bool:
    """Whether the user may do the action with this very household."""
    reach = roles.reach(current(), action)
    return reach.covers(one["province_code"], one["commune_code"])


def once_name(one: Row) -> str:
    """Under which name a household's full ID waits to be shown once."""
    return f"id {one['province_code']} {one['commune_code']} {one['household_code']}"


def address(endpoint: str, one: Row, **more: Any) -> str:
    """A page about this very household, also where others of the province have its code."""
    return url_for(
        endpoint,
        province_code=one["province_code"],
        household_code=one["household_code"],
        commune=one["commune_code"] or None,
        **more,
    )


def area_of(conn: Connection, record: Row) -> Area:
    """The commune of a record, else its province, else the country."""
    for code in (record["commune_code"], record["province_code"]):
        if code and (found := area_or_none(conn, code)):
            return found
    return areas.get(conn, COUNTRY)


def full_id_once(found: Row) -> str | None:
    """The full ID where it was just asked for; it is gone with that, so this is no mere read."""
    if not may_here("ids.read", found):
        return None
    with begin("ids.read") as conn:
        return once.take(conn, once_name(found))


def rendered(
    conn: Connection,
    found: dict[str, Any],
    refused: Refused | None = None,
    full_id: str | None = None,
) -> str:
    """The page; full_id see `full_id_once`."""
    key = (found["province_code"], found["commune_code"], found["household_code"])
    area = area_of(conn, found)
    return page(
        conn,
        "household.html",
        active="household",
        area=area,
        title=_("Hộ %(name)s", name=found["head_name"]),
        household=found,
        names=area_names(conn, found["surveys"], area),
        conflicts=intake_log.conflicts_of(conn, "households", *key),
        full_id=full_id,
        same_id=households.same_id(conn, found),
        changes=history.of(conn, key),
        allowed={one for one in ("ids.read", *REQUESTS) if may_here(one, found)},
        requests=any(may_here(one, found) for one in REQUESTS),
        refused=refused,
        page_of=address,
        shortest=history.SHORTEST,
        longest=history.LONGEST,
        words=person_words,
        statuses=labels.STATUSES,
        site_kinds=labels.SITE_KINDS,
        stages=labels.STAGES,
    )
