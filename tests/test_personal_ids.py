"""Personal IDs: nowhere in the clear, found by their fingerprint, shown by their end."""

import hmac
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from geo import areas, households, personal_ids
from geo.accounts import keys
from geo.errors import NotFoundError, RejectedError, UnavailableError, UsageError
from geo.intake import imports
from geo.intake.batches import prepare
from geo.intake.reading_apart import read_apart
from geo.scope import Scope
from geo.tables import household, import_conflict, import_job
from tests import intake_world as world
from tests.intake_world import figures, load
from tests.persons_world import ID, MASKED, OTHER, stored_texts


def with_id(code: str = "H1", **changed: object) -> dict[str, object]:
    return world.household(code, **{"national_id": ID, **changed})


def test_an_id_is_sealed_found_by_its_print_and_shown_by_its_end(db: Connection) -> None:
    load(db, "households", with_id())
    row = db.execute(select(household)).mappings().one()
    assert row["national_id_end"] == "234"
    wanted = hmac.new(keys.keys().fingerprint, ID.encode(), "sha256").digest()[:16]
    assert bytes(row["national_id_print"]) == wanted
    assert len(row["national_id_sealed"]) == 1 + 12 + 12 + 16
    assert households.get(db, "01", "H1")["national_id_masked"] == MASKED
    assert households.national_id(db, "01", "H1") == ("00101", ID)
    assert [one["household_code"] for one in households.by_national_id(db, ID)] == ["H1"]
    assert households.by_national_id(db, OTHER) == []


def test_a_sealed_id_opens_for_no_other_household(db: Connection) -> None:
    load(db, "households", with_id(), with_id("H2", national_id=OTHER))
    boxes = dict(
        db.execute(select(household.c.household_code, household.c.national_id_sealed)).all()
    )
    assert personal_ids.opened(boxes["H2"], "01", "H2") == OTHER
    with pytest.raises(UnavailableError, match="cannot be opened"):
        personal_ids.opened(boxes["H2"], "01", "H1")


def test_a_household_without_an_id_shows_none(db: Connection) -> None:
    load(db, "households", world.household())
    assert households.get(db, "01", "H1")["national_id_masked"] is None
    assert households.same_id(db, households.get(db, "01", "H1")) == []
    with pytest.raises(NotFoundError, match="No personal ID of this household"):
        households.national_id(db, "01", "H1")


def test_no_table_holds_an_id_in_the_clear(db: Connection, tmp_path: Path) -> None:
    load(
        db,
        "households",
        with_id(spouse_cccd="019085005555", note=f"CCCD {ID}", number=19085001234),
        with_id("H2", members=[ID]),
        with_id("H3", national_id=ID + "7"),
        rejects=tmp_path / "refused.csv",
    )
    load(db, "households", with_id(head_name="Khác", national_id=OTHER))
    load(db, "surveys", world.survey(national_id=ID, extra={"cmnd": "123456789", "deep": [ID]}))
    assert db.execute(select(func.count()).select_from(import_conflict)).scalar_one() == 1
    assert ID + "7" in (tmp_path / "refused.csv").read_text()  # the sender's own file, to mend
    said = stored_texts(db)
    for secret in (ID, OTHER, "019085005555", "123456789", ID.encode().hex(), OTHER.encode().hex()):
        assert secret not in said
    kept = db.execute(select(import_conflict.c.row)).scalar_one()["national_id"]
    assert personal_ids.from_aside(kept, "01", "H1") == OTHER and kept["end"] == "999"
    assert db.execute(select(import_job.c.report)).first()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (ID + "7", "national_id: “…347” is not a personal ID of 12 digits"),
        ("01908500123x", "national_id: “…23x” is not a personal ID of 12 digits"),
        ("x1", "national_id: “…” is not a personal ID of 12 digits"),
        ([ID], "national_id: “…” is not a personal ID of 12 digits"),
        ("#N/A", "national_id: the cell holds Excel's error #N/A; mend its formula"),
    ],
)
def test_a_refused_id_is_not_repeated(wrong: object, reason: str) -> None:
    (refused,) = prepare("households", [(2, with_id(national_id=wrong))]).rejected
    assert refused.reason == reason


def test_an_id_in_the_wrong_column_is_masked_in_the_reason() -> None:
    (refused,) = prepare("households", [(2, with_id(members=ID))]).rejected
    assert ID not in refused.reason and MASKED in refused.reason


