"""Households into the database: placed in a commune, repeats recognised, statuses kept by year."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from geo import copying, personal_ids, scope
from geo.account_tables import record_change
from geo.accounts import sealing
from geo.intake import as_stored
from geo.intake.batches import Batch, canonical, fingerprint
from geo.intake.export_forms import forms
from geo.intake.placing import Place, not_your_commune, unknown_commune
from geo.intake.records import Household, Record
from geo.intake.session import Conflict, Intake, Key, one_of
from geo.tables import NO_COMMUNE, NO_PROVINCE, household, household_status
from geo.text import fold

_AS_GIVEN = (
    "head_name",
    "recorded_address",
    "village",
    "members",
    "ethnicity",
    "status",
    "status_year",
    "accuracy_m",
    "crs",
)


@dataclass(frozen=True)
class _Stored:
    province_code: str
    commune_code: str
    content_hash: str
    status: str | None
    status_year: int | None
    head_name: str

    def key(self, record: Record) -> Key:
        return self.province_code, self.commune_code, record.household_code


def store_households(intake: Intake, batch: Batch) -> None:
    """Store one batch: new ones are added, a later status updates, other changes are conflicts."""
    batch, places = _placed(intake, batch)
    keys = [
        (place.province_code, place.commune_code, record.household_code)
        for place, record in zip(places, batch.records, strict=True)
    ]
    keep = intake.first_of_each(batch, keys)
    batch, places = batch.only(keep), [places[i] for i in keep]
    new = _compared(intake, batch, places) if intake.may_repeat else list(range(len(batch)))
    batch, places = batch.only(new), [places[i] for i in new]
    if len(batch):
        _add(intake, batch, places)


def _placed(intake: Intake, batch: Batch) -> tuple[Batch, list[Place]]:
    """The records that can be placed, with their places."""
    found: list[Place] = []
    reasons: dict[int, str] = {}
    for i, record in enumerate(cast(list[Household], batch.records)):
        place = _place(intake, record)
        if isinstance(place, str):
            reasons[i] = place
        else:
            found.append(place)
    batch = intake.reject(batch, reasons)
    accuracy = np.array([r.accuracy_m or np.nan for r in batch.records], dtype=float)
    found = intake.places.by_points(found, batch.lon, batch.lat, accuracy)
    if not intake.scope.everything:
        batch, found = _covered(intake, batch, found)
    return _not_removed(intake, batch, found) if intake.removed else (batch, found)


def _covered(intake: Intake, batch: Batch, places: list[Place]) -> tuple[Batch, list[Place]]:
    """The records in the sender's areas. Why others are refused has nothing to do with what is
    stored, so that nobody learns that from it."""
    reasons: dict[int, str] = {}
    for i, place in enumerate(places):
        if intake.scope.covers(place.province_code, place.commune_code):
            continue
        said = cast(Household, batch.records[i]).commune_code
        reasons[i] = (
            not_your_commune(said)
            if said is not None and place.commune_code
            else "the address leads to no commune of your areas; give commune_code"
        )
    return intake.reject(batch, reasons), [p for i, p in enumerate(places) if i not in reasons]


def _not_removed(intake: Intake, batch: Batch, places: list[Place]) -> tuple[Batch, list[Place]]:
    """The records of households that were not removed at a person's request."""
    reasons: dict[int, str] = {}
    prints = sealing.fingerprints(personal_ids.code_text(r.household_code) for r in batch.records)
    for i, (code_print, place) in enumerate(zip(prints, places, strict=True)):
        if any(_same_place(was, place) for was in intake.removed.get(code_print, ())):
            reasons[i] = "household_code: this household was removed at the person's request"
    return intake.reject(batch, reasons), [p for i, p in enumerate(places) if i not in reasons]


def _place(intake: Intake, record: Household) -> Place | str:
    """Where a household belongs, or the reason why its row contradicts itself."""
    places, said = intake.places, record.province_code
    if said is not None and said not in places.provinces:
        return f"province_code: “{said}” is not a present province"
    if record.commune_code is not None:
        place = places.of_code(record.commune_code)
        if place is None:
            return unknown_commune(record.commune_code)
        if not place.commune_code:
            place = places.narrowed(place, record.recorded_address)
    else:
        place = places.of_address(record.recorded_address, said)
    if said is not None and place.province_code not in (said, NO_PROVINCE):
        return (
            f"province_code: “{said}” contradicts the commune, which is in province "
            f"{place.province_code}"
        )
    return place


