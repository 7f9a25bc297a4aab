"""Intake over HTTP: statuses, both kinds of body, and what a refusal tells."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import Connection, func, select

from api import access, admission, errors, imports
from geo.intake.imports import import_rows
from geo.tables import import_conflict, survey
from tests import intake_world as world
from tests import people
from tests.test_readers import save_xlsx


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    world._area(conn, "VN", "country", "Nước Việt Nam", None, None)
    world.build(conn)
    import_rows(conn, "households", [(1, world.household())], source="test")
    app = OpenAPI("test")
    access.install(app, begin)
    admission.install(app)
    errors.register(app)
    app.register_api(imports.blueprint)
    return people.client(app, conn)


def stored(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(survey)).scalar_one()


def test_a_survey_is_created_once(client: FlaskClient, conn: Connection) -> None:
    first = client.post("/api/v1/surveys", json=world.survey())
    again = client.post("/api/v1/surveys", json=world.survey())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["added"] == 1 and first.json["verdicts"] == {"inside": 1}
    assert again.json["unchanged"] == 1
    assert stored(conn) == 1


def test_another_copy_of_a_survey_is_a_conflict_and_kept_aside(
    client: FlaskClient, conn: Connection
) -> None:
    client.post("/api/v1/surveys", json=world.survey())
    answer = client.post("/api/v1/surveys", json=world.survey(lat=21.02))
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert conn.execute(select(func.count()).select_from(import_conflict)).scalar() == 1


def test_many_rows_are_stored_together_or_not_at_all(client: FlaskClient, conn: Connection) -> None:
    rows = [world.survey(1), world.survey(2, household_code="H9")]
    refused = client.post("/api/v1/surveys", json={"rows": rows})
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"
    assert refused.json["problems"] == [
        {
            "where": "line 2",
            "reason": "household_code: there is no household “H9”; import the households first",
        }
    ]
    assert stored(conn) == 0
    assert client.post("/api/v1/surveys", json={"rows": rows[:1]}).status_code == 201


def test_null_values_count_as_blank(client: FlaskClient) -> None:
    row = world.survey() | {"device_id": None, "crs": None, "photo": ""}
    assert client.post("/api/v1/surveys", json=row).status_code == 201


def test_a_dry_run_stores_nothing(client: FlaskClient, conn: Connection) -> None:
    answer = client.post("/api/v1/surveys?dry_run=true", json=world.survey())
    assert (answer.status_code, answer.json["added"], answer.json["dry_run"]) == (200, 1, True)
    assert stored(conn) == 0


def upload(client: FlaskClient, content: bytes, name: str = "s.csv") -> object:
    return client.post("/api/v1/sites", data={"file": (io.BytesIO(content), name)})


def test_a_file_is_taken_in_under_its_own_name(client: FlaskClient) -> None:
    answer = upload(client, b"site_code;household_code;kind\nS1;H1;new\n", "../../Nhà tạm.csv")
    assert answer.status_code == 201
    assert (answer.json["source"], answer.json["added"]) == ("Nhà tạm.csv", 1)


@pytest.mark.parametrize("name", ["Nhà tạm.xlsx", "Nhà tạm.csv", "upload"])
def test_a_workbook_is_taken_in_whatever_its_name(
    client: FlaskClient, tmp_path: Path, name: str
) -> None:
    table = [["site_code", "household_code", "kind"], ["S1", "H1", "new"]]
    answer = upload(client, save_xlsx(tmp_path, table).read_bytes(), name)
    assert answer.status_code == 201
    assert (answer.json["source"], answer.json["added"]) == (name, 1)


@pytest.mark.parametrize("name", ["Nhà tạm.csv", "upload.csv", "a upload b.csv"])
def test_a_refused_file_is_called_by_its_own_name(client: FlaskClient, name: str) -> None:
    for content in (b"", b"%PDF-1.7", b"site_code\nS1\n", b"site_code,household_code,kind\n"):
        answer = upload(client, content, name)
        assert answer.status_code == 422
        assert answer.json["detail"].startswith(f"{name} ")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"lon": NaN}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"[1]", "application/json", 422),
        (b"7", "application/json", 422),
        (b'{"rows": 7}', "application/json", 422),
        (b"x", "multipart/form-data", 400),
        (b"\xff\xfe\x00", "text/plain", 400),
        (b'{"\\ud800": 1}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_the_senders_error(
    client: FlaskClient, body: bytes, kind: str, status: int
) -> None:
    answer = client.post("/api/v1/surveys", data=body, content_type=kind)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04broken", b"a,a\n1,2\n"])
def test_a_file_that_cannot_be_read_is_refused(client: FlaskClient, content: bytes) -> None:
    assert upload(client, content).status_code == 422


def test_a_body_beyond_the_limit_is_too_large(client: FlaskClient) -> None:
    client.application.config["MAX_CONTENT_LENGTH"] = 1 << 20
    assert client.post("/api/v1/surveys", data=b"x" * 1_100_000).status_code == 413


def test_the_document_describes_the_three_operations(client: FlaskClient) -> None:
    document = client.get("/openapi/openapi.json").json
    for kind, key in (("households", "head_name"), ("surveys", "survey_id"), ("sites", "stage")):
        operation = document["paths"][f"/api/v1/{kind}"]["post"]
        assert {"200", "201", "409", "413", "422"} <= set(operation["responses"])
        one = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
        assert key in one["properties"]
