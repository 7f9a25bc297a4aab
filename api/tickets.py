"""Tickets: how far an export is, for the page that asked for it, from whatever process makes it.

A ticket is a small file in the service's home, named by a hash of the account and of a word that
the page made up: nobody else can ask for it.
"""

import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from geo.config import settings

WORD = re.compile(r"[A-Za-z0-9-]{8,64}")
_EVERY_S = 0.3
_KEPT_S = 3600


@dataclass
class Ticket:
    """Where one export tells how far it is; without a path it tells nobody."""

    path: Path | None
    told_at: float = 0.0

    @classmethod
    def of(cls, account_id: int, word: str) -> "Ticket":
        """The ticket of an account's page; '' or a word that is none gives one for nobody."""
        if not WORD.fullmatch(word):
            return cls(None)
        folder = settings().home / "exports"
        name = hashlib.sha256(f"{account_id}:{word}".encode()).hexdigest()
        return cls(folder / f"{name}.json")

    def tell(self, state: str, done: int, total: int) -> None:
        """Note a state (read, write, done, failed) and rows; the ends of it always.

        That the page cannot be told is no reason to stop the export.
        """
        now = time.monotonic()
        if self.path is None or (state in ("read", "write") and now - self.told_at < _EVERY_S):
            return
        self.told_at = now
        told = orjson.dumps({"state": state, "done": done, "total": total})
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self.path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(told)
            fresh.replace(self.path)
        except OSError:
            self.path = None

    def read(self) -> dict[str, Any] | None:
        """What was told last; None for an export that has not begun."""
        if self.path is None:
            return None
        try:
            found = orjson.loads(self.path.read_bytes())
        except OSError:
            return None
        _sweep(self.path.parent)
        return dict(found)


def _sweep(folder: Path) -> None:
    """Remove tickets that nobody asks for any more."""
    for path in folder.iterdir():
        try:
            if time.time() - path.stat().st_mtime > _KEPT_S:
                path.unlink()
        except OSError:
            continue  # another process was first
