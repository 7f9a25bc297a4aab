"""A temporary file without a name that one thread writes and another one follows."""

import os
import tempfile
import threading
import weakref

_BUFFER = 256 * 1024
_CHUNK = 64 * 1024


class GoneError(Exception):
    """Nobody reads the file any more."""


class Growing:
    """Written at its end only; read from its beginning by `next`.

    Writing raises GoneError once the reader has left, OSError when the disk is full.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._file = os.dup(file.fileno())
        # Also when a reader forgets it: what has no name must not outlive who knows of it.
        self._close = weakref.finalize(self, os.close, self._file)
        self._buffer = bytearray()
        self._news = threading.Condition()
        self._size = self._read = 0
        self._left = False
        self.finished = self.failed = self.closed = False

    def write(self, data: bytes) -> int:
        """Add bytes at the end."""
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            self.flush()
        return len(data)

    def check(self) -> None:
        """Raise GoneError when the reader has left."""
        if self._left:
            raise GoneError

    def flush(self) -> None:
        """Let the reader see all that was written."""
        if not self._buffer:
            return
        self.check()
        left = memoryview(bytes(self._buffer))
        added = len(left)
        self._buffer.clear()
        while left:
            left = left[os.write(self._file, left) :]
        with self._news:
            self._size += added
            self._news.notify_all()

    def restart(self) -> bool:
        """Begin anew, with nothing written; False when the reader has had some of it."""
        with self._news:
            if self._read or self._left:
                return False
            self._buffer.clear()
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            self._size = 0
            return True

    def finish(self) -> None:
        """Say that the file is whole."""
        self.flush()
        self.check()
        self._end(finished=True)

    def fail(self) -> None:
        """Say that there will be no more."""
        self._buffer.clear()
        self._end(finished=False)

    def _end(self, *, finished: bool) -> None:
        with self._news:
            self.finished, self.failed = finished, not finished
            self._news.notify_all()
            if self._left:
                self._close()

    @property
    def all_read(self) -> bool:
        """Whether the reader has had the whole file."""
        return self.finished and self._read == self._size

    @property
    def size(self) -> int:
        """Bytes that the reader may see."""
        return self._size

    def wait_end(self, seconds: float) -> bool:
        """Whether the file is finished or failed, after at most `seconds`."""
        with self._news:
            return self._news.wait_for(lambda: self.finished or self.failed, seconds)

    def next(self, seconds: float) -> bytes:
        """The next bytes, after at most `seconds`; b'' when there are none yet, or no more."""
        with self._news:
            self._news.wait_for(
                lambda: self._size > self._read or self.finished or self.failed, seconds
            )
            if self.failed or self._left:
                return b""
            chunk = os.pread(self._file, _CHUNK, self._read)
            self._read += len(chunk)
            return chunk

    def leave(self) -> None:
        """The reader leaves; the file goes as soon as nobody writes to it."""
        with self._news:
            self._left = True
            if self.finished or self.failed:
                self._close()
