"""What a data subject may ask for: the full ID, the record, a correction, the removal."""

import re
from dataclasses import replace
from typing import Any

import orjson
from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api import answers
from api.access import begin, may, needs, note
from geo import households, personal_ids
from geo.persons import correcting, history, record, removing
from geo.photos import files
from geo.photos import storing as photos
from web import household_page, labels, once, person_words
from web.forms import Refused, attempt
from web.household_page import address, area_of, may_here
from web.shell import page

pages = Blueprint("person", __name__, url_prefix="/households")

ONE = "/<province_code>/<path:household_code>"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_ASKED = "Hồ sơ dữ liệu theo yêu cầu của chủ thể dữ liệu"
"""The reason in the access log where a record tells the ID in full."""

Row = dict[str, Any]
Answer = str | Response | tuple[str, int]


@pages.post(f"{ONE}/national-id")
@needs("ids.read")
def national_id(province_code: str, household_code: str) -> Answer:
    """The full ID: shown once on the household's page, which this leads back to."""
    reason = _told(province_code, household_code)

    def opened(conn: Connection) -> Row:
        history.checked(reason)
        one = _noted(households.get(conn, province_code, household_code, _commune()))
        once.keep(conn, household_page.once_name(one), households.national_id(conn, *_key(one))[1])
        return one

    done = attempt(opened)
    if isinstance(done, Refused):
        with begin() as conn:
            one = _noted(households.get(conn, province_code, household_code, _commune()))
            return household_page.rendered(conn, one, done), done.status
    return redirect(address("records.household", done), 303)


@pages.get(f"{ONE}/record")
@needs("person.export")
def record_page(province_code: str, household_code: str) -> str:
    """Everything that is stored about a household, to read and to print."""
    with begin() as conn:
        made = _record(conn, province_code, household_code)
        one = made["household"]
        return page(
            conn,
            "person_record.html",
            active="household",
            area=area_of(conn, one),
            title=_("Hồ sơ dữ liệu của hộ %(name)s", name=one["head_name"]),
            household=one,
            made=made,
            most=record.LOOKED_AT_MOST,
            page_of=address,
            words=person_words,
        )


@pages.get(f"{ONE}/record.json")
@needs("person.export")
def record_file(province_code: str, household_code: str) -> Response:
    """The same as a file to hand over."""
    with begin() as conn:
        made = _record(conn, province_code, household_code)
    answer = answers.json(orjson.loads(orjson.dumps(made)))
    name = _UNSAFE.sub("-", household_code)[:60]
    answer.headers["Content-Disposition"] = f'attachment; filename="ancu-{name}.json"'
    return answer


@pages.get(f"{ONE}/correct")
@needs("person.correct")
def correct_page(province_code: str, household_code: str) -> str:
    """What can be corrected, with the form of the field that is chosen."""
    _told_opened(province_code, household_code)
    with begin() as conn:
        return _correct_page(conn, province_code, household_code, request.args.get("field", ""))


@pages.post(f"{ONE}/correct")
@needs("person.correct")
def correct(province_code: str, household_code: str) -> Answer:
    """Correct one field."""
    field = request.form.get("field", "")
    reason = _told(province_code, household_code, f"{field[:40]}: ")

    def corrected(conn: Connection) -> Row:
        one = _noted(households.get(conn, province_code, household_code, _commune()))
        _province, code, commune = _key(one)
        value: Any = request.form.get("value", "")
        if field == "causes":
            value = request.form.getlist("value")
        key = correcting.correct(
            conn, (province_code, code, commune), field, value, reason, _year()
        )
        return one | {"commune_code": key[1]}

    done = attempt(corrected)
    if isinstance(done, Refused):
        # The page names the field by its own name.
        done = replace(done, message=done.message.removeprefix(f"{field}: "))
        with begin() as conn:
            shown = _correct_page(conn, province_code, household_code, field, done)
            return shown, done.status
    flash(_("Đã chỉnh sửa: %(what)s.", what=person_words.FIELDS[field]), "done")
    return redirect(address("records.household", done), 303)


@pages.get(f"{ONE}/remove")
@needs("person.remove")
def remove_page(province_code: str, household_code: str) -> str:
    """What a removal takes and leaves, and the form for the reason."""
    _told_opened(province_code, household_code)
    with begin() as conn:
        return _remove_page(conn, province_code, household_code)


