"""The pages below /ogc for people: errors in their language, and links that lead where they say."""

import html
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from tests import ogc_world
from tests.ogc_world import ODD, Service

ITEMS = "/ogc/collections/surveys/items"


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (f"{ITEMS}?f=html&bbox=1", 400, "bbox có bốn số, hoặc sáu số khi có độ cao."),
        (f"{ITEMS}?f=html&verdicts=outside", 400, "Ở đây không có tham số “verdicts”"),
        (f"{ITEMS}?f=html&verdict=away", 400, "“away” không phải kết luận vị trí"),
        (f"{ITEMS}?f=html&limit=0", 400, "limit phải là số nguyên từ 1 đến 10000"),
        (f"{ITEMS}?f=html&datetime=yesterday", 400, "“yesterday” không phải thời điểm"),
        (f"{ITEMS}?f=html&filter=verdict+is", 400, "Bộ lọc sai ở ký tự 11"),
        (f"{ITEMS}/01.00101.none?f=html", 404, "Không có bản ghi “01.00101.none” trong surveys."),
        ("/ogc/collections/x?f=html", 404, "Không có lớp dữ liệu “x”"),
    ],
)
def test_a_person_reads_an_error_as_a_page(
    service: Service, asked: str, status: int, words: str
) -> None:
    answer = service.client().get(asked, headers={"Accept-Language": "vi"})
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert words in html.unescape(answer.text)


@pytest.mark.parametrize("accept", ["*/*", "application/geo+json", "application/json"])
def test_a_programme_reads_the_same_as_a_problem(service: Service, accept: str) -> None:
    answer = service.client().get(f"{ITEMS}?bbox=1", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


@pytest.mark.parametrize("code", [*ODD, "2-,;é", "100%2F?"])
def test_every_link_of_a_feature_is_written_as_an_address(service: Service, code: str) -> None:
    with service.owner() as conn:
        if code not in ODD:
            ogc_world.records_world.add_household(
                conn, "00102", household_code=code, head_name=code
            )
    client = service.client()
    name = quote(f"01.00102.{code}", safe="")
    found = client.get(f"/ogc/collections/households/items/{name}?lang=vi").get_json()
    assert found["properties"]["household_code"] == code
    for link in found["links"]:
        assert link["href"].isascii()
        assert not set(link["href"]) & set(" <>';\"")
        answer = client.get(link["href"])
        assert answer.status_code == 200
        if link["rel"] == "alternate":
            assert code in html.unescape(answer.text)
        elif link["rel"] == "self":
            assert answer.get_json()["id"] == found["id"]
