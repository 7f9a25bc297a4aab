"""RULES: what makes a survey's or a site's location doubtful, one pure function each.

The families are modules of this package; `rule` says what a rule is and gets, `telling` puts what
it found into words. Rows that rules read have the columns that `geo.audit.frames` lists; a
column that is not known is NaN or None in every row.
"""

from geo.rules.location import LOCATION
from geo.rules.mistakes import MISTAKES
from geo.rules.neighbours import NEIGHBOURS
from geo.rules.photos import PHOTOS
from geo.rules.rule import FAMILIES, SITE, SURVEY, Context, Rule, RuleSettings
from geo.rules.telling import explain, say

RULES: dict[str, Rule] = {rule.code: rule for rule in (*LOCATION, *NEIGHBOURS, *MISTAKES, *PHOTOS)}

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
