"""The file of refused rows: the original columns, line and reason; to mend and import again."""

import csv
import json
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from geo.errors import UsageError
from geo.intake.batches import Rejected
from geo.intake.source import REJECT_COLUMNS

OTHER = "other_columns"
"""Where columns go, as JSON, that the source did not announce."""


class Rejects:
    """Writes refused rows as they come; `columns` are those of the source."""

    def __init__(self, file: object, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._writer = csv.writer(file, lineterminator="\r\n")  # type: ignore[arg-type]
        self._writer.writerow((*self._columns, OTHER, *REJECT_COLUMNS))

    def add(self, rejected: Sequence[Rejected]) -> None:
        """Write some rows."""
        for line, reason, row in rejected:
            other = {name: value for name, value in row.items() if name not in self._columns}
            text = json.dumps(other, ensure_ascii=False, default=str) if other else ""
            cells = (row.get(column, "") for column in self._columns)
            self._writer.writerow((*cells, text, line, reason))


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
