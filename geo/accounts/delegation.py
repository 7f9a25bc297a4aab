"""Who may administer which account and give which role where: only within one's own areas."""

from collections.abc import Iterable

from geo.accounts.roles import ROLES, User, reach
from geo.areas import Area
from geo.errors import ForbiddenError, UsageError
from geo.scope import OPERATOR

Place = tuple[str, str]
"""province_code and commune_code as tables hold them: '' for all of a province, both '' for all."""


def place(of: Area) -> Place:
    """Where something stands that belongs to an area; raises UsageError when the area has ended."""
    if of.valid_to is not None:
        raise UsageError(
            f"{of.full_name} ({of.code}) has ended. Choose the province or commune that followed."
        )
    return of.province_code or "", of.commune_code


def check_create(by: User | None, home: Place) -> None:
    """Raise ForbiddenError unless `by` administers all of the new account's area.

    `by` None is the operator on the server's own command line, who may do everything.
    """
    if not _covers(by, home):
        raise ForbiddenError("The area lies outside those that you administer.")


def check_change(by: User | None, account_id: int, home: Place, held: Iterable[Place]) -> None:
    """Raise ForbiddenError unless `by` may alter the account: another's, wholly in their areas.

    held: the places of all its roles, also of those that no longer count.
    """
    if by is None:
        return
    if account_id == by.account_id:
        raise ForbiddenError("Nobody administers their own account; ask another administrator.")
    if not all(_covers(by, one) for one in (home, *held)):
        raise ForbiddenError(
            "This account belongs to, or has a role in, an area that you do not administer; "
            "an administrator above must change it."
        )


def check_grant(
    by: User | None, account_id: int, home: Place, held: Iterable[Place], role: str, where: Place
) -> None:
    """Raise ForbiddenError unless `by` may give the account this role there; UsageError if unknown.

    Who may give a role may take it back.
    """
    if role not in ROLES:
        raise UsageError(f"There is no role {role[:40]!r}; there are {', '.join(ROLES)}.")
    check_change(by, account_id, home, held)
    check_create(by, where)


def _covers(by: User | None, where: Place) -> bool:
    scope = OPERATOR if by is None else reach(by, "accounts.manage")
    province_code, commune_code = where
    return scope.covers(province_code or None, commune_code)
