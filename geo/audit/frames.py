"""What the rules read: the surveys and sites of a province as DataFrames, and what lies around.

Rows that rules get have these columns; what is not known is NaN, NaT or None.

both: province_code, commune_code, household_code, area_id (of the household's recorded address),
lon, lat, accuracy_m, corrected (an auditor set the point), recorded_address,
candidates (lists), content_hash, judged_at, demo, the columns of a verdict (verdict, probability,
distance_m, accuracy_used_m, boundary_accuracy_m, recorded_code, located_code, boundary_version);
of the household village and village_key (name of its hamlet, and that folded), home_lon,
home_lat, home_accuracy_m.

surveys: survey_id, surveyed_at, sent_at, received_at (UTC), enumerator, device_id, mock_location,
altitude_m, satellites, crs, photo, sent_lon, sent_lat (where what was sent is not the point: it is
none in the country, or an auditor corrected it), and of the household's first site with a point
site_code, site_lon, site_lat, site_accuracy_m.

sites: site_code, kind, stage, stage_on, approved_on, due_on, received_at.
"""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, text

from geo import boundaries
from geo.config import settings
from geo.db import sql
from geo.rules import SURVEY, Context
from geo.text import fold

_NUMBERS = (
    *("lon", "lat", "accuracy_m", "probability", "distance_m", "accuracy_used_m"),
    *("boundary_accuracy_m", "home_lon", "home_lat", "home_accuracy_m", "site_lon", "site_lat"),
    *("site_accuracy_m", "altitude_m", "satellites", "radius_m", "sent_lon", "sent_lat"),
)
_MOMENTS = ("surveyed_at", "sent_at", "received_at", "taken_at", "reported_at")


def rows(conn: Connection, subject: str, province_code: str) -> pd.DataFrame:
    """The surveys or sites of one province, ordered by commune and identity."""
    name = "audit_surveys" if subject == SURVEY else "audit_sites"
    frame = _read(conn, sql(name), province_code)
    keys = {village: fold(village) for village in frame["village"].unique() if village}
    frame["village_key"] = frame["village"].map(keys)
    return frame


def context(conn: Connection, province_code: str, read: Sequence[pd.DataFrame]) -> Context:
    """What the rules may ask for beside the rows; shapes: of all communes that rows name."""
    codes = {code for frame in read for listed in frame["candidates"] for code in listed}
    codes |= {code for frame in read for code in frame["recorded_code"] if code}
    codes |= {code for frame in read for code in frame["commune_code"] if code}
    return Context(
        settings=settings(),
        shapes=boundaries.shapes(conn, sorted(codes)),
        photos=_read(conn, text(_PHOTOS), province_code),
        stages=_read(conn, text(_STAGES), province_code),
        places=_read(conn, text(_PLACES), province_code),
        centres=_read(conn, text(_CENTRES), province_code),
    )


_PHOTOS = """
    SELECT subject, subject_id, province_code, commune_code, household_code, stage, lon, lat,
           taken_at, exif, hash, sha256, photo_id::text AS photo_id
      FROM photo WHERE province_code = :province_code ORDER BY subject, subject_id, sha256
"""
_STAGES = """
    SELECT province_code, commune_code, site_code, stage, stage_on, reported_at, lon, lat,
           accuracy_m
      FROM site_stage WHERE province_code = :province_code
     ORDER BY commune_code, site_code, reported_at
"""
_PLACES = """
    SELECT province_code, commune_code, name, kind, lon, lat, radius_m
      FROM known_place WHERE province_code = :province_code ORDER BY place_id
"""
_CENTRES = """
    SELECT code AS commune_code, lon, lat
      FROM area
     WHERE level = 'commune' AND valid_to IS NULL AND lon IS NOT NULL
       AND province_code = :province_code
     ORDER BY code
"""


def _read(conn: Connection, statement: object, province_code: str) -> pd.DataFrame:
    found = conn.execute(statement, {"province_code": province_code})  # type: ignore[call-overload]
    frame = pd.DataFrame(found.all(), columns=list(found.keys()), dtype=object)
    for name in frame:
        if name in _NUMBERS:
            frame[name] = frame[name].astype(float)
        elif name in _MOMENTS:
            frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame
