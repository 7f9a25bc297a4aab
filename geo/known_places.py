"""Known public places (offices, halls, markets): loaded from a file, for the rule `known_place`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, tuple_

from geo import boundaries
from geo.audit import due
from geo.audit_tables import known_place
from geo.errors import NotFoundError, RejectedError
from geo.geometry import point_problem
from geo.intake import values
from geo.intake.readers import open_source
from geo.intake.source import PROBLEM, UNNAMED
from geo.paging import Record
from geo.scope import within
from geo.tables import area
from geo.verdicts.matching import locate

RADIUS_M = 50.0
"""Metres that a place reaches where the file names no radius."""

MAX_RADIUS_M = 1000.0

_TOLD = 20
_IDENTITY = ("province_code", "commune_code", "kind", "name")


@dataclass
class PlacesReport:
    """How many places were read, and how many of them were known and are replaced."""

    places: int = 0
    replaced: int = 0


def load(conn: Connection, path: Path) -> PlacesReport:
    """Store the places of a file: name, kind, lon, lat (EPSG:4326), radius_m, source.

    CSV, XLSX, GeoJSON or GeoPackage. The commune is the one that holds the point. A place of the
    same commune, kind and name is replaced. Raises UsageError for a file that cannot be read,
    RejectedError with lines and reasons; then nothing is stored.
    """
    rows: list[tuple[int, dict[str, Any]]] = []
    problems: list[tuple[int | None, str]] = []
    for line, row in open_source(path).rows:
        try:
            rows.append((line, _checked(row)))
        except ValueError as error:
            problems.append((line, str(error)))
    places = _placed(conn, rows, problems)
    if problems:
        raise RejectedError(
            f"{len(problems)} of {len(rows) + len(problems)} places cannot be stored; nothing was.",
            sorted(problems, key=lambda problem: problem[0] or 0)[:_TOLD],
        )
    if not places:
        raise RejectedError(f"{path.name} holds no place.")
    once = {tuple(place[name] for name in _IDENTITY): place for place in places}
    identity = tuple_(*(known_place.c[name] for name in _IDENTITY))
    gone = conn.execute(delete(known_place).where(identity.in_(list(once))))
    conn.execute(insert(known_place), list(once.values()))
    due.mark(conn, {(place["province_code"], place["commune_code"]) for place in places})
    return PlacesReport(len(once), gone.rowcount)


def listed(conn: Connection) -> list[Record]:
    """All places that the transaction may see, by commune, kind and name."""
    found = conn.execute(
        select(known_place)
        .where(within(conn, known_place))
        .order_by(*(known_place.c[name] for name in _IDENTITY), known_place.c.place_id)
    )
    return [dict(row) for row in found.mappings()]


def remove(conn: Connection, place_id: int) -> Record:
    """Take one place out; raises NotFoundError."""
    found = conn.execute(
        delete(known_place)
        .where(within(conn, known_place), known_place.c.place_id == place_id)
        .returning(known_place)
    ).mappings()
    row = found.one_or_none()
    if row is None:
        raise NotFoundError(f"There is no known place {place_id}; see `ancu places list`.")
    due.mark(conn, {(row["province_code"], row["commune_code"])})
    return dict(row)


def _checked(row: dict[str, object]) -> dict[str, Any]:
    """A row's place; raises ValueError that names the column."""
    if PROBLEM in row or UNNAMED in row:
        raise ValueError(str(row.get(PROBLEM, "the row has more cells than the header has names")))
    place: dict[str, Any] = {}
    for name in ("name", "kind", "source"):
        place[name] = str(values.tidy(row.get(name, "")))
        if not place[name] and name != "source":
            raise ValueError(f"{name}: is missing")
        if len(place[name]) > 200:
            raise ValueError(f"{name}: is longer than 200 characters")
    for name, missing in (("lon", None), ("lat", None), ("radius_m", RADIUS_M)):
        given = row.get(name, missing)
        if given is None:
            raise ValueError(f"{name}: is missing")
        try:
            place[name] = float(values.number(given))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if not 0 < place["radius_m"] <= MAX_RADIUS_M:
        raise ValueError(f"radius_m: is not above 0 and at most {MAX_RADIUS_M:.0f}")
    if problem := point_problem(place["lon"], place["lat"]):
        raise ValueError(problem)
    return place


def _placed(
    conn: Connection, rows: list[tuple[int, dict[str, Any]]], problems: list[tuple[int | None, str]]
) -> list[dict[str, Any]]:
    """The places with the present commune that holds each; those without are problems."""
    shapes = boundaries.shapes(conn)
    lon, lat = (np.array([place[name] for _, place in rows], float) for name in ("lon", "lat"))
    codes = shapes.names(locate(shapes, lon, lat))
    present = (area.c.level == "commune", area.c.valid_to.is_(None))
    provinces = dict(conn.execute(select(area.c.code, area.c.province_code).where(*present)).all())
    places = []
    for (line, place), code in zip(rows, codes, strict=True):
        if code is None:
            problems.append((line, "no commune with a boundary holds this point"))
        else:
            places.append(place | {"province_code": provinces[code], "commune_code": code})
    return places
