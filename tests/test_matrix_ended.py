"""Rights that end in the middle of a session: the next request of the same client is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, update

from geo.account_tables import account_role, login_session, token
from geo.accounts import credentials, sessions, store, tokens
from geo.tables import area
from tests import people
from tests.matrix_asking import Call, World
from tests.matrix_calls import row
from tests.matrix_people import PEOPLE
from tests.matrix_world import SPOTS

A1 = SPOTS["A1"]
OFFICER, TOKEN = PEOPLE["officer@A1"], PEOPLE["token of officer@A1"]
READS = {
    "page": Call("/progress/00101"),
    "records": Call("/api/v1/households", query={"area": "00101"}),
    "one": Call(f"/api/v1/surveys/{A1.survey}"),
    "file": Call("/api/v1/households", query={"area": "00101", "format": "csv"}),
    "tile": Call("/tiles/households/0/0/0.mvt", query={"area": "00101"}),
    "sent": Call("/api/v1/households", "POST", json=row("households", A1)),
}
BY_TOKEN = ("records", "one", "tile")
End = Callable[[Connection, int], None]


def role_taken_back(conn: Connection, account_id: int) -> None:
    conn.execute(delete(account_role).where(account_role.c.account_id == account_id))


def role_moved_next_door(conn: Connection, account_id: int) -> None:
    role_taken_back(conn, account_id)
    people.give(conn, account_id, "officer", "00102")


def role_made_a_lesser_one(conn: Connection, account_id: int) -> None:
    role_taken_back(conn, account_id)
    people.give(conn, account_id, "administrator", "00101")


def area_ended(conn: Connection, account_id: int) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    conn.execute(update(area).where(area.c.code == "00101").values(valid_to=yesterday))


def account_disabled(conn: Connection, account_id: int) -> None:
    store.disable(conn, None, account_id)


def password_reset(conn: Connection, account_id: int) -> None:
    credentials.reset_password(conn, None, account_id)


def signed_out_everywhere(conn: Connection, account_id: int) -> None:
    sessions.end_all(conn, account_id)


def too_long_ago(conn: Connection, account_id: int) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for table in (login_session, token):
        conn.execute(update(table).where(table.c.account_id == account_id).values(expires_at=past))


def token_revoked(conn: Connection, account_id: int) -> None:
    user = store.user_of(conn, account_id)
    for one in tokens.listing(conn, account_id):
        tokens.revoke(conn, user, one.token_id)


SHUT_OUT = (account_disabled, password_reset, too_long_ago)
RIGHTS = (role_taken_back, role_moved_next_door, role_made_a_lesser_one)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("end", [*SHUT_OUT, signed_out_everywhere])
def test_a_session_that_ended_opens_nothing(matrix: World, end: End, name: str) -> None:
    call = READS[name]
    with matrix.case() as conn:
        assert matrix.ask(OFFICER, call).status in (200, 201)
        end(conn, int(matrix.entries[OFFICER.name]["account_id"]))
        answer = matrix.ask(OFFICER, call)
        assert answer.status == (303 if name == "page" else 401)
        assert A1.mark("R") not in answer.text


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("end", RIGHTS)
def test_a_role_that_ended_opens_nothing(matrix: World, end: End, name: str) -> None:
    call = READS[name]
    with matrix.case() as conn:
        assert matrix.ask(OFFICER, call).status in (200, 201)
        end(conn, int(matrix.entries[OFFICER.name]["account_id"]))
        answer = matrix.ask(OFFICER, call)
    # Who has the role next door now may send, and read by id, but not these.
    beside = {"one": 404, "sent": 422} if end is role_moved_next_door else {}
    assert answer.status == beside.get(name, 403)
    assert A1.mark("R") not in answer.text.replace(A1.household, "").replace(
        f"{A1.mark('R')}-new", ""
    )


@pytest.mark.parametrize("name", READS)
def test_a_role_ends_with_its_area(matrix: World, name: str) -> None:
    with matrix.case() as conn:
        area_ended(conn, 0)
        answer = matrix.ask(OFFICER, READS[name])
    assert answer.status == 403
    assert A1.mark("R") not in answer.text


@pytest.mark.parametrize("name", BY_TOKEN)
@pytest.mark.parametrize("end", [*SHUT_OUT, token_revoked])
def test_a_token_that_ended_opens_nothing(matrix: World, end: End, name: str) -> None:
    with matrix.case() as conn:
        assert matrix.ask(TOKEN, READS[name]).status == 200
        end(conn, int(matrix.entries[TOKEN.name]["account_id"]))
        answer = matrix.ask(TOKEN, READS[name])
    assert answer.status == 401
    assert A1.mark("R") not in answer.text


@pytest.mark.parametrize("name", BY_TOKEN)
@pytest.mark.parametrize("end", RIGHTS)
def test_a_token_never_does_more_than_its_account(matrix: World, end: End, name: str) -> None:
    with matrix.case() as conn:
        end(conn, int(matrix.entries[TOKEN.name]["account_id"]))
        answer = matrix.ask(TOKEN, READS[name])
    next_door = end is role_moved_next_door and name == "one"
    assert answer.status == (404 if next_door else 403)
    assert A1.mark("R") not in answer.text


def test_reports_of_imports_go_with_the_role(matrix: World) -> None:
    page = Call("/import")
    with matrix.case() as conn:
        stored = row("households", A1)
        assert matrix.ask(OFFICER, Call("/api/v1/households", "POST", json=stored)).status == 201
        assert "<td>api</td>" in matrix.ask(OFFICER, page).text
        role_moved_next_door(conn, int(matrix.entries[OFFICER.name]["account_id"]))
        answer = matrix.ask(OFFICER, page)
    assert answer.status == 200
    assert "<td>api</td>" not in answer.text
    assert A1.mark("R") not in answer.text
