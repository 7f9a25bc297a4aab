"""Surveys into the database, each with its verdict and findings."""

from collections.abc import Sequence

from sqlalchemy import any_, select
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from geo import copying
from geo.intake.batches import Batch
from geo.intake.locating import (
    compared_with,
    find_homes,
    findings,
    judged,
    move_households,
    settle,
    verdict_columns,
)
from geo.intake.session import Intake
from geo.tables import survey

_AS_GIVEN = (
    "survey_id",
    "household_code",
    "surveyed_at",
    "enumerator",
    "recorded_address",
    "mock_location",
    "device_id",
    "altitude_m",
    "satellites",
    "photo",
    "accuracy_m",
    "crs",
)


def store_surveys(intake: Intake, batch: Batch) -> None:
    """Store one batch: a known id with the same content is a repeat, with other a conflict."""
    batch = batch.only(intake.first_of_each(batch, batch.column("survey_id")))
    if intake.may_repeat:
        batch = _not_stored(intake, batch)
    batch, homes = find_homes(intake, batch)
    if not len(batch):
        return
    candidates = compared_with(intake, batch, homes)
    shapes = intake.places.ready()
    # All that the database is asked is asked: it takes the batch before while this one is judged.
    with intake.loading():
        verdicts = judged(shapes, batch, candidates)
        settled = settle(intake.places, batch, homes, verdicts)
        communes = [
            home.commune_code or settled.get((home.province_code, household), "")
            for home, household in zip(homes, batch.column("household_code"), strict=True)
        ]
        provinces = [home.province_code for home in homes]
        keys = list(zip(provinces, batch.column("survey_id"), strict=True))
        rows = copying.prepared(
            survey,
            {
                "province_code": provinces,
                "commune_code": communes,
                "candidates": [copying.array(codes) for codes in candidates],
                **_columns(batch),
                **verdict_columns(intake, verdicts),
                **intake.bookkeeping(batch),
            },
        )
        found = findings("survey", keys, batch, verdicts)
    intake.load_later(rows, found)
    if settled:
        intake.load_now()
        move_households(intake, settled)
    intake.report.added += len(batch)
    intake.count_verdicts(verdicts.verdict)
    intake.communes |= set(zip(provinces, communes, strict=True))


def _columns(batch: Batch) -> dict[str, Sequence[object]]:
    given = {name: batch.column(name) for name in _AS_GIVEN}
    return {**given, "geom": copying.points(batch.lon, batch.lat)}


def _not_stored(intake: Intake, batch: Batch) -> Batch:
    """The surveys whose id is new; repeats are counted and contradictions kept aside."""
    ids = as_type(batch.column("survey_id"), ARRAY(UUID(as_uuid=False)))
    found = intake.conn.execute(
        select(survey.c.survey_id, survey.c.province_code, survey.c.content_hash).where(
            survey.c.survey_id == any_(ids)
        )
    )
    stored = {row.survey_id: row for row in found}
    new, conflicts = [], []
    for i, survey_id in enumerate(batch.column("survey_id")):
        known = stored.get(survey_id)
        if known is None:
            new.append(i)
        elif known.content_hash == batch.hashes[i]:
            intake.report.unchanged += 1
        else:
            reason = "a survey with this id and other content is stored"
            conflicts.append((known.province_code, survey_id, batch, i, reason))
    intake.keep_aside(conflicts)
    return batch.only(new)
