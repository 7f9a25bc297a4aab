"""What a request leaves in the access log: with the change itself, and of what was refused."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, insert, select, text

from geo import db
from geo.account_tables import access_log
from geo.scope import OPERATOR
from geo.tables import household
from tests import page_data, people
from web.app import create_app

ROW = {
    "household_code": "N1",
    "head_name": "Lò Văn Sơn",
    "recorded_address": "Xã Ba Bể",
    "commune_code": "05001",
}


@pytest.fixture
def url(make_database: Callable[..., str], template_url: str) -> str:
    return make_database(template_url)


def test_a_change_whose_entry_cannot_be_stored_is_not_stored(url: str) -> None:
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        page_data.add_areas(conn)
        client = people.client(app, conn, "officer@05001")
        conn.execute(text("REVOKE INSERT ON access_log FROM ancu_runtime"))
    answer = client.post("/api/v1/households", json=ROW)
    assert answer.status_code == 503
    with db.transaction(url, scope=OPERATOR) as conn:
        assert conn.scalar(select(func.count()).select_from(household)) == 0
        conn.execute(text("GRANT INSERT ON access_log TO ancu_runtime"))
    assert client.post("/api/v1/households", json=ROW).status_code == 201
    with db.transaction(url, scope=OPERATOR) as conn:
        (entry,) = conn.execute(select(access_log).where(access_log.c.action == "records.send"))
        assert (entry.outcome, entry.rows, entry.subject) == ("allowed", 1, "households")
    db.engine(url).dispose()


@pytest.fixture
def client(conn: Connection, begin: Callable) -> object:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    conn.execute(
        insert(household).values(
            province_code="19",
            commune_code="05002",
            household_code="N/9",
            head_name="A",
            recorded_address="B",
            search_key="a",
            content_hash="x",
        )
    )
    return people.client(create_app(begin), conn, "supervisor@05001", "enumerator@05001")


@pytest.mark.parametrize(
    ("method", "path", "outcome", "subject", "query"),
    [
        ("GET", "/households/19/N/9", "denied", "household", "/households/19/N/9"),
        ("GET", "/households/19/N9?commune=05002", "denied", "household", "commune=05002"),
        ("GET", "/api/v1/sites/19/N/7", "denied", "site", "/api/v1/sites/19/N/7"),
        ("POST", "/households/19/H1/national-id", "denied", "household", "national-id"),
        ("GET", "/audit?area=05002&rule=outside", "denied", "", "rule=outside"),
        ("GET", "/progress/VN", "denied", "", "/progress/VN"),
    ],
)
def test_what_was_refused_is_kept_with_what_was_asked(
    client, conn: Connection, method: str, path: str, outcome: str, subject: str, query: str
) -> None:
    assert client.open(path, method=method).status_code in (403, 404)
    entry = conn.execute(select(access_log).order_by(access_log.c.entry_id.desc())).first()
    assert entry is not None
    assert (entry.outcome, entry.subject) == (outcome, subject)
    assert query in entry.query
