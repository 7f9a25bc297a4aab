"""Addresses of surveys: two communes may have one of the same id."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, literal, select

from geo.tables import survey
from tests import page_data, people
from tests.page_data import OUTSIDE
from web.app import create_app


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return people.client(create_app(begin), conn)


def test_of_surveys_of_one_id_in_two_communes_each_has_its_address(
    conn: Connection, client: FlaskClient
) -> None:
    page_data.add_household(conn, "H-2", "05002")
    conn.execute(
        insert(survey).from_select(
            [c.name for c in survey.c],
            select(
                *(
                    {
                        "commune_code": literal("05002"),
                        "household_code": literal("H-2"),
                    }.get(c.name, c)
                    for c in survey.c
                )
            ).where(survey.c.survey_id == OUTSIDE),
        )
    )
    for path in (f"/surveys/{OUTSIDE}", f"/surveys/{OUTSIDE}/evidence.json"):
        said = client.get(path)
        assert said.status_code == 409 and "05001, 05002" in said.text
        assert client.get(path + "?commune=05003").status_code == 404
    for commune in ("05001", "05002"):
        own = f"/surveys/{OUTSIDE}?commune={commune}"
        assert client.get(own).status_code == 200
        desk = client.get(f"/audit?area={commune}&survey={OUTSIDE}&commune={commune}").text
        assert f'href="{own}"' in desk
        seen = client.get(f"/surveys/{OUTSIDE}/evidence.json?commune={commune}").get_json()
        assert seen["page"] == own
        found = client.get(f"/api/v1{own}").get_json()
        assert found["commune_code"] == commune
    refused = client.get(f"/api/v1/surveys/{OUTSIDE}")
    assert refused.status_code == 409 and "05001, 05002" in refused.get_json()["detail"]
    bogus = client.get(f"/api/v1/surveys/{OUTSIDE}?comune=05001")
    assert bogus.status_code == 400 and "comune" in bogus.text
    chosen = client.get(f"/audit?area=19&survey={OUTSIDE}&commune=05002").text
    assert re.findall(r'data-key="([^"]+)"', chosen) == [f"survey:19:05002:{OUTSIDE}"]
