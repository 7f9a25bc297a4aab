"""Downloads: exports made beside the request that asked, and sent to it as they grow.

The database is read as fast as it gives into a temporary file without a name, which the answer
follows: a slow client holds no connection, one that goes away ends the work, and an export that
fails breaks the connection off, so that no part of a file looks like the whole.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, cast

from flask import Flask, Response, current_app, request

from api import access, entries, reading
from api.growing import GoneError, Growing
from api.reading import Open
from api.tickets import Ticket
from geo import exports, trail
from geo.areas import Area
from geo.errors import AncuError, UnavailableError
from geo.exports import Export
from geo.replica import ReplicaLostError
from geo.scope import NOBODY
from geo.writing import ENDINGS, MEDIA_TYPES, STREAMED

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Exports that one server process makes at the same time; each takes a database connection."""
_slots = threading.BoundedSemaphore(AT_ONCE)
_WAIT_S = 30.0
_LOOK_EVERY_S = 1.0
_SHORT_S = 0.3


class CutError(Exception):
    """The rest of a file is not sent; whoever serves the answer breaks the connection off."""


@dataclass
class Download:
    """One export under way. `open` gives its transaction; ticket tells its page how far it is.

    again: gives another one where that of `open` is lost, which may be a replica's.
    """

    open: Open
    kind: str
    area: Area
    format: str
    filters: dict[str, Any]
    ticket: Ticket
    again: Open | None = None
    file: Growing = field(default_factory=Growing)
    counted: threading.Event = field(default_factory=threading.Event)
    total: int = 0
    error: Exception | None = None
    _tell: Callable[[str], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Make the file, to the end or until it fails."""
        out = cast(BinaryIO, self.file)
        try:
            made = self._read(out)
            self.total = made.write(out, bom=True, step=self._step)
            self.file.finish()
            self.ticket.tell("done", self.total, self.total)
        except GoneError:
            self._failed(UnavailableError("The client went away before the file was made."))
        except OSError as error:
            self._failed(UnavailableError(f"The file cannot be made: {error}. Is the disk full?"))
        except Exception as error:
            if not isinstance(error, AncuError):
                log.exception("An export failed: %s of %s", self.kind, self.area.code)
            self._failed(error)
        finally:
            self.counted.set()
            _slots.release()

    def _read(self, out: BinaryIO) -> Export:
        """What the database has; once more from the primary where nothing was sent yet."""
        try:
            return self._read_by(self.open, out)
        except ReplicaLostError as error:
            if self.again is None or not self.file.restart():
                raise UnavailableError(
                    "The database does not answer. `ancu db status` tells more."
                ) from error
            return self._read_by(self.again, out)

    def _read_by(self, opened: Open, out: BinaryIO) -> Export:
        with opened() as conn:
            made = Export(conn, self.kind, self.area, self.format, **self.filters)
            self.total = made.total
            self.counted.set()
            made.read(conn, out, bom=True, step=self._step)
        return made

    def _step(self, stage: str, done: int, total: int) -> None:
        self.file.check()
        self.ticket.tell(stage, done, total)

    def _failed(self, error: Exception) -> None:
        self.ticket.tell("failed", 0, self.total)
        with self._lock:
            self.error = error
            self.file.fail()
            if self._tell is not None:
                self._tell(_reason(error))

    def promise(self, tell: Callable[[str], None]) -> None:
        """From now on the answer is under way: `tell` is called if it will not be whole."""
        with self._lock:
            self._tell = tell
            if self.error is not None:
                tell(_reason(self.error))

    def chunks(self, gone: Callable[[], bool]) -> Iterator[bytes]:
        """The file's bytes as they come; raises CutError when there will be no more."""
        while True:
            chunk = self.file.next(_LOOK_EVERY_S)
            if chunk:
                yield chunk
            elif self.file.failed:
                raise CutError(str(self.error))
            elif self.file.all_read:
                return
            elif gone():
                raise CutError("gone")

    def left(self, sent: bool) -> None:
        """The answer has ended; `sent` tells whether all of it was taken."""
        self.file.leave()
        with self._lock:
            # While it is being made, the thread finds out and tells.
            if not sent and self.file.finished and self._tell is not None:
                self._tell("the client went away")


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, AncuError) else "an error in the service"


class Body:
    """The answer's body; closing it ends the export where it still runs."""

    def __init__(self, download: Download, gone: Callable[[], bool], wanted: bool) -> None:
        self._download, self._chunks = download, download.chunks(gone)
        self._wanted, self._closed = wanted, False

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Called when the answer was sent or broken off."""
        if not self._closed:
            self._closed = True
            self._download.left(self._download.file.all_read or not self._wanted)


def install(app: Flask, *, threads: bool) -> None:
    """Let `app` make exports in threads; without, in place: as where transactions are a test's."""
    app.extensions["ancu.export_threads"] = threads


def send(kind: str, area: Area, format: str, filters: dict[str, Any], ticket: str) -> Response:
    """Export in the scope of the request's user; the answer begins as soon as it can.

    Formats that are whole or nothing are waited for. Raises UsageError, UnavailableError also
    where too many exports run.
    """
    exports.check(kind, format)
    opener, user = access.opener(), access.current()
    opened, again = reading.beside(access.scope("records.export"))
    if not _slots.acquire(timeout=_WAIT_S):
        raise UnavailableError("Too many exports are running. Try again in a few minutes.")
    told = Ticket.of(user.account_id, ticket)
    made = Download(opened, kind, area, format, filters, told, again)
    environ = request.environ
    if current_app.extensions.get("ancu.export_threads", False):
        threading.Thread(target=made.run, name=f"export-{kind}", daemon=True).start()
        _wait(made, lambda: client_gone(environ))
    else:
        made.run()
    if made.error is not None:
        made.file.leave()
        raise made.error
    access.note(rows=made.total, durable=True)
    made.promise(_logged(opener))
    return _answer(made, environ)


def _wait(made: Download, gone: Callable[[], bool]) -> None:
    """Until the first bytes stand, of other formats than streamed ones the last."""
    while not made.counted.wait(_LOOK_EVERY_S):
        if gone():
            made.file.leave()
    # HTTP/1.0, which some proxies speak, cannot tell a file that was cut from a whole one.
    if made.format in STREAMED and request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0":
        made.file.wait_end(_SHORT_S)
        return
    while not made.file.wait_end(_LOOK_EVERY_S):
        if gone():
            made.file.leave()


def _answer(made: Download, environ: Mapping[str, Any]) -> Response:
    body = Body(made, lambda: client_gone(environ), request.method != "HEAD")
    answer = Response(cast(Iterable[bytes], body), mimetype=MEDIA_TYPES[made.format])
    ending = ENDINGS.get(made.format, made.format)
    name = f"ancu-{made.kind}-{made.area.code}.{ending}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-cache, private"
    if made.file.finished:
        answer.content_length = made.file.size
    return answer


def client_gone(environ: Mapping[str, Any]) -> bool:
    """Whether the client has closed its connection; False where the server cannot tell."""
    served = environ.get("gunicorn.socket")
    if served is None:
        return False
    try:
        with socket.socket(fileno=os.dup(served.fileno())) as connection:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _logged(opener: access.Begin) -> Callable[[str], None]:
    """Adds to the log that an export was cut whose beginning it holds."""
    entry = entries.of(200)

    def tell(reason: str) -> None:
        cut = replace(entry, outcome="failed", rows=None, reason=f"cut: {reason}"[:500])
        try:
            with opener(NOBODY) as conn:
                trail.append(conn, cut)
        except AncuError as error:
            log.error("The access log cannot be written: %s", error)

    return tell
