"""Photos on the pages of surveys and sites: what is shown of them, and the form to send more."""

from collections.abc import Callable
from typing import Any

import numpy as np
from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api import photos as api_photos
from api.access import needs, note
from api.entries import change
from geo.config import settings
from geo.errors import RejectedError, UsageError
from geo.geometry import metres_between
from geo.photos import files, storing
from geo.photos.storing import Target
from web import labels
from web.household_page import Row, may_here
from web.language import language
from web.messages import in_words

pages = Blueprint("photos", __name__)

EXIF = {
    "present": _l("Ảnh còn ghi nơi hoặc lúc chụp"),
    "stripped": _l("Ảnh không còn ghi nơi và lúc chụp"),
    "none": _l("Định dạng ảnh không ghi nơi và lúc chụp"),
}
ACTIONS = {"survey": "surveys.send", "site": "records.send"}
"""What sending photos of each needs."""


def shown(conn: Connection, subject: str, record: Row) -> dict[str, Any]:
    """The photos of a survey or site as templates/photo_parts.html takes them.

    items: each with distance_m, from its own place to the record's point, None where one is not
    known. send: the address of the form, None for who may not send. stages: to choose from.
    """
    key = "survey_id" if subject == "survey" else "site_code"
    place = (record["province_code"], record["commune_code"])
    items = storing.listing(conn, subject, (*place, str(record[key])))
    for one in items:
        one["distance_m"] = _apart(one, record)
    return {
        "items": items,
        "exif": EXIF,
        "stage_names": labels.STAGES,
        "stages": labels.STAGES if subject == "site" else {},
        "stage": record.get("stage"),
        "send": _form_address(subject, record) if may_here(ACTIONS[subject], record) else None,
        "most": api_photos.MOST_AT_ONCE,
        "max_photo_mb": settings().max_photo_mb,
    }


def _apart(one: Row, record: Row) -> float | None:
    ends = (one["lon"], one["lat"], record["lon"], record["lat"])
    if any(value is None for value in ends):
        return None
    return float(metres_between(*(np.array([value], dtype=float) for value in ends))[0])


@pages.get("/photos/<uuid:photo_id>")
@needs("records.read")
def original(photo_id: Any) -> Response:
    """The file as it was sent."""
    return api_photos.image(str(photo_id), small=False)


@pages.get("/photos/<uuid:photo_id>/small")
@needs("records.read")
def small(photo_id: Any) -> Response:
    """Its thumbnail."""
    return api_photos.image(str(photo_id), small=True)


@pages.post("/surveys/<uuid:survey_id>/photos")
@needs("surveys.send")
def send_of_survey(survey_id: Any) -> Response:
    """Store the photos of the form; the survey's page tells what became of them."""
    note(subject="survey", subject_id=str(survey_id), durable=True)
    commune = request.args.get("commune") or None
    _stored("survey", lambda conn: storing.of_survey(conn, str(survey_id), commune))
    return redirect(url_for("records.survey", survey_id=survey_id, commune=commune), 303)


@pages.post("/sites/<province_code>/<path:site_code>/photos")
@needs("records.send")
def send_of_site(province_code: str, site_code: str) -> Response:
    """The same of one stage of a site."""
    note(subject="site", subject_id=site_code, province_code=province_code, durable=True)
    commune, stage = request.args.get("commune") or None, request.form.get("stage", "")
    _stored("site", lambda conn: storing.of_stage(conn, province_code, site_code, stage, commune))
    page = url_for(
        "records.site", province_code=province_code, site_code=site_code, commune=commune
    )
    return redirect(page, 303)


def _stored(subject: str, find: Callable[[Connection], Target]) -> None:
    """Store what was sent, and leave a message for the next page."""
    try:
        photos = api_photos.received()
        with files.gone_on_error() as written, change(ACTIONS[subject]) as conn:
            stored = api_photos.stored_of(conn, find(conn), photos, written)
    except (RejectedError, UsageError) as error:
        said = [str(error), *(reason for _line, reason in getattr(error, "problems", []))]
        told = " ".join(in_words(one, language()) for one in said)
        flash(_("Chưa lưu ảnh nào.") + " " + told, "failed")
        return
    if stored.added:
        flash(_("Đã lưu %(n)s ảnh.", n=stored.added), "done")
    else:
        flash(_("Các ảnh này đã được lưu từ trước."), "done")


def _form_address(subject: str, record: Row) -> str:
    commune = record["commune_code"] or None
    if subject == "survey":
        return url_for("photos.send_of_survey", survey_id=record["survey_id"], commune=commune)
    return url_for(
        "photos.send_of_site",
        province_code=record["province_code"],
        site_code=record["site_code"],
        commune=commune,
    )
