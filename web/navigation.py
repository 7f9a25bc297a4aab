"""What the head of each page offers to who is signed in: only pages that they may open."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from api.access import caller, own_area
from geo.accounts import roles
from geo.areas import Area


@dataclass(frozen=True)
class Entry:
    """A page of the menu: what it needs, and the parameter by which it is told an area."""

    name: str
    action: str
    endpoint: str
    label: LazyString
    parameter: str = ""


ENTRIES = (
    Entry("progress", "figures.read", "progress.area_page", _l("Tiến độ"), "code"),
    Entry("audit", "records.read", "audit.index", _l("Kiểm tra vị trí"), "area"),
    Entry("targeting", "figures.read", "targeting.index", _l("Ưu tiên hỗ trợ"), "area"),
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
            stays = area is not None and opens(area, entry.action)
            code = area.code if area and stays else own_area(user, entry.action)
            values = {entry.parameter: code}
        yield entry.name, url_for(entry.endpoint, **values), entry.label


def opens(area: Area, action: str = "figures.read") -> bool:
    """Whether a page about `area` that needs `action` is open to who asks."""
    user = caller().user
    if user is None or area.valid_to is not None:
        return False
    elsewhere = action == "figures.read" and user.may("figures.elsewhere")
    return elsewhere or roles.can(user, action, area)
