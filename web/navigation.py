"""What the head of each page offers to who is signed in: only pages that they may open."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from api.access import caller, own_area
from geo.accounts import roles
from geo.accounts.roles import User
from geo.areas import Area


@dataclass(frozen=True)
class Entry:
    """A page of the menu: what it needs, and the parameter by which it is told an area.

    compares: the page shows communes beside each other, so it needs more than one of them.
    """

    name: str
    action: str
    endpoint: str
    label: LazyString
    parameter: str = ""
    compares: bool = False


ENTRIES = (
    Entry("progress", "figures.read", "progress.area_page", _l("Tiến độ"), "code"),
    Entry("audit", "records.read", "audit.index", _l("Kiểm tra vị trí"), "area"),
    Entry("targeting", "figures.read", "targeting.index", _l("Ưu tiên hỗ trợ"), "area", True),
    Entry("intake", "surveys.send", "intake.index", _l("Nhập dữ liệu")),
    Entry("accounts", "accounts.manage", "accounts.index", _l("Tài khoản")),
    Entry("teams", "accounts.manage", "teams.index", _l("Nhóm")),
    Entry("access_log", "log.read", "access_log.index", _l("Nhật ký")),
)


def install(app: Flask) -> None:
    """Give templates the menu, and what decides whether something is a link."""
    app.jinja_env.globals.update(menu=menu, opens=opens)


def menu(area: Area | None = None) -> Iterator[tuple[str, str, LazyString]]:
    """Name, address and label of the pages that are open; they stay at the page's `area`."""
    user, unsettled = caller().user, caller().unsettled
    if user is None or unsettled:
        return
    for entry in ENTRIES:
        if not user.may(entry.action):
            continue
        values: dict[str, Any] = {}
        if entry.parameter:
            code = _compared(user, area) if entry.compares else _at(user, entry.action, area)
            if code is None:
                continue
            values = {entry.parameter: code}
        yield entry.name, url_for(entry.endpoint, **values), entry.label


def _at(user: User, action: str, area: Area | None) -> str:
    """The code of the page's area where that is open, else of the user's own."""
    return area.code if area and opens(area, action) else own_area(user, action)


def _compared(user: User, area: Area | None) -> str | None:
    """The same for a page about communes of a whole province; None for who sees none whole."""
    scope = roles.reach(user, "figures.read")
    if scope.everything or scope.figures_elsewhere:
        return _at(user, "figures.read", area)
    if area and scope.covers(area.province_code):
        return area.code
    return min(scope.provinces, default=None)


def opens(area: Area, action: str = "figures.read") -> bool:
    """Whether a page about `area` that needs `action` is open to who asks."""
    user = caller().user
    if user is None or area.valid_to is not None:
        return False
    elsewhere = action == "figures.read" and user.may("figures.elsewhere")
    return elsewhere or roles.can(user, action, area)
