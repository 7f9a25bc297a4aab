"""Who tries a record elsewhere is seen by that record's administrators and by his own."""

import uuid

import pytest
from sqlalchemy import Connection, insert, select

from geo import areas, trail
from geo.account_tables import access_log, account
from geo.db import become_runtime
from geo.scope import NOBODY, OPERATOR, Scope, bind
from geo.trail import Entry
from geo.trail_proof import verify
from tests import records_world as world

PLACES = {"of_00101": ("01", "00101"), "of_00102": ("01", "00102"), "of_01": ("01", "")}


@pytest.fixture
def ids(conn: Connection) -> dict[str, int | str]:
    """Accounts by name, and the records H, S and the survey of commune 00201; H2 is in two."""
    world.build(conn)
    found: dict[str, int | str] = {
        name: conn.execute(
            insert(account)
            .values(login=name, full_name=name, province_code=place[0], commune_code=place[1])
            .returning(account.c.account_id)
        ).scalar_one()
        for name, place in PLACES.items()
    }
    world.add_household(conn, "00201", household_code="H")
    world.add_site(conn, "H", "00201", site_code="S")
    found["survey"] = world.add_survey(conn, "H", "00201")
    for commune in ("00101", "00102"):
        world.add_household(conn, commune, household_code="H2")
    world.add_household(conn, "00102", household_code="H3")
    become_runtime(conn)
    bind(conn, NOBODY)
    return found


def tried(conn: Connection, **told: object) -> tuple[str, str]:
    """The area under which an attempt is found, written as the web server writes it."""
    trail.append(
        conn, Entry(**{"via": "page", "action": "records.read", "outcome": "failed"} | told)
    )
    bind(conn, OPERATOR)
    last = select(access_log.c.province_code, access_log.c.commune_code)
    row = conn.execute(last.order_by(access_log.c.entry_id.desc()).limit(1)).one()
    assert verify(conn).problems == []
    bind(conn, NOBODY)
    return row[0], row[1]


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"subject": "household", "subject_id": "H", "province_code": "02"}, ("02", "00201")),
        ({"subject": "household", "subject_id": "H"}, ("02", "00201")),
        ({"subject": "household", "subject_id": "H", "province_code": "01"}, ("01", "")),
        ({"subject": "household", "subject_id": "H3", "province_code": "01",
          "commune_code": "00101"}, ("01", "00102")),
        ({"subject": "household", "subject_id": "H2", "province_code": "01"}, ("01", "")),
        ({"subject": "household", "subject_id": "none", "province_code": "02"}, ("02", "")),
        ({"subject": "household", "subject_id": "", "province_code": "02"}, ("02", "")),
        ({"subject": "household", "subject_id": "S", "province_code": "02"}, ("02", "")),
        ({"subject": "site", "subject_id": "S", "province_code": "02"}, ("02", "00201")),
        ({"subject": "site", "subject_id": "H", "province_code": "02"}, ("02", "")),
        ({"subject": "survey", "subject_id": "not one"}, ("", "")),
        ({"subject": "survey", "subject_id": str(uuid.UUID(int=5)), "province_code": "01"},
         ("01", "")),
        ({"subject": "account", "subject_id": "H"}, ("", "")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("outcome", ["denied", "failed"])
def test_an_attempt_is_about_the_area_of_the_one_record_there_is(conn, ids, told, where, outcome):
    assert tried(conn, outcome=outcome, **told) == where


def test_a_survey_is_found_wherever_it_is(conn, ids) -> None:
    for text in (ids["survey"], str(ids["survey"]).upper()):
        told = {"subject": "survey", "subject_id": text, "province_code": "01"}
        assert tried(conn, commune_code="00101", **told) == ("02", "00201")


def test_what_was_allowed_stays_as_it_was_told(conn, ids) -> None:
    told = {"subject": "household", "subject_id": "H", "province_code": "01"}
    assert tried(conn, outcome="allowed", **told) == ("01", "")


def seen(conn: Connection, *conditions, action: str = "log.read", **areas_of) -> list[tuple]:
    """What an administrator of some areas finds on the pages, the newest first."""
    bind(conn, Scope(action=action, **{name: frozenset(v) for name, v in areas_of.items()}))
    found = trail.page(conn, *conditions).items
    return [(one["login"], one["province_code"], one["commune_code"]) for one in found]


def attempt(conn: Connection, ids: dict, login: str, code: str = "H", province: str = "02") -> None:
    tried(
        conn, account_id=ids[login], login=login, subject="household", subject_id=code,
        province_code=province,
    )  # fmt: skip


def test_both_administrators_see_an_attempt_and_no_other_does(conn, ids) -> None:
    attempt(conn, ids, "of_00101")
    assert seen(conn, communes={"00201"}) == [("of_00101", "02", "00201")]
    assert seen(conn, provinces={"02"}) == [("of_00101", "02", "00201")]
    assert seen(conn, communes={"00101"}) == [("of_00101", "", "")]
    assert seen(conn, provinces={"01"}) == [("of_00101", "", "")]
    assert seen(conn, provinces={"01", "02"}) == [("of_00101", "02", "00201")]
    assert seen(conn, communes={"00102"}) == []
    assert seen(conn, communes={"00101"}, action="records.read") == []


def test_the_own_administrator_learns_not_whether_the_record_exists(conn, ids) -> None:
    for code in ("H", "H9"):
        attempt(conn, ids, "of_00101", code)
    for code in ("H3", "H9"):
        attempt(conn, ids, "of_00101", code, "01")
    assert seen(conn, communes={"00101"}) == [("of_00101", "", "")] * 4


def test_what_an_account_did_elsewhere_is_found_under_its_home(conn, ids) -> None:
    for login in ("of_00101", "of_00102", "of_01"):
        entry = Entry(
            "page", "records.read", account_id=ids[login], login=login, province_code="02",
            commune_code="00201",
        )  # fmt: skip
        trail.append(conn, entry)
    bind(conn, OPERATOR)
    own = {
        code: trail.in_area(areas.get(conn, code)) for code in ("01", "00101", "02", "00201", "VN")
    }
    everyone = [(login, "02", "00201") for login in ("of_01", "of_00102", "of_00101")]
    assert seen(conn, own["01"], provinces={"01"}) == everyone
    assert seen(conn, own["00101"], provinces={"01"}) == everyone[2:]
    assert seen(conn, communes={"00101"}) == everyone[2:]
    assert seen(conn, own["00201"], communes={"00201"}) == everyone
    bind(conn, OPERATOR)
    assert len(trail.page(conn, own["VN"]).items) == 3
