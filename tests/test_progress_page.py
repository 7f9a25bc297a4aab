"""The progress page: order of its table, who has stopped reporting, what is left in a commune."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection

from geo import metrics, sites
from geo.metrics import SILENT_DAYS, TIME_ZONE
from tests import page_data, people
from tests.page_data import words
from web import columns, formats
from web.app import create_app

TODAY = date(2026, 11, 22)


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("", "Phường Đức Xuân"),
        ("?sort=full_name&dir=desc", "Xã Ba Bể"),
        ("?sort=households&dir=desc", "Xã Ba Bể"),
        ("?sort=completion&dir=asc", "Xã Ba Bể"),  # unknown comes last either way
        ("?sort=last_activity&dir=asc", "Xã Ba Bể"),
        ("?sort=nonsense&dir=sideways&metric=x", "Phường Đức Xuân"),
    ],
)
def test_the_table_sorts_without_scripts(
    client: FlaskClient, conn: Connection, query: str, first: str
) -> None:
    page_data.add_household(conn, "Y1", "05002")
    html = client.get("/progress/19" + query).text
    assert words(html.split("<tbody>")[1]).startswith(first)


def row(code: str, name: str, households: int = 1, **figures: Any) -> dict[str, Any]:
    none = {"surveys": 0, "sites": 0, "coverage": None}
    return {"code": code, "full_name": name, "households": households, **none, **figures}


ROWS = [
    row("", "Chưa xác định được địa chỉ", 3, coverage=0.5),
    row("1", "Phường 10", coverage=0.09),
    row("2", "Phường 2", coverage=0.1),
    row("3", "Phường An Đông", 0),
    row("4", "Phường Đa Kao", coverage=None),
    row("5", "Phường Dương Minh Châu", coverage=1.0),
]


@pytest.mark.parametrize(
    ("key", "descending", "codes"),
    [
        ("full_name", False, ["2", "1", "5", "4", "", "3"]),
        ("full_name", True, ["4", "5", "1", "2", "", "3"]),
        ("coverage", False, ["1", "2", "", "5", "4", "3"]),
        ("coverage", True, ["5", "", "2", "1", "4", "3"]),
        ("households", True, ["", "2", "1", "5", "4", "3"]),
    ],
)
def test_names_sort_as_vietnamese_numbers_as_numbers_and_the_unknown_last(
    key: str, descending: bool, codes: list[str]
) -> None:
    assert [one["code"] for one in columns.ordered(ROWS, key, descending)] == codes


def figures(
    days: int | None, *, households: int = 10, surveyed: int = 5, approved: int = 0
) -> dict[str, Any]:
    noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=TIME_ZONE)
    last = None if days is None else noon - timedelta(days=days)
    counts = {"households": households, "surveyed": surveyed, "approved": approved}
    return {"last_activity": last, "completed": 0, **counts}


@pytest.mark.parametrize(
    ("seen", "stopped"),
    [
        (figures(0), False),
        (figures(SILENT_DAYS - 1), False),
        (figures(SILENT_DAYS), True),
        (figures(None), True),
        (figures(90, surveyed=10), False),  # nothing left to do
        (figures(90, surveyed=10, approved=1), True),  # a house is left to build
        (figures(None, households=0, surveyed=0), False),
    ],
)
def test_an_area_with_work_left_and_days_of_silence_has_stopped(
    seen: dict[str, Any], stopped: bool
) -> None:
    assert metrics.stopped(seen, TODAY) is stopped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cách 8,5 m, sai số 25 m.", "cách 8,5_m, sai số 25_m."),
        ("là > 99,9 %: khớp", "là >_99,9_%: khớp"),
        ("1.234,6 km", "1.234,6_km"),
        ("5 mét và 3 xã", "5 mét và 3 xã"),
    ],
)
def test_numbers_stay_with_their_units(text: str, expected: str) -> None:
    assert formats.unbroken(text).replace("\xa0", "_") == expected


def test_days_are_those_of_viet_nam() -> None:
    late = {"last_activity": datetime(2026, 11, 21, 23, 59, tzinfo=TIME_ZONE)}
    assert metrics.days_silent(late, TODAY) == 1
    assert metrics.days_silent({"last_activity": None}, TODAY) is None


def test_who_has_stopped_is_counted_marked_and_sortable(
    client: FlaskClient, conn: Connection
) -> None:
    page_data.add_household(conn, "Y1", "05002")
    html = client.get("/progress/19").text
    assert "Ngừng báo cáo 2 địa bàn còn việc" in words(html)
    assert 'href="/progress/19?sort=last_activity&amp;dir=asc"' in html
    days = (metrics.today() - page_data.WHEN.date()).days
    assert f"05/10/2026 {days} ngày trước" in words(html) and "– chưa báo" in words(html)
    assert html.count(' late" data-key="last_activity"') == 2


def test_a_commune_lists_whom_to_visit_and_its_houses(client: FlaskClient) -> None:
    said = words(client.get("/progress/05001").text)
    left = said.split("Còn phải khảo sát (2)")[1].split("Nhà xây mới")[0]
    assert page_data.PAYLOADS[4] in left and page_data.PAYLOADS[5] in left
    assert page_data.PAYLOADS[3] not in left and "2 trên 2 hộ" in left
    houses = said.split("Nhà xây mới, sửa chữa (1)")[1].split("Phiếu mới nhất")[0]
    assert "N/1 Xây mới Xong mái 01/09/2026 30/09/2026 quá hạn" in houses


def test_the_work_list_comes_as_a_file(client: FlaskClient) -> None:
    url = "/api/v1/households?area=05001&surveyed={}"
    left = client.get(url.format("false")).get_json()["items"]
    done = client.get(url.format("true")).get_json()["items"]
    assert [one["household_code"] for one in left] == ["H4", "H5"]
    assert [one["household_code"] for one in done] == ["H0", "H1", "H2", "H3"]
    with client.get(url.format("false") + "&format=csv") as answer:
        assert "H5" in answer.text and "H0" not in answer.text


@pytest.mark.parametrize(
    ("stage", "due_on", "overdue"),
    [
        ("roof", TODAY - timedelta(days=1), True),
        ("roof", TODAY, False),
        ("roof", None, False),
        ("completed", TODAY - timedelta(days=1), False),
        ("proposed", TODAY - timedelta(days=1), True),
    ],
)
def test_a_house_is_overdue_from_the_day_after_its_date(
    stage: str, due_on: date | None, overdue: bool
) -> None:
    assert sites.overdue({"stage": stage, "due_on": due_on}, TODAY) is overdue
