"""Requests for tiles: sent again only when something changed, kept apart by who may see what."""

import gzip
import threading

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import Connection, delete, event, func, insert, select, update

from api import access, admission, blueprints, tiles
from api.looks import Looks
from geo import metrics
from geo.account_tables import access_log, account, account_role
from geo.tables import survey
from tests import people
from tests import records_world as world

TILE = "/tiles/surveys/6/50/28.mvt"


@pytest.fixture(autouse=True)
def ids(conn):
    return world.fill(conn)


@pytest.fixture
def app(begin):
    made = OpenAPI("tests")
    access.install(made, begin)
    admission.install(made)
    blueprints.register(made)
    return made


@pytest.fixture
def client(app, conn):
    return people.client(app, conn)


def logged(conn: Connection) -> int:
    return conn.execute(
        select(func.count()).select_from(access_log).where(access_log.c.subject == "tile")
    ).scalar_one()


def change(conn: Connection) -> None:
    """Give all surveys of commune 00101 another verdict."""
    conn.execute(update(survey).where(survey.c.commune_code == "00101").values(verdict="uncertain"))
    metrics.recount(conn, [("01", "00101")])


def test_an_unchanged_tile_is_neither_drawn_nor_sent(client, monkeypatch):
    first = client.get(TILE)
    monkeypatch.setattr(tiles.layers, "tile", None)
    again = client.get(TILE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "private, no-cache"
    kept = client.get(TILE)
    assert (kept.status_code, kept.data) == (200, first.data)


def test_with_a_write_there_is_another_tile(client, conn):
    first = client.get(TILE)
    change(conn)
    second = client.get(TILE, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    assert second.data != first.data
    assert second.headers["ETag"] != first.headers["ETag"]


def test_what_comes_back_to_a_former_count_of_changes_is_not_taken_for_it(client, conn):
    """A database that was put back to an earlier day counts on from there."""
    saved = conn.begin_nested()
    change(conn)
    before = client.get(TILE)
    saved.rollback()
    conn.execute(update(survey).values(verdict="outside"))
    metrics.recount(conn, [("01", "00101")])
    after = client.get(TILE, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.data != before.data


def test_what_one_person_was_shown_is_not_another_s(app, client, conn):
    wide = "/tiles/households/4/12/7.mvt"
    whole = client.get(f"{wide}?area=VN")
    officer = people.client(app, conn, "officer@00101")
    own = officer.get(f"{wide}?area=00101")
    refused = officer.get(f"{wide}?area=01", headers={"If-None-Match": whole.headers["ETag"]})
    assert refused.status_code == 403
    elsewhere = people.client(app, conn, "officer@00102").get(f"{wide}?area=00102")
    assert len({whole.data, own.data, elsewhere.data}) == 3
    for answer in (whole, own, elsewhere):
        assert "Cookie" in answer.headers["Vary"]
        assert "private" in answer.headers["Cache-Control"]


def test_a_large_tile_is_compressed_for_who_can_read_that(client, monkeypatch):
    monkeypatch.setattr(tiles.layers, "tile", lambda *_told, **_filters: b"x" * 5000)
    address = "/tiles/surveys/6/49/28.mvt"
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == b"x" * 5000
    plain = client.get(address)
    assert "Content-Encoding" not in plain.headers
    assert plain.data == b"x" * 5000


def test_a_look_leaves_one_entry_and_a_refusal_each_time(app, client, conn):
    before = logged(conn)
    for x in (808, 809, 810):  # all of them in the tile 8/202/112
        assert client.get(f"/tiles/surveys/10/{x}/450.mvt").status_code == 200
    assert logged(conn) == before + 1
    entry = conn.execute(
        select(access_log)
        .where(access_log.c.subject == "tile")
        .order_by(access_log.c.entry_id.desc())
    ).first()
    assert (entry.subject_id, entry.outcome) == ("surveys/8/202/112", "allowed")
    client.get("/tiles/surveys/10/808/450.mvt?verdict=outside")
    client.get("/tiles/households/10/808/450.mvt")
    client.get("/tiles/surveys/10/900/450.mvt")
    people.client(app, conn, "officer@00101").get("/tiles/surveys/10/808/450.mvt?area=00101")
    assert logged(conn) == before + 5
    officer = people.client(app, conn, "officer@00101")
    for _ in range(2):
        assert officer.get(f"{TILE}?area=01").status_code == 403
    assert logged(conn) == before + 7


def test_who_was_shut_out_gets_no_tile_that_is_kept(app, client, conn):
    who = people.add(conn, "officer@00101")
    officer = people.client(app, conn, account_id=who)
    first = officer.get(f"{TILE}?area=00101")
    assert first.status_code == 200
    conn.execute(update(account).where(account.c.account_id == who).values(disabled_at=func.now()))
    again = officer.get(f"{TILE}?area=00101", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 401


def test_who_asks_is_proved_in_the_transaction_that_reads(app, conn):
    officer = people.client(app, conn, "officer@00101")
    assert officer.get(f"{TILE}?area=00101").status_code == 200
    asked: list[str] = []
    event.listen(conn, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert officer.get(f"{TILE}?area=00101").status_code == 200
    assert [one for one in asked if "SAVEPOINT" in one and "RELEASE" not in one][1:] == []
    assert sum("account_grounds" in one for one in asked) == 1


def test_a_role_that_came_since_counts_at_once(app, conn):
    who = people.add(conn, "enumerator@00101")
    one = people.client(app, conn, account_id=who)
    assert one.get(f"{TILE}?area=00101").status_code == 200
    assert one.get(f"{TILE}?area=01").status_code == 403
    conn.execute(
        insert(account_role).values(
            account_id=who, role="auditor", area_code="01", province_code="01"
        )
    )
    assert one.get(f"{TILE}?area=01").status_code == 200


def test_a_role_that_went_since_counts_no_more(app, conn):
    who = people.add(conn, "officer@00101")
    officer = people.client(app, conn, account_id=who)
    assert officer.get(f"{TILE}?area=00101").status_code == 200
    conn.execute(delete(account_role).where(account_role.c.account_id == who))
    assert officer.get(f"{TILE}?area=00101").status_code == 403


def test_a_view_that_forgets_to_prove_who_asks_answers_nothing(app, conn, caplog):
    @app.get("/forgetful")
    @access.needs("records.read")
    @access.proved_within
    def forgetful() -> str:
        return "told"

    officer = people.client(app, conn, "officer@00101")
    assert officer.get(f"{TILE}?area=00101").status_code == 200
    answer = officer.get("/forgetful")
    assert (answer.status_code, b"told" in answer.data) == (500, False)
    assert "forgetful was to prove who asks" in caplog.text


@pytest.mark.parametrize(
    ("tile", "piece"),
    [
        (("surveys", 0, 0, 0), "surveys/0/0/0"),
        (("surveys", 3, 6, 3), "surveys/3/6/3"),
        (("surveys", 7, 101, 56), "surveys/4/12/7"),
        (("surveys", 8, 202, 112), "surveys/8/202/112"),
        (("sites", 14, 12991, 7200), "sites/8/202/112"),
    ],
)
def test_the_log_names_the_piece_of_the_map_that_holds_a_tile(tile, piece):
    assert tiles.logged_piece(*tile) == piece


def entries(conn: Connection) -> list[tuple[str, str]]:
    """Subject and query of the entries about tiles, the oldest first."""
    found = select(access_log.c.subject_id, access_log.c.query).where(
        access_log.c.subject == "tile"
    )
    return [tuple(row) for row in conn.execute(found.order_by(access_log.c.entry_id))]


def test_no_padding_keeps_a_look_out_of_the_log(client, conn):
    pad = "verdict=inside&" * 200
    for wanted in ("area=01", "area=02", "area=01&enumerator=Z9", "area=01&rule=outside"):
        assert client.get(f"{TILE}?{pad}{wanted}").status_code == 200
    assert [query for _piece, query in entries(conn)] == [
        "verdict=inside&area=01",
        "verdict=inside&area=02",
        "verdict=inside&area=01&enumerator=Z9",
        "verdict=inside&area=01&rule=outside",
    ]


def test_what_is_cut_from_a_long_query_is_told_by_a_digest(app):
    told = []
    for end in "ab":
        with app.test_request_context(f"/?area=01&q={'x' * 3000}{end}"):
            told.append(access.query_text())
    assert told[0][:1900] == told[1][:1900] == f"area=01&q={'x' * 1890}"
    assert told[0] != told[1]
    assert max(map(len, told)) < 2000


def test_what_draws_otherwise_makes_another_tile(client, monkeypatch):
    first = client.get(TILE)
    monkeypatch.setattr(tiles.layers, "edition", lambda: "the next")
    again = client.get(TILE, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "address", [TILE, "/api/v1/surveys", "/api/v1/findings", "/api/v1/sites", "/api/v1/audit"]
)
def test_a_rule_that_is_none_is_refused_instead_of_finding_nothing(client, address):
    refused = client.get(f"{address}?rule=nix")
    assert (refused.status_code, "audit rule" in refused.text) == (400, True)
    assert client.get(f"{address}?rule=travel_speed").status_code == 200


def test_a_filter_without_a_value_is_none(client):
    assert client.get(f"{TILE}?enumerator=&rule=").data == client.get(TILE).data != b""


def test_who_comes_at_the_same_time_waits_for_the_one_entry():
    looks, stored, begun = Looks(), [], threading.Barrier(8)

    def ask():
        begun.wait()
        with looks.first("a look") as first:
            if first:
                stored.append(first)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(stored) == 1


def test_a_look_whose_entry_could_not_be_stored_is_not_covered():
    looks = Looks()
    with pytest.raises(OSError), looks.first("a look") as first:
        assert first
        raise OSError
    with looks.first("a look") as again:
        assert again
    with looks.first("a look") as covered:
        assert not covered
