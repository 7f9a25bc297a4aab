"""Households of two communes to send photos of, and what the tests of photos share."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, RowMapping, insert, select, text
from werkzeug.test import TestResponse

from geo.account_tables import access_log
from geo.audit_tables import photo
from geo.config import settings
from geo.photos import files
from geo.tables import area
from tests import intake_world as world
from tests.intake_world import load
from tests.pictures import WHEN, exif

API = "/api/v1/photos"
ONE, TWO, OTHERS = (str(world.survey(n)["survey_id"]) for n in (1, 2, 3))
HOUSE = (105.05, 21.01)
SAID = exif(HOUSE, WHEN, base={0x0110: "Redmi 12"})


def build(db: Connection, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """Two households of one commune, one of another; surveys of each, a site; no files yet."""
    monkeypatch.setenv("ANCU_HOME", str(home))
    settings.cache_clear()
    db.execute(
        insert(area).values(
            code="VN", level="country", name="Việt Nam", full_name="Việt Nam", kind="country",
            name_key="viet nam",
        )
    )  # fmt: skip
    load(db, "households", world.household(), world.household("H2"),
         world.household("H3", commune_code="00102",
                         recorded_address="Xã Bình Minh, Tỉnh Thử Một"))  # fmt: skip
    load(db, "surveys", world.survey(1, photo="anh/H1.JPG"), world.survey(2, household_code="H2"),
         world.survey(3, household_code="H3", lon=105.15))  # fmt: skip
    load(db, "sites", world.site(stage="roof", stage_on="2026-09-30"))
    db.execute(text("DELETE FROM audit_due"))
    yield db
    monkeypatch.undo()
    settings.cache_clear()


def send(client: FlaskClient, *contents: bytes, path: str = API, **form: str) -> TestResponse:
    parts = [(io.BytesIO(one), f"ảnh {n}.jpg") for n, one in enumerate(contents, 1)]
    return client.post(path, data={**form, "photo": parts}, content_type="multipart/form-data")


def rows(conn: Connection) -> list[RowMapping]:
    return list(conn.execute(select(photo).order_by(photo.c.subject, photo.c.file_name)).mappings())


def kept() -> list[str]:
    return sorted(path.name for path in files.folder().glob("??/*"))


def last(conn: Connection) -> RowMapping:
    query = select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    return conn.execute(query).mappings().one()
