"""What a corrected address changes: the household's commune, and the verdicts of its visits."""

from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from geo import areas, moving, scope
from geo.audit import run as audit
from geo.errors import ConflictError, RejectedError
from geo.intake.placing import Place, Places
from geo.intake.session import Key
from geo.moving import Move
from geo.persons import holding
from geo.tables import NO_COMMUNE, household_status, site, survey


def by_address(conn: Connection, stored: RowMapping, address: str) -> tuple[Key, dict[str, Any]]:
    """Move a household to where its new address leads; its key from then on, and what to store.

    It stays where the address does not decide. Raises RejectedError for an address outside of the
    areas in scope or of its province, ConflictError where its code is taken in the new commune.
    """
    key = holding.key_of(stored)
    place = Places(conn).of_address(address)
    told = {"recorded_area_id": place.area_id, "address_confidence": place.confidence}
    if not place.commune_code:
        _check_candidates(place, key[1])
        # Of a household that is placed already an unclear address tells nothing new.
        open_ = key[1] == NO_COMMUNE and place.province_code == key[0]
        return key, told | ({"candidates": list(place.candidates)} if open_ else {})
    if place.commune_code == key[1]:
        return key, told
    _check_target(conn, place, key)
    target = (key[0], place.commune_code, key[2])
    if not moving.move(conn, [Move(*key, place.commune_code)], placed_by="address"):
        name = areas.get(conn, place.commune_code).full_name
        raise ConflictError(
            f"{name} has a household, survey or site with this code already; nothing was changed."
        )
    return target, told | {"candidates": []}


def _check_candidates(place: Place, commune_code: str) -> None:
    if commune_code and place.candidates and commune_code not in place.candidates:
        raise RejectedError(
            "recorded_address: the address leads to several other communes; name the one of today."
        )


def _check_target(conn: Connection, place: Place, key: Key) -> None:
    found = areas.get(conn, place.commune_code)
    if not scope.of(conn).covers(place.province_code, place.commune_code):
        raise RejectedError(
            f"recorded_address: the address leads to {found.full_name} ({found.code}), which is "
            "not in your areas; ask who works for the province to correct it."
        )
    if place.province_code != key[0]:
        raise RejectedError(
            f"recorded_address: the address leads to {found.full_name} ({found.code}) in another "
            "province; enter the household there and remove it here."
        )


def judge_again(conn: Connection, key: Key, communes: set[tuple[str, str]]) -> None:
    """Hold surveys and sites without an address of their own against the new commune.

    communes: takes up those whose counts the caller has to renew.
    """
    for table in (survey, site):
        own = (holding.is_(key, table), table.c.recorded_address.is_(None))
        conn.execute(update(table).where(*own).values(candidates=[key[1]]))
    audit.run(conn, areas.get(conn, key[1]), household_code=key[2], communes=communes)


def statuses(conn: Connection, key: Key) -> dict[int, str]:
    """year → status of a household."""
    found = conn.execute(
        select(household_status.c.year, household_status.c.status).where(
            holding.is_(key, household_status)
        )
    )
    return {row.year: row.status for row in found}
