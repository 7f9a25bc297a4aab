"""Exports from a real server: slow lines, clients that leave, and a database that goes away."""

import csv
import http.client
import io
import socket
import threading
import time
import urllib.request
from dataclasses import dataclass

import pytest
from sqlalchemy import select, text

from api.downloads import AT_ONCE
from geo import areas
from geo.account_tables import access_log
from geo.accounts import store, tokens
from geo.tables import household
from tests import people
from tests.served import Served, served

PROVINCE = "19"
MANY, SOME, FEW = 300_000, 40_000, 150
"""Rows: enough that a database can be stopped while it reads them; that no connection's buffers
hold them; that they come in seconds at RATE."""
RATE = 2048
_WITHIN_S = 60


@dataclass
class World:
    """A service with MANY, SOME and FEW households in three communes, and who may export them."""

    service: Served
    token: str
    many: str
    some: str
    few: str

    def ask(self, path: str) -> http.client.HTTPConnection:
        made = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=_WITHIN_S)
        made.request("GET", path, headers=self.headers)
        return made

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="module")
def world():
    with served() as service:
        with service.begin() as conn:
            communes = [one.code for one in areas.children(conn, PROVINCE)[:3]]
            # The foreign key holds; to check it for each row would double the time.
            conn.execute(text("SET LOCAL session_replication_role = replica"))
            for code, count in zip(communes, (MANY, SOME, FEW), strict=True):
                conn.execute(
                    text(
                        "INSERT INTO household (province_code, commune_code, household_code,"
                        " head_name, recorded_address, search_key, content_hash)"
                        " SELECT :province, :commune, 'H' || n, 'Nguyễn Văn An',"
                        " 'Thôn 1, xã ' || n, '', 'x' FROM generate_series(1, :n) n"
                    ),
                    {"province": PROVINCE, "commune": code, "n": count},
                )
            account_id = people.add(conn, f"officer@{PROVINCE}", login="exports")
            user = store.as_user(store.get(conn, account_id))
            _, token = tokens.make(conn, user, "xuất", ["records.read", "records.export"], 30)
        yield World(service, token, *communes)


def slowly(world: World, path: str, body: bytearray, enough: threading.Event) -> None:
    """Take an answer at RATE bytes a second until it ends; faster once that is enough."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(_WITHIN_S)
        line.connect(("127.0.0.1", world.service.port))
        head = "".join(f"{name}: {value}\r\n" for name, value in world.headers.items())
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{head}\r\n".encode()
        )
        while piece := line.recv(RATE // 8 if not enough.is_set() else 1 << 16):
            body += piece
            enough.wait(0 if enough.is_set() else 1 / 8)


def unchunked(answer: bytes) -> bytes:
    """The body of an answer, with or without the parts that HTTP sends it in."""

    class Line:
        def makefile(self, *_how):
            return io.BytesIO(answer)

    read = http.client.HTTPResponse(Line())
    read.begin()
    return read.read()


def until(found, within_s: float = _WITHIN_S):
    """What `found` gives as soon as it gives something."""
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        if got := found():
            return got
        threading.Event().wait(0.02)
    raise AssertionError("it never came")


def at_work(world: World) -> int:
    """Connections of the server's that are in a transaction."""
    with world.service.begin() as conn:
        return conn.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename = 'ancu_runtime' AND state <> 'idle'"
        ).scalar_one()


def last_entry(world: World, path: str, outcome: str):
    """The newest entry of the access log about a request with this query."""
    query = (
        select(access_log)
        .where(access_log.c.query.contains(path.partition("?")[2].split("&")[-1]))
        .where(access_log.c.outcome == outcome)
        .order_by(access_log.c.entry_id.desc())
    )
    with world.service.begin() as conn:
        return conn.execute(query.limit(1)).mappings().first()


def test_slow_lines_get_whole_files_and_hold_nothing(world: World):
    """More of them than exports are made at a time; one on such a line to its very end."""
    few = f"/api/v1/households?area={world.few}&format=csv"
    some = f"/api/v1/households?area={world.some}&format=csv"
    enough, never = threading.Event(), threading.Event()
    whole, bodies = bytearray(), [bytearray() for _ in range(AT_ONCE + 2)]
    threads = [threading.Thread(target=slowly, args=(world, few, whole, never))]
    threads += [threading.Thread(target=slowly, args=(world, some, one, enough)) for one in bodies]
    for one in threads:
        one.start()
    until(
        lambda: all(
            len(body) > RATE or not one.is_alive()
            for body, one in zip(bodies, threads[1:], strict=True)
        )
    )
    until(lambda: at_work(world) == 0)
    for _ in range(10):
        with urllib.request.urlopen(f"{world.service.url}/healthz", timeout=10) as answer:
            assert answer.status == 200
    assert at_work(world) == 0
    assert all(one.is_alive() for one in threads[1:])
    threads[0].join()
    enough.set()
    for one in threads:
        one.join()
    for body, rows in [(whole, FEW), *((one, SOME) for one in bodies)]:
        assert body.startswith(b"HTTP/1.1 200 "), bytes(body[:500])
        found = list(csv.reader(io.StringIO(unchunked(bytes(body)).decode("utf-8-sig"))))
        assert len(found) == rows + 1
        assert sorted({len(row) for row in found}) == [len(found[0])]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_client_that_leaves_ends_the_work(world: World, format):
    path = f"/api/v1/households?area={world.many}&format={format}&ticket=left-{format}"
    asked = world.ask(path)
    until(lambda: at_work(world) > 0)
    asked.close()
    cut = until(lambda: last_entry(world, path, "failed"))
    if format == "csv":  # an answer was under way; of the other format none had begun
        assert "client went away" in cut["reason"]
    assert at_work(world) == 0


@pytest.mark.parametrize("format", ["csv", "geojson", "gpkg"])
def test_a_file_whose_database_went_away_never_looks_whole(world: World, format):
    more = "&file=1" if format == "geojson" else ""
    path = f"/api/v1/households?area={world.many}&format={format}{more}&ticket=killed-{format}"
    killed: list[int] = []

    def kill() -> None:
        with world.service.begin() as conn:
            killed.extend(
                conn.exec_driver_sql(
                    "SELECT pid FROM pg_stat_activity WHERE usename = 'ancu_runtime'"
                    " AND query LIKE 'COPY%%' AND state = 'active'"
                    " AND pg_terminate_backend(pid)"
                ).scalars()
            )

    asked = world.ask(path)
    answer = asked.getresponse() if format == "csv" else None
    until(lambda: kill() or killed)
    answer = answer or asked.getresponse()
    if answer.status == 200:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert b"database" in answer.read()
    assert format != "csv" or answer.status == 200  # of the others nothing had been sent
    asked.close()
    cut = until(lambda: last_entry(world, path, "failed"))
    assert cut["reason"].startswith("cut: ") == (answer.status == 200)
    with world.service.begin() as conn:
        assert conn.execute(select(household.c.household_code).limit(1)).first() is not None
