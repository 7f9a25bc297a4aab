"""Counts figures and squares independently of the service: whole tables, in pandas and numpy."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, func, select

from geo import choice_squares
from geo.counter_tables import commune_counter, site_due
from geo.day_squares import LEVEL, SCALES
from geo.pyramid import LEVELS
from geo.tables import KINDS, STAGES, STATUSES, VERDICTS, finding, household, site, survey
from geo.tile_tables import tile_choice, tile_day, tile_square

PLACE = ["province_code", "commune_code"]
_FINISHED = ("completed", "accepted", "handed_over")


def assert_kept(conn: Connection) -> None:
    """Whatever was written: counters, due dates and squares are those of the tables."""
    assert stored_squares(conn) == squares(conn)
    assert stored_days(conn) == days(conn)
    assert stored_choices(conn) == choices(conn)
    assert stored_counters(conn) == counters(conn)
    assert _due_stored(conn) == _due(conn)


def frame(conn: Connection, table: Table, *columns: str) -> pd.DataFrame:
    chosen = [table.c[name] for name in (*PLACE, *columns)]
    if "geom" in table.c:
        chosen += [func.ST_X(table.c.geom).label("lon"), func.ST_Y(table.c.geom).label("lat")]
    found = conn.execute(select(*chosen))
    return pd.DataFrame(found.all(), columns=list(found.keys()), dtype=object)


def morton(lon: float, lat: float, level: int) -> int:
    """The square's code from its column and row, bit by bit."""
    column = int((lon + 180.0) / 360.0 * 2**level)
    row = int((1.0 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2.0 * 2**level)
    return sum(
        (column >> bit & 1) << 2 * bit | (row >> bit & 1) << 2 * bit + 1 for bit in range(level)
    )


def squares(conn: Connection) -> dict[tuple, tuple]:
    """(province, commune, layer, level, square, class) → records, flagged, sums of degrees."""
    doubts = frame(conn, finding, "subject", "subject_id", "rule", "state", "blameless")
    doubts["flagged"] = (doubts["state"] == "open") & ~doubts["blameless"].astype(bool)
    whose = [*PLACE, "subject", "subject_id"]
    flags = set(doubts.loc[doubts["flagged"], whose].itertuples(index=False, name=None))
    surveys = frame(conn, survey, "survey_id", "verdict").rename(
        columns={"survey_id": "id", "verdict": "class"}
    )
    sites = frame(conn, site, "site_code", "stage").rename(
        columns={"site_code": "id", "stage": "class"}
    )
    homes = frame(conn, household, "status").rename(columns={"status": "class"})
    homes["class"] = homes["class"].fillna("")
    homes["flagged"] = False
    for rows, subject in ((surveys, "survey"), (sites, "site")):
        keys = rows[[*PLACE, "id"]].itertuples(index=False, name=None)
        rows["flagged"] = [(p, c, subject, i) in flags for p, c, i in keys]
        rows["subject"] = subject
    subjects = pd.concat([surveys, sites]).rename(columns={"id": "subject_id"})
    placed = doubts.merge(subjects[[*whose, "lon", "lat"]], on=whose).rename(
        columns={"rule": "class"}
    )
    found: dict[tuple, tuple] = {}
    layers = {"surveys": surveys, "households": homes, "sites": sites, "findings": placed}
    for layer, rows in layers.items():
        for record in rows.dropna(subset=["lon"]).to_dict("records"):
            at = record["lon"], record["lat"]
            east, north = (round(degrees * 2**20) / 2**20 for degrees in at)
            for level in LEVELS:
                key = (*(record[name] for name in PLACE), layer, level)
                key += (morton(*at, level), record["class"])
                n, flagged, lon, lat = found.get(key, (0, 0, 0.0, 0.0))
                flagged += bool(record["flagged"])
                found[key] = (n + 1, flagged, lon + east, lat + north)
    return found


def stored_squares(conn: Connection) -> dict[tuple, tuple]:
    keys = list(tile_square.primary_key.columns)
    values = [tile_square.c[name] for name in ("records", "flagged", "lon_sum", "lat_sum")]
    return {tuple(row[:6]): tuple(row[6:]) for row in conn.execute(select(*keys, *values))}


def days(conn: Connection) -> dict[tuple, tuple]:
    """(province, commune, square, scale, block) → surveys and flagged ones by verdict, degrees."""
    doubts = frame(conn, finding, "subject", "subject_id", "state", "blameless")
    of_survey = (doubts["subject"] == "survey") & (doubts["state"] == "open")
    held = doubts[of_survey & ~doubts["blameless"].astype(bool)]
    flags = set(held[[*PLACE, "subject_id"]].itertuples(index=False, name=None))
    found: dict[tuple, list] = {}
    visits = frame(conn, survey, "survey_id", "verdict", "surveyed_at").dropna(subset=["lon"])
    for row in visits.to_dict("records"):
        pair = row["province_code"], row["commune_code"]
        at = row["lon"], row["lat"]
        local = pd.Timestamp(row["surveyed_at"]).tz_convert("Etc/GMT-7").date()
        day = (local - date(1970, 1, 1)).days
        for scale in SCALES:
            key = (*pair, morton(*at, LEVEL), scale, math.floor(day / 2**scale))
            numbers = found.setdefault(key, [0] * 8 + [0.0, 0.0])
            kind = VERDICTS.index(row["verdict"])
            numbers[kind] += 1
            numbers[4 + kind] += (*pair, row["survey_id"]) in flags
            for place, degrees in enumerate(at):
                numbers[8 + place] += round(degrees * 2**20) / 2**20
    return {key: tuple(numbers) for key, numbers in found.items()}


def stored_days(conn: Connection) -> dict[tuple, tuple]:
    keys = [tile_day.c[name] for name in (*PLACE, "square", "scale", "block")]
    kinds = [tile_day.c[f"{kind}{end}"] for end in ("", "_flagged") for kind in VERDICTS]
    values = [*kinds, tile_day.c.lon_sum, tile_day.c.lat_sum]
    return {tuple(row[:5]): tuple(row[5:]) for row in conn.execute(select(*keys, *values))}


def choices(conn: Connection) -> dict[tuple, tuple]:
    """Every key of tile_choice → records, flagged, held, sums of degrees."""
    homes = frame(conn, household, "household_code", "status", "received_at")
    visits = frame(conn, survey, "survey_id", "verdict", "surveyed_at")
    houses = frame(conn, site, "site_code", "stage", "verdict", "received_at")
    doubts = frame(conn, finding, "subject", "subject_id", "rule", "state", "blameless")
    held = (doubts["state"] == "open") & ~doubts["blameless"].astype(bool)
    whose = [*PLACE, "subject", "subject_id"]
    flags = set(doubts.loc[held, whose].itertuples(index=False, name=None))
    about = {key: [] for key in doubts[whose].itertuples(index=False, name=None)}
    for row, is_held in zip(doubts.to_dict("records"), held, strict=True):
        about[tuple(row[name] for name in whose)].append((row["rule"], row["state"], is_held))
    found: dict[tuple, list] = {}

    def count(layer: str, row: dict, when: str, chosen: tuple, flagged: bool, held: bool) -> None:
        at = row["lon"], row["lat"]
        local = pd.Timestamp(row[when]).tz_convert("Etc/GMT-7").date()
        for scale in choice_squares.SCALES:
            block = math.floor((local - date(1970, 1, 1)).days / 2**scale)
            square = morton(*at, choice_squares.LEVEL)
            key = (*(row[name] for name in PLACE), layer, scale, block, square, *chosen)
            numbers = found.setdefault(key, [0, 0, 0, 0.0, 0.0])
            for place, more in enumerate((1, flagged, held)):
                numbers[place] += more
            for place, degrees in enumerate(at):
                numbers[3 + place] += round(degrees * 2**20) / 2**20

    for row in homes.dropna(subset=["lon"]).to_dict("records"):
        chosen = ("", row["status"] or "", "", "")
        count("households", row, "received_at", chosen, flagged=False, held=False)
    for subject, rows, name, when in (
        ("survey", visits, "survey_id", "surveyed_at"),
        ("site", houses, "site_code", "received_at"),
    ):
        for row in rows.dropna(subset=["lon"]).to_dict("records"):
            key = (*(row[part] for part in PLACE), subject, row[name])
            kind, verdict = row.get("stage", ""), row["verdict"]
            if subject == "site":
                count("sites", row, when, ("", kind, verdict, ""), key in flags, held=False)
            for rule, state, is_held in about.get(key, ()):
                chosen = (rule, kind, verdict, state)
                count(f"{subject}_findings", row, when, chosen, key in flags, is_held)
    return {key: tuple(numbers) for key, numbers in found.items()}


def stored_choices(conn: Connection) -> dict[tuple, tuple]:
    names = (*PLACE, "layer", "scale", "block", "square", "rule", "class", "verdict", "state")
    names += ("records", "flagged", "held", "lon_sum", "lat_sum")
    found = conn.execute(select(*(tile_choice.c[name] for name in names)))
    return {tuple(row[:10]): tuple(row[10:]) for row in found}


def counters(conn: Connection) -> dict[tuple, dict[str, Any]]:
    """Every commune with a record → its counters that are not 0 or unknown."""
    homes = frame(conn, household, "household_code", "status")
    visits = frame(conn, survey, "household_code", "verdict", "surveyed_at")
    houses = frame(conn, site, "kind", "stage", "stage_on", "cost_planned", "cost_paid")
    found: dict[tuple, dict[str, Any]] = {}
    communes = pd.concat([homes[PLACE], visits[PLACE], houses[PLACE]]).drop_duplicates()
    for pair in communes.itertuples(index=False, name=None):
        here, seen, built = (
            rows[(rows[PLACE[0]] == pair[0]) & (rows[PLACE[1]] == pair[1])]
            for rows in (homes, visits, houses)
        )
        poor = set(here.loc[here["status"] == "poor", "household_code"])
        visited = set(seen["household_code"])
        inside = set(seen.loc[seen["verdict"] == "inside", "household_code"])
        last = seen["surveyed_at"].max() if len(seen) else None
        days = [pd.Timestamp(day, tz="Asia/Ho_Chi_Minh") for day in built["stage_on"].dropna()]
        counts = {
            "households": len(here),
            "poor": len(poor),
            "near_poor": int((here["status"] == "near_poor").sum()),
            "rated": int(here["status"].isin(STATUSES).sum()),
            "surveyed": len(visited),
            "verified": len(inside),
            "poor_surveyed": len(poor & visited),
            "surveys": len(seen),
            **{verdict: int((seen["verdict"] == verdict).sum()) for verdict in VERDICTS},
            "last_survey": last,
            "last_activity": max([*days, *([last] if last else [])], default=None),
            **{
                f"{kind}_{stage}": int(((built["kind"] == kind) & (built["stage"] == stage)).sum())
                for kind in KINDS
                for stage in STAGES
            },
            "cost_planned": int(built["cost_planned"].dropna().sum()),
            "cost_paid": int(built["cost_paid"].dropna().sum()),
        }
        found[pair] = {name: value for name, value in counts.items() if value}
    return found


def stored_counters(conn: Connection) -> dict[tuple, dict[str, Any]]:
    told = {}
    for row in conn.execute(select(commune_counter)).mappings():
        values = {name: value for name, value in row.items() if value and name not in PLACE}
        if values:
            told[row["province_code"], row["commune_code"]] = values
    return told


def _due(conn: Connection) -> dict[tuple, int]:
    rows = frame(conn, site, "stage", "due_on").dropna(subset=["due_on"])
    left = rows[~rows["stage"].isin(_FINISHED)]
    return left.groupby([*PLACE, "due_on"]).size().to_dict()


def _due_stored(conn: Connection) -> dict[tuple, int]:
    keys = [site_due.c[name] for name in (*PLACE, "due_on")]
    return {tuple(row[:3]): row[3] for row in conn.execute(select(*keys, site_due.c.unfinished))}
