"""The gazetteer: administrative areas of both tiers, their history, and how to find them."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
)

from geo import gazetteer
from geo.db import sql
from geo.errors import NotFoundError, UsageError
from geo.gazetteer import COUNTRY as COUNTRY
from geo.scope import Scope
from geo.tables import area, area_successor
from geo.text import clean, fold

_COLUMNS = (
    area.c.area_id,
    area.c.code,
    area.c.level,
    area.c.name,
    area.c.full_name,
    area.c.kind,
    area.c.parent_code,
    area.c.province_code,
    area.c.valid_from,
    area.c.valid_to,
)
_PRESENT = area.c.valid_to.is_(None)
_PRESENT_BY_CODE = select(*_COLUMNS).where(area.c.code == bindparam("code"), _PRESENT)
_FUZZY_SIMILARITY = 0.5


def _upwards() -> Select[Any]:
    """A present area by its code and all above it, the highest first."""
    lowest = (
        select(*_COLUMNS, literal(0).label("steps"))
        .where(area.c.code == bindparam("code"), _PRESENT)
        .cte("upwards", recursive=True)
    )
    higher = area.alias("higher")
    columns = [higher.c[column.name] for column in _COLUMNS]
    upwards = lowest.union_all(
        select(*columns, lowest.c.steps + 1).where(
            higher.c.code == lowest.c.parent_code, higher.c.valid_to.is_(None)
        )
    )
    named = [upwards.c[column.name] for column in _COLUMNS]
    return select(*named).order_by(upwards.c.steps.desc())


_UPWARDS = _upwards()


@dataclass(frozen=True)
class Area:
    """One administrative area during the days when it was as described here."""

    area_id: int
    code: str
    level: str
    name: str
    full_name: str
    kind: str
    parent_code: str | None
    province_code: str | None
    valid_from: date | None
    valid_to: date | None

    @property
    def commune_code(self) -> str:
        """The code as records and scopes hold it: '' for what is no commune."""
        return self.code if self.level == "commune" else ""


def load_gazetteer(conn: Connection) -> dict[str, int]:
    """Fill the tables of areas and successors where they are empty; counts per level and era.

    Keys are `country`, `province former`, `province present`, `district former`,
    `commune former`, `commune present` and `successors`.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('ancu.gazetteer'))"))
    if conn.execute(select(area.c.area_id).limit(1)).first() is None:
        read = gazetteer.read()
        conn.execute(insert(area), read.areas)
        stored = conn.execute(select(area.c.level, area.c.code, area.c.valid_from, area.c.area_id))
        ids = {(row.level, row.code, row.valid_from): row.area_id for row in stored}
        conn.execute(
            insert(area_successor),
            [{"old_area_id": ids[old], "new_area_id": ids[new]} for old, new in read.successors],
        )
    return counts(conn)


def counts(conn: Connection) -> dict[str, int]:
    """How many areas of each level and era are stored, and how many successor pairs."""
    era = case((area.c.level == "country", ""), (_PRESENT, " present"), else_=" former")
    label = area.c.level.concat(era)
    found = conn.execute(select(label, func.count()).group_by(label).order_by(label))
    pairs = conn.execute(select(func.count()).select_from(area_successor)).scalar_one()
    return {row[0]: row[1] for row in found} | {"successors": pairs}


def get(conn: Connection, code: str, on: date | None = None) -> Area:
    """The area with `code` (or another code that sources use for it), present or as of `on`.

    Raises NotFoundError.
    """
    # Nearly always it is the code itself of a present one, which an index knows.
    found = conn.execute(_PRESENT_BY_CODE, {"code": code}).first() if on is None else None
    if found is None:
        found = conn.execute(
            select(*_COLUMNS)
            .where(or_(area.c.code == code, area.c.other_codes.contains([code])), _on(on))
            .order_by((area.c.code == code).desc())
            .limit(1)
        ).first()
    if found is None:
        when = f" on {on.isoformat()}" if on else ""
        raise NotFoundError(f"There is no area with the code {clean(code)[:20]!r}{when}.")
    return _area(found)


