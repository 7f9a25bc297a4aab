"""The edition of what draws tiles: another one as soon as the code may draw something else."""

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_DRAWN_BY = ("layers/*.py", "cells.py", "pyramid.py", "terms.py", "sql/area_tile*.sql")


@cache
def edition() -> str:
    """What names the code of this package and what it draws with."""
    told = hashlib.blake2b(digest_size=8)
    for pattern in _DRAWN_BY:
        for path in sorted(_ROOT.glob(pattern)):
            told.update(path.read_bytes())
    return told.hexdigest()
