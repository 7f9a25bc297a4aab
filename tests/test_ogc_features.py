"""Features below /ogc are the tables' rows: none is missing, doubled, foreign or told too much."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyproj import Transformer

from tests import ogc_world
from tests.ogc_world import MANY, ODD, Service

_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
KEYS = {
    "households": ("household", "household_code"),
    "surveys": ("survey", "survey_id"),
    "sites": ("site", "site_code"),
}
ALL = {"limit": 10_000}


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


def get(service: Service, path: str, **query: object) -> dict[str, Any]:
    answer = service.client().get(f"/ogc{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def found(service: Service, name: str, **query: object) -> list[str]:
    """The keys of the records that are found, as their own table has them."""
    body = get(service, f"/collections/{name}/items", **ALL, **query)
    return [one["properties"][KEYS[name][1]] for one in body["features"]]


def stored(service: Service, name: str, condition: str) -> set[str]:
    table, key = KEYS[name]
    rows = service.rows(
        f"SELECT {key}::text AS key FROM {table} WHERE NOT removed AND ({condition})"
    )
    return {row["key"] for row in rows}


def same(service: Service, name: str, condition: str, **query: object) -> int:
    """That a request finds what a plain condition does, each once; how many."""
    given, wanted = found(service, name, **query), stored(service, name, condition)
    assert set(given) == wanted
    assert len(given) == len(wanted)
    return len(given)


@pytest.mark.parametrize("name", KEYS)
def test_all_records_are_there_and_removed_ones_are_not(service: Service, name: str) -> None:
    assert same(service, name, "true") > 0
    assert service.rows("SELECT 1 FROM household WHERE removed")


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_follow_each_other_without_gap(service: Service, limit: int) -> None:
    path = "/collections/households/items"
    query = {"status": "poor", "limit": limit, "area": "01"}
    answer, codes, pages = get(service, path, **query), [], 0
    while pages < 30:
        assert answer["numberReturned"] == len(answer["features"]) <= limit
        codes += [one["properties"]["household_code"] for one in answer["features"]]
        following = [one["href"] for one in answer["links"] if one["rel"] == "next"]
        pages += 1
        if not following:
            break
        answer = service.client().get(following[0]).get_json()
    wanted = sorted(stored(service, "households", "status = 'poor' AND province_code = '01'"))
    assert codes == wanted[: len(codes)]
    assert len(codes) == min(len(wanted), 30 * limit)


def test_what_is_known_of_a_household_is_what_its_listing_tells(service: Service) -> None:
    body = get(service, "/collections/households/items", household_code=service.ids["an"])
    (one,) = body["features"]
    assert one["id"] == f"01.00101.{service.ids['an']}"
    assert one["geometry"] == {"type": "Point", "coordinates": [105.01, 21.01]}
    assert set(one["properties"]) == {
        "province_code", "commune_code", "household_code", "head_name", "recorded_address",
        "village", "members", "ethnicity", "status", "status_year", "causes", "accuracy_m", "demo",
        "received_at",
    }  # fmt: skip
    assert one["properties"]["causes"] == ["no_land", "illness"]
    assert (body["numberMatched"], body["numberReturned"]) == (1, 1)
    assert {link["rel"] for link in body["links"]} == {"self", "alternate", "collection"}
    assert "890" not in json.dumps(one["properties"])


def test_what_has_no_point_has_no_geometry(service: Service) -> None:
    body = get(service, "/collections/households/items", household_code=service.ids["bare"])
    assert [one["geometry"] for one in body["features"]] == [None]


@pytest.mark.parametrize("code", ODD)
def test_a_feature_with_an_odd_code_is_found_by_its_own_link(service: Service, code: str) -> None:
    client = service.client()
    page = client.get(
        "/ogc/collections/households/items", query_string={"household_code": code, "f": "html"}
    )
    assert "<script>alert" not in page.text
    href = page.text.partition("<tbody>")[2].partition('href="')[2].partition('"')[0]
    answer = client.get(href.replace("&amp;", "&").replace("&#39;", "'"))
    assert answer.get_json()["properties"]["head_name"] == code


@pytest.mark.parametrize(
    "feature_id",
    [
        "",
        "01",
        "01.00101",
        "01.00101.none",
        "02.00101.M00001",
        "..",
        "x" * 3000,
        "01.00101.M00001/",
    ],
)
def test_what_is_not_there_is_not_found(service: Service, feature_id: str) -> None:
    answer = service.client().get(f"/ogc/collections/households/items/{feature_id}")
    assert answer.status_code in (404, 308)
    for collection in ("surveys", "findings", "areas"):
        url = f"/ogc/collections/{collection}/items/01.00101.survey.x.y"
        assert service.client().get(url).status_code == 404


def test_a_removed_record_is_not_found_by_its_id(service: Service) -> None:
    for name, key in (("households", "gone"), ("surveys", "gone survey")):
        url = f"/ogc/collections/{name}/items/01.00101.{service.ids[key]}"
        assert service.client().get(url).status_code == 404
    body = get(service, "/collections/findings/items")
    assert service.ids["gone survey"] not in {
        one["properties"]["subject_id"] for one in body["features"]
    }


def test_findings_stand_where_their_survey_or_site_does(service: Service) -> None:
    body = get(service, "/collections/findings/items")
    ids = service.ids
    assert {
        (one["id"], *one["geometry"]["coordinates"], one["properties"]["state"])
        for one in body["features"]
    } == {
        (f"01.00101.survey.outside.{ids['outside']}", 105.15, 21.05, "open"),
        (f"01.00101.survey.mock_location.{ids['outside']}", 105.15, 21.05, "dismissed"),
        (f"01.00101.survey.uncertain.{ids['uncertain']}", 105.1, 21.02, "open"),
        (f"01.00101.site.site_far.{ids['site']}", 105.01, 21.01, "open"),
    }
    for one in body["features"]:
        again = get(service, f"/collections/findings/items/{one['id']}")
        assert again["properties"] == one["properties"]


def test_pages_of_findings_hold_both_kinds_once(service: Service) -> None:
    client, url, ids = service.client(), "/ogc/collections/findings/items?limit=1", []
    while url:
        body = client.get(url).get_json()
        ids += [one["id"] for one in body["features"]]
        url = next((one["href"] for one in body["links"] if one["rel"] == "next"), "")
    whole = get(service, "/collections/findings/items")
    assert ids == [one["id"] for one in whole["features"]]
    assert len(ids) == 4


# ---- boxes and reference systems


BOXES = [
    (105.02, 21.03, 105.04, 21.05),
    (105.0, 21.0, 105.0005, 21.1),
    (105.01, 21.01, 105.01, 21.01),
    (105.15, 21.0, 105.15, 22.0),
    (-180, -90, 180, 90),
    (106.4, 20.4, 106.6, 20.6),
    (0, 0, 1, 1),
]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("name", KEYS)
def test_a_box_holds_what_lies_in_it(service: Service, name: str, box: tuple) -> None:
    west, south, east, north = box
    inside = f"ST_X(geom) BETWEEN {west} AND {east} AND ST_Y(geom) BETWEEN {south} AND {north}"
    same(service, name, inside, bbox=",".join(map(str, box)))
    same(service, name, inside, bbox=f"{west},{south},-5,{east},{north},900")
    turned = {"bbox": f"{south},{west},{north},{east}", "bbox-crs": f"{_EPSG}4326"}
    same(service, name, inside, **turned)
    written = {"filter": f"S_INTERSECTS(geometry, BBOX({west},{south},{east},{north}))"}
    same(service, name, inside, **written)


@pytest.mark.parametrize("code", [3857, 3405, 3406, 5897, 9205, 9213, 9214])
def test_a_box_of_another_system_holds_what_lies_in_it(service: Service, code: int) -> None:
    to = Transformer.from_crs(4326, code, always_xy=True)
    x, y = to.transform(105.05, 21.05)
    low, high = (x - 2000.5, y - 1500.5), (x + 1000.5, y + 2500.5)
    rows = service.rows(
        "SELECT household_code AS key, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM household "
        "WHERE geom IS NOT NULL AND NOT removed"
    )
    placed = ((row["key"], *to.transform(row["lon"], row["lat"])) for row in rows)
    inside = {k for k, a, b in placed if low[0] <= a <= high[0] and low[1] <= b <= high[1]}
    assert 100 < len(inside) < MANY
    box = ",".join(map(repr, (*low, *high)))
    query = {"bbox": box, "bbox-crs": f"{_EPSG}{code}"}
    assert set(found(service, "households", **query)) == inside
    shape = f"POLYGON(({low[0]} {low[1]}, {high[0]} {low[1]}, {high[0]} {high[1]}, {low[0]} {high[1]}, {low[0]} {low[1]}))"  # noqa: E501
    query = {"filter": f"S_INTERSECTS(geometry, {shape})", "filter-crs": f"{_EPSG}{code}"}
    assert set(found(service, "households", **query)) == inside


@pytest.mark.parametrize("code", [3857, 3405, 3406, *range(5896, 5900), *range(9205, 9219)])
@pytest.mark.parametrize("far", ["4e7", "1e9", "1e299"])
def test_a_box_larger_than_its_system_holds_everything(
    service: Service, code: int, far: str
) -> None:
    box = f"-{far},-{far},{far},{far}"
    same(service, "sites", "true", **{"bbox": box, "bbox-crs": f"{_EPSG}{code}"})
    written = f"S_INTERSECTS(geometry, BBOX({box}))"
    same(service, "sites", "true", **{"filter": written, "filter-crs": f"{_EPSG}{code}"})


@pytest.mark.parametrize("code", [3857, 3405, 9205, 9214])
@pytest.mark.parametrize("far", [2e7, 4e7, 1e9])
def test_a_box_without_an_end_begins_where_it_says(service: Service, code: int, far: float) -> None:
    to = Transformer.from_crs(4326, code, always_xy=True)
    x, y = to.transform(105.0503217, 21.0498131)
    rows = service.rows(
        "SELECT household_code AS key, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM household "
        "WHERE geom IS NOT NULL AND NOT removed"
    )
    placed = [(row["key"], *to.transform(row["lon"], row["lat"])) for row in rows]
    for box in ((x, y, far, far), (-far, -far, x, far), (-far, -far, far, y)):
        west, south, east, north = box
        inside = {key for key, a, b in placed if west <= a <= east and south <= b <= north}
        assert 100 < len(inside) < len(rows)
        query = {"bbox": ",".join(map(repr, box)), "bbox-crs": f"{_EPSG}{code}"}
        assert set(found(service, "households", **query)) == inside


@pytest.mark.parametrize("code", [4326, 4756])
def test_a_box_of_the_whole_world_in_degrees_holds_everything(service: Service, code: int) -> None:
    same(service, "sites", "true", **{"bbox": "-90,-180,90,180", "bbox-crs": f"{_EPSG}{code}"})


@pytest.mark.parametrize("code", [4326, 4756, 3857, 3405, 3406, *range(5896, 5900), 9205, 9218])
def test_coordinates_are_those_of_the_system_in_its_axis_order(service: Service, code: int) -> None:
    answer = service.client().get(
        "/ogc/collections/sites/items", query_string={"crs": f"{_EPSG}{code}"}
    )
    assert answer.headers["Content-Crs"] == f"<{_EPSG}{code}>"
    (one,) = answer.get_json()["features"]
    # Without always_xy PROJ takes and gives axes as the system's definition has them.
    given = Transformer.from_crs(4326, code).transform(21.01, 105.01)
    tolerance = 1e-9 if code in (4326, 4756) else 1e-3
    assert one["geometry"]["coordinates"] == pytest.approx(given, abs=tolerance)


def test_areas_are_polygons_in_any_system(service: Service) -> None:
    code = "00101"
    plain = service.client().get(f"/ogc/collections/areas/items/{code}")
    assert plain.headers["Content-Crs"] == f"<{CRS84}>"
    turned = get(service, f"/collections/areas/items/{code}", crs=f"{_EPSG}4326")
    rings = plain.get_json()["geometry"]["coordinates"]
    assert turned["geometry"]["coordinates"] == [
        [[[lat, lon] for lon, lat in ring] for ring in part] for part in rings
    ]
    assert sorted(map(tuple, rings[0][0][:-1])) == [
        (105.0, 21.0), (105.0, 21.1), (105.1, 21.0), (105.1, 21.1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({}, {"VN", "01", "02", "00101", "00102", "00201"}),
        ({"area": "01"}, {"01", "00101", "00102"}),
        ({"area": "00201"}, {"00201"}),
        ({"level": "province"}, {"01", "02"}),
        ({"level": "commune", "bbox": "105.05,21.01,105.06,21.02"}, {"00101"}),
        ({"filter": "level = 'commune' AND province_code = '01'"}, {"00101", "00102"}),
        ({"datetime": "2026-01-01T00:00:00Z", "area": "00101"}, {"00101"}),
    ],
)
def test_areas_are_those_at_and_below_one(service: Service, query: dict, codes: set) -> None:
    body = get(service, "/collections/areas/items", **query)
    assert {one["id"] for one in body["features"]} == codes


# ---- time and properties


@pytest.mark.parametrize(
    ("when", "condition"),
    [
        ("2025-09-10T03:00:00Z", "surveyed_at = '2025-09-10T03:00:00Z'"),
        ("2025-09-10T10:00:00+07:00", "surveyed_at = '2025-09-10T03:00:00Z'"),
        ("2025-09-12", "surveyed_at = '2025-09-12T00:00:00Z'"),
        ("2025-09-11/..", "surveyed_at > '2025-09-11'"),
        ("../2025-09-11T00:00:00Z", "surveyed_at < '2025-09-11'"),
        ("/2025-09-10", "surveyed_at < '2025-09-11'"),
        ("2025-09-10/2025-09-12", "true"),
        ("2025-09-13/", "false"),
    ],
)
def test_datetime_is_a_moment_a_day_or_an_interval(
    service: Service, when: str, condition: str
) -> None:
    same(service, "surveys", condition, datetime=when)


@pytest.mark.parametrize(
    ("name", "query", "condition"),
    [
        ("surveys", {"verdict": "outside"}, "verdict = 'outside'"),
        ("surveys", {"mock_location": "true"}, "mock_location"),
        ("surveys", {"distance_m": "-120"}, "distance_m = -120"),
        ("surveys", {"verdict": "outside", "recorded_code": "00101"}, "verdict = 'outside'"),
        ("households", {"members": "3", "status": "poor"}, "members = 3 AND status = 'poor'"),
        ("households", {"head_name": "Người 3"}, "head_name = 'Người 3'"),
        ("sites", {"due_on": "2025-08-31"}, "true"),
        ("sites", {"cost_planned": "60000000"}, "true"),
        ("sites", {"stage": "completed"}, "false"),
        ("households", {"area": "00102"}, "commune_code = '00102'"),
        ("households", {"area": "02"}, "province_code = '02'"),
    ],
)
def test_properties_narrow_what_is_found(
    service: Service, name: str, query: dict, condition: str
) -> None:
    same(service, name, condition, **query)


# ---- what is refused


WRONG = [
    {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": ""}, {"bbox": "106,21,105,22"},
    {"bbox": "105,22,106,21"}, {"bbox": "105,21,106,nan"}, {"bbox": "105,21,106,inf"},
    {"bbox": "105,21,1e999,22"}, {"bbox": "-181,21,106,22"}, {"bbox": "105,21,106,91"},
    {"bbox": "1,2,3,4,5,6,7"}, {"bbox": "105,21,106,22", "bbox-crs": "EPSG:4326"},
    {"bbox": "105,21,106,22", "bbox-crs": f"{_EPSG}4326"},
    {"bbox": "1e20,1e20,2e20,2e20", "bbox-crs": f"{_EPSG}9213"},
    {"bbox": "3e7,0,4e7,1e6", "bbox-crs": f"{_EPSG}3857"},
    {"bbox": "6e6,0,9e6,1e6", "bbox-crs": f"{_EPSG}3405"},
    {"bbox": "20,104,22,181", "bbox-crs": f"{_EPSG}4756"},
    {"bbox": "104,20,106,22", "bbox-crs": f"{_EPSG}4756"},
    {"crs": f"{_EPSG}32648"}, {"crs": ""}, {"crs": "x" * 5000},
    {"datetime": "yesterday"}, {"datetime": "../.."}, {"datetime": ""}, {"datetime": "/"},
    {"datetime": "2025-02-30"}, {"datetime": "2025-09-12/2025-09-10"},
    {"datetime": "2025-09-12T00:00:00"}, {"datetime": "0001-01-01/.."},
    {"datetime": "9999-12-31T23:59:59-23:59"}, {"datetime": "2025-01-01/2025-02-01/2025-03-01"},
    {"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"limit": "1.5"}, {"limit": ""},
    {"limit": "٣"}, {"cursor": "x"}, {"cursor": "W10"}, {"cursor": "WyJhIiwiYiIsImMiXQ=="},
    {"cursor": ""}, {"f": "xml"}, {"colour": "red"}, {"verdict": "wrong"}, {"distance_m": "far"},
    {"distance_m": "nan"}, {"mock_location": "yes"}, {"survey_id": "1"}, {"surveyed_at": "2025"},
    {"boundary_version": "1" * 40}, {"filter-lang": "sql"}, {"geometry": "POINT(1 1)"},
    {"filter": "x = 1", "filter-lang": "cql-text"},
]  # fmt: skip


@pytest.mark.parametrize("query", WRONG, ids=str)
def test_what_does_not_fit_is_refused_in_words(service: Service, query: dict) -> None:
    answer = service.client().get("/ogc/collections/surveys/items", query_string=query)
    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/problem+json"
    assert len(answer.get_json()["detail"]) > 20


@pytest.mark.parametrize(
    "path",
    ["?limit=5&limit=6", "?lang=vi&x=1", "/01.00101.x?limit=1", "?f=json&f=html"],
)
def test_parameters_that_are_not_there_or_twice_are_refused(service: Service, path: str) -> None:
    answer = service.client().get(f"/ogc/collections/surveys/items{path}")
    assert answer.status_code == 400


def test_a_limit_beyond_the_greatest_means_the_greatest(service: Service) -> None:
    body = get(service, "/collections/households/items", limit=10**9)
    assert body["numberReturned"] == len(stored(service, "households", "true"))


def test_an_unknown_collection_is_not_found(service: Service) -> None:
    for path in ("", "/items", "/items/1", "/queryables", "/tiles"):
        answer = service.client().get(f"/ogc/collections/accounts{path}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
