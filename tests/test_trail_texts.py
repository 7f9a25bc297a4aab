"""Numbers of identity papers do not stay in the access log; all other numbers do."""

from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from geo import trail, trail_texts
from geo.account_tables import access_log
from geo.trail import Entry
from geo.trail_texts import hidden, sought

END = "•••••••••234"


@pytest.mark.parametrize(
    "number",
    [
        "008190001234",
        "008 190 001 234",
        "008.190.001.234",
        "0081-9000-1234",
        "008\u00a0190\u00a0001\u00a0234",
        "0081\u20139000\u20131234",
        "008190\u200b001234",
        "0 0 8 1 9 0 0 0 1 2 3 4",
        "008+190+001+234",
        "008%20190%20001%20234",
        "008%2E190%2e001%2E234",
        "0081%2D9000%2D1234",
        "008%C2%A0190%C2%A0001%C2%A0234",
        "%30%30%38190001234",
        "008 - 190 - 001 - 234",
    ],
)
@pytest.mark.parametrize("around", ["{}", "q={}&kind=poor", "CCCD{}.", "a%20{}%20b", "({})"])
def test_number_keeps_its_last_three_digits(number: str, around: str) -> None:
    assert hidden(around.format(number)) == around.format(END)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("12345678901", "•" * 8 + "901"),
        ("12345678901234", "•" * 11 + "234"),
        ("2026-11-22 008 190 001 234", "•" * 17 + "234"),
        ("008190001234,008190001235", END + "," + "•" * 9 + "235"),
        ("\uff10\uff10\uff18\uff11\uff19\uff10\uff10\uff10\uff11\uff12\uff13\uff14",
         "•" * 9 + "\uff12\uff13\uff14"),
    ],
)  # fmt: skip
def test_runs_of_other_lengths_and_neighbours(text: str, left: str) -> None:
    assert hidden(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0912345678",
        "123456789012345",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-1234-1234-123456789012",
        "id=550e8400-e29b-41d4-a716-446655440000&x=1",
        "a" * 20 + "123456789012",
        "since=2026-11-22T11%3A03%3A04.123456%2B07%3A00&until=2026-11-23",
        "2026-11-22 11:03:04",
        "bbox=105.123456789,21.123456789,105.2,21.2&limit=1000",
        "bbox=105.123456789%2C21.123456789%2C105.2%2C21.2",
        "cursor=WyIxOSIsIjA1ODQ1IiwiSDAwMSJd",
        "area=19&area=05845&page=2",
        "GET /households/<province_code>/<path:household_code>",
        "10.20.30.40",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("001", "001"),
        ("0010", "••••"),
        ("0010990123", "•" * 10),
        ("00109901234", "•" * 11),
        ("001099012345", "•" * 9 + "345"),
        ("0010990123456", "•" * 13),
        ("001 099 01", "•" * 8),
        ("001.099-012 345", "•" * 9 + "345"),
        ("An 00109901, Thôn 4", "An ••••••••, Thôn 4"),
        ("CCCD:0010990123", "CCCD:" + "•" * 10),
        ("DEMO-19-000008", "DEMO-19-000008"),
        ("H0012", "H0012"),
        ("xã Ba Bể", "xã Ba Bể"),
        ("12345678-1234-1234-1234-123456789012", "12345678-1234-1234-1234-123456789012"),
    ],
)
def test_of_a_search_no_piece_of_a_number_stays(typed: str, left: str) -> None:
    assert sought(typed) == left
    assert hidden(urlencode({"area": "19", "q": typed})) in (
        "area=19&q=" + left,
        urlencode({"area": "19", "q": left}),
    )


def test_a_number_typed_key_by_key_cannot_be_put_together_again() -> None:
    number = "001099012345"
    for start in range(len(number)):
        told = [sought(number[start:end]) for end in range(start + 1, len(number) + 1)]
        assert max(len(one.strip("•")) for one in told) <= 3


def test_no_text_takes_long_and_the_cut_shows_no_number() -> None:
    assert hidden("1 " * 100_000).startswith("•")
    assert sought("." * 100_000) == "." * 2 * trail_texts.LONGEST
    edge = "x" * (trail_texts.LONGEST - 6) + "008190001234"
    assert "008" not in trail_texts.storable(hidden(edge))


@pytest.mark.parametrize(
    ("field", "more", "kept"),
    [
        ("query", {}, END),
        ("reason", {}, END),
        ("route", {}, END),
        ("login", {}, END),
        ("login", {"account_id": 7}, "008190001234"),
        ("subject_id", {"outcome": "denied"}, END),
        ("subject_id", {"outcome": "failed"}, END),
        ("subject_id", {}, "008190001234"),
    ],
)
@pytest.mark.parametrize("via", ["page", "command"])
def test_entries_hold_no_number_that_somebody_typed(conn, field, more, kept, via) -> None:
    trail.append(conn, Entry(**{"via": via, "action": "a", field: "008190001234", **more}))
    assert conn.execute(select(access_log.c[field])).scalar_one() == kept
