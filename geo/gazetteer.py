"""Reads the areas of both tiers from the data files of the `vietnamadminunits` package.

Only its files are read. Its functions, some of which ask a web geocoder, are never imported.
"""

import importlib.util
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from geo.errors import UnavailableError
from geo.text import clean, fold

COUNTRY = "VN"
REFORM = date(2025, 7, 1)
"""First day of the two tiers: 34 provinces and 3,321 communes."""
LAST_DAY_BEFORE = date(2025, 6, 30)

# Two-word kinds first: "Thị trấn" must not be read as the start of something else.
_KINDS = (
    "Thành phố",
    "Thị trấn",
    "Thị xã",
    "Đặc khu",
    "Phường",
    "Huyện",
    "Quận",
    "Tỉnh",
    "Xã",
)
# None: a special zone is rural or urban by its own decision, which the data does not hold.
_URBAN = {"Phường": True, "Thị trấn": True, "Xã": False}

Key = tuple[str, str, date | None]
"""(level, code, valid_from): what tells one area row from every other."""


@dataclass(frozen=True)
class Gazetteer:
    """Rows for the tables `area` and, as (old key, new key), `area_successor`."""

    areas: list[dict[str, object]]
    successors: list[tuple[Key, Key]]


def split_name(full_name: str) -> tuple[str, str, str]:
    """Return (kind, name, full name) of a full name, the kind's capitals made uniform.

    A name that is only a number keeps its kind (`Phường 1`); without a known kind the kind is ''.
    """
    text = clean(full_name)
    for kind in _KINDS:
        if text.lower().startswith(kind.lower() + " "):
            name = text[len(kind) + 1 :]
            full = f"{kind} {name}"
            return kind, full if name.isdecimal() else name, full
    return "", text, text


def area_row(
    level: str,
    code: str,
    full_name: str,
    parent_code: str | None,
    province_code: str | None,
    **other: object,
) -> dict[str, object]:
    """A row for the table `area`; `name_key` is the folded full name."""
    kind, name, full = split_name(full_name)
    return {
        "code": code,
        "level": level,
        "name": name,
        "full_name": full,
        "kind": kind,
        "parent_code": parent_code,
        "province_code": province_code,
        "name_key": fold(full),
        "valid_from": None,
        "valid_to": None,
        "urban": _URBAN.get(kind) if level == "commune" else None,
        "lon": None,
        "lat": None,
        "area_km2": None,
    } | other


def read() -> Gazetteer:
    """Read the whole gazetteer (about 14,150 areas, 0.2 s).

    Raises UnavailableError when the package's files are missing or not as this version knows them.
    """
    folder = _folder()
    try:
        with closing(
            sqlite3.connect(f"{(folder / 'dataset.db').as_uri()}?mode=ro", uri=True)
        ) as file:
            file.row_factory = sqlite3.Row
            old = file.execute("SELECT * FROM admin_units_legacy").fetchall()
            new = file.execute("SELECT * FROM admin_units").fetchall()
        converter = json.loads((folder / "converter_2025.json").read_text(encoding="utf-8"))
        areas = [area_row("country", COUNTRY, "Việt Nam", None, None, kind="Quốc gia")]
        areas += _former(old)
        areas += _present(new)
        return Gazetteer(areas, _successors(old, new, converter))
    except (sqlite3.Error, OSError, ValueError, KeyError, IndexError) as error:
        raise UnavailableError(
            f"The area data in {folder} cannot be read ({error}). Run `make run` again, or install "
            "vietnamadminunits in the version that the lock names."
        ) from error


def _folder() -> Path:
    spec = importlib.util.find_spec("vietnamadminunits")
    if spec is None or spec.origin is None:
        raise UnavailableError("The package vietnamadminunits is missing; `make run` installs it.")
    return Path(spec.origin).parent / "data"


def _former(rows: list[sqlite3.Row]) -> Iterator[dict[str, object]]:
    ended: dict[str, object] = {"valid_to": LAST_DAY_BEFORE}
    seen: set[str] = set()
    for row in rows:
        province, district, commune = row["provinceCode"], row["districtCode"], row["wardCode"]
        if province not in seen:
            seen.add(province)
            place = _place(row, "province")
            yield area_row(
                "province", province, row["province"], COUNTRY, province, **ended, **place
            )
        if district not in seen:
            seen.add(district)
            place = _place(row, "district")
            yield area_row(
                "district", district, row["district"], province, province, **ended, **place
            )
        # Five island districts have no commune.
        if commune:
            place = _place(row, "ward")
            yield area_row("commune", commune, row["ward"], district, province, **ended, **place)


def _present(rows: list[sqlite3.Row]) -> Iterator[dict[str, object]]:
    began: dict[str, object] = {"valid_from": REFORM}
    seen: set[str] = set()
    for row in rows:
        province, commune = row["provinceCode"], row["wardCode"]
        if province not in seen:
            seen.add(province)
            place = _place(row, "province")
            yield area_row(
                "province", province, row["province"], COUNTRY, province, **began, **place
            )
        place = _place(row, "ward") | {"area_km2": row["wardAreaKm2"]}
        yield area_row("commune", commune, row["ward"], province, province, **began, **place)


def _place(row: sqlite3.Row, unit: str) -> dict[str, object]:
    return {"lon": row[f"{unit}Lon"], "lat": row[f"{unit}Lat"]}


def _successors(
    old: list[sqlite3.Row], new: list[sqlite3.Row], converter: dict[str, dict]
) -> list[tuple[Key, Key]]:
    """Old → new, n to n, by the keys that the package itself builds from the names."""
    old_units = {
        f"{r['provinceKey']}_{r['districtKey']}_{r['wardKey'] or ''}": _old_key(r) for r in old
    }
    old_provinces = {r["provinceKey"]: ("province", r["provinceCode"], None) for r in old}
    new_units = {(r["provinceKey"], r["wardKey"]): ("commune", r["wardCode"], REFORM) for r in new}
    new_provinces = {r["provinceKey"]: ("province", r["provinceCode"], REFORM) for r in new}

    pairs: set[tuple[Key, Key]] = set()
    for province, parts in converter["DICT_PROVINCE"].items():
        pairs.update((old_provinces[part], new_provinces[province]) for part in parts)
    for province, communes in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, parts in communes.items():
            pairs.update((old_units[part], new_units[province, commune]) for part in parts)
    for province, divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for part, shares in divided.items():
            pairs.update(
                (old_units[part], new_units[province, share["newWardKey"]]) for share in shares
            )
    return sorted(pairs, key=str)


def _old_key(row: sqlite3.Row) -> Key:
    if row["wardCode"]:
        return ("commune", row["wardCode"], None)
    return ("district", row["districtCode"], None)
