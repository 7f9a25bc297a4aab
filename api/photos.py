"""Photos over HTTP: sent, listed, shown."""

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage

from api import answers, models
from api.access import begin, needs, note
from api.entries import change
from api.errors import PROBLEMS, invalid
from api.params import Area, Query, Stage, Word
from geo.config import settings
from geo.errors import RejectedError, UsageError
from geo.photos import files, reading, storing
from geo.photos.storing import Stored, Target

blueprint = APIBlueprint(
    "api_photos", __name__, url_prefix="/api/v1/photos", abp_tags=[Tag(name="photos")],
    abp_responses=PROBLEMS,
)  # fmt: skip

MOST_AT_ONCE = 10
IMAGE_POLICY = "default-src 'none'; sandbox"
_WHICH = "Name a survey by survey_id, or a site by province_code and site_code."


class Which(Query):
    """The survey or site that photos are of."""

    survey_id: Word | None = Field(None, description="Of a survey's photos.")
    province_code: Area | None = Field(None, description="Of a site's photos.")
    site_code: Word | None = Field(None, description="Of a site's photos.")
    commune_code: Area | None = Field(
        None, description="Its commune, where survey_id or site_code stands for several."
    )


class Sent(Which):
    """What is sent beside the files."""

    stage: Stage | None = Field(None, description="Of a site's photos.")


class PhotoPath(BaseModel):
    photo_id: Word


class PhotoQuery(Query):
    small: bool = Field(False, description="A JPEG of at most 320 pixels instead of the original.")


_FORM = Sent.model_json_schema(ref_template="#/components/schemas/{model}")
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "additionalProperties": False,
                "properties": {
                    **_FORM["properties"],
                    "photo": {
                        "type": "array",
                        "maxItems": MOST_AT_ONCE,
                        "items": {"type": "string", "format": "binary"},
                    },
                },
            }
        }
    },
}


@blueprint.post(
    "",
    summary="Send photos",
    description=(
        f"Up to {MOST_AT_ONCE} JPEG, PNG or WebP files as parts `photo`, of one survey or of one "
        "stage of a site; all are stored or none. 201 when some are new, 200 when all were known."
    ),
    responses={
        200: models.SentPhotos,
        201: models.SentPhotos,
        **{
            status: {**PROBLEMS[400], "description": text}
            for status, text in {
                409: "Stands for several records",
                413: "Too large",
                422: "Refused",
            }.items()
        },
    },
    openapi_extensions={"requestBody": _BODY},
)
@needs("surveys.send")
def send() -> Response:
    """A survey's photos need surveys.send, a site's records.send as well."""
    note(subject="photos", durable=True)
    try:
        sent = Sent.model_validate({k: v for k, v in request.form.items() if v != ""})
    except ValidationError as error:
        return invalid(error)
    _check(sent)
    photos = received()
    with files.gone_on_error() as written, change(_action(sent)) as conn:
        target = _target(conn, sent)
        stored = stored_of(conn, target, photos, written)
        key = (target.province_code, target.commune_code, target.subject_id)
        listed = storing.listing(conn, target.subject, key)
    answer = answers.json({**vars(stored), "photos": listed})
    answer.status_code = 201 if stored.added else 200
    return answer


@blueprint.get(
    "",
    summary="Photos of a survey or site",
    responses={200: models.PhotoList, 409: PROBLEMS[400]},
)
@needs("records.read")
def listing(query: Which) -> Response:
    """What is known of each photo; the pictures are at their own addresses."""
    _check(query)
    with begin() as conn:
        target = _target(conn, query)
        _noted(target)
        key = (target.province_code, target.commune_code, target.subject_id)
        listed = storing.listing(conn, target.subject, key)
    note(rows=len(listed))
    return answers.json({"items": listed})


@blueprint.get(
    "/<photo_id>",
    summary="One photo",
    responses={
        200: {
            "description": "The file as it was sent, or a small JPEG",
            "content": {kind: {} for kind in sorted(set(reading.FORMATS.values()))},
        }
    },
)
@needs("records.read")
def one(path: PhotoPath, query: PhotoQuery) -> Response:
    """The picture; asked for again, 304 while it may still be seen."""
    return image(path.photo_id, query.small)


def received() -> list[tuple[str, reading.Photo]]:
    """The photos of the request with their senders' names; raises UsageError, RejectedError."""
    parts = [part for part in request.files.getlist("photo") if part.filename]
    if not parts:
        raise UsageError("The form has no part `photo` with a file.")
    if len(parts) > MOST_AT_ONCE:
        raise RejectedError(f"Send at most {MOST_AT_ONCE} photos at once.")
    read = []
    for part in parts:
        name = storing.file_name(str(part.filename))
        try:
            read.append((name, reading.read(_content(part))))
        except RejectedError as error:
            if len(parts) == 1:
                raise
            problems = [(None, f"{name}: {error}")]
            raise RejectedError("Nothing was stored.", problems) from None  # type: ignore[arg-type]
    return read


def _content(part: FileStorage) -> bytes:
    """No more than is allowed, and one byte that tells of the rest."""
    return part.stream.read(settings().max_photo_mb * 1024 * 1024 + 1)


def stored_of(
    conn: Connection,
    target: Target,
    photos: list[tuple[str, reading.Photo]],
    written: list[str],
) -> Stored:
    """Store photos and tell the access log of what they are."""
    _noted(target)
    stored = storing.add(conn, target, photos, written)
    note(rows=stored.added, durable=True)
    return stored


def image(photo_id: str, small: bool) -> Response:
    """A photo as it was sent, or its thumbnail, for who may see its survey or site."""
    note(subject="photo", subject_id=photo_id[:40])
    with begin() as conn:
        found = storing.get(conn, photo_id)
    note(
        subject=found["subject"],
        subject_id=found["subject_id"],
        province_code=found["province_code"],
        commune_code=found["commune_code"],
        query="photo small" if small else "photo",
        rows=1,
    )
    tag = f"{found['sha256'][:32]}{'-small' if small else ''}"
    answer = Response()
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Security-Policy"] = IMAGE_POLICY
    if tag in request.if_none_match:
        answer.status_code = 304
        return answer
    content = files.read(str(found["photo_id"]))
    answer.content_type = "image/jpeg" if small else reading.media_type(content)
    answer.data = reading.thumbnail(content) if small else content
    return answer


def _check(which: Which) -> None:
    """Raise UsageError unless it names either a survey or a site."""
    of_site = bool(which.site_code) and bool(which.province_code)
    if of_site == bool(which.survey_id) or (which.survey_id and which.site_code):
        raise UsageError(_WHICH)


def _action(sent: Sent) -> str:
    return "surveys.send" if sent.survey_id else "records.send"


def _target(conn: Connection, which: Which) -> Target:
    """What is meant, told to the access log before it is looked for."""
    commune = which.commune_code
    if which.survey_id:
        note(subject="survey", subject_id=which.survey_id)
        return storing.of_survey(conn, which.survey_id, commune)
    province, code = str(which.province_code), str(which.site_code)
    note(subject="site", subject_id=code, province_code=province)
    if isinstance(which, Sent):
        return storing.of_stage(conn, province, code, which.stage or "", commune)
    return storing.of_site(conn, province, code, commune)


def _noted(target: Target) -> None:
    note(
        subject=target.subject,
        subject_id=target.subject_id,
        province_code=target.province_code,
        commune_code=target.commune_code,
    )
