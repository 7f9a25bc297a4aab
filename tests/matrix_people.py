"""Who asks in the matrix, and what each may: by the table of docs/accounts.md and the map of areas.

Nothing here asks the code under test what is allowed.
"""

from dataclasses import dataclass

from tests.matrix_world import SMALL, SPOTS, Spot
from tests.test_roles import documented

TABLE = frozenset(cell for cell, marked in documented().items() if marked)
ROLES = sorted({role for role, _action in documented()})
PUBLIC, SIGNED_IN = "public", "signed in"


@dataclass(frozen=True)
class Person:
    """Somebody with roles at spots; `via` is nobody, session or token (then limited to one action).

    home: the key of the spot to which the account belongs.
    """

    name: str
    held: tuple[tuple[str, str], ...] = ()
    via: str = "session"
    only: str = ""

    @property
    def home(self) -> str:
        return self.held[0][1]

    def may(self, action: str) -> bool:
        """Whether the action is open to the person anywhere."""
        if action == PUBLIC or self.via == "nobody":
            return action == PUBLIC
        return action == SIGNED_IN or bool(self.reach(action))

    def reach(self, action: str) -> frozenset[str]:
        """The keys of the spots where the person may do the action."""
        if self.only not in ("", action):
            return frozenset()
        places = [place for role, place in self.held if (role, action) in TABLE]
        return frozenset(key for place in places for key in SPOTS[place].covers)

    def elsewhere(self) -> bool:
        """Whether figures of other areas are open, with small cells hidden."""
        return bool(self.reach("figures.elsewhere")) and bool(self.reach("figures.read"))

    def hidden(self, kind: str) -> list[Spot]:
        """The spots whose marks of a kind (R, P, L, I; F: figures) nothing shows to the person."""
        if kind == "F" and self.elsewhere():
            seen = frozenset(SPOTS) - {SMALL.key, "B1"} | self.reach("figures.read")
        else:
            seen = frozenset().union(*(self.reach(action) for action in _SHOWS[kind]))
        return [spot for spot in SPOTS.values() if spot.key not in seen]


_SHOWS = {
    "R": ("records.read", "records.export"),
    "P": ("accounts.manage", "log.read"),
    "L": ("log.read",),
    "I": ("ids.read",),
    "F": ("figures.read", "records.read"),  # whoever reads all records can count them
}

PEOPLE = {
    person.name: person
    for person in (
        Person("nobody", via="nobody"),
        *(
            Person(f"{role}@{place}", ((role, place),))
            for place in ("A1", "A0")
            for role in ROLES
        ),
        Person("officer@A1+supervisor@B2", (("officer", "A1"), ("supervisor", "B2"))),
        Person("administrator@A1+auditor@B1", (("administrator", "A1"), ("auditor", "B1"))),
        Person("officer+administrator@A1", (("officer", "A1"), ("administrator", "A1"))),
        Person("token of officer@A1", (("officer", "A1"),), "token", "records.read"),
    )
}  # fmt: skip


def relation(person: Person, spot: Spot) -> str:
    """Where a spot lies from the person's own areas: own, below, parent, sibling, foreign."""
    for _role, place in person.held:
        if spot.key == place:
            return "own"
        if spot.key in SPOTS[place].covers:
            return "below"
        if place in spot.covers:
            return "parent"
        if spot.above == SPOTS[place].above:
            return "sibling"
    return "foreign"
