"""Addresses that lead to no commune yet: look-alikes together, fixed once for all of them."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api import entries
from api.access import asked, begin, current, needs, note, query_text
from geo import addresses, areas
from geo.accounts import roles
from geo.address_fixes import fixing, groups, stored
from geo.address_fixes.groups import Group
from geo.areas import Area
from geo.audit.actors import By
from geo.config import settings
from geo.persons import history
from geo.scope import Scope
from web import household_page, own_areas
from web.forms import Refused, attempt, typed
from web.shell import area_or_none, chosen, page

pages = Blueprint("addresses", __name__, url_prefix="/addresses")

LOOK, FIX = "records.read", "records.send"
PAGE_SIZE = 25
FOUND = 12
REASONS = {
    "unknown": _l("Không đọc được xã nào"),
    "conflict": _l("Các cấp không khớp nhau"),
    "successors": _l("Xã cũ đã chia cho nhiều xã"),
    "namesakes": _l("Có nhiều xã cùng tên"),
    "unsure": _l("Chưa đủ tin cậy"),
}


@pages.get("")
@needs(LOOK)
def index() -> str:
    """The groups of an area, the largest first, and the fixes that lead there."""
    reason = chosen("reason", REASONS, "")
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        sheet = groups.listing(conn, area, reason)
        first = PAGE_SIZE * (_number("page", 1, len(sheet.groups) // PAGE_SIZE + 1) - 1)
        shown = sheet.groups[first : first + PAGE_SIZE]
        note(subject="addresses", query=query_text(), rows=len(shown))
        return page(
            conn,
            "addresses.html",
            active="addresses",
            area=area,
            title=_("Địa chỉ chưa xác định") + ": " + area.full_name,
            options=own_areas.around(conn, area, LOOK),
            sheet=sheet,
            shown=shown,
            first=first,
            size=PAGE_SIZE,
            reason=reason,
            reasons=REASONS,
            names=own_areas.names(conn, _codes(shown), area),
            fixes=stored.listing(conn, area),
            may_undo=lambda fix: _covers(fix["province_code"], fix["commune_code"]),
            may_fix=current().may(FIX),
        )


@pages.get("/one")
@needs(LOOK)
def one() -> str:
    """One group, or an address that was typed: what it may mean, its households, the form."""
    with begin() as conn:
        return _one(conn, asked(conn, request.args.get("area")), request.args)


@pages.post("/fix")
@needs(FIX)
def fix() -> Response | tuple[str, int]:
    """Choose the commune for an address and its look-alikes."""
    note(subject="address", reason=typed("reason")[:500], durable=True)

    def made(conn: Connection) -> fixing.Made:
        found = fixing.make(conn, typed("text"), typed("commune"), typed("reason"), _by())
        note(
            subject_id=str(found.fix_id),
            province_code=found.commune.province_code,
            commune_code=found.commune.code,
            rows=found.moved,
        )
        return found

    done = attempt(made)
    if isinstance(done, Refused):
        with begin(LOOK) as conn:
            area = asked(conn, typed("area") or None, LOOK)
            return _one(conn, area, request.form, done), done.status
    name = done.commune.full_name
    flash(_("Đã chọn %(name)s; %(n)s hộ được chuyển về.", name=name, n=done.moved), "done")
    _flash_left(done)
    return redirect(url_for("addresses.index", area=typed("area") or None), 303)


@pages.post("/fixes/<int:fix_id>/undo")
@needs(FIX)
def undo(fix_id: int) -> Response:
    """Take a fix back."""
    note(subject="address", subject_id=str(fix_id), reason=_("Hoàn tác"), durable=True)

    with entries.change() as conn:
        done = fixing.undo(conn, fix_id, _by())
        note(
            province_code=done.commune.province_code,
            commune_code=done.commune.code,
            rows=done.moved,
        )
    flash(_("Đã hoàn tác; %(n)s hộ trở lại chưa rõ xã.", n=done.moved), "done")
    _flash_left(done)
    return redirect(url_for("addresses.index", area=typed("area") or None), 303)


def _one(conn: Connection, area: Area, given: Any, refused: Refused | None = None) -> str:
    text = given.get("text", "").strip()[:500]
    group = _group(conn, area, text, given.get("province", ""), given.get("key", ""))
    households = groups.households(conn, group)
    query = given.get("q", "").strip()[:100]
    note(subject="addresses", subject_id=group.key[:200], rows=len(households))
    here = _here(conn, dict.fromkeys([*group.candidates, given.get("commune", "")]))
    found = [o for o in _search(conn, query, group) if o[0] not in dict(here)]
    said = addresses.resolver(conn).resolve(text or group.texts[0])
    return page(
        conn,
        "address.html",
        active="addresses",
        area=area,
        title=_("Địa chỉ chưa xác định") + ": " + group.example[:80],
        group=group,
        text=text or group.texts[0],
        by_text=bool(text),
        said=said,
        sure=bool(said.commune_code) and said.confidence >= settings().address_confidence,
        households=households,
        reasons=REASONS,
        names=own_areas.names(conn, group.candidates, area),
        options=here + found,
        query=query,
        given=given,
        fixes=[f for f in stored.listing(conn, area) if f["key"] == group.key],
        may_fix=current().may(FIX),
        page_of=household_page.address,
        shortest=history.SHORTEST,
        longest=history.LONGEST,
        refused=refused,
    )


def _group(conn: Connection, area: Area, text: str, province_code: str, key: str) -> Group:
    """The group that is asked for; of a typed address also where no household has it."""
    if text:
        said = addresses.resolver(conn).resolve(text)
        shared = stored.shared(text, said)
        made = Group(
            said.province_code or area.province_code or "",
            shared.key,
            groups.why(said, shared.levels),
            shared.safe,
            shared.shown or text,
            candidates=list(said.candidates),
            texts=[text],
        )
        return groups.find(conn, area, made.province_code, made.key) or made
    return groups.one(conn, area, province_code, key)


def _search(conn: Connection, query: str, group: Group) -> list[own_areas.Option]:
    """Communes of one's own areas, and of the group's province, whose names match."""
    own, province = roles.reach(current(), FIX), group.province_code
    near = Scope(provinces=frozenset({province})) if own.covers(province) else own
    found = areas.search(conn, query, 60, first=near) if query else []
    codes = [
        one.code
        for one in found
        if one.level == "commune"
        and one.valid_to is None
        and group.province_code in ("", "00", one.province_code)
    ]
    return _here(conn, codes[:FOUND])


def _here(conn: Connection, codes: Iterable[str]) -> list[own_areas.Option]:
    """Those of some present communes where who asks may fix addresses, with their names."""
    kept = []
    for code in codes:
        one = area_or_none(conn, code) if code else None
        if one and one.commune_code and _covers(one.province_code, one.code):
            kept.append((one.code, own_areas.titled(one)))
    return kept


def _covers(province_code: str | None, commune_code: str) -> bool:
    return roles.reach(current(), FIX).covers(province_code, commune_code)


def _codes(shown: Iterable[Group]) -> set[str]:
    return {code for group in shown for code in group.candidates}


def _by() -> By:
    return By(current().account_id, current().full_name)


def _number(name: str, least: int, most: int) -> int:
    given = request.args.get(name, "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 7 else least
    return max(least, min(number, most))


def _flash_left(done: fixing.Made) -> None:
    if done.left:
        codes = ", ".join(done.left[:10])
        flash(
            _(
                "%(n)s hộ ở nguyên chỗ cũ vì nơi đến đã có mã ấy: %(codes)s",
                n=len(done.left),
                codes=codes,
            ),
            "failed",
        )
