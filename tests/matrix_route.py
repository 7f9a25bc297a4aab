"""What the matrix expects of one route."""

from dataclasses import dataclass
from typing import Literal

from tests.matrix_calls import Fill

Subject = Literal["nothing", "area", "record", "sent"]


@dataclass(frozen=True)
class Route:
    """A route and method as it is to behave.

    about: what a call is about: nothing in particular, an area as such (403 outside one's own),
    something stored (404 outside), or rows and forms sent (refused outside, as `refused` says).
    done: the statuses when it is allowed. people: closed to tokens. refused: outside one's areas.
    """

    needs: str
    about: Subject
    calls: Fill
    done: tuple[int, ...] = (200,)
    refused: tuple[int, ...] = ()
    people: bool = False
