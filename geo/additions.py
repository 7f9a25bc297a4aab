"""What an import adds to counters and squares: gathered while it runs, counted on at its end.

A row that is added needs no other row to be counted, so that an import costs the same however much
is stored. Only whether a household had surveys before is asked: see `recount_visited.sql`.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Boolean, Column, Connection, MetaData, Table, Text, select, tuple_

from geo import copying, pyramid
from geo.db import sql
from geo.geometry import Floats
from geo.pyramid import Pair

_COUNTS = (
    *("households", "poor", "near_poor", "rated"),
    *("surveys", "inside", "uncertain", "outside", "unlocated"),
)
_MANY = 20_000
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


class Additions:
    """Rows that one import added and the counters do not know yet."""

    def __init__(self) -> None:
        self._counts: dict[Pair, dict[str, int]] = {}
        self._last: dict[Pair, datetime] = {}
        self._squares: pyramid.Squares = {}
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

    def surveys(
        self,
        pairs: Sequence[Pair],
        households: Sequence[str],
        verdicts: Sequence[str],
        moments: Sequence[datetime],
        lon: Floats,
        lat: Floats,
        findings: Sequence[tuple[int, str]],
    ) -> None:
        """Take up new surveys, and their findings: (place of the survey in the lists, rule)."""
        for pair, code, verdict, moment in zip(pairs, households, verdicts, moments, strict=True):
            counts = self._of(pair)
            counts["surveys"] += 1
            counts[verdict] += 1
            self._last[pair] = max(self._last.get(pair, moment), moment)
            self._visits.append((*pair, code, verdict == "inside"))
        at = [place for place, _rule in findings]
        pyramid.gather(self._squares, "surveys", pairs, verdicts, lon, lat, set(at))
        pyramid.gather(
            self._squares,
            "findings",
            [pairs[place] for place in at],
            [rule for _place, rule in findings],
            lon[at],
            lat[at],
            range(len(at)),
        )

    def make_room(self, conn: Connection) -> None:
        """Keep what a long file visits in the database instead of the memory."""
        if len(self._visits) >= _MANY:
            self._keep_apart(conn)

    def count(self, conn: Connection, others: Collection[Pair]) -> None:
        """Count on what was added in communes but `others`, which are counted whole.

        Needs the locks of the communes' counters.
        """
        communes = sorted(self.communes.difference(others))
        if communes:
            self._count_rows(conn, communes)
            for visits in self._visits_in(conn, communes):
                provinces, codes, households, inside = map(list, zip(*visits, strict=True))
                given = {"households": households, "inside": inside}
                given |= {"provinces": provinces, "communes": codes}
                conn.execute(sql("recount_visited"), given)
            pyramid.add(conn, self._squares, set(communes))
        if self._apart:
            _VISITS.drop(conn)

    def _of(self, pair: Pair) -> dict[str, int]:
        if pair not in self._counts:
            self._counts[pair] = dict.fromkeys(_COUNTS, 0)
        return self._counts[pair]

    def _count_rows(self, conn: Connection, communes: Sequence[Pair]) -> None:
        lists: dict[str, list] = {
            name: [self._counts[pair][name] for pair in communes] for name in _COUNTS
        }
        lists["last"] = [self._last.get(pair) for pair in communes]
        lists["provinces"] = [province for province, _ in communes]
        lists["communes"] = [commune for _, commune in communes]
        conn.execute(sql("recount_added"), lists)

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
