"""The ratios of every commune at once: as pages have them, hidden as there, versioned."""

import json

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import insert

from api import access, admission, areas, blueprints, packed
from geo import areas as known_areas
from geo import boundaries, commune_ratios, metrics
from geo.tables import area
from tests import page_data, people

ADDRESS = "/api/v1/areas/VN/children/figures.json?level=commune"


@pytest.fixture
def world(conn):
    page_data.add_areas(conn)
    page_data.add_records(conn, demo=True)
    return conn


@pytest.fixture
def app(world, begin):
    areas.SHAPES, areas.FIGURES = packed.Shelf(1 << 20), packed.Shelf(1 << 20)
    made = OpenAPI("tests")
    access.install(made, begin)
    admission.install(made)
    blueprints.register(made)
    return made


def told(answer) -> dict:
    body = answer.get_json()
    return {
        code: dict(zip(body["columns"], row, strict=True)) for code, row in body["rows"].items()
    }


@pytest.mark.parametrize("code", ["VN", "19"])
def test_every_commune_has_the_ratios_of_its_province_s_page(world, code):
    page_data.add_household(world, "HN-000021", "05002")
    made = commune_ratios.table(world, known_areas.get(world, code))
    pages = metrics.children_figures(world, known_areas.get(world, "19"))
    assert set(made["rows"]) == {row["code"] for row in pages if row["code"]} == {"05001", "05002"}
    for row in pages:
        mine = dict(zip(made["columns"], made["rows"][row["code"]], strict=True))
        assert (mine["name"], mine["province"]) == (row["full_name"], "19")
        assert mine["suppressed"] is False
        for key in commune_ratios.RATIOS:
            assert mine[key] == (None if row[key] is None else pytest.approx(row[key], abs=5e-7))


def test_a_commune_s_ratios_stand_in_columns_and_unknown_ones_are_null(world, app):
    rows = told(people.client(app, world).get(ADDRESS))
    # Six households, two of them poor; nobody lives in the other commune.
    assert rows["05001"]["poverty_rate"] == 0.333333
    assert rows["05002"] == {"name": "Phường Đức Xuân", "province": "19", "suppressed": False} | (
        dict.fromkeys(commune_ratios.RATIOS)
    )


def test_communes_elsewhere_are_hidden_as_on_pages(world, app):
    page_data.add_household(world, "HN-000021", "05002")
    planner = people.client(app, world, "planner@05001")
    hidden = told(planner.get(ADDRESS))["05002"]
    assert hidden["suppressed"] is True
    assert {hidden[key] for key in commune_ratios.RATIOS} == {None}
    everything = people.client(app, world)
    assert told(everything.get(ADDRESS))["05002"]["suppressed"] is False
    officer = people.client(app, world, "officer@05002")
    assert officer.get(ADDRESS).status_code == 403


def test_the_answer_is_told_again_only_when_a_commune_changed(world, app):
    client = people.client(app, world)
    first = client.get(ADDRESS)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(ADDRESS, headers=tag).status_code == 304
    children = client.get(ADDRESS.partition("?")[0], headers=tag)
    assert (children.status_code, set(children.get_json())) == (200, {"figures"})
    page_data.add_household(world, "HN-000021", "05002")
    second = client.get(ADDRESS, headers=tag)
    assert (second.status_code, told(second)["05002"]["coverage"]) == (200, 0.0)


@pytest.mark.parametrize("level", ["province", "country", ""])
def test_another_level_is_refused(world, app, level):
    client = people.client(app, world)
    for name in ("children/figures.json", "children.geojson"):
        assert client.get(f"/api/v1/areas/VN/{name}?level={level}").status_code == 400


def test_the_shapes_of_every_commune_are_the_communes_of_all_provinces(world, app):
    client = people.client(app, world)
    version = boundaries.version(world)
    answer = client.get(f"/api/v1/areas/VN/children.geojson?level=commune&z=5&v={version}")
    codes = [one["properties"]["code"] for one in json.loads(answer.data)["features"]]
    assert codes == ["05001", "05002"]
    assert "immutable" in answer.headers["Cache-Control"]
    provinces = client.get(f"/api/v1/areas/VN/children.geojson?z=5&v={version}")
    assert [one["properties"]["code"] for one in provinces.get_json()["features"]] == ["19"]


def test_a_province_has_its_own_communes_only(world):
    world.execute(
        insert(area).values(
            code="99998", level="commune", name="Xa", full_name="Xã Xa", kind="Xã",
            parent_code="46", province_code="46", name_key="xa",
        )
    )  # fmt: skip
    rows = {
        code: commune_ratios.table(world, known_areas.get(world, code))["rows"]
        for code in ("VN", "19")
    }
    assert sorted(rows["VN"]) == ["05001", "05002", "99998"]
    assert sorted(rows["19"]) == ["05001", "05002"]
