"""Demo surveys: enumerators on their rounds, and the ways in which a location comes out wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geo.demo.addresses import DemoCommune
from geo.demo.points import Surroundings, measured, moved, over_border
from geo.verdicts.matching import AreaShapes

HOUSEHOLDS_AN_ENUMERATOR = 133
"""20,000 households are about 150 enumerators' work."""

MISPLACED_SHARE = 0.05
KINDS = {
    "neighbour_commune": 4,
    "far_commune": 4,
    "commune_office": 4,
    "vn2000_as_wgs84": 2,
    "over_border": 2,
    "same_point": 2,
    "mocked": 2,
}
"""How a location is wrong → how often, against the other ways."""

_SILENT_SHARE = 0.02
_NO_ACCURACY_SHARE = 0.02
_SUNDAY = 6
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_A_DAY = 12
_SEASON_DAYS = 17
_A_STAY = 6
"""Visits in one commune before the round goes on to the next."""


@dataclass(frozen=True)
class Home:
    """Where a household truly lives; EPSG:4326."""

    code: str
    commune_code: str
    province_code: str
    lon: float
    lat: float
    hamlet: int


@dataclass(frozen=True)
class Truth:
    """What is true of one survey: kind is `honest` or one of KINDS; EPSG:4326."""

    survey_id: str
    household_code: str
    kind: str
    true_lon: float
    true_lat: float
    true_commune_code: str


@dataclass(frozen=True)
class _Reported:
    """What the phone sent."""

    lon: float
    lat: float
    accuracy_m: float
    mock: bool = False


def surveys(
    words: Random,
    rng: np.random.Generator,
    shapes: AreaShapes,
    communes: Sequence[DemoCommune],
    homes: dict[str, list[Home]],
    today: date,
) -> tuple[list[dict[str, object]], list[Truth]]:
    """The surveys of all communes with the truth of each, in the same order.

    homes: commune code → its households, hamlet by hamlet.
    """
    rows: list[dict[str, object]] = []
    truths: list[Truth] = []
    phone = _Phone(words, rng, shapes, {c.code: c for c in communes}, homes)
    for enumerator, visited in _rounds(words, communes, homes):
        device = f"{words.getrandbits(64):016x}"
        last: _Reported | None = None
        for home, when in zip(visited, _times(words, len(visited), today), strict=True):
            kind, last = phone.report(home, last)
            survey_id = str(UUID(int=words.getrandbits(128), version=4))
            rows.append(
                {
                    "survey_id": survey_id,
                    "household_code": home.code,
                    "province_code": home.province_code,
                    "surveyed_at": when.isoformat(),
                    "enumerator": enumerator,
                    "device_id": device,
                }
                | _location(words, last)
            )
            truths.append(Truth(survey_id, home.code, kind, home.lon, home.lat, home.commune_code))
    return rows, truths


def _rounds(
    words: Random, communes: Sequence[DemoCommune], homes: dict[str, list[Home]]
) -> Iterator[tuple[str, list[Home]]]:
    """Each enumerator's name and the homes visited, in the order of the visits.

    An enumerator has neighbouring communes; most of each is covered, of a few nothing.
    """
    for province in sorted({commune.province_code for commune in communes}):
        work: list[tuple[Home, bool]] = []
        for commune in communes:
            if commune.province_code == province:
                here = homes[commune.code]
                silent = words.random() < _SILENT_SHARE
                covered = 0.0 if silent else words.triangular(0.4, 1.0, 0.97)
                reached = round(covered * len(here))
                work += [(home, i < reached) for i, home in enumerate(here)]
        starts = range(0, len(work), HOUSEHOLDS_AN_ENUMERATOR)
        for number, start in enumerate(starts, start=1):
            own = work[start : start + HOUSEHOLDS_AN_ENUMERATOR]
            visited = [home for home, reached in own if reached]
            yield f"DEMO-{province}-{number:03d}", _by_turns(visited)


def _by_turns(visited: list[Home]) -> list[Home]:
    """The same homes, some of one commune after some of another, so that all go on to the end."""
    waiting: dict[str, list[Home]] = {}
    for home in visited:
        waiting.setdefault(home.commune_code, []).append(home)
    # A stay's place in the round is its place in its commune's own list, as a share.
    stays = [
        ((start + _A_STAY / 2) / len(homes), homes[start : start + _A_STAY])
        for homes in waiting.values()
        for start in range(0, len(homes), _A_STAY)
    ]
    return [home for _, stay in sorted(stays, key=lambda stay: stay[0]) for home in stay]


