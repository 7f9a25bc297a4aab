"""How long the access log's chain is held and waited for, seen by looking often while others work.

Every entry of the log takes the chain's lock for itself until its transaction has ended. Who looks
at random moments finds it held for the share of time that it is held; divided by the entries that
came meanwhile this is the time that each held it, and likewise for those who wait.
"""

import threading
import time
from types import TracebackType

from sqlalchemy import Connection, text

from tests.served import Served

EVERY_S = 0.02
_LOOK = text(
    "SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted) FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1"
    " AND ((classid::bigint << 32) | objid::bigint) = hashtext('ancu.access_log')"
)
_ENTRIES = text("SELECT coalesce(max(entry_id), 0) FROM access_log")


class Chain:
    """Looks at the lock of a service's access log inside the block; `figures` tells afterwards."""

    def __init__(self, service: Served) -> None:
        self._service = service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="chain")
        self._looks = self._held = self._waiting = self._most = self._entries = 0
        self._seconds = 0.0

    def __enter__(self) -> "Chain":
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _look_on(self) -> None:
        with self._service.begin() as conn:
            entries, began = conn.execute(_ENTRIES).scalar_one(), time.monotonic()
            while not self._stop.wait(EVERY_S):
                self.look(conn)
            self._seconds = time.monotonic() - began
            self._entries = conn.execute(_ENTRIES).scalar_one() - entries

    def look(self, conn: Connection) -> None:
        """Look once."""
        held, waiting = conn.execute(_LOOK).one()
        self._looks += 1
        self._held += held
        self._waiting += waiting
        self._most = max(self._most, waiting)

    def figures(self) -> dict[str, float]:
        """The entries a second; share of time held; ms held and waited for by an entry (mean)."""
        looks, entries = max(self._looks, 1), max(self._entries, 1)
        each_ms = 1000 * self._seconds / (looks * entries)
        return {
            "entries": self._entries,
            "per_s": round(self._entries / max(self._seconds, 0.001), 1),
            "held_share": round(self._held / looks, 3),
            "held_ms": round(self._held * each_ms, 2),
            "waited_ms": round(self._waiting * each_ms, 2),
            "most_waiting": self._most,
        }
