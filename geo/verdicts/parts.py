"""Rows worked on by several threads at once."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

_WORTH_THREADS = 5_000


def in_parts(
    rows: NDArray[np.int64], do: Callable[[NDArray[np.int64]], None], worth: int | None = None
) -> None:
    """Do consecutive parts of the rows by several threads where it pays: GEOS frees Python.

    worth: from how many rows on threads are used; 5,000 when not given.
    """
    cores = min(4, os.cpu_count() or 1)
    if len(rows) < (_WORTH_THREADS if worth is None else worth) or cores == 1:
        do(rows)
        return
    with ThreadPoolExecutor(cores) as pool:
        # More parts than cores, because they differ in work and hold copies while they run.
        for _ in pool.map(do, np.array_split(rows, 8 * cores)):
            pass
