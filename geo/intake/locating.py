"""What surveys and sites share: their household, the communes they are compared with, verdicts."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import Select, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from geo import cells, copying, moving, scope
from geo.audit import applying
from geo.config import settings
from geo.intake.batches import Batch
from geo.intake.placing import Places, not_your_commune, unknown_commune, unsure
from geo.intake.session import Intake, Key
from geo.moving import Move
from geo.rules import Context, location
from geo.scope import Scope
from geo.tables import NO_COMMUNE, finding, household
from geo.verdicts.matching import INSIDE, AreaShapes, Recorded, Verdicts, judge

_NO_DOUBTS = pd.DataFrame(columns=["key", *applying.COLUMNS, "place"])


class Home(NamedTuple):
    """The household that a survey or site belongs to; candidates while its commune is open.

    sure: whether its address was read surely, so that a point outside all candidates is a finding.
    """

    province_code: str
    commune_code: str
    candidates: tuple[str, ...]
    sure: bool = True

    def compared(self) -> tuple[str, ...]:
        """The communes that its points are compared with."""
        if self.commune_code:
            return (self.commune_code,)
        return self.candidates if self.sure else unsure(self.candidates)


def find_homes(intake: Intake, batch: Batch) -> tuple[Batch, list[Home]]:
    """The records whose household is stored, with it; the others are refused."""
    stored = _stored_homes(intake, batch.column("household_code"))
    found: list[Home] = []
    reasons: dict[int, str] = {}
    wanted = zip(
        batch.column("household_code"),
        batch.column("province_code"),
        batch.column("commune_code"),
        strict=True,
    )
    for i, (code, province, commune) in enumerate(wanted):
        homes = stored.get(code, [])
        if commune is not None:
            reason, homes = _of_commune(intake, commune, homes)
            if reason:
                reasons[i] = reason
                continue
        if province is not None:
            homes = [home for home in homes if home.province_code == province]
        if len(homes) == 1:
            found.append(homes[0])
        else:
            reasons[i] = _not_one(code, province, commune, homes)
    return intake.reject(batch, reasons), found


def _stored_homes(intake: Intake, codes: Sequence[str]) -> dict[str, list[Home]]:
    """The households of these codes that the sender may see."""
    found = intake.conn.execute(_homes_in(intake.scope), {"codes": list(set(codes))})
    homes: dict[str, list[Home]] = {}
    limit = settings().address_confidence
    for code, province, commune, candidates, confidence in found:
        sure = confidence is None or confidence >= limit
        home = Home(province, commune, tuple(candidates) if candidates else (), sure)
        homes[code] = [*homes[code], home] if code in homes else [home]
    return homes


@lru_cache(maxsize=200)
def _homes_in(within: Scope) -> Select[Any]:
    """The households of `codes`; put together once a scope, as surveys come one by one."""
    return select(
        household.c.household_code,
        household.c.province_code,
        household.c.commune_code,
        func.nullif(household.c.candidates, "{}"),
        household.c.address_confidence,
    ).where(
        scope.rows_of(within, household),
        household.c.household_code == any_(bindparam("codes", type_=ARRAY(Text))),
    )


def _of_commune(intake: Intake, code: str, homes: Sequence[Home]) -> tuple[str | None, list[Home]]:
    """Why a row's commune code cannot be taken; else the homes in it, or that may be in it."""
    place = intake.places.of_code(code)
    if place is None:
        return unknown_commune(code), []
    present = (place.commune_code,) if place.commune_code else place.candidates
    if not any(intake.scope.covers(intake.places.province_of(one), one) for one in present):
        return not_your_commune(code), []
    there = [home for home in homes if home.commune_code in present]
    return None, there or [home for home in homes if set(present) & set(home.candidates)]


def _not_one(code: str, province: str | None, commune: str | None, homes: Sequence[Home]) -> str:
    provinces = sorted({home.province_code for home in homes})
    if len(provinces) > 1:
        return (
            f"household_code: “{code}” exists in the provinces {', '.join(provinces)}; add the "
            "column province_code"
        )
    if homes:
        communes = ", ".join(sorted(home.commune_code or "''" for home in homes))
        return (
            f"household_code: “{code}” exists in the communes {communes}; add the column "
            "commune_code"
        )
    where = f" in province {province}" if province else ""
    where = f" in commune {commune}" if commune else where
    return f"household_code: there is no household “{code}”{where}; import the households first"


def compared_with(intake: Intake, batch: Batch, homes: Sequence[Home]) -> list[tuple[str, ...]]:
    """The communes that each record is compared with: its own address's, else its household's."""
    result = []
    limit = settings().address_confidence
    for own, home in zip(batch.column("recorded_address"), homes, strict=True):
        communes = home.compared()
        if own:
            place = intake.places.of_address(own)
            said = (place.commune_code,) if place.commune_code else place.candidates
            if place.commune_code or (said and (place.confidence or 0.0) >= limit):
                communes = said
            elif said:
                # One that is read unsurely takes nothing from what the household is known to be.
                known = home.commune_code or (home.candidates and home.sure)
                communes = (*communes, *said) if known else unsure((*home.candidates, *said))
        result.append(communes)
    return result


