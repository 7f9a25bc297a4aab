"""Faults of place, injected into honest surveys; each function takes `count` surveys by lot."""

from collections.abc import Callable
from functools import cache

import numpy as np
import shapely
from pyproj import Transformer

from tests.fault_land import BORDER_SIGMA_M, Floats, apart_m, moved, scattered
from tests.fault_world import TM3, Province, Rows

Inject = Callable[[Province, int], None]


def wrong_commune(land: Province, count: int) -> None:
    """The form was filled at a house of another commune, far beyond the border's uncertainty."""
    codes = land.homes["commune_code"].to_numpy()
    lon, lat = land.homes["lon"].to_numpy(), land.homes["lat"].to_numpy()
    for row in land.some(count):
        house = land.surveys.at[row, "house"]
        way = apart_m(lon[house], lat[house], lon, lat)
        near = way < (12_000 if land.rng.random() < 0.5 else np.inf)
        others = np.flatnonzero((codes != codes[house]) & near)
        for other in land.rng.permutation(others)[:20]:
            sigmas = _beyond(land, row, lon[other], lat[other])
            if sigmas > 3:
                one = np.array([row])
                land.put(one, *land.fix(one, lon[[other]], lat[[other]]), really=True)
                land.surveys.at[row, "sigmas"] = sigmas
                land.mark(one, "wrong_commune")
                break


def over_border(land: Province, count: int) -> None:
    """The point lies 15 to 200 m beyond the nearest border."""
    for row in land.some(count):
        polygon = land.polygons[land.surveys.at[row, "commune_code"]]
        house = shapely.Point(land.surveys.at[row, "true_lon"], land.surveys.at[row, "true_lat"])
        foot = shapely.get_coordinates(shapely.shortest_line(house, polygon.boundary))[1]
        squeeze = np.cos(np.radians(foot[1]))
        away = (foot - [house.x, house.y]) * [squeeze, 1]
        length = float(np.hypot(*away))
        if length == 0:
            continue
        beyond = land.rng.uniform(15, 200)
        lon, lat = moved(foot[:1], foot[1:], *(beyond * away / length))
        if shapely.contains_xy(polygon, lon, lat)[0]:
            continue
        land.put(np.array([row]), lon.round(7), lat.round(7), really=True)
        land.surveys.at[row, "sigmas"] = _beyond(land, row, lon[0], lat[0])
        land.mark(np.array([row]), "over_border")


def _beyond(land: Province, row: int, lon: float, lat: float) -> float:
    """How far a point lies outside the row's commune, in σ of point and border."""
    polygon = land.polygons[land.surveys.at[row, "commune_code"]]
    if shapely.contains_xy(polygon, lon, lat):
        return 0.0
    foot = shapely.get_coordinates(shapely.shortest_line(shapely.Point(lon, lat), polygon))[1]
    metres = apart_m(lon, lat, foot[0], foot[1])
    return float(metres / np.hypot(land.surveys.at[row, "accuracy_m"] / 1.515, BORDER_SIGMA_M))


def swapped(land: Province, count: int) -> None:
    rows = land.some(count)
    land.put(rows, *_point(land, rows)[::-1], really=False)
    land.mark(rows, "swapped")


def lost_sign(land: Province, count: int) -> None:
    rows = land.some(count)
    lon, lat = _point(land, rows)
    which = land.rng.integers(0, 3, len(rows))
    land.put(rows, np.where(which != 0, -lon, lon), np.where(which != 1, -lat, lat), really=False)
    land.mark(rows, "lost_sign")


def degrees_minutes(land: Province, count: int) -> None:
    """21°34.567' written as 21.34567, as 2134.567 or, with seconds, as 21.3434."""
    rows = land.some(count)
    how = land.rng.integers(0, 3, len(rows))
    land.put(rows, *(_as_minutes(values, how) for values in _point(land, rows)), really=False)
    land.mark(rows, "degrees_minutes")


def _as_minutes(values: Floats, how: Rows) -> Floats:
    whole = np.floor(values)
    minutes = (values - whole) * 60
    seconds = (minutes - np.floor(minutes)) * 60
    with_seconds = whole + np.floor(minutes) / 100 + seconds / 10_000
    forms = [whole + minutes / 100, whole * 100 + minutes]
    return np.select([how == 0, how == 1], forms, with_seconds).round(7)


