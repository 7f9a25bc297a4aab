"""What an import adds to counters and squares: gathered while it runs, counted on at its end.

A row that is added needs no other row to be counted, so that an import costs the same however much
is stored. Only whether a household had surveys before is asked: see `recount_visited.sql`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import Boolean, Column, Connection, MetaData, Table, Text, select, tuple_

from geo import choice_squares, copying, day_squares, pyramid
from geo.choice_squares import Chosen
from geo.geometry import Floats
from geo.pyramid import Pair
from geo.sending import Statement

_COUNTS = (
    *("households", "poor", "near_poor", "rated"),
    *("surveys", "inside", "uncertain", "outside", "unlocated"),
)
_MANY = 20_000
FINISHED = ("completed", "accepted", "handed_over")
"""Stages from which on a site is not late any more."""

_Visit = tuple[str, str, str, bool]
"""Province, commune, household, whether the survey is inside."""
_VISITS = Table(
    "added_visit",
    MetaData(),
    Column("province_code", Text, nullable=False),
    Column("commune_code", Text, nullable=False),
    Column("household_code", Text, nullable=False),
    Column("inside", Boolean, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


class Site(Protocol):
    """What is counted of a site: geo.intake.records.Site."""

    kind: Any
    stage: Any
    stage_on: date | None
    due_on: date | None
    cost_planned: int | None
    cost_paid: int | None


Finding = tuple[int, str]
"""The place of a record in the lists, and the rule that doubts it."""


@dataclass
class _Built:
    """New sites of one commune, kind and stage."""

    number: int = 0
    planned: int = 0
    paid: int = 0
    last: date | None = None


class Additions:
    """Rows that one import added and the counters do not know yet."""

    def __init__(self) -> None:
        self._counts: dict[Pair, dict[str, int]] = {}
        self._last: dict[Pair, datetime] = {}
        self._sites: dict[tuple[str, str, str, str], _Built] = {}
        self._due: Counter[tuple[str, str, date]] = Counter()
        self._squares: pyramid.Squares = {}
        self._days: day_squares.Days = {}
        self._choices: choice_squares.Choices = {}
        self._visits: list[_Visit] = []
        self._apart = False

    @property
    def communes(self) -> set[Pair]:
        """The communes in which something was added."""
        return set(self._counts)

    def households(
        self, pairs: Sequence[Pair], statuses: Sequence[str | None], lon: Floats, lat: Floats
    ) -> None:
        """Take up new households: where each counts, its status, its point (degrees, NaN)."""
        for pair, status in zip(pairs, statuses, strict=True):
            counts = self._of(pair)
            counts["households"] += 1
            counts["rated"] += status is not None
            if status in ("poor", "near_poor"):
                counts[status] += 1
        classes = [status or "" for status in statuses]
        pyramid.gather(self._squares, "households", pairs, classes, lon, lat, ())
        chosen = [Chosen(kind=status) for status in classes]
        choice_squares.gather(self._choices, "households", pairs, chosen, lon, lat)

    def surveys(
        self,
        pairs: Sequence[Pair],
        households: Sequence[str],
        verdicts: Sequence[str],
        moments: Sequence[datetime],
        lon: Floats,
        lat: Floats,
        findings: Sequence[Finding],
    ) -> None:
        """Take up new surveys, and their findings: (place of the survey in the lists, rule)."""
        for pair, code, verdict, moment in zip(pairs, households, verdicts, moments, strict=True):
            counts = self._of(pair)
            counts["surveys"] += 1
            counts[verdict] += 1
            self._last[pair] = max(self._last.get(pair, moment), moment)
            self._visits.append((*pair, code, verdict == "inside"))
        self._doubted("surveys", pairs, verdicts, lon, lat, findings)
        flagged = {place for place, _rule in findings}
        day_squares.gather(self._days, pairs, verdicts, moments, lon, lat, flagged)
        at = [place for place, _rule in findings]
        choice_squares.gather(
            self._choices,
            "survey_findings",
            [pairs[place] for place in at],
            [Chosen(rule, "", verdicts[place], "open") for place, rule in findings],
            lon[at],
            lat[at],
            moments=[moments[place] for place in at],
            flagged=range(len(at)),
        )

    def sites(
        self,
        pairs: Sequence[Pair],
        sites: Sequence[Site],
        verdicts: Sequence[str],
        lon: Floats,
        lat: Floats,
        findings: Sequence[Finding],
    ) -> None:
        """Take up new sites, and their findings as for surveys."""
        for pair, one in zip(pairs, sites, strict=True):
            self._of(pair)
            built = self._sites.setdefault((*pair, one.kind, one.stage), _Built())
            built.number += 1
            built.planned += one.cost_planned or 0
            built.paid += one.cost_paid or 0
            built.last = max(filter(None, (built.last, one.stage_on)), default=None)
            if one.due_on and one.stage not in FINISHED:
                self._due[*pair, one.due_on] += 1
        self._doubted("sites", pairs, [one.stage for one in sites], lon, lat, findings)
        at = [place for place, _rule in findings]
        chosen = [Chosen("", one.stage, kind) for one, kind in zip(sites, verdicts, strict=True)]
        choices, flagged = self._choices, set(at)
        choice_squares.gather(choices, "sites", pairs, chosen, lon, lat, flagged=flagged)
        doubts = [Chosen(rule, *chosen[place][1:3], "open") for place, rule in findings]
        theirs, all_ = [pairs[place] for place in at], range(len(at))
        choice_squares.gather(
            choices, "site_findings", theirs, doubts, lon[at], lat[at], flagged=all_
        )

    def _doubted(
        self,
        layer: str,
        pairs: Sequence[Pair],
        classes: Sequence[str],
        lon: Floats,
        lat: Floats,
        findings: Sequence[Finding],
    ) -> None:
        """Records with the squares of their findings."""
        at = [place for place, _rule in findings]
        pyramid.gather(self._squares, layer, pairs, classes, lon, lat, set(at))
        theirs, rules = [pairs[place] for place in at], [rule for _place, rule in findings]
        flagged = range(len(at))
        pyramid.gather(self._squares, "findings", theirs, rules, lon[at], lat[at], flagged)

    def make_room(self, conn: Connection) -> None:
        """Keep what a long file visits in the database instead of the memory."""
        if len(self._visits) >= _MANY:
            self._keep_apart(conn)

    def counting(self, conn: Connection, others: Collection[Pair]) -> Iterator[Statement]:
        """What counts on that which was added in communes but `others`, which are counted whole.

        Needs the locks of the communes.
        """
        communes = sorted(self.communes.difference(others))
        if communes:
            yield "recount_added", self._rows(communes)
            yield from self._counting_sites(set(communes))
            for visits in self._visits_in(conn, communes):
                names = ("provinces", "communes", "households", "inside")
                yield "recount_visited", _columns(names, visits)
            yield from pyramid.adding(self._squares, set(communes))
            yield from day_squares.adding(self._days, set(communes))
            yield from choice_squares.adding(self._choices, set(communes))
        if self._apart:
            _VISITS.drop(conn)

    def _of(self, pair: Pair) -> dict[str, int]:
        if pair not in self._counts:
            self._counts[pair] = dict.fromkeys(_COUNTS, 0)
        return self._counts[pair]

    def _rows(self, communes: Sequence[Pair]) -> dict[str, list]:
        lists: dict[str, list] = {
            name: [self._counts[pair][name] for pair in communes] for name in _COUNTS
        }
        lists["last"] = [self._last.get(pair) for pair in communes]
        lists["provinces"] = [province for province, _ in communes]
        lists["communes"] = [commune for _, commune in communes]
        return lists

    def _counting_sites(self, communes: Collection[Pair]) -> Iterator[Statement]:
        built = [(*key, *astuple(one)) for key, one in self._sites.items() if key[:2] in communes]
        if built:
            names = ("provinces", "communes", "kinds", "stages", *_Built.__dataclass_fields__)
            yield "recount_added_sites", _columns(names, built)
        due = [(*key, number) for key, number in self._due.items() if key[:2] in communes]
        if due:
            names = ("provinces", "communes", "days", "number")
            yield "recount_added_due", _columns(names, due)

    def _keep_apart(self, conn: Connection) -> None:
        if not self._apart:
            _VISITS.create(conn)
            self._apart = True
        columns = zip((c.name for c in _VISITS.c), zip(*self._visits, strict=True), strict=True)
        copying.copy(conn, _VISITS, {name: list(values) for name, values in columns})
        self._visits = []

    def _visits_in(self, conn: Connection, communes: Sequence[Pair]) -> Iterator[list[_Visit]]:
        """The visits in these communes, those of one commune together."""
        if not self._apart:
            chosen = set(communes)
            visits = [visit for visit in self._visits if visit[:2] in chosen]
            if visits:
                yield visits
            return
        if self._visits:
            self._keep_apart(conn)
        for some in self._portions(communes):
            which = tuple_(_VISITS.c.province_code, _VISITS.c.commune_code).in_(some)
            yield [tuple(row) for row in conn.execute(select(_VISITS).where(which))]

    def _portions(self, communes: Sequence[Pair]) -> Iterator[list[Pair]]:
        """Visited communes, about _MANY visits at a time."""
        before, numbered = 0, []
        for pair in communes:
            if self._counts[pair]["surveys"]:
                numbered.append((before // _MANY, pair))
                before += self._counts[pair]["surveys"]
        for _number, some in groupby(numbered, key=lambda one: one[0]):
            yield [pair for _, pair in some]


def _columns(names: Sequence[str], rows: Sequence[tuple]) -> dict[str, list]:
    """Rows as one list a column."""
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
