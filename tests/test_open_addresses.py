"""Look-alike addresses share a key, and open ones are listed with the reason why they are open."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from geo import areas
from geo.address_fixes import groups
from geo.addresses.lookalikes import lookalike
from geo.config import settings
from geo.scope import Scope
from tests import intake_world as world
from tests.intake_world import load
from tests.open_addresses import ALIKE, DIVIDED, UNKNOWN, add, listed, officer, province, where

# ---- keys

SHARED = {
    "hamlet and street left out": (
        "Số 12 đường Trần Phú, thôn 3, xã Bông Lúa, huyện Xín Mần",
        "xa bong lua huyen xin man",
    ),
    "abbreviations, case, no tone marks": (
        "THON 5 X.BONG LUA,H.XIN MAN",
        "xa bong lua huyen xin man",
    ),
    "no commas": ("Bản Nà Lốc xã Bông Lúa huyện Xín Mần", "xa bong lua huyen xin man"),
    "names only, three of them": ("Tổ 3, Bông Lúa, Xín Mần, Hà Giang", "bong lua xin man ha giang"),
    "names only, no comma after the number": (
        "Thôn 3 Bông Lúa, Xín Mần, Hà Giang",
        "bong lua xin man ha giang",
    ),
    "the country": ("xã Bông Lúa, huyện Xín Mần, Việt Nam", "xa bong lua huyen xin man"),
    "a hamlet's word inside a name": (
        "Xã Tam Thôn Hiệp, huyện Cần Giờ",
        "xa tam thon hiep huyen can gio",
    ),
    "a number that names a ward": ("15/2 Lê Lợi, P5 Q3", "phuong 5 quan 3"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "key"), SHARED.values(), ids=SHARED.keys())
def test_what_lies_below_the_commune_is_left_out_of_the_key(written: str, key: str) -> None:
    found = lookalike(written, 0)
    assert (found.key, found.safe) == (key, True)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Số 12, TDP số 2, P. Gia Sàng", "to dan pho 2 phuong gia sang"),
        ("12A ngõ 5 đường Lê Lợi, phường Gia Sàng", "duong le loi phuong gia sang"),
        ("thôn Nà Lốc, xã Gia Sàng", "thon na loc xa gia sang"),
    ],
)
def test_where_several_communes_are_open_the_hamlet_stays_in_the_key(
    written: str, key: str
) -> None:
    assert lookalike(written, 2).key == key


@pytest.mark.parametrize(
    "written",
    ["", "???", "xã", "thôn 3", "Thôn 3, Xín Mần, Hà Giang", "huyện Xín Mần, tỉnh Hà Giang"],
)
def test_an_address_that_names_no_commune_is_no_address_to_share(written: str) -> None:
    assert not lookalike(written, 0).safe


def test_what_is_shown_of_look_alikes_holds_no_house() -> None:
    assert lookalike("Số 12 đường Trần Phú, X. Bông Lúa; h.Xín Mần", 0).shown == (
        "X. Bông Lúa, h.Xín Mần"
    )


# ---- groups


def test_look_alikes_are_one_group_and_the_largest_comes_first(db: Connection) -> None:
    add(db, DIVIDED, *ALIKE)
    first, second = listed(db)
    assert (first.key, first.households, first.reason, first.candidates) == (
        *("xa bong lua huyen cu tinh thu mot", 3, "unknown"),
        [],
    )
    assert sorted(first.texts) == sorted(ALIKE)
    assert (second.households, second.reason, second.candidates) == (
        *(1, "successors"),
        ["00101", "00102"],
    )


REASONS = {
    "no such commune": (UNKNOWN, "unknown"),
    "no commune at all": ("huyện Cũ, Tỉnh Thử Một", "unknown"),
    "divided": (DIVIDED, "successors"),
    "words that nothing explains": ("xã An Hoà, Abc Xyz Klm, Tỉnh Thử Một", "unsure"),
    "a district that does not hold it": ("xã An Hoà, huyện Khác Lạ, Tỉnh Thử Một", "conflict"),
}


@pytest.mark.parametrize(("written", "reason"), REASONS.values(), ids=REASONS.keys())
def test_a_group_tells_why_it_is_open(db: Connection, written: str, reason: str) -> None:
    add(db, written)
    assert [group.reason for group in listed(db, "01")] == [reason]
    sheet = groups.listing(db, areas.get(db, "01"), reason)
    assert (sheet.households, sheet.reasons[reason], len(sheet.groups)) == (1, 1, 1)
    other = next(one for one in groups.REASONS if one != reason)
    assert groups.listing(db, areas.get(db, "01"), other).groups == []


def test_an_unsure_reading_decides_nothing_but_a_point_in_it_does(db: Connection) -> None:
    unsure = "xã An Hoà, Abc Xyz Klm, Tỉnh Thử Một"
    add(db, unsure)
    load(
        db,
        "households",
        world.household(
            "P1", recorded_address=unsure, commune_code=None, lon=105.05, lat=21.05, accuracy_m=8
        ),
    )
    assert where(db) == {"H1": ("", None), "P1": ("00101", "point")}
    assert listed(db)[0].candidates == ["00101"]


def test_the_limit_of_unsure_readings_is_a_setting(
    db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCU_ADDRESS_CONFIDENCE", "0.2")
    settings.cache_clear()
    add(db, "xã An Hoà, Abc Xyz Klm, Tỉnh Thử Một")
    settings.cache_clear()
    assert where(db)["H1"] == ("00101", "address")


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (province(), 1),
        (province("records.read", "02"), 0),
        (officer("00101"), 0),
        (Scope(everything=True, action="records.read", account_id=7), 1),
    ],
    ids=["its province", "another province", "a commune", "the country"],
)
def test_who_sees_what_is_open(db: Connection, acting: Callable, scope: Scope, seen: int) -> None:
    add(db, UNKNOWN)
    with acting(scope) as conn:
        assert len(listed(conn)) == seen
        assert groups.waiting(conn, scope) == seen
