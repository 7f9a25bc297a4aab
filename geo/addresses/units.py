"""The units that an address can name, with their parents, their present successors and names."""

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, text

from geo.addresses.words import FORMER_PROVINCE_ALIASES, PROVINCE_ALIASES, name_keys, without_kind
from geo.db import sql
from geo.text import fold

_FINGERPRINT = """
SELECT count(*), coalesce(sum(hashtext(concat_ws('|', area_id, level, code, full_name, valid_to))
       ::bigint), 0)::bigint,
       (SELECT coalesce(sum(hashtext(concat_ws('>', old_area_id, new_area_id))::bigint), 0)::bigint
          FROM area_successor)
  FROM area
"""


@dataclass(slots=True, eq=False)
class Unit:
    """One area of one era, with what the search needs ready.

    present_units: itself when present, else what it became; merged: what a present province
    was made of.
    """

    area_id: int
    code: str
    level: str
    full_name: str
    kind: str
    present: bool
    marked: tuple[str, ...]
    district: "Unit | None" = None
    province: "Unit | None" = None
    present_units: "tuple[Unit, ...]" = ()
    merged: "list[Unit]" = field(default_factory=list)

    def present_provinces(self) -> set[str]:
        """Codes of today's provinces that hold this unit."""
        if self.level == "province":
            return {unit.code for unit in self.present_units}
        return {unit.province.code for unit in self.present_units if unit.province}


def fingerprint(conn: Connection) -> tuple[int, ...]:
    """Numbers that change when the gazetteer that `conn` sees changes."""
    return tuple(conn.execute(text(_FINGERPRINT)).one())


def index(listed: list[Unit]) -> dict[str, list[Unit]]:
    """Folded name, and the other ways to write it → the units of that name."""
    names: dict[str, list[Unit]] = defaultdict(list)
    for unit in listed:
        keys, _ = name_keys(unit.full_name)
        bare = without_kind(keys)
        for key in {" ".join(bare), " ".join(without_kind(bare)), *_aliases(unit, " ".join(bare))}:
            if key:
                names[key].append(unit)
    return dict(names)


def _aliases(unit: Unit, name: str) -> tuple[str, ...]:
    if unit.level != "province":
        return ()
    former = () if unit.present else FORMER_PROVINCE_ALIASES.get(name, ())
    return PROVINCE_ALIASES.get(name, ()) + former


def units(conn: Connection) -> list[Unit]:
    """All provinces, districts and communes, each linked to its parents and to today's units."""
    rows = conn.execute(sql("address_units")).mappings().all()
    found = {row["area_id"]: _unit(row) for row in rows}
    for row in rows:
        unit = found[row["area_id"]]
        unit.district = found.get(row["district_id"])
        unit.province = found.get(row["province_id"])
        unit.present_units = tuple(found[i] for i in row["present_ids"] if i in found)
    for unit in found.values():
        if unit.level == "province" and not unit.present:
            for province in unit.present_units:
                province.merged.append(unit)
    return list(found.values())


def _unit(row: RowMapping) -> Unit:
    return Unit(
        area_id=row["area_id"],
        code=row["code"],
        level=row["level"],
        full_name=row["full_name"],
        kind=fold(row["kind"]),
        present=row["present"],
        marked=name_keys(row["name"])[1],
    )