def _times(words: Random, count: int, today: date) -> list[datetime]:
    """When each of `count` visits takes place: working days and hours, ending before today."""
    season = [today - timedelta(days=back) for back in range(_SEASON_DAYS, 0, -1)]
    days = [day for day in season if day.weekday() != _SUNDAY]
    a_day = max(_A_DAY, -(-count // len(days)))
    first = words.randint(0, len(days) - -(-count // a_day))
    times: list[datetime] = []
    for i in range(count):
        day, place = divmod(i, a_day)
        minutes = (
            36 * 12 * place // a_day + words.randint(0, 15) + (80 if 2 * place >= a_day else 0)
        )
        start = datetime.combine(days[first + day], time(7, 30), _LOCAL)
        times.append(start + timedelta(minutes=minutes, seconds=words.randint(0, 59)))
    return times


class _Phone:
    """Reports homes' locations, now and then a wrong one."""

    def __init__(
        self,
        words: Random,
        rng: np.random.Generator,
        shapes: AreaShapes,
        communes: dict[str, DemoCommune],
        homes: dict[str, list[Home]],
    ) -> None:
        self._words, self._rng, self._shapes = words, rng, shapes
        self._communes, self._homes = communes, homes
        self._around = Surroundings.of(shapes)
        self._places: dict[str, NDArray[np.int64]] = {}
        for province in {commune.province_code for commune in communes.values()}:
            inhabited = [
                shapes.index(code)
                for code, commune in communes.items()
                if commune.province_code == province and homes[code]
            ]
            self._places[province] = np.array(inhabited, dtype=np.int64)

    def report(self, home: Home, last: _Reported | None) -> tuple[str, _Reported]:
        """The kind of the truth and what is sent; `last`: what the same phone sent before."""
        kind = "honest"
        if self._words.random() < MISPLACED_SHARE:
            kind = self._words.choices(list(KINDS), list(KINDS.values()))[0]
        accuracy = float(np.clip(self._rng.lognormal(np.log(8), 0.6), 3, 150))
        wrong = self._wrong(kind, home, accuracy, last)
        if wrong is None:
            return "honest", self._at(home.lon, home.lat, accuracy)
        return kind, wrong

    def _at(self, lon: float, lat: float, accuracy: float) -> _Reported:
        return _Reported(*measured(self._rng, lon, lat, accuracy), accuracy)

    def _wrong(
        self, kind: str, home: Home, accuracy: float, last: _Reported | None
    ) -> _Reported | None:
        """A report that is wrong in the way of `kind`; None when that cannot be done here."""
        place = self._shapes.index(home.commune_code)
        if kind in ("neighbour_commune", "far_commune") and place is not None:
            other = self._other(kind, home, place)
            return self._at(other.lon, other.lat, accuracy) if other else None
        if kind == "commune_office":
            office = self._communes[home.commune_code]
            return self._at(office.lon, office.lat, accuracy)
        if kind == "vn2000_as_wgs84":
            return self._at(*moved(home.lon, home.lat, -195.0, 110.0), accuracy)
        if kind == "over_border" and place is not None:
            polygon = self._shapes.polygons[place]
            return _Reported(*over_border(self._rng, polygon, home.lon, home.lat), accuracy)
        if kind == "same_point" and last:
            return last
        if kind == "mocked":
            east, north = self._rng.normal(0, 1500, 2)
            return _Reported(*moved(home.lon, home.lat, float(east), float(north)), 0.0, True)
        return None

    def _other(self, kind: str, home: Home, place: int) -> Home | None:
        """A household of a commune next to the home's, or of one far away in the province."""
        among = self._places[home.province_code]
        if kind == "far_commune":
            among = self._around.far(place, among)
        else:
            among = among[np.isin(among, self._around.neighbours[place])]
        if not len(among):
            return None
        code = self._shapes.codes[int(self._rng.choice(among))]
        return self._words.choice(self._homes[code])


def _location(words: Random, reported: _Reported) -> dict[str, object]:
    row: dict[str, object] = {
        "lon": round(reported.lon, 7),
        "lat": round(reported.lat, 7),
        "mock_location": int(reported.mock),
        "altitude_m": round(words.uniform(5, 900), 1),
        "satellites": words.randint(5, 24),
    }
    if words.random() >= _NO_ACCURACY_SHARE:
        row["accuracy_m"] = round(reported.accuracy_m, 1)
    return row
