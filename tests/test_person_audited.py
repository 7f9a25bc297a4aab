"""What the audit keeps of a household is in the person's record, and nobody else's is."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert

from geo import areas
from geo.audit import samples
from geo.audit.actors import By
from geo.audit.sampling import Plan
from geo.audit_tables import audit_decision
from geo.persons import record
from geo.scope import Scope
from geo.tables import area
from tests import intake_world as world
from tests import people, persons_world
from tests.page_data import words
from tests.persons_world import officer
from web.app import create_app

OWN = world.survey(1)["survey_id"]
OTHERS = world.survey(3)["survey_id"]


@pytest.fixture
def full(db: Connection) -> Connection:
    """All three surveys drawn and checked, one decision about each of two households."""
    persons_world.build(db)
    made = samples.draw(db, areas.get(db, "01"), Plan("random", 3), By(7, "Lan"))
    for item in samples.items(db, made):
        key = (item["province_code"], item["commune_code"], item["subject_id"])
        note = f"thấy {item['household_code']}"
        samples.record(db, made["sample_id"], key, "mismatch", note, By(8, "Minh"), None)
    for survey_id, reason in ((OWN, "sát suối"), (OTHERS, "chuyện khác")):
        db.execute(
            insert(audit_decision).values(
                province_code="01", commune_code="00101", subject="survey", subject_id=survey_id,
                decision="explained", reason=reason, decided_by=9, decided_by_name="Nga",
            )
        )  # fmt: skip
    return db


def test_decisions_visits_and_checks_of_the_household_and_of_no_other(
    full: Connection, acting: Callable
) -> None:
    scope: Scope = officer("00101", action="person.export").reading()
    with acting(scope) as conn:
        made = record.record(conn, "01", "H1")
    (decision,) = made["decisions"]
    assert (decision["subject_id"], decision["decision"], decision["reason"]) == (
        OWN, "explained", "sát suối",
    )  # fmt: skip
    assert decision["decided_by"] == 9
    assert {str(one["survey_id"]) for one in made["revisits"]} == {
        OWN, world.survey(2)["survey_id"],
    }  # fmt: skip
    assert [(one["found"], one["note"], one["checked_by"]) for one in made["checks"]] == [
        ("mismatch", "thấy H1", 8)
    ] * 2
    # By number: whose account it is the administrator tells.
    assert not [name for name in ("Lan", "Minh", "Nga") if name in str(made)]
    assert record.rows(made) == 1 + sum(len(made[name]) for name in record.LISTS)


def test_the_page_tells_them_in_words(full: Connection, begin: Callable) -> None:
    full.execute(
        insert(area).values(
            code="VN", level="country", name="Việt Nam", full_name="Việt Nam", kind="", name_key=""
        )
    )
    browser = people.client(create_app(begin), full, "officer@00101")
    said = words(browser.get("/households/01/H1/record").text)
    assert "Kết luận của kiểm tra viên (1)" in said and "Có giải trình sát suối" in said
    assert "Mẫu kiểm chứng (2)" in said and "Không khớp thấy H1" in said
    assert "chuyện khác" not in said
