"""The rule about pictures that serve several households or stages, and photos beside their rows."""

import numpy as np
import pandas as pd

from geo.photos import lookalikes
from geo.rules.rule import SITE, SURVEY, Context

_HOME = ["province_code", "commune_code"]
_SITE = [*_HOME, "subject_id"]
_KEPT = ["bits", "households", "stages", "photo_id", "group"]


def with_photos(rows: pd.DataFrame, photos: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row a photo of the surveys or sites in `rows`: its `columns`, its index as `row`.

    The photo's own place is photo_lon, photo_lat.
    """
    subject, key = (SURVEY, "survey_id") if "survey_id" in rows else (SITE, "site_code")
    kept = ["photo_id", "exif", "taken_at", "stage", "photo_lon", "photo_lat"]
    if photos.empty or key not in rows:
        return nothing([*_HOME, *columns, *kept])
    own = photos[photos["subject"] == subject].rename(
        columns={"lon": "photo_lon", "lat": "photo_lat"}
    )
    own = own.assign(taken_at=pd.to_datetime(own["taken_at"], utc=True))
    left = rows[list(dict.fromkeys([*_HOME, key, *columns]))].assign(
        row=rows.index, subject_id=rows[key].astype(str)
    )
    return left.merge(own[[*_SITE, *kept]], on=_SITE)


def nothing(columns: list[str]) -> pd.DataFrame:
    """No hits and no photos: an empty table of the form that others have."""
    empty = pd.DataFrame(columns=["row", *columns])
    times = {name: "datetime64[ns, UTC]" for name in ("taken_at", "surveyed_at") if name in empty}
    return empty.astype(times)


def reused(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A photo is the same picture as one of another household, or of another stage of the site.

    The evidence counts households instead of naming them: they may be in communes that who reads
    it does not see. What they share is one case.
    """
    own = with_photos(rows, context.photos, [])
    hashed = context.photos[context.photos["hash"].notna()] if len(own) else own
    if hashed.empty:
        return nothing(_KEPT).set_index("row")
    photos, unique = _numbered(hashed)
    i, j, apart = lookalikes.pairs(unique, context.settings.photo_hash_distance)
    near = _near(len(unique), i, j, apart)
    found = _other_households(photos, near).join(_other_stages(photos, near))
    found["bits"] = found[["household_bits", "stage_bits"]].min(axis=1)
    found = found[found["bits"].notna()]
    named = photos[["photo_id"]].assign(
        group=_group_names(photos, lookalikes.groups(len(unique), i, j))
    )
    counts = found[["bits", "households", "stages"]].fillna(0).astype(int)
    found = counts.join(named)
    hits = own[["row", "photo_id"]].merge(found[_KEPT], on="photo_id")
    worst = hits.sort_values("bits", kind="stable").drop_duplicates("row")
    return worst.set_index("row")[_KEPT]


def _numbered(hashed: pd.DataFrame) -> tuple[pd.DataFrame, lookalikes.Hashes]:
    """Photos with the number of their hash among the different ones, and these."""
    values = hashed["hash"]
    if values.dtype != np.uint64:
        values = values.astype("int64")
    unique, number = np.unique(values.to_numpy().view(np.uint64), return_inverse=True)
    home = hashed.groupby([*_HOME, "household_code"]).ngroup()
    numbered = hashed.assign(number=number, household=home, stage=hashed["stage"].fillna(""))
    return numbered.reset_index(drop=True), unique


def _near(n: int, i: np.ndarray, j: np.ndarray, apart: np.ndarray) -> pd.DataFrame:
    """Each of n hashes (number) with those near it (other), itself among them."""
    itself = np.arange(n)
    return pd.DataFrame(
        {
            "number": np.concatenate([itself, i, j]),
            "other": np.concatenate([itself, j, i]),
            "apart": np.concatenate([np.zeros(n, dtype=np.int64), apart, apart]),
        }
    )


def _other_households(photos: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    """For each photo how many other households have a picture like it, and how near the nearest."""
    owners = photos[["number", "household"]].drop_duplicates()
    met = near.merge(owners.rename(columns={"number": "other"}), on="other")
    met = met.sort_values("apart", kind="stable").drop_duplicates(["number", "household"])
    of_hash = met.groupby("number")
    count = of_hash["household"].size()
    first, second = of_hash.nth(0).set_index("number"), of_hash.nth(1).set_index("number")
    nearest = pd.DataFrame({"who": first["household"], "first": first["apart"]})
    nearest["second"] = second["apart"]
    told = nearest.reindex(photos["number"].to_numpy()).reset_index(drop=True)
    others = told["first"].where(told["who"] != photos["household"], told["second"])
    return pd.DataFrame(
        {
            "households": count.reindex(photos["number"].to_numpy()).to_numpy() - 1,
            "household_bits": others.astype(float),
        }
    )


def _other_stages(photos: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    """For each photo of a site how many other stages of it have a picture like it."""
    of_sites = photos.loc[photos["subject"] == SITE, [*_SITE, "stage", "number"]]
    one = of_sites.reset_index(names="photo").merge(near, on="number")
    two = of_sites.rename(columns={"number": "other", "stage": "other_stage"})
    both = one.merge(two, on=[*_SITE, "other"])
    of_photo = both[both["stage"] != both["other_stage"]].groupby("photo")
    return pd.DataFrame(
        {"stages": of_photo["other_stage"].nunique(), "stage_bits": of_photo["apart"].min()}
    )


def _group_names(photos: pd.DataFrame, members: lookalikes.Indices) -> pd.Series:
    """What the photos of one group share as a name, the same in the next pass."""
    group = pd.Series(members[photos["number"].to_numpy()], photos.index)
    return photos["sha256"].groupby(group).transform("min").str[:16]
