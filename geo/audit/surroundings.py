"""What lies around a doubted point: neighbours, the household's own points, the day's route."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select

from geo import paging, scope
from geo.config import settings
from geo.geometry import metres_between, metres_per_degree
from geo.metrics import TIME_ZONE
from geo.paging import Record
from geo.tables import household, site, survey

MOST = 150
_TOLD = ("province_code", "commune_code", "survey_id", "household_code")


def neighbours(conn: Connection, row: Record) -> list[Record]:
    """Surveys of other households within `ANCU_NEAR_M` of the row's point or in its hamlet.

    row: province_code, commune_code, household_code, lon, lat (EPSG:4326, None for no point). At
    most MOST of either, of the near ones the nearest; each with apart_m, None where the row has no
    point, and `hamlet`, whether it is recorded in the same one. The nearest first.
    """
    row = {**row, "village": _village(conn, row)}
    found: dict[tuple[str, ...], Record] = {}
    for condition, order in (
        (_near(row, settings().near_m), _distance(row)),
        (_of_hamlet(row), survey.c.survey_id),
    ):
        if condition is not None:
            for one in _read(conn, row, condition, order):
                found[one["province_code"], one["commune_code"], one["survey_id"]] = one
    listed = list(found.values())
    for one, apart in zip(listed, _apart(row, listed), strict=True):
        one["apart_m"] = apart
        one["hamlet"] = _same_hamlet(row, one)
    return sorted(listed, key=lambda one: (one["apart_m"] is None, one["apart_m"] or 0.0))


def own_points(conn: Connection, row: Record) -> list[Record]:
    """Other points of the row's household: its own, its surveys', its sites'; kind, key, lon, lat.

    row: subject, subject_id and the household's key. kind: household, survey or site; key is its
    code or id; happened_at only of surveys; apart_m to the row's point.
    """
    parts = (
        (household, "household", household.c.household_code),
        (survey, "survey", survey.c.survey_id),
        (site, "site", site.c.site_code),
    )
    found: list[Record] = []
    for table, kind, key in parts:
        when = table.c.surveyed_at if kind == "survey" else None
        query = select(
            key.label("key"),
            *([] if when is None else [when.label("happened_at"), table.c.verdict]),
            *paging.position(table),
        ).where(
            scope.within(conn, table),
            _of_household(table, row),
            table.c.geom.is_not(None),
            ~table.c.removed,
        )
        rows = conn.execute(query.order_by(key).limit(MOST)).mappings()
        found += [{"kind": kind, **paging.plain(one)} for one in rows]
    others = [one for one in found if (one["kind"], one["key"]) != _identity(row)]
    for one, apart in zip(others, _apart(row, others), strict=True):
        one["apart_m"] = apart
    return others


def route_of_day(conn: Connection, row: Record) -> list[Record]:
    """What the row's enumerator surveyed on that day (Viet Nam's), in order of time.

    Each with metres and seconds since the one before; None for the first and where a point is
    missing. Empty for rows without an enumerator or a time.
    """
    if not row.get("enumerator") or row["happened_at"] is None:
        return []
    day = row["happened_at"].astimezone(TIME_ZONE).date()
    since = datetime.combine(day, time(), TIME_ZONE)
    query = _surveys().where(
        scope.within(conn, survey),
        ~survey.c.removed,
        survey.c.province_code == row["province_code"],
        survey.c.enumerator == row["enumerator"],
        survey.c.surveyed_at >= since,
        survey.c.surveyed_at < since + timedelta(days=1),
    )
    ordered = query.order_by(survey.c.surveyed_at, survey.c.survey_id).limit(MOST)
    stops = [paging.plain(one) for one in conn.execute(ordered).mappings()]
    for one in stops[:1]:
        one |= {"metres": None, "seconds": None}
    for before, one in pairwise(stops):
        one["metres"] = _apart(before, [one])[0]
        one["seconds"] = (one["happened_at"] - before["happened_at"]).total_seconds()
    return stops


def _village(conn: Connection, row: Record) -> str | None:
    query = select(household.c.village).where(
        scope.within(conn, household), _of_household(household, row)
    )
    return conn.scalar(query)


def _surveys() -> Select:
    return select(
        *(survey.c[name] for name in _TOLD),
        survey.c.surveyed_at.label("happened_at"),
        survey.c.enumerator,
        survey.c.verdict,
        household.c.head_name,
        household.c.village,
        *paging.position(survey),
    ).join(
        household,
        and_(
            *(
                household.c[name] == survey.c[name]
                for name in ("province_code", "commune_code", "household_code")
            )
        ),
    )


def _read(
    conn: Connection, row: Record, condition: ColumnElement[bool], order: ColumnElement[Any]
) -> Iterable[Record]:
    query = _surveys().where(
        scope.within(conn, survey),
        ~survey.c.removed,
        survey.c.geom.is_not(None),
        ~_of_household(survey, row),
        condition,
    )
    found = conn.execute(query.order_by(order, survey.c.survey_id).limit(MOST)).mappings()
    return [paging.plain(one) for one in found]


def _near(row: Record, metres: float) -> ColumnElement[bool] | None:
    if row["lon"] is None or abs(row["lat"]) > 85:
        return None
    east, north = (float(per) for per in metres_per_degree(row["lat"]))
    dx, dy = metres / east, metres / north
    lon, lat = row["lon"], row["lat"]
    return paging.within(survey, (lon - dx, lat - dy, lon + dx, lat + dy))


def _distance(row: Record) -> ColumnElement[Any]:
    """What orders surveys by their distance from the row's point, near by: metres squared."""
    if row["lon"] is None:
        return survey.c.survey_id
    east, north = (float(per) for per in metres_per_degree(row["lat"]))
    dx = (func.ST_X(survey.c.geom) - row["lon"]) * east
    dy = (func.ST_Y(survey.c.geom) - row["lat"]) * north
    ordered: ColumnElement[Any] = dx * dx + dy * dy
    return ordered


def _of_hamlet(row: Record) -> ColumnElement[bool] | None:
    if not row["village"]:
        return None
    return and_(
        survey.c.province_code == row["province_code"],
        survey.c.commune_code == row["commune_code"],
        household.c.village == row["village"],
    )


def _same_hamlet(row: Record, one: Record) -> bool:
    names = ("province_code", "commune_code", "village")
    return bool(row["village"]) and all(row[name] == one[name] for name in names)


def _of_household(table: Table, row: Record) -> ColumnElement[bool]:
    names = ("province_code", "commune_code", "household_code")
    return and_(*(table.c[name] == row[name] for name in names))


def _identity(row: Record) -> tuple[str, Any]:
    return row["subject"], row["subject_id"]


def _apart(row: Record, others: Sequence[Record]) -> list[float | None]:
    """Metres from the row's point to each of the others; None without either point."""
    if not others or row["lon"] is None:
        return [None] * len(others)
    lon, lat = (np.array([one[name] for one in others], dtype=float) for name in ("lon", "lat"))
    here_lon, here_lat = np.full_like(lon, row["lon"]), np.full_like(lat, row["lat"])
    found = metres_between(here_lon, here_lat, lon, lat)
    return [None if m != m else float(m) for m in found]
