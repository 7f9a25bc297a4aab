"""A small world to import into: square communes of 0.1° in two provinces, one of them divided."""

from datetime import date

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import Connection, insert, select

from geo.intake.imports import import_rows
from geo.intake.session import ImportReport
from geo.tables import area, area_successor, boundary, boundary_version
from geo.text import fold

LAST_DAY = date(2025, 6, 30)
FIRST_DAY = date(2025, 7, 1)

# code → (name, province, west edge); each square spans 0.1° east and latitudes 21.0 to 21.1
COMMUNES = {
    "00101": ("Xã An Hoà", "01", 105.0),
    "00102": ("Xã Bình Minh", "01", 105.1),
    "00103": ("Xã Chí Cà", "01", 105.2),
    "00201": ("Phường Đông Sơn", "02", 106.0),
}
PROVINCES = {"01": "Tỉnh Thử Một", "02": "Tỉnh Thử Hai"}
DIVIDED = "00901"
"""A former commune, Xã Phân Đôi, whose successors are 00101 and 00102."""


def square(west: float) -> shapely.Polygon:
    return shapely.box(west, 21.0, west + 0.1, 21.1)


def build(conn: Connection) -> None:
    """Store the areas, their successors and boundaries."""
    for code, name in PROVINCES.items():
        _area(conn, code, "province", name, "VN", code)
    version = conn.execute(
        insert(boundary_version).returning(boundary_version.c.version),
        {"source": "squares", "accuracy_m": 10.0},
    ).scalar_one()
    ids = {}
    for code, (name, province, west) in COMMUNES.items():
        ids[code] = _area(conn, code, "commune", name, province, province)
        shape = from_shape(shapely.MultiPolygon([square(west)]), srid=4326)
        conn.execute(
            insert(boundary),
            {
                "area_id": ids[code],
                "version": version,
                "geom": shape,
                "area_km2": 115.0,
            },
        )
    former_province = _area(conn, "91", "province", "Tỉnh Cũ", "VN", "91", LAST_DAY)
    district = _area(conn, "991", "district", "Huyện Cũ", "91", "91", LAST_DAY)
    divided = _area(conn, DIVIDED, "commune", "Xã Phân Đôi", "991", "91", LAST_DAY)
    assert former_province and district
    for code in ("00101", "00102"):
        conn.execute(insert(area_successor), {"old_area_id": divided, "new_area_id": ids[code]})


def _area(
    conn: Connection,
    code: str,
    level: str,
    full_name: str,
    parent: str,
    province: str,
    valid_to: date | None = None,
) -> int:
    kind, name = full_name.split(" ", 1)
    return conn.execute(
        insert(area).returning(area.c.area_id),
        {
            "code": code,
            "level": level,
            "name": name,
            "full_name": full_name,
            "kind": kind,
            "parent_code": parent,
            "province_code": province,
            "name_key": fold(name),
            "valid_from": None if valid_to else FIRST_DAY,
            "valid_to": valid_to,
        },
    ).scalar_one()


def household(code: str = "H1", **changed: object) -> dict[str, object]:
    """A household's row; None leaves a column out."""
    row = {
        "household_code": code,
        "head_name": "Lò Văn Sơn",
        "recorded_address": "Thôn 3, Xã An Hoà, Tỉnh Thử Một",
        "commune_code": "00101",
        "status": "poor",
        "status_year": 2025,
    } | changed
    return {name: value for name, value in row.items() if value is not None}


def survey(number: int = 1, **changed: object) -> dict[str, object]:
    """A survey's row, 1.1 km inside the commune of the household H1."""
    row = {
        "survey_id": f"00000000-0000-4000-8000-{number:012d}",
        "household_code": "H1",
        "surveyed_at": "2026-09-30T08:15:00+07:00",
        "enumerator": "Điều tra viên 1",
        "lon": 105.05,
        "lat": 21.01,
        "accuracy_m": 8.0,
    } | changed
    return {name: value for name, value in row.items() if value is not None}


def site(code: str = "S1", **changed: object) -> dict[str, object]:
    """A site's row of the household H1."""
    row = {
        "site_code": code,
        "household_code": "H1",
        "kind": "new",
        "stage": "approved",
        "stage_on": "2026-03-01",
        "cost_planned": 60_000_000,
        "lon": 105.05,
        "lat": 21.01,
        "accuracy_m": 8.0,
    } | changed
    return {name: value for name, value in row.items() if value is not None}


def load(conn: Connection, kind: str, *rows: dict[str, object], **options: object) -> ImportReport:
    return import_rows(conn, kind, enumerate(rows, 2), source="test", **options)


def figures(report: ImportReport) -> tuple[int, ...]:
    """(added, updated, unchanged, conflicts, rejected)"""
    return (
        report.added,
        report.updated,
        report.unchanged,
        report.conflicts,
        report.rejected,
    )


def one(conn: Connection, table: object) -> object:
    return conn.execute(select(table)).one()
