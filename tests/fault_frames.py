"""A province of the audit's proof as the rules read it, and what they find in it."""

import pandas as pd

from geo.audit.applying import findings_of
from geo.audit.run import judge_frame
from geo.config import Settings
from geo.geometry import EAST, NORTH, SOUTH, WEST
from geo.rules import SITE, SURVEY, Context
from geo.text import fold
from geo.verdicts.matching import AreaShapes
from tests.fault_world import Province

NOW = pd.Timestamp("2025-12-31T00:00:00Z")


def surveys(land: Province, shapes: AreaShapes, settings: Settings) -> pd.DataFrame:
    """The surveys with the columns of geo.audit.frames, judged; truth columns stay beside them."""
    frame = land.surveys.copy()
    homes = land.homes.iloc[frame["house"]].reset_index(drop=True)
    for name in ("home_lon", "home_lat", "home_accuracy_m", "moved_house", "lone", "shared_house"):
        frame[name] = homes[name]
    frame["village_key"] = _keys(homes)
    first = land.sites.drop_duplicates("household_code").set_index("household_code")
    for name in ("site_code", "lon", "lat", "accuracy_m"):
        column = name if name == "site_code" else f"site_{name}"
        frame[column] = frame["household_code"].map(first[name])
    frame["photo"] = None
    _as_intake_keeps(frame)
    return _judged(frame, shapes, settings)


def sites(land: Province, shapes: AreaShapes, settings: Settings) -> pd.DataFrame:
    """The sites likewise."""
    frame = land.sites.copy()
    homes = land.homes.iloc[frame["house"]].reset_index(drop=True)
    for name in ("home_lon", "home_lat", "home_accuracy_m"):
        frame[name] = homes[name]
    frame["village_key"] = _keys(homes)
    return _judged(frame, shapes, settings)


def _keys(homes: pd.DataFrame) -> pd.Series:
    keys = homes["village"].map(fold, na_action="ignore").astype(object)
    return keys.where(homes["village"].notna(), None)


def _as_intake_keeps(frame: pd.DataFrame) -> None:
    """Points that cannot be in the country are kept as sent, beside an empty point."""
    lon, lat = frame["lon"], frame["lat"]
    lost = ~(lon.between(WEST, EAST) & lat.between(SOUTH, NORTH))
    for name in ("lon", "lat"):
        frame[f"sent_{name}"] = frame[name].where(lost)
        frame[name] = frame[name].mask(lost)


def _judged(frame: pd.DataFrame, shapes: AreaShapes, settings: Settings) -> pd.DataFrame:
    frame["candidates"] = pd.Series([(code,) for code in frame["commune_code"]], dtype=object)
    frame["recorded_address"] = None
    frame["content_hash"], frame["judged_at"], frame["demo"] = "", NOW, False
    return judge_frame(frame, shapes, settings)


def context(land: Province, shapes: AreaShapes, settings: Settings) -> Context:
    """What the rules may ask for beside the rows."""
    return Context(
        settings=settings,
        shapes=shapes,
        photos=land.photos,
        stages=land.stages,
        places=land.places,
        centres=land.centres,
    )


def found(
    land: Province, shapes: AreaShapes, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The frames of surveys and sites, and the findings: subject, subject_id, rule, evidence."""
    around = context(land, shapes, settings)
    own, built = surveys(land, shapes, settings), sites(land, shapes, settings)
    hits = [
        findings_of(own, around).rename(columns={"survey_id": "subject_id"}).assign(subject=SURVEY),
        findings_of(built, around, SITE, "site_code")
        .rename(columns={"site_code": "subject_id"})
        .assign(subject=SITE),
    ]
    return own, built, pd.concat(hits, ignore_index=True)
