"""Clients on a very slow line: each sends a request, or takes an answer, at some KB a second."""

import selectors
import socket
import threading
from types import TracebackType

_PIECE = 512


class SlowClients:
    """Connections that all stay open and move at `rate` bytes a second each, in one thread.

    sending: requests with a body that they never finish; taking: GETs, their answers read slowly.
    """

    def __init__(
        self, port: int, token: str, *, sending: int = 0, taking: int = 0, path: str = "/",
        rate: int = 2048,
    ) -> None:  # fmt: skip
        self._every_s = _PIECE / rate
        self._stop = threading.Event()
        self.ended = 0
        self._sending = [self._opened(port, _upload(token)) for _ in range(sending)]
        self._taking = [self._opened(port, _download(token, path), 4096) for _ in range(taking)]
        self._thread = threading.Thread(target=self._trickle)

    @property
    def open(self) -> int:
        """How many are still connected."""
        return len(self._sending) + len(self._taking) - self.ended

    def __enter__(self) -> "SlowClients":
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
        for one in (*self._sending, *self._taking):
            one.close()

    @staticmethod
    def _opened(port: int, head: bytes, buffer: int | None = None) -> socket.socket:
        made = socket.socket()
        if buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.connect(("127.0.0.1", port))
        made.sendall(head)
        made.setblocking(False)
        return made

    def _trickle(self) -> None:
        with selectors.DefaultSelector() as ready:
            for one in self._sending:
                ready.register(one, selectors.EVENT_READ | selectors.EVENT_WRITE)
            for one in self._taking:
                ready.register(one, selectors.EVENT_READ)
            while not self._stop.wait(self._every_s):
                for key, events in ready.select(0):
                    if not self._moved(key.fileobj, events):
                        ready.unregister(key.fileobj)
                        self.ended += 1

    def _moved(self, one: object, events: int) -> bool:
        """Send or take a piece; False when the server has ended the connection."""
        assert isinstance(one, socket.socket)
        try:
            if events & selectors.EVENT_READ:
                return bool(one.recv(_PIECE)) and one in self._taking
            return one.send(b" " * _PIECE) > 0
        except OSError:
            return False


def _upload(token: str) -> bytes:
    return (
        "POST /api/v1/surveys HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {64 << 20}\r\n\r\n"
    ).encode()


def _download(token: str, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
