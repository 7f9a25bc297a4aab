"""How good the rules are: what they should find, what a fault honestly implies, and the counts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.fault_land import apart_m

GROSS = 0.95
"""Recall and precision that gross faults must reach."""

EXPECTED: dict[str, tuple[str, ...]] = {
    "outside": ("wrong_commune", "over_border"),
    "swapped": ("swapped",),
    "lost_sign": ("lost_sign",),
    "degrees_minutes": ("degrees_minutes",),
    "wrong_zone": ("wrong_zone",),
    "vn2000_as_wgs84": ("vn2000_single",),
    "shifted_device": ("vn2000_device",),
    "same_point_exact": ("duplicate_exact",),
    "same_point_near": ("duplicate_near",),
    "one_spot": ("office",),
    "travel_speed": ("impossible_travel",),
    "too_quick": ("too_quick",),
    "impossible_day": ("bulk_day",),
    "odd_hours": ("night",),
    "clock_ahead": ("clock_ahead",),
    "clock_jump": ("clock_jump",),
    "sent_late": ("sent_late",),
    "coarse_coordinates": ("rounded",),
    "commune_centre": ("commune_centre",),
    "known_place": ("known_place",),
    "mock_location": ("mocked",),
    "accuracy_zero": ("accuracy_zero",),
    "accuracy_missing": ("accuracy_missing",),
    "accuracy_poor": ("accuracy_poor",),
    "far_from_hamlet": ("far_from_hamlet",),
    "far_from_home": ("far_from_home",),
    "far_from_site": ("site_far",),
    "photo_elsewhere": ("photo_elsewhere",),
    "photo_other_time": ("photo_other_time",),
    "photo_reused": ("photo_reused", "photo_of_stage_reused"),
    "stage_photo_time": ("photo_other_time",),
    "stage_order": ("stage_order",),
    "stages_too_close": ("stages_close",),
    "stage_places": ("stage_elsewhere",),
}
"""rule → the faults that it is there for."""

MUST = (
    *("outside", "swapped", "lost_sign", "degrees_minutes", "wrong_zone", "vn2000_as_wgs84"),
    *("shifted_device", "same_point_exact", "same_point_near", "travel_speed"),
)
"""Rules about gross faults, which have targets; the others are measured."""

ELSEWHERE = (
    *("wrong_commune", "over_border", "near_border", "lost_sign", "swapped", "degrees_minutes"),
    *("wrong_zone", "vn2000_single", "vn2000_alone", "vn2000_device"),
    *("duplicate_exact", "duplicate_near"),
    *("office", "rounded", "mocked", "accuracy_poor", "far_from_hamlet", "far_from_home"),
    *("commune_centre", "known_place"),
)
"""Faults that put the point away from the house."""
_TIMES = ("clock_jump", "clock_ahead", "night", "too_quick", "bulk_day", "office")
_ONE_PLACE = ("duplicate_exact", "duplicate_near", "office", "commune_centre", "known_place")

IMPLIED: dict[str, tuple[str, ...]] = {
    "outside": ELSEWHERE,
    "vn2000_as_wgs84": ("vn2000_alone", "vn2000_device"),
    "outside_country": ("swapped", "lost_sign", "degrees_minutes"),
    "far_from_hamlet": ELSEWHERE,
    "far_from_home": (*ELSEWHERE, "site_far"),
    "far_from_site": ELSEWHERE,
    "photo_elsewhere": (*ELSEWHERE, "site_far"),
    "stage_photo_places": ("photo_elsewhere",),
    "photo_other_time": _TIMES,
    "same_point_exact": (*_ONE_PLACE, "rounded"),
    "same_fix": (*_ONE_PLACE, "rounded"),
    "same_point_near": (*_ONE_PLACE, "rounded"),
    "one_spot": (*_ONE_PLACE, "rounded", "vn2000_device"),
    "one_spot_tight": (*_ONE_PLACE, "rounded", "vn2000_device", "office"),
    "same_point_others": (*_ONE_PLACE, "rounded"),
    "commune_centre": _ONE_PLACE,
    "known_place": _ONE_PLACE,
    "travel_speed": (*ELSEWHERE, *_TIMES),
    "too_quick": ("clock_jump", "clock_ahead", "impossible_travel", "night"),
    "odd_hours": ("clock_jump", "clock_ahead"),
    "impossible_day": ("office", "clock_jump", "too_quick"),
    "clock_jump": ("clock_ahead", "night", "sent_late"),
    "sent_late": ("clock_jump",),
    "stages_too_close": ("stage_order",),
    "stage_order": ("stages_close",),
    "stage_places": ("site_far", "photo_elsewhere"),
}
"""rule → other faults on whose rows its sentence is true all the same."""

CIRCUMSTANCES: dict[str, tuple[str, ...]] = {
    "far_from_home": ("moved_house", "other_plot"),
    "far_from_site": ("other_plot",),
    "far_from_hamlet": ("lone",),
    "accuracy_poor": ("poor_fix",),
    "same_point_exact": ("cached",),
    "same_fix": ("cached",),
    "same_point_near": ("cached", "one_roof", "together"),
    "too_quick": ("together",),
}
"""rule → honest circumstances in which its sentence is true; they count as false."""

ALSO: dict[str, tuple[str, ...]] = {"same_point_exact": ("same_fix",)}
"""rule → milder rules that tell of the same fault where it may be honest; they catch it as well."""

OF_NOBODY = (
    *("uncertain", "unlocated_no_point", "unlocated_no_address", "accuracy_missing"),
    *("accuracy_poor", "photo_stripped"),
)
"""Rules that state a condition and accuse nobody: hits are counted, precision has no meaning."""


@dataclass(frozen=True)
class Score:
    """One rule: of `injected` rows `caught`; of `hits` rows `right`; on honest rows `false`.

    explained: those of the false hits that an honest circumstance makes true.
    """

    rule: str
    injected: int
    caught: int
    hits: int
    right: int
    false: int
    explained: int
    honest: int

    @property
    def recall(self) -> float:
        return self.caught / self.injected if self.injected else float("nan")

    @property
    def precision(self) -> float:
        return self.right / self.hits if self.hits else float("nan")

    @property
    def false_per_10k(self) -> float:
        return 10_000 * self.false / self.honest if self.honest else float("nan")


def truth(surveys: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """The fault of each survey and site, by (subject, id): kind, near, condition.

    Two kinds that nothing can tell have names of their own: near_border, a point less than 3 σ
    beyond the border, and vn2000_alone, one VN-2000 point of a household without another point.
    """
    near = (surveys["fault"] == "over_border") & ~(surveys["sigmas"] > 3)
    alone = surveys["home_lon"].isna() & surveys["site_lon"].isna() | surveys["moved_house"]
    alone &= surveys["fault"] == "vn2000_single"
    kinds = surveys["fault"].mask(near, "near_border").mask(alone, "vn2000_alone")
    built = sites.drop_duplicates("household_code").set_index("household_code")
    plot = surveys["household_code"].map(built["other_plot"]).eq(True)
    condition = surveys["condition"]
    condition = condition.mask((condition == "") & surveys["shared_house"], "one_roof")
    condition = condition.mask(plot, "other_plot")
    one = pd.DataFrame(
        {
            "subject": "survey",
            "subject_id": surveys["survey_id"],
            "kind": kinds,
            "site_kind": surveys["household_code"].map(built["fault"]).fillna(""),
            "beside": surveys["beside"],
            "condition": condition.mask(surveys["lone"], "lone").mask(
                surveys["moved_house"], "moved_house"
            ),
        }
    )
    two = pd.DataFrame(
        {
            "subject": "site",
            "subject_id": sites["site_code"],
            "kind": sites["fault"],
            "site_kind": "",
            "beside": "",
            "condition": np.where(sites["other_plot"], "other_plot", ""),
        }
    )
    return pd.concat([one, two]).set_index(["subject", "subject_id"])


def scores(known: pd.DataFrame, findings: pd.DataFrame, rules: dict) -> list[Score]:
    """A score for each rule; known: see `truth`, of all provinces."""
    return [_score(known, findings, code, rule.subjects) for code, rule in rules.items()]


def _score(
    known: pd.DataFrame, findings: pd.DataFrame, code: str, subjects: tuple[str, ...]
) -> Score:
    known = known[known.index.get_level_values("subject").isin(subjects)]
    mine = findings[findings["rule"] == code]
    keys = pd.MultiIndex.from_frame(mine[["subject", "subject_id"]])
    hit = known.index.isin(keys)
    also = findings[findings["rule"].isin(ALSO.get(code, ()))]
    caught = hit | known.index.isin(pd.MultiIndex.from_frame(also[["subject", "subject_id"]]))
    expected = known["kind"].isin(EXPECTED.get(code, ())).to_numpy()
    right = expected | known["kind"].isin(IMPLIED.get(code, ())).to_numpy()
    if code == "far_from_site":  # the fault is the site's, the doubt also about its surveys
        of_site = (known["site_kind"] == "site_far").to_numpy()
        expected, right = expected | of_site, right | of_site
    right |= known["beside"].isin(EXPECTED.get(code, ())).to_numpy()
    right |= _named(known, mine, keys, right)
    honest = (known["kind"] == "").to_numpy() & ~right
    explained = honest & known["condition"].isin(CIRCUMSTANCES.get(code, ())).to_numpy()
    return Score(
        code,
        int(expected.sum()),
        int((expected & caught).sum()),
        int(hit.sum()),
        int((right & hit).sum()),
        int((honest & hit).sum()),
        int((explained & hit).sum()),
        int(honest.sum()),
    )


def _named(
    known: pd.DataFrame, mine: pd.DataFrame, keys: pd.MultiIndex, right: np.ndarray
) -> np.ndarray:
    """The rows whose hit names another survey as its reason, one that the rule rightly doubts."""
    other = [evidence.get("other_survey") for evidence in mine["evidence"]]
    pairs = pd.MultiIndex.from_arrays([mine["subject"], other])
    doubtful = pairs.isin(known.index[right])
    return known.index.isin(keys[doubtful])


def repairs(surveys: pd.DataFrame, findings: pd.DataFrame) -> tuple[int, int]:
    """How many points are proposed instead of sent ones, and how many of these lie at the house.

    At the house: within three times the point's accuracy and 10 m, which degrees in whole
    hundredths of a second and VN-2000's seven parameters cost together at most.
    """
    told = findings[findings["subject"] == "survey"]
    told = told[[("repaired_lon" in evidence) for evidence in told["evidence"]]]
    told = told.drop_duplicates("subject_id")
    rows = surveys.set_index("survey_id").loc[told["subject_id"]]
    proposed = pd.DataFrame(told["evidence"].tolist(), rows.index)
    metres = apart_m(
        *(rows[name].to_numpy(float) for name in ("true_lon", "true_lat")),
        *(proposed[name].to_numpy(float) for name in ("repaired_lon", "repaired_lat")),
    )
    return len(rows), int((metres <= 3 * rows["accuracy_used_m"].to_numpy(float) + 10).sum())


def border(surveys: pd.DataFrame) -> tuple[int, int]:
    """Of the honest points within 3 σ of their border: how many there are, how many `outside`."""
    sigma = np.hypot(surveys["accuracy_used_m"] / 1.515, surveys["boundary_accuracy_m"])
    near = (surveys["fault"] == "") & (surveys["distance_m"].abs() < 3 * sigma)
    return int(near.sum()), int((surveys.loc[near, "verdict"] == "outside").sum())
