"""How the loops of bulk work are compiled, and kept for the next process.

What is kept is compiled anew only when the very file of a function has changed: a compiled function
may call only those of its own file, and take constants only from there.
"""

from collections.abc import Callable
from typing import Any

import numba


def compiled(
    function: Callable[..., Any], inline: bool = False, fastmath: bool | set[str] = False
) -> Callable[..., Any]:
    """The function compiled at its first call; Python's lock is free while it runs."""

    def compiled_(cache: bool) -> Callable[..., Any]:
        return numba.njit(
            cache=cache,
            nogil=True,
            error_model="numpy",
            forceinline=inline,
            fastmath=fastmath,
        )(function)

    try:
        return compiled_(cache=True)
    except RuntimeError:  # no folder that this user may keep compiled code in
        return compiled_(cache=False)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled into its caller: passing many arrays to a function costs more than its work."""
    return compiled(function, inline=True)


def vector(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `inlined`, for several numbers at once; NaN and the sign of zero must not occur in it."""
    return compiled(function, inline=True, fastmath={"nnan", "ninf", "nsz"})
