"""Ways to write an address, and to misspell it, made without the resolver's own word lists."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from sqlalchemy import Connection, text

SHORT = {
    "Thị trấn": "TT.",
    "Thành phố": "TP.",
    "Thị xã": "TX.",
    "Đặc khu": "ĐK.",
    "Phường": "P.",
    "Huyện": "H.",
    "Quận": "Q.",
    "Tỉnh": "T.",
    "Xã": "X.",
}
HAMLETS = (
    *("Thôn 3", "Bản Nà Lốc", "Xóm 7", "Ấp 4", "Tổ dân phố 5", "TDP số 2", "Khu phố 6", "KP.8"),
    *("Khóm 1", "Buôn Tơng", "Làng Kon", "Phum Sóc", "Tổ 12", "Số 15 đường Trần Phú, tổ 2"),
)
NEW_MARKS = (
    "òa",
    "óa",
    "ỏa",
    "õa",
    "ọa",
    "òe",
    "óe",
    "ỏe",
    "õe",
    "ọe",
    "ùy",
    "úy",
    "ủy",
    "ũy",
    "ụy",
)
OLD_MARKS = (
    "oà",
    "oá",
    "oả",
    "oã",
    "oạ",
    "oè",
    "oé",
    "oẻ",
    "oẽ",
    "oẹ",
    "uỳ",
    "uý",
    "uỷ",
    "uỹ",
    "uỵ",
)
ROMAN = frozenset({"I", "II", "III", "IV", "V", "VI", "VII"})
LETTERS = "abcdeghiklmnopqrstuvxy"


@dataclass(frozen=True)
class Place:
    """A commune with its parents, the present province, and the present communes it became."""

    commune: str
    district: str | None
    province: str
    today: str
    codes: frozenset[str]

    def units(self) -> list[str]:
        return [unit for unit in (self.commune, self.district, self.province) if unit]

    def hamlet(self) -> str:
        return HAMLETS[sum(map(ord, self.commune + self.province)) % len(HAMLETS)]


_PLACES = """
SELECT unit.full_name AS commune, district.full_name AS district, province.full_name AS province,
       coalesce(today.full_name, province.full_name) AS today,
       (SELECT array_agg(new.code) FROM area_successor JOIN area AS new ON new.area_id = new_area_id
         WHERE old_area_id = unit.area_id) AS successors, unit.code
  FROM area AS unit
  JOIN area AS province ON province.level = 'province' AND province.code = unit.province_code
   AND (province.valid_to IS NULL) = (unit.valid_to IS NULL)
  LEFT JOIN area AS district ON district.level = 'district' AND district.code = unit.parent_code
   AND unit.valid_to IS NOT NULL
  LEFT JOIN area_successor AS after ON after.old_area_id = province.area_id
  LEFT JOIN area AS today ON today.area_id = after.new_area_id
 WHERE unit.level = 'commune' AND (unit.valid_to IS NULL) = :present
 ORDER BY unit.code
"""


def places(conn: Connection, *, present: bool) -> list[Place]:
    """All communes of one tier."""
    return [
        Place(
            row.commune,
            row.district,
            row.province,
            row.today,
            frozenset([row.code] if present else row.successors),
        )
        for row in conn.execute(text(_PLACES), {"present": present})
    ]


def split(full: str) -> tuple[str, str]:
    """(kind, name) of a full name."""
    kind = next(kind for kind in SHORT if full.startswith(kind + " "))
    return kind, full[len(kind) + 1 :]


def plain(written: str) -> str:
    """`written` typed on a keyboard without Vietnamese."""
    decomposed = unicodedata.normalize("NFD", written.replace("đ", "d").replace("Đ", "D"))
    return decomposed.encode("ascii", "ignore").decode()


def short(full: str) -> str:
    kind, name = split(full)
    return f"{SHORT[kind]} {name}"


def bare(full: str) -> str:
    """The name alone; a number keeps its kind."""
    name = split(full)[1]
    return full if name[0].isdigit() or name.split()[0] in ROMAN else name


def old_marks(written: str) -> str:
    for new, old in zip(NEW_MARKS, OLD_MARKS, strict=True):
        written = written.replace(new, old)
    return written


STYLES: dict[str, Callable[[Place], str]] = {
    "full": lambda p: ", ".join(p.units()),
    "no tone marks": lambda p: plain(", ".join(p.units())).lower(),
    "no commas, no tone marks": lambda p: plain(" ".join(p.units())).lower(),
    "short kinds": lambda p: ", ".join(map(short, p.units())),
    "short kinds, glued": lambda p: ",".join(short(u).replace(". ", ".") for u in p.units()),
    "names only": lambda p: ", ".join(map(bare, p.units())),
    "dashes": lambda p: " - ".join(map(bare, p.units())),
    "largest first": lambda p: ", ".join(p.units()[::-1]),
    "largest first, no commas": lambda p: " ".join(p.units()[::-1]),
    "hamlet without a comma": lambda p: f"{p.hamlet()} {', '.join(p.units())}",
    "hamlet, no commas, no tone marks": lambda p: plain(" ".join([p.hamlet(), *p.units()])).lower(),
    "capitals, decomposed": lambda p: unicodedata.normalize("NFD", ", ".join(p.units()).upper()),
    "old tone marks": lambda p: old_marks(", ".join(p.units())),
    "today's province": lambda p: ", ".join([*p.units()[:-1], p.today]),
    "no province": lambda p: ", ".join(p.units()[:-1]),
}


def misspelt(chance: Random, place: Place) -> Place | None:
    """`place` with one letter of the commune's name changed, dropped, doubled or swapped.

    None where the name has no three letters.
    """
    kind, name = split(place.commune)
    letters = [i for i, c in enumerate(name) if c.isalpha()]
    if len(letters) < 3:
        return None
    i = chance.choice(letters)
    after = name[i + 1 :]
    a = min(i, len(name) - 2)
    ways = (
        name[:i] + chance.choice(LETTERS) + after,
        name[:i] + after,
        name[: i + 1] + name[i] + after,
        name[:a] + name[a + 1] + name[a] + name[a + 2 :],
    )
    return replace(place, commune=f"{kind} {chance.choice(ways)}")