def present(conn: Connection, codes: Iterable[str]) -> dict[str, Area]:
    """The present areas with these codes, by code; unknown ones are left out."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    found = conn.execute(select(*_COLUMNS).where(area.c.code.in_(wanted), _PRESENT))
    return {one.code: one for one in map(_area, found)}


def children(conn: Connection, code: str) -> list[Area]:
    """The present areas directly below `code`, in Vietnamese order."""
    found = conn.execute(select(*_COLUMNS).where(area.c.parent_code == code, _PRESENT))
    return sorted(map(_area, found), key=lambda a: (name_order(a.name), a.code))


def ancestors(conn: Connection, code: str) -> list[Area]:
    """The present areas above `code`, the country first; raises NotFoundError."""
    found = [_area(row) for row in conn.execute(_UPWARDS, {"code": code})]
    if not found:
        # Known by another code, or unknown.
        return ancestors(conn, get(conn, code).code)
    return found[:-1]


def successors(conn: Connection, area_id: int) -> list[Area]:
    """The areas that the former area was merged into or divided among, by code."""
    return successors_of(conn, [area_id])[area_id]


def successors_of(conn: Connection, area_ids: Collection[int]) -> dict[int, list[Area]]:
    """The same of several former areas, by the id of each."""
    followed: dict[int, list[Area]] = {area_id: [] for area_id in area_ids}
    if not followed:
        return followed
    former = area_successor.c.old_area_id
    found = conn.execute(
        select(*_COLUMNS, former)
        .join(area_successor, area_successor.c.new_area_id == area.c.area_id)
        .where(former.in_(sorted(followed)))
        .order_by(area.c.code)
    )
    for row in found:
        followed[row.old_area_id].append(_area(row))
    return followed
    return [_area(row) for row in found]


def search(
    conn: Connection,
    query: str,
    limit: int = 20,
    on: date | None = None,
    within: Scope | None = None,
    first: Scope | None = None,
) -> list[Area]:
    """Areas whose name or code matches, best first and present before former.

    Case, tone marks and tone placement do not matter. A misspelt name is looked for by
    likeness when nothing matches as written. With `on` only areas valid on that day,
    with `within` only present ones that the scope covers. Of `first` the present ones come first,
    so that those of the whole country do not take the places of own ones.
    """
    wanted = fold(query)[:100]
    if not wanted:
        return []
    own = within or first
    told = {
        "wanted": wanted,
        "on": on,
        "limit": max(1, min(limit, 200)),
        "anywhere": within is None or within.everything,
        "provinces": sorted(own.provinces) if own else [],
        "communes": sorted(own.communes) if own else [],
    }
    found = conn.execute(sql("area_search"), told).all()
    if not found:
        found = conn.execute(
            sql("area_search_alike"), {**told, "similarity": _FUZZY_SIMILARITY}
        ).all()
    return [_area(row) for row in found]


def scope(of: Area, table: Table) -> ColumnElement[bool]:
    """The condition for the rows of `table` (province_code, commune_code) within an area.

    Raises UsageError for a district or another area that has ended: rows stand in today's areas.
    """
    if of.level == "country":
        return true()
    if of.valid_to is not None:
        raise UsageError(
            f"{of.full_name} ({of.code}) ended on {of.valid_to.isoformat()}. "
            "Ask for the province or commune that followed it."
        )
    within: ColumnElement[bool] = table.c.province_code == of.province_code
    return and_(within, table.c.commune_code == of.code) if of.level == "commune" else within


_ALPHABET = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {mark: place for place, mark in enumerate("\u0300\u0309\u0303\u0301\u0323", start=1)}
_PARTS = re.compile(r"\d+|\D")


@lru_cache(maxsize=20_000)
def name_order(name: str) -> tuple[object, ...]:
    """Sort key for Vietnamese names: a ă â … d đ …, tones only break ties, 2 before 10.

    The order of tones is that of Vietnamese dictionaries: none, huyền, hỏi, ngã, sắc, nặng.
    """
    letters: list[tuple[int, int]] = []
    tones: list[int] = []
    for part in _PARTS.findall(unicodedata.normalize("NFC", name.lower())):
        if part.isdecimal():
            letters.append((0, int(part)))
            tones.append(0)
            continue
        marks = unicodedata.normalize("NFD", part)
        tone = next((m for m in marks if m in _TONES), "")
        plain = unicodedata.normalize("NFC", marks.replace(tone, "") if tone else marks)
        place = _ALPHABET.get(plain)
        letters.append((-1, ord(part)) if place is None else (1, place))
        tones.append(_TONES.get(tone, 0))
    return tuple(letters), tuple(tones)


def _on(on: date | None) -> ColumnElement[bool]:
    if on is None:
        return _PRESENT
    day = literal(on)
    return and_(
        or_(area.c.valid_from.is_(None), area.c.valid_from <= day),
        or_(area.c.valid_to.is_(None), area.c.valid_to >= day),
    )


def _area(row: Row) -> Area:
    return Area(**{column.name: getattr(row, column.name) for column in _COLUMNS})
