"""What surveys and sites share: their household, the communes they are compared with, verdicts."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import Table

from geo import copying
from geo.config import settings
from geo.intake.batches import Batch
from geo.intake.placing import Places
from geo.intake.session import Intake
from geo.tables import NO_COMMUNE, finding, household, site, survey
from geo.verdicts import audit
from geo.verdicts.matching import INSIDE, AreaShapes, Recorded, Verdicts, judge


class Home(NamedTuple):
    """The household that a survey or site belongs to; candidates while its commune is open."""

    province_code: str
    commune_code: str
    candidates: tuple[str, ...]


def find_homes(intake: Intake, batch: Batch) -> tuple[Batch, list[Home]]:
    """The records whose household is stored, with it; the others are refused."""
    wanted = batch.column("household_code")
    stored = intake.conn.exec_driver_sql(
        "SELECT household_code, province_code, commune_code, NULLIF(candidates, '{}') "
        "FROM household WHERE household_code = ANY(%(codes)s)",
        {"codes": list(set(wanted))},
    )
    homes: dict[str, list[Home]] = {}
    for code, province, commune, candidates in stored:
        home = Home(province, commune, tuple(candidates) if candidates else ())
        homes[code] = [*homes[code], home] if code in homes else [home]
    found: list[Home] = []
    reasons: dict[int, str] = {}
    for i, (code, province) in enumerate(zip(wanted, batch.column("province_code"), strict=True)):
        known = homes.get(code, [])
        if province is not None:
            known = [home for home in known if home.province_code == province]
        if len(known) == 1:
            found.append(known[0])
        else:
            reasons[i] = _not_one(code, province, known)
    return intake.reject(batch, reasons), found


def _not_one(code: str, province: str | None, homes: Sequence[Home]) -> str:
    if homes:
        listed = ", ".join(sorted(home.province_code for home in homes))
        return (
            f"household_code: “{code}” exists in the provinces {listed}; add the column "
            "province_code"
        )
    where = f" in province {province}" if province else ""
    return f"household_code: there is no household “{code}”{where}; import the households first"


def compared_with(intake: Intake, batch: Batch, homes: Sequence[Home]) -> list[tuple[str, ...]]:
    """The communes that each record is compared with: its own address's, else its household's."""
    result = []
    for own, home in zip(batch.column("recorded_address"), homes, strict=True):
        communes = (home.commune_code,) if home.commune_code else home.candidates
        if own:
            place = intake.places.of_address(own)
            said = (place.commune_code,) if place.commune_code else place.candidates
            communes = said or communes
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


def findings(
    subject: str,
    keys: Sequence[tuple[str, str]],
    batch: Batch,
    verdicts: Verdicts,
) -> copying.Load:
    """What the rules find in a batch, to be stored; keys: (province_code, id) a row."""
    frame = verdicts.frame()
    frame["key"] = [key for _province, key in keys]
    frame["province_code"] = [province for province, _key in keys]
    frame["lon"], frame["lat"], frame["accuracy_m"] = batch.lon, batch.lat, accuracies(batch)
    frame["mock_location"] = batch.column("mock_location")
    found: pd.DataFrame = audit.findings_of(frame, settings(), subject, "key")
    return copying.prepared(
        finding,
        {
            "province_code": found["province_code"].tolist(),
            "subject": [subject] * len(found),
            "subject_id": found["key"].tolist(),
            "rule": found["rule"].tolist(),
            "severity": found["severity"].tolist(),
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


def move_households(intake: Intake, settled: dict[tuple[str, str], str]) -> None:
    """Give settled households, and what is stored of theirs, their commune."""
    if not settled:
        return
    keys = {
        "province_code": [province for province, _code in settled],
        "household_code": [code for _province, code in settled],
    }
    communes = {"commune_code": list(settled.values())}
    key = ("province_code", "household_code")
    placed = {"placed_by": ["survey"] * len(settled)}
    copying.update(intake.conn, household, key, keys | communes | placed)
    for table in cast(tuple[Table, ...], (survey, site)):
        copying.update(intake.conn, table, key, keys | communes)
    for (province, _code), commune in settled.items():
        intake.communes |= {(province, NO_COMMUNE), (province, commune)}
