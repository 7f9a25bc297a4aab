"""Points that an auditor corrects: what was sent is kept, and the verdict is made anew."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, and_, func, select, update

from geo import areas, copying, scope
from geo.audit import run as audit
from geo.errors import RejectedError
from geo.geometry import EAST, NORTH, SOUTH, WEST
from geo.paging import Record
from geo.rules import RULES, SURVEY
from geo.tables import NO_COMMUNE, site, survey

_KEPT = ("accuracy_m", "crs", "as_sent")
_SAME = 1e-6  # degrees; what a form shows of a proposal has six decimals


class Point(NamedTuple):
    """Where it is said to be: degrees (EPSG:4326), 68 % radius in metres or None."""

    lon: float
    lat: float
    accuracy_m: float | None = None


class Key(NamedTuple):
    """A survey or site: what it is, province, commune, its id or code."""

    subject: str
    province_code: str
    commune_code: str
    subject_id: str


def repair(
    conn: Connection,
    key: Key,
    point: Point | None,
    findings: Sequence[Record],
    moved: set[tuple[str, str]],
) -> dict[str, Any]:
    """Correct a point and judge it anew; what it was before and is now, for the history.

    moved: takes up the communes whose counts the caller has to renew. Without `point` the one that
    the gravest of the findings proposes. Raises RejectedError.
    """
    chosen = _checked(point or proposed(findings))
    before = _stored(conn, key)
    sent = before["as_sent"] or {name: before[name] for name in ("lon", "lat", *_KEPT[:2])}
    _write(conn, key, chosen._asdict() | {"crs": "EPSG:4326", "as_sent": sent})
    _judge(conn, key, moved)
    return {"before": before, "after": chosen._asdict(), "verdict_after": _verdict(conn, key)}


def undo(conn: Connection, key: Key, before: dict[str, Any], moved: set[tuple[str, str]]) -> None:
    """Give a point back that `repair` replaced: its `before`; moved as for `repair`."""
    _write(conn, key, before)
    _judge(conn, key, moved)


def proposed(findings: Sequence[Record]) -> Point | None:
    """The point that the gravest finding with a proposal gives."""
    able = [one for one in findings if one["evidence"].get("repaired_lon") is not None]
    if not able:
        return None
    weights = {code: rule.weight for code, rule in RULES.items()}
    best = max(able, key=lambda one: (weights.get(one["rule"], 0.0), one["rule"]))
    return Point(best["evidence"]["repaired_lon"], best["evidence"]["repaired_lat"])


def check_reason(point: Point | None, findings: Sequence[Record], reason: str) -> None:
    """Whoever gives a point that no finding proposes says why; raises RejectedError."""
    offered = proposed(findings)
    same = point is None or (
        offered is not None
        and math.isclose(point.lon, offered.lon, abs_tol=_SAME)
        and math.isclose(point.lat, offered.lat, abs_tol=_SAME)
    )
    if not same and not reason:
        raise RejectedError("Say how the right point is known: no finding proposes it.")


def _checked(point: Point | None) -> Point:
    if point is None:
        raise RejectedError("No finding proposes a point; give the right one.")
    if not (math.isfinite(point.lon) and math.isfinite(point.lat)):
        raise RejectedError("The point's longitude and latitude must be numbers.")
    if not (WEST <= point.lon <= EAST and SOUTH <= point.lat <= NORTH):
        raise RejectedError(
            f"The point is not in Viet Nam: longitude {WEST:g} to {EAST:g}, "
            f"latitude {SOUTH:g} to {NORTH:g}."
        )
    if point.accuracy_m is not None and not 0 < point.accuracy_m <= 10_000:
        raise RejectedError("The accuracy must be above 0 and at most 10,000 metres.")
    return point


def _table(key: Key) -> tuple[Table, ColumnElement[bool]]:
    table, identity = (survey, "survey_id") if key.subject == SURVEY else (site, "site_code")
    of_it = and_(
        table.c.province_code == key.province_code,
        table.c.commune_code == key.commune_code,
        table.c[identity] == key.subject_id,
    )
    return table, of_it


def _stored(conn: Connection, key: Key) -> dict[str, Any]:
    table, of_it = _table(key)
    found = conn.execute(
        select(
            func.ST_X(table.c.geom).label("lon"),
            func.ST_Y(table.c.geom).label("lat"),
            *(table.c[name] for name in _KEPT),
        )
        .where(scope.within(conn, table), of_it)
        .with_for_update()
    )
    return dict(found.mappings().one())


def _write(conn: Connection, key: Key, told: dict[str, Any]) -> None:
    table, of_it = _table(key)
    lon, lat = (np.array([told[name]], dtype=float) for name in ("lon", "lat"))
    place = {name: values[0] for name, values in copying.place(lon, lat).items()}
    kept = {name: told[name] for name in _KEPT}
    conn.execute(update(table).where(scope.within(conn, table), of_it).values(**place, **kept))


def _judge(conn: Connection, key: Key, moved: set[tuple[str, str]]) -> None:
    table, of_it = _table(key)
    household = conn.scalar(select(table.c.household_code).where(of_it))
    area = key.province_code if key.commune_code == NO_COMMUNE else key.commune_code
    audit.run(
        conn, areas.get(conn, area), household_code=household, because="point", communes=moved
    )
    moved.add((key.province_code, key.commune_code))


def _verdict(conn: Connection, key: Key) -> dict[str, Any]:
    table, of_it = _table(key)
    columns = (table.c.verdict, table.c.probability, table.c.distance_m)
    return dict(conn.execute(select(*columns).where(of_it)).mappings().one())
