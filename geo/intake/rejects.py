"""The file of refused rows: the original columns, line and reason; to mend and import again."""

import csv
import json
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from geo.errors import UsageError
from geo.intake.batches import Rejected
from geo.intake.source import REJECT_COLUMNS, SURPLUS
from geo.intake.values import LOCAL


class Rejects:
    """Writes refused rows as they come; `columns` are those of the source."""

    def __init__(self, file: object, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._writer = csv.writer(file, lineterminator="\r\n")  # type: ignore[arg-type]
        self._writer.writerow((*self._columns, *REJECT_COLUMNS))

    def add(self, rejected: Sequence[Rejected]) -> None:
        """Write some rows."""
        for line, reason, row in rejected:
            other = {
                name or SURPLUS: value for name, value in row.items() if name not in self._columns
            }
            text = json.dumps(other, ensure_ascii=False, default=_written) if other else ""
            cells = (_written(row.get(column, "")) for column in self._columns)
            self._writer.writerow((*cells, text, line, reason))


def _written(value: object) -> object:
    """A value as CSV so that it is understood again; a time without zone gets its zone."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=LOCAL)).isoformat()
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return ";".join(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if isinstance(value, int | float) else str(value)


def refuse_itself(path: Path, rejects: Path | None) -> None:
    """Raise UsageError when the rejects file would take the place of the file to import."""
    if rejects is not None and rejects.exists() and rejects.samefile(path):
        raise UsageError(f"The rejects file would overwrite {path}; name another one.")


@contextmanager
def rejects_file(path: Path | None, columns: Sequence[str]) -> Generator[Rejects | None]:
    """A rejects file that appears whole at the end, or not at all; None without a path.

    Raises UsageError when it cannot be written there.
    """
    if path is None:
        yield None
        return
    try:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed below, kept under another name
            "w",
            dir=path.parent,
            prefix=f".{path.name}.",
            encoding="utf-8-sig",
            newline="",
            delete=False,
        )
    except OSError as error:
        raise UsageError(f"The rejects file cannot be written: {error.strerror}: {path}") from None
    made = Path(file.name)
    try:
        with file:
            yield Rejects(file, columns)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
