"""A sender stores in their own areas, and learns from no answer what is stored elsewhere.

In a world where 00101 and 00102 are communes of the province 01. Each test runs twice: as the role
that row-level security holds, and as the owner, for whom the queries' own conditions must do.
"""

import pytest
from sqlalchemy import Connection, func, select

from geo import households, sites, surveys
from geo.errors import ConflictError, ForbiddenError, NotFoundError, RejectedError
from geo.intake import log
from geo.scope import Scope
from geo.tables import (
    household,
    household_status,
    import_conflict,
    import_job,
    site,
    site_stage,
    survey,
)
from tests import intake_world as world
from tests.intake_world import figures, load
from tests.own_areas import PROVINCE, Begin, commune


def outcome(acting: Begin, sender: Scope, kind: str, row: dict[str, object]) -> object:
    """All that the sender is told of one row: the report, or the refusal."""
    with acting(sender) as conn:
        savepoint = conn.begin_nested()
        try:
            report = load(conn, kind, row).as_dict()
        except RejectedError as error:
            savepoint.rollback()
            return str(error), error.problems
        savepoint.commit()
    return {name: said for name, said in report.items() if name not in ("import_id", "seconds")}


def reason(acting: Begin, sender: Scope, kind: str, row: dict[str, object]) -> str:
    _said, problems = outcome(acting, sender, kind, row)
    return problems[0][1]


def count(conn: Connection, table: object) -> int:
    return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_one_code_in_two_communes_is_added_twice_and_nobody_notices(
    db: Connection, acting: Begin
) -> None:
    first = outcome(acting, commune("00101"), "households", world.household())
    second = outcome(acting, commune("00102"), "households", world.household(commune_code="00102"))
    assert first == second
    assert first["added"] == 1
    assert set(db.execute(select(household.c.commune_code)).scalars()) == {"00101", "00102"}


NEXT_DOOR = {
    "households": (world.household(commune_code="00102"), world.household(head_name="Khác")),
    "surveys": (world.survey(commune_code="00102"), world.survey(lat=21.02)),
    "sites": (world.site(commune_code="00102"), world.site(kind="repair")),
}


OTHERS = {
    "households": world.household("H0"),
    "surveys": world.survey(9),
    "sites": world.site("S9"),
}
"""Something of the sender's own: an import into an empty table asks for less."""


@pytest.mark.parametrize("kind", NEXT_DOOR)
def test_an_identity_that_is_taken_next_door_is_free_here(
    db: Connection, acting: Begin, kind: str
) -> None:
    """Same report, and nothing kept aside: the neighbour's record takes no part in it."""
    theirs, ours = NEXT_DOOR[kind]
    if kind != "households":
        for code in ("00101", "00102"):
            load(db, "households", world.household(commune_code=code, head_name=f"Chủ {code}"))
    load(db, kind, OTHERS[kind] | {"commune_code": "00101"})
    fresh = db.begin_nested()
    before = outcome(acting, commune("00101"), kind, ours)
    fresh.rollback()
    load(db, kind, theirs)
    assert outcome(acting, commune("00101"), kind, ours) == before
    assert before["added"] == 1
    assert count(db, import_conflict) == 0


def test_a_household_without_a_commune_does_not_stand_in_a_commune_s_way(
    db: Connection, acting: Begin
) -> None:
    load(db, "households", world.household("H0"))
    fresh = db.begin_nested()
    before = outcome(acting, commune("00101"), "households", world.household())
    fresh.rollback()
    load(db, "households", world.household(commune_code=world.DIVIDED, head_name="Khác"))
    assert outcome(acting, commune("00101"), "households", world.household()) == before


