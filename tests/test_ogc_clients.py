"""The clients that people really use: GDAL (and with it QGIS) and OWSLib, over HTTP, by token."""

from collections.abc import Callable, Iterator

import pyogrio
import pytest
from owslib.ogcapi.features import Features
from owslib.util import Authentication
from pyproj import Transformer

from tests import gdal_client, ogc_world
from tests.gdal_client import read
from tests.ogc_world import MANY, Service

POINTED = "geom IS NOT NULL AND NOT removed"


@pytest.fixture(scope="module")
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    with ogc_world.service(make_database, template_url) as made:
        yield made


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    with gdal_client.served(service) as found:
        yield found


@pytest.fixture
def gdal(service: Service) -> Iterator[None]:
    with gdal_client.token(service):
        yield


@pytest.mark.usefixtures("gdal")
def test_gdal_lists_the_collections(address: str) -> None:
    found = {name for name, _kind in pyogrio.list_layers(f"OAPIF:{address}")}
    assert found == {"areas", "households", "surveys", "sites", "findings"}


@pytest.mark.usefixtures("gdal")
@pytest.mark.parametrize("size", ["100", "999", "10000"])
def test_gdal_reads_every_household_over_pages(service: Service, address: str, size: str) -> None:
    found = read(address, "households", PAGE_SIZE=size)
    stored = service.rows(
        "SELECT household_code, head_name, members, status, ST_X(geom) AS lon, ST_Y(geom) AS lat "
        "FROM household WHERE NOT removed"
    )
    assert len(stored) > MANY
    given = {
        row.household_code: (
            row.head_name,
            None if row.members != row.members else int(row.members),
            row.status if isinstance(row.status, str) else None,
            None if row.geometry is None else (row.geometry.x, row.geometry.y),
        )
        for row in found.itertuples()
    }
    assert given == {
        row["household_code"]: (
            row["head_name"],
            row["members"],
            row["status"],
            None if row["lon"] is None else (row["lon"], row["lat"]),
        )
        for row in stored
    }
    assert len(found) == len(stored)


@pytest.mark.usefixtures("gdal")
def test_gdal_reads_a_box(service: Service, address: str) -> None:
    found = read(address, "households", bbox=(105.02, 21.03, 105.04, 21.05))
    stored = service.rows(
        f"SELECT household_code FROM household WHERE {POINTED} "
        "AND ST_Intersects(geom, ST_MakeEnvelope(105.02, 21.03, 105.04, 21.05, 4326))"
    )
    assert 50 < len(stored) < MANY
    assert set(found.household_code) == {row["household_code"] for row in stored}


@pytest.mark.usefixtures("gdal")
@pytest.mark.parametrize(
    "condition",
    [
        "status = 'poor'",
        "members > 7 AND status <> 'poor'",
        "household_code IN ('M00001', 'M02000', 'none')",
        "head_name LIKE 'Người 3%' AND members <= 2",
    ],
)
def test_gdal_reads_by_attributes(service: Service, address: str, condition: str) -> None:
    found = read(address, "households", where=condition)
    stored = service.rows(f"SELECT household_code FROM household WHERE NOT removed AND {condition}")
    assert stored
    assert set(found.household_code) == {row["household_code"] for row in stored}


@pytest.mark.usefixtures("gdal")
@pytest.mark.parametrize("code", [4756, 3857, 3405, 9213])
def test_gdal_reads_in_a_reference_system(service: Service, address: str, code: int) -> None:
    found = read(address, "sites", CRS=f"EPSG:{code}")
    assert found.crs.to_epsg() == code
    to = Transformer.from_crs(4326, code, always_xy=True)
    (stored,) = service.rows("SELECT ST_X(geom) AS lon, ST_Y(geom) AS lat FROM site")
    x, y = to.transform(stored["lon"], stored["lat"])
    assert (found.geometry.x[0], found.geometry.y[0]) == pytest.approx((x, y), abs=1e-3)


@pytest.mark.usefixtures("gdal")
def test_gdal_reads_areas_surveys_and_findings(service: Service, address: str) -> None:
    areas = read(address, "areas")
    assert set(areas[areas.level == "commune"].code) == set(ogc_world.SQUARES)
    (one,) = areas[areas.code == "00101"].geometry
    assert one.bounds == pytest.approx((105.0, 21.0, 105.1, 21.1))
    surveys = read(address, "surveys")
    stored = service.rows("SELECT survey_id::text AS id FROM survey WHERE NOT removed")
    assert set(surveys.survey_id) == {row["id"] for row in stored}
    findings = read(address, "findings")
    assert sorted(findings.rule) == ["mock_location", "outside", "site_far", "uncertain"]
    assert findings[findings.rule == "outside"].geometry.x.tolist() == [105.15]


def owslib(service: Service, address: str) -> Features:
    headers = {"Authorization": f"Bearer {service.token}"}
    return Features(f"{address}/", headers=headers, auth=Authentication())


def test_owslib_describes_the_service(service: Service, address: str) -> None:
    client = owslib(service, address)
    assert client.links
    assert client.feature_collections() == [
        "areas", "households", "surveys", "sites", "findings"
    ]  # fmt: skip
    assert (
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
        in (client.conformance()["conformsTo"])
    )
    assert client.collection("households")["id"] == "households"
    assert "status" in client.collection_queryables("households")["properties"]
    assert client.api()["openapi"].startswith("3.0")


def test_owslib_reads_features(service: Service, address: str) -> None:
    client = owslib(service, address)
    poor = client.collection_items("households", limit=10000, status="poor")
    stored = service.rows("SELECT count(*) AS n FROM household WHERE status = 'poor'")
    assert len(poor["features"]) == stored[0]["n"] == poor["numberMatched"]
    first = poor["features"][0]
    one = client.collection_item("households", first["id"])
    assert one["properties"] == first["properties"]
    box = client.collection_items("households", bbox=[105.02, 21.03, 105.04, 21.05], limit=10)
    assert box["numberReturned"] == 10
    far = client.collection_items("surveys", filter="distance_m < -100 AND verdict = 'outside'")
    assert {one["properties"]["distance_m"] for one in far["features"]} == {-5200.5, -120.0}


def test_without_a_token_a_client_gets_nothing(address: str) -> None:
    with pytest.raises(pyogrio.errors.DataSourceError):
        read(address, "households")
