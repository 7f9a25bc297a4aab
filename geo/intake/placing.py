"""Where a household belongs: by its commune code, else its address, else its own point."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from geo import addresses, boundaries
from geo.address_fixes import stored
from geo.config import settings
from geo.geometry import Floats
from geo.tables import NO_COMMUNE, NO_PROVINCE, area, area_successor
from geo.verdicts.matching import INSIDE, AreaShapes, Recorded, judge


def unknown_commune(code: str) -> str:
    """Why a row with this commune code is refused: nobody knows it."""
    return (
        f"commune_code: “{code}” is neither a present nor a former commune; leave it blank when "
        "it is not known"
    )


def not_your_commune(code: str) -> str:
    """Why a row with this commune code is refused: the sender does not work there."""
    return f"commune_code: “{code}” is not in your areas"


def unsure(candidates: Sequence[str]) -> tuple[str, ...]:
    """Candidates beside which the place may be another: a point can only be inside one of them.

    The place that nobody knows stands among them as NO_COMMUNE, which has no polygon.
    """
    return (*candidates, NO_COMMUNE) if candidates else ()


@dataclass(frozen=True)
class Place:
    """The present commune of a household, or the candidates among which it is not decided.

    placed_by: code, address, fix, point, survey; None while undecided. confidence: of the address.
    """

    province_code: str = NO_PROVINCE
    commune_code: str = NO_COMMUNE
    candidates: tuple[str, ...] = ()
    placed_by: str | None = None
    area_id: int | None = None
    confidence: float | None = None


class Places:
    """Looks places up for one import; addresses that repeat are resolved once."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._known: dict[str, Place] = {}

    def of_code(self, code: str, by: str = "code") -> Place | None:
        """The place of a commune code: present, another source's, or former; None if unknown."""
        found = self._codes.get(code)
        if found is None:
            return None
        area_id, present = found
        return self._among(present, Place(placed_by=by, area_id=area_id, confidence=1.0))

    def of_address(self, text: str, province_code: str | None = None) -> Place:
        """The place of an address text; `province_code` is what the row says of its province."""
        key = f"{province_code}\n{text}"
        if key not in self._known:
            self._known[key] = self._read(text, province_code)
        return self._known[key]

    def _read(self, text: str, province_code: str | None) -> Place:
        """What the resolver reads surely; else what a person decided of look-alikes; else open."""
        said = self._resolver.resolve(text)
        start = Place(
            province_code=said.province_code or province_code or NO_PROVINCE,
            placed_by="address",
            area_id=said.area_id,
            confidence=said.confidence,
        )
        if said.commune_code and said.confidence >= settings().address_confidence:
            return self._among(said.candidates, start)
        place = self._open(said.candidates, start)
        return self._fixed(text, said, place, province_code) or place

    def _fixed(
        self,
        text: str,
        said: addresses.Resolution,
        place: Place,
        province_code: str | None,
    ) -> Place | None:
        """Where fixes in scope lead an open address: candidates, where they lead apart."""
        if not self._fixes:
            return None
        shared = stored.shared(text, said)
        targets = self._fixes.get(shared.key, ()) if shared.safe else ()
        codes = [
            code
            for province, code in targets
            if province_code in (None, province) and self.province_of(code) == province
        ]
        return self._among(sorted(codes), place, "fix") if codes else None

    def narrowed(self, place: Place, text: str) -> Place:
        """An open place of a code, or the one among its candidates that a fix of `text` chose."""
        fixed = self.of_address(text)
        if fixed.placed_by == "fix" and fixed.commune_code in place.candidates:
            return self._among((fixed.commune_code,), place, "fix")
        return place

    def by_points(
        self, places: Sequence[Place], lon: Floats, lat: Floats, accuracy_m: Floats
    ) -> list[Place]:
        """Decide between candidates where a household's own point lies inside one of them."""
        open_ = [i for i, place in enumerate(places) if place.candidates]
        open_ = [i for i in open_ if lon[i] == lon[i]]
        decided = list(places)
        if open_ and len(self.shapes):
            recorded = Recorded.lists([places[i].candidates for i in open_])
            found = judge(
                self.shapes, lon[open_], lat[open_], accuracy_m[open_], recorded, settings()
            )
            for i, verdict, code in zip(open_, found.verdict, found.recorded_code, strict=True):
                if verdict == INSIDE:
                    decided[i] = self._among((code,), places[i], "point")
        return decided

    def province_of(self, commune_code: str) -> str:
        """The province of a present commune; NO_PROVINCE for an unknown code."""
        return self._provinces.get(commune_code, NO_PROVINCE)

    def province_alone(self, commune_code: str) -> str:
        """The same, asked for by itself: one survey need not read the provinces of all communes."""
        found = self._conn.scalar(
            select(area.c.province_code).where(
                area.c.code == commune_code, area.c.level == "commune", area.c.valid_to.is_(None)
            )
        )
        return found or NO_PROVINCE

    def ready(self) -> AreaShapes:
        """The polygons; the provinces are read too, so that neither is asked for later."""
        self.provinces  # noqa: B018 - read and kept
        return self.shapes

    @cached_property
    def provinces(self) -> frozenset[str]:
        """The codes of the present provinces."""
        return frozenset(self._provinces.values())

    @cached_property
    def shapes(self) -> AreaShapes:
        """The polygons of the present communes."""
        return boundaries.shapes(self._conn)

    def _among(self, codes: Sequence[str], place: Place, by: str | None = None) -> Place:
        """`place` with these present communes: decided by one, undecided among several."""
        single = len(codes) == 1
        provinces = {self.province_of(code) for code in codes}
        return Place(
            province_code=provinces.pop() if len(provinces) == 1 else place.province_code,
            commune_code=codes[0] if single else NO_COMMUNE,
            candidates=() if single else tuple(codes),
            placed_by=(by or place.placed_by) if single else None,
            area_id=place.area_id,
            confidence=place.confidence,
        )

    def _open(self, codes: Sequence[str], place: Place) -> Place:
        """`place` left open among these present communes, which may be a single unsure one."""
        several = self._among(codes, place)
        return replace(several, commune_code=NO_COMMUNE, candidates=tuple(codes), placed_by=None)

    @cached_property
    def _fixes(self) -> dict[str, set[stored.Target]]:
        return stored.in_force(self._conn)

    @cached_property
    def _resolver(self) -> addresses.Resolver:
        # Asked for once: each asking looks whether the gazetteer has changed.
        return addresses.resolver(self._conn)

    @cached_property
    def _provinces(self) -> dict[str, str]:
        found = self._conn.execute(
            select(area.c.code, area.c.province_code).where(
                area.c.level == "commune", area.c.valid_to.is_(None)
            )
        )
        return dict(map(tuple, found))

    @cached_property
    def _codes(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """code → (area_id, present codes); a present code counts before a former one."""
        communes = area.c.level == "commune"
        after = aliased(area)
        former = self._conn.execute(
            select(area.c.code, area.c.area_id, after.c.code.label("present"))
            .join(area_successor, area_successor.c.old_area_id == area.c.area_id)
            .join(after, after.c.area_id == area_successor.c.new_area_id)
            .where(communes, area.c.valid_to.is_not(None), after.c.valid_to.is_(None))
            .order_by(area.c.code, after.c.code)
        )
        codes: dict[str, tuple[int, tuple[str, ...]]] = {}
        for code, area_id, present in former:
            codes[code] = (area_id, (*codes.get(code, (area_id, ()))[1], present))
        now = self._conn.execute(
            select(area.c.code, area.c.area_id, area.c.other_codes).where(
                communes, area.c.valid_to.is_(None)
            )
        ).all()
        for others in (True, False):
            for code, area_id, other_codes in now:
                for known in other_codes if others else (code,):
                    codes[known] = (area_id, (code,))
        return codes
