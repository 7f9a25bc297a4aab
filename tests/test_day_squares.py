"""Surveys of some days in tiles of the country: as many as were made on these days, no others."""

import itertools
import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from geo import areas, day_squares, layers, moments
from geo.errors import UsageError
from tests import intake_world as world
from tests.intake_world import load
from tests.mvt_reading import features, located

VIET_NAM = timezone(timedelta(hours=7))
VISITS = (
    ("2025-12-31T23:59:59+07:00", 105.05),
    ("2026-01-01T00:00:00+07:00", 105.05),
    ("2026-01-01T12:00:00+07:00", 105.15),
    ("2026-03-05T00:30:00+07:00", 105.05),
    ("2026-09-14T08:15:00+07:00", 105.05),
)
"""When each visit was, and where: 105.15 is outside."""

days_ = st.integers(-800_000, 3_000_000)


# ---- which blocks make up some days


@given(days_, st.integers(-3, 3000))
@example(0, 1)
@example(1, 512)
@example(-moments.EVER, 2 * moments.EVER)
@example(20_000, moments.EVER - 20_000)
def test_blocks_make_up_exactly_the_days(first: int, number: int) -> None:
    behind = first + number
    edges = {first - 1, first, first + 1, behind - 1, behind, behind + 1}
    found = list(day_squares.blocks(first, behind))
    for scale, start, end, _sign in found:
        assert scale in day_squares.SCALES
        edges |= {day << scale for day in (start, end)} | {
            (day << scale) - 1 for day in (start, end)
        }
    for day in edges:  # what is between two edges is in the same blocks
        times = sum(sign for scale, start, end, sign in found if start <= day >> scale < end)
        assert times == (first <= day < behind)


@given(days_, st.integers(1, 366))
def test_a_year_takes_few_blocks(first: int, number: int) -> None:
    found = day_squares.blocks(first, first + number)
    assert sum(end - start for _scale, start, end, _sign in found) <= 22


# ---- which filters ask for whole days


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (None, None, (-moments.EVER, moments.EVER)),
        (date(1980, 1, 1), date(1980, 1, 1), (3652, 3653)),
        (date(2026, 9, 14), None, (20710, moments.EVER)),
        (None, date(2026, 9, 14), (-moments.EVER, 20711)),
        (date(2026, 9, 14), date(2026, 9, 13), (0, 0)),
        (datetime(2026, 9, 14), None, (20710, moments.EVER)),
        (datetime(2026, 9, 13, 17, tzinfo=UTC), None, (20710, moments.EVER)),
        (date(2026, 9, 14), datetime(2026, 9, 14, 23, 59, 59, 999999), (20710, 20711)),
    ],
)
def test_whole_days_are_those_at_utc_7(since, until, days) -> None:
    assert moments.span(since, until) == (*days, ())


@pytest.mark.parametrize(
    ("since", "until", "days", "less"),
    [
        (datetime(2026, 9, 14, 9, 30), None, (20710, moments.EVER),
         [("2026-09-14 00:00", "2026-09-14 09:29:59.999999")]),
        (None, datetime(2026, 9, 14, 9, 30), (-moments.EVER, 20711),
         [("2026-09-14 09:30:00.000001", "2026-09-14 23:59:59.999999")]),
        (datetime(2026, 9, 14, 9), datetime(2026, 9, 14, 9), (20710, 20711),
         [("2026-09-14 00:00", "2026-09-14 08:59:59.999999"),
          ("2026-09-14 09:00:00.000001", "2026-09-14 23:59:59.999999")]),
        (datetime(2026, 9, 14, 9), datetime(2026, 9, 14, 8), (0, 0), []),
        # Until 1975 clocks in Saigon differed: what begins by such a day is no whole one.
        (date(1970, 1, 1), date(1970, 1, 1), (-1, 1),
         [("1969-12-31 00:00", "1969-12-31 22:59:59.999999"),
          ("1970-01-01 23:00", "1970-01-01 23:59:59.999999")]),
    ],
)  # fmt: skip
def test_parts_of_the_first_and_last_day_are_taken_away(since, until, days, less) -> None:
    at_utc_7 = [tuple(datetime.fromisoformat(end).replace(tzinfo=VIET_NAM) for end in part)
                for part in less]  # fmt: skip
    assert moments.span(since, until) == (*days, tuple(at_utc_7))