def _compared(intake: Intake, batch: Batch, places: list[Place]) -> list[int]:
    """The indices of households that are not stored yet; the others are counted or updated."""
    stored = _stored(intake, [record.household_code for record in batch.records])
    as_exported = forms(intake, "households", batch)
    new: list[int] = []
    later: list[tuple[int, _Stored]] = []
    conflicts: list[Conflict] = []
    for i, (record, place) in enumerate(zip(batch.records, places, strict=True)):
        known = stored.get(record.household_code, [])
        same_place = sorted((s for s in known if _may_be_same(s, record, place)), key=_best(place))
        form = {s.key(record): as_exported.get(s.key(record)) for s in known}
        if any(batch.hashes[i] in (s.content_hash, form[s.key(record)]) for s in known):
            intake.report.unchanged += 1
        elif not same_place:
            new.append(i)
        elif not _only_status_differs(batch, i, same_place[0], form[same_place[0].key(record)]):
            elsewhere = same_place[0].commune_code not in (place.commune_code, NO_COMMUNE)
            reason = (
                f"a household with this code and head is stored in commune "
                f"{same_place[0].commune_code}"
                if elsewhere and place.commune_code
                else "the household is stored with other content"
            )
            conflicts.append(Conflict(same_place[0].key(record), batch, i, reason))
        else:
            later.append((i, same_place[0]))
    conflicts += _renew_status(intake, batch, later)
    intake.keep_aside(conflicts)
    return new


def _may_be_same(stored: _Stored, record: Record, found: Place) -> bool:
    """Whether a row may be a household that the sender sees: of its place, or of the province with
    the same head. The latter has moved or was given another commune: adding it would count it
    twice."""
    if _same_place((stored.province_code, stored.commune_code), found):
        return True
    head = fold(cast(Household, record).head_name)
    return stored.province_code == found.province_code and fold(stored.head_name) == head


def _same_place(stored: tuple[str, str], found: Place) -> bool:
    """Whether a household of one code here and there is the same: in its commune, unless one of
    the two is not placed yet."""
    provinces, communes = zip(stored, (found.province_code, found.commune_code), strict=True)
    return (NO_PROVINCE in provinces or len(set(provinces)) == 1) and (
        NO_COMMUNE in communes or len(set(communes)) == 1
    )


def _best(place: Place) -> Callable[[_Stored], tuple[bool, str, str]]:
    """Sorts the household of the row's own commune first."""
    return lambda one: (
        one.commune_code != place.commune_code,
        one.province_code,
        one.commune_code,
    )


def _only_status_differs(batch: Batch, i: int, stored: _Stored, form: str | None) -> bool:
    """form: the fingerprint of the stored one's export, where the row is of one."""
    as_before = canonical(batch.records[i], status=stored.status, status_year=stored.status_year)
    return fingerprint(as_before) in (stored.content_hash, form)


def _stored(intake: Intake, codes: list[str]) -> dict[str, list[_Stored]]:
    found = intake.conn.execute(
        select(
            household.c.household_code,
            household.c.province_code,
            household.c.commune_code,
            household.c.content_hash,
            household.c.status,
            household.c.status_year,
            household.c.head_name,
        ).where(scope.within(intake.conn, household), household.c.household_code == one_of(codes))
    )
    stored: dict[str, list[_Stored]] = {}
    for code, *rest in found:
        stored.setdefault(code, []).append(_Stored(*rest))
    return stored


def _renew_status(intake: Intake, batch: Batch, later: list[tuple[int, _Stored]]) -> list[Conflict]:
    """Store newer statuses; an older one must be in the history, else it is a conflict."""
    conflicts = []
    updates: list[tuple[int, _Stored]] = []
    corrected = _corrected(intake, [batch.records[i].household_code for i, _stored in later])
    for i, stored in later:
        record = cast(Household, batch.records[i])
        if (*stored.key(record), record.status_year) in corrected:
            reason = f"the status of {record.status_year} was corrected, to another one"
            conflicts.append(Conflict(stored.key(record), batch, i, reason))
        elif record.status and (record.status_year or 0) >= (stored.status_year or 0):
            updates.append((i, stored))
        elif _in_history(intake, stored, record):
            intake.report.unchanged += 1
        else:
            reason = f"a status of {stored.status_year} is stored, later than this one"
            conflicts.append(Conflict(stored.key(record), batch, i, reason))
    if updates:
        _update_status(intake, batch, updates)
    return conflicts


def _corrected(intake: Intake, codes: list[str]) -> set[tuple[str, str, str, int | None]]:
    """The households, with the years whose status somebody corrected by hand."""
    if not codes:
        return set()
    change = record_change.c
    found = intake.conn.execute(
        select(
            change.province_code, change.commune_code, change.subject_id, change.new_value
        ).where(
            scope.within(intake.conn, record_change),
            change.subject == "household",
            change.field == "status",
            change.subject_id == one_of(codes),
        )
    )
    return {(*key, value["year"]) for *key, value in found if value}


