"""The areas that who asks may choose from: to look at, to make an account in, to give a role in."""

import re
from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from sqlalchemy import Connection

from api.access import caller, current
from geo import areas
from geo.accounts import roles
from geo.accounts.roles import User
from geo.areas import Area
from geo.errors import RejectedError
from web.shell import area_or_none, with_province

Option = tuple[str, str]
"""Code and name of an area."""

_CODE = re.compile(r"(?:.*\()?([A-Z0-9]{2,5})\)?", re.DOTALL)
_FOUND = 60


class SeveralError(RejectedError):
    """A name fits several areas; `options` are those to choose from."""

    def __init__(self, message: str, options: Sequence[Option]):
        super().__init__(message)
        self.options = list(options)


def allowed(area: Area, action: str) -> bool:
    """Whether who asks may do the action in all of an area."""
    user = caller().user
    return user is not None and roles.can(user, action, area)


def above(conn: Connection, area: Area, action: str) -> list[Area]:
    """The areas above one that are the user's, too, the highest first."""
    return [one for one in areas.ancestors(conn, area.code) if allowed(one, action)]


def beyond(conn: Connection, area: Area, action: str) -> bool:
    """Whether an area above lies outside the user's, so that its people stay unseen."""
    return any(not allowed(one, action) for one in areas.ancestors(conn, area.code))


def around(conn: Connection, area: Area, action: str) -> list[Option]:
    """What a page about an area lets choose: the user's own areas, those above and below it."""
    higher = above(conn, area, action)
    known = {one.code for one in (*higher, area)}
    own = [one for one in _roots(conn, current(), action) if one.code not in known]
    listed = [*own, *higher, area]
    below = [(one.code, f"— {one.full_name}") for one in areas.children(conn, area.code)]
    beside = {one.code for one in own}
    return [(one.code, one.full_name) for one in listed] + [
        option for option in below if option[0] not in beside
    ]


def suggestions(conn: Connection, area: Area, action: str) -> list[str]:
    """The user's areas near one as a form takes them: the area, its children or its siblings."""
    near = areas.children(conn, area.code)
    if not near and area.parent_code:
        near = areas.children(conn, area.parent_code)
    found = [area, *above(conn, area, action), *near]
    kept = {one.code: titled(one) for one in found if allowed(one, action)}
    return list(kept.values())


def names(conn: Connection, codes: Iterable[str], near: Area) -> dict[str, str]:
    """code → full name of present areas; of communes with their province unless `near` tells it."""
    wanted = {code for code in codes if code}
    known = areas.present(conn, wanted)
    others = (area_or_none(conn, code) for code in sorted(wanted.difference(known)))
    return {
        one.code: with_province(conn, one, near) if one.level == "commune" else one.full_name
        for one in (*known.values(), *others)
        if one
    }


def titled(area: Area) -> str:
    """An area as a form's field holds it."""
    return f"{area.full_name} ({area.code})"


def named(conn: Connection, text: str, action: str) -> Area:
    """The present area that a form's field names: by a code, else by a name among the user's own.

    Raises RejectedError when none is meant, SeveralError when several may be.
    """
    wanted = text.strip()
    if not wanted:
        raise RejectedError(_("Chọn địa bàn."))
    code = _CODE.fullmatch(wanted)
    if code and (found := area_or_none(conn, code[1])):
        return found
    own = [
        one
        for one in areas.search(conn, wanted, _FOUND, first=roles.reach(current(), action))
        if one.valid_to is None and one.level != "district" and allowed(one, action)
    ]
    if not own:
        raise RejectedError(
            _("Không có địa bàn “%(name)s” trong các địa bàn của bạn.", name=wanted[:80])
        )
    if len(own) > 1:
        raise SeveralError(
            _("Có nhiều địa bàn giống tên này; chọn một trong danh sách."),
            [(one.code, _full(conn, one)) for one in own],
        )
    return own[0]


def _full(conn: Connection, area: Area) -> str:
    province = area.level == "commune" and area_or_none(conn, str(area.province_code))
    return f"{area.full_name}, {province.full_name} ({area.code})" if province else titled(area)


def _roots(conn: Connection, user: User, action: str) -> list[Area]:
    """The areas of the user's roles that have the action."""
    held = [one.area_code for one in user.assignments if action in roles.ROLES[one.role].actions]
    found = (area_or_none(conn, code) for code in dict.fromkeys(held))
    return [one for one in found if one]