@pages.post(f"{ONE}/remove")
@needs("person.remove")
def remove(province_code: str, household_code: str) -> Answer:
    """First the reason, then, with the code typed, the removal."""
    reason = _told(province_code, household_code)
    confirmed = request.form.get("confirm")
    note(query="1/2" if confirmed is None else "2/2")

    pictures: list[str] = []

    def step(conn: Connection) -> Row:
        history.checked(reason)
        one = _noted(households.get(conn, province_code, household_code, _commune()))
        if confirmed is not None:
            _province, code, commune = _key(one)
            pictures.extend(photos.ids_of_household(conn, province_code, code, commune))
            removing.remove(conn, (province_code, code, commune), reason, confirmed)
        return one

    done = attempt(step)
    if isinstance(done, Refused) or confirmed is None:
        refused = done if isinstance(done, Refused) else None
        with begin() as conn:
            shown = _remove_page(conn, province_code, household_code, refused)
            return (shown, refused.status) if refused else shown
    files.drop(pictures)  # their rows are gone: what is left could not be opened any more
    flash(_("Đã xoá dữ liệu cá nhân của hộ %(code)s.", code=household_code), "done")
    if done["commune_code"] and may("figures.read"):
        return redirect(url_for("progress.area_page", code=done["commune_code"]), 303)
    return redirect(url_for("records.search"), 303)


def _told_opened(province_code: str, household_code: str) -> None:
    """Tell the access log that a form is opened: that only reads, whatever the form is for."""
    note(
        action="records.read",
        subject="household",
        subject_id=household_code,
        province_code=province_code,
    )


def _told(province_code: str, household_code: str, before: str = "") -> str:
    """Tell the access log what is asked for and why; the reason as it was typed."""
    reason = request.form.get("reason", "").replace("\0", " ")
    note(
        subject="household",
        subject_id=household_code,
        province_code=province_code,
        reason=personal_ids.hidden(before + reason),
        durable=True,
    )
    return reason


def _noted(one: Row) -> Row:
    note(province_code=one["province_code"], commune_code=one["commune_code"], rows=1)
    return one


def _key(one: Row) -> tuple[str, str, str | None]:
    return one["province_code"], one["household_code"], one["commune_code"]


def _commune() -> str | None:
    return request.args.get("commune") or None


def _year() -> int | None:
    year = request.form.get("year", "")
    return int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None


def _record(conn: Connection, province_code: str, household_code: str) -> Row:
    note(subject="household", subject_id=household_code, province_code=province_code, durable=True)
    one = _noted(households.get(conn, province_code, household_code, _commune()))
    full = may_here("ids.read", one)
    made = record.record(conn, *_key(one), full_ids=full)
    note(rows=record.rows(made), reason=_ASKED if full else "")
    return made


def _correct_page(
    conn: Connection,
    province_code: str,
    household_code: str,
    field: str,
    refused: Refused | None = None,
) -> str:
    one = _noted(households.get(conn, province_code, household_code, _commune()))
    return page(
        conn,
        "person_correct.html",
        active="household",
        area=area_of(conn, one),
        title=_("Chỉnh sửa thông tin hộ %(name)s", name=one["head_name"]),
        household=one,
        field=field if field in correcting.FIELDS else "",
        typed=request.form,
        refused=refused,
        page_of=address,
        shortest=history.SHORTEST,
        longest=history.LONGEST,
        words=person_words,
        labels=labels,
    )


def _remove_page(
    conn: Connection, province_code: str, household_code: str, refused: Refused | None = None
) -> str:
    one = _noted(households.get(conn, province_code, household_code, _commune()))
    asked = request.method == "POST" and (refused is None or "confirm" in request.form)
    return page(
        conn,
        "person_remove.html",
        active="household",
        area=area_of(conn, one),
        title=_("Xoá dữ liệu của hộ %(name)s", name=one["head_name"]),
        household=one,
        asked=asked,
        reason=request.form.get("reason", ""),
        refused=refused,
        page_of=address,
        shortest=history.SHORTEST,
        longest=history.LONGEST,
    )
