"""Listings go through everything once and in order; a record comes with what hangs on it."""

import math
import uuid
from datetime import UTC, datetime

import pytest

from geo import areas, findings, households, paging, sites, surveys
from geo.errors import NotFoundError, UsageError
from tests import records_world as world
from tests.records_world import add_finding, add_household, add_survey


@pytest.fixture
def ids(conn):
    return world.fill(conn)


def read_all(listing, conn, area, **given):
    """All items, one page after another."""
    items, cursor = [], None
    while True:
        page = listing(conn, area, cursor=cursor, **given)
        assert len(page.items) <= given["limit"]
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            return items


def names(ids, items, key="survey_id"):
    known = {value: name for name, value in ids.items()}
    return [known[item[key]] for item in items]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"order": "worst"}, ["outside", "nearer", "uncertain"]),
        ({"order": "worst", "verdict": "inside"}, ["inside"]),
        ({"order": "worst", "verdict": "unlocated"}, ["unlocated"]),
        ({"order": "worst", "rule": "mock_location"}, ["outside"]),
        ({"order": "id"}, ["inside", "outside", "nearer", "uncertain", "unlocated"]),
    ],
)
def test_surveys_come_in_the_order_asked_for(conn, ids, limit, given, expected):
    found = read_all(surveys.listing, conn, world.country(conn), limit=limit, **given)
    assert names(ids, found) == expected


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_recent_surveys_come_latest_first_each_once(conn, ids, limit):
    found = read_all(surveys.listing, conn, world.country(conn), limit=limit, order="recent")
    assert names(ids, found)[0] == "nearer"
    assert sorted(names(ids, found)) == ["inside", "nearer", "outside", "uncertain", "unlocated"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_rule_over_all_verdicts_puts_inside_last(conn, ids, limit):
    for name in ("inside", "unlocated", "nearer"):
        commune = "00102" if name == "unlocated" else "00101"
        add_finding(conn, ids[name], "accuracy_zero", commune_code=commune)
    two = add_survey(conn, ids["bare"], "00102")
    add_finding(conn, two, "accuracy_zero", commune_code="00102")
    found = read_all(
        surveys.listing, conn, world.country(conn), limit=limit, order="worst", rule="accuracy_zero"
    )
    expected = [ids["nearer"], *sorted([ids["unlocated"], two]), ids["inside"]]
    assert [item["survey_id"] for item in found] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"since": datetime(2025, 9, 12, tzinfo=UTC)}, ["nearer"]),
        ({"bbox": (105.0, 21.0, 105.05, 21.1)}, ["inside"]),
        # The edges belong to the box; without the last bit of an edge the point is outside.
        (
            {"bbox": (105.01, 21.01, 105.15, 21.05)},
            ["inside", "outside", "nearer", "uncertain"],
        ),
        (
            {"bbox": (math.nextafter(105.01, 106), 21.01, 105.15, math.nextafter(21.05, 0))},
            ["uncertain"],
        ),
        ({"bbox": (-180.0, -90.0, 180.0, 90.0)}, ["inside", "outside", "nearer", "uncertain"]),
        ({"verdict": "outside"}, ["outside", "nearer"]),
    ],
)
def test_filters_narrow_a_listing(conn, ids, given, expected):
    found = surveys.listing(conn, world.country(conn), order="id", **given)
    assert names(ids, found.items) == expected


def test_area_narrows_a_listing(conn, ids):
    def listed(code):
        page = households.listing(conn, areas.get(conn, code))
        return names(ids, page.items, "household_code")

    assert listed("00101") == ["an", "formula"]
    assert listed("01") == ["lost", "an", "formula", "bare"]
    assert listed("00201") == ["far"]


@pytest.mark.parametrize(
    "cursor",
    [
        "zzz",
        "%%%",
        "é",
        paging.encode([1]),
        paging.encode(["a"]),
        paging.encode(["01", "x", "y", "z"]),
        paging.encode(["outside", -1.0, "not a uuid", ""]),
        paging.encode(["outside", -1.0, str(uuid.UUID(int=1)), None]),
        *(paging.encode([value] * parts) for value in ("\0", None) for parts in (3, 4)),
    ],
)
@pytest.mark.parametrize("order", surveys.ORDERS)
def test_cursor_that_was_not_given_out_is_refused(conn, ids, cursor, order):
    with pytest.raises(UsageError, match="cursor"):
        surveys.listing(conn, world.country(conn), cursor=cursor, order=order)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limit_out_of_range_is_refused(conn, ids, limit):
    with pytest.raises(UsageError, match="from 1 to 1000"):
        surveys.listing(conn, world.country(conn), limit=limit)


@pytest.mark.parametrize(
    ("listing", "given"),
    [
        (surveys.listing, {"verdict": "maybe"}),
        (surveys.listing, {"order": "best"}),
        (households.listing, {"status": "rich"}),
        (sites.listing, {"stage": "dreamt"}),
        (sites.listing, {"verdict": "maybe"}),
    ],
)
def test_value_that_does_not_exist_is_refused_with_the_choices(conn, ids, listing, given):
    with pytest.raises(UsageError, match="there are:"):
        listing(conn, world.country(conn), **given)


