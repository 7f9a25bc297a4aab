"""Patience with slow clients: they hold a thread and no more, and only while they move on.

A request's body is put aside before anybody waits for the rest of it inside a transaction, and few
requests at a time are at work, however many clients send or take their bytes slowly.
"""

import errno
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

from werkzeug.exceptions import ClientDisconnected

from geo.errors import UnavailableError

AT_WORK = 8
"""Requests of one process that work at a time: as many as it keeps connections to the database."""
HEAD_S = 20.0
"""A request's head must have come after so long."""
PACE_S = 30.0
LEAST_BYTES = 256
"""In PACE_S seconds at least so many bytes a second must have moved, or the connection is cut."""

_LOOK_EVERY_S = 1.0
_IN_MEMORY = 1 << 18
_PIECE = 1 << 16
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TCP_INFO_SIZE = 136
_TCP_INFO_BYTES = 120  # where Linux has the bytes acknowledged, then those received

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Connection(Protocol):
    """What gunicorn calls a connection; TLS replaces its socket."""

    sock: socket.socket


@dataclass
class _Wait:
    conn: Connection
    since: float
    moved: int | None
    """The connection's bytes when the wait began; None while the request's head is awaited."""


class Watch:
    """The threads that wait for a client; who does not move on is cut off."""

    def __init__(self) -> None:
        self._conns: dict[int, Connection] = {}
        self._waits: dict[int, _Wait] = {}

    def start(self) -> None:
        """Look after the waits for as long as the process lives."""
        threading.Thread(target=self._look_on, name="watch", daemon=True).start()

    @contextmanager
    def over(self, conn: Connection) -> Iterator[None]:
        """The calling thread serves a connection, at first waiting for a request's head."""
        thread = threading.get_ident()
        self._conns[thread] = conn
        self._waits[thread] = _Wait(conn, time.monotonic(), None)
        try:
            yield
        finally:
            self._waits.pop(thread, None)
            self._conns.pop(thread, None)

    def move(self) -> None:
        """The calling thread waits for its client's bytes from now on."""
        conn = self._conns.get(threading.get_ident())
        if conn is not None:
            began = _Wait(conn, time.monotonic(), moved(conn.sock))
            self._waits[threading.get_ident()] = began

    def rest(self) -> None:
        """The calling thread works: its client has time."""
        self._waits.pop(threading.get_ident(), None)

    def look(self, now: float) -> None:
        """Cut off whoever has been too slow at the time `now` (monotonic seconds)."""
        for wait in list(self._waits.values()):
            passed = now - wait.since
            if wait.moved is None:
                if passed >= HEAD_S:
                    _cut(wait.conn)
            elif passed >= PACE_S:
                so_far = moved(wait.conn.sock)
                if so_far - wait.moved < LEAST_BYTES * passed:
                    _cut(wait.conn)
                wait.since, wait.moved = now, so_far

    def _look_on(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            self.look(time.monotonic())


def moved(sock: socket.socket) -> int:
    """The bytes that a TCP connection has taken and given so far; 0 once it is closed."""
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    except OSError:
        return 0
    numbers = told[_TCP_INFO_BYTES:]
    return sum(int.from_bytes(numbers[at : at + 8], "little") for at in (0, 8))


def _cut(conn: Connection) -> None:
    """End the connection: the thread that waits for it wakes with its end."""
    with suppress(OSError):
        conn.sock.shutdown(socket.SHUT_RDWR)


class Patient:
    """A WSGI application around another: few requests at work, bodies read while none works."""

    def __init__(self, app: App, watch: Watch, largest_body: int) -> None:
        self._app, self._watch, self._largest = app, watch, largest_body
        self._gate = threading.Semaphore(AT_WORK)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        self._watch.rest()
        body = _Body(environ["wsgi.input"], self._largest, self._elsewhere)
        environ["wsgi.input"] = body
        with self._gate:
            try:
                answer = self._app(environ, start_response)
            finally:
                body.close()
        if isinstance(answer, environ.get("wsgi.file_wrapper", ())):
            self._watch.move()
            return answer  # sent by the system itself
        return _Answer(answer, self._watch)

    @contextmanager
    def _elsewhere(self) -> Iterator[None]:
        """A request at work waits for its client: another one may work meanwhile."""
        self._gate.release()
        self._watch.move()
        try:
            yield
        finally:
            self._watch.rest()
            self._gate.acquire()


class _Body:
    """A request's body, all of it fetched at the first look into it: most refusals need none."""

    def __init__(self, given: IO[bytes], largest: int, elsewhere: Callable[[], Any]) -> None:
        self._given, self._largest, self._elsewhere = given, largest, elsewhere
        self._kept: IO[bytes] | None = None

    def read(self, size: int | None = -1) -> bytes:
        return self._fetched().read(-1 if size is None else size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._fetched().readline(-1 if size is None else size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return self._fetched().readlines(hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._fetched())

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()

    def _fetched(self) -> IO[bytes]:
        if self._kept is None:
            # Closed by `close`, when the request has been answered.
            kept = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
            self._kept = cast(IO[bytes], kept)
            with self._elsewhere():
                try:
                    self._fetch(self._kept)
                except OSError as error:
                    if error.errno not in _NO_ROOM:
                        raise ClientDisconnected from error
                    raise UnavailableError(
                        "The server has no room to take this in. Try again later, and tell its "
                        "administrator that the disk is full."
                    ) from error
            self._kept.seek(0, os.SEEK_SET)
        return self._kept

    def _fetch(self, into: IO[bytes]) -> None:
        """All bytes, but of a body above the limit only so many that it is seen to be."""
        left = self._largest + 1
        while left > 0 and (piece := self._given.read(min(_PIECE, left))):
            into.write(piece)
            left -= len(piece)


class _Answer:
    """An answer's parts: while one is made the client has time, while it is sent the clock runs."""

    def __init__(self, parts: Iterable[bytes], watch: Watch) -> None:
        self._parts, self._watch = parts, watch

    def __iter__(self) -> Iterator[bytes]:
        parts = iter(self._parts)
        while True:
            self._watch.rest()
            try:
                part = next(parts)
            except StopIteration:
                break
            self._watch.move()
            yield part

    def close(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()
