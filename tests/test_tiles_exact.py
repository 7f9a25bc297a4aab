"""Every record stands once in the tiles of a zoom, whatever is asked and whoever asks."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo import areas, layers, metrics
from geo.db import become_runtime
from geo.layers import points, squares
from geo.rules import RULES
from geo.scope import OPERATOR, Scope, bind
from geo.tables import STAGES, STATUSES, VERDICTS
from tests import records_world as world
from tests.mvt_reading import features, located
from tests.records_world import add_finding, add_household, add_site, add_survey

PLACES = [("00101", 105.02, 21.02), ("00102", 105.4, 21.3), ("00201", 106.7, 20.4)]
"""A commune and where its records stand: two in one tile of zoom 8, the third in another."""
CLASSED = {"surveys": "verdict", "households": "status", "sites": "stage", "findings": "severity"}
PEOPLE = {
    "country": Scope(everything=True),
    "province": Scope(provinces=frozenset(["01"])),
    "commune": Scope(communes=frozenset(["00102"])),
    "two areas": Scope(provinces=frozenset(["02"]), communes=frozenset(["00101"])),
}
DOUBTS = ("outside", "uncertain", "mock_location")
STATES = ("open", "confirmed")
FIRST = datetime(2025, 9, 1, 2, 0, tzinfo=UTC)
VIET_NAM = timezone(timedelta(hours=7))
EACH = 24


@pytest.fixture(scope="module")
def stored(empty_engine):
    """EACH records of every kind and commune with a point and some without; rolled back."""
    with empty_engine.connect() as conn:
        outer = conn.begin()
        bind(conn, OPERATOR)
        world.build(conn)
        made = {name: [] for name in ("surveys", "households", "sites", "findings")}
        for place in PLACES:
            for number in range(EACH):
                _add(conn, made, place, number)
        metrics.recount(conn, world.PAIRS)
        yield conn, made
        outer.rollback()


def _add(conn, made, place, number):
    """A household, a survey, a site and their findings; every eighth has no point."""
    commune, lon, lat = place
    home = {"province": world.COMMUNES[commune], "commune": commune}
    at = (lon + number * 1e-4, lat - number * 7e-5) if number % 8 else None
    when = FIRST + timedelta(days=number % 5)
    status = (None, *STATUSES)[number % 5]
    verdict, stage = VERDICTS[number % 4], STAGES[number % 10]
    rule, state = DOUBTS[number % 3], STATES[number % 2]
    severity = RULES[rule].severity
    code = add_household(conn, commune, status=status, received_at=when, at=at)
    one = {"verdict": verdict, "at": at}
    visit = add_survey(conn, code, commune, surveyed_at=when, enumerator=f"E{number % 3}", **one)
    house = add_site(conn, code, commune, stage=stage, received_at=when, **one)
    doubts = []
    for subject, identity in (("survey", visit), ("site", house)):
        if number % 2 or subject == "site":
            key = {"province_code": home["province"], "commune_code": commune}
            told = {"subject": subject, "severity": severity, "state": state}
            add_finding(conn, identity, rule, **key, **told)
            doubts.append((subject, rule))
    rules = dict(doubts)
    common = {**home, "when": when, "shown": at is not None}
    visited = {**common, "enumerator": f"E{number % 3}"}
    open_ = state == "open"
    made["households"].append({**common, "status": status, "flagged": False})
    made["surveys"].append(
        {**visited, "verdict": verdict, "rule": rules.get("survey"),
         "flagged": open_ and "survey" in rules}
    )  # fmt: skip
    made["sites"].append(
        {**common, "verdict": verdict, "stage": stage, "rule": rule, "flagged": open_}
    )
    for subject, _rule in doubts:
        about = {"rule": rule, "state": state, "severity": severity, "flagged": open_}
        when_visited = visited if subject == "survey" else {**home, "shown": at is not None}
        made["findings"].append({**when_visited, **about})


VALUES = {
    "verdict": (*VERDICTS, "doubtful"),
    "status": STATUSES,
    "stage": STAGES,
    "rule": (*DOUBTS, "no such rule"),
    "state": ("open", "decided", "confirmed"),
    "severity": (1, 2, 3),
    "enumerator": ("E0", "E2", "nobody"),
    "since": (
        date(2025, 9, 1),
        date(2025, 9, 3),
        datetime(2025, 9, 2, tzinfo=VIET_NAM),
        FIRST + timedelta(days=2),
        FIRST + timedelta(days=2, seconds=1),
    ),
    "until": (
        date(2025, 9, 2),
        date(2025, 9, 5),
        datetime(2025, 9, 4, tzinfo=VIET_NAM),
        FIRST + timedelta(days=2),
    ),
}


def matches(row, asked):
    """Whether a record is one that was asked for, told without SQL."""
    for name, value in asked.items():
        if name in ("since", "until"):
            if "when" not in row or not _in_time(row["when"], name, value):
                return False
        elif name == "verdict" and value == "doubtful":
            if row["verdict"] not in ("outside", "uncertain"):
                return False
        elif name == "state" and value == "decided":
            if row["state"] == "open":
                return False
        elif row.get(name) != value:
            return False
    return row["shown"]


def _in_time(when, name, value):
    begins = value if isinstance(value, datetime) else datetime.combine(value, time(), VIET_NAM)
    if name == "since":
        return when >= begins
    return when <= value if begins is value else when < begins + timedelta(days=1)


def seen(row, scope, area):
    inside = area in ("VN", row["province"], row["commune"])
    return inside and scope.covers(row["province"], row["commune"])


def tiles_of(z):
    """The tiles of a zoom in which the places are, with their neighbours."""
    size = 1 << z
    found = set()
    for _commune, lon, lat in PLACES:
        row = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
        x, y = int((lon + 180) / 360 * size), int(row * size)
        reach = max(1, size >> 15)
        around = range(-1, 2) if z < 15 else range(-reach, 4 * reach)
        found |= {(x + dx, y + dy) for dx in around for dy in around}
    return [(x, y) for x, y in found if 0 <= x < size and 0 <= y < size]


@st.composite
def looks(draw):
    """A layer and some of its filters."""
    name = draw(st.sampled_from(list(CLASSED)))
    allowed = layers.LAYERS[name].filters
    chosen = draw(st.lists(st.sampled_from(allowed), max_size=3, unique=True))
    return name, {key: draw(st.sampled_from(VALUES[key])) for key in chosen}


DAYS = {"since": date(2025, 9, 2), "until": date(2025, 9, 4)}


@example(("surveys", DAYS), 7, "two areas", "VN", 0, 3)
@example(("surveys", {"since": date(2025, 9, 3), "verdict": "doubtful"}), 3, "commune", "01", 0, 3)
@example(
    ("surveys", {"until": date(2025, 9, 3), "verdict": "outside"}), 6, "country", "00101", 0, 3
)
@example(("surveys", {**DAYS, "rule": "outside"}), 5, "province", "VN", 0, 3)
@example(("surveys", DAYS), 8, "country", "VN", 0, 3)
@settings(max_examples=150)
@given(
    asked=looks(),
    z=st.integers(0, 16),
    who=st.sampled_from(list(PEOPLE)),
    area=st.sampled_from(["VN", "01", "02", "00101", "00102"]),
    most=st.sampled_from([points.MOST, 0]),
    crowd=st.sampled_from([squares.CROWD, 3]),
)
def test_tiles_of_a_zoom_add_up_to_the_records(stored, asked, z, who, area, most, crowd):
    conn, made = stored
    name, given_filters = asked
    scope = PEOPLE[who]
    expected = [row for row in made[name] if seen(row, scope, area) and matches(row, given_filters)]
    usual, squares.CROWD = squares.CROWD, crowd
    try:
        found = read(conn, name, z, area, scope, given_filters, most)
    finally:
        squares.CROWD = usual
    assert sum(one.get("count", 1) for one in found) == len(expected)
    assert sum(one.get("flagged", 0) for one in found) == sum(row["flagged"] for row in expected)


@pytest.mark.parametrize("most", [points.MOST, 0], ids=["points", "squares"])
@pytest.mark.parametrize("name", CLASSED)
@pytest.mark.parametrize("z", range(17))
def test_each_zoom_tells_every_record_of_every_class_once(stored, name, z, most):
    conn, made = stored
    shown = [row for row in made[name] if row["shown"]]
    found = read(conn, name, z, "VN", PEOPLE["country"], {}, most)
    assert sum(one.get("count", 1) for one in found) == len(shown) >= 60
    of_class = Counter(row[CLASSED[name]] for row in shown)
    del of_class[None]
    told = Counter(one.get(CLASSED[name]) for one in found)
    for key in of_class:
        in_squares = f"s{key}" if name == "findings" else key
        assert sum(one.get(in_squares, 0) for one in found) + told[key] == of_class[key]
    assert any("count" in one for one in found) == (z <= 8 or most == 0)


def test_square_stands_where_its_records_are_on_average(stored):
    conn, _made = stored
    _commune, lon, lat = PLACES[2]
    x, y = 3262, 1811
    assert (x, y) in tiles_of(12)
    of = areas.get(conn, "00201")
    ((at, told),) = located(layers.tile(conn, "surveys", 8, x >> 4, y >> 4, of))
    assert told["count"] == EACH - EACH // 8
    numbers = np.array([number for number in range(EACH) if number % 8])
    east = (lon + numbers.mean() * 1e-4 + 180) / 360 * 256 % 1 * 4096
    mean = np.radians(lat - numbers.mean() * 7e-5)
    south = (1 - np.arcsinh(np.tan(mean)) / np.pi) / 2 * 256 % 1 * 4096
    assert at == (int(east), int(south))


def read(conn, name, z, area, scope, given_filters, most):
    """The features of all tiles of a zoom, as the web server's role reads them."""
    usual, points.MOST = points.MOST, most
    points._statement.cache_clear()
    step = conn.begin_nested()
    try:
        of = areas.get(conn, area)
        become_runtime(conn)
        bind(conn, scope)
        bodies = [layers.tile(conn, name, z, x, y, of, **given_filters) for x, y in tiles_of(z)]
    finally:
        step.rollback()
        bind(conn, OPERATOR)
        points.MOST = usual
        points._statement.cache_clear()
    return list(itertools.chain.from_iterable(features(body) for body in bodies if body))
