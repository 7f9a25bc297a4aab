"""The world of the matrix: two provinces with two communes each, all marked, and people in it.

Whatever stands in an area carries a mark that nothing else in the world carries: one for records,
one for people, one for the access log. A leak is a foreign mark in an answer.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, insert, select, text, update

from geo import areas, boundaries, cells, metrics, pyramid, trail
from geo.account_tables import (
    account,
    handover,
    login_session,
    record_change,
    team,
    team_member,
    token,
)
from geo.accounts.sealing import fingerprint, seal
from geo.audit_tables import address_fix, photo
from geo.counter_tables import commune_counter, commune_revision, site_due
from geo.personal_ids import context
from geo.photos import files
from geo.tables import (
    area,
    boundary,
    boundary_version,
    finding,
    household,
    household_status,
    import_conflict,
    import_job,
    site,
    site_stage,
    survey,
    verdict_history,
)
from geo.text import fold
from tests import people, pictures
from tests.page_data import box

WHEN = datetime(2026, 10, 5, 1, 30, tzinfo=UTC)
VERDICTS = ("inside", "uncertain", "outside", "unlocated")
COMMON_NAME = "Nguyễn Văn Chung"
"""Part of every household's name, so that a search for it finds all that it may."""


@dataclass(frozen=True)
class Spot:
    """An area with what stands in it and in none of its children; `lon` is its western edge."""

    key: str
    code: str
    above: tuple[str, ...]
    lon: float
    province_code: str = ""
    commune_code: str = ""

    @property
    def household(self) -> str:
        return f"{self.mark('R')}-H1"

    @property
    def site(self) -> str:
        return f"{self.mark('R')}-N1"

    @property
    def login(self) -> str:
        return f"{self.mark('P')}.worker"

    @property
    def number(self) -> int:
        return list(SPOTS).index(self.key) + 1

    @property
    def national_id(self) -> str:
        """The personal ID of its first household's head."""
        return f"0{self.number:02}09000{self.number}{self.number}77"

    @property
    def survey(self) -> str:
        return self.survey_of("inside")

    @property
    def record_province(self) -> str:
        """Where its records stand: those of the country are in no province."""
        return self.province_code or "00"

    def mark(self, kind: str) -> str:
        """The mark of its records (R), people (P) or log entries (L)."""
        return f"zqx{self.key.lower()}{kind.lower()}z"

    def survey_of(self, verdict: str) -> str:
        place = VERDICTS.index(verdict)
        return f"{self.survey_mark}-{place:012d}"

    @property
    def photo(self) -> str:
        """The id of the photo of its first survey."""
        return f"{self.survey_mark}-00000000bbbb"

    @property
    def survey_mark(self) -> str:
        return f"{self.number}{self.number}a7c3e5-0000-4000-8000"

    @property
    def covers(self) -> tuple[str, ...]:
        """The keys of itself and of all spots below it."""
        return tuple(one.key for one in SPOTS.values() if self.key in (one.key, *one.above))


SPOTS = {
    spot.key: spot
    for spot in (
        Spot("V0", "VN", (), 105.9),
        Spot("A0", "01", ("V0",), 105.7, "01"),
        Spot("A1", "00101", ("V0", "A0"), 105.0, "01", "00101"),
        Spot("A2", "00102", ("V0", "A0"), 105.1, "01", "00102"),
        Spot("B1", "00201", ("V0", "B0"), 105.2, "02", "00201"),
        Spot("B2", "00202", ("V0", "B0"), 105.3, "02", "00202"),
        Spot("B0", "02", ("V0",), 105.8, "02"),
    )
}
BY_CODE = {spot.code: spot for spot in SPOTS.values()}
SMALL = SPOTS["B2"]
"""Its figures count 3 households, so they are hidden from planners elsewhere, and with them those
of the next larger row of its province, B1."""


@dataclass
class Ids:
    """The numbers that the database gave to what stands in the spots."""

    accounts: dict[str, int] = field(default_factory=dict)
    teams: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    revisits: dict[str, int] = field(default_factory=dict)
    fixes: dict[str, int] = field(default_factory=dict)


