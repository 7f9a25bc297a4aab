"""One choice of a commune serves all addresses that look alike, and can be taken back."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, select, text

from geo import areas, metrics
from geo.account_tables import record_change
from geo.address_fixes import fixing, stored
from geo.audit.actors import By
from geo.audit_tables import address_fix
from geo.errors import (
    AncuError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    UsageError,
)
from geo.intake.placing import Places
from geo.tables import household, site, survey
from tests import intake_world as world
from tests.intake_world import load
from tests.open_addresses import (
    ALIKE,
    DIVIDED,
    UNKNOWN,
    WHY,
    add,
    listed,
    officer,
    province,
    where,
)

BY = By(7, "Trần Thị Mai")

# ---- fixing


def test_a_fix_serves_stored_look_alikes_and_later_ones(db: Connection) -> None:
    add(db, DIVIDED, *ALIKE)
    made = fixing.make(db, UNKNOWN, "00102", WHY, BY)
    assert (made.moved, made.left, made.commune.code) == (3, (), "00102")
    assert where(db) == {
        "H1": ("", None),
        **dict.fromkeys(("H2", "H3", "H4"), ("00102", "fix")),
    }
    load(
        db,
        "households",
        world.household("N1", recorded_address="X Bông Lúa, H Cũ, T Thử Một", commune_code=None),
    )
    assert where(db)["N1"] == ("00102", "fix")
    assert [group.key for group in listed(db)] == ["thon 3 xa phan doi huyen cu tinh thu mot"]


def test_a_fix_of_one_hamlet_of_a_divided_commune_leaves_the_others_open(db: Connection) -> None:
    add(db, DIVIDED, DIVIDED.replace("Thôn 3", "Thôn 4"))
    fixing.make(db, "thon 3 xa phan doi, huyen cu, tinh thu mot", "00102", WHY, BY)
    assert where(db) == {"H1": ("00102", "fix"), "H2": ("", None)}


def test_a_sure_reading_is_never_overruled_by_a_look_alike(db: Connection) -> None:
    fixing.make(db, "xã An Hoà, huyện Khác Lạ, Tỉnh Thử Một", "00103", WHY, BY)
    add(db, "xã An Hoà, Tỉnh Thử Một", "xa an hoa, huyen khac la, tinh thu mot")
    assert where(db) == {"H1": ("00101", "address"), "H2": ("00103", "fix")}


def test_the_figures_the_history_and_the_fix_tell_of_it(db: Connection) -> None:
    add(db, *ALIKE)
    made = fixing.make(db, UNKNOWN, "00102", WHY, BY)
    counted = [metrics.figures(db, areas.get(db, code))["households"] for code in ("01", "00102")]
    assert counted == [3, 3]
    changes = db.execute(
        select(
            record_change.c.subject_id,
            record_change.c.field,
            record_change.c.old_value,
            record_change.c.new_value,
            record_change.c.reason,
        ).order_by(record_change.c.subject_id)
    ).all()
    assert [tuple(row) for row in changes] == [
        (code, "commune_code", "", "00102", WHY) for code in ("H1", "H2", "H3")
    ]
    (fix,) = stored.listing(db, areas.get(db, "01"))
    told = ("fix_id", "commune_code", "key", "example", "reason", "households", "fixed_by_name")
    assert [fix[name] for name in told] == [
        *(made.fix_id, "00102", "xa bong lua huyen cu tinh thu mot"),
        *("xã Bông Lúa, huyện Cũ, Tỉnh Thử Một", WHY, 3, "Trần Thị Mai"),
    ]
    assert (fix["fixed_by"], fix["full_name"], fix["undone_at"]) == (7, "Xã Bình Minh", None)


def test_visits_are_judged_anew_against_the_commune_and_again_when_it_is_undone(
    db: Connection,
) -> None:
    add(db, DIVIDED)
    load(db, "surveys", world.survey(lon=105.25))  # in 00103: neither of the candidates
    load(db, "sites", world.site(lon=105.05))  # in 00101
    made = fixing.make(db, DIVIDED, "00102", WHY, BY)
    assert judged(db) == [
        ("00102", ["00102"], "outside", "00102"),
        ("00102", ["00102"], "outside", "00102"),
    ]
    fixing.undo(db, made.fix_id, BY)
    assert judged(db) == [
        # The address is read unsurely: a point may be inside a candidate, never outside of all.
        ("", ["00101", "00102", ""], "unlocated", None),
        ("", ["00101", "00102", ""], "inside", "00101"),
    ]
    assert where(db) == {"H1": ("", None)}


def judged(conn: Connection) -> list[tuple]:
    """Commune, candidates, verdict and the commune judged against of the survey and the site."""
    names = ("commune_code", "candidates", "verdict", "recorded_code")
    queries = [select(*(table.c[name] for name in names)) for table in (survey, site)]
    return [tuple(conn.execute(query).one()) for query in queries]


def test_one_whose_code_the_commune_has_already_stays_open_and_is_named(db: Connection) -> None:
    load(db, "households", world.household("H2", commune_code="00102", head_name="Người khác"))
    rows = [
        world.household(code, recorded_address=UNKNOWN, commune_code=None, head_name=f"Hộ {code}")
        for code in ("H1", "H2")
    ]
    for row in rows:
        load(db, "households", row)
    db.execute(text("DELETE FROM import_conflict"))
    db.execute(
        household.insert().values(
            province_code="01", household_code="H2", head_name="Hộ H2", recorded_address=UNKNOWN,
            search_key="", content_hash="x",
        )
    )  # fmt: skip
    made = fixing.make(db, UNKNOWN, "00102", WHY, BY)
    assert (made.moved, made.left) == (1, ("H2",))


def test_the_same_fix_again_serves_those_that_came_since(db: Connection) -> None:
    add(db, UNKNOWN)
    first = fixing.make(db, UNKNOWN, "00102", WHY, BY)
    again = fixing.make(db, ALIKE[1], "00102", WHY, BY)
    assert (again.fix_id, again.moved) == (first.fix_id, 0)
    assert db.scalar(select(func.count()).select_from(address_fix)) == 1


REFUSED = {
    "no reason": (UNKNOWN, "00102", "x", RejectedError),
    "an unknown commune": (UNKNOWN, "99999", WHY, NotFoundError),
    "a former commune": (UNKNOWN, world.DIVIDED, WHY, NotFoundError),
    "a province": (UNKNOWN, "01", WHY, UsageError),
    "an address that names no commune": ("Thôn 3, Tỉnh Thử Một", "00102", WHY, RejectedError),
    "a commune that is not one's own": (UNKNOWN, "00201", WHY, ForbiddenError),
    "another commune than the fix that holds": (
        "xã Cây Gạo, huyện Cũ, Tỉnh Thử Một",
        *("00103", WHY, ConflictError),
    ),
}


@pytest.mark.parametrize(
    ("written", "commune", "reason", "error"), REFUSED.values(), ids=REFUSED.keys()
)
def test_refused(
    db: Connection,
    acting: Callable,
    written: str,
    commune: str,
    reason: str,
    error: type[AncuError],
) -> None:
    fixing.make(db, "Xã Cây Gạo, huyện Cũ, Tỉnh Thử Một", "00102", WHY, BY)
    add(db, UNKNOWN)
    with pytest.raises(error), acting(province()) as conn:
        fixing.make(conn, written, commune, reason, BY)
    assert where(db) == {"H1": ("", None)}


def test_a_fix_of_a_communes_officer_serves_only_there(db: Connection, acting: Callable) -> None:
    add(db, UNKNOWN)
    with acting(officer("00102")) as conn:
        made = fixing.make(conn, UNKNOWN, "00102", WHY, BY)
        assert made.moved == 0
        assert Places(conn).of_address(ALIKE[1]).commune_code == "00102"
    with acting(officer("00101")) as conn:
        assert Places(conn).of_address(ALIKE[1]).placed_by is None
        with pytest.raises(NotFoundError):
            fixing.undo(conn, made.fix_id, BY)
    assert where(db) == {"H1": ("", None)}


def test_fixes_that_lead_apart_are_candidates_and_no_guess(
    db: Connection, acting: Callable
) -> None:
    for code in ("00101", "00102"):
        with acting(officer(code)) as conn:
            fixing.make(conn, UNKNOWN, code, WHY, BY)
    place = Places(db).of_address(UNKNOWN)
    assert (place.commune_code, place.candidates, place.placed_by) == ("", ("00101", "00102"), None)


def test_a_row_with_the_code_of_a_divided_commune_follows_a_fix_among_its_parts(
    db: Connection,
) -> None:
    fixing.make(db, DIVIDED, "00102", WHY, BY)
    fixing.make(db, UNKNOWN, "00103", WHY, BY)
    for code, written in (("H1", DIVIDED), ("H2", UNKNOWN)):
        row = world.household(code, recorded_address=written, commune_code=world.DIVIDED)
        load(db, "households", row)
    assert where(db) == {"H1": ("00102", "fix"), "H2": ("", None)}


def test_a_fix_in_another_province_than_the_row_says_is_not_used(db: Connection) -> None:
    fixing.make(db, "xã Bông Lúa, huyện Cũ", "00201", WHY, BY)
    places = Places(db)
    assert places.of_address("xã Bông Lúa, huyện Cũ", "01").commune_code == ""
    assert places.of_address("xã Bông Lúa, huyện Cũ", "02").commune_code == "00201"
    assert places.of_address("thôn 9, xã Bông Lúa, huyện Cũ").commune_code == "00201"


# ---- undoing


def test_an_undone_fix_gives_its_households_back_and_serves_nobody(
    db: Connection, acting: Callable
) -> None:
    add(db, *ALIKE)
    with acting(province()) as conn:
        made = fixing.make(conn, UNKNOWN, "00102", WHY, BY)
    with acting(province()) as conn:
        undone = fixing.undo(conn, made.fix_id, By(8, "Lê Văn Tám"))
    assert (undone.moved, undone.left) == (3, ())
    assert where(db) == dict.fromkeys(("H1", "H2", "H3"), ("", None))
    (fix,) = stored.listing(db, areas.get(db, "01"))
    assert (fix["undone_by"], fix["undone_by_name"], fix["undone_at"] is None) == (
        *(8, "Lê Văn Tám"),
        False,
    )
    assert Places(db).of_address(UNKNOWN).placed_by is None
    assert metrics.figures(db, areas.get(db, "00102"))["households"] == 0
    with acting(province()) as conn, pytest.raises(NotFoundError):
        fixing.undo(conn, made.fix_id, BY)


def test_what_decided_meanwhile_stays(db: Connection) -> None:
    add(db, DIVIDED, DIVIDED, DIVIDED)
    made = fixing.make(db, DIVIDED, "00102", WHY, BY)
    load(db, "surveys", world.survey(household_code="H1", lon=105.15))  # inside it, a candidate
    db.execute(
        text("UPDATE household SET recorded_address = 'Xã Bình Minh' WHERE household_code = 'H2'")
    )
    fixing.undo(db, made.fix_id, BY)
    assert where(db) == {"H1": ("00102", "survey"), "H2": ("00102", "fix"), "H3": ("", None)}


def test_a_communes_officer_cannot_send_households_back_to_the_province(
    db: Connection, acting: Callable
) -> None:
    add(db, UNKNOWN)
    made = fixing.make(db, UNKNOWN, "00102", WHY, BY)
    with acting(officer("00102")) as conn, pytest.raises(ForbiddenError):
        fixing.undo(conn, made.fix_id, BY)
    assert where(db) == {"H1": ("00102", "fix")}