@pytest.mark.parametrize(
    ("number", "note"),
    [
        ("019085001234", None),
        ("019299001234", "national_id names a year of birth in the future"),
        ("019305001234", None),
        ("019485001234", "national_id names a century that has not begun"),
        ("019985001234", "national_id names a century that has not begun"),
    ],
)
def test_an_id_that_contradicts_itself_is_noted_and_stored(
    db: Connection, number: str, note: str | None
) -> None:
    report = load(db, "households", with_id(national_id=number))
    assert report.added == 1
    assert report.notes == ({note: 1} if note else {})


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("CCCD chồng", "12345", "•••••••••345"),
        ("so_dinh_danh", 19085001234, "•••••••••234"),
        ("note", "019085001234, 001200000001.", "•••••••••234, •••••••••001."),
        ("note", "008 190 001 234", "•••••••••234"),
        ("note", "số 008.190.001.234, cũ", "số •••••••••234, cũ"),
        ("note", "0081-9000-1234", "•••••••••234"),
        ("note", "008\u00a0190\u00a0001\u00a0234", "•••••••••234"),
        ("note", "001 1 90 001234", "•••••••••234"),
        ("long", "008 190 001 234 5", "008 190 001 234 5"),
        ("two", "0912.345.678-0987.654.321", "0912.345.678-0987.654.321"),
        ("uuid", "a1b2c3d4-0000-4000-8000-019085001234", "a1b2c3d4-0000-4000-8000-019085001234"),
        ("uuid", "00000000-0000-4000-8000-000000000106", "00000000-0000-4000-8000-000000000106"),
        ("phone", "0912 345 678", "0912 345 678"),
        ("phone", "0912345678", "0912345678"),
        ("phone", 912345678, 912345678),
        ("when", "202609300815", "202609300815"),
        ("long", "90190850012341", "90190850012341"),
        ("list", [1, {"x": "019085001234"}], [1, {"x": "•••••••••234"}]),
        ("cccd", "", ""),
        ("cccd", None, None),
        ("cccd", True, True),
    ],
)
def test_ids_in_other_columns_are_masked_and_nothing_else(
    column: str, value: object, kept: object
) -> None:
    assert (personal_ids.hidden_in({column: value}) or {column: value}) == {column: kept}


def test_repeats_updates_and_conflicts_are_told_with_ids_too(db: Connection) -> None:
    load(db, "households", with_id())
    assert figures(load(db, "households", with_id())) == (0, 0, 1, 0, 0)
    later = with_id(status="near_poor", status_year=2026)
    assert figures(load(db, "households", later)) == (0, 1, 0, 0, 0)
    assert figures(load(db, "households", with_id(national_id=OTHER))) == (0, 0, 0, 1, 0)
    assert households.national_id(db, "01", "H1")[1] == ID


def test_the_fingerprint_of_content_cannot_be_made_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = [(2, with_id())]
    (ours,) = prepare("households", row).hashes
    keys.make(tmp_path / "other.json")
    monkeypatch.setattr(keys, "path", lambda: tmp_path / "other.json")
    (theirs,) = prepare("households", row).hashes
    assert ours != theirs


def test_ids_are_not_taken_without_keys_and_all_else_is(
    db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "path", lambda: tmp_path / "none.json")
    assert load(db, "households", world.household()).added == 1
    with pytest.raises(UsageError, match="ancu keys make"):
        load(db, "households", with_id("H2"))


def test_the_reading_process_needs_and_finds_the_keys_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "h.csv"
    file.write_text(f"household_code,head_name,recorded_address,national_id\nH1,An,Xã A,{ID}\n")
    with read_apart("households", file) as found:
        (batch,) = found
    assert batch.hashes == prepare("households", [(2, {
        "household_code": "H1", "head_name": "An", "recorded_address": "Xã A", "national_id": ID,
    })]).hashes  # fmt: skip
    monkeypatch.setenv("ANCU_KEYS", str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="ancu keys make"), read_apart("households", file) as found:
        list(found)


def test_a_database_of_other_keys_takes_no_ids(
    db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(db, "households", with_id())
    keys.make(tmp_path / "other.json")
    monkeypatch.setattr(keys, "path", lambda: tmp_path / "other.json")
    with pytest.raises(UsageError, match="not the one that this database was used with"):
        load(db, "households", with_id("H2"))


def test_households_of_one_id_are_found_within_the_scope_only(
    db: Connection, begin: Callable
) -> None:
    load(db, "households", with_id(), with_id("H2"), with_id("H3", commune_code="00102"))
    own = Scope(communes=frozenset({"00101"}), action="ids.read")
    with begin(own) as conn:
        one = households.get(conn, "01", "H1")
        assert [other["household_code"] for other in households.same_id(conn, one)] == ["H2"]
        found = households.by_national_id(conn, ID)
        assert [other["household_code"] for other in found] == ["H1", "H2"]
    assert len(households.same_id(db, households.get(db, "01", "H1"))) == 2


def test_a_search_by_words_finds_no_id(db: Connection) -> None:
    load(db, "households", with_id())
    assert households.search(db, ID, areas.get(db, "01")) == []


def test_ids_of_a_web_import_are_sealed_by_the_role_that_owns_nothing(
    db: Connection, begin: Callable
) -> None:
    sender = Scope(communes=frozenset({"00101"}), write=True, account_id=1)
    with begin(sender) as conn:
        assert load(conn, "households", with_id()).added == 1
        assert households.national_id(conn, "01", "H1")[1] == ID


def test_the_command_names_what_is_missing_without_keys(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text(f"household_code,head_name,recorded_address,national_id\nH1,An,Xã A,{ID}\n")
    code = (
        "from pathlib import Path\nfrom geo.intake.batches import batches\n"
        "from geo.intake.readers import open_source\n"
        f"list(batches('households', open_source(Path({str(file)!r})).rows))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "ANCU_KEYS": str(tmp_path / "none.json"), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ancu keys make" in done.stderr


def test_a_refused_file_tells_no_id(db: Connection) -> None:
    with pytest.raises(RejectedError) as told:
        imports.import_rows(db, "households", [(2, with_id(national_id=ID + "7"))], source="t")
    assert ID not in str(told.value) + str(told.value.problems)
