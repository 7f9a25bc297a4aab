"""Faults of sites, their stages and of photos, injected by lot; each site or survey has one."""

import numpy as np
import pandas as pd
import shapely

from tests.fault_land import moved
from tests.fault_world import Province, Rows


def _free_sites(land: Province, count: int, condition: pd.Series | bool = True) -> Rows:
    free = (land.sites["fault"] == "") & ~land.sites["other_plot"] & condition
    return land.rng.permutation(np.flatnonzero(free))[:count]


def site_far(land: Province, count: int) -> None:
    """The site's point lies 0.6 to 5 km from the house, inside the commune."""
    known = land.sites["house"].map(land.homes["home_lon"].notna() & ~land.homes["moved_house"])
    for row in _free_sites(land, count, known):
        polygon = land.polygons[land.sites.at[row, "commune_code"]]
        for _ in range(10):
            way, angle = land.rng.uniform(600, 5000), land.rng.uniform(0, 2 * np.pi)
            here = land.sites.loc[[row], "lon"].to_numpy(), land.sites.loc[[row], "lat"].to_numpy()
            lon, lat = moved(*here, way * np.cos(angle), way * np.sin(angle))
            if shapely.contains_xy(polygon, lon, lat)[0]:
                land.sites.loc[row, ["lon", "lat", "fault"]] = (lon[0], lat[0], "site_far")
                land.stages.loc[land.stages["site"] == row, ["lon", "lat"]] = (lon[0], lat[0])
                break


def stage_order(land: Province, count: int) -> None:
    """A later stage is dated before an earlier one."""
    for row, own in _with_stages(land, count, 3):
        first, second = own[-2], own[-1]
        dates = land.stages["stage_on"]
        back = dates[first] - pd.Timedelta(days=int(land.rng.integers(2, 40)))
        land.stages.at[second, "stage_on"] = back
        land.sites.loc[row, "fault"] = "stage_order"


def stages_close(land: Province, count: int) -> None:
    """Roofed or completed 1 or 2 days after the foundation."""
    early, late = ("started", "foundation"), ("roof", "completed", "accepted")
    for row, own in _with_stages(land, 8 * count, 2):
        names = land.stages.loc[own, "stage"]
        starts, ends = own[names.isin(early)], own[names.isin(late)]
        new = land.sites.at[row, "kind"] == "new"
        if count > 0 and new and len(starts) and len(ends):
            shift = land.stages.at[ends[0], "stage_on"] - land.stages.at[starts[-1], "stage_on"]
            shift -= pd.Timedelta(days=int(land.rng.integers(1, 3)))
            for stage in own[own >= ends[0]]:
                land.stages.at[stage, "stage_on"] -= shift
            between = own[(own > starts[-1]) & (own < ends[0])]
            land.stages = land.stages.drop(between)
            land.sites.loc[row, "fault"] = "stages_close"
            count -= 1


def stage_elsewhere(land: Province, count: int) -> None:
    """One of a site's reports comes from a place 0.3 to 5 km away."""
    for row, own in _with_stages(land, 4 * count, 3):
        placed = own[land.stages.loc[own, "lon"].notna()]
        if count > 0 and len(placed) >= 2:
            chosen = land.rng.choice(placed[:-1])
            way, angle = land.rng.uniform(300, 5000), land.rng.uniform(0, 2 * np.pi)
            here = (land.stages.loc[[chosen], name].to_numpy() for name in ("lon", "lat"))
            lon, lat = moved(*here, way * np.cos(angle), way * np.sin(angle))
            land.stages.loc[chosen, ["lon", "lat"]] = (lon[0], lat[0])
            land.sites.loc[row, "fault"] = "stage_elsewhere"
            count -= 1


def _with_stages(land: Province, count: int, least: int) -> list[tuple[int, pd.Index]]:
    number = land.stages["site"].value_counts().reindex(range(len(land.sites)), fill_value=0)
    rows = _free_sites(land, count, number >= least)
    return [(int(row), land.stages.index[land.stages["site"] == row]) for row in rows]


