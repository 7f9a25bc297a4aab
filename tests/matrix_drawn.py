"""Verification samples in the world of the matrix: one drawn at each spot."""

import zlib

from sqlalchemy import Connection, insert

from geo.audit import sampling
from geo.audit.sampling import Unit
from geo.audit_tables import audit_sample, audit_sample_item, revisit
from tests.matrix_world import VERDICTS, Spot


def add(conn: Connection, spot: Spot) -> int:
    """A sample of two of a spot's own surveys; its number."""
    mark = spot.mark("R")
    stratum = f"ĐTV {mark}"
    frame = [Unit(sampling.key(spot.survey_of(verdict)), 100, stratum) for verdict in VERDICTS]
    text = sampling.text(frame)
    sample_id = conn.execute(
        insert(audit_sample).returning(audit_sample.c.sample_id),
        {
            "province_code": spot.province_code,
            "commune_code": spot.commune_code,
            "area_code": spot.code,
            "method": "random",
            "size": 2,
            "frame_size": len(frame),
            "frame_sha256": sampling.digest(text),
            "frame": zlib.compress(text.encode()),
            "strata": sampling.counts(frame),
            "drawn_by_name": f"Người rút {mark}",
        },
    ).scalar_one()
    for verdict in ("inside", "outside"):
        conn.execute(
            insert(revisit).values(
                province_code=spot.record_province,
                commune_code=spot.commune_code,
                household_code=spot.household,
                survey_id=spot.survey_of(verdict),
                sample_id=sample_id,
            )
        )
        conn.execute(
            insert(audit_sample_item).values(
                province_code=spot.record_province,
                commune_code=spot.commune_code,
                sample_id=sample_id,
                subject_id=spot.survey_of(verdict),
                household_code=spot.household,
                stratum=stratum,
                inclusion=0.5,
                note=f"ghi chú {mark}",
            )
        )
    return int(sample_id)
