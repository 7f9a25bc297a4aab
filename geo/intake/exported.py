"""Rows of an export that come back: what the service itself added is taken away again."""

import json
from collections.abc import Mapping

from geo.intake.source import PROBLEM, UNNAMED
from geo.tables import NO_PROVINCE
from geo.writing.extract import FORMULA

ATTRIBUTES, DEMO = "attributes", "demo"
_JUDGED = (
    "verdict",
    "probability",
    "distance_m",
    "accuracy_used_m",
    "boundary_accuracy_m",
    "recorded_code",
    "located_code",
    "rules",
    "flagged",
)
ADDED: dict[str, tuple[str, ...]] = {"households": (), "surveys": _JUDGED, "sites": _JUDGED}
"""Columns of each kind's export that no import takes, beside ATTRIBUTES and DEMO."""
_DEGREES = ("lon", "lat", "accuracy_m", "altitude_m")


def is_export(row: Mapping[str, object]) -> bool:
    """Whether a row is of an export: it has `demo` and, as JSON, all that is kept beside."""
    return DEMO in row and ATTRIBUTES in row and _kept(row) is not None


def _kept(row: Mapping[str, object]) -> dict[str, object] | None:
    try:
        kept = json.loads(str(row[ATTRIBUTES]))
    except (ValueError, RecursionError):
        return None
    return kept if isinstance(kept, dict) else None


def as_sent(kind: str, row: Mapping[str, object]) -> dict[str, object]:
    """An export's row as a sender would write it: the kept columns under their own names.

    A demo row keeps `demo`, so that nobody takes it for a real one elsewhere.
    """
    own = {
        name: _plain(name, value)
        for name, value in row.items()
        if name not in (ATTRIBUTES, DEMO, *ADDED[kind])
    }
    if own.get("province_code") == NO_PROVINCE:
        del own["province_code"]
    if str(row[DEMO]) in ("1", "1.0", "True", "true"):
        own[DEMO] = 1
    # What the readers say about the row is theirs alone.
    kept = {k: v for k, v in (_kept(row) or {}).items() if k not in (PROBLEM, UNNAMED)}
    return kept | own


def _plain(name: str, value: object) -> object:
    """A cell without the apostrophe that kept spreadsheets from running it; degrees as precise as
    every format holds them."""
    if isinstance(value, str) and value.startswith("'") and value[1:].startswith(FORMULA):
        return value[1:]
    if name in _DEGREES and isinstance(value, str | float):
        try:
            return float(f"{float(f'{float(value):.16g}'):.15g}")
        except ValueError:
            return value
    return value
