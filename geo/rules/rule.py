"""What a rule is, what it may ask for, and the families in which doubts belong together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from geo.verdicts.matching import AreaShapes, VerdictSettings

SURVEY, SITE = "survey", "site"

HIDDEN = "other_hidden"
"""In evidence: what another row told was left out, because the reader may not see that row."""

FAMILIES: dict[str, tuple[str, str]] = {
    "location": ("Vị trí so với địa bàn", "Place against area"),
    "coordinates": ("Cách ghi toạ độ", "How coordinates were written"),
    "measurement": ("Chất lượng đo", "Quality of the measurement"),
    "sameness": ("Trùng vị trí", "Same place"),
    "movement": ("Di chuyển và thời gian", "Movement and time"),
    "photo": ("Ảnh", "Photos"),
    "stage": ("Giai đoạn thi công", "Building stages"),
}
"""Rules of one family tell of the same thing: a case counts the gravest of each family once."""


class RuleSettings(VerdictSettings, Protocol):
    """The settings that rules read; `geo.config.Settings` has them."""

    @property
    def poor_accuracy_m(self) -> float: ...

    @property
    def photo_distance_m(self) -> float: ...

    @property
    def photo_hours(self) -> float: ...

    @property
    def photo_stage_days(self) -> int: ...

    @property
    def photo_hash_distance(self) -> int: ...
    @property
    def home_shared_by(self) -> int: ...
    @property
    def device_shared_by(self) -> int: ...
    @property
    def far_home_m(self) -> float: ...
    @property
    def far_site_m(self) -> float: ...
    @property
    def far_sigmas(self) -> float: ...
    @property
    def hamlet_m(self) -> float: ...
    @property
    def hamlet_spreads(self) -> float: ...
    @property
    def repair_m(self) -> float: ...
    @property
    def shift_m(self) -> float: ...
    @property
    def shift_tolerance_m(self) -> float: ...
    @property
    def centre_m(self) -> float: ...
    @property
    def hamlet_households(self) -> int: ...
    @property
    def shift_households(self) -> int: ...
    @property
    def coarse_decimals(self) -> int: ...
    @property
    def place_households(self) -> int: ...
    @property
    def same_near_m(self) -> float: ...
    @property
    def same_near_households(self) -> int: ...
    @property
    def same_fix_minutes(self) -> float: ...
    @property
    def spot_m(self) -> float: ...
    @property
    def spot_households(self) -> int: ...
    @property
    def spot_tight_m(self) -> float: ...
    @property
    def spot_known(self) -> int: ...
    @property
    def spot_elsewhere_share(self) -> float: ...
    @property
    def spot_hamlets(self) -> int: ...
    @property
    def homes_apart_m(self) -> float: ...
    @property
    def travel_kmh(self) -> float: ...
    @property
    def travel_m(self) -> float: ...
    @property
    def quick_minutes(self) -> float: ...
    @property
    def quick_times(self) -> int: ...
    @property
    def day_households(self) -> int: ...
    @property
    def early_hour(self) -> float: ...
    @property
    def late_hour(self) -> float: ...
    @property
    def clock_minutes(self) -> float: ...
    @property
    def clock_jump_hours(self) -> float: ...
    @property
    def clock_jumps(self) -> int: ...
    @property
    def sent_together_minutes(self) -> float: ...
    @property
    def clock_back_days(self) -> float: ...
    @property
    def late_days(self) -> float: ...
    @property
    def started_completed_days(self) -> int: ...
    @property
    def foundation_completed_days(self) -> int: ...
    @property
    def started_roof_days(self) -> int: ...
    @property
    def foundation_roof_days(self) -> int: ...
    @property
    def frame_completed_days(self) -> int: ...
    @property
    def repair_days(self) -> int: ...
    @property
    def stage_m(self) -> float: ...


@dataclass(frozen=True, eq=False)
class Context:
    """What a rule may ask for beside the rows themselves; a table nobody filled is empty.

    photos: subject, subject_id, province_code, commune_code, household_code, stage, lon, lat
    (EXIF, NaN for none), taken_at (UTC), exif (present, stripped, none), hash (uint64), sha256,
    photo_id. stages: province_code, commune_code, site_code, stage, stage_on, reported_at, lon,
    lat, accuracy_m. places: name, kind, lon, lat, radius_m, province_code, commune_code. centres:
    commune_code, lon, lat. All in EPSG:4326 and metres.
    """

    settings: RuleSettings
    shapes: AreaShapes | None = None
    photos: pd.DataFrame = field(default_factory=pd.DataFrame)
    stages: pd.DataFrame = field(default_factory=pd.DataFrame)
    places: pd.DataFrame = field(default_factory=pd.DataFrame)
    centres: pd.DataFrame = field(default_factory=pd.DataFrame)


Find = Callable[[pd.DataFrame, Context], pd.DataFrame]


@dataclass(frozen=True)
class Rule:
    """One doubt: how grave, what it is called, what it says and means, and who is hit.

    severity: 1 a remark, 2 a doubt, 3 to be checked first. weight: what it adds to the risk when
    it stands alone, 0 to 1. says: a sentence with the evidence's numbers in braces, see
    `geo.rules.telling`. means: what the auditor should make of it. alone: whether a row by itself
    decides, so that the rule also runs at intake; the others see all rows of a province together.
    on_border: whether it stands and falls with where borders lie. hidden: the sentence for who may
    not see the other row that the evidence names.

    `find` gets one row a survey or site and returns the rows that it hits (same index) with the
    evidence worth keeping; a column `group` names what it found several rows to share.
    """

    code: str
    family: str
    severity: int
    weight: float
    vi: str
    en: str
    says_vi: str
    says_en: str
    means_vi: str
    means_en: str
    find: Find
    subjects: tuple[str, ...] = (SURVEY,)
    alone: bool = False
    on_border: bool = False
    hidden_vi: str = ""
    hidden_en: str = ""
