"""Surveys into the database, each with its verdict and findings."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Select, any_, bindparam, select
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from geo import copying, scope
from geo.intake.batches import Batch
from geo.intake.export_forms import forms
from geo.intake.locating import (
    Home,
    compared_with,
    doubts,
    find_homes,
    findings,
    judged,
    move_households,
    settle,
    verdict_columns,
)
from geo.intake.session import Conflict, Intake
from geo.scope import Scope
from geo.tables import survey
from geo.verdicts.matching import Verdicts

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
    "sent_at",
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
    placed = all(home.commune_code for home in homes)
    shapes = intake.places.shapes if placed else intake.places.ready()
    # All that the database is asked is asked: it takes the batch before while this one is judged.
    with intake.loading():
        verdicts = judged(shapes, batch, candidates)
        settled = settle(intake.places, batch, homes, verdicts)
        rows = [] if settled else _rows(intake, batch, homes, candidates, verdicts)
    if settled:
        # Before the new surveys come in: these belong to the household in its new commune.
        moved = move_households(intake, settled)
        homes = [
            home._replace(commune_code=settled[key])
            if (key := (home.province_code, code)) in moved and not home.commune_code
            else home
            for home, code in zip(homes, batch.column("household_code"), strict=True)
        ]
        rows = _rows(intake, batch, homes, candidates, verdicts)
    intake.load_later(*rows)
    intake.report.added += len(batch)
    intake.count_verdicts(verdicts.verdict)


def _rows(
    intake: Intake,
    batch: Batch,
    homes: Sequence[Home],
    candidates: Sequence[tuple[str, ...]],
    verdicts: Verdicts,
) -> list[copying.Load]:
    """The surveys and their findings, made up to be stored."""
    provinces = [home.province_code for home in homes]
    communes = [home.commune_code for home in homes]
    ids = batch.column("survey_id")
    found = doubts("survey", list(zip(provinces, communes, ids, strict=True)), batch, verdicts)
    intake.added.surveys(
        list(zip(provinces, communes, strict=True)),
        batch.column("household_code"),
        list(verdicts.verdict),
        batch.column("surveyed_at"),
        batch.lon,
        batch.lat,
        list(zip(found["place"].tolist(), found["rule"].tolist(), strict=True)),
    )
    rows = copying.prepared(
        survey,
        {
            "province_code": provinces,
            "commune_code": communes,
            "candidates": [copying.array(codes) for codes in candidates],
            **{name: batch.column(name) for name in _AS_GIVEN},
            **copying.place(batch.lon, batch.lat),
            "as_sent": _as_sent(batch),
            **verdict_columns(intake, verdicts),
            **intake.bookkeeping(batch),
        },
    )
    return [rows, findings("survey", found, batch)]


def _as_sent(batch: Batch) -> list[str | None]:
    """As JSON what the device sent where that is no point that can be kept, see batches."""
    kept: list[str | None] = [None] * len(batch)
    names = ("lon", "lat", "accuracy_m", "crs")
    columns = [batch.column(name) for name in names]
    for i in np.flatnonzero(np.isnan(batch.lon)).tolist():
        sent = {name: column[i] for name, column in zip(names, columns, strict=True)}
        if sent["lon"] is not None:
            kept[i] = orjson.dumps(sent).decode()
    return kept


def _not_stored(intake: Intake, batch: Batch) -> Batch:
    """The surveys whose id is new; repeats are counted and contradictions kept aside."""
    found = intake.conn.execute(_stored_in(intake.scope), {"ids": batch.column("survey_id")})
    stored = {row.survey_id: row for row in found}
    as_exported = forms(intake, "surveys", batch)
    new, conflicts = [], []
    for i, survey_id in enumerate(batch.column("survey_id")):
        known = stored.get(survey_id)
        if known is None:
            new.append(i)
            continue
        key = (known.province_code, known.commune_code, survey_id)
        if batch.hashes[i] in (known.content_hash, as_exported.get(key)):
            intake.report.unchanged += 1
        else:
            reason = "a survey with this id and other content is stored"
            conflicts.append(Conflict(key, batch, i, reason))
    intake.keep_aside(conflicts)
    return batch.only(new)


@lru_cache(maxsize=200)
def _stored_in(within: Scope) -> Select[Any]:
    """The surveys of `ids`, the latest first; put together once a scope."""
    ids = as_type(bindparam("ids"), ARRAY(UUID(as_uuid=False)))
    return (
        select(
            survey.c.survey_id,
            survey.c.province_code,
            survey.c.commune_code,
            survey.c.content_hash,
        )
        .where(scope.rows_of(within, survey), survey.c.survey_id == any_(ids))
        .order_by(survey.c.received_at.desc())
    )
