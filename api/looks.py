"""Looks: many requests of one look at a map leave one entry in the access log.

A look asks dozens of tiles. The first one of a piece of the map is logged before it is answered;
the others of the same piece, by the same person from the same address with the same filters, are
covered by that entry for a while. What a server process forgets is only logged once more.
"""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from time import monotonic

LIVES_S = 300
_MOST = 50_000


class Looks:
    """Which looks have been logged, and until when that covers further requests."""

    def __init__(self) -> None:
        self._until: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def covers(self, look: Hashable) -> bool:
        """Whether an entry stands for this look."""
        with self._lock:
            return self._until.get(look, 0.0) > monotonic()

    def add(self, look: Hashable) -> None:
        """An entry for this look was stored just now."""
        with self._lock:
            self._until[look] = monotonic() + LIVES_S
            self._until.move_to_end(look)
            while len(self._until) > _MOST:
                self._until.popitem(last=False)