def accuracies(batch: Batch) -> np.ndarray:
    """The reported accuracies in metres, NaN where there is none."""
    return np.array(batch.column("accuracy_m"), dtype=float)  # None becomes NaN


def judged(shapes: AreaShapes, batch: Batch, candidates: Sequence[Sequence[str]]) -> Verdicts:
    """The verdicts of a batch's points against these communes."""
    if all(len(codes) == 1 for codes in candidates):
        recorded = Recorded.single(np.array([codes[0] for codes in candidates], dtype=object))
    else:
        recorded = Recorded.lists(candidates)
    return judge(
        shapes,
        batch.lon,
        batch.lat,
        accuracies(batch),
        recorded,
        settings(),
    )


def verdict_columns(intake: Intake, verdicts: Verdicts) -> dict[str, list[object]]:
    """The columns in which a verdict is kept."""
    versions = verdicts.boundary_version.tolist()
    return {
        "verdict": list(verdicts.verdict),
        "probability": copying.floats(verdicts.probability),
        "distance_m": copying.floats(verdicts.distance_m),
        "accuracy_used_m": copying.floats(verdicts.accuracy_used_m),
        "boundary_accuracy_m": copying.floats(verdicts.boundary_accuracy_m),
        "recorded_code": list(verdicts.recorded_code),
        "located_code": list(verdicts.located_code),
        "boundary_version": [version or None for version in versions],
        "judged_at": [intake.started_at.isoformat()] * len(versions),
    }


def doubts(subject: str, keys: Sequence[Key], batch: Batch, verdicts: Verdicts) -> pd.DataFrame:
    """What the rules find in a batch, one key a row: as geo.audit.applying, with `place`, the
    row's in the batch."""
    mocked = np.array([bool(told) for told in batch.column("mock_location")], dtype=bool)
    point = (batch.lon, batch.lat, accuracies(batch))
    if location.beyond_doubt(verdicts.verdict, *point, mocked, settings()).all():
        return _NO_DOUBTS  # as nearly always where one survey is sent: no table is made up for it
    frame = verdicts.frame()
    frame["key"] = [key for _province, _commune, key in keys]
    frame["province_code"] = [province for province, _commune, _key in keys]
    frame["commune_code"] = [commune for _province, commune, _key in keys]
    frame["lon"], frame["lat"], frame["accuracy_m"] = point
    frame["mock_location"] = batch.column("mock_location")
    found = applying.findings_of(frame, Context(settings()), subject, "key", alone=True)
    places = {key: place for place, key in enumerate(keys)}
    whose = zip(found["province_code"], found["commune_code"], found["key"], strict=True)
    return found.assign(place=[places[key] for key in whose])


def findings(subject: str, found: pd.DataFrame, batch: Batch) -> copying.Load:
    """What the rules found in a batch, to be stored."""
    if found.empty:
        return copying.prepared(finding, {})
    places = found["place"].to_numpy(int)
    return copying.prepared(
        finding,
        {
            "province_code": found["province_code"].tolist(),
            "commune_code": found["commune_code"].tolist(),
            "subject": [subject] * len(found),
            "subject_id": found["key"].tolist(),
            "rule": found["rule"].tolist(),
            "severity": found["severity"].tolist(),
            "cell": cells.stored(batch.lon[places], batch.lat[places]),
            "evidence": [orjson.dumps(evidence).decode() for evidence in found["evidence"]],
        },
    )


def settle(
    places: Places, batch: Batch, homes: Sequence[Home], verdicts: Verdicts
) -> dict[tuple[str, str], str]:
    """Households without a commune whose candidate a point inside decides: key → commune.

    Only a candidate in the household's own province can be taken: the province is in its key.
    """
    settled: dict[tuple[str, str], str] = {}
    if all(home.commune_code for home in homes):
        return settled
    for household_code, home, verdict, code in zip(
        batch.column("household_code"),
        homes,
        verdicts.verdict,
        verdicts.recorded_code,
        strict=True,
    ):
        undecided = home.commune_code == NO_COMMUNE and code in home.candidates
        same_province = undecided and places.province_of(code) == home.province_code
        if same_province and verdict == INSIDE:
            settled.setdefault((home.province_code, household_code), code)
    return settled


def move_households(intake: Intake, settled: dict[tuple[str, str], str]) -> set[tuple[str, str]]:
    """Give settled households, and what is stored of theirs, their commune; which ones got it."""
    moves = [
        Move(province, NO_COMMUNE, code, commune) for (province, code), commune in settled.items()
    ]
    moved = moving.move(intake.conn, moves, placed_by="survey")
    for one in moved:
        intake.communes |= {(one.province_code, NO_COMMUNE), (one.province_code, one.to_commune)}
    return {(one.province_code, one.household_code) for one in moved}
