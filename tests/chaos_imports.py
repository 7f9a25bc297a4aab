"""Imports that something happens to, by command and uploaded: stored whole or not at all."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from geo import areas
from geo.tables import household
from tests.load import write_households
from tests.served import Served
from tests.uploading import upload

PROVINCE = "46"
_FAILS_S = 20
"""An import whose database has died says so within this time."""


@dataclass(frozen=True)
class Ended:
    """How an import ended: acknowledged or not, after how long."""

    acknowledged: bool
    seconds: float


def households(service: Served, path: Path, rows: int, prefix: str) -> None:
    """Write a file of households that are spread over a province."""
    with service.begin() as conn:
        communes = [one.code for one in areas.children(conn, PROVINCE)]
    write_households(path, communes, rows, prefix)


def by_command(
    service: Served, rows: int, prefix: str, after_s: float | None, fault: Callable[[], None] | None
) -> Ended:
    """Import a file by `ancu import`; after a while a fault happens, or it is killed itself.

    after_s None: until its rows are stored. The rules' pass that follows is the keeper's as well.
    """
    with tempfile.TemporaryDirectory(prefix="ancu-chaos-") as folder:
        path = Path(folder) / "households.csv"
        households(service, path, rows, prefix)
        began = time.monotonic()
        child = service.ancu(
            "import", "households", str(path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if after_s is None:
            _until_stored(service, child, rows, prefix)
            return Ended(True, time.monotonic() - began)
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            if fault is None:
                _end(child)
            else:
                fault()
                # Not for the rules' pass, which an import that was stored before it goes on to.
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_FAILS_S)
                _end(child)
        return Ended(child.wait() == 0, time.monotonic() - began)


def _until_stored(service: Served, child: subprocess.Popen[bytes], rows: int, prefix: str) -> None:
    there = 0
    while there < rows and child.poll() is None:
        threading.Event().wait(0.2)
        with service.begin() as conn:
            there = imported(conn, prefix)
    _end(child)
    child.wait()


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def uploaded(
    service: Served, secret: str, rows: int, prefix: str, after_s: float | None,
    fault: Callable[[], None],
) -> Ended:  # fmt: skip
    """Upload a file of households; after a while a fault happens."""
    with tempfile.TemporaryDirectory(prefix="ancu-chaos-") as folder:
        path = Path(folder) / "households.csv"
        households(service, path, rows, prefix)
        content = path.read_bytes()
    statuses: list[int] = []
    sender = threading.Thread(target=lambda: statuses.append(upload(service, secret, content)))
    began = time.monotonic()
    sender.start()
    sender.join(after_s)
    if sender.is_alive():
        fault()
    sender.join()
    return Ended(statuses == [201], time.monotonic() - began)


def imported(conn: Connection, prefix: str) -> int:
    """How many households of one file are stored."""
    code = household.c.household_code
    found = select(func.count()).select_from(household).where(code.startswith(f"{prefix}-"))
    return int(conn.scalar(found) or 0)
