"""Giving way: long commands have what the web server and other programs leave of the processors."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, event

from geo.config import settings

OWN_PROCESS = "own process"
"""The context's object where a command is all that its process does; see api.cli.main."""
NICE = 10
DATABASE_NICE = 5
"""Of a command's process in the database: above NICE, because at its end it holds locks."""
_AGAIN_S = 0.15


def stand_back(pid: int, nice: int = NICE) -> None:
    """Let a process that leads its own session have what the others leave of the processors.

    One that has ended, or that another user started, is left alone.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, nice)
    _stand_back_as_group(pid, nice)


def _stand_back_as_group(pid: int, nice: int) -> None:
    # Where Linux shares the processors among sessions, priorities count within one only; a system
    # that does not, or does not let us, is no worse than before.
    group = Path(f"/proc/{pid}/autogroup")
    with suppress(OSError):
        try:
            group.write_text(str(nice))
        except BlockingIOError:  # who is not root may do so ten times a second
            time.sleep(_AGAIN_S)
            group.write_text(str(nice))


def give_way() -> None:
    """Let the running command stand back, and with it what works for it in the private database.

    A database of one's own (DATABASE_URL) may run elsewhere: its processes are not ours to touch.
    """
    if click.get_current_context().obj != OWN_PROCESS:
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    # A terminal's session is its shell's as well, which would stay slow afterwards.
    if os.getsid(0) == os.getpid():
        _stand_back_as_group(os.getpid(), NICE)
    if not settings().database_url:
        event.listen(Engine, "connect", _connected)


def _connected(connection: Any, _record: Any) -> None:
    stand_back(connection.info.backend_pid, DATABASE_NICE)