@pytest.mark.parametrize("end", [datetime.min, datetime.max])
def test_days_end_with_the_calendar(end: datetime) -> None:
    moment = end.replace(tzinfo=UTC)
    assert moments.span(moment, None).first == moments.count_day(moment)
    with pytest.raises(UsageError, match="beyond the years"):
        moments.span(None, datetime.max.replace(tzinfo=UTC))


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_day_of_a_moment_is_its_date_at_utc_7(moment: datetime) -> None:
    day = moments.count_day(moment)
    if moment.year in range(2, 9999):
        assert moment.astimezone(VIET_NAM).date() - date(1970, 1, 1) == timedelta(days=day)


# ---- tiles


@pytest.fixture
def visited(homed: Connection) -> Connection:
    load(
        homed, "surveys",
        *(world.survey(n, surveyed_at=when, lon=lon) for n, (when, lon) in enumerate(VISITS, 1)),
    )  # fmt: skip
    return homed


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"since": date(2026, 1, 1)}, {"inside": 3, "outside": 1}),
        ({"until": date(2025, 12, 31)}, {"inside": 1}),
        ({"since": date(2025, 12, 31), "until": date(2026, 1, 1)}, {"inside": 2, "outside": 1}),
        ({"since": date(2026, 1, 2), "until": date(2026, 9, 13)}, {"inside": 1}),
        ({"since": date(2026, 1, 1), "verdict": "outside"}, {"outside": 1}),
        ({"since": date(2026, 1, 1), "verdict": "doubtful"}, {"outside": 1}),
        ({"since": date(2026, 1, 1), "verdict": "unlocated"}, {}),
        ({"since": date(2026, 3, 4), "until": date(2026, 1, 1)}, {}),
        ({"since": datetime(2026, 3, 5)}, {"inside": 2}),
        ({"rule": "outside"}, {"outside": 1}),
        ({"rule": "outside", "verdict": "inside"}, {}),
        ({"rule": "outside", "verdict": "doubtful", "until": date(2026, 3, 1)}, {"outside": 1}),
        ({"rule": "outside", "until": date(2025, 12, 31)}, {}),
    ],
)
@pytest.mark.parametrize("z", range(day_squares.LEVEL - 2))
def test_tiles_of_days_are_added_up_without_the_surveys(
    visited: Connection, z: int, asked: dict, expected: dict[str, int]
) -> None:
    statements = []
    event.listen(visited, "before_cursor_execute", lambda *told: statements.append(told[2]))
    found = list(
        itertools.chain.from_iterable(features(body) for body in tiles(visited, z, asked) if body)
    )
    told = {name: sum(one.get(name, 0) for one in found) for name in ("inside", "outside")}
    assert {name: number for name, number in told.items() if number} == expected
    assert sum(one["count"] for one in found) == sum(expected.values())
    assert sum(one.get("flagged", 0) for one in found) == expected.get("outside", 0)
    assert not any("FROM survey" in statement for statement in statements)


def test_squares_of_days_stand_where_their_surveys_are(visited: Connection) -> None:
    at, told = one_square(visited, {"since": date(2026, 3, 1)})
    assert (at, told["count"]) == (place(105.05, 21.01), 2)
    at, told = one_square(visited, {"since": date(2026, 1, 1), "until": date(2026, 1, 1)})
    assert (at, told["count"]) == (place(105.10, 21.01), 2)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"since": date(2026, 1, 1), "verdict": "far"}, "'far' is no verdict"),
        ({"since": date(1, 1, 1)}, "beyond the years"),
    ],
)
def test_what_is_not_there_is_refused(visited: Connection, asked: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        layers.tile(visited, "surveys", 0, 0, 0, areas.get(visited, "01"), **asked)


def tiles(conn: Connection, z: int, asked: dict) -> list[bytes]:
    of = areas.get(conn, "01")
    column, row = place(105.05, 21.01, 1 << z)
    around = [(column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    inside = [(x, y) for x, y in around if 0 <= x < 1 << z and 0 <= y < 1 << z]
    return [layers.tile(conn, "surveys", z, x, y, of, **asked) for x, y in inside]


def one_square(conn: Connection, asked: dict) -> tuple[tuple[int, int], dict]:
    (found,) = located(layers.tile(conn, "surveys", 0, 0, 0, areas.get(conn, "01"), **asked))
    return found


def place(lon: float, lat: float, side: int = 4096) -> tuple[int, int]:
    """Column and row on a map of the world that is `side` wide and high."""
    south = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * side), int(south * side)
