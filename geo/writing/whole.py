"""Files that are whole or not there, and what is said when the disk is full."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from geo.errors import UnavailableError, UsageError


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name only when the block ends well; raises UsageError."""
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    temporary = Path(name)
    try:
        with os.fdopen(number, "w+b") as file:
            yield cast(BinaryIO, file)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def room() -> Iterator[None]:
    """Turn a failure to write temporary files into UnavailableError."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"The file cannot be made: {error.strerror or error}. Is the disk full?"
        ) from error