ELSEWHERE = "commune_code: “00102” is not in your areas"
NOWHERE = "the address leads to no commune of your areas; give commune_code"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"commune_code": "00102"}, ELSEWHERE),
        ({"commune_code": None, "recorded_address": "Xã Bình Minh, Tỉnh Thử Một"}, NOWHERE),
        ({"commune_code": None, "recorded_address": "Tỉnh Thử Một"}, NOWHERE),
        ({"commune_code": None, "recorded_address": "???"}, NOWHERE),
        ({"commune_code": world.DIVIDED}, NOWHERE),
        (
            {"commune_code": world.DIVIDED, "lon": 105.15, "lat": 21.05, "accuracy_m": 5},
            f"commune_code: “{world.DIVIDED}” is not in your areas",
        ),
        (
            {"commune_code": "99999"},
            "commune_code: “99999” is neither a present nor a former commune; leave it blank "
            "when it is not known",
        ),
    ],
)
def test_a_household_elsewhere_is_refused_the_same_whether_it_exists_or_not(
    db: Connection, acting: Begin, changed: dict[str, object], expected: str
) -> None:
    row = world.household(**changed)
    told = outcome(acting, commune("00101"), "households", row)
    assert told[1] == [(2, expected)]
    if changed["commune_code"] != "99999":
        assert load(db, "households", row).added == 1
    assert outcome(acting, commune("00101"), "households", row) == told


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "household_code: there is no household “H1”; import the households first"),
        ({"commune_code": "00102"}, ELSEWHERE),
        (
            {"province_code": "01"},
            "household_code: there is no household “H1” in province 01; import the households "
            "first",
        ),
        (
            {"commune_code": "00101"},
            "household_code: there is no household “H1” in commune 00101; import the households "
            "first",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["surveys", "sites"])
def test_a_survey_or_site_of_a_household_elsewhere_is_refused_the_same_way(
    db: Connection, acting: Begin, kind: str, changed: dict[str, object], expected: str
) -> None:
    row = {"surveys": world.survey, "sites": world.site}[kind](**changed)
    assert reason(acting, commune("00101"), kind, row) == expected
    load(db, "households", world.household(commune_code="00102"))
    assert reason(acting, commune("00101"), kind, row) == expected


def test_a_commune_code_chooses_between_households_of_one_code(
    db: Connection, acting: Begin
) -> None:
    for code in ("00101", "00102"):
        load(db, "households", world.household(commune_code=code, head_name=f"Chủ {code}"))
    assert reason(acting, PROVINCE, "surveys", world.survey()) == (
        "household_code: “H1” exists in the communes 00101, 00102; add the column commune_code"
    )
    told = outcome(acting, PROVINCE, "surveys", world.survey(commune_code="00102"))
    assert told["added"] == 1
    assert db.execute(select(survey.c.commune_code)).scalars().all() == ["00102"]
    # To say where is no other content.
    load(db, "sites", world.site(commune_code="00101"))
    with acting(commune("00101")) as conn:
        assert figures(load(conn, "sites", world.site())) == (0, 0, 1, 0, 0)


def test_a_commune_code_chooses_a_household_that_may_be_there(db: Connection) -> None:
    load(db, "households", world.household(commune_code=world.DIVIDED))
    load(db, "households", world.household(commune_code="00103"))
    assert load(db, "surveys", world.survey(lon=105.15, commune_code="00102")).added == 1
    assert db.execute(select(survey.c.commune_code)).scalars().all() == ["00102"]


def test_a_sender_for_the_province_may_store_what_is_unresolved_in_it(
    db: Connection, acting: Begin
) -> None:
    with acting(PROVINCE) as conn:
        assert load(conn, "households", world.household(commune_code=world.DIVIDED)).added == 1
    assert reason(
        acting, PROVINCE, "households", world.household("H2", commune_code="00201")
    ).endswith("is not in your areas")
    unknown = world.household("H3", commune_code=None, recorded_address="???")
    assert reason(acting, PROVINCE, "households", unknown) == NOWHERE


def test_a_sender_for_the_province_settles_a_household(db: Connection, acting: Begin) -> None:
    load(db, "households", world.household(commune_code=world.DIVIDED))
    load(db, "sites", world.site(lon=None, lat=None))
    told = outcome(acting, PROVINCE, "surveys", world.survey(lon=105.15))
    assert told["added"] == 1
    for table in (household, household_status, survey, site, site_stage):
        assert set(db.execute(select(table.c.commune_code)).scalars()) == {"00102"}


