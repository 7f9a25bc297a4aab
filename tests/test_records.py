"""Values as people write them, and rows against the models."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.intake import values
from geo.intake.batches import batches, canonical, prepare
from geo.intake.pipeline import ahead
from geo.intake.records import CAUSES, MODELS, Household, required, validated
from tests import intake_world as world


@pytest.mark.parametrize(
    ("given_", "number"),
    [("21,5", 21.5), (" 21.5 ", 21.5), ("-1,25", -1.25), ("1e3", 1000.0), (7, 7), (7.5, 7.5)],
)
def test_numbers_with_either_decimal_mark(given_: object, number: float) -> None:
    assert values.number(given_) == number


@pytest.mark.parametrize(
    "given_",
    ["", "1.234,5", "1,2,3", "nan", "inf", "x", True, [1], float("nan"), "1_05.8", "١٠٥", 10**400],
)
def test_what_is_no_number(given_: object) -> None:
    with pytest.raises(ValueError, match="number"):
        values.number(given_)


@pytest.mark.parametrize("given_", ["..", ".", "S/../6", "S/./6", "../S", "S/.."])
def test_codes_that_no_page_s_address_can_hold(given_: str) -> None:
    with pytest.raises(ValueError, match="only dots between slashes"):
        values.code(given_)


@pytest.mark.parametrize("given_", ["S.6", "S../6", "N/1", "a..b", ".a/b."])
def test_codes_with_dots_within_stay(given_: str) -> None:
    assert values.code(given_) == given_


@pytest.mark.parametrize(
    ("given_", "dong"),
    [
        ("60000000", 60_000_000),
        ("60.000.000", 60_000_000),
        ("60,000,000", 60_000_000),
        ("60 000 000", 60_000_000),
        ("60.000", 60_000),
        (60_000_000.0, 60_000_000),
        (0, 0),
    ],
)
def test_money_in_groups_of_three(given_: object, dong: int) -> None:
    assert values.money(given_) == dong


@pytest.mark.parametrize(
    "given_", ["60.5", "60.000,000", "1.00", "60 triệu", 60.5, True, "-5", "٦٠"]
)
def test_what_is_no_whole_dong(given_: object) -> None:
    with pytest.raises(ValueError, match="whole number of đồng"):
        values.money(given_)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ("1", True),
        ("Có", True),
        (True, True),
        (1, True),
        ("0", False),
        ("không", False),
        (0, False),
    ],
)
def test_yes_and_no(given_: object, said: bool) -> None:
    assert values.truth(given_) is said


@pytest.mark.parametrize(
    ("given_", "day"),
    [
        ("2026-09-30", date(2026, 9, 30)),
        ("30/9/2026", date(2026, 9, 30)),
        ("3.2.2026", date(2026, 2, 3)),
        ("2026-09-30T08:00:00+07:00", date(2026, 9, 30)),
        (datetime(2026, 9, 30, 5), date(2026, 9, 30)),
    ],
)
def test_days(given_: object, day: date) -> None:
    assert values.day(given_) == day


@pytest.mark.parametrize(
    "given_", ["31/2/2026", "2026", "9/30/2026", 45000, "hôm qua", "2026-09-30x"]
)
def test_what_is_no_day(given_: object) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        values.day(given_)


def test_times_keep_their_zone_and_a_spreadsheet_s_is_vietnamese() -> None:
    assert values.moment("2026-09-30T01:15:00Z") == datetime(2026, 9, 30, 1, 15, tzinfo=UTC)
    assert values.moment(datetime(2026, 9, 30, 8, 15)) == datetime(2026, 9, 30, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "given_",
    [
        "0F8FAD5B-D9CB-469F-A165-70867728950E",
        "uuid:0f8fad5b-d9cb-469f-a165-70867728950e",
        "{0f8fad5b-d9cb-469f-a165-70867728950e}",
        " 0f8fad5bd9cb469fa16570867728950e ",
    ],
)
def test_one_form_of_a_uuid(given_: str) -> None:
    assert values.uuid(given_) == "0f8fad5b-d9cb-469f-a165-70867728950e"


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text()))
def test_every_value_is_understood_or_refused_in_words(anything: object) -> None:
    for read in (values.number, values.money, values.truth, values.day, values.moment, values.uuid):
        try:
            read(anything)
        except ValueError as error:
            assert str(error)


def test_text_is_stored_in_one_form() -> None:
    row = world.household(head_name="  Lo\u0300   Va\u0306n\tSơn ", village=3.0)
    ((record,), problems) = validated("households", [row])
    assert not problems and isinstance(record, Household)
    assert (record.head_name, record.village) == ("Lò Văn Sơn", "3")


@pytest.mark.parametrize(
    ("kind", "column", "given_", "stored"),
    [
        ("households", "household_code", 1001, "1001"),
        ("households", "household_code", 1001.0, "1001"),
        ("households", "village", 3, "3"),
        ("households", "village", 3.5, "3.5"),
        ("households", "national_id", 1234567890, "001234567890"),
        ("households", "members", "4,0", 4),
        ("households", "members", "4.0", 4),
        ("households", "status_year", 2025.0, 2025),
        ("households", "crs", 9214, "EPSG:9214"),
        ("households", "crs", "4326", "EPSG:4326"),
        ("households", "crs", 4326.0, "EPSG:4326"),
        ("households", "crs", "epsg: 3405", "EPSG:3405"),
        ("surveys", "enumerator", 17, "17"),
        ("surveys", "device_id", 17, "17"),
        ("surveys", "lon", "105,8", 105.8),
        ("surveys", "satellites", " 12 ", 12),
        ("sites", "site_code", 5, "5"),
    ],
)
def test_whole_numbers_and_text_are_understood_in_either_form(
    kind: str, column: str, given_: object, stored: object
) -> None:
    row = {"households": world.household, "surveys": world.survey, "sites": world.site}[kind]()
    (record,), problems = validated(kind, [row | {column: given_}])
    assert not problems
    assert getattr(record, column) == stored


def test_a_number_from_a_spreadsheet_has_the_fingerprint_of_its_text() -> None:
    rows = [world.survey(device_id=7, crs=4326), world.survey(device_id="7")]
    one, other = prepare("surveys", list(enumerate(rows))).hashes
    assert one == other


ODD: list[object] = [
    [1], {"a": 1}, True, 10**400, 10**5000, 1e300, -5, 1.5, float("nan"), float("inf"), b"x",
    "x" * 1000, "x", "-1", "1e999", "1_0", "٣", "9" * 5000, "\ud800", "#N/A", ["x"], None,
    datetime(1700, 1, 1), date(1800, 1, 1), Decimal(1), timedelta(1), "2026-13-01",
    object(), "٠٠١٠١",
]  # fmt: skip


@pytest.mark.parametrize("kind", MODELS)
def test_no_reason_is_in_the_words_of_a_library(kind: str) -> None:
    row = {"households": world.household, "surveys": world.survey, "sites": world.site}[kind]()
    rows = [row | {column: value} for column in MODELS[kind].model_fields for value in ODD]
    reasons = [one.reason for one in prepare(kind, list(enumerate(rows))).rejected]
    foreign = re.compile(
        "Input|should|valid (string|integer|number)|parse|Exceeds|convert|digits\\)"
    )
    assert [reason for reason in reasons if foreign.search(reason)] == []
    assert not [reason for reason in reasons if "is not understood" in reason]


def test_causes_are_code_words_between_semicolons() -> None:
    row = world.household(causes=" no_land; OTHER ;;no_land")
    (record,), _ = validated("households", [row])
    assert isinstance(record, Household) and record.causes == ("no_land", "other")
    assert len(CAUSES) == 8


def test_each_bad_row_has_all_its_reasons_and_the_good_ones_stay() -> None:
    rows = [world.survey(), world.survey(survey_id="x", satellites="y"), world.survey(2)]
    records, problems = validated("surveys", rows)
    assert [record is not None for record in records] == [True, False, True]
    assert list(problems) == [1] and len(problems[1]) == 2


def test_the_required_columns_are_those_of_the_formats() -> None:
    assert {kind: required(kind) for kind in MODELS} == {
        "households": ["household_code", "head_name", "recorded_address"],
        "surveys": ["household_code", "survey_id", "surveyed_at", "enumerator"],
        "sites": ["household_code", "site_code", "kind"],
    }


def test_the_fingerprint_ignores_writing_but_no_content() -> None:
    one, same, other = (
        prepare("surveys", [(1, world.survey(**changed))]).hashes[0]
        for changed in (
            {"note": "x", "photo": "p"},
            {"photo": "p ", "note": "x", "surveyed_at": "2026-09-30T01:15:00Z", "lat": "21,01"},
            {"note": "y", "photo": "p"},
        )
    )
    assert one == same != other


def test_an_order_of_columns_does_not_matter() -> None:
    row = world.household(b="1", a="2")
    turned = dict(reversed(row.items()))
    (first, second), _ = validated("households", [row, turned])
    assert first and second and canonical(first) == canonical(second)


def test_the_fingerprint_of_a_survey_is_the_same_as_before_sent_at_was_known() -> None:
    row = world.survey(photo="a.jpg")
    (plain, sent), _ = validated("surveys", [row, row | {"sent_at": "2026-09-30T20:00:00+07:00"}])
    assert plain and sent and canonical(plain) == canonical(sent)
    assert canonical(plain) == (
        b'{"accuracy_m":8.0,"altitude_m":null,"attributes":{},"commune_code":null,'
        b'"crs":"EPSG:4326","device_id":null,'
        b'"enumerator":"\xc4\x90i\xe1\xbb\x81u tra vi\xc3\xaan 1","household_code":"H1",'
        b'"lat":21.01,"lon":105.05,"mock_location":null,"photo":"a.jpg","province_code":null,'
        b'"recorded_address":null,"satellites":null,'
        b'"survey_id":"00000000-0000-4000-8000-000000000001",'
        b'"surveyed_at":"2026-09-30T01:15:00Z"}'
    )


def test_rows_are_batched_in_order() -> None:
    rows = ((n, world.household(f"H{n}")) for n in range(1, 8))
    assert [batch.lines for batch in batches("households", rows, 3)] == [[1, 2, 3], [4, 5, 6], [7]]


def test_items_come_ahead_in_order_and_errors_where_they_happened() -> None:
    def items():
        yield from (1, 2)
        raise ValueError("here")

    seen = []
    with pytest.raises(ValueError, match="here"), ahead(items()) as made:
        for item in made:
            seen.append(item)
    assert seen == [1, 2]


def test_leaving_early_stops_the_thread() -> None:
    made_so_far = []

    def items():
        for number in range(1000):
            made_so_far.append(number)
            yield number

    with ahead(items(), depth=2) as made:
        assert next(made) == 0
    assert len(made_so_far) <= 5
