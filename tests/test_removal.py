"""Removal at a person's request: nothing personal is left, nothing comes back, no figure moves."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, func, insert, select, text

from geo import areas, exports, households, layers, metrics, sites, surveys
from geo.account_tables import removed_household
from geo.audit import run as audit
from geo.errors import ConflictError, NotFoundError, RejectedError
from geo.persons import correcting, history, removing
from geo.scope import OPERATOR, Scope, bind
from geo.tables import (
    import_conflict,
    site,
    site_stage,
    survey,
)
from tests import intake_world as world
from tests.intake_world import load
from tests.persons_world import H1, WHY, build, correct, officer, stored_texts


@pytest.fixture
def full(db: Connection) -> Connection:
    return build(db)


def commune_figures(conn: Connection) -> dict[str, object]:
    """All METRICS of the commune, the province and the country."""
    return {
        code: metrics.figures(conn, areas.get(conn, code), datetime(2026, 11, 1).date())
        for code in ("00101", "01")
    }


PERSONAL = (
    "Lò Văn Sơn", "Thôn 3", "Thái", "0912345678", "máy-7", "nhà-H1.jpg", "gần suối", "Tên khác",
    "Điều tra viên 1", '"H1"', '"S1"', '"geom":{', WHY, "no_land",
)  # fmt: skip


def removed(conn: Connection) -> tuple[str, str, str]:
    return removing.remove(conn, H1, WHY, "H1")


def test_a_removal_leaves_nothing_personal_and_every_figure(
    full: Connection, begin: Callable
) -> None:
    correct(full, "head_name", "Tên sửa")
    full.execute(text("DELETE FROM survey WHERE household_code = 'H2'"))
    full.execute(text("DELETE FROM household_status WHERE household_code = 'H2'"))
    full.execute(text("DELETE FROM household WHERE household_code = 'H2'"))
    metrics.recount(full, [("01", "00101")])
    before = commune_figures(full)
    with begin(officer("00101", action="person.remove")) as conn:
        _province, commune, code = removed(conn)
    assert commune == "00101" and code.startswith("removed-")
    assert commune_figures(full) == before
    assert before["01"]["households"] == 1 and before["01"]["last_activity"] is not None
    said = "\n".join(line for line in stored_texts(full).splitlines() if '"area_id"' not in line)
    for secret in (
        *PERSONAL,
        "Tên sửa",
        world.survey(1)["survey_id"],
        world.survey(2)["survey_id"],
    ):
        assert secret not in said, secret


def test_every_figure_stays_also_among_others(full: Connection) -> None:
    before = commune_figures(full)
    removed(full)
    assert commune_figures(full) == before
    assert audit.run(full).surveys == 1  # H2's: what is removed has no point to judge
    assert commune_figures(full) == before


def test_only_the_day_of_a_visit_is_kept(full: Connection) -> None:
    """But for the moment that the commune's last activity tells anyhow."""
    removed(full)
    found = full.execute(
        select(survey.c.surveyed_at).where(survey.c.removed).order_by(survey.c.surveyed_at)
    ).scalars()
    assert list(found) == [
        datetime(2026, 9, 29, 17, tzinfo=UTC),
        datetime(2026, 10, 1, 2, 30, tzinfo=UTC),
    ]


def test_a_removed_household_is_in_no_list_tile_file_or_search(full: Connection) -> None:
    _province, _commune, code = removed(full)
    renamed = select(survey.c.survey_id).where(survey.c.removed)
    here = areas.get(full, "01")
    assert [one["household_code"] for one in households.listing(full, here).items] == ["H2"]
    assert {one["household_code"] for one in surveys.listing(full, here, order="id").items} == {
        "H2"
    }
    assert sites.listing(full, here).items == []
    assert households.search(full, code, here) == []
    for kind in ("households", "surveys", "sites"):
        out = io.BytesIO()
        exports.export(full, kind, here, "csv", out)
        rows = csv.DictReader(io.StringIO(out.getvalue().decode()))
        assert {row["household_code"] for row in rows} <= {"H2"}
        made = layers.tile(full, kind, 0, 0, 0, here)
        assert b"removed" not in made
    for wanted in ("H1", code):
        with pytest.raises(NotFoundError):
            households.get(full, "01", wanted)
    with pytest.raises(NotFoundError):
        surveys.get(full, full.execute(renamed.limit(1)).scalar_one())
    with pytest.raises(NotFoundError):
        sites.get(full, "01", full.execute(select(site.c.site_code)).scalar_one())
    with pytest.raises(NotFoundError):
        removed(full)
    assert full.execute(select(func.count()).select_from(site_stage)).scalar_one() == 0


BACK = {
    "the same row": world.household(),
    "with another name": world.household(head_name="Khác"),
    "without a commune": world.household(commune_code=world.DIVIDED),
    "in small letters": world.household("h1"),
    "with a sign": world.household("H-1"),
    "with a sign that nobody sees": world.household("H\u200b1"),
    "in wide letters": world.household("Ｈ１"),
}


@pytest.mark.parametrize("row", BACK.values(), ids=BACK)
def test_a_removed_household_does_not_come_back(
    full: Connection, begin: Callable, row: dict[str, object]
) -> None:
    removed(full)
    for scope in (OPERATOR, Scope(provinces=frozenset({"01"}), write=True, account_id=1)):
        with pytest.raises(RejectedError) as told, begin(scope) as conn:
            load(conn, "households", row)
        assert told.value.problems == [
            (2, "household_code: this household was removed at the person's request")
        ]
    with pytest.raises(RejectedError, match="cannot be stored"):
        load(full, "surveys", world.survey(1))