def _in_history(intake: Intake, stored: _Stored, record: Household) -> bool:
    return (
        intake.conn.execute(
            select(household_status.c.year).where(
                household_status.c.province_code == stored.province_code,
                household_status.c.commune_code == stored.commune_code,
                household_status.c.household_code == record.household_code,
                household_status.c.year == record.status_year,
                household_status.c.status == record.status,
            )
        ).first()
        is not None
    )


def _update_status(intake: Intake, batch: Batch, updates: list[tuple[int, _Stored]]) -> None:
    records = [cast(Household, batch.records[i]) for i, _stored in updates]
    copying.update(
        intake.conn,
        household,
        ("province_code", "commune_code", "household_code"),
        {
            "province_code": [stored.province_code for _i, stored in updates],
            "commune_code": [stored.commune_code for _i, stored in updates],
            "household_code": [record.household_code for record in records],
            "status": [record.status for record in records],
            "status_year": [record.status_year for record in records],
            "content_hash": _hashes(intake, batch, updates),
        },
    )
    history = [
        {
            "province_code": stored.province_code,
            "commune_code": stored.commune_code,
            "household_code": record.household_code,
            "year": record.status_year,
            "status": record.status,
        }
        for record, (_i, stored) in zip(records, updates, strict=True)
        if record.status_year is not None
    ]
    if history:
        statement = insert(household_status)
        renewed = {"status": statement.excluded.status}
        intake.conn.execute(
            statement.on_conflict_do_update(constraint="household_status_pk", set_=renewed),
            history,
        )
    intake.report.updated += len(updates)
    intake.communes |= {(stored.province_code, stored.commune_code) for _i, stored in updates}


def _hashes(intake: Intake, batch: Batch, updates: list[tuple[int, _Stored]]) -> list[str]:
    """The fingerprints of the updated content: of the row, or of what an export says less of."""
    hashes = [batch.hashes[i] for i, _stored in updates]
    exported = [n for n, (i, _stored) in enumerate(updates) if batch.exported[i]]
    if not exported:
        return hashes
    codes = [batch.records[updates[n][0]].household_code for n in exported]
    found = intake.conn.execute(
        select(*as_stored.COLUMNS).where(
            scope.within(intake.conn, household), household.c.household_code == one_of(codes)
        )
    ).mappings()
    rows = {(r["province_code"], r["commune_code"], r["household_code"]): r for r in found}
    for n in exported:
        i, stored = updates[n]
        record = cast(Household, batch.records[i])
        row = rows[stored.key(record)]
        before = as_stored.record(row)
        after = before.model_copy(
            update={"status": record.status, "status_year": record.status_year}
        )
        hashes[n] = fingerprint(canonical(after, **as_stored.given(before, row)))
    return hashes


def _add(intake: Intake, batch: Batch, places: list[Place]) -> None:
    records = cast(list[Household], batch.records)
    provinces = [place.province_code for place in places]
    communes = [place.commune_code for place in places]
    codes = [record.household_code for record in records]
    ids = [record.national_id for record in records]
    if any(ids):
        sealing.check_keys(intake.conn)
    copying.copy(
        intake.conn,
        household,
        {
            "province_code": provinces,
            "commune_code": communes,
            "household_code": codes,
            "candidates": [copying.array(place.candidates) for place in places],
            "placed_by": [place.placed_by for place in places],
            "recorded_area_id": [place.area_id for place in places],
            "address_confidence": [place.confidence for place in places],
            **{name: [getattr(record, name) for record in records] for name in _AS_GIVEN},
            **personal_ids.columns(ids, provinces, codes),
            "causes": [copying.array(record.causes) for record in records],
            "search_key": [search_key(record) for record in records],
            **copying.place(batch.lon, batch.lat),
            **intake.bookkeeping(batch),
        },
    )
    dated = [i for i, r in enumerate(records) if r.status and r.status_year is not None]
    copying.copy(
        intake.conn,
        household_status,
        {
            "province_code": [provinces[i] for i in dated],
            "commune_code": [communes[i] for i in dated],
            "household_code": [codes[i] for i in dated],
            "year": [records[i].status_year for i in dated],
            "status": [records[i].status for i in dated],
        },
    )
    intake.report.added += len(batch)
    pairs = list(zip(provinces, communes, strict=True))
    intake.added.households(pairs, [r.status for r in records], batch.lon, batch.lat)


def search_key(record: Household) -> str:
    """What a search for a household compares its words with."""
    parts = (record.household_code, record.head_name, record.village, record.recorded_address)
    return fold(" ".join(part for part in parts if part))
