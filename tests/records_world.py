"""A small country with records whose figures can be counted by hand."""

import itertools
import uuid
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from geo import areas, cells, metrics
from geo.areas import Area
from geo.tables import area, finding, household, site, survey
from geo.text import fold

COMMUNES = {"00101": "01", "00102": "01", "00201": "02"}
PAIRS = [(province, code) for code, province in COMMUNES.items()]
VISIT = datetime(2025, 9, 10, 3, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def build(conn: Connection) -> None:
    """Country, two provinces, three communes; no records."""
    rows = [("VN", "country", "Việt Nam", None, None)]
    rows += [(code, "province", f"Tỉnh {code}", "VN", code) for code in ("01", "02")]
    rows += [(code, "commune", f"Xã {code}", p, p) for code, p in COMMUNES.items()]
    conn.execute(
        insert(area),
        [
            {
                "code": code,
                "level": level,
                "name": name,
                "full_name": name,
                "kind": level,
                "parent_code": parent,
                "province_code": province,
                "name_key": fold(name),
            }
            for code, level, name, parent, province in rows
        ],
    )


def country(conn: Connection) -> Area:
    return areas.get(conn, "VN")


def point(lon: float, lat: float) -> str:
    return f"SRID=4326;POINT({lon!r} {lat!r})"


def add_household(conn: Connection, commune: str = "00101", **values: Any) -> str:
    """Returns its code; `at` is (lon, lat)."""
    given = {
        "province_code": COMMUNES.get(commune, "00"),
        "household_code": f"H{next(_numbers):05}",
        "commune_code": commune,
        "head_name": "Nguyễn Văn An",
        "recorded_address": f"Thôn 1, Xã {commune}",
        "search_key": "",
        "content_hash": "x",
    }
    given |= _placed(values)
    given["search_key"] = fold(
        f"{given['household_code']} {given['head_name']} {given['recorded_address']}"
    )
    conn.execute(insert(household), given)
    return str(given["household_code"])


def add_survey(conn: Connection, household_code: str, commune: str = "00101", **values: Any) -> str:
    """Returns its id; `at` is (lon, lat)."""
    given = {
        "province_code": COMMUNES.get(commune, "00"),
        "survey_id": str(uuid.UUID(int=next(_numbers))),
        "household_code": household_code,
        "commune_code": commune,
        "surveyed_at": VISIT,
        "enumerator": "E1",
        "content_hash": "x",
    }
    given |= _placed(values)
    conn.execute(insert(survey), given)
    return str(given["survey_id"])


def add_site(conn: Connection, household_code: str, commune: str = "00101", **values: Any) -> str:
    """Returns its code; `at` is (lon, lat)."""
    given = {
        "province_code": COMMUNES.get(commune, "00"),
        "site_code": f"S{next(_numbers):05}",
        "household_code": household_code,
        "commune_code": commune,
        "kind": "new",
        "content_hash": "x",
    }
    given |= _placed(values)
    conn.execute(insert(site), given)
    return str(given["site_code"])


def add_finding(conn: Connection, survey_id: str, rule: str, **values: Any) -> None:
    given = {
        "province_code": "01",
        "commune_code": "00101",
        "subject": "survey",
        "subject_id": survey_id,
        "rule": rule,
        "severity": 2,
    }
    conn.execute(insert(finding), given | values)


def _placed(values: dict[str, Any]) -> dict[str, Any]:
    at = values.pop("at", None)
    if not at:
        return values
    (cell,) = cells.stored(*(np.array([degrees]) for degrees in at))
    return values | {"geom": point(*at), "cell": cell}


def fill(conn: Connection) -> dict[str, str]:
    """Records for the tests of reads, tiles, exports and the API; name → id."""
    build(conn)
    ids = {
        "an": add_household(
            conn, head_name="Nguyễn Thị Hoá", status="poor", members=3, at=(105.01, 21.01),
            causes=["no_land", "illness"], national_id_end="890",
        ),
        "formula": add_household(
            conn, head_name="=1+1", status="near_poor", village="@SUM(A1)", at=(105.05, 21.05)
        ),
        "bare": add_household(conn, "00102", head_name="Trần Văn Bốn"),
        "far": add_household(conn, "00201", head_name="Lê Thị Năm", demo=True, at=(106.5, 20.5)),
        "lost": add_household(conn, "", province_code="01", head_name="Không rõ"),
    }  # fmt: skip
    ids["inside"] = add_survey(
        conn, ids["an"], verdict="inside", probability=0.999, distance_m=900.0,
        recorded_code="00101", located_code="00101", at=(105.01, 21.01),
    )  # fmt: skip
    ids["outside"] = add_survey(
        conn, ids["formula"], verdict="outside", probability=0.0, distance_m=-5200.5,
        recorded_code="00101", located_code="00102", at=(105.15, 21.05), mock_location=True,
    )  # fmt: skip
    ids["nearer"] = add_survey(
        conn, ids["formula"], verdict="outside", probability=0.01, distance_m=-120.0,
        recorded_code="00101", at=(105.101, 21.05), surveyed_at=datetime(2025, 9, 12, tzinfo=UTC),
    )  # fmt: skip
    ids["uncertain"] = add_survey(
        conn, ids["an"], verdict="uncertain", probability=0.4, distance_m=-3.0,
        recorded_code="00101", at=(105.1, 21.02),
    )  # fmt: skip
    ids["unlocated"] = add_survey(conn, ids["bare"], "00102")
    ids["site"] = add_site(
        conn, ids["an"], stage="roof", due_on=date(2025, 8, 31), stage_on=date(2025, 8, 1),
        cost_planned=60_000_000, at=(105.01, 21.01),
    )  # fmt: skip
    add_finding(conn, ids["outside"], "outside", severity=3)
    add_finding(conn, ids["outside"], "mock_location", state="dismissed")
    add_finding(conn, ids["uncertain"], "uncertain", severity=1)
    metrics.recount(conn, [*PAIRS, ("01", "")])
    return ids
