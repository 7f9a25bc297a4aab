"""Answers that are made once and compressed once, and kept by a key that names their version.

The key must say everything that an answer depends on: who asks as well, where that matters.
"""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import Response, request

_YEAR_S = 31_536_000
_VARY = "Accept-Encoding, Cookie, Authorization"
_LEAST_BYTES = 1000
"""Smaller bodies fit into one packet anyway."""


@dataclass(frozen=True)
class Body:
    """A body as it is, and compressed as soon as somebody can read that."""

    plain: bytes

    @cached_property
    def packed(self) -> bytes:
        """The body compressed, once; empty where that would gain nothing."""
        return gzip.compress(self.plain, 6, mtime=0) if self._worth_it else b""

    @cached_property
    def etag(self) -> str:
        """What tells the body from every other."""
        return hashlib.blake2b(self.plain, digest_size=12).hexdigest()

    @property
    def size(self) -> int:
        """The most bytes that it may come to hold."""
        return len(self.plain) * (2 if self._worth_it else 1)

    @property
    def _worth_it(self) -> bool:
        return len(self.plain) >= _LEAST_BYTES


class Shelf:
    """Bodies by key, up to `limit` bytes; those asked for last stay."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._bodies: OrderedDict[Hashable, Body] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> Body:
        """The body kept under `key`, else the one that `make` gives; what it raises is raised."""
        with self._lock:
            if key in self._bodies:
                self._bodies.move_to_end(key)
                return self._bodies[key]
        # Not under the lock: two may make the same at once, but nobody waits for another's.
        body = Body(make())
        with self._lock:
            if key not in self._bodies and body.size <= self._limit:
                self._bodies[key] = body
                self._held += body.size
            while self._held > self._limit:
                self._held -= self._bodies.popitem(last=False)[1].size
        return body

    @property
    def held(self) -> int:
        """The most bytes that what is kept may hold."""
        return self._held


def answer(body: Body, content_type: str, lasting: bool, tag: str = "") -> Response:
    """A body with a strong ETag, compressed for who can read that.

    lasting: its address names this very version, so that a browser need not ask again for a year.
    tag: the weak ETag instead, where what the body is made of has one. Never for a shared cache:
    who asks must be signed in.
    """
    packed = request.accept_encodings["gzip"] > 0 and bool(body.packed)
    made = Response(body.packed if packed else body.plain, content_type=content_type)
    made.headers["Vary"] = _VARY
    if packed:
        made.headers["Content-Encoding"] = "gzip"
    if tag:
        made.set_etag(tag, weak=True)
    else:
        made.set_etag(body.etag + ("-gz" if packed else ""))
    keep = f"max-age={_YEAR_S}, immutable" if lasting else "no-cache"
    made.headers["Cache-Control"] = f"private, {keep}"
    return cast(Response, made.make_conditional(request))


def unchanged(tag: str) -> Response:
    """That what the caller has under a weak ETag still stands."""
    made = Response(status=304)
    made.set_etag(tag, weak=True)
    made.headers["Vary"], made.headers["Cache-Control"] = _VARY, "private, no-cache"
    return made
