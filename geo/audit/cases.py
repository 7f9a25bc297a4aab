"""Cases: what auditors look at as one thing, because its findings have one cause."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Subject = TypeVar("Subject")


def of(groups: Mapping[Subject, Sequence[str]], names: Mapping[Subject, str]) -> dict[Subject, str]:
    """The case of each survey or site: one that shares no group with another is a case of its own.

    groups: subject → the groups that its findings name; subjects that share one are one case, and
    whoever shares another with these belongs to it as well. names: subject → the case's name where
    it is alone. A case of several is named by the smallest of its groups.
    """
    first: dict[str, Subject] = {}
    root: dict[Subject, Subject] = {one: one for one in groups}

    def find(one: Subject) -> Subject:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for one, shared in groups.items():
        for group in shared:
            other = first.setdefault(group, one)
            root[find(one)] = find(other)
    members: dict[Subject, list[Subject]] = {}
    for one in groups:
        members.setdefault(find(one), []).append(one)
    return {
        one: min(group for each in together for group in groups[each])
        if len(together) > 1
        else names[one]
        for together in members.values()
        for one in together
    }