def wrong_zone(land: Province, count: int) -> None:
    """Measured on VN-2000 / TM-3, then said to be in another of its zones."""
    rows = land.some(count)
    zones = ["EPSG:9209", "EPSG:9211", "EPSG:9213", "EPSG:9214", "EPSG:9210"]
    right = _transformer("EPSG:4326", TM3[land.code])
    east, north = (values.round(2) for values in right.transform(*_point(land, rows)))
    given = land.rng.choice([zone for zone in zones if zone != TM3[land.code]], len(rows))
    for zone in np.unique(given):
        some = given == zone
        back = _transformer(str(zone), "EPSG:4326")
        land.put(rows[some], *back.transform(east[some], north[some]), really=False)
    land.surveys.loc[rows, "crs"] = given
    land.mark(rows, "wrong_zone")


def vn2000_single(land: Province, count: int) -> None:
    """VN-2000 degrees sent as WGS 84, where that puts the point out of its commune by > 3 σ."""
    taken = 0
    for row in land.some(len(land.surveys)):
        one = np.array([row])
        lon, lat = _as_vn2000(*_point(land, one))
        sigmas = _beyond(land, row, lon[0], lat[0])
        if sigmas > 3 and taken < count:
            taken += 1
            land.put(one, lon, lat, really=False)
            land.surveys.at[row, "sigmas"] = sigmas
            land.mark(one, "vn2000_single")
        elif taken >= count:
            break


def vn2000_device(land: Province, count: int) -> None:
    """Devices whose app sends VN-2000 as WGS 84, until `count` surveys are shifted."""
    rounds = land.surveys["round"].to_numpy()
    known = land.surveys["device_id"].notna().to_numpy()
    done = 0
    for number in land.rng.permutation(rounds.max() + 1):
        rows = np.flatnonzero((rounds == number) & known)
        if len(rows) and done < count and (land.surveys["fault"].iloc[rows] == "").all():
            land.put(rows, *_as_vn2000(*_point(land, rows)), really=False)
            land.mark(rows, "vn2000_device", together=True)
            done += len(rows)


@cache
def _transformer(one: str, two: str) -> Transformer:
    return Transformer.from_crs(one, two, always_xy=True)


