"""The import page: a stored file is reported at an address of its own, to those who may see it."""

from collections.abc import Callable
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select

from geo.tables import import_job
from tests import page_data, people
from tests.page_data import words
from web.app import create_app

GOOD = "household_code,head_name,recorded_address,commune_code\nX1,Lò Thị Sen,xã Ba Bể,05001\n"
FORM = {"kind": "households"}


@pytest.fixture
def app(conn: Connection, begin: Callable) -> Flask:
    page_data.add_areas(conn)
    return create_app(begin)


def jobs(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(import_job)).scalar_one()


def test_what_is_stored_is_reported_where_loading_again_sends_nothing(
    conn: Connection, app: Flask
) -> None:
    client = people.client(app, conn, "officer@05001")
    answer = client.post("/import", data={**FORM, "file": (BytesIO(GOOD.encode()), "hộ.csv")})
    assert answer.status_code == 303
    path, _, import_id = answer.headers["Location"].partition("?report=")
    assert path == "/import" and UUID(import_id)
    for _again in range(2):
        said = words(client.get(answer.headers["Location"]).text)
        assert "Danh sách hộ · hộ.csv" in said and "Dòng đọc được 1 Thêm mới 1" in said
    assert jobs(conn) == 1
    assert "Kết quả" not in words(client.get("/import").text)


def test_a_file_that_is_only_checked_has_no_page_of_its_own(conn: Connection, app: Flask) -> None:
    client = people.client(app, conn, "officer@05001")
    sent = {**FORM, "dry_run": "1", "file": (BytesIO(GOOD.encode()), "hộ.csv")}
    answer = client.post("/import", data=sent)
    assert answer.status_code == 200 and "chỉ kiểm tra, không lưu" in words(answer.text)
    assert jobs(conn) == 0


@pytest.mark.parametrize("asked", ["foreign", "nonsense", str(UUID(int=7))])
def test_reports_of_others_are_as_if_they_were_not(
    conn: Connection, app: Flask, asked: str
) -> None:
    sender = people.client(app, conn, "officer@05001")
    sent = sender.post("/import", data={**FORM, "file": (BytesIO(GOOD.encode()), "hộ.csv")})
    address = sent.headers["Location"] if asked == "foreign" else f"/import?report={asked}"
    answer = people.client(app, conn, "officer@05002").get(address)
    assert answer.status_code == 404
    assert "Không có báo cáo của lần nhập này." in answer.text
