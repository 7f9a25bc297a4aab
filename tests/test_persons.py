"""A person's record and corrections: all is told, the old value is kept, no file brings it back."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, select

from geo import areas, households, metrics, personal_ids, trail
from geo.account_tables import access_log, record_change
from geo.errors import NotFoundError, RejectedError, UsageError
from geo.persons import correcting, history, record, removing
from geo.tables import (
    household,
    household_status,
)
from tests import intake_world as world
from tests.intake_world import figures, load
from tests.persons_world import H1, ID, MASKED, OTHER, WHY, build, correct, officer, stored_texts

OLD_ADDRESS = "Thôn 3, Xã An Hoà, Tỉnh Thử Một"


@pytest.fixture
def full(db: Connection) -> Connection:
    return build(db)


def test_a_record_holds_every_part(full: Connection) -> None:
    correct(full, "members", 5)
    made = record.record(full, "01", "H1")
    assert made["household"]["head_name"] == "Lò Văn Sơn"
    assert made["household"]["attributes"] == {"phone": "0912345678"}
    assert made["household"]["national_id_masked"] == MASKED
    assert [one["status"] for one in made["statuses"]] == ["poor"]
    assert [one["device_id"] for one in made["surveys"]] == [None, "máy-7"]
    assert [one["rule"] for one in made["surveys"][0]["findings"]] == ["outside"]
    assert [one["stage"] for one in made["sites"][0]["stages"]] == ["approved", "started"]
    assert {(one["kind"], one["key"]) for one in made["conflicts"]} == {
        ("households", "H1"),
        ("surveys", world.survey(1)["survey_id"]),
    }
    assert [one["field"] for one in made["changes"]] == ["members"]
    assert record.rows(made) == 1 + 1 + 2 + 1 + 2 + 1


@pytest.mark.parametrize(
    ("full_ids", "shown"), [(False, (MASKED, "•••••••••999")), (True, (ID, OTHER))]
)
def test_a_record_tells_ids_in_full_only_when_asked(
    full: Connection, full_ids: bool, shown: tuple[str, str]
) -> None:
    correct(full, "national_id", OTHER)
    made = record.record(full, "01", "H1", full_ids=full_ids)
    (change,) = made["changes"]
    assert (change["old_value"], change["new_value"]) == shown
    copy = next(one for one in made["conflicts"] if one["kind"] == "households")
    assert copy["row"]["national_id"] == shown[1]
    assert ("national_id" in made["household"]) is full_ids
    assert (ID in str(made)) is full_ids


def test_a_record_tells_who_looked_and_nothing_of_others(full: Connection, begin: Callable) -> None:
    for subject, code, commune in (
        ("household", "H1", "00101"),
        ("household", "H2", "00101"),
        ("household", "H1", "00102"),
        ("survey", world.survey(2)["survey_id"], "00101"),
        ("site", "S1", "00101"),
        ("survey", world.survey(3)["survey_id"], "00101"),
    ):
        entry = trail.Entry(
            via="session", action="records.read", account_id=3, login="bi-mat", subject=subject,
            subject_id=code, province_code="01", commune_code=commune,
        )  # fmt: skip
        trail.append(full, entry)
    with begin(officer("00101", action="person.export").reading()) as conn:
        looked = record.record(conn, "01", "H1")["accesses"]
        assert [(one["subject"], one["subject_id"]) for one in looked] == [
            ("site", "S1"),
            ("survey", world.survey(2)["survey_id"]),
            ("household", "H1"),
        ]
        assert {one["account_id"] for one in looked} == {3}
        assert "bi-mat" not in str(looked)


def test_the_access_log_opens_for_no_other_action(full: Connection, begin: Callable) -> None:
    entry = trail.Entry(
        via="x", action="records.read", subject="account", subject_id="an", province_code="01",
        commune_code="00101",
    )  # fmt: skip
    trail.append(full, entry)
    with begin(officer("00101", action="person.export").reading()) as conn:
        assert conn.execute(select(func.count()).select_from(access_log)).scalar_one() == 0
    with begin(officer("00101", action="person.correct")) as conn:
        assert conn.execute(select(func.count()).select_from(access_log)).scalar_one() == 0


def test_no_record_of_a_household_elsewhere(full: Connection, begin: Callable) -> None:
    with begin(officer("00102", action="person.export").reading()) as conn:
        with pytest.raises(NotFoundError) as told:
            record.record(conn, "01", "H1")
        with pytest.raises(NotFoundError) as unknown:
            record.record(conn, "01", "H9")
    assert str(told.value).replace("H1", "H9") == str(unknown.value)


@pytest.mark.parametrize(
    ("field", "value", "old", "new"),
    [
        ("head_name", " Lò Thị  Hoa ", "Lò Văn Sơn", "Lò Thị Hoa"),
        ("village", "", "Thôn 3", None),
        ("members", "5", 4, 5),
        ("ethnicity", "Mông", "Thái", "Mông"),
        ("causes", "no_land;other", ["no_land"], ["no_land", "other"]),
        ("recorded_address", "Thôn 4, Xã An Hoà", OLD_ADDRESS, "Thôn 4, Xã An Hoà"),
    ],
)  # fmt: skip
def test_a_correction_keeps_the_old_value(
    full: Connection, begin: Callable, field: str, value: str, old: object, new: object
) -> None:
    with begin(officer("00101")) as conn:
        correct(conn, field, value)
        (change,) = history.of(conn, ("01", "00101", "H1"))
    assert (change["field"], change["old_value"], change["new_value"]) == (field, old, new)
    assert (change["reason"], change["account_id"]) == (WHY, 7)
    assert households.get(full, "01", "H1")[field] == new


def test_a_corrected_id_is_sealed_and_found_under_its_new_number(full: Connection) -> None:
    correct(full, "national_id", OTHER)
    assert households.national_id(full, "01", "H1")[1] == OTHER
    assert households.by_national_id(full, ID) == []
    (change,) = history.of(full, ("01", "00101", "H1"), full_ids=True)
    assert (change["old_value"], change["new_value"]) == (ID, OTHER)
    said = stored_texts(full)
    assert ID not in said and OTHER not in said
    with pytest.raises(RejectedError, match="what is stored already"):
        correct(full, "national_id", OTHER)
    correct(full, "national_id", "")
    assert households.get(full, "01", "H1")["national_id_masked"] is None


def test_a_corrected_name_is_found_and_the_old_one_not(full: Connection) -> None:
    correct(full, "head_name", "Quàng Thị Mai")
    here = areas.get(full, "01")
    assert [one["household_code"] for one in households.search(full, "quang mai", here)] == ["H1"]
    assert households.search(full, "lo van son", here) == []


OLD_ROWS = {
    "with its commune": {},
    "without a commune": {"commune_code": None},
    "with both codes": {"province_code": "01"},
    "with a point": {"lon": 105.05, "lat": 21.01, "accuracy_m": 8},
    "with an id": {"national_id": ID, "members": 3, "note": "x"},
}


@pytest.mark.parametrize("row", OLD_ROWS.values(), ids=OLD_ROWS)
def test_the_old_row_is_kept_aside_and_the_corrected_one_is_known(
    db: Connection, row: dict[str, object]
) -> None:
    load(db, "households", world.household(**row))
    correct(db, "village", "Bản Mới")
    assert figures(load(db, "households", world.household(**row))) == (0, 0, 0, 1, 0)
    assert households.get(db, "01", "H1")["village"] == "Bản Mới"
    mended = world.household(**row, village="Bản Mới")
    assert figures(load(db, "households", mended)) == (0, 0, 1, 0, 0)
    later = {**mended, "status": "near_poor", "status_year": 2026}
    assert figures(load(db, "households", later)) == (0, 1, 0, 0, 0)


@pytest.mark.parametrize("row", OLD_ROWS.values(), ids=OLD_ROWS)
def test_correcting_back_undoes_it(db: Connection, row: dict[str, object]) -> None:
    load(db, "households", world.household(**row))
    before = dict(db.execute(select(household)).mappings().one())
    correct(db, "members", 9)
    correct(db, "members", row.get("members", ""))
    after = dict(db.execute(select(household)).mappings().one())
    assert {k: str(v) for k, v in after.items()} == {k: str(v) for k, v in before.items()}
    assert figures(load(db, "households", world.household(**row))) == (0, 0, 1, 0, 0)
    assert len(history.of(db, ("01", "00101", "H1"))) == 2


def test_a_row_in_another_reference_system_is_kept_aside_too(db: Connection) -> None:
    row = world.household(lon=510000, lat=2325000, crs="EPSG:9214")
    load(db, "households", row)
    correct(db, "village", "Bản Mới")
    assert figures(load(db, "households", row)) == (0, 0, 0, 1, 0)


def test_a_corrected_status_counts_and_no_old_file_takes_it_back(full: Connection) -> None:
    before = metrics.figures(full, areas.get(full, "00101"))
    assert (before["poor"], before["near_poor"]) == (1, 1)
    correct(full, "status", "near_poor", year=2025)
    after = metrics.figures(full, areas.get(full, "00101"))
    assert (after["poor"], after["near_poor"]) == (0, 2)
    old = world.household(
        national_id=ID, village="Thôn 3", members=4, ethnicity="Thái", causes="no_land",
        lon=105.05, lat=21.01, accuracy_m=8, phone="0912345678",
    )  # fmt: skip
    assert figures(load(full, "households", old)) == (0, 0, 0, 1, 0)
    assert households.get(full, "01", "H1")["status"] == "near_poor"
    later = {**old, "status": "none", "status_year": 2026}
    assert figures(load(full, "households", later)) == (0, 1, 0, 0, 0)
    correct(full, "status", "poor", year=2025)
    assert households.get(full, "01", "H1")["status"] == "none"
    assert full.execute(
        select(household_status.c.year, household_status.c.status)
        .where(household_status.c.household_code == "H1")
        .order_by(household_status.c.year)
    ).all() == [(2025, "poor"), (2026, "none")]


def test_a_status_can_be_taken_back(full: Connection) -> None:
    correct(full, "status", "none", year=2026)
    correct(full, "status", "", year=2026)
    found = households.get(full, "01", "H1")
    assert (found["status"], found["status_year"]) == ("poor", 2025)
    correct(full, "status", "", year=2025)
    found = households.get(full, "01", "H1")
    assert (found["status"], found["status_year"], found["statuses"]) == (None, None, [])
    assert metrics.figures(full, areas.get(full, "00101"))["rated"] == 1


@pytest.mark.parametrize(
    ("field", "value", "options", "message"),
    [
        ("head_name", "", {}, "head_name: is missing"),
        ("members", "0", {}, "members: “0” is less than 1"),
        ("members", "4", {}, "This is what is stored already; nothing was changed."),
        ("causes", "laziness", {}, "causes: “laziness” is no cause"),
        ("national_id", ID + "1", {}, "national_id: “…341” is not a personal ID of 12 digits"),
        ("status", "rich", {"year": 2025}, "status: “rich” is not one of"),
        ("status", "poor", {}, "status: name the year that it is of."),
        ("status", "poor", {"year": 1700}, "status_year: “1700” is less than 1990"),
        ("status", "poor", {"year": 2025}, "This is what is stored already"),
        ("status", "", {"year": 2020}, "This is what is stored already"),
        ("recorded_address", "Xã Phân Đôi, Huyện Cũ", {}, None),
    ],
)
def test_what_cannot_be_corrected_is_said(
    full: Connection, field: str, value: str, options: dict[str, int], message: str | None
) -> None:
    if message is None:
        correct(full, field, value, **options)  # one of its communes is the household's own
        return
    with pytest.raises(RejectedError) as told:
        correct(full, field, value, **options)
    assert str(told.value).startswith(message)
    assert full.execute(select(func.count()).select_from(record_change)).scalar_one() == 0


def test_only_what_is_the_persons_can_be_corrected(full: Connection) -> None:
    with pytest.raises(UsageError, match="'geom' cannot be corrected; there are: head_name"):
        correct(full, "geom", "x")


@pytest.mark.parametrize("why", ["", "ngắn", "   a   b   ", "x" * 501])
def test_a_reason_is_needed(full: Connection, why: str) -> None:
    with pytest.raises(RejectedError, match="Give the reason in"):
        correcting.correct(full, H1, "members", 5, why)
    with pytest.raises(RejectedError, match="Give the reason in"):
        removing.remove(full, H1, why, "H1")


def test_a_reason_keeps_no_id(full: Connection) -> None:
    correcting.correct(full, H1, "members", 5, f"Sổ hộ của {ID} ghi khác")
    assert history.of(full, ("01", "00101", "H1"))[0]["reason"] == f"Sổ hộ của {MASKED} ghi khác"


def test_a_name_is_corrected_without_opening_the_id(
    full: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_given: object) -> str:
        raise AssertionError("nobody asked for the ID")

    monkeypatch.setattr(personal_ids, "opened", opened)
    correct(full, "head_name", "Lò Thị Hoa")
    assert households.get(full, "01", "H1")["head_name"] == "Lò Thị Hoa"
