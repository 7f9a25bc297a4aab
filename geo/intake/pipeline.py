"""Two things at once: a thread makes the next items while the caller works on the present one."""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


@contextmanager
def ahead(items: Iterable[T], depth: int = 1) -> Generator[Iterator[T]]:
    """Let a thread produce `items`, at most `depth` ahead of the caller.

    An error in producing is raised where the item would have come; leaving stops the thread.
    """
    ready: queue.Queue[T | _End] = queue.Queue()
    slots = threading.Semaphore(depth)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for item in items:
                slots.acquire()
                if stopped.is_set():
                    return
                ready.put(item)
        except BaseException as error:  # noqa: BLE001 - handed to the caller's side, raised there
            ready.put(_End(error))
        else:
            ready.put(_End())

    def consume() -> Iterator[T]:
        while not isinstance(item := ready.get(), _End):
            slots.release()
            yield item
        if item.error:
            raise item.error

    thread = threading.Thread(target=produce, name="import-reader", daemon=True)
    thread.start()
    try:
        yield consume()
    finally:
        stopped.set()
        slots.release()
        thread.join()
