"""Decisions from the desk: one reason for one or many, undone again, or refused in words."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, request, session
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from api.access import asked, begin, current, needs, note
from api.audit import note_place
from geo import scope
from geo.audit import decisions, lately, queue
from geo.audit.actors import By
from geo.audit.repairs import Key, Point
from geo.errors import ConflictError, NotFoundError, RejectedError
from geo.paging import Record
from web import audit, desk
from web.desk import Desk
from web.desk_case import DECIDE
from web.forms import Refused, all_typed, attempt, typed

pages = Blueprint("decisions", __name__, url_prefix="/audit")

Answer = Response | tuple[str, int]


@pages.post("/decisions")
@needs(DECIDE)
def decide() -> Answer:
    """Decide about the rows that are ticked, or about whole cases ticked in the list."""
    return _answered(_decide, typed("next"))


@pages.post("/reopen")
@needs(DECIDE)
def reopen() -> Answer:
    """Take all that was decided about one row back, unless somebody decided since it was shown."""
    key, last = desk.read_key(typed("subject")), typed("seen")
    seen = {key: int(last)} if key and _is_id(last) else None

    def do(conn: Connection) -> list[Record]:
        return _reopened(conn, [key] if key else [], seen)

    return _answered(do)


@pages.post("/undo")
@needs(DECIDE)
def undo() -> Answer:
    """Take back what was decided at once, where nothing else was decided about it since."""
    number = typed("decision_id")

    def do(conn: Connection) -> list[Record]:
        made = lately.made_with(conn, int(number)) if _is_id(number) else []
        keys = [lately.key_of(one) for one in made if audit.saved_here(number, one)]
        if not keys:
            raise NotFoundError(_("Không còn kết luận này để hoàn tác."))
        return _reopened(conn, keys)

    return _answered(do)


def _answered(do: Callable[[Connection], list[Record]], next_case: str | None = None) -> Answer:
    """Back to the desk: at the next case, without one at the first that was decided about.

    What was refused comes back with its form as it was typed.
    """
    given = all_typed()
    back = Desk.read(typed("back"))
    note(subject="audit", reason=_told(given), durable=True)
    done = attempt(do)
    if isinstance(done, Refused):
        item = {"item": given["here"]} if given.get("here") else {}
        asked_for = Desk.of({**back.given, **item})
        with begin("records.read") as conn:
            return audit.shown(conn, asked_for, done, given), done.status
    here = desk.key_text(lately.key_of(done[0]))
    with begin() as conn:
        last = lately.seen(conn, [lately.key_of(one) for one in done[:1]])
    made = next(iter(last.values()), None)
    session[audit.SAVED] = str(made)
    where = {"item": here} if next_case is None else {"case": next_case}
    anchor = "#case" if any(where.values()) else ""
    return redirect(back.link(**where, done=made) + anchor, 303)


def _decide(conn: Connection) -> list[Record]:
    back = Desk.read(typed("back"))
    seen = _picked(conn, back) or _ticked()
    note_place(list(seen))
    return decisions.decide(
        conn,
        list(seen),
        typed("decision"),
        typed("reason"),
        _by(),
        point=_point(len(seen)) if typed("decision") == "repaired" else None,
        due_on=desk.day_or_none(typed("due_on").strip())
        if typed("decision") == "revisit"
        else None,
        seen=seen,
    )


def _reopened(
    conn: Connection, keys: Sequence[Key], seen: dict[Key, int] | None = None
) -> list[Record]:
    note_place(keys)
    return decisions.reopen(conn, keys, typed("reason"), _by(), seen=seen)


def _ticked() -> dict[Key, int]:
    """The rows that the form names, each with the last decision that its page told of."""
    found = {}
    for value in request.form.getlist("subject"):
        number, _colon, text = value.partition(":")
        key = desk.read_key(text)
        if key is None or not _is_id(number):
            raise RejectedError(_("Biểu mẫu bị hỏng; tải lại trang rồi làm lại."))
        found[key] = int(number)
    return found


def _picked(conn: Connection, back: Desk) -> dict[Key, int]:
    """The rows of the cases that are ticked in the list, as far as its filters hold them.

    Only those that the user may decide about: what lies elsewhere is not visible in this
    transaction.
    """
    texts = request.form.getlist("pick")
    picks = [pick for text in texts if (pick := desk.Pick.read(text))]
    if len(picks) != len(texts):
        raise RejectedError(_("Biểu mẫu bị hỏng; tải lại trang rồi làm lại."))
    if not picks:
        return {}
    wanted = back.asked(asked(conn, back.get("area"), "records.read"))
    extents = queue.extents(conn, wanted, [one.case for one in picks], scope.of(conn))
    known: dict[Key, int] = {}
    for one in picks:
        extent = extents.get(one.case, (0, 0))
        if not extent[0]:
            raise NotFoundError(_changed(one.rows, 0))
        if extent != (one.rows, one.mark):
            raise ConflictError(_changed(one.rows, extent[0]))
        # What is beyond the most that one decision takes stays in the list for the next one.
        room = decisions.MAX_AT_ONCE - len(known)
        rows = queue.members(conn, *one.case, room, wanted) if room else []
        known |= {lately.key_of(row): one.newest for row in rows}
    last = lately.seen(conn, list(known))
    return {key: min(last.get(key, 0), newest) for key, newest in known.items()}


def _changed(before: int, now: int) -> str:
    return _(
        "Một trường hợp đã đánh dấu thay đổi từ khi bạn mở danh sách: lúc đó %(before)s dòng, nay "
        "%(now)s dòng phù hợp bộ lọc và không hẳn vẫn là các dòng ấy. Xem lại rồi lưu lần nữa.",
        before=before,
        now=now,
    )


def _point(rows: int) -> Point | None:
    """The point that is typed; None where the fields are empty, for the one that is proposed.

    The proposal of the row that was shown stands in the fields: of several rows each has its own.
    """
    lat, lon, accuracy = (typed(name).strip() for name in ("lat", "lon", "accuracy_m"))
    if (not lat and not lon) or (rows > 1 and f"{lat} {lon}" == typed("proposed")):
        return None
    return Point(_number(lon), _number(lat), _number(accuracy) if accuracy else None)


def _number(text: str) -> float:
    """A number as people type it, with a comma or a point; raises RejectedError."""
    if not re.fullmatch(r"[+-]?\d{1,12}([.,]\d{0,12})?", text, re.ASCII):
        raise RejectedError(_("“%(text)s” không phải là số; viết ví dụ 21,028500.", text=text[:40]))
    return float(text.replace(",", "."))


def _by() -> By:
    user = current()
    return By(user.account_id, user.full_name)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _told(given: dict[str, Any]) -> str:
    """What the access log keeps: which decision and why."""
    return f"{given.get('decision') or request.path.rsplit('/', 1)[-1]}: {given.get('reason', '')}"