def photo_elsewhere(land: Province, count: int) -> None:
    """The photo was taken 0.5 to 30 km away."""
    for photo in _free_photos(land, count, land.photos["lon"].notna()):
        way, angle = land.rng.uniform(500, 30_000), land.rng.uniform(0, 2 * np.pi)
        here = (land.photos.loc[[photo], name].to_numpy() for name in ("lon", "lat"))
        lon, lat = moved(*here, way * np.cos(angle), way * np.sin(angle))
        land.photos.loc[photo, ["lon", "lat"]] = (lon[0], lat[0])
        _mark(land, photo, "photo_elsewhere")


def photo_other_time(land: Province, count: int) -> None:
    """The photo of a survey was taken 1 to 60 days before; of a stage 20 to 200 days."""
    for photo in _free_photos(land, count, land.photos["taken_at"].notna()):
        least, most = (1, 60) if land.photos.at[photo, "subject"] == "survey" else (20, 200)
        back = pd.Timedelta(days=float(land.rng.uniform(least, most)))
        land.photos.at[photo, "taken_at"] = (land.photos.at[photo, "taken_at"] - back).floor("s")
        _mark(land, photo, "photo_other_time")


def photo_reused(land: Province, count: int) -> None:
    """A photo comes again for another household, compressed anew (0 to 4 bits) or as it was."""
    chosen = _free_photos(land, count, land.photos["subject"] == "survey")
    for one, two in zip(chosen[::2], chosen[1::2], strict=False):
        same = ["province_code", "commune_code"]
        if not land.photos.loc[one, same].equals(land.photos.loc[two, same]):
            _again(land, one, two)
            _mark(land, one, "photo_reused")
            _mark(land, two, "photo_reused")


def photo_of_stage_reused(land: Province, count: int) -> None:
    """One photo stands for two stages of a site."""
    built = land.photos[(land.photos["subject"] == "site") & land.photos["hash"].notna()]
    for site, own in built.groupby("subject_id").groups.items():
        row = np.flatnonzero(land.sites["site_code"] == site)[0]
        if count > 0 and len(own) >= 2 and land.sites.at[row, "fault"] == "":
            _again(land, own[0], own[1])
            _mark(land, own[0], "photo_of_stage_reused")
            count -= 2


def _again(land: Province, one: int, two: int) -> None:
    """The second photo becomes a copy of the first."""
    value = np.int64(land.photos.at[one, "hash"])
    for bit in land.rng.choice(64, int(land.rng.integers(0, 5)), replace=False):
        value ^= np.left_shift(np.int64(1), np.int64(bit))
    value = int(value)
    land.photos.at[two, "hash"] = value
    land.photos.loc[two, ["lon", "lat"]] = np.nan
    land.photos.loc[two, "taken_at"] = pd.NaT
    land.photos.loc[two, "exif"] = "stripped"
    if value == int(land.photos.at[one, "hash"]):
        land.photos.at[two, "sha256"] = land.photos.at[one, "sha256"]


def _free_photos(land: Province, count: int, condition: pd.Series) -> np.ndarray:
    """Photos of surveys and sites that are honest and usual, one of each, by lot."""
    surveys = land.surveys.set_index("survey_id")
    usual = surveys.index[(surveys["fault"] == "") & (surveys["condition"] == "")]
    sites = land.sites.loc[land.sites["fault"] == "", "site_code"]
    free = land.photos["subject_id"].isin({*usual, *sites}) & condition
    free &= ~land.photos["subject_id"].duplicated() & land.photos["hash"].notna()
    return land.rng.permutation(land.photos.index[free])[:count]


def _mark(land: Province, photo: int, kind: str) -> None:
    subject = land.photos.at[photo, "subject_id"]
    if land.photos.at[photo, "subject"] == "survey":
        rows = np.flatnonzero(land.surveys["survey_id"] == subject)
        land.mark(rows, kind)
    else:
        land.sites.loc[land.sites["site_code"] == subject, "fault"] = kind


SITES = (site_far, stage_order, stages_close, stage_elsewhere)
PHOTOS = (photo_elsewhere, photo_other_time, photo_reused, photo_of_stage_reused)
