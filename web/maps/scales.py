"""SCALES: the fixed classes of ratios in which maps colour areas, light to dark."""

from dataclasses import dataclass

NO_DATA, SUPPRESSED = "url(#no-data)", "url(#suppressed)"
"""The hatching that templates/parts.html defines."""
_BLUES = ("#dbe9f6", "#9cc9e2", "#60a6d2", "#2b7bba", "#08458a")
_BROWNS = ("#fdeac0", "#fbd38c", "#f49b45", "#d8611c", "#94330c")


@dataclass(frozen=True)
class Scale:
    """Classes of a ratio: lower bounds of the second class and so on, one colour each."""

    breaks: tuple[float, ...]
    colours: tuple[str, ...]


EVEN = Scale((0.2, 0.4, 0.6, 0.8), _BLUES)
POVERTY = Scale((0.05, 0.1, 0.2, 0.4), _BROWNS)
SCALES: dict[str, Scale] = {
    "coverage": EVEN,
    "verified_coverage": EVEN,
    "completion": EVEN,
    "poverty_rate": POVERTY,
    "near_poor_rate": POVERTY,
    "mismatch_share": POVERTY,
}
"""Fixed classes, so that a colour means the same in every area."""
