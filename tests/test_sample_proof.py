"""A sample is proved from its seed, its frame and the log; tampering is found, change is not."""

import pytest
from sqlalchemy import Connection, delete, select, text, update

from geo.audit import sample_proof, samples
from geo.audit.sampling import Plan
from geo.errors import NotFoundError
from geo.persons import removing
from geo.tables import survey
from tests import records_world as world
from tests.samples_world import LAN, RANDOM, area, build, drawn, enter


@pytest.fixture
def there(conn: Connection) -> Connection:
    return build(conn)


@pytest.mark.parametrize("plan", [RANDOM, Plan("stratified", 8, 2), Plan("weighted", 6)])
def test_an_honest_draw_is_proved(there: Connection, plan: Plan) -> None:
    made = drawn(there, "01", plan)
    proof = sample_proof.verify(there, made["sample_id"], log=True)
    assert proof.problems == [] and proof.whole and proof.frame_is_the_same


def test_changes_since_are_told_and_are_no_fault(there: Connection) -> None:
    made = drawn(there)
    ids = there.scalars(select(survey.c.survey_id).where(survey.c.commune_code == "00101")).all()
    drawn_ids = {item["subject_id"] for item in samples.items(there, made)}
    others = [one for one in map(str, ids) if one not in drawn_ids]
    for _ in range(3):
        world.add_survey(there, world.add_household(there))
    there.execute(delete(survey).where(survey.c.survey_id.in_(others[:2])))
    there.execute(update(survey).where(survey.c.survey_id == others[2]).values(enumerator="Ai"))
    proof = sample_proof.verify(there, made["sample_id"], log=True)
    assert proof.whole and not proof.frame_is_the_same
    assert (proof.added, proof.gone, proof.changed, proof.removed) == (3, 2, 1, 0)


def test_who_was_removed_since_leaves_the_proof_whole(there: Connection) -> None:
    made = drawn(there)
    item = samples.items(there, made)[0]
    removing.remove(
        there, ("01", item["household_code"], "00101"), "Chủ hộ đề nghị", item["household_code"]
    )
    proof = sample_proof.verify(there, made["sample_id"], log=True)
    assert proof.whole and (proof.removed, proof.gone) == (1, 1)


TAMPERED = {
    "another seed": ("UPDATE audit_sample SET seed = repeat('0', 64)", "the seed is not"),
    "another basis": (
        "UPDATE audit_sample SET seed_basis = replace(seed_basis, 'number 1', 'number 2'), "
        "seed = encode(sha256(replace(seed_basis, 'number 1', 'number 2')::bytea), 'hex')",
        "tells another number",
    ),
    "another size": ("UPDATE audit_sample SET size = 5", "tells another size"),
    "another entry": (
        "UPDATE audit_sample SET seed_basis = replace(seed_basis, 'entry 1', 'entry 2')",
        "entry 2 of the access log has another hash",
    ),
    "a survey put in": (
        "UPDATE audit_sample_item SET subject_id = gen_random_uuid()::text "
        "WHERE subject_id = (SELECT min(subject_id) FROM audit_sample_item)",
        "does not come up",
    ),
    "a survey taken out": (
        "DELETE FROM audit_sample_item "
        "WHERE subject_id = (SELECT min(subject_id) FROM audit_sample_item)",
        "1 surveys come up",
    ),
    "another chance": ("UPDATE audit_sample_item SET inclusion = 0.9", "does not come up"),
    "another stratum": ("UPDATE audit_sample_item SET stratum = 'x'", "does not come up"),
    "another digest": ("UPDATE audit_sample SET frame_sha256 = repeat('0', 64)", "frame is not"),
    "other strata": ("UPDATE audit_sample SET strata = '{}'", "surveys and strata"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found(there: Connection, what: str) -> None:
    made = drawn(there)
    statement, said = TAMPERED[what]
    there.execute(text(statement))
    problems = sample_proof.verify(there, made["sample_id"], log=True).problems
    assert any(said in problem for problem in problems), problems


def test_a_draw_that_left_no_entry_of_its_own_is_found(there: Connection) -> None:
    made = samples.draw(there, area(there, "00101"), RANDOM, LAN)
    assert sample_proof.verify(there, made["sample_id"], log=False).whole
    problems = sample_proof.verify(there, made["sample_id"], log=True).problems
    assert problems == ["entry 2 of the access log is not that of this draw"]
    enter(there, "something else")
    assert sample_proof.verify(there, made["sample_id"], log=True).problems == problems


def test_a_sample_that_is_not_there_cannot_be_proved(there: Connection) -> None:
    with pytest.raises(NotFoundError):
        sample_proof.verify(there, 10**9, log=True)