def _as_vn2000(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    lon, lat = _transformer("EPSG:4326", "EPSG:4756").transform(lon, lat)
    return np.round(lon, 7), np.round(lat, 7)


def duplicates(land: Province, count: int) -> None:
    """2 to 6 households one after another with one and the same point, though they live apart."""
    for rows in land.groups(count, 2, 6):
        if _spread(land, rows) > 40:
            lon, lat = _point(land, rows[-1:])
            really = bool(land.rng.random() < 0.5)
            land.put(rows, np.repeat(lon, len(rows)), np.repeat(lat, len(rows)), really=really)
            land.mark(rows, "duplicate_exact", together=True)


def near_duplicates(land: Province, count: int) -> None:
    """3 to 8 households whose points differ by some decimetres only, though they live apart."""
    for rows in land.groups(count, 3, 8):
        if _spread(land, rows) > 150:
            lon, lat = _point(land, rows[-1:])
            lon, lat = moved(lon, lat, *land.rng.uniform(-1.2, 1.2, (2, len(rows))))
            land.put(rows, lon.round(7), lat.round(7), really=True)
            land.mark(rows, "duplicate_near", together=True)


def _spread(land: Province, rows: Rows) -> float:
    lon, lat = (land.surveys[name].to_numpy()[rows] for name in ("true_lon", "true_lat"))
    return float(apart_m(lon[0], lat[0], lon, lat).max())


def rounded(land: Province, count: int) -> None:
    rows = land.some(count)
    digits = 10.0 ** land.rng.choice([2, 3, 3], len(rows))
    lon, lat = _point(land, rows)
    land.put(rows, np.round(lon * digits) / digits, np.round(lat * digits) / digits, really=False)
    land.mark(rows, "rounded")


def mocked(land: Province, count: int) -> None:
    """An app sets the point: at the right house, or somewhere in the commune."""
    rows = land.some(count)
    for row in rows[land.rng.random(len(rows)) < 0.5]:
        place = scattered(land.rng, land.polygons[land.surveys.at[row, "commune_code"]], 1)
        land.put(np.array([row]), *place.T.round(7), really=True)
    land.surveys.loc[rows, "mock_location"] = True
    land.mark(rows, "mocked")


def accuracy(land: Province, count: int) -> None:
    """Accuracies that are 0, missing, or poor (with the error that goes with it)."""
    for kind, value in (("accuracy_zero", 0.0), ("accuracy_missing", np.nan)):
        rows = land.some(count)
        land.surveys.loc[rows, "accuracy_m"] = value
        land.mark(rows, kind)
    rows = land.some(count)
    land.surveys.loc[rows, "accuracy_m"] = land.rng.uniform(150, 900, len(rows)).round(1)
    true = (land.surveys[name].to_numpy()[rows] for name in ("true_lon", "true_lat"))
    land.put(rows, *land.fix(rows, *true), really=False)
    land.mark(rows, "accuracy_poor")


def far_from_hamlet(land: Province, count: int) -> None:
    """Inside the commune, but at a house at least 4 km from every house of its hamlet."""
    homes = land.homes
    commune, hamlet = homes["commune_code"].to_numpy(), homes["hamlet"].to_numpy()
    lon, lat = homes["lon"].to_numpy(), homes["lat"].to_numpy()
    named = land.surveys["house"].map(homes["village"].notna())
    done = 0
    for row in land.some(len(land.surveys), named):
        if done == count:
            return
        house = land.surveys.at[row, "house"]
        here = np.flatnonzero(commune == commune[house])
        own = here[hamlet[here] == hamlet[house]]
        if len(own) < 8:
            continue
        spot = land.rng.choice(here)
        if apart_m(lon[own], lat[own], lon[spot], lat[spot]).min() > 4000:
            one = np.array([row])
            land.put(one, *land.fix(one, lon[[spot]], lat[[spot]]), really=True)
            land.mark(one, "far_from_hamlet")
            done += 1


def far_from_home(land: Province, count: int) -> None:
    """0.6 to 3 km from the house, whose point an earlier review has."""
    homes = land.homes
    known = homes["home_lon"].notna() & ~homes["moved_house"]
    done = 0
    for row in land.some(4 * count, land.surveys["house"].map(known)):
        polygon = land.polygons[land.surveys.at[row, "commune_code"]]
        way, angle = land.rng.uniform(600, 3000), land.rng.uniform(0, 2 * np.pi)
        one = np.array([row])
        step = way * np.cos(angle), way * np.sin(angle)
        lon, lat = moved(*_point(land, one), *step)
        if done < count and shapely.contains_xy(polygon, lon, lat)[0]:
            land.put(one, lon.round(7), lat.round(7), really=True)
            land.mark(one, "far_from_home")
            done += 1


def at_centre(land: Province, count: int) -> None:
    """1 to 6 surveys of a commune get its coordinates from a list, written with 4 to 7 decimals."""
    centre = land.centres.set_index("commune_code")
    for rows in land.groups(count, 1, 6):
        place = centre.loc[land.surveys.at[rows[0], "commune_code"]]
        digits = int(land.rng.integers(4, 8))
        spots = (np.full(len(rows), place[name].round(digits)) for name in ("lon", "lat"))
        land.put(rows, *spots, really=False)
        land.mark(rows, "commune_centre", together=True)


def at_known_place(land: Province, count: int) -> None:
    """1 to 4 forms are filled at the office, the school or the market of the commune."""
    for rows in land.groups(count, 1, 4):
        here = land.places["commune_code"] == land.surveys.at[rows[0], "commune_code"]
        place = land.places[here].sample(1, random_state=land.rng)
        spots = (np.repeat(place[name].to_numpy(), len(rows)) for name in ("lon", "lat"))
        land.put(rows, *land.fix(rows, *spots), really=True)
        land.mark(rows, "known_place", together=True)


def _point(land: Province, rows: Rows) -> tuple[Floats, Floats]:
    lon, lat = (land.surveys[name].to_numpy()[rows] for name in ("lon", "lat"))
    return lon, lat


PLACE: tuple[Inject, ...] = (
    vn2000_single,
    duplicates,
    near_duplicates,
    at_centre,
    at_known_place,
    wrong_commune,
    over_border,
    swapped,
    lost_sign,
    degrees_minutes,
    wrong_zone,
    rounded,
    mocked,
    accuracy,
    far_from_hamlet,
    far_from_home,
)