def build(conn: Connection) -> Ids:
    """Fill an empty database."""
    _areas(conn)
    for name in ("account", "token", "team"):
        # Numbers of one length, so that those of what does not exist differ in nothing else.
        conn.execute(text(f"ALTER TABLE {name} ALTER COLUMN {name}_id RESTART WITH 5001"))
    conn.execute(text("ALTER TABLE address_fix ALTER COLUMN fix_id RESTART WITH 5001"))
    conn.execute(text("ALTER TABLE audit_sample ALTER COLUMN sample_id RESTART WITH 5001"))
    conn.execute(text("ALTER TABLE audit_decision ALTER COLUMN decision_id RESTART WITH 5001"))
    conn.execute(text("ALTER TABLE revisit ALTER COLUMN revisit_id RESTART WITH 5001"))
    ids = Ids()
    for spot in SPOTS.values():
        _people(conn, spot, ids)
        _records(conn, spot)
        _bookkeeping(conn, spot, ids)
        _figures(conn, spot)
        pyramid.recount(conn, [(spot.record_province, spot.commune_code)])
    _acquainted(conn, ids)
    return ids


def _areas(conn: Connection) -> None:
    version = conn.execute(
        insert(boundary_version).returning(boundary_version.c.version),
        {"source": "squares", "licence": "MIT", "accuracy_m": 25.0},
    ).scalar_one()
    for spot in SPOTS.values():
        level = ("country", "province", "commune")[len(spot.above)]
        name = f"Nơi {spot.key}"
        area_id = conn.execute(
            insert(area)
            .values(
                code=spot.code,
                level=level,
                name=name,
                full_name=f"Xã {name}",
                kind="Xã",
                parent_code=SPOTS[spot.above[-1]].code if spot.above else None,
                province_code=spot.province_code or None,
                name_key=fold(name),
            )
            .returning(area.c.area_id)
        ).scalar_one()
        shape = box(spot.lon, 21.0, spot.lon + 0.1, 21.1)
        conn.execute(
            insert(boundary).values(area_id=area_id, version=version, geom=shape, area_km2=1.0)
        )
    boundaries.draw(conn)


def _national_id(spot: Spot, number: int) -> dict[str, Any]:
    if number != 1:
        return {}
    sealed = seal(spot.national_id, context(spot.record_province, spot.household))
    return {
        "national_id_sealed": sealed,
        "national_id_print": fingerprint(spot.national_id),
        "national_id_end": spot.national_id[-3:],
    }


def _people(conn: Connection, spot: Spot, ids: Ids) -> None:
    """An account of the spot with a role, a session, a token, a group and a hand-over."""
    mark, place = spot.mark("P"), _place(spot)
    account_id = people.add(conn, f"officer@{spot.code}", login=spot.login)
    ids.accounts[spot.key] = account_id
    conn.execute(
        update(account)
        .where(account.c.account_id == account_id)
        .values(full_name=f"Người {mark}", position=f"Chức vụ {mark}", last_login_at=WHEN)
    )
    soon = datetime.now(UTC) + timedelta(hours=5)
    _add(conn, login_session, session_hash=bytes([spot.number]) * 32, account_id=account_id,
         agent=f"agent {mark}", expires_at=soon)  # fmt: skip
    for number in range(1, 3):
        token_id = conn.execute(
            insert(token).returning(token.c.token_id),
            {
                "token_hash": bytes([spot.number, number]) * 16,
                "account_id": account_id,
                "name": f"token {mark}",
                "actions": ["records.read"],
                "expires_at": soon,
            },
        ).scalar_one()
        ids.tokens[spot.key] = token_id
    team_id = conn.execute(
        insert(team).returning(team.c.team_id),
        {"name": f"Tổ {mark}", "kind": f"loại {mark}", "area_code": spot.code, **place},
    ).scalar_one()
    ids.teams[spot.key] = team_id
    _add(conn, team_member, team_id=team_id, account_id=account_id, position=f"tổ trưởng {mark}")
    _add(conn, handover, area_code=spot.code, from_account_id=account_id,
         to_account_id=account_id, reason=f"lý do {mark}", **place)  # fmt: skip


