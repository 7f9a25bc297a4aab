"""Reads go to a replica that is fresh enough; stopped, behind or back, nobody sees an error."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, text, update

from api import reading
from api.access import begin as begin_request
from api.cli import main
from geo import db, schema
from geo.account_tables import account_role, login_session
from geo.accounts import store, tokens
from geo.cluster import Cluster
from geo.config import settings
from geo.replica import Replica, ReplicaLostError
from geo.scope import OPERATOR, Scope, bind
from geo.tables import household
from tests import people, records_world
from tests.conftest import unpooled
from tests.standby import copy_of
from web.app import create_app

LAG_S = 10.0
# Commits reach the log's file, as in production; that the file reaches the disk takes too long.
QUICK = (("fsync", "off"), ("full_page_writes", "off"))
MINE = Scope(provinces=frozenset({"01"}), action="records.read", account_id=1)


class Clock:
    """A clock that moves only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Pair:
    """A primary and its replica, with an application that has both."""

    primary: Cluster
    standby: Cluster
    owner: Engine
    watcher: Engine
    replica: Replica
    opener: reading.Opener
    app: Flask
    clock: Clock

    def write(self, statement: object) -> int:
        """Commit on the primary; the position of the log after it."""
        with self.owner.begin() as conn:
            bind(conn, OPERATOR)
            conn.execute(statement)
        with self.owner.connect() as conn:
            return int(conn.scalar(text("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn")))

    def on_replica(self, statement: str) -> object:
        with self.watcher.connect() as conn:
            return conn.scalar(text(statement))

    def pause(self) -> None:
        """The replica replays nothing from here on."""
        self.on_replica("SELECT pg_wal_replay_pause()")
        until(lambda: self.on_replica("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        self.on_replica("SELECT pg_wal_replay_resume()")

    def caught_up(self) -> None:
        """Wait until the replica has replayed all that the primary has."""
        with self.owner.begin() as conn:
            conn.execute(text("SELECT txid_current()"))  # so that there is a commit to wait for
        with self.owner.connect() as conn:
            end = conn.scalar(text("SELECT pg_current_wal_flush_lsn()"))
        until(lambda: self.on_replica(f"SELECT pg_last_wal_replay_lsn() >= '{end}'"))

    def learn(self) -> None:
        """What any request does on the primary first, half a second after the last one."""
        self.clock.now += 0.6
        with db.served(MINE, self.primary.url()) as conn:
            self.replica.learn(conn)


def until(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def clusters() -> Iterator[tuple[Cluster, Cluster]]:
    folder = Path(tempfile.mkdtemp(prefix="ancu-replica-"))
    folder.chmod(0o755)
    primary = Cluster(folder / "primary", QUICK)
    (folder / "primary").mkdir(mode=0o755)
    primary.start()
    engine = unpooled(primary.url())
    with engine.begin() as conn:
        bind(conn, OPERATOR)
        schema.migrate(conn)
        records_world.build(conn)
        for commune in ("00101", "00201"):
            records_world.add_household(conn, commune, household_code=f"H-{commune}")
    standby = copy_of(primary, folder / "standby", "--write-recovery-conf")
    standby.start()
    yield primary, standby
    standby.stop()
    primary.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pair(clusters: tuple[Cluster, Cluster]) -> Iterator[Pair]:
    primary, standby = clusters
    standby.start()
    clock = Clock()
    replica = Replica(standby.url(), LAG_S, clock)
    opener = reading.Opener(replica, primary.url())
    made = Pair(
        primary, standby, unpooled(primary.url()), unpooled(standby.url()), replica, opener,
        create_app(opener), clock,
    )  # fmt: skip
    made.resume()
    made.caught_up()
    made.learn()
    made.learn()
    yield made
    standby.start()
    made.resume()
    replica.engine.dispose()


def head(name: str) -> object:
    """A change of one household that tells where it is read."""
    return update(household).where(household.c.household_code == "H-00101").values(head_name=name)


def read(pair: Pair, wrote: int = 0, scope: Scope = MINE) -> str | None:
    """The head of the household as the replica shows it; None when the primary has to serve."""
    with pair.replica.reading(scope, wrote) as conn:
        if conn is None:
            return None
        query = select(household.c.head_name).where(household.c.household_code == "H-00101")
        return conn.scalar(query)


def signed_in(pair: Pair, *held: str) -> tuple[FlaskClient, int]:
    """A browser of a new account that the replica knows of, and the account's number."""
    with pair.owner.begin() as conn:
        bind(conn, OPERATOR)
        account_id = people.add(conn, *(held or ("officer@VN",)))
        client = people.client(pair.app, conn, account_id=account_id)
    pair.caught_up()
    return client, account_id


def head_shown(client: FlaskClient, **headers: str) -> str:
    answer = client.get("/api/v1/households/01/H-00101?commune=00101", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["head_name"])


def test_a_replica_serves_reads_within_the_same_areas(pair: Pair) -> None:
    with pair.replica.reading(MINE) as conn:
        assert conn is not None
        assert conn.scalar(text("SELECT pg_is_in_recovery()")) is True
        assert conn.scalar(text("SELECT current_user")) == "ancu_runtime"
        # Row-level security, without a condition in the query.
        assert conn.scalars(select(household.c.household_code)).all() == ["H-00101"]
    assert pair.replica.state == "used"


def test_without_knowing_the_primary_nothing_is_read_from_the_replica(pair: Pair) -> None:
    unknowing = Replica(pair.standby.url(), LAG_S, pair.clock)
    with unknowing.reading(MINE) as conn:
        assert conn is None
    unknowing.engine.dispose()


def test_what_was_learned_too_long_ago_counts_for_nothing(pair: Pair) -> None:
    assert read(pair) is not None
    pair.clock.now += LAG_S + 1
    assert read(pair) is None


def test_a_replica_may_be_behind_by_so_much_and_no_more(pair: Pair) -> None:
    pair.pause()
    pair.write(head("Mới"))
    pair.learn()  # the end of the log with the change, at this moment
    assert read(pair) not in (None, "Mới")
    assert pair.replica.state == "used"
    for _ in range(int(LAG_S / 0.6)):  # all older positions are forgotten now
        pair.learn()
    assert read(pair) is None
    assert pair.replica.state == "behind"
    assert pair.replica.behind > 0
    pair.resume()
    pair.caught_up()
    assert read(pair) == "Mới"
    assert pair.replica.state == "used"


def test_who_wrote_reads_from_the_primary_until_the_replica_has_it(pair: Pair) -> None:
    pair.pause()
    end = pair.write(head("Của tôi"))
    assert read(pair, wrote=end) is None
    assert read(pair) not in (None, "Của tôi")  # somebody else may see it later
    pair.resume()
    pair.caught_up()
    assert read(pair, wrote=end) == "Của tôi"


def test_a_stopped_replica_is_left_at_once_and_asked_again_later(pair: Pair) -> None:
    assert read(pair) is not None
    pair.standby.stop()
    assert read(pair) is None
    assert pair.replica.state == "away"
    pair.standby.start()
    assert read(pair) is None  # nobody waits for it before it is time
    pair.clock.now += 2.1
    pair.learn()
    assert read(pair) is not None
    assert pair.replica.state == "used"


def test_failures_are_looked_at_ever_more_seldom(pair: Pair) -> None:
    assert read(pair) is not None
    pair.standby.stop()
    tried: list[float] = []
    started = pair.clock.now
    for _ in range(60):
        before = pair.replica._retry_at
        read(pair)
        if pair.replica._retry_at != before:
            tried.append(round(pair.clock.now - started, 1))
        pair.learn()
    assert [round(b - a) for a, b in pairwise(tried)] == [2, 4, 8, 16]


def test_a_replica_that_stops_within_a_transaction_says_so(pair: Pair) -> None:
    with pytest.raises(ReplicaLostError), pair.replica.reading(MINE) as conn:
        assert conn is not None
        pair.standby.stop()
        conn.execute(text("SELECT 1"))
    assert pair.replica.state == "away"


def test_a_primary_is_not_taken_for_its_replica(pair: Pair) -> None:
    mistaken = Replica(pair.primary.url(), LAG_S, pair.clock)
    with db.served(MINE, pair.primary.url()) as conn:
        mistaken.learn(conn)
    assert mistaken.look() == "no replica of this database"
    mistaken.engine.dispose()


def test_nor_a_replica_of_something_else(pair: Pair, cluster: Cluster, empty_url: str) -> None:
    with db.served(MINE, empty_url) as conn:
        other = Replica(pair.standby.url(), LAG_S, pair.clock)
        other.learn(conn)
    assert other.look() == "no replica of this database"
    other.engine.dispose()
    db.engine(empty_url).dispose()


def test_pages_come_from_the_replica_and_rights_from_the_primary(pair: Pair) -> None:
    client, account_id = signed_in(pair)
    pair.pause()
    before = head_shown(client)
    pair.write(head("Chỉ ở máy chính"))
    assert head_shown(client) == before  # so it is the replica that was asked
    with pair.owner.begin() as conn:
        bind(conn, OPERATOR)
        conn.execute(account_role.delete().where(account_role.c.account_id == account_id))
    assert client.get("/api/v1/households/01/H-00101?commune=00101").status_code == 403
    with pair.owner.begin() as conn:
        bind(conn, OPERATOR)
        conn.execute(login_session.delete().where(login_session.c.account_id == account_id))
    assert client.get("/api/v1/households/01/H-00101?commune=00101").status_code == 401


def test_a_browser_sees_what_it_wrote_and_another_may_see_it_later(pair: Pair) -> None:
    client, _ = signed_in(pair)
    other, _ = signed_in(pair)
    pair.pause()
    before = head_shown(other)
    row = {"household_code": "H-new", "head_name": "Lò Văn Mới", "recorded_address": "Xã 00101"}
    sent = client.post("/api/v1/households", json={"rows": [row]})
    assert sent.status_code in (200, 201), sent.text
    pair.write(head("Sau đó"))
    assert head_shown(client) == "Sau đó"
    assert head_shown(other) == before
    pair.resume()
    pair.caught_up()
    assert head_shown(client) == head_shown(other) == "Sau đó"
    with pair.owner.connect() as conn:
        bind(conn, OPERATOR)
        assert conn.scalar(select(func.count()).where(household.c.household_code == "H-new")) == 1


@pytest.mark.parametrize(
    ("actions", "from_replica"),
    [(["records.read"], True), (["records.read", "surveys.send"], False)],
)
def test_a_token_that_may_write_reads_from_the_primary(
    pair: Pair, actions: list[str], from_replica: bool
) -> None:
    _, account_id = signed_in(pair)
    with pair.owner.begin() as conn:
        bind(conn, OPERATOR)
        user = store.user_of(conn, account_id)
        _, secret = tokens.make(conn, user, "Máy tính bảng", actions, days=1)
    pair.pause()
    anonymous = Flask.test_client(pair.app)
    headers = {"Authorization": f"Bearer {secret}"}
    before = head_shown(anonymous, **headers)
    pair.write(head(f"Mới {before}"))
    assert (head_shown(anonymous, **headers) == before) == from_replica


def test_a_page_that_was_cut_off_is_answered_from_the_primary(pair: Pair) -> None:
    client, _ = signed_in(pair)

    def cut_off() -> str:
        with begin_request() as conn:
            if conn.scalar(text("SELECT pg_is_in_recovery()")):
                pair.standby.stop()
            return str(conn.scalar(text("SELECT count(*) FROM household")))

    pair.app.view_functions["progress.home"] = reading.access.needs("records.read")(cut_off)
    answer = client.get("/")
    assert (answer.status_code, int(answer.text) > 1) == (200, True)
    assert pair.replica.state == "away"


def test_health_tells_of_the_replica(pair: Pair) -> None:
    client = pair.app.test_client()
    assert client.get("/healthz").get_json() == {"status": "ok", "replica": "used"}
    pair.standby.stop()
    pair.clock.now += 1
    assert client.get("/healthz").get_json() == {"status": "ok", "replica": "away"}


def test_the_command_tells_of_the_replica(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        settings.cache_clear()
        db.engine.cache_clear()
        done = CliRunner().invoke(main, ["db", "status"])
        assert done.exit_code == 0, done.output
        return next(line for line in done.stdout.splitlines() if line.startswith("Replica:"))

    monkeypatch.setenv("DATABASE_URL", pair.primary.url())
    monkeypatch.setenv("DATABASE_REPLICA_URL", pair.standby.url())
    try:
        assert said() == "Replica:  answers, 0 bytes of the log behind"
        pair.standby.stop()
        assert said() == "Replica:  does not answer; all is read from the primary"
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        db.engine.cache_clear()
