"""Households whose addresses lead to no commune, for the tests of the page and of fixes."""

from sqlalchemy import Connection, select

from geo import areas
from geo.address_fixes import groups
from geo.address_fixes.groups import Group
from geo.scope import Scope
from geo.tables import household
from tests import intake_world as world
from tests.intake_world import load

WHY = "Đối chiếu sổ hộ khẩu của xã"
UNKNOWN = "Thôn 3, xã Bông Lúa, huyện Cũ, Tỉnh Thử Một"
DIVIDED = "Thôn 3, xã Phân Đôi, huyện Cũ, Tỉnh Thử Một"
ALIKE = (
    UNKNOWN,
    "Số 12 đường Trần Phú, thôn 7, X. Bông Lúa, H. Cũ, T. Thử Một",
    "bản nà lốc xa bong lua huyen cu tinh thu mot",
)


def province(action: str = "records.send", *codes: str) -> Scope:
    return Scope(provinces=frozenset(codes or ("01",)), write=True, action=action, account_id=7)


def officer(*codes: str) -> Scope:
    return Scope(communes=frozenset(codes), write=True, action="records.send", account_id=7)


def add(conn: Connection, *addresses: str, **more: object) -> None:
    """Households H1, H2 … with these addresses and no commune code."""
    rows = [
        world.household(f"H{i}", recorded_address=one, commune_code=None, **more)
        for i, one in enumerate(addresses, 1)
    ]
    assert load(conn, "households", *rows).added == len(rows)


def listed(conn: Connection, code: str = "01") -> list[Group]:
    return groups.listing(conn, areas.get(conn, code)).groups


def where(conn: Connection) -> dict[str, tuple[str, str | None]]:
    """Household code → its commune, and what placed it there."""
    rows = conn.execute(
        select(household.c.household_code, household.c.commune_code, household.c.placed_by)
    )
    return {row[0]: (row[1], row[2]) for row in rows}
