"""Rebuild sites into the database: added with a verdict, then moved forward stage by stage."""

from typing import cast

from sqlalchemy import ColumnElement, Row, Table, delete, select, tuple_

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
    verdict_columns,
)
from geo.intake.records import Site
from geo.intake.session import Conflict, Intake, Key, one_of
from geo.tables import STAGES, finding, site, site_stage

_AS_GIVEN = (
    "household_code",
    "kind",
    "stream",
    "eligible",
    "approved_on",
    "due_on",
    "stage",
    "stage_on",
    "cost_planned",
    "cost_paid",
    "recorded_address",
    "accuracy_m",
    "crs",
)


def store_sites(intake: Intake, batch: Batch) -> None:
    """Store one batch: a site that moved forward is updated, one that moved back a conflict."""
    batch, homes = find_homes(intake, batch)
    keys = [
        (home.province_code, home.commune_code, _code(record))
        for home, record in zip(homes, batch.records, strict=True)
    ]
    keep = intake.first_of_each(batch, keys)
    batch, homes, keys = batch.only(keep), [homes[i] for i in keep], [keys[i] for i in keep]
    stored = _stored(intake, keys) if intake.may_repeat and keys else {}
    added = [i for i, key in enumerate(keys) if key not in stored]
    moved = _forward(intake, batch, keys, stored)
    if added:
        _write(intake, batch.only(added), [homes[i] for i in added], new=True)
        intake.report.added += len(added)
    if moved:
        _write(intake, batch.only(moved), [homes[i] for i in moved], new=False)
        intake.report.updated += len(moved)


def _code(record: object) -> str:
    return cast(Site, record).site_code


def _stored(intake: Intake, keys: list[Key]) -> dict[Key, Row]:
    found = intake.conn.execute(
        select(
            site.c.province_code,
            site.c.commune_code,
            site.c.site_code,
            site.c.household_code,
            site.c.kind,
            site.c.stage,
            site.c.stage_on,
            site.c.content_hash,
        ).where(scope.within(intake.conn, site), *_among(site, keys))
    )
    return {(row.province_code, row.commune_code, row.site_code): row for row in found}


def _among(table: Table, keys: list[Key]) -> list[ColumnElement[bool]]:
    """Conditions that hold for the keys, and maybe for others that are mixed of their parts."""
    names = ("province_code", "commune_code", "site_code")
    parts = zip(names, zip(*keys, strict=True), strict=True)
    return [table.c[name] == one_of(set(values)) for name, values in parts]


def _forward(intake: Intake, batch: Batch, keys: list[Key], stored: dict[Key, Row]) -> list[int]:
    """The indices of known sites with news; repeats are counted, contradictions kept aside."""
    moved: list[int] = []
    conflicts: list[Conflict] = []
    as_exported = forms(intake, "sites", batch) if stored else {}
    for i, key in enumerate(keys):
        known = stored.get(key)
        if known is None:
            continue
        record = cast(Site, batch.records[i])
        same = batch.hashes[i] in (known.content_hash, as_exported.get(key))
        if same or _reported_before(intake, key, record, known):
            intake.report.unchanged += 1
        elif reason := _contradiction(record, known):
            conflicts.append(Conflict(key, batch, i, reason))
        else:
            moved.append(i)
    intake.keep_aside(conflicts)
    return moved


def _contradiction(record: Site, known: Row) -> str | None:
    if record.household_code != known.household_code:
        return f"the site belongs to the household {known.household_code}"
    if record.kind != known.kind:
        return f"the site is stored as {known.kind}"
    if STAGES.index(record.stage) < STAGES.index(known.stage):
        return f"the site has reached {known.stage}; {record.stage} lies before it"
    if known.stage_on and record.stage_on and record.stage_on < known.stage_on:
        return f"the stage is dated {known.stage_on}, later than {record.stage_on}"
    return None


def _reported_before(intake: Intake, key: Key, record: Site, known: Row) -> bool:
    """Whether an earlier file with an earlier stage comes again."""
    if record.stage == known.stage or record.household_code != known.household_code:
        return False
    return (
        intake.conn.execute(
            select(site_stage.c.stage).where(
                site_stage.c.province_code == key[0],
                site_stage.c.commune_code == key[1],
                site_stage.c.site_code == key[2],
                site_stage.c.stage == record.stage,
                site_stage.c.stage_on.is_not_distinct_from(record.stage_on),
            )
        ).first()
        is not None
    )


def _write(intake: Intake, batch: Batch, homes: list[Home], new: bool) -> None:
    records = cast(list[Site], batch.records)
    provinces = [home.province_code for home in homes]
    codes = [record.site_code for record in records]
    communes = [home.commune_code for home in homes]
    keys = list(zip(provinces, communes, codes, strict=True))
    candidates = compared_with(intake, batch, homes)
    verdicts = judged(intake.places.shapes, batch, candidates)
    columns = {
        "province_code": provinces,
        "commune_code": communes,
        "site_code": codes,
        "candidates": [copying.array(each) for each in candidates],
        **{name: [getattr(record, name) for record in records] for name in _AS_GIVEN},
        **copying.place(batch.lon, batch.lat),
        **verdict_columns(intake, verdicts),
        **intake.bookkeeping(batch),
    }
    if new:
        copying.copy(intake.conn, site, columns)
    else:
        identity = ("province_code", "commune_code", "site_code")
        copying.update(intake.conn, site, identity, columns)
        intake.conn.execute(
            delete(finding).where(
                finding.c.subject == "site",
                finding.c.state == "open",
                tuple_(finding.c.province_code, finding.c.commune_code, finding.c.subject_id).in_(
                    keys
                ),
            )
        )
    found = doubts("site", keys, batch, verdicts)
    findings("site", found, batch)(intake.conn)
    _store_stages(intake, batch, homes)
    intake.count_verdicts(verdicts.verdict)
    pairs = list(zip(provinces, communes, strict=True))
    if new:
        hits = list(zip(found["place"].tolist(), found["rule"].tolist(), strict=True))
        intake.added.sites(pairs, records, list(verdicts.verdict), batch.lon, batch.lat, hits)
    else:
        intake.communes |= set(pairs)


def _store_stages(intake: Intake, batch: Batch, homes: list[Home]) -> None:
    """Keep what was reported of each stage, with the point that came with this report."""
    records = cast(list[Site], batch.records)
    copying.copy(
        intake.conn,
        site_stage,
        {
            "province_code": [home.province_code for home in homes],
            "commune_code": [home.commune_code for home in homes],
            "site_code": [record.site_code for record in records],
            "reported_at": [intake.started_at] * len(records),
            "stage": [record.stage for record in records],
            "stage_on": [record.stage_on for record in records],
            "lon": copying.floats(batch.lon),
            "lat": copying.floats(batch.lat),
            "accuracy_m": [record.accuracy_m for record in records],
        },
    )