def test_a_household_without_a_commune_and_a_placed_one_may_be_the_same(db: Connection) -> None:
    row = world.household(commune_code=world.DIVIDED)
    load(db, "households", row)
    load(db, "surveys", world.survey(lon=105.15))
    assert db.execute(select(household.c.commune_code)).scalar_one() == "00102"
    assert figures(load(db, "households", row)) == (0, 0, 1, 0, 0)
    later = {**row, "status": "none", "status_year": 2026}
    assert figures(load(db, "households", later)) == (0, 1, 0, 0, 0)
    load(db, "households", {**row, "head_name": "Khác"})
    assert db.execute(select(import_conflict.c.commune_code)).scalar_one() == "00102"


def test_records_of_one_code_are_told_apart_by_their_commune(db: Connection) -> None:
    for code, name in (("00101", "Một"), ("00102", "Hai")):
        load(db, "households", world.household(commune_code=code, head_name=name))
        load(db, "sites", world.site(commune_code=code, lon=None, lat=None))
    with pytest.raises(ConflictError, match=r"'H1' exists in several communes: 00101, 00102\. "):
        households.get(db, "01", "H1")
    with pytest.raises(ConflictError, match="Name one by the parameter commune"):
        sites.get(db, "01", "S1")
    assert households.get(db, "01", "H1", "00102")["head_name"] == "Hai"
    assert len(households.get(db, "01", "H1", "00102")["sites"]) == 1
    assert sites.get(db, "01", "S1", "00101")["head_name"] == "Một"
    with pytest.raises(NotFoundError):
        households.get(db, "01", "H1", "00103")


def test_of_two_surveys_of_one_id_the_commune_is_asked_for(db: Connection, acting: Begin) -> None:
    for code in ("00102", "00101"):
        load(db, "households", world.household(commune_code=code, head_name=f"Chủ {code}"))
        outcome(acting, commune(code), "surveys", world.survey(1))
    assert count(db, survey) == 2
    same = str(world.survey(1)["survey_id"])
    with pytest.raises(ConflictError, match=r"exists in several communes: 00101, 00102\. "):
        surveys.get(db, same)
    for code in ("00101", "00102"):
        assert surveys.get(db, same, code)["head_name"] == f"Chủ {code}"
        with acting(commune(code)) as conn:
            assert surveys.get(conn, same)["head_name"] == f"Chủ {code}"
    with acting(commune("00101")) as conn, pytest.raises(NotFoundError):
        surveys.get(conn, same, "00102")


def test_an_import_is_kept_with_its_sender_and_area(db: Connection, acting: Begin) -> None:
    with acting(commune("00101", account_id=7)) as conn:
        load(conn, "households", world.household())
        assert [one["account_id"] for one in log.recent_imports(conn)] == [7]
    with acting(PROVINCE) as conn:
        load(conn, "households", world.household("H2"))
        assert len(log.recent_imports(conn)) == 2
    load(db, "households", world.household("H3"))
    kept = select(import_job.c.account_id, import_job.c.province_code, import_job.c.commune_code)
    assert set(db.execute(kept)) == {(7, "01", "00101"), (9, "01", ""), (None, "", "")}
    with acting(commune("00102", account_id=8)) as conn:
        assert log.recent_imports(conn) == []


def test_without_the_right_to_write_nothing_is_stored(db: Connection, begin: Begin) -> None:
    reader = Scope(communes=frozenset({"00101"}), account_id=1)
    with pytest.raises(ForbiddenError, match="outside your areas"), begin(reader) as conn:
        load(conn, "households", world.household())
    assert count(db, household) == 0


def test_one_who_sees_both_communes_does_not_count_a_household_twice(
    db: Connection, acting: Begin
) -> None:
    load(db, "households", world.household(commune_code="00101", head_name="Lò Văn Sơn"))
    with acting(PROVINCE) as conn:
        moved = world.household(commune_code="00102", head_name="LÒ VĂN SƠN")
        assert load(conn, "households", moved).conflicts == 1
        (kept,) = log.recent_conflicts(conn)
        assert kept["reason"] == "a household with this code and head is stored in commune 00101"
        other = world.household(commune_code="00102", head_name="Giàng A Páo")
        assert load(conn, "households", other).added == 1
