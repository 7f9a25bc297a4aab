"""The keeper: while the server runs, starts the audit's pass whenever something waits for it."""

import subprocess
import sys
import time

import click

from api.cli.giving_way import stand_back
from geo.audit import due
from geo.db import transaction
from geo.errors import AncuError
from geo.scope import OPERATOR

_REST_S = 3.0
_REST_AFTER_FAILURE_S = 60.0


class Keeper:
    """One process at a time: it needs memory only while there is something to do."""

    def __init__(self) -> None:
        self._pass: subprocess.Popen[bytes] | None = None
        self._started = self._next = time.monotonic()

    def tick(self) -> None:
        """Look after the running pass, or start one; returns at once."""
        now = time.monotonic()
        if self._pass is not None:
            ended = self._pass.poll()
            if ended is None:
                return
            self._pass = None
            # At least as long a rest as the work took: the server's guests come first.
            took = now - self._started
            self._next = now + (_REST_AFTER_FAILURE_S if ended else max(_REST_S, took))
        if now >= self._next and self._waits():
            command = [sys.executable, "-m", "api.cli", "audit", "pass", "--quiet"]
            self._pass = subprocess.Popen(command, start_new_session=True)
            stand_back(self._pass.pid)
            self._started = now

    def stop(self) -> None:
        """End the running pass; what it had not finished waits in the database."""
        if self._pass is not None and self._pass.poll() is None:
            self._pass.terminate()
            self._pass.wait(timeout=30)
        self._pass = None

    def _waits(self) -> bool:
        try:
            with transaction(scope=OPERATOR) as conn:
                return bool(due.provinces(conn))
        except AncuError as error:
            self._next = time.monotonic() + _REST_AFTER_FAILURE_S
            click.echo(f"ancu: the audit could not look what waits: {error}", err=True)
            return False
