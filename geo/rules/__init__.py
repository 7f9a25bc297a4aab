"""RULES: what makes a survey's or a site's location doubtful, one pure function each.

The families are modules of this package; `rule` says what a rule is and gets, `telling` puts what
it found into words. Rows that rules read have the columns that `geo.audit.frames` lists; a
column that is not known is NaN or None in every row.
"""

from geo.rules.location import LOCATION
from geo.rules.mistakes import MISTAKES
from geo.rules.movement import MOVEMENT
from geo.rules.nearness import NEARNESS
from geo.rules.neighbours import NEIGHBOURS
from geo.rules.photos import PHOTOS
from geo.rules.places import PLACES
from geo.rules.rule import FAMILIES, SITE, SURVEY, Context, Rule, RuleSettings
from geo.rules.sameness import SAMENESS
from geo.rules.shifts import SHIFTS
from geo.rules.spots import SPOTS
from geo.rules.stages import STAGE
from geo.rules.telling import explain, say
from geo.rules.times import TIMES

_POINTS = (*LOCATION, *NEIGHBOURS, *MISTAKES, *SHIFTS, *PLACES, *SAMENESS, *NEARNESS, *SPOTS)
_OTHERS = (*MOVEMENT, *TIMES, *STAGE, *PHOTOS)

RULES: dict[str, Rule] = {rule.code: rule for rule in (*_POINTS, *_OTHERS)}

__all__ = [
    "FAMILIES",
    "RULES",
    "SITE",
    "SURVEY",
    "Context",
    "Rule",
    "RuleSettings",
    "explain",
    "say",
]
