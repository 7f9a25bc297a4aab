"""Downloads: nobody's slow line holds the database, and no part of a file looks like the whole."""

import io
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from api import downloads
from api.downloads import CutError, Download
from api.tickets import Ticket
from geo import areas, db, exports, schema
from geo.scope import OPERATOR, bind
from tests import records_world as world

ROWS = 40_000


@pytest.fixture(scope="module")
def engine(make_database):
    """A database of its own with as many households as fill more than a pipe would hold."""
    made = create_engine(make_database())
    with made.begin() as conn:
        schema.migrate(conn)
    with made.begin() as conn:
        bind(conn, OPERATOR)
        world.build(conn)
        conn.execute(
            text(
                "INSERT INTO household (province_code, commune_code, household_code, head_name,"
                " recorded_address, search_key, content_hash)"
                " SELECT '01', '00101', 'H' || n, 'Nguyễn Văn An', 'Thôn 1', '', 'x'"
                " FROM generate_series(1, :n) n"
            ),
            {"n": ROWS},
        )
    yield made
    made.dispose()


@pytest.fixture
def download(engine):
    """download(format, …) → one that runs when it is told to; its file goes with the test."""
    made = []

    def make(format="csv", ticket=None, opened=None):
        made.append(_download(engine, format, ticket, opened))
        return made[-1]

    yield make
    for one in made:
        if not one.file.finished:
            one.file.fail()
        one.file.leave()


def _download(engine, format, ticket, opened):
    @contextmanager
    def transaction():
        with engine.begin() as conn:
            bind(conn, OPERATOR)
            yield conn

    with transaction() as conn:
        area = areas.get(conn, "VN")
    made = Download(opened or transaction, "households", area, format, {}, ticket or Ticket(None))
    downloads._slots.acquire()
    return made


def nobody_gone():
    return False


@pytest.mark.parametrize("format", ["csv", "geojson", "kml", "parquet", "gpkg", "xlsx"])
def test_who_follows_gets_the_file_and_holds_no_connection(engine, download, format):
    made = download(format)
    thread = threading.Thread(target=made.run)
    thread.start()
    chunks = made.chunks(nobody_gone)
    first = next(chunks)
    thread.join()  # the file is whole although one chunk of it was taken
    assert engine.pool.checkedout() == 0
    body = first + b"".join(chunks)
    assert made.file.all_read
    assert made.total == ROWS
    if format in ("csv", "geojson", "kml"):
        out = io.BytesIO()
        with engine.begin() as conn:
            bind(conn, OPERATOR)
            exports.export(conn, "households", areas.get(conn, "VN"), format, out, bom=True)
        assert body == out.getvalue()


def test_a_reader_who_leaves_ends_the_work(engine, download):
    told = []
    made = download()
    made.promise(told.append)
    made.file.leave()
    made.run()
    assert told == ["The client went away before the file was made."]
    assert engine.pool.checkedout() == 0


def test_a_reader_who_stops_half_way_is_told_of(download):
    told = []
    made = download()
    made.run()
    made.promise(told.append)
    body = downloads.Body(made, nobody_gone, True)
    next(iter(body))
    body.close()
    body.close()
    assert told == ["the client went away"]


def test_who_took_all_is_not_told_of(download):
    told = []
    made = download()
    made.run()
    made.promise(told.append)
    body = downloads.Body(made, nobody_gone, True)
    assert len(b"".join(body).splitlines()) == ROWS + 1
    body.close()
    assert told == []


def test_what_fails_half_way_is_broken_off(engine, download):
    """The database goes while the file is read: the bytes so far are no file."""
    told = []

    @contextmanager
    def dying():
        with db.translated_errors(), engine.connect() as conn:
            bind(conn, OPERATOR)
            number = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            write = made.file.write

            def kill_later(data):
                made.file.write = write
                with engine.begin() as other:
                    other.execute(text("SELECT pg_terminate_backend(:n)"), {"n": number})
                return write(data)

            made.file.write = kill_later
            yield conn
            conn.commit()

    made = download(opened=dying)
    made.promise(told.append)
    made.run()
    with pytest.raises(CutError, match="database"):
        b"".join(made.chunks(nobody_gone))
    assert len(told) == 1
    assert made.file.finished is False


def test_a_client_found_gone_is_no_longer_waited_for(download):
    made = download()  # nobody makes it
    with pytest.raises(CutError, match="gone"):
        next(made.chunks(lambda: True))
    downloads._slots.release()


def test_a_page_learns_how_far_its_own_export_is(download):
    ticket = Ticket.of(7, "page-word-1")
    assert ticket.read() is None
    made = download(ticket=ticket)
    made.run()
    assert Ticket.of(7, "page-word-1").read() == {"state": "done", "done": ROWS, "total": ROWS}
    assert Ticket.of(8, "page-word-1").read() is None


@pytest.mark.parametrize("word", ["", "short", "../../etc/passwd", "a" * 65, "spaß-spaß"])
def test_a_word_that_is_none_has_no_ticket(word):
    ticket = Ticket.of(7, word)
    ticket.tell("read", 1, 2)
    assert ticket.path is None
    assert ticket.read() is None
