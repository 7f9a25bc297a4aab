"""The units that an address can name, with their parents, their present successors and names."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from geo.addresses import other_names
from geo.addresses.words import LEVELS_OF_KIND, compared, name_keys, without_kind
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

    letters, marked_letters: the name without spaces, for comparing misspelt ones;
    present_units: itself when present, else what it became; today: their codes, and today_province
    that of the province that holds all of them; merged: what a present province was
    made of; provinces: area_id of each province under whose name the unit may be written → whether
    it is the unit's own.
    """

    area_id: int
    code: str
    level: str
    full_name: str
    kind: str
    present: bool
    marked: list[str]
    letters: str
    marked_letters: str
    district: "Unit | None" = None
    province: "Unit | None" = None
    present_units: "tuple[Unit, ...]" = ()
    era: str = "present"
    today: tuple[str, ...] = ()
    today_province: str | None = None
    merged: "list[Unit]" = field(default_factory=list)
    provinces: dict[int, bool] = field(default_factory=dict)

    def present_provinces(self) -> set[str]:
        """Codes of today's provinces that hold this unit."""
        if self.level == "province":
            return {unit.code for unit in self.present_units}
        own = self.province.present_units if self.province else ()
        units = [unit.province for unit in self.present_units] or own
        return {unit.code for unit in units if unit}

    def to_read(self) -> bool:
        """Whether an address can end at it: a commune, or an island district without communes."""
        return self.level == "commune" or (self.level == "district" and bool(self.present_units))


@dataclass(slots=True)
class Name:
    """The units of one name. below: area_id of a parent → those that may be written under it."""

    communes: list[Unit] = field(default_factory=list)
    above: list[Unit] = field(default_factory=list)
    below: dict[int, list[Unit]] = field(default_factory=dict)
    _of_kind: dict[str, tuple[list[Unit], list[Unit]]] = field(default_factory=dict)

    def of_kind(self, kind: str | None) -> tuple[list[Unit], list[Unit]]:
        """The communes and the units above them that a written kind can mean."""
        if kind is None:
            return self.communes, self.above
        found = self._of_kind.get(kind)
        if found is None:
            levels = LEVELS_OF_KIND[kind]
            found = self._of_kind[kind] = (
                [unit for unit in self.communes if unit.level in levels],
                [unit for unit in self.above if unit.level in levels],
            )
        return found


Trie = dict[str, Any]
"""Word → Trie of the names that go on with it; "" → the Name that ends here."""


class Index:
    """Names word by word, and the communes below each district and province."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.names: Trie = {}
        self.below: dict[int, list[Unit]] = defaultdict(list)
        for unit in units:
            for key in _names(unit):
                self._add(key, unit)
            if unit.to_read():
                for parent in _parents(unit):
                    self.below[parent].append(unit)

    def _add(self, key: tuple[str, ...], unit: Unit) -> None:
        node = self.names
        for word in key:
            node = node.setdefault(word, {})
        name: Name = node.setdefault("", Name())
        if unit.level != "commune":
            name.above.append(unit)
        if unit.to_read():
            name.communes.append(unit)
            for parent in _parents(unit):
                name.below.setdefault(parent, []).append(unit)


def _parents(unit: Unit) -> Iterable[int]:
    if unit.district:
        yield unit.district.area_id
    yield from unit.provinces


def _names(unit: Unit) -> set[tuple[str, ...]]:
    """The ways to write its name, as folded words."""
    keys, marked = name_keys(unit.full_name)
    bare = without_kind(keys)
    names = {bare} | {tuple(name.split()) for name in _others(unit, bare)}
    if marked[:1] == marked[1:2]:
        # `Phường Đúc` is the whole name of a phường; people write its kind once or twice.
        names.add(bare[1:])
    if unit.level != "commune" and len(unit.letters) > 4:
        names.add(("".join(bare),))
    if bare[:2] == ("nong", "truong"):
        names |= {("nt", *bare[2:])}
    return {name for name in names if name}


def _others(unit: Unit, bare: tuple[str, ...]) -> tuple[str, ...]:
    name = " ".join(bare)
    if unit.level == "province":
        former = () if unit.present else other_names.FORMER_PROVINCES.get(name, ())
        return other_names.PROVINCES.get(name, ()) + former
    if unit.level == "district" and unit.province:
        province, _ = name_keys(unit.province.full_name)
        return other_names.DISTRICTS.get((" ".join(without_kind(province)), name), ())
    return ()


def fingerprint(conn: Connection) -> tuple[int, ...]:
    """Numbers that change when the gazetteer that `conn` sees changes."""
    return tuple(conn.execute(text(_FINGERPRINT)).one())


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
    for unit in found.values():
        unit.provinces = _provinces(unit)
        unit.today = tuple(now.code for now in unit.present_units)
        codes = {now.province.code for now in unit.present_units if now.province}
        unit.today_province = codes.pop() if len(codes) == 1 else None
    return list(found.values())


def _provinces(unit: Unit) -> dict[int, bool]:
    """The provinces under whose name it may be written, those of the other tier included."""
    own = unit.province
    if own is None:
        return {}
    others = {other.area_id: False for other in (*own.merged, *own.present_units)}
    return others | {own.area_id: True}


def _unit(row: RowMapping) -> Unit:
    keys, marked = name_keys(row["name"])
    bare = keys[1:] if keys[-1:] and keys[-1].isdigit() and len(keys) == 2 else keys
    return Unit(
        area_id=row["area_id"],
        code=row["code"],
        level=row["level"],
        full_name=row["full_name"],
        kind=fold(row["kind"]),
        present=row["present"],
        era="present" if row["present"] else "former",
        marked=list(marked),
        letters=compared("".join(bare)),
        marked_letters=compared("".join(marked[len(keys) - len(bare) :])),
    )
