"""The replica: a copy of the database that serves reads, for as long as it is fresh enough.

How fresh it is, is told by positions in the write-ahead log and not by clocks: the process notes
where the primary's log ends whenever it works there anyway, and reads from the replica only when
that has replayed all that the primary had `max_lag_s` ago, and all that the reader wrote himself.
What the replica is not good for, the primary does: nobody is shown an error because of it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Connection, exc, text

from geo import db
from geo.scope import Scope, bind

State = Literal["used", "behind", "away", "no replica of this database"]

_SAMPLE_S = 0.5
_RETRY_S, _RETRY_AT_MOST_S = 2.0, 60.0
# A host that is gone answers nothing at all; without these a request would wait for minutes.
_CONNECT = {"connect_timeout": 2, "tcp_user_timeout": 5000, "application_name": "ancu-reads"}
_WRITTEN = text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
_FLUSHED = text(
    "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn, system_identifier FROM pg_control_system()"
)
_REPLAYED = text(
    "SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn, system_identifier, pg_is_in_recovery() "
    "FROM pg_control_system()"
)


class ReplicaLostError(Exception):
    """The replica stopped in the middle of a transaction; on the primary it can be done again.

    Not one of `geo.errors`: it is never told to anybody.
    """


def position(conn: Connection) -> int:
    """Where the log of the primary ends: what was committed before lies before this position."""
    return int(conn.execute(_WRITTEN).scalar_one())


class Replica:
    """One replica as this process sees it; shared by its threads."""

    def __init__(
        self, url: str, max_lag_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine = db.make_engine(
            url, "DATABASE_REPLICA_URL", pool_pre_ping=True, connect_args=_CONNECT
        )
        self.state: State = "away"
        # Bytes of the log from what it had replayed to what it should have, when it was last asked.
        self.behind = 0
        self._max_lag_s, self._clock = max_lag_s, clock
        self._lock = threading.Lock()
        # When it was asked for, and where the primary's log ended; the oldest first.
        self._samples: deque[tuple[float, int]] = deque()
        self._system: int | None = None
        self._retry_at, self._pause = 0.0, _RETRY_S

    def learn(self, conn: Connection) -> None:
        """Note how far the primary is, from one of its transactions; costs one look at a time."""
        now = self._clock()
        with self._lock:
            if self._samples and now - self._samples[-1][0] < _SAMPLE_S:
                return
        flushed, system = conn.execute(_FLUSHED).one()
        with self._lock:
            self._system = system
            self._samples.append((now, int(flushed)))

    @contextmanager
    def reading(self, scope: Scope, wrote: int = 0) -> Iterator[Connection | None]:
        """A transaction on the replica that sees all up to `wrote`; None when it cannot serve now.

        Raises ReplicaLostError when the replica stops within the block.
        """
        connection = self._open(scope, wrote)
        if connection is None:
            yield None
            return
        try:
            with db.translated_errors(), connection, self._watched():
                yield connection
        finally:
            connection.close()

    def look(self) -> State:
        """Try it now, unless it was tried in vain a moment ago."""
        with self.reading(Scope()):
            return self.state

    def _open(self, scope: Scope, wrote: int) -> Connection | None:
        needed = self._needed(wrote)
        if needed is None or not self._may_try():
            return None
        connection = None
        try:
            connection = self.engine.connect()
            bind(connection, scope, db.RUNTIME_ROLE)
            if self._is_fresh(connection, needed):
                return connection
        except exc.DBAPIError:
            self._leave("away")
        if connection is not None:
            connection.close()
        return None

    def _is_fresh(self, connection: Connection, needed: int) -> bool:
        """Whether it is a replica of our primary and has replayed what is needed."""
        replayed, system, replica = connection.execute(_REPLAYED).one()
        if not replica or system != self._system:
            self._leave("no replica of this database")
            return False
        self.behind = max(0, needed - int(replayed))
        self._come("behind" if self.behind else "used")
        return self.behind == 0

    def _needed(self, wrote: int) -> int | None:
        """The position that must be replayed; None while nothing is known of the primary."""
        with self._lock:
            oldest = self._clock() - self._max_lag_s
            while self._samples and self._samples[0][0] < oldest:
                self._samples.popleft()
            return max(self._samples[0][1], wrote) if self._samples else None

    def _may_try(self) -> bool:
        """Whether to ask it: after a failure one thread at a time tries again, ever more seldom."""
        with self._lock:
            if self.state in ("used", "behind"):
                return True
            now = self._clock()
            if now < self._retry_at:
                return False
            self._retry_at = now + self._pause
            self._pause = min(2 * self._pause, _RETRY_AT_MOST_S)
            return True

    def _come(self, state: State) -> None:
        with self._lock:
            self.state, self._pause = state, _RETRY_S

    def _leave(self, state: State) -> None:
        with self._lock:
            if self.state in ("used", "behind"):
                self._retry_at = self._clock() + _RETRY_S
            self.state = state

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.InternalError) as error:
            # Gone; or it had to end a long query, to go on replaying; or it was asked to write.
            if error.connection_invalidated:
                self._leave("away")
            raise ReplicaLostError from error
