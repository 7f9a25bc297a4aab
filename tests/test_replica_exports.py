"""Exports are read from the replica; where it is lost before the first byte, from the primary."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, func, select, text

from api import downloads
from api.downloads import CutError, Download
from api.tickets import Ticket
from geo import areas, db
from geo.account_tables import access_log
from geo.scope import OPERATOR, Scope, bind
from tests import test_replica
from tests.test_replica import LAG_S, Pair, head, signed_in

# The two clusters are built as that module builds them.
clusters, pair = test_replica.clusters, test_replica.pair

FILE = "/api/v1/households?area=00101&format=csv"
MINE = Scope(provinces=frozenset({"01"}), action="records.export", account_id=1)


@pytest.fixture(params=[False, True], ids=["in place", "in a thread"])
def threads(request: pytest.FixtureRequest, pair: Pair) -> None:
    """Exports beside the request, as a server makes them, and within it."""
    downloads.install(pair.app, threads=request.param)


@pytest.mark.usefixtures("threads")
def test_a_file_comes_from_the_replica_and_its_entry_is_on_the_primary(pair: Pair) -> None:
    client, account_id = signed_in(pair)
    pair.write(head("Trước"))
    pair.caught_up()
    pair.pause()
    pair.write(head("Sau"))
    taken = client.get(FILE)
    assert taken.status_code == 200, taken.text
    assert "Trước" in taken.text
    assert "Sau" not in taken.text
    entries = select(func.sum(access_log.c.rows)).where(
        access_log.c.account_id == account_id, access_log.c.action == "records.export"
    )
    with pair.owner.connect() as conn:
        bind(conn, OPERATOR)
        assert conn.scalar(entries) == len(taken.text.splitlines()) - 1
    for _ in range(int(LAG_S / 0.6) + 1):  # what the replica shows is too old from now on
        pair.learn()
    late = client.get(FILE)
    assert "Sau" in late.text


def lost_at(pair: Pair, made: Download, moment: str) -> downloads.Open:
    """A transaction on the replica that ends at its beginning, or once the file has begun."""

    @contextmanager
    def opened() -> Iterator[Connection]:
        with pair.opener.opened(MINE, 0) as conn:
            assert conn.scalar(text("SELECT pg_is_in_recovery()")) is True
            number = conn.scalar(text("SELECT pg_backend_pid()"))
            end = f"SELECT pg_terminate_backend({number})"
            if moment == "beginning":
                pair.on_replica(end)
            else:
                write = made.file.write

                def end_then_write(data: bytes) -> int:
                    made.file.write = write  # type: ignore[method-assign]
                    pair.on_replica(end)
                    return write(data)

                made.file.write = end_then_write  # type: ignore[method-assign]
            yield conn

    return opened


def download(pair: Pair, format: str, moment: str) -> Download:
    with db.served(MINE, pair.primary.url()) as conn:
        area = areas.get(conn, "00101")
    made = Download(
        lambda: lost_at(pair, made, moment)(), "households", area, format, {}, Ticket(None),
        lambda: pair.opener.opened(MINE, None),
    )  # fmt: skip
    downloads._slots.acquire()
    return made


@pytest.mark.parametrize(
    ("format", "moment"),
    [("csv", "beginning"), ("csv", "file"), ("geojson", "beginning"), ("gpkg", "beginning")],
)
def test_a_replica_that_is_lost_before_the_first_byte_is_not_noticed(
    pair: Pair, format: str, moment: str
) -> None:
    pair.write(head("Lò Thị Mai"))
    pair.caught_up()
    made = download(pair, format, moment)
    made.run()
    assert made.error is None
    body = b"".join(made.chunks(lambda: False))
    assert body.count("Lò Thị Mai".encode()) == 1
    if format == "csv":
        assert body.count(b"household_code") == 1
        assert len(body.splitlines()) == made.total + 1
    made.file.leave()


def test_one_that_is_lost_later_breaks_the_file_off(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = download(pair, "csv", "file")
    restart = made.file.restart

    def begun() -> bool:
        made.file.write(b"what the reader has")
        made.file.flush()
        assert made.file.next(0)
        return restart()

    monkeypatch.setattr(made.file, "restart", begun)
    made.run()
    with pytest.raises(CutError, match="database does not answer"):
        b"".join(made.chunks(lambda: False))
    made.file.leave()
