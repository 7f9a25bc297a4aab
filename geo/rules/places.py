"""Rules about points that stand for a place rather than a house: centres, offices, a grid."""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.geometry import Floats, Texts, metres_per_degree
from geo.rules.metric import plane
from geo.rules.references import homes, households, metres, sigma
from geo.rules.rule import SITE, SURVEY, Context, Rule
from geo.verdicts.border import Flags
from geo.verdicts.matching import AreaShapes

_HOME_SIGMAS = 3.0
_FOUR_DECIMALS_M = 7.9
"""How far rounding to four decimals moves a point at most: half of 0.0001° both ways."""

_AROUND, _DENSER = 2.0, 2.0
"""A public place stands out when it holds twice the households that the ring around it, to twice
its radius, has on as much ground."""

_DECIMAL = 1e-9
"""Degrees (0.1 mm) within which a coordinate counts as rounded: what its binary form may err."""


def coarse_coordinates(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Both coordinates have few decimals, so that the point may be anywhere in a wide grid."""
    decimals = _decimals(rows, context.settings.coarse_decimals)
    hit = decimals >= 0
    grid = metres_per_degree(rows.loc[hit, "lat"].to_numpy(float))[1] / 10.0 ** decimals[hit]
    return pd.DataFrame({"decimals": decimals[hit], "grid_m": grid}, rows.index[hit])


def _decimals(rows: pd.DataFrame, most: int) -> NDArray[np.int64]:
    """With how many decimals each point is written, -1 for more than `most` or no point."""
    both = rows[["lon", "lat"]].to_numpy(float)
    decimals = np.full(len(rows), -1, dtype=np.int64)
    for number in range(most, -1, -1):
        rounded = (np.abs(both - np.round(both, number)) < _DECIMAL).all(axis=1)
        decimals[rounded] = number
    return decimals


def commune_centre(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The point is the middle of a commune, as lists of places and maps have it.

    Copied, it may be written with four decimals or more: what that takes away is allowed for.
    """
    centres = _centres(rows, context)
    lon, lat = (centres[name].to_numpy(float) for name in ("lon", "lat"))
    least = context.settings.centre_m
    found = _nearest(rows, lon, lat, least + _FOUR_DECIMALS_M)
    shortened = _decimals(rows.loc[found.index], 4) >= 0
    found["limit_m"] = np.where(shortened, least + _FOUR_DECIMALS_M, least)
    found = found[found["distance_m"] <= found["limit_m"]]
    of = centres.iloc[found["at"]].set_index(found.index)
    return pd.DataFrame(
        {
            "distance_m": found["distance_m"],
            "limit_m": found["limit_m"],
            "centre_lon": of["lon"],
            "centre_lat": of["lat"],
            "area_code": of["commune_code"],
            "households": _households_at(rows, found),
            "group": of["commune_code"],
        }
    )


def known_place(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Several households were recorded at one public place, more than stand around it.

    Those known to live there are left out; so are places in a quarter whose houses are as dense.
    """
    places = context.places
    if not len(places):
        return pd.DataFrame(columns=["distance_m", "radius_m", "place", "kind", "group"])
    lon, lat, radius = (places[name].to_numpy(float) for name in ("lon", "lat", "radius_m"))
    wide = _nearest(rows, lon, lat, _AROUND * radius)
    of = places.iloc[wide["at"]].set_index(wide.index)
    inside = wide["distance_m"] <= of["radius_m"]
    around = _households_at(rows, wide[~inside]).groupby(wide["at"]).first()
    found = wide[inside & ~_lives_there(rows.loc[wide.index], of, context)]
    number, of = _households_at(rows, found), of.loc[found.index]
    evidence = pd.DataFrame(
        {
            "distance_m": found["distance_m"],
            "radius_m": of["radius_m"].astype(float),
            "place": of["name"],
            "kind": of["kind"],
            "place_lon": of["lon"],
            "place_lat": of["lat"],
            "households": number,
            "around": around.reindex(found["at"]).fillna(0).astype(int).to_numpy(),
            "group": _labels(places)[found["at"]],
        }
    )
    expected = evidence["around"] / (_AROUND**2 - 1)
    dense = number >= _DENSER * expected
    return evidence[dense & (number >= context.settings.place_households)]


def _labels(places: pd.DataFrame) -> Texts:
    """What tells one place from another of the same name."""
    each = zip(places["name"], places["lon"], places["lat"], strict=True)
    return np.array([f"{name} {lon:.5f} {lat:.5f}" for name, lon, lat in each], dtype=object)


def _centres(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Middles of communes: as the gazetteer has them, and of the polygons that rows are in."""
    listed = context.centres
    given = listed[["commune_code", "lon", "lat"]] if len(listed) else pd.DataFrame()
    if context.shapes is None:
        return given.reindex(columns=["commune_code", "lon", "lat"])
    codes = np.unique(rows[["recorded_code", "located_code"]].stack().dropna().astype(str))
    return pd.concat([given, _middles(context.shapes, codes)], ignore_index=True)


def _middles(shapes: AreaShapes, codes: np.ndarray) -> pd.DataFrame:
    """Centroids of polygons; where one lies outside, the point on the polygon that maps label."""
    at = shapes.indices(codes.astype(object))
    polygons = shapes.polygons[at[at >= 0]]
    middle = shapely.centroid(polygons)
    outside = ~shapely.contains(polygons, middle)
    middle[outside] = shapely.point_on_surface(polygons[outside])
    return pd.DataFrame(
        {
            "commune_code": codes[at >= 0],
            "lon": shapely.get_x(middle),
            "lat": shapely.get_y(middle),
        }
    )


def _nearest(
    rows: pd.DataFrame, lon: Floats, lat: Floats, within_m: Floats | float
) -> pd.DataFrame:
    """Rows within so many metres of a place: at (the nearest of them), distance_m."""
    located = np.flatnonzero(rows["lon"].notna() & rows["lat"].notna())
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    if not len(located) or not len(known):
        return pd.DataFrame({"at": pd.Series(dtype=np.int64), "distance_m": pd.Series(dtype=float)})
    x, y = plane(
        np.concatenate([rows["lon"].to_numpy(float)[located], lon[known]]),
        np.concatenate([rows["lat"].to_numpy(float)[located], lat[known]]),
    )
    points = np.column_stack([x, y])
    tree = cKDTree(points[: len(located)])
    reach = np.broadcast_to(within_m, len(lon))[known]
    near = tree.query_ball_point(points[len(located) :], reach)
    at = np.repeat(known, [len(one) for one in near])
    row = located[np.concatenate([np.asarray(one, dtype=np.int64) for one in near])]
    apart = metres(rows.iloc[row], lon[at], lat[at])
    found = pd.DataFrame({"row": row, "at": at, "distance_m": apart})
    found = found.sort_values(["row", "distance_m", "at"]).drop_duplicates("row")
    return found.set_index(rows.index[found["row"]]).drop(columns="row")


def _households_at(rows: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """How many different households stand at the place of each found row."""
    of = found.assign(household=households(rows.loc[found.index]))
    return of.groupby("at")["household"].transform("nunique")


def _lives_there(rows: pd.DataFrame, of: pd.DataFrame, context: Context) -> Flags:
    """Whether the household's own known point is at the place too, within its error."""
    lon, lat = homes(rows, context.settings)
    apart = metres(of, lon, lat)
    error = sigma(rows["home_accuracy_m"], context.settings)
    return np.asarray(apart <= of["radius_m"].to_numpy(float) + _HOME_SIGMAS * error, dtype=bool)


PLACES = (
    Rule(
        "commune_centre",
        "sameness",
        2,
        0.3,
        "Trùng tâm xã",
        "At the commune's centre",
        "Điểm cách tâm của xã có mã {area_code} {distance_m}; có {households} hộ được ghi ở đó.",
        "The point is {distance_m} from the middle of commune {area_code}; {households} "
        "households were recorded there.",
        "Toạ độ tâm xã thường được lấy từ bản đồ hay danh mục khi không đo tại nhà.",
        "The middle of a commune is what maps and lists give where nobody measured at the house.",
        commune_centre,
        (SURVEY, SITE),
    ),
    Rule(
        "known_place",
        "sameness",
        1,
        0.15,
        "Tại địa điểm công cộng",
        "At a public place",
        "Điểm cách {place} {distance_m}; có {households} hộ được ghi ở đó.",
        "The point is {distance_m} from {place}; {households} households were recorded there.",
        "Phiếu của nhiều hộ có thể được lập tại trụ sở, nhà văn hoá thay vì tại nhà; hộ cũng có "
        "thể sống ngay cạnh đó.",
        "Surveys of several households may have been made at an office or a village hall instead "
        "of at the houses; a household may also live next to it.",
        known_place,
    ),
    Rule(
        "coarse_coordinates",
        "coordinates",
        1,
        0.15,
        "Toạ độ làm tròn",
        "Rounded coordinates",
        "Toạ độ chỉ có {decimals} chữ số thập phân, tức là lưới khoảng {grid_m}.",
        "The coordinates have {decimals} decimals only, a grid of about {grid_m}.",
        "Máy thu định vị cho nhiều chữ số hơn; toạ độ làm tròn thường được chép tay hoặc lấy từ "
        "bản đồ, và không đủ để nhận ra một ngôi nhà.",
        "Receivers give more digits; rounded coordinates are copied by hand or from a map, and do "
        "not tell one house from another.",
        coarse_coordinates,
        (SURVEY, SITE),
    ),
)
