"""Looks: many requests of one look at a map leave one entry in the access log.

A look asks dozens of tiles. The first one of a piece of the map is logged before it is answered;
the others of the same piece, by the same person from the same address with the same filters, are
covered by that entry for a while. What a server process forgets is only logged once more.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

LIVES_S = 300
_MOST = 50_000
_GATES = 64


class Looks:
    """Which looks have been logged, and until when that covers further requests."""

    def __init__(self) -> None:
        self._until: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()
        self._gates = [Lock() for _ in range(_GATES)]

    @contextmanager
    def first(self, look: Hashable) -> Iterator[bool]:
        """Whether no entry stands for a look yet: it is to be stored in the block.

        Others of the same look wait until it is. A block that fails leaves the look unlogged.
        """
        with self._gates[hash(look) % _GATES]:
            with self._lock:
                covered = self._until.get(look, 0.0) > monotonic()
            yield not covered
            if not covered:
                self._add(look)

    def _add(self, look: Hashable) -> None:
        with self._lock:
            self._until[look] = monotonic() + LIVES_S
            self._until.move_to_end(look)
            while len(self._until) > _MOST:
                self._until.popitem(last=False)
