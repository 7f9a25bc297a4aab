"""A province of the audit's proof through the real database: imported, passed over, found."""

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import Connection, insert, select, text

from geo.audit import together
from geo.audit_tables import known_place, photo
from geo.intake.imports import import_rows
from geo.tables import area, boundary, boundary_version, finding, site_stage
from tests.fault_land import BORDER_SIGMA_M
from tests.fault_world import Province

_SURVEY = (
    *("survey_id", "household_code", "province_code", "commune_code", "surveyed_at", "sent_at"),
    *("enumerator", "device_id", "lon", "lat", "accuracy_m", "mock_location", "altitude_m"),
    "satellites",
)
_SITE = (
    *("site_code", "household_code", "province_code", "commune_code", "kind", "stage", "stage_on"),
    *("approved_on", "due_on", "lon", "lat", "accuracy_m"),
)


def found(conn: Connection, land: Province) -> set[tuple[str, str, str]]:
    """Import the province into an empty database and run the rules: (subject, id, rule)."""
    _areas(conn, land)
    _import(conn, "households", _households(land))
    _import(conn, "surveys", _rows(land.surveys, _SURVEY))
    _import(conn, "sites", _rows(land.sites, _SITE))
    _beside(conn, land)
    together.run(conn, land.code)
    columns = finding.c.subject, finding.c.subject_id, finding.c.rule
    return {tuple(row) for row in conn.execute(select(*columns))}


def _areas(conn: Connection, land: Province) -> None:
    version = conn.execute(
        insert(boundary_version).returning(boundary_version.c.version),
        {"source": "proof", "accuracy_m": BORDER_SIGMA_M},
    ).scalar_one()
    centres = land.centres.set_index("commune_code")
    _area(conn, land.code, "province", f"Tỉnh {land.code}", "VN", land.code, None)
    for code, polygon in land.polygons.items():
        centre = tuple(centres.loc[code, ["lon", "lat"]])
        made = _area(conn, code, "commune", f"Xã {code}", land.code, land.code, centre)
        shape = from_shape(shapely.MultiPolygon(shapely.get_parts(polygon).tolist()), srid=4326)
        conn.execute(
            insert(boundary),
            {
                "area_id": made,
                "version": version,
                "geom": shape,
                "area_km2": 10.0,
            },
        )


def _area(
    conn: Connection,
    code: str,
    level: str,
    name: str,
    parent: str,
    province: str,
    centre: tuple[float, float] | None,
) -> int:
    lon, lat = centre or (None, None)
    return conn.execute(
        insert(area).returning(area.c.area_id),
        {
            "code": code,
            "level": level,
            "name": name,
            "full_name": name,
            "kind": name.split(" ")[0],
            "parent_code": parent,
            "province_code": province,
            "name_key": name.lower(),
            "valid_from": date(2025, 7, 1),
            "lon": lon,
            "lat": lat,
        },
    ).scalar_one()


def _households(land: Province) -> Iterable[dict[str, object]]:
    frame = land.homes.assign(
        head_name="Lò Văn Sơn",
        recorded_address="Xã " + land.homes["commune_code"],
        lon=land.homes["home_lon"],
        lat=land.homes["home_lat"],
        accuracy_m=land.homes["home_accuracy_m"],
    )
    columns = ("household_code", "head_name", "recorded_address", "province_code", "commune_code")
    return _rows(frame, (*columns, "village", "lon", "lat", "accuracy_m"))


def _rows(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, object]]:
    """Plain values as a file would have them; what is not known is left out."""
    return [
        {name: _written(value) for name, value in row.items() if not pd.isna(value)}
        for row in frame[list(columns)].to_dict("records")
    ]


def _written(value: object) -> object:
    if isinstance(value, pd.Timestamp | date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def _import(conn: Connection, kind: str, rows: Iterable[dict[str, object]]) -> None:
    report = import_rows(conn, kind, enumerate(rows, 2), source="proof")
    assert not report.rejected, report


def _beside(conn: Connection, land: Province) -> None:
    """What comes in other ways than through these imports: earlier reports, photos, places."""
    moments = land.surveys[["survey_id", "received_at"]].to_dict("records")
    conn.execute(
        text("UPDATE survey SET received_at = :received_at WHERE survey_id = :survey_id"), moments
    )
    conn.execute(text("DELETE FROM site_stage"))
    names = ("province_code", "commune_code", "site_code", "stage", "stage_on", "reported_at")
    conn.execute(insert(site_stage), _known(land.stages, (*names, "lon", "lat", "accuracy_m")))
    own = ("province_code", "commune_code", "subject", "subject_id", "household_code", "stage")
    told = ("lon", "lat", "taken_at", "exif", "hash", "sha256")
    files = land.photos.drop_duplicates([*own, "sha256"]).fillna({"stage": ""})
    files = files.assign(width=1200, height=1600, bytes=300_000)
    conn.execute(insert(photo), _known(files, (*own, *told, "width", "height", "bytes")))
    places = ("province_code", "commune_code", "name", "kind", "lon", "lat", "radius_m")
    conn.execute(insert(known_place), _known(land.places, places))


def _known(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, object]]:
    values = frame[list(columns)].astype(object)
    return values.where(values.notna(), None).to_dict("records")
