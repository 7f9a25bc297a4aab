"""The first half of an import in a process of its own, so that both halves have a processor."""

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from geo.errors import UnavailableError
from geo.intake.batches import Batch, batches
from geo.intake.columns import Columns, Packed
from geo.intake.pipeline import ahead
from geo.intake.readers import open_source
from geo.intake.records import MODELS

WORTH_FROM = 8 << 20
"""Bytes of a file from which a second process saves more time than its start costs."""

_AHEAD = 3
"""Batches that wait on this side, about 30 MB each."""

_END = None


@contextmanager
def read_apart(kind: str, path: Path) -> Generator[Iterator[Batch]]:
    """The batches of a file, each made by a child process while the one before is stored.

    The child's errors are raised where its batch would have come, UnavailableError when it dies.
    Leaving ends the child; it ends by itself when this process is gone, as nobody reads its pipe.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        try:
            child = _started(kind, path, writing)
        finally:
            os.close(writing)
        try:
            # A thread empties the pipe, or the child would wait whenever this side stores.
            with ahead(_received(pipe, child), _AHEAD) as received:
                try:
                    yield received
                finally:
                    child.kill()
        finally:
            child.wait()


def _started(kind: str, path: Path, writing: int) -> subprocess.Popen[bytes]:
    # Not forked: this process has threads. The child finds the same modules as this one, and none
    # of the directory it happens to run in (-P).
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, kind, str(path), str(writing)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(writing,),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _received(pipe: BinaryIO, child: subprocess.Popen[bytes]) -> Iterator[Batch]:
    while (item := _next(pipe, child)) is not _END:
        if isinstance(item, BaseException):
            raise item
        yield cast(Batch, item)


def _next(pipe: BinaryIO, child: subprocess.Popen[bytes]) -> object:
    try:
        return pickle.load(pipe)  # noqa: S301 - from the child, over a pipe that only it has  # nosec B301
    except (EOFError, pickle.UnpicklingError):
        status = child.wait()
        how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
        raise UnavailableError(
            f"The process that reads the file ended too soon ({how}); nothing was stored. "
            "The memory may be too small; import again, or in smaller files."
        ) from None


def _send(kind: str, path: Path, pipe: BinaryIO) -> None:
    """The child's work: batches into the pipe, then the end or the error instead.

    The pipe holds far less than a batch, so the child waits when the parent takes none.
    """
    try:
        for batch in batches(kind, open_source(path).rows):
            pickle.dump(_packed(kind, batch), pipe, pickle.HIGHEST_PROTOCOL)
        last: object = _END
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - raised by the parent
        last = error
    pickle.dump(last, pipe, pickle.HIGHEST_PROTOCOL)


def _packed(kind: str, batch: Batch) -> Batch:
    return replace(batch, rows=Packed(batch.rows), records=Columns(MODELS[kind], batch.records))


def _main() -> None:
    # Ctrl-C reaches both: the parent says so and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(1_000_000, 20, 100)  # rows are short-lived and without cycles
    kind, path, writing = sys.argv[1:]
    with suppress(BrokenPipeError), os.fdopen(int(writing), "wb") as pipe:
        _send(kind, Path(path), pipe)


if __name__ == "__main__":
    _main()
