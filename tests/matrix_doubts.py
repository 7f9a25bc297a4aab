"""The audit in the world of the matrix: a queue, decisions and revisits at each spot."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from geo.audit_tables import audit_decision, audit_due, audit_item, known_place, revisit
from tests.matrix_world import VERDICTS, Spot

WHEN = datetime(2026, 10, 5, 1, 30, tzinfo=UTC)
DECIDED = VERDICTS[1]
"""The verdict of the survey that is decided about; the others are open."""


def key_text(spot: Spot, verdict: str) -> str:
    """A survey of a spot as the desk's addresses and forms write it."""
    return ":".join(("survey", spot.record_province, spot.commune_code, spot.survey_of(verdict)))


def add(conn: Connection, spot: Spot) -> tuple[int, int]:
    """A spot's queue, a decision, a revisit, a known place; the numbers of decision and revisit."""
    mark = spot.mark("R")
    place = {"province_code": spot.record_province, "commune_code": spot.commune_code}
    subjects = [("survey", spot.survey_of(verdict), verdict) for verdict in VERDICTS]
    for subject, subject_id, verdict in (*subjects, ("site", spot.site, "unlocated")):
        conn.execute(
            insert(audit_item).values(
                **place, subject=subject, subject_id=subject_id, verdict=verdict,
                case_key=f"{spot.commune_code}:{subject}:{subject_id}",
                risk=60.0, parts=[{"family": "location", "rule": "outside", "points": 60.0}],
                rules=["outside"], state="confirmed" if verdict == DECIDED else "open",
                household_code=spot.household, enumerator=f"ĐTV {mark}", device_id=f"máy {mark}",
                happened_at=WHEN, distance_m=-50.5,
            )
        )  # fmt: skip
    conn.execute(insert(audit_due).values(**place))
    conn.execute(
        insert(known_place).values(
            **place, name=f"chợ {mark}", kind="market", lon=spot.lon, lat=21.0, radius_m=50
        )
    )
    told = _numbered(
        conn, audit_decision.c.decision_id, **place, subject="survey",
        subject_id=spot.survey_of(DECIDED), decision="confirmed", reason=f"lý do {mark}",
        decided_by_name=f"Kiểm tra viên {mark}",
    )  # fmt: skip
    visit = _numbered(
        conn, revisit.c.revisit_id, **place, household_code=spot.household,
        enumerator=f"ĐTV {mark}", reason=f"đi lại {mark}", asked_by_name=f"Người yêu cầu {mark}",
    )  # fmt: skip
    return told, visit


def _numbered(conn: Connection, number: Any, **values: Any) -> int:
    made = insert(number.table).values(**values).returning(number)
    return int(conn.execute(made).scalar_one())
