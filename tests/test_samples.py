"""Samples in the database: drawn with a seed of the log's, checked, estimated from, proved."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from geo import scope
from geo.account_tables import access_log
from geo.audit import estimates, sample_proof, samples, sampling
from geo.audit.sampling import Plan
from geo.audit_tables import audit_item, audit_sample, audit_sample_item, revisit
from geo.db import translated_errors
from geo.demo import loading
from geo.errors import ConflictError, NotFoundError, RejectedError, UnavailableError, UsageError
from geo.moving import Move, move
from geo.paging import Record
from geo.persons import removing
from geo.scope import NOBODY, OPERATOR, Scope, bind
from geo.tables import household, survey
from tests import records_world as world
from tests.conftest import unpooled
from tests.samples_world import LAN, area, build, drawn, enter, key_of

AUDITOR = Scope(provinces=frozenset({"01"}), write=True, action="audit.decide", account_id=7)


@pytest.fixture
def there(conn: Connection) -> Connection:
    return build(conn)


def check_all(conn: Connection, sample: Record, *outcomes: str | None) -> None:
    for item, outcome in zip(samples.items(conn, sample), outcomes, strict=False):
        samples.record(conn, sample["sample_id"], key_of(item), outcome, "", LAN, item["outcome"])


# ---- drawing ----


def test_a_draw_is_what_anyone_computes_from_the_log_s_last_hash(there: Connection) -> None:
    last = there.execute(select(access_log).order_by(access_log.c.entry_id.desc())).first()
    made = drawn(there)
    ids = there.scalars(select(survey.c.survey_id).where(survey.c.commune_code == "00101")).all()
    whose = {
        row.survey_id: row.enumerator
        for row in there.execute(select(survey.c.survey_id, survey.c.enumerator))
    }
    keys = {hashlib.sha256(one.encode()).hexdigest()[:32]: one for one in ids}
    lines = sorted(f"{key}\t100\t{whose[one]}\n" for key, one in keys.items())
    frame = hashlib.sha256("".join(lines).encode()).hexdigest()
    basis = "\n".join(
        [
            "ancu-sample-1", f"entry {last.entry_id}", f"hash {bytes(last.hash).hex()}",
            "area 00101", "method random", "size 6", "at-least 0", "number 1", f"frame {frame}",
        ]
    )  # fmt: skip
    seed = hashlib.sha256(basis.encode()).hexdigest()
    assert (made["seed_basis"], made["seed"]) == (basis, seed)
    assert (made["frame_size"], made["frame_sha256"]) == (20, frame)
    first = sorted(keys, key=lambda key: hashlib.sha256((seed + key).encode()).hexdigest())[:6]
    assert {item["subject_id"] for item in samples.items(there, made)} == {keys[k] for k in first}
    assert samples.frame_text(there, made["sample_id"]) == "".join(lines)


def test_what_is_kept_of_a_draw(there: Connection) -> None:
    made = drawn(there, "01", Plan("stratified", 9, 2))
    assert {name: made[name] for name in ("province_code", "commune_code", "area_code")} == {
        "province_code": "01", "commune_code": "", "area_code": "01",
    }  # fmt: skip
    assert (made["number"], made["method"], made["size"], made["at_least"]) == (
        1,
        "stratified",
        9,
        2,
    )
    assert made["strata"] == {"Lan": 5, "Minh": 10, "Nga": 5, "Oanh": 5}
    assert (made["drawn_by"], made["drawn_by_name"], made["demo"]) == (7, "Lan", False)
    found = samples.items(there, made)
    chances = {"Lan": 2 / 5, "Minh": 3 / 10, "Nga": 2 / 5, "Oanh": 2 / 5}
    assert {item["stratum"]: item["inclusion"] for item in found} == chances
    assert Counter(item["stratum"] for item in found) == {"Lan": 2, "Minh": 3, "Nga": 2, "Oanh": 2}
    assert {(item["outcome"], item["head_name"]) for item in found} == {(None, "Nguyễn Văn An")}


def test_each_survey_drawn_is_asked_to_be_visited_by_nobody_in_particular(
    there: Connection,
) -> None:
    made = drawn(there)
    asked = there.execute(select(revisit)).mappings().all()
    assert {str(one["survey_id"]) for one in asked} == {
        item["subject_id"] for item in samples.items(there, made)
    }
    assert {(one["sample_id"], one["enumerator"], one["asked_by_name"]) for one in asked} == {
        (made["sample_id"], "", "Lan")
    }


def test_risk_weighs_and_only_that_of_the_survey(there: Connection) -> None:
    one = there.scalar(select(survey.c.survey_id).where(survey.c.enumerator == "Nga").limit(1))
    whose = there.scalar(select(survey.c.household_code).where(survey.c.survey_id == one))
    for subject in ("survey", "site"):
        there.execute(
            insert(audit_item).values(
                province_code="01", commune_code="00101", subject=subject, subject_id=str(one),
                case_key="k", risk=62.345 if subject == "survey" else 99, household_code=whose,
                verdict="outside",
            )
        )  # fmt: skip
    made = drawn(there, plan=Plan("weighted", 4))
    sizes = {
        unit.key: unit.size for unit in sampling.read(samples.frame_text(there, made["sample_id"]))
    }
    assert sizes.pop(sampling.key(str(one))) == 6_334  # half to even
    assert set(sizes.values()) == {100}
    chances = {item["subject_id"]: item["inclusion"] for item in samples.items(there, made)}
    assert chances.pop(str(one)) == 1
    assert set(chances.values()) == {3 / 19}


def test_draws_are_numbered_and_another_draw_is_another_sample(there: Connection) -> None:
    first, second = drawn(there), drawn(there)
    elsewhere = drawn(there, "00102", Plan("random", 2))
    assert [one["number"] for one in (first, second, elsewhere)] == [1, 2, 1]
    assert len({one["seed"] for one in (first, second, elsewhere)}) == 3
    listed = samples.listing(there, area(there, "01"))
    assert [one["sample_id"] for one in listed] == [
        one["sample_id"] for one in (elsewhere, second, first)
    ]


def test_who_draws_chooses_neither_seed_nor_number_nor_time(
    there: Connection, begin: Callable
) -> None:
    with begin(AUDITOR) as conn:
        conn.execute(
            insert(audit_sample).values(
                province_code="01", commune_code="", area_code="01", method="random", size=1,
                number=99, seed="chosen", seed_basis="chosen", frame_size=1, frame_sha256="0",
                frame=b"", drawn_at=text("now() - interval '1 year'"),
            )
        )  # fmt: skip
    row = there.execute(select(audit_sample)).mappings().one()
    assert row["number"] == 1 and "chosen" not in (row["seed"], row["seed_basis"])
    assert there.scalar(select(func.now() - row["drawn_at"])).total_seconds() < 60


@pytest.mark.parametrize("change", [update(audit_sample).values(seed="x"), delete(audit_sample)])
def test_a_draw_is_neither_changed_nor_removed(
    there: Connection, begin: Callable, change: object
) -> None:
    drawn(there)
    with pytest.raises(UnavailableError), translated_errors(), begin(AUDITOR) as conn:
        conn.execute(change)


def test_removed_surveys_and_those_of_elsewhere_are_not_drawn_from(there: Connection) -> None:
    there.execute(update(survey).where(survey.c.enumerator == "Minh").values(removed=True))
    assert drawn(there)["strata"] == {"Lan": 5, "Nga": 5}
    assert drawn(there, "VN")["frame_size"] == 18
    with pytest.raises(RejectedError, match="only 5 surveys"):
        samples.draw(there, area(there, "00102"), Plan("random", 6), LAN)


def test_a_draw_that_is_refused_leaves_nothing(there: Connection) -> None:
    with pytest.raises(RejectedError):
        samples.draw(there, area(there, "00101"), Plan("stratified", 2, 1), LAN)
    for table in (audit_sample, audit_sample_item, revisit):
        assert there.scalar(select(func.count()).select_from(table)) == 0


def test_surveys_of_one_id_in_two_communes_are_both_in_the_frame(there: Connection) -> None:
    twin = there.scalar(select(survey.c.survey_id).where(survey.c.commune_code == "00101").limit(1))
    world.add_survey(there, world.add_household(there, "00102"), "00102", survey_id=str(twin))
    made = drawn(there, "01", Plan("random", 26))
    found = [key_of(item) for item in samples.items(there, made)]
    assert len(set(found)) == 26
    assert sample_proof.verify(there, made["sample_id"], log=True).whole


def test_draws_of_demo_data_go_with_it(there: Connection) -> None:
    there.execute(update(survey).values(demo=True))
    made = drawn(there)
    assert made["demo"]
    loading.remove(there)
    for table in (audit_sample, audit_sample_item, revisit):
        assert there.scalar(select(func.count()).select_from(table)) == 0


def test_who_draws_at_the_same_time_waits_and_gets_the_next_number(
    make_database: Callable[..., str], template_url: str
) -> None:
    made = unpooled(make_database(template_url))
    with made.begin() as conn:
        bind(conn, OPERATOR)
        world.build(conn)
        for _ in range(3):
            world.add_survey(conn, world.add_household(conn))
    with made.connect() as first, made.connect() as second:
        for conn in (first, second):
            conn.begin()
            bind(conn, OPERATOR)
        one = samples.draw(first, area(first, "00101"), Plan("random", 2), LAN)
        second.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(OperationalError), second.begin_nested():
            samples.draw(second, area(second, "00101"), Plan("random", 2), LAN)
        enter(first, "drawn", one)
        first.commit()
        other = drawn(second, plan=Plan("random", 2))
        assert (one["number"], other["number"]) == (1, 2)
        for sample in (one, other):
            assert sample_proof.verify(second, sample["sample_id"], log=True).problems == []


# ---- checking ----


def test_what_a_visit_found_is_kept_with_who_and_when(there: Connection) -> None:
    made = drawn(there)
    item = samples.items(there, made)[0]
    samples.record(there, made["sample_id"], key_of(item), "mismatch", " nhà\tkhác ", LAN, None)
    kept = samples.items(there, made)[0]
    assert (kept["outcome"], kept["note"], kept["checked_by_name"]) == (
        "mismatch",
        "nhà khác",
        "Lan",
    )
    assert kept["checked_at"] is not None
    ended = there.execute(select(revisit).where(revisit.c.withdrawn_at.is_not(None))).mappings()
    assert [(str(one["survey_id"]), one["withdrawn_by_name"]) for one in ended] == [
        (item["subject_id"], "Lan")
    ]
    listed = samples.listing(there, area(there, "01"))
    assert listed[0]["outcomes"] == {"match": 0, "mismatch": 1, "unreachable": 0}


def test_what_was_recorded_by_mistake_is_taken_back(there: Connection) -> None:
    made = drawn(there)
    item = samples.items(there, made)[0]
    samples.record(there, made["sample_id"], key_of(item), "match", "x", LAN, None)
    samples.record(there, made["sample_id"], key_of(item), None, "x", LAN, "match")
    kept = samples.items(there, made)[0]
    assert (kept["outcome"], kept["note"], kept["checked_by_name"], kept["checked_at"]) == (
        None, "", "", None,
    )  # fmt: skip
    assert there.scalar(select(func.count(revisit.c.withdrawn_at))) == 0


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"was": "match"}, ConflictError),
        ({"outcome": "perhaps"}, UsageError),
        ({"note": "x" * 501}, RejectedError),
        ({"key": ("01", "00101", "00000000-0000-4000-8000-00000000dead")}, NotFoundError),
        ({"key": ("01", "00101", "no uuid")}, NotFoundError),
        ({"key": ("02", "00101", None)}, NotFoundError),
        ({"sample_id": 10**9}, NotFoundError),
    ],
)
def test_what_cannot_be_recorded(there: Connection, changed: dict, error: type) -> None:
    made = drawn(there)
    item = samples.items(there, made)[0]
    given = {
        "sample_id": made["sample_id"], "key": key_of(item), "outcome": "match", "note": "",
        "by": LAN, "was": None, **changed,
    }  # fmt: skip
    given["key"] = (*given["key"][:2], given["key"][2] or item["subject_id"])
    with pytest.raises(error):
        samples.record(there, **given)


def test_only_within_one_s_areas_and_with_the_right_to_write(
    there: Connection, acting: Callable
) -> None:
    made, other = drawn(there), drawn(there, "00201", Plan("random", 2))
    item = samples.items(there, other)[0]
    with acting(AUDITOR) as conn:
        assert samples.get(conn, made["sample_id"])["number"] == 1
        assert [one["sample_id"] for one in samples.listing(conn, area(conn, "VN"))] == [
            made["sample_id"]
        ]
        assert samples.items(conn, other) == []
        for ask in (
            lambda: samples.get(conn, other["sample_id"]),
            lambda: samples.frame_text(conn, other["sample_id"]),
            lambda: samples.record(conn, other["sample_id"], key_of(item), "match", "", LAN, None),
        ):
            with pytest.raises(NotFoundError):
                ask()
    with acting(NOBODY) as conn:
        assert samples.listing(conn, area(conn, "VN")) == []


def test_who_works_in_a_commune_sees_the_frame_of_the_commune_only(
    there: Connection, acting: Callable
) -> None:
    with acting(Scope(communes=frozenset({"00102"}), write=True, action="audit.decide")) as conn:
        made = samples.draw(conn, area(conn, "00102"), Plan("random", 2), LAN)
        assert made["frame_size"] == 5
        assert [one.enumerator for one in samples.surveys_of(conn, area(conn, "01"))] == [
            "Oanh"
        ] * 5


# ---- estimating ----


def test_the_estimate_of_what_was_found(there: Connection) -> None:
    made = drawn(there)
    check_all(there, made, "match", "match", "match", "mismatch", "unreachable")
    listed = samples.items(there, made)
    found = samples.estimate(made, listed)
    assert (found.checked, found.mismatches, found.unreachable, found.waiting) == (4, 1, 1, 1)
    assert found.rate == 0.25
    assert (found.low, found.high) == estimates.interval(1, 4, 20)
    assert (found.least, found.most) == (
        estimates.interval(1, 5, 20)[0], estimates.interval(2, 5, 20)[1],
    )  # fmt: skip
    told = samples.of_each(made, listed)
    assert sum(one.checked for one in told) == 4
    assert {one.low for one in told} == {None}  # too few of each


def test_a_weighted_sample_tells_nothing_of_single_enumerators(there: Connection) -> None:
    made = drawn(there, plan=Plan("weighted", 6))
    assert samples.of_each(made, samples.items(there, made)) == []


def test_who_was_removed_unvisited_could_not_be_reached(there: Connection) -> None:
    made = drawn(there)
    items = samples.items(there, made)
    check_all(there, made, "mismatch")
    for item in items[:2]:
        key = ("01", item["household_code"], "00101")
        removing.remove(there, key, "Chủ hộ đề nghị", item["household_code"])
    kept = samples.items(there, made)
    assert sorted(item["removed"] for item in kept) == [False] * 4 + [True] * 2
    found = samples.estimate(made, kept)
    assert (found.checked, found.mismatches, found.unreachable, found.waiting) == (1, 1, 1, 4)
    gone = next(item for item in kept if item["removed"] and not item["outcome"])
    with pytest.raises(NotFoundError):
        samples.record(there, made["sample_id"], key_of(gone), "match", "", LAN, None)
    assert gone["head_name"] in (None, "") and items[0]["subject_id"] not in json.dumps(
        kept, default=str
    )


def test_who_moved_out_of_sight_could_not_be_reached(there: Connection, begin: Callable) -> None:
    made = drawn(there)
    item = samples.items(there, made)[0]
    move(there, {Move("01", "00101", item["household_code"], "00102")}, "address")
    assert len(samples.items(there, made)) == 6
    mine = Scope(communes=frozenset({"00101"}), write=True, action="audit.decide", account_id=7)
    with begin(mine) as conn:
        kept = samples.items(conn, made)
        assert len(kept) == 5
        found = samples.estimate(made, kept)
        assert (found.unreachable, found.waiting) == (1, 5)
        proof = sample_proof.verify(conn, made["sample_id"], log=False)
        assert proof.whole and (proof.unseen, proof.gone) == (1, 1)
    proof = sample_proof.verify(there, made["sample_id"], log=True)
    assert proof.whole and (proof.unseen, proof.gone) == (0, 1)


def test_no_household_is_named_by_a_frame(there: Connection) -> None:
    made = drawn(there, "VN")
    kept = samples.frame_text(there, made["sample_id"])
    ids = [str(one) for one in there.scalars(select(survey.c.survey_id))]
    assert not [one for one in ids if one in kept or one.replace("-", "") in kept]
    codes = there.scalars(select(household.c.household_code))
    assert not [code for code in codes if code in kept]
    assert scope.of(there) == OPERATOR
