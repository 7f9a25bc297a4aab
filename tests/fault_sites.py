"""Rebuild sites, their reports stage by stage, and photos, of the audit's proof; all honest."""

import hashlib
from datetime import timedelta

import numpy as np
import pandas as pd
import shapely

from tests.fault_land import moved

# Days from the stage before, least and most, as houses are really built.
_NEW = {
    "approved": (5, 30),
    "started": (5, 40),
    "foundation": (5, 20),
    "frame": (10, 35),
    "roof": (7, 25),
    "completed": (10, 40),
    "accepted": (3, 20),
    "handed_over": (1, 15),
}
_REPAIR = {"approved": (5, 30), "started": (3, 30), "completed": (8, 30), "accepted": (2, 15)}
_PREFABRICATED = {
    "approved": (5, 30),
    "started": (5, 30),
    "foundation": (5, 8),
    "frame": (3, 6),
    "roof": (2, 4),
    "completed": (5, 10),
    "accepted": (2, 10),
}


def sites(
    rng: np.random.Generator,
    homes: pd.DataFrame,
    polygons: dict[str, shapely.Geometry],
    share: float = 0.12,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rebuild sites of some households and the reports of their stages.

    Sites: site_code, household_code, province_code, commune_code, kind, stage, stage_on,
    approved_on, due_on, received_at, lon, lat, accuracy_m; house, true_lon, true_lat,
    other_plot. Stages: site_code, province_code, commune_code, stage, stage_on, reported_at, lon,
    lat, accuracy_m; site (row of sites).
    """
    house = np.flatnonzero(rng.random(len(homes)) < share)
    n = len(house)
    other = rng.random(n) < 0.04
    way = np.where(other, rng.uniform(100, 800, n), rng.uniform(0, 30, n))
    angle = rng.uniform(0, 2 * np.pi, n)
    here = homes["lon"].to_numpy()[house], homes["lat"].to_numpy()[house]
    lon, lat = moved(*here, way * np.cos(angle), way * np.sin(angle))
    own = [polygons[code] for code in homes["commune_code"].iloc[house]]
    within = shapely.contains_xy(own, lon, lat)  # no plot in another commune
    other &= within
    lon, lat = np.where(within, lon, here[0]), np.where(within, lat, here[1])
    found = pd.DataFrame({"house": house, "true_lon": lon, "true_lat": lat, "other_plot": other})
    for name in ("household_code", "province_code", "commune_code"):
        found[name] = homes[name].to_numpy()[house]
    found["site_code"] = [f"S{code}" for code in found["household_code"]]
    found["kind"] = rng.choice(["new", "repair"], n, p=[0.65, 0.35])
    found["lon"], found["lat"], found["accuracy_m"] = _fix(rng, lon, lat)
    stages = _reports(rng, found)
    last = stages.groupby("site").last()
    found["stage"], found["stage_on"] = last["stage"], last["stage_on"]
    found["approved_on"] = stages.groupby("site")["stage_on"].first()
    found["due_on"] = pd.Timestamp("2025-08-31").date()
    found["received_at"] = last["reported_at"]
    return found, stages


def _fix(rng: np.random.Generator, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, ...]:
    n = len(lon)
    accuracy = np.clip(rng.lognormal(np.log(8), 0.5, n), 2, 90)
    lon, lat = moved(lon, lat, *(rng.normal(0, 1, (2, n)) * accuracy / 1.515))
    return lon.round(7), lat.round(7), accuracy.round(1)


def _reports(rng: np.random.Generator, found: pd.DataFrame) -> pd.DataFrame:
    rows = []
    first = pd.Timestamp("2025-01-06")
    for site, kind in enumerate(found["kind"]):
        table = _REPAIR if kind == "repair" else _NEW
        if kind == "new" and rng.random() < 0.05:
            table = _PREFABRICATED
        on = first + timedelta(days=int(rng.integers(0, 90)))
        batch = rng.random() < 0.2  # the office enters all reports of some weeks at once
        reached = int(rng.integers(2, len(table) + 1))
        for stage, (least, most) in list(table.items())[:reached]:
            on += timedelta(days=int(rng.integers(least, most + 1)))
            if stage not in ("approved", "completed") and rng.random() < 0.2:
                continue  # nobody reported it
            hours = rng.uniform(8, 18) + 24 * rng.integers(0, 8)
            rows.append((site, stage, on.date(), on + pd.Timedelta(hours=float(hours)), batch))
    names = ["site", "stage", "stage_on", "reported_at", "batch"]
    stages = pd.DataFrame(rows, columns=names)
    # A later report is never sent before an earlier one; a batch comes within minutes.
    stages["reported_at"] = stages.groupby("site")["reported_at"].cummax()
    order = stages.groupby("site").cumcount()
    last = stages.groupby("site")["reported_at"].transform("max")
    stages["reported_at"] = last.where(stages["batch"], stages["reported_at"])
    stages["reported_at"] += pd.to_timedelta(order * 90, unit="s")
    stages["reported_at"] = stages["reported_at"].dt.tz_localize("Asia/Ho_Chi_Minh")
    stages["reported_at"] = stages["reported_at"].dt.tz_convert("UTC").dt.floor("s")
    place = stages["site"].to_numpy()
    true = found["true_lon"].to_numpy()[place], found["true_lat"].to_numpy()[place]
    stages["lon"], stages["lat"], stages["accuracy_m"] = _fix(rng, *true)
    without = rng.random(len(stages)) < 0.2
    stages.loc[without, ["lon", "lat", "accuracy_m"]] = np.nan
    for name in ("site_code", "province_code", "commune_code"):
        stages[name] = found[name].to_numpy()[place]
    return stages.drop(columns="batch")


def photos(
    rng: np.random.Generator, surveys: pd.DataFrame, found: pd.DataFrame, stages: pd.DataFrame
) -> pd.DataFrame:
    """A photo of a third of the surveys and of half of the stage reports, as phones take them.

    Columns: subject, subject_id, province_code, commune_code, household_code, stage, lon, lat,
    taken_at, exif, hash, sha256, photo_id.
    """
    chosen = surveys[rng.random(len(surveys)) < 0.33]
    same = ["province_code", "commune_code", "household_code"]
    visits = chosen[same].assign(
        subject="survey",
        subject_id=chosen["survey_id"],
        stage=None,
        lon=chosen["true_lon"],
        lat=chosen["true_lat"],
        taken_at=chosen["surveyed_at"]
        + pd.to_timedelta(rng.uniform(-45, 45, len(chosen)), unit="m"),
    )
    built = stages[rng.random(len(stages)) < 0.5]
    place = built["site"].to_numpy()
    noon = pd.to_datetime(built["stage_on"]).dt.tz_localize("Asia/Ho_Chi_Minh").dt.tz_convert("UTC")
    reports = found[same].iloc[place].set_index(built.index)
    reports = reports.assign(
        subject="site",
        subject_id=found["site_code"].to_numpy()[place],
        stage=built["stage"],
        lon=found["true_lon"].to_numpy()[place],
        lat=found["true_lat"].to_numpy()[place],
        taken_at=noon + pd.to_timedelta(rng.uniform(7, 17, len(built)), unit="h"),
    )
    taken = pd.concat([visits, reports], ignore_index=True)
    n = len(taken)
    taken["exif"] = rng.choice(["present", "stripped", "none"], n, p=[0.6, 0.3, 0.1])
    away = rng.normal(0, 15, (2, n))
    lon, lat = moved(taken["lon"].to_numpy(), taken["lat"].to_numpy(), *away)
    has_place = (taken["exif"] == "present").to_numpy() & (rng.random(n) < 0.9)
    taken["lon"] = np.where(has_place, lon, np.nan)
    taken["lat"] = np.where(has_place, lat, np.nan)
    taken["taken_at"] = taken["taken_at"].dt.floor("s").where(taken["exif"] == "present")
    taken["hash"] = _hashes(rng, taken)
    numbers = np.arange(n)
    taken["sha256"] = [hashlib.sha256(f"{number}".encode()).hexdigest() for number in numbers]
    taken["photo_id"] = [f"{number:032x}" for number in numbers]
    return taken


def _hashes(rng: np.random.Generator, taken: pd.DataFrame) -> pd.Series:
    """Perceptual hashes, signed: pictures of one scene differ in up to 52 bits; black has none."""
    n = len(taken)
    bits = rng.integers(0, 2, (n, 64), dtype=np.uint8)
    household = pd.factorize(taken["household_code"])[0]
    scene = rng.integers(0, 2, (household.max() + 1, 64), dtype=np.uint8)
    flips = rng.integers(12, 27, n)
    order = rng.random((n, 64)).argsort(axis=1).argsort(axis=1)
    bits = scene[household] ^ (order < flips[:, None]).astype(np.uint8)
    numbers = np.packbits(bits, axis=1).view(">i8").ravel().astype(np.int64)
    return pd.Series(numbers.tolist(), taken.index, dtype=object).where(rng.random(n) > 0.001, None)