def test_the_same_code_in_another_commune_is_another_household(
    full: Connection, begin: Callable
) -> None:
    removed(full)
    with begin(officer("00102")) as conn:
        assert load(conn, "households", world.household(commune_code="00102")).added == 1


def test_the_barred_code_cannot_be_read_or_guessed(full: Connection) -> None:
    removed(full)
    (kept,) = full.execute(select(removed_household)).mappings()
    assert len(kept["code_print"]) == 16 and "H1" not in str(dict(kept))


def test_a_removal_needs_the_code_typed(full: Connection) -> None:
    with pytest.raises(RejectedError, match="not the household's code; nothing was removed"):
        removing.remove(full, H1, WHY, "H2")
    assert households.get(full, "01", "H1")["head_name"] == "Lò Văn Sơn"


def test_a_household_elsewhere_cannot_be_corrected_or_removed(
    full: Connection, begin: Callable
) -> None:
    with begin(officer("00102")) as conn:
        with pytest.raises(NotFoundError):
            correct(conn, "members", 5)
        with pytest.raises(NotFoundError):
            removed(conn)


def test_the_history_can_be_emptied_but_not_taken_out_or_rewritten(
    full: Connection, begin: Callable
) -> None:
    correct(full, "members", 5)
    for statement in (
        "DELETE FROM record_change",
        "UPDATE record_change SET account_id = 1",
        "UPDATE record_change SET field = 'x'",
        "UPDATE record_change SET changed_at = now()",
        "DELETE FROM removed_household",
    ):
        with pytest.raises(Exception, match="permission denied"), begin(officer("00101")) as conn:
            conn.execute(text(statement))
        bind(full, OPERATOR)


def test_demo_households_come_back_with_the_demo_data(db: Connection) -> None:
    load(db, "households", world.household(), demo=True)
    removed(db)
    assert db.execute(select(removed_household.c.demo)).scalar_one() is True


def test_a_copy_kept_aside_for_a_neighbour_stays(full: Connection) -> None:
    db_row = {"province_code": "01", "commune_code": "00101", "kind": "households", "key": "H2",
              "content_hash": "z", "row": {}, "reason": "r"}  # fmt: skip
    full.execute(insert(import_conflict).values(db_row))
    removed(full)
    assert full.execute(select(import_conflict.c.key)).scalars().all() == ["H2"]


NEXT_DOOR = "Thôn 1, Xã Bình Minh, Tỉnh Thử Một"


def test_an_address_of_another_commune_moves_the_household(
    full: Connection, begin: Callable
) -> None:
    correct(full, "members", 5)
    with begin(officer("00101", "00102")) as conn:
        assert correct(conn, "recorded_address", NEXT_DOOR) == ("01", "00102", "H1")
    found = households.get(full, "01", "H1", "00102")
    assert found["placed_by"] == "address"
    # 105.15 is in the new commune, 105.05 no longer in the recorded one.
    verdicts = {one["survey_id"]: one["verdict"] for one in found["surveys"]}
    assert verdicts[world.survey(1)["survey_id"]] == "outside"
    assert verdicts[world.survey(2)["survey_id"]] == "inside"
    changes = history.of(full, ("01", "00102", "H1"))
    assert [one["field"] for one in changes] == ["commune_code", "recorded_address", "members"]
    figures_of = {code: metrics.figures(full, areas.get(full, code)) for code in ("00101", "00102")}
    assert [figures_of[code]["households"] for code in figures_of] == [1, 1]
    assert [figures_of[code]["surveys"] for code in figures_of] == [1, 2]


def test_an_address_outside_of_the_areas_is_told(full: Connection, begin: Callable) -> None:
    with pytest.raises(RejectedError) as told, begin(officer("00101")) as conn:
        correct(conn, "recorded_address", NEXT_DOOR)
    assert str(told.value) == (
        "recorded_address: the address leads to Xã Bình Minh (00102), which is not in your areas; "
        "ask who works for the province to correct it."
    )
    assert households.get(full, "01", "H1")["commune_code"] == "00101"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("Phường Đông Sơn, Tỉnh Thử Hai", r"Phường Đông Sơn \(00201\) in another province"),
        (NEXT_DOOR, "Xã Bình Minh has a household, survey or site with this code already"),
    ],
)
def test_where_a_household_cannot_move_to(
    full: Connection, begin: Callable, address: str, message: str
) -> None:
    with begin(officer("00102")) as conn:
        load(conn, "households", world.household(commune_code="00102"))
    with pytest.raises((RejectedError, ConflictError), match=message):
        correcting.correct(full, ("01", "H1", "00101"), "recorded_address", address, WHY)


def test_an_address_of_several_other_communes_is_refused(full: Connection) -> None:
    load(full, "households", world.household("H5", commune_code="00103"))
    divided = "Xã Phân Đôi, Huyện Cũ, Tỉnh Cũ"
    with pytest.raises(RejectedError, match="several other communes"):
        correcting.correct(full, ("01", "H5", None), "recorded_address", divided, WHY)
