"""Counts for the limits on requests: how often each was counted in its window, in one process.

The library's own storage in memory starts a thread at nearly every request, to forget what is over.
"""

from threading import Lock
from time import time
from typing import Any

from limits.storage import Storage

SCHEME = "counts"
_SWEEP_EVERY_S = 60.0


class Counts(Storage):
    """What `limits` asks of a storage for fixed windows; expiry and moments in seconds."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library's way to say it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any):
        super().__init__(uri, wrap_exceptions, **options)
        self._lock = Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._sweep_at = time() + _SWEEP_EVERY_S

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing that is counted here fails in a way of its own."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count on, in a new window where the last one is over; how many that makes."""
        now = time()
        with self._lock:
            number, until = self._counts.get(key, (0, 0.0))
            if until <= now:
                number, until = 0, now + expiry
            self._counts[key] = number + amount, until
            if now >= self._sweep_at:
                self._sweep(now)
        return number + amount

    def get(self, key: str) -> int:
        """How many were counted in the present window."""
        number, until = self._counts.get(key, (0, 0.0))
        return number if until > time() else 0

    def get_expiry(self, key: str) -> float:
        """When the present window ends; now where there is none."""
        return max(self._counts.get(key, (0, 0.0))[1], time())

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget everything; how many keys that were."""
        with self._lock:
            number = len(self._counts)
            self._counts.clear()
        return number

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._counts.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._counts = {key: one for key, one in self._counts.items() if one[1] > now}
        self._sweep_at = now + _SWEEP_EVERY_S