def _acquainted(conn: Connection, ids: Ids) -> None:
    """What joins areas without opening one to the other: a role and a group held from outside."""
    stranger, here = ids.accounts["B1"], SPOTS["A1"]
    people.give(conn, stranger, "supervisor", here.code)
    _add(conn, team_member, team_id=ids.teams["A1"], account_id=stranger)
    _add(conn, handover, area_code=here.code, from_account_id=stranger,
         to_account_id=ids.accounts["A1"], **_place(here))  # fmt: skip


def _records(conn: Connection, spot: Spot) -> None:
    mark, key = spot.mark("R"), _key(spot)
    common = {**key, "content_hash": "x"}
    for number, status in enumerate(("poor", "near_poor", "none"), 1):
        name = f"{COMMON_NAME} {mark} {number}"
        _add(
            conn, household, **common, household_code=f"{mark}-H{number}", head_name=name,
            recorded_address=f"Thôn {mark}", village=f"Thôn {mark}", ethnicity=f"dân tộc {mark}",
            status=status, status_year=2026, members=4, search_key=fold(f"{name} Thôn {mark}"),
            attributes={"ghi chú": mark}, **_point(spot, number), **_national_id(spot, number),
        )  # fmt: skip
    _add(conn, household_status, **key, household_code=spot.household, year=2025, status="poor")
    for number, verdict in enumerate(VERDICTS, 1):
        located = {} if verdict == "unlocated" else _point(spot, number)
        _add(
            conn, survey, **common, survey_id=spot.survey_of(verdict),
            household_code=spot.household, surveyed_at=WHEN,
            enumerator=f"ĐTV {mark}", recorded_address=f"Thôn {mark}",
            device_id=f"máy {mark}", photo=f"{mark}.jpg", verdict=verdict, judged_at=WHEN,
            accuracy_m=12.0, attributes={"ghi chú": mark}, **located,
            recorded_code=spot.commune_code or None, boundary_version=1,
            **({} if verdict == "unlocated" else {"distance_m": -50.5, "probability": 0.5}),
        )  # fmt: skip
        _add(conn, finding, **key, subject="survey", subject_id=spot.survey_of(verdict),
             rule="outside", severity=3, evidence={"distance_m": -50.5, "mark": mark})  # fmt: skip
    picture = pictures.jpeg(spot.number)
    _add(conn, photo, **key, subject="survey", subject_id=spot.survey, sha256=spot.mark("R"),
         photo_id=spot.photo, household_code=spot.household, file_name=f"{mark}.jpg",
         camera=f"máy {mark}", exif="stripped", hash=spot.number, width=160, height=120,
         bytes=len(picture))  # fmt: skip
    _add(conn, verdict_history, **key, subject="survey", subject_id=spot.survey,
         replaced_at=WHEN, verdict="uncertain", probability=0.3)  # fmt: skip
    _add(
        conn, site, **common, site_code=spot.site, household_code=spot.household, kind="new",
        stage="roof", stage_on=date(2026, 9, 1), due_on=date(2026, 9, 30), stream=f"nguồn {mark}",
        recorded_address=f"Thôn {mark}", cost_planned=60_000_000, **_point(spot, 5),
    )  # fmt: skip
    _add(conn, site_stage, **key, site_code=spot.site, stage="roof", stage_on=date(2026, 9, 1))
    _add(conn, finding, **key, subject="site", subject_id=spot.site, rule="outside",
         severity=3, evidence={"mark": mark})  # fmt: skip


def put_photos() -> None:
    """The files of the spots' photos, where one is missing."""
    for spot in SPOTS.values():
        if not files.there(spot.photo):
            files.write(spot.photo, pictures.jpeg(spot.number))


