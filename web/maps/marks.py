"""Marks: how each class of a layer's points is drawn, by colour, shape and filling together."""

from dataclasses import dataclass

from geo.layers import LAYERS

OTHER = ""
"""The class of points that have none of the layer's, such as a household without a status."""
_GREY = "#6b7280"


@dataclass(frozen=True)
class Mark:
    """How one class of points is drawn: never by colour alone.

    fill: the share of the shape, from its left, that is coloured; the rest is white.
    """

    colour: str
    shape: str
    sign: str = ""
    fill: float = 1.0


_VERDICTS = {
    "inside": ("disc", "●", 1.0),
    "uncertain": ("square", "◧", 0.5),
    "outside": ("triangle", "▲", 1.0),
    "unlocated": ("ring", "○", 0.0),
}
_STATUSES = {
    "poor": ("home", "", 1.0),
    "near_poor": ("home", "", 0.67),
    "average": ("home", "", 0.33),
    "none": ("home", "", 0.0),
}
_STAGES = {
    **dict.fromkeys(("proposed", "verified"), ("diamond", "", 0.0)),
    "approved": ("diamond", "", 0.25),
    **dict.fromkeys(("started", "foundation", "frame", "roof"), ("diamond", "", 0.5)),
    **dict.fromkeys(("completed", "accepted"), ("diamond", "", 0.75)),
    "handed_over": ("diamond", "", 1.0),
}
_SEVERITIES = {"s1": ("drop", "", 0.33), "s2": ("drop", "", 0.67), "s3": ("drop", "", 1.0)}
_FORMS = {
    "surveys": _VERDICTS,
    "households": _STATUSES,
    "sites": _STAGES,
    "findings": _SEVERITIES,
}
"""Layer → class → shape, sign in text, filling."""

DRAWN = tuple(_FORMS)
"""The layers whose features are points or squares, in the order of the legend."""


def marks(name: str) -> dict[str, Mark]:
    """The marks of a layer's classes, in the layer's own order."""
    forms = _FORMS[name]
    return {
        one.key: Mark(one.colour, *forms.get(one.key, ("dot", "", 1.0)))
        for one in LAYERS[name].classes
    }


def other() -> Mark:
    """The mark of points without a class."""
    return Mark(_GREY, "dot")


VERDICT_MARKS: dict[str, Mark] = marks("surveys")
