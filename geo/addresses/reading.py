"""Readings of an address: a commune named in it, scored with the units that agree."""

from collections.abc import Collection, Iterable, Iterator

from geo.addresses.texts import Above, Hit, Parents, Text
from geo.addresses.units import Unit
from geo.addresses.words import LEVELS_OF_KIND, SMALLER_PLACE

LEAST_SCORE = 3.0


class Reading:
    """One way to read an address: a commune with the units to its right that agree.

    text: the address from the commune's part on; plain: nothing speaks against it, so that no
    other spelling needs to be tried.
    """

    __slots__ = ("confidence", "hit", "parents", "plain", "score", "text", "unit")

    def __init__(
        self,
        text: Text,
        hit: Hit,
        unit: Unit,
        parents: Parents,
        score: float,
        confidence: float,
        plain: bool = False,
    ) -> None:
        self.text, self.hit, self.unit, self.parents = text, hit, unit, parents
        self.score, self.confidence, self.plain = score, confidence, plain

    def doubted(self, doubt: float) -> "Reading":
        """The same, less sure."""
        sure = self.confidence * (0.6 if doubt == HOMONYM else 0.8 if doubt < ANOTHER else 0.4)
        return Reading(*(self.text, self.hit, self.unit, self.parents), self.score - doubt, sure)


HOMONYM = 0.4
"""The doubt where the name may be the district's: `Chí Caf, Xín Mần` need not be xã Xín Mần."""

SMALLER = 0.2
"""The same after what looks like a hamlet: `Đội Cnấ, Ba Đình` may be the misspelt ward."""


ANOTHER = 5.0
"""The doubt where the words begin with another unit's kind: `Quận Bắc Từ Liêm`."""


def readings(text: Text) -> list[Reading]:
    """Every commune that is named, scored; those in a named province or district only, if any."""
    found = _placed(text, text.toneless)
    if not found:
        found = [reading for end in text.ends() for reading in _anywhere(end, text.toneless)]
    kept = []
    hit, doubt = None, 0.0
    for reading in found:
        if reading.score < LEAST_SCORE:
            continue
        if reading.hit is not hit:
            hit, doubt = reading.hit, _left_doubt(text, reading)
        if not doubt:
            kept.append(reading)
        elif reading.score - doubt >= LEAST_SCORE:
            kept.append(reading.doubted(doubt))
    return kept


def _placed(text: Text, toneless: bool) -> list[Reading]:
    """The readings whose district or province is named to the right of the commune."""
    found = text.placed if toneless else text.placed_by_tones
    if found is None:
        found = _placed(text.rest, toneless) if text.rest else []
        for hit in text.hits:
            if hit.communes:
                above = text.above_right_of(hit)
                if units := _below(hit, above):
                    found = read(text, hit, units, above, toneless) + found
        if toneless:
            text.placed = found
        else:
            text.placed_by_tones = found
    return found


def _below(hit: Hit, above: Above) -> Collection[Unit]:
    """The communes of the name that lie in what is named above."""
    below = hit.name.below
    units = {unit: None for i in above.named if i in below for unit in below[i]}
    if hit.kind is None:
        return units
    levels = LEVELS_OF_KIND[hit.kind]
    return [unit for unit in units if unit.level in levels]


def _anywhere(text: Text, toneless: bool) -> Iterator[Reading]:
    """The readings in the first part of `text`, whatever is named to the right."""
    for hit in text.hits:
        if hit.communes and not rather_above(hit):
            yield from read(text, hit, hit.communes, text.above_right_of(hit), toneless)


def rather_above(hit: Hit) -> bool:
    """Whether a name by itself means a province: `Lào Cai` is no ward then."""
    return hit.kind is None and any(unit.level == "province" for unit in hit.above)


def read(
    text: Text, hit: Hit, units: Iterable[Unit], above: Above, toneless: bool
) -> list[Reading]:
    """Score each unit as what the address means by `hit`; toneless: the whole address is."""
    marked, unsaid = hit.marked(), text.unsaid & (1 << hit.end) - 1
    found = []
    alone = 4.0 + 0.25 * (hit.stop - hit.first - 1)
    for unit in units:
        parents = above.parents(unit)
        score, sure = alone + parents.agreement, parents.sure
        unexplained = (unsaid & ~parents.covered).bit_count()
        if unexplained:
            score -= 1.5 * unexplained
            sure *= 0.75**unexplained
        # Tone marks decide between namesakes, where the text has any.
        if not toneless:
            if marked == unit.marked:
                score += 0.5
            else:
                score -= 0.5
                sure *= 1.0 if marked == hit.keys() else 0.8
        if hit.kind:
            if hit.kind == unit.kind:
                score += 1.0
            else:
                score -= 0.5
                sure *= 1.0 if parents.district else 0.8
        found.append(Reading(text, hit, unit, parents, score, sure, not unexplained))
    return found


def _left_doubt(text: Text, reading: Reading) -> float:
    """Doubt from what stands left of the name: a hamlet word, a longer name, another commune."""
    hit, found = reading.hit, reading.hit.part.words
    doubt, first = 0.0, hit.kind_first
    if not hit.kind and not found.starts[first] and not _after_number(found.keys, first):
        doubt += 2.0 if found.keys[first - 1] in SMALLER_PLACE else 1.0
    end = text
    while end is not reading.text and end.rest:
        for _, begins in end.part.named_units:
            if begins:
                return doubt + ANOTHER
            doubt = max(doubt, 2.0)
        end = end.rest
    for after, begins in hit.part.named_units:
        if after <= first:
            if begins:
                return doubt + ANOTHER
            doubt = max(doubt, 2.0)
    if doubt or hit.kind or not (first or text is not reading.text):
        return doubt
    if not any(unit.level == "district" for unit in hit.above):
        return doubt
    keys = [key for end in text.ends() for key in end.part.words.keys[:2]]
    if keys[0].isdigit() or (keys[0] in SMALLER_PLACE and keys[1].isdigit()):
        return 0.0
    return SMALLER if keys[0] in SMALLER_PLACE else HOMONYM


def _after_number(keys: list[str], first: int) -> bool:
    """`Thôn 3 Chí Cà`: the hamlet ends with its number."""
    return first > 1 and keys[first - 1].isdigit() and keys[first - 2] in SMALLER_PLACE
