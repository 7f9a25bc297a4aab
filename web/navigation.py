"""What the head of each page offers to who is signed in: only pages that they may open."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection

from api.access import caller, own_area
from geo import scope
from geo.accounts import roles
from geo.address_fixes import groups
from geo.areas import Area
from web.formats import number


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
    Entry("map", "figures.read", "map_page.area_page", _l("Bản đồ"), "code"),
    Entry("audit", "records.read", "audit.index", _l("Kiểm tra vị trí"), "area"),
    Entry("addresses", "records.read", "addresses.index", _l("Địa chỉ"), "area"),
    Entry("targeting", "figures.read", "targeting.index", _l("Ưu tiên hỗ trợ"), "area"),
    Entry("intake", "surveys.send", "intake.index", _l("Nhập dữ liệu")),
    Entry("accounts", "accounts.manage", "accounts.index", _l("Tài khoản")),
    Entry("teams", "accounts.manage", "teams.index", _l("Nhóm")),
    Entry("access_log", "log.read", "access_log.index", _l("Nhật ký")),
)


def install(app: Flask) -> None:
    """Give templates the menu, and what decides whether something is a link."""
    app.jinja_env.globals.update(menu=menu, opens=opens)


def menu(area: Area | None = None) -> Iterator[tuple[str, str, LazyString | str]]:
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
        count = g.get("waiting", {}).get(entry.name)
        label = f"{entry.label} ({number(count)})" if count else entry.label
        yield entry.name, url_for(entry.endpoint, **values), label


def count(conn: Connection) -> None:
    """Count what waits behind entries of the menu, where the page's transaction sees all of it."""
    user = caller().user
    if user is None or not user.may("records.read"):
        return
    reach, seen = roles.reach(user, "records.read"), scope.of(conn)
    if not (reach.everything or reach.provinces):
        return
    if seen.everything or (not reach.everything and reach.provinces <= seen.provinces):
        g.waiting = {"addresses": groups.waiting(conn, reach)}


def opens(area: Area, action: str = "figures.read") -> bool:
    """Whether a page about `area` that needs `action` is open to who asks."""
    user = caller().user
    if user is None or area.valid_to is not None:
        return False
    elsewhere = action == "figures.read" and user.may("figures.elsewhere")
    return elsewhere or roles.can(user, action, area)
