"""A small world for the page tests: one province, two square communes, records with names that
try to run."""

import re
from datetime import UTC, date, datetime
from html import unescape

import numpy as np
from geoalchemy2 import WKTElement
from sqlalchemy import Connection, insert

from geo import boundaries, cells, metrics
from geo.audit import items
from geo.tables import (
    area,
    boundary,
    boundary_version,
    finding,
    household,
    import_conflict,
    import_job,
    site,
    site_stage,
    survey,
    verdict_history,
)

PAYLOADS = (
    "${document.title=1}",
    "`${document.title=1}`",
    "<img src=x onerror=document.title=1>",
    "{{7*7}}{% for x in y %}",
    "</script><script>document.title=1</script>",
    "'-document.title=1-'",
)
OUTSIDE = "00000000-0000-4000-8000-000000000001"
INSIDE = "00000000-0000-4000-8000-000000000002"
UNCERTAIN = "00000000-0000-4000-8000-000000000003"
UNLOCATED = "00000000-0000-4000-8000-000000000004"
WHEN = datetime(2026, 10, 5, 1, 30, tzinfo=UTC)  # 08:30 in Viet Nam
KEY = {"province_code": "19", "commune_code": "05001"}
AREAS = (
    ("VN", "country", "Việt Nam", None, None, (105.0, 21.0, 105.2, 21.1)),
    ("19", "province", "Tỉnh Thái Nguyên", "VN", "19", (105.0, 21.0, 105.2, 21.1)),
    ("05001", "commune", "Xã Ba Bể", "19", "19", (105.0, 21.0, 105.1, 21.1)),
    ("05002", "commune", "Phường Đức Xuân", "19", "19", (105.1, 21.0, 105.2, 21.1)),
)


def words(html: str) -> str:
    """The page's text with white space made single."""
    bare = re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(bare).split())


def box(west: float, south: float, east: float, north: float) -> WKTElement:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    ring = ", ".join(f"{lon} {lat}" for lon, lat in corners)
    return WKTElement(f"MULTIPOLYGON((({ring})))", srid=4326)


def add_areas(conn: Connection, sketch: bool = False) -> None:
    version = conn.execute(
        insert(boundary_version)
        .values(source="thử", licence="MIT", accuracy_m=25, sketch=sketch)
        .returning(boundary_version.c.version)
    ).scalar_one()
    for code, level, full_name, parent, province, bounds in AREAS:
        kind, _, name = full_name.partition(" ")
        area_id = conn.execute(
            insert(area)
            .values(
                code=code,
                level=level,
                name=name,
                full_name=full_name,
                kind=kind,
                parent_code=parent,
                province_code=province,
                name_key=name.lower(),
            )
            .returning(area.c.area_id)
        ).scalar_one()
        conn.execute(
            insert(boundary).values(
                area_id=area_id,
                version=version,
                geom=box(*bounds),
                area_km2=1.0,
            )
        )
    boundaries.draw(conn)


def cell(lon: float, lat: float) -> int:
    return int(cells.cells(np.array([lon]), np.array([lat]))[0])


def add_household(conn: Connection, code: str, commune: str) -> None:
    """One more household that nobody has visited."""
    conn.execute(
        insert(household).values(
            province_code="19", household_code=code, commune_code=commune, head_name="Ma Thị Sáu",
            recorded_address="Tổ 6", search_key="ma thi sau", content_hash="x",
        )
    )  # fmt: skip
    metrics.recount(conn, [("19", commune)])


def add_records(conn: Connection, demo: bool = False) -> None:
    """Six households (one per payload), four surveys (one per verdict), one site."""
    common = {"province_code": "19", "content_hash": "x", "demo": demo}
    for n, name in enumerate(PAYLOADS):
        conn.execute(
            insert(household).values(
                **common, household_code=f"H{n}", commune_code="05001", head_name=name,
                recorded_address=f"{name} xã Ba Bể", search_key=f"h{n} ho dan ba be",
                status="poor" if n < 2 else "average", status_year=2026, members=4,
            )
        )  # fmt: skip
    for n, (survey_id, verdict, lon, probability, distance, located) in enumerate(
        (
            (OUTSIDE, "outside", 105.15, 0.0, -5190.4, "05002"),
            (INSIDE, "inside", 105.05, 1.0, 5190.4, "05001"),
            (UNCERTAIN, "uncertain", 105.0999, 0.62, 10.4, "05001"),
            (UNLOCATED, "unlocated", None, None, None, None),
        )
    ):
        conn.execute(
            insert(survey).values(
                **common, survey_id=survey_id, household_code=f"H{n}", commune_code="05001",
                surveyed_at=WHEN, enumerator=PAYLOADS[n], candidates=[],
                geom=None if lon is None else WKTElement(f"POINT({lon} 21.05)", srid=4326),
                cell=None if lon is None else cell(lon, 21.05),
                accuracy_m=12.0, verdict=verdict, probability=probability, distance_m=distance,
                accuracy_used_m=12.0, boundary_accuracy_m=25.0, recorded_code="05001",
                located_code=located, boundary_version=1, judged_at=WHEN, device_id=PAYLOADS[n],
            )
        )  # fmt: skip
    conn.execute(
        insert(finding).values(
            **KEY, subject="survey", subject_id=OUTSIDE, rule="outside", severity=3,
            evidence={"distance_m": -5190.4},
        )
    )  # fmt: skip
    for survey_id, rule, severity in (
        (UNCERTAIN, "uncertain", 1),
        (UNLOCATED, "unlocated_no_point", 1),
    ):
        conn.execute(
            insert(finding).values(
                **KEY, subject="survey", subject_id=survey_id, rule=rule, severity=severity,
                evidence={"distance_m": 10.4, "probability": 0.62},
            )
        )  # fmt: skip
    conn.execute(
        insert(verdict_history).values(
            **KEY, subject="survey", subject_id=OUTSIDE, replaced_at=WHEN,
            verdict="uncertain", probability=0.3, recorded_code="05001",
        )
    )  # fmt: skip
    conn.execute(
        insert(site).values(
            **common, site_code="N/1", household_code="H0", commune_code="05001", kind="new",
            stage="roof", stage_on=date(2026, 9, 1), approved_on=date(2026, 6, 1),
            due_on=date(2026, 9, 30), cost_planned=60_000_000, stream=PAYLOADS[2],
        )
    )  # fmt: skip
    conn.execute(
        insert(site_stage).values(**KEY, site_code="N/1", stage="roof", stage_on=date(2026, 9, 1))
    )
    conn.execute(
        insert(import_conflict).values(
            **KEY, kind="surveys", key=OUTSIDE, content_hash="y", row={},
            reason=PAYLOADS[2],
        )
    )  # fmt: skip
    conn.execute(
        insert(import_job).values(
            import_id="00000000-0000-4000-8000-0000000000aa", kind="surveys", source=PAYLOADS[4],
            started_at=WHEN, finished_at=WHEN, report={"rows": 4, "added": 4},
        )
    )  # fmt: skip
    metrics.recount(conn, [("19", "05001")])
    items.renew(conn, "19")
