"""The audit's proof: honest provinces with known faults, as the audit reads them.

The generator knows no rule; see docs/audit-quality.md for what it makes and why.
"""

import geopandas
import shapely

from tests import fault_people, fault_sites, fault_world
from tests.fault_kinds import PLACE, vn2000_device
from tests.fault_kinds_sites import PHOTOS, SITES
from tests.fault_kinds_time import CLOCKS, VISITS, WHOLE_DAYS
from tests.fault_world import Province

RATE = 0.004
"""Of each kind of fault; the kinds together spoil about a tenth of the surveys."""

PROVINCES = ("08", "33", "79")


def make(
    code: str, polygons: dict[str, shapely.Geometry], count: int, seed: int = 1, rate: float = RATE
) -> Province:
    """A province with faults of every kind, each in about `rate` of its surveys or photos."""
    land = fault_world.province(code, polygons, count, seed)
    each = max(8, round(rate * len(land.surveys)))
    # Whole days and devices first, while there are enough untouched ones.
    for inject in (*WHOLE_DAYS, vn2000_device):
        inject(land, max(each, 120))
    for inject in (*PLACE, *VISITS):
        inject(land, each)
    fault_people.sent(land.rng, land.surveys)
    for inject in CLOCKS:
        inject(land, each)
    few = max(8, round(rate * 5 * len(land.sites)))
    for inject in SITES:
        inject(land, few)
    where = land.surveys.assign(
        true_lon=land.surveys["camera_lon"], true_lat=land.surveys["camera_lat"]
    )
    made_up = land.surveys["fault"].isin(["impossible_travel", "too_quick"])
    land.photos = fault_sites.photos(land.rng, where[~made_up], land.sites, land.stages)
    for inject in PHOTOS:
        inject(land, max(each // 2, few))
    return land


def polygons_of(
    communes: geopandas.GeoDataFrame, province_code: str
) -> dict[str, shapely.Geometry]:
    """The communes of a province by code."""
    own = communes[communes["province_code"] == province_code]
    return dict(sorted(zip(own["code"], own.geometry, strict=True)))