def test_survey_comes_with_household_findings_and_history(conn, ids):
    found = surveys.get(conn, ids["outside"].upper())
    assert (found["head_name"], found["household_address"]) == ("=1+1", "Thôn 1, Xã 00101")
    assert [(f["rule"], f["severity"]) for f in found["findings"]] == [
        ("outside", 3),
        ("mock_location", 2),
    ]
    assert (found["lon"], found["lat"], found["history"]) == (105.15, 21.05, [])


def test_household_comes_with_surveys_and_sites_but_without_personal_id(conn, ids):
    found = households.get(conn, "01", ids["an"])
    assert names(ids, found["surveys"]) == ["inside", "uncertain"]
    assert names(ids, found["sites"], "site_code") == ["site"]
    assert "national_id" not in found


def test_site_comes_with_its_household(conn, ids):
    found = sites.get(conn, "01", ids["site"])
    assert (found["stage"], found["head_name"]) == ("roof", "Nguyễn Thị Hoá")
    assert found["stages"] == found["findings"] == found["history"] == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda conn: surveys.get(conn, str(uuid.UUID(int=1 << 100))),
        lambda conn: surveys.get(conn, "nothing"),
        lambda conn: households.get(conn, "01", "nothing"),
        lambda conn: sites.get(conn, "01", "nothing"),
    ],
)
def test_record_that_does_not_exist_is_not_found(conn, ids, ask):
    with pytest.raises(NotFoundError):
        ask(conn)


@pytest.mark.parametrize("text", ["hoa nguyen", "HOÁ", "Hóa", "nguyễn thị hoá"])
def test_search_needs_no_tone_marks(conn, ids, text):
    found = households.search(conn, text, world.country(conn))
    assert names(ids, found, "household_code") == ["an"]


def test_search_finds_a_code_first(conn, ids):
    add_household(conn, head_name=ids["bare"])
    found = households.search(conn, ids["bare"], world.country(conn))
    assert found[0]["household_code"] == ids["bare"]
    assert len(found) == 2


def test_where_many_hold_a_word_the_best_of_the_first_are_shown_and_the_code_always(
    conn, monkeypatch
):
    world.build(conn)
    for code, (name, address) in NAMESAKES.items():
        add_household(conn, household_code=code, head_name=name, recorded_address=address)
    monkeypatch.setattr(households, "_RANKED", 3)
    found = households.search(conn, "a", world.country(conn))  # a word of every key
    assert [one["household_code"] for one in found] == ["A-0", "A-02", "A-1"]
    found = households.search(conn, "A-9", world.country(conn))
    assert found[0]["household_code"] == "A-9"


NAMESAKES = {
    "A-9": ("Lê Văn Nguyên", "Thôn 1, Xã 00101"),
    "A-8": ("Nguyễn Văn Đô", "Thôn 1, Xã 00101"),
    "A-1": ("Lò Thị Mai", "Tổ 1, thành phố Thái Nguyên"),
    "A-02": ("Lò Thị Nguyên Mai Anh Thư", "Tổ 1, Thái Nguyên"),
    "A-0": ("Nguyênh Thị Mai", "Thôn 2"),
}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("nguyen", ["A-8", "A-02", "A-9", "A-1", "A-0"]),
        ("Thái Nguyên", ["A-1", "A-02"]),
        ("nguyên mai", ["A-02", "A-0", "A-1"]),
        ("mai thi", ["A-0", "A-02", "A-1"]),
        ("a 1", ["A-1", "A-02", "A-8", "A-9"]),
    ],
)
def test_search_puts_phrases_in_names_before_others(conn, text, codes):
    world.build(conn)
    for code, (name, address) in NAMESAKES.items():
        add_household(conn, household_code=code, head_name=name, recorded_address=address)
    found = households.search(conn, text, world.country(conn))
    assert [one["household_code"] for one in found] == codes
    first = households.search(conn, text, world.country(conn), 2)
    assert [one["household_code"] for one in first] == codes[:2]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("vp001", ["VP-001"]),
        ("VP 001", ["VP-001", "VP-0012"]),
        ("vp.0.01", ["VP-001", "VP-0012"]),
        ("vp-001", ["VP-001", "VP-0012"]),
        ("vp0012", ["VP-0012"]),
        ("vp00", []),
        ("hđ7/b", ["HĐ/7 B"]),
        ("hd7b", ["HĐ/7 B"]),
        ("vp", ["VP-001", "VP-0012"]),
    ],
)
def test_search_finds_a_code_whatever_stands_between_its_parts(conn, text, codes):
    world.build(conn)
    for code in ("VP-0012", "VP-001", "HĐ/7 B"):
        add_household(conn, household_code=code)
    found = households.search(conn, text, world.country(conn))
    assert [one["household_code"] for one in found] == codes


@pytest.mark.parametrize("text", ["", "  ", "%", "_", "\\", "'; --"])
def test_search_takes_signs_as_text(conn, ids, text):
    assert households.search(conn, text, world.country(conn)) == []


def test_findings_of_a_survey_are_one_row(conn, ids):
    page = findings.listing(conn, world.country(conn))
    assert [
        (row["survey_id"], row["rules"], row["severity"], row["state"]) for row in page.items
    ] == [
        (ids["outside"], "mock_location;outside", 3, "open"),
        (ids["uncertain"], "uncertain", 1, "open"),
    ]
    only = findings.listing(conn, areas.get(conn, "01"), rule="mock_location", verdict="outside")
    assert [row["rules"] for row in only.items] == ["mock_location;outside"]
    assert findings.listing(conn, areas.get(conn, "02")).items == []