def _bookkeeping(conn: Connection, spot: Spot, ids: Ids) -> None:
    """Copies kept aside, imports, corrections, and what the log says."""
    mark, key = spot.mark("R"), _key(spot)
    for kind, code in (
        ("households", spot.household),
        ("surveys", spot.survey),
        ("sites", spot.site),
    ):
        _add(conn, import_conflict, **key, kind=kind, key=code, content_hash="y",
             row={"head_name": mark}, reason=f"khác {mark}")  # fmt: skip
    report = {
        "rows": 4, "added": 3, "updated": 0, "unchanged": 0, "conflicts": 0, "rejected": 1,
        "problems": [{"line": 2, "reason": f"hỏng {mark}"}], "notes": {}, "dry_run": False,
        "seconds": 1.0, "verdicts": {},
    }  # fmt: skip
    _add(
        conn, import_job, import_id=f"{spot.survey_mark}-00000000aaaa", kind="surveys",
        account_id=ids.accounts[spot.key], source=f"tệp {mark}.csv", started_at=WHEN,
        finished_at=WHEN, report=report, **_place(spot),
    )  # fmt: skip
    _add(conn, record_change, **key, subject="household", subject_id=spot.household,
         field="head_name", old_value=f"cũ {mark}", new_value=f"mới {mark}",
         reason=f"sửa {mark}")  # fmt: skip
    if spot.commune_code:
        fix = insert(address_fix).returning(address_fix.c.fix_id)
        told = {"key": f"xa {mark}", "example": f"xã {mark}", "reason": f"lý do {mark}"}
        ids.fixes[spot.key] = conn.execute(fix, {**key, **told}).scalar_one()
    logged, who = spot.mark("L"), spot.mark("P")
    for outcome in ("allowed", "denied"):
        trail.append(
            conn,
            trail.Entry(
                "page", "records.read", outcome, ids.accounts[spot.key], f"{who}.worker",
                subject="household", subject_id=f"{logged}-H1", query=f"q={logged}",
                reason=logged, address=f"{logged}.example", **_place(spot),
            ),
        )  # fmt: skip


def _figures(conn: Connection, spot: Spot) -> None:
    """Counts that no other spot has, whatever its records are: they mark every sum as well."""
    names = [c.name for c in commune_counter.c if c.name not in _NO_COUNT]
    own = spot.number * 1_000_000
    counts = {name: own + place * 7_919 + 1 for place, name in enumerate(names)}
    if spot is SMALL:
        counts["households"] = 3
    _add(conn, commune_counter, **_key(spot), **counts, last_activity=WHEN)
    _add(conn, commune_revision, **_key(spot), revision=own + 990_003)
    _add(conn, site_due, **_key(spot), due_on=date(2020, 1, 1), unfinished=own + 990_001)


_NO_COUNT = ("province_code", "commune_code", "last_survey", "last_activity")


def figure_marks(conn: Connection) -> dict[str, frozenset[int]]:
    """Spot → the large numbers among the figures of its area, and of its unresolved records."""
    found: dict[str, set[int]] = {}
    for spot in SPOTS.values():
        of_area = metrics.figures(conn, areas.get(conn, spot.code))
        own = conn.execute(
            select(commune_counter).where(
                commune_counter.c.province_code == spot.record_province,
                commune_counter.c.commune_code == spot.commune_code,
            )
        ).one()
        numbers = (*of_area.values(), *own._mapping.values())
        found[spot.key] = {n for n in numbers if isinstance(n, int) and n > 1_000_000}
    often = Counter(number for numbers in found.values() for number in numbers)
    return {
        key: frozenset(number for number in numbers if often[number] == 1)
        for key, numbers in found.items()
    }


def _place(spot: Spot) -> dict[str, str]:
    return {"province_code": spot.province_code, "commune_code": spot.commune_code}


def _key(spot: Spot) -> dict[str, str]:
    return {"province_code": spot.record_province, "commune_code": spot.commune_code}


def _point(spot: Spot, number: int) -> dict[str, Any]:
    lon, lat = spot.lon + 0.01 * number, 21.05
    (cell,) = cells.stored(np.array([lon]), np.array([lat]))
    return {"geom": f"SRID=4326;POINT({lon!r} {lat!r})", "cell": cell}


def _add(conn: Connection, table: Table, **values: Any) -> None:
    conn.execute(insert(table).values(**values))
